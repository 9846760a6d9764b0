package policy_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

const syntax = "Syntax errors in policy."

// document wraps one statement's members.
func document(members string) string {
	return `{"Version":"2012-10-17","Statement":{` + members + `}}`
}

const good = `"Effect":"Allow","Action":"s3:Get","Resource":"*"`

func wantError(t *testing.T, text string, err error, code policy.Code, message, detail string) {
	t.Helper()
	var e *policy.Error
	if !errors.As(err, &e) {
		t.Errorf("%.200s\ngot error %v, want %s %q", text, err, code, message)
		return
	}
	if e.Code != code || e.Message != message || !strings.Contains(e.Detail, detail) {
		t.Errorf("%.200s\ngot  %s %q (%s)\nwant %s %q (%s)", text, e.Code, e.Message, e.Detail, code, message, detail)
	}
	if e.Offset < -1 || e.Offset > len(text) {
		t.Errorf("%.200s\noffset %d is outside the text", text, e.Offset)
	}
}

// docs/spec/policy-language.md 2 and stage 1 of 12.2.
func TestGrammarRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, detail string }{
		{"", "unexpected end"},
		{" ", "unexpected end"},
		{"\ufeff" + document(good), "unexpected character"},
		{`"text"`, "the document is a string"},
		{`[` + document(good) + `]`, "the document is an array"},
		{document(good) + `x`, "text after the end"},
		{document(good) + document(good), "text after the end"},
		{`{"Version":"2012-10-17","Statement":{` + good + `}`, "expected ',' or '}'"},
		{`{'Version':"2012-10-17"}`, "expected a member name"},
		{`{"Version":"2012-10-17",}`, "expected a member name"},
		{`{"Version" "2012-10-17"}`, "expected ':'"},
		{`{"Statement":[{` + good + `},]}`, "unexpected character"},
		{`{"Statement":[{` + good + `} {` + good + `}]}`, "expected ',' or ']'"},
		{"{\"Version\":\"2012-10-17\",\"Id\":\"\xff\",\"Statement\":{" + good + "}}", "not UTF-8"},
		{"{\"Id\":\"a\nb\",\"Statement\":{" + good + "}}", "control character"},
		{`{"Id":"\x41","Statement":{` + good + `}}`, "unknown escape"},
		{`{"Id":"\u12g4","Statement":{` + good + `}}`, `malformed \u escape`},
		{`{"Id":"\u12`, `malformed \u escape`},
		{`{"Id":"\ud800","Statement":{` + good + `}}`, "unpaired surrogate"},
		{`{"Id":"\ud800\u0041","Statement":{` + good + `}}`, "unpaired surrogate"},
		{`{"Id":"\udc00","Statement":{` + good + `}}`, "unpaired surrogate"},
		{`{"Id":"abc`, "string without end"},
		{`{"Id":"abc\`, "unknown escape"},
		{`{"Id":"\n`, "string without end"},
		{`{"Id":tru}`, "unexpected character"},
		{`{"Id":01}`, "expected ',' or '}'"},
		{`{"Id":-}`, "malformed number"},
		{`{"Id":1.}`, "malformed number"},
		{`{"Id":1e}`, "malformed number"},
		{`{"Id":.5}`, "unexpected character"},
		{`{"Id":+5}`, "unexpected character"},
		{strings.Repeat("[", 100_000), "nested deeper"},
		{strings.Repeat(`{"a":`, 20_000), "nested deeper"},
		{`{"Version":"2012-10-17","Version":"2012-10-17","Statement":{` + good + `}}`, `member "Version" occurs twice`},
		{`{"Version":"2012-10-17","\u0056ersion":"2012-10-17","Statement":{` + good + `}}`, `member "Version" occurs twice`},
		{document(good + `,"Effect":"Deny"`), `member "Effect" occurs twice`},
		{document(good + `,"Condition":{"StringEquals":{"a":"b"},"StringEquals":{"a":"c"}}`), `member "StringEquals" occurs twice`},
		{document(good + `,"Condition":{"StringEquals":{"a":"b","a":"c"}}`), `member "a" occurs twice`},
		{document(good + `,"Condition":{"StringEquals":{` + keys(40) + `,"k39":"c"}}`), `member "k39" occurs twice`},
		{`{"version":"2012-10-17","Statement":{` + good + `}}`, `unknown member "version"`},
		{`{"Version":"2012-10-17","Statement":{` + good + `},"Statements":[]}`, `unknown member "Statements"`},
		{document(good + `,"action":"s3:Put"`), `unknown member "action"`},
		{`{"Version":20121017,"Statement":{` + good + `}}`, "Version is neither"},
		{`{"Version":null,"Statement":{` + good + `}}`, "Version is neither"},
		{`{"Version":"","Statement":{` + good + `}}`, "Version is neither"},
		{`{"Version":"2012-10-17 ","Statement":{` + good + `}}`, "Version is neither"},
		{`{"Version":"2012-10-17","Id":null,"Statement":{` + good + `}}`, "Id is null"},
		{`{"Version":"2012-10-17","Id":7,"Statement":{` + good + `}}`, "Id is a number"},
		{`{"Version":"2012-10-17"}`, "Statement is missing"},
		{`{"Version":"2012-10-17","Statement":null}`, "Statement is null"},
		{`{"Version":"2012-10-17","Statement":"Allow"}`, "Statement is a string"},
		{`{"Version":"2012-10-17","Statement":[]}`, "Statement is empty"},
		{`{"Version":"2012-10-17","Statement":[{` + good + `},null]}`, "a statement is null"},
		{`{"Version":"2012-10-17","Statement":[[{` + good + `}]]}`, "a statement is an array"},
		{document(`"Action":"s3:Get","Resource":"*"`), "Effect is missing"},
		{document(`"Effect":["Allow"],"Action":"s3:Get","Resource":"*"`), "Effect is neither"},
		{document(`"Effect":"Permit","Action":"s3:Get","Resource":"*"`), "Effect is neither"},
		{document(`"Effect":"","Action":"s3:Get","Resource":"*"`), "Effect is neither"},
		{document(`"Effect":null,"Action":"s3:Get","Resource":"*"`), "Effect is neither"},
		{document(good + `,"Sid":null`), "Sid is null"},
		{document(good + `,"Sid":7`), "Sid is a number"},
		{document(`"Effect":"Allow","Action":null,"Resource":"*"`), "Action is null"},
		{document(`"Effect":"Allow","Action":true,"Resource":"*"`), "Action is a boolean"},
		{document(`"Effect":"Allow","Action":["s3:Get",7],"Resource":"*"`), "a value of Action is a number"},
		{document(`"Effect":"Allow","Action":"s3:Get","Resource":["*",["*"]]`), "a value of Resource is an array"},
		{document(good + `,"NotAction":"s3:Put"`), "both Action and NotAction"},
		{document(good + `,"NotResource":[]`), "both Resource and NotResource"},
		{document(good + `,"Principal":"*","NotPrincipal":"*"`), "both Principal and NotPrincipal"},
		{document(good + `,"Principal":"arn:aws:iam::111111111111:root"`), `Principal is neither "*" nor an object`},
		{document(good + `,"Principal":{"Aws":"*"}`), `unknown principal type "Aws"`},
		{document(good + `,"Principal":{"AWS":[null]}`), "a value of AWS is null"},
		{document(good + `,"Condition":null`), "Condition is null"},
		{document(good + `,"Condition":{"StringEquals":null}`), `the keys of "StringEquals" are null`},
		{document(good + `,"Condition":{"x":{"a":"b"}}`), `unknown condition operator "x"`},
		{document(good + `,"Condition":{"IfExists":{"a":"b"}}`), `unknown condition operator "IfExists"`},
		{document(good + `,"Condition":{"NullIfExists":{"a":"true"}}`), `unknown condition operator "NullIfExists"`},
		{document(good + `,"Condition":{"ForAnyValue::StringLike":{"a":"true"}}`), "unknown condition operator"},
		{document(good + `,"Condition":{"ForAnyValue:":{"a":"true"}}`), "unknown condition operator"},
		{document(good + `,"Condition":{"ForAnyValue:ForAllValues:StringLike":{"a":"true"}}`), "unknown condition operator"},
		{document(good + `,"Condition":{"StringEqualsIfExistsIfExists":{"a":"true"}}`), "unknown condition operator"},
		{document(good + `,"Condition":{"BoolNotEquals":{"a":"true"}}`), "unknown condition operator"},
		{document(good + `,"Condition":{"ſtringEquals":{"a":"true"}}`), "unknown condition operator"},
		{document(good + `,"Condition":{"StringEquals":{"a":null}}`), `the value of condition key "a" is null`},
		{document(good + `,"Condition":{"StringEquals":{"a":[null]}}`), `a value of condition key "a" is null`},
		{document(good + `,"Condition":{"StringEquals":{"a":[["b"]]}}`), `a value of condition key "a" is an array`},
		{`{"Id":"` + strings.Repeat("x", policy.MaxText) + `","Statement":{` + good + `}}`, "longer than 131072 characters"},
	}
	for _, tt := range tests {
		for _, kind := range []policy.Kind{policy.Identity, policy.Managed} {
			d, err := policy.Parse(tt.text, kind)
			if d != nil {
				t.Errorf("%.200s\nParse returned a document", tt.text)
			}
			wantError(t, tt.text, err, policy.MalformedPolicyDocument, syntax, tt.detail)
		}
	}
}

func keys(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"k%d":"v"`, i))
	}
	return strings.Join(list, ",")
}

// docs/spec/policy-language.md 12.2, stages 2 to 12, and 12.3: each text, and which one comes first.
func TestValidateStages(t *testing.T) {
	t.Parallel()
	const (
		version   = "Policy document must be version 2012-10-17 or greater."
		legacy    = "The policy failed legacy parsing"
		sidChars  = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
		sidUnique = "Statement IDs (SID) in a single policy must be unique."
		noActions = "Policy statement must contain actions."
		principal = "Policy document should not specify a principal."
		noRes     = "Policy statement must contain resources."
		noVendor  = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
		oneColon  = "Actions/Condition can contain only one colon."
		regex     = "Resource vendor must be fully qualified and cannot contain regexes."
		iamPath   = `IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
	)
	res := func(r string) string {
		return document(`"Effect":"Allow","Action":"s3:Get","Resource":` + r)
	}
	act := func(a string) string {
		return document(`"Effect":"Allow","Action":` + a + `,"Resource":"*"`)
	}
	date := func(v string) string {
		return document(good + `,"Condition":{"DateLessThan":{"aws:CurrentTime":` + v + `}}`)
	}
	tests := []struct{ text, message string }{
		{`{"Statement":{"Effect":"deny","Sid":"a b"}}`, version},
		{`{"Version":"2008-10-17","Statement":{` + good + `}}`, version},
		{document(`"Effect":"DENY","Sid":"a b"`), legacy},
		{date(`true`), legacy},
		{date(`["2026-01-01T00:00:00Z","${aws:CurrentTime}"]`), legacy},
		{date(`""`), legacy},
		{document(good + `,"Condition":{"ForAnyValue:DateEqualsIfExists":{"a":"x"}}`), legacy},
		{document(`"Sid":"a-b","Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3::b"`), legacy},
		{document(`"Sid":"a-b","Effect":"Allow","Action":[]`), sidChars},
		{document(`"Sid":"é","Effect":"Allow","Action":[]`), sidChars},
		{`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow"},{"Sid":"a","Effect":"Deny"}]}`, sidUnique},
		{document(`"Effect":"Allow","Action":[null],"Principal":"*"`), noActions},
		{document(`"Effect":"Allow","Action":"x","Principal":"*"`), principal},
		{document(`"Effect":"Allow","Action":"x","NotPrincipal":{"AWS":[]}`), principal},
		{document(`"Effect":"Allow","Action":"x","Principal":"*","Resource":"x"`), principal},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"x"},{"Effect":"Allow","Action":"x","Resource":"y"}]}`, `Resource y must be in ARN format or "*".`},
		{document(`"Effect":"Allow","Action":"x"`), noRes},
		{document(`"Effect":"Allow","Action":"x","NotResource":[null]`), noRes},
		{act(`["s3:Get","s3"]`), noVendor},
		{act(`["a b:c","s3:a:b","s3"]`), noVendor},
		{act(`["a b:c","s3:a:b"]`), oneColon},
		{act(`"**"`), noVendor},
		{act(`"s_3:Get"`), "Vendor s_3 is not valid"},
		{act(`"sé:Get"`), "Vendor sé is not valid"},
		{act(`"${a}:Get"`), "Vendor ${a} is not valid"},
		{act(`":Get"`), "Vendor  is not valid"},
		{res(`"**"`), `Resource ** must be in ARN format or "*".`},
		{res(`["arn:aws:s3:::a","zzz","bbb"]`), `Resource bbb must be in ARN format or "*".`},
		{res(`["zzz","arn:aws:s3:::b"]`), `Resource zzz must be in ARN format or "*".`},
		{res(`["zzz","arn:aws:s3::b"]`), `Resource zzz must be in ARN format or "*".`},
		{res(`["*","arn:aws:s3::b"]`), legacy},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get","NotResource":"arn:aws:s3::b"},{"Effect":"Allow","Action":"s3:Get","Resource":"x"}]}`, `Resource x must be in ARN format or "*".`},
		{res(`"a:b"`), `Partition "b" is not valid for resource "arn:b:*:*:*:*".`},
		{res(`"arn::s3:::b"`), `Partition "" is not valid for resource "arn::s3:::b".`},
		{res(`"arn:AWS:s3:::b:c"`), `Partition "AWS" is not valid for resource "arn:AWS:s3:::b:c".`},
		{res(`"arn:*"`), regex},
		{res(`"arn:aws:*"`), regex},
		{res(`"arn:aws:s?:::b"`), regex},
		{res(`"arn:aws::x:y:z"`), legacy},
		{res(`"arn:aws:"`), legacy},
		{res(`"arn:aws:iam:*:111111111111:user/a"`), "IAM resource arn:aws:iam:*:111111111111:user/a cannot contain region information."},
		{res(`"arn:aws:s3:*:1:accesspoints/a"`), "Resource arn:aws:s3:*:1:accesspoints/a can not contain region information."},
		{res(`"arn:aws:s3:*:*:bucket/*"`), "Resource arn:aws:s3:*:*:bucket/* can not contain region information."},
		{res(`"arn:aws:s3:us-west-2:111111111111:job"`), "Resource arn:aws:s3:us-west-2:111111111111:job can not contain region information."},
		{res(`"arn:aws:s3:*:*:storage-lens-groups/a"`), "Resource arn:aws:s3:*:*:storage-lens-groups/a can not contain region information."},
		{res(`"arn:aws:s3:*:*:*"`), "Resource arn:aws:s3:*:*:* can not contain region information."},
		{res(`"arn:aws:iam::111111111111:user"`), iamPath},
		{res(`"arn:aws:iam::111111111111:${aws:username}"`), iamPath},
		{res(`"arn:aws:iam"`), iamPath},
	}
	for _, tt := range tests {
		_, err := policy.Parse(tt.text, policy.Managed)
		wantError(t, tt.text, err, policy.MalformedPolicyDocument, tt.message, "")
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		" \t\r\n" + document(good) + "\n",
		`{"Statement":[{` + good + `}],"Id":"","Version":"2012-10-17"}`,
		document(`"Effect":"Allow","Action":[null,"s3:Get"],"Resource":["arn:aws:s3:::b",null]`),
		document(good + `,"Sid":""`),
		`{"Version":"2012-10-17","Statement":[{"Sid":"",` + good + `},{"Sid":"",` + good + `}]}`,
		document(`"Effect":"Allow","Action":"*","Resource":["arn:*:s3:::b","x:aws:s3:::b","arn:aws-eusc:s3:::b"]`),
		document(`"Effect":"Allow","Action":"s*:?","Resource":["arn:aws:iam:::*","arn:aws:iam:::root","arn:aws:iam::1:user/${aws:username}"]`),
		document(`"Effect":"Allow","Action":"s3:","Resource":"arn:aws:s3:r:1:accesspoint/a"`),
		document(`"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:*:*:access-grants/default","arn:aws:s3:*:*:access-grants/default/grant/*","arn:aws:s3:*:*:job/*",` +
			`"arn:aws:s3:*:1:storage-lens/*","arn:aws:s3:*:1:storage-lens-group/*","arn:aws:s3:us-west-2:1:async-request/mrap/*/*"]`),
		document(good + `,"Condition":{"STRINGequals":{"a":[1,-0.5e+7,true,"x"]},"forallvalues:stringlikeifexists":{"a":[]}}`),
		document(good + `,"Condition":{"StringEquals":{"a":"b","A":"c"},"StringLike":{"a":"b"}}`),
		`{"Id":"` + strings.Repeat("é", 1000) + `\ud83d\ude00\u00e9","Version":"2012-10-17","Statement":{` + good + `}}`,
	} {
		d, err := policy.Parse(text, policy.Managed)
		if err != nil {
			t.Errorf("%.200s\n%v", text, err)
			continue
		}
		if d.Text() != text {
			t.Errorf("%.200s\nText is %.200s", text, d.Text())
		}
	}
	for _, version := range []string{"", `"Version":"2008-10-17",`} {
		if _, err := policy.Parse(`{`+version+`"Statement":{`+good+`}}`, policy.Identity); err != nil {
			t.Errorf("an inline policy with %q: %v", version, err)
		}
	}
}

func TestDocumentContents(t *testing.T) {
	t.Parallel()
	text := `{"Version":"2012-10-17","Id":"i\u0041","Statement":[ {"Sid":"S1","Effect":"Deny","NotAction":["s3:*",null],"NotResource":"*",
		"Condition":{"x":{},"ForAnyValue:StringLikeIfExists":{"aws:TagKeys":["a",1.50,true]},"Null":{"k":"true"}}},{` + good + `}]}`
	d, err := policy.Parse(text, policy.Identity)
	if err != nil {
		t.Fatal(err)
	}
	first := policy.Statement{
		Sid: "S1", Effect: "Deny", Actions: []string{"s3:*"}, NotAction: true, Resources: []string{"*"}, NotResource: true,
		Conditions: []policy.Condition{
			{Name: "ForAnyValue:StringLikeIfExists", Operator: policy.StringLike, Set: policy.ForAnyValue, IfExists: true, Key: "aws:TagKeys", Values: []string{"a", "1.50", "true"}},
			{Name: "Null", Operator: policy.Null, Key: "k", Values: []string{"true"}},
		},
		Slot: strings.Index(text, " {"), Start: strings.Index(text, `{"Sid"`), End: strings.Index(text, ",{"+good),
	}
	if d.ID != "iA" || len(d.Statements) != 2 || !reflect.DeepEqual(d.Statements[0], first) {
		t.Errorf("got  %+v\nwant %+v", d.Statements[0], first)
	}
	if s := d.Statements[1]; s.Slot != first.End || text[s.Start:s.End] != "{"+good+"}" {
		t.Errorf("second statement: %+v", s)
	}
}

// The recorded simulator answer (docs/spec/evaluation.md 11.3) has the columns 41 and 113 for this document.
func TestStatementPlaceOfObject(t *testing.T) {
	t.Parallel()
	text := `{"Version": "2012-10-17", "Statement": {"Sid": "", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}`
	d, err := policy.Parse(text, policy.Managed)
	if err != nil {
		t.Fatal(err)
	}
	if s := d.Statements[0]; s.Slot+1 != 41 || s.End+1 != 113 {
		t.Errorf("columns %d and %d, want 41 and 113", s.Slot+1, s.End+1)
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]bool{
		"2026": true, "0": true, "9223372036854775807": true, "9223372036854775808": false, "1.5": false, "+1": false, "": false, " 1": false,
		"2026-01": true, "2026-13": false, "2026-0": false, "2026-1-31": true, "2026-01-32": false, "2026-01-01-01": false, "2026-": false,
		"-292275054": true, "-292275055": false, "292278993-1": true, "292278994-1": false, "--1": false, "-": false,
		"01T": true, "T": false, "T10:00": false, "2026-01-01T": true, "2026-01-01t1:2:3z": true, "2026-01-01T24:00Z": false, "2026-01-01T10:60Z": false,
		"2026-01-01T10:00:60Z": false, "2026-01-01T10:00:00.123456789Z": true, "2026-01-01T10:00:00.1234567890Z": false, "2026-01-01T10:00:00.Z": false,
		"2026-01-01T10:00:00+02:00": true, "2026-01-01T10:00:00-0230": false, "2026-01-01T10:00:00+23": true, "2026-01-01T10:00:00+1": false,
		"2026-01-01T10:00:00+24:00": false, "2026-01-01T10:00:00+02:60": false, "2026-01-01T10:00:00+": false, "2026-01-01T10:00:00": true,
		"2026-01-01T10:00:00ZZ": false, "2026-01-01T10:00:00Z+01": false, "2026-01-01 10:00:00Z": false, "2026-01-01Tx": false, "١-1": false,
	} {
		if got := policy.ValidDate(v); got != want {
			t.Errorf("%q: %v, want %v", v, got, want)
		}
	}
}

// Everything in a valid document compiles, and what is no kind is refused.
func TestCompileTakes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		document(good + `,"Condition":{}`),
		document(good + `,"Condition":{"StringEquals":{},"whatever":{}}`),
		document(good + `,"Condition":{"y":{},"StringEquals":{"aws:username":"alice","aws:userid":[]}}`),
		document(good + `,"Condition":{"NumericEquals":{"k":"ten"},"IpAddress":{"k":"x"},"BinaryEquals":{"k":"?"},"Null":{"k":"?"},"ArnLike":{"k":"*"}}`),
		document(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${*}${?}${$}{x}"`),
		document(`"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${open"`),
		document(`"Effect":"Deny","Action":"s3:*","Resource":["*","arn:aws:s3:::b/${aws:username}"]`),
		document(`"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::b/${*}${a, 'x'}"`),
		document(`"Effect":"Deny","Action":"s3:*","Resource":["arn:aws:s3:::b/${}","arn:aws:s3:::b/${${*}}"]`),
		`{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}"}}`,
	} {
		if _, err := policy.Load(text, policy.Identity); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	hand := []policy.Statement{{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}}}
	for _, kind := range []policy.Kind{0, 10, 99} {
		const want = "There is no such kind of policy."
		_, err := policy.Parse(document(good), kind)
		wantError(t, "", err, policy.Unsupported, want, "")
		p, err := policy.Compile(&policy.Document{Kind: kind, Statements: hand})
		wantError(t, "", err, policy.Unsupported, want, "")
		if p != nil {
			t.Errorf("%s: Compile returned a policy", kind)
		}
	}
}

// Compile refuses what has no meaning, also when the document was made by hand or only decoded.
func TestCompileRefuses(t *testing.T) {
	t.Parallel()
	one := func(s policy.Statement) *policy.Document {
		return &policy.Document{Kind: policy.Identity, Statements: []policy.Statement{s}}
	}
	star := []string{"*"}
	tests := []struct {
		d       *policy.Document
		message string
	}{
		{&policy.Document{Kind: policy.Identity}, syntax},
		{&policy.Document{Kind: policy.Identity, Version: "2013-10-17", Statements: []policy.Statement{{Effect: "Allow", Actions: star, Resources: star}}}, syntax},
		{one(policy.Statement{Actions: star, Resources: star}), syntax},
		{one(policy.Statement{Effect: "deny", Actions: star, Resources: star}), "The policy failed legacy parsing"},
		{one(policy.Statement{Effect: "Deny", Resources: star}), "Policy statement must contain actions."},
		{one(policy.Statement{Effect: "Deny", Actions: star}), "Policy statement must contain resources."},
		{one(policy.Statement{Effect: "Deny", Actions: []string{"s3"}, Resources: star}), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{one(policy.Statement{Effect: "Deny", Actions: []string{"s3:a:b"}, Resources: star}), "Actions/Condition can contain only one colon."},
		{one(policy.Statement{Effect: "Deny", Actions: []string{"s3:\xff"}, Resources: star}), syntax},
		{one(policy.Statement{Effect: "Deny", Actions: star, Resources: []string{"\xfe"}}), syntax},
		{one(policy.Statement{Effect: "Deny", Actions: star, Resources: star, Conditions: []policy.Condition{{Operator: policy.StringLike, Name: "StringLike", Key: "k", Values: []string{"\xff"}}}}), syntax},
		{one(policy.Statement{Effect: "Deny", Actions: star, Resources: star, Principal: &policy.Principal{Any: true}}), "Policy document should not specify a principal."},
		{&policy.Document{Kind: policy.RCP, Statements: []policy.Statement{{Effect: "Deny", Actions: star, Resources: star}}}, "Missing required field Principal"},
	}
	for _, tt := range tests {
		p, err := policy.Compile(tt.d)
		wantError(t, fmt.Sprintf("%+v", tt.d), err, policy.MalformedPolicyDocument, tt.message, "")
		if p != nil {
			t.Errorf("%+v\nCompile returned a policy", tt.d)
		}
	}
	p, err := policy.Compile(one(policy.Statement{Sid: `q"\`, Effect: "Deny", Actions: star, Resources: star}))
	if err != nil || p.Document().Statements[0].Sid != `q"\` || p.Len() != 1 || p.Kind() != policy.Identity {
		t.Errorf("a document made by hand: %v", err)
	}
}

func TestCountedSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, " \t\r\n": 0, "a b\nc": 3, "é\u00a0\v": 3, "\xff": 1, `{"a": " "}`: 8} {
		if got := policy.CountedSize(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": true, "a\t\r\n é ÿ~\u0080": true, "Ā": false, "\x00": false, "\x1f": false, "\xff": false, "\ufffd": false, "😀": false} {
		if got := policy.Printable(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
