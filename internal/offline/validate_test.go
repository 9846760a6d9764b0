package offline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// found prints findings with the text at their places: "rule text", for documents of one line.
func found(c *Checked, text string) string {
	var list []string
	for _, f := range c.Findings {
		at := text[min(len(text), f.Position.Column-1):]
		if f.Position.Line != 1 || !strings.HasPrefix(at, `"`) {
			at = `"` + f.Position.String()
		}
		at, _, _ = strings.Cut(at[1:], `"`)
		list = append(list, string(f.Rule)+" "+at)
	}
	return strings.Join(list, ", ")
}

func TestValidate(t *testing.T) {
	t.Parallel()
	one := func(s string) string { return `{"Version":"2012-10-17","Statement":{"Effect":"Allow",` + s + `}}` }
	tests := []struct {
		name, text, want string
		kind             policy.Kind
	}{
		{name: "good", text: one(`"Action":["s3:GetObject","s3:ListBucket"],"Resource":["arn:aws:s3:::b","arn:aws:s3:::b/*"]`)},
		{name: "action", text: one(`"Action":"s3:GetObjct","Resource":"*"`), want: "unknown-action s3:GetObjct"},
		{name: "case of actions", text: one(`"Action":"S3:getobject","Resource":"*"`)},
		{name: "service", text: one(`"Action":"s4:*","Resource":"*"`), want: "unknown-service s4:*"},
		{name: "pattern", text: one(`"Action":["s3:Get*","s3:Gxt*","x*:Y"],"Resource":"*"`), want: "pattern-without-action s3:Gxt*, pattern-without-action x*:Y"},
		{name: "star", text: one(`"Action":["*","s3:GetObjct"],"Resource":"*"`), want: "unknown-action s3:GetObjct"},
		{name: "NotAction", text: one(`"NotAction":"s3:GetObjct","Resource":"*"`), want: "unknown-action s3:GetObjct"},
		{name: "key", text: one(`"Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"aws:SourceVpcc":"x"}}`), want: "unknown-key aws:SourceVpcc"},
		{name: "key of another service", text: one(`"Action":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"ec2:InstanceType":"x"}}`), want: "key-not-taken ec2:InstanceType"},
		{name: "key of one of several actions", text: one(`"Action":["s3:GetObject","ec2:RunInstances"],"Resource":"*","Condition":{"StringEquals":{"ec2:InstanceType":"x"}}`)},
		{name: "key, any action", text: one(`"Action":"*","Resource":"*","Condition":{"StringEquals":{"ec2:InstanceType":"x"}}`)},
		{name: "key, action not known", text: one(`"Action":["s3:GetObject","x:Y"],"Resource":"*","Condition":{"StringEquals":{"ec2:InstanceType":"x"}}`), want: "unknown-service x:Y"},
		{name: "key, other actions", text: one(`"NotAction":"s3:GetObject","Resource":"*","Condition":{"StringEquals":{"ec2:InstanceType":"x"}}`)},
		{name: "keys of tags", text: one(`"Action":"ec2:RunInstances","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"x","aws:PrincipalTag/team":"x"}}`)},
		{name: "key of a provider", text: one(`"Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/idp.example.com/t"},"Condition":{"StringEquals":{"idp.example.com/t:sub":"x"}}`)},
		{name: "variable", text: one(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:usrname}/${aws:username, 'x'}${*}"`), want: "unknown-variable arn:aws:s3:::b/${aws:usrname}/${aws:username, 'x'}${*}"},
		{name: "variable in a condition", text: one(`"Action":"s3:GetObject","Resource":"*","Condition":{"StringLike":{"aws:userid":["a","${aws:usrname}"]}}`), want: "unknown-variable ${aws:usrname}"},
		{name: "variable of old", text: `{"Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:username}"}}`, want: "variable-not-replaced arn:aws:s3:::b/${aws:username}"},
		{name: "bucket for objects", text: one(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::b"`), want: "action-without-resource s3:GetObject"},
		{name: "objects for bucket", text: one(`"Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b/*"`), want: "action-without-resource s3:ListBucket"},
		{name: "name with a star", text: one(`"Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::b*"`)},
		{name: "any bucket", text: one(`"Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::*"`)},
		{name: "no resource", text: one(`"Action":"s3:ListAllMyBuckets","Resource":"arn:aws:s3:::b"`), want: "action-without-resource s3:ListAllMyBuckets"},
		{name: "pattern of actions on nothing of theirs", text: one(`"Action":"s3:Get*Object","Resource":"arn:aws:s3:::b"`), want: "resource-without-action arn:aws:s3:::b"},
		{name: "path", text: one(`"Action":"iam:GetRole","Resource":["arn:aws:iam::*:role/a/b/*","arn:aws:iam::111111111111:role/*","arn:*:iam::?11111111111:role/x"]`)},
		{name: "head star", text: one(`"Action":"dynamodb:GetItem","Resource":"arn:aws:dynamodb:*:table/prod-*"`)},
		{name: "streams of groups", text: one(`"Action":["logs:PutLogEvents","logs:CreateLogGroup"],"Resource":"arn:aws:logs:*:*:log-group:/aws/x/*"`)},
		{name: "one group", text: one(`"Action":["logs:PutLogEvents","logs:CreateLogGroup"],"Resource":"arn:aws:logs:us-east-1:111111111111:log-group:/aws/?"`), want: "action-without-resource logs:PutLogEvents"},
		{name: "keys of tags, by example", text: one(`"Action":"secretsmanager:GetSecretValue","Resource":"*","Condition":{"StringEquals":{"secretsmanager:ResourceTag/team":"x"}}`)},
		{name: "keys of tags, by nothing", text: one(`"Action":"glacier:DeleteArchive","Resource":"*","Condition":{"StringEquals":{"glacier:ResourceTag/team":"x"}}`)},
		{name: "key of which nobody says whose it is", text: one(`"Action":"s3:GetObject","Resource":"*","Condition":{"ArnEquals":{"lambda:SourceFunctionArn":"arn:aws:lambda:*:*:function:f"}}`)},
		{name: "another type", text: one(`"Action":["iam:GetUser","s3:GetObject"],"Resource":["arn:aws:iam::*:role/x","arn:aws:iam::*:user/x","arn:aws:s3:::*"]`), want: "resource-without-action arn:aws:iam::*:role/x"},
		{name: "swallowed colons", text: one(`"Action":"secretsmanager:GetSecretValue","Resource":"arn:aws:secretsmanager:*:*:app!*"`)},
		{name: "documents of AWS", text: one(`"Action":"ssm:GetDocument","Resource":"arn:aws:ssm:*::document/AWS-*"`)},
		{name: "variables in a resource", text: one(`"Action":"iam:GetUser","Resource":"arn:aws:iam::*:user/${aws:username}"`)},
		{name: "other service's resource", text: one(`"Action":"iam:GetUser","Resource":["arn:aws:iam::*:user/*","arn:aws:s3:::b"]`), want: "resource-without-action arn:aws:s3:::b"},
		{name: "NotResource", text: one(`"Action":"iam:GetUser","NotResource":"arn:aws:s3:::b"`)},
		{name: "syntax", text: "{\n\"Statement\": x}", want: "syntax 2:14"},
		{name: "empty", want: "syntax 1:1"},
		{name: "not UTF-8", text: "{\"\xff\"}", want: "syntax 1:3"},
		{name: "characters", text: one(`"Action":"s3:GetObject","Resource":["arn:aws:s3:::ü/x","arn:aws:s3:::€/x"]`), want: "syntax 1:124"},
		{name: "characters elsewhere", kind: policy.Session, text: one(`"Action":"s3:GetObject","Resource":"arn:aws:s3:::€/x"`)},
		{name: "unscoped provider", kind: policy.Trust, text: one(`"Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"}`), want: "syntax arn:aws:iam::111111111111:oidc-provider/token.actions.githubusercontent.com"},
		{name: "refused, and more", text: one(`"Sid":"a b","Action":"s3:GetObjct","Resource":"*"`), want: "syntax 1:37, unknown-action s3:GetObjct"},
		{name: "managed", kind: policy.Managed, text: `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, want: "syntax 1:1"},
		{name: "long trust", kind: policy.Trust, text: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":["` + strings.Repeat(`111111111111","`, 200) + `111111111111"]},"Action":"sts:AssumeRole"}}`, want: "too-long 1:1"},
		{name: "scp", kind: policy.SCP, text: `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"x"}}}}`, want: "key-not-taken s3:prefix"},
	}
	for _, tt := range tests {
		if got := found(Validate("p.json", tt.text, tt.kind, nil), tt.text); got != tt.want {
			t.Errorf("%s: %q, want %q\n%s", tt.name, got, tt.want, tt.text)
		}
	}
}

// Operators that cannot hold of a key, and nothing else.
func TestValidateOperators(t *testing.T) {
	t.Parallel()
	const kind, set = "operator-type", "set-operator"
	for _, tt := range []struct{ operator, key, want string }{
		// Types.
		{"StringEquals", "aws:CurrentTime", kind}, {"stringlikeifexists", "AWS:TokenIssueTime", kind}, {"StringNotEquals", "aws:MultiFactorAuthAge", kind},
		{"StringLike", "aws:SourceIp", kind}, {"StringNotLike", "aws:VpcSourceIp", kind}, {"Bool", "aws:SourceIp", kind}, {"NumericEquals", "aws:SecureTransport", kind},
		{"IpAddress", "aws:SecureTransport", kind}, {"ArnLike", "aws:SourceIp", kind}, {"IpAddress", "aws:PrincipalArn", kind}, {"NumericLessThan", "aws:SourceArn", kind},
		{"DateLessThan", "aws:SourceArn", kind}, {"BinaryEquals", "aws:SourceIp", kind}, {"ForAnyValue:NumericEquals", "aws:SecureTransport", kind},
		{"DateLessThan", "aws:CurrentTime", ""}, {"NumericLessThan", "aws:EpochTime", ""}, {"NumericLessThan", "aws:MultiFactorAuthAge", ""},
		{"DateLessThan", "aws:MultiFactorAuthAge", ""}, {"StringEquals", "aws:SecureTransport", ""}, {"BoolIfExists", "aws:SecureTransport", ""},
		{"StringLike", "aws:PrincipalArn", ""}, {"ArnNotEquals", "aws:SourceArn", ""}, {"NotIpAddress", "aws:SourceIp", ""}, {"Null", "aws:SourceIp", ""},
		{"NumericLessThan", "aws:PrincipalTag/age", ""}, {"DateLessThan", "aws:ResourceTag/until", ""}, {"IpAddress", "aws:RequestTag/a", ""}, {"ArnLike", "aws:userid", ""},
		{"Bool", "aws:PrincipalTag/a", ""},
		// Numbers of values.
		{"StringEquals", "aws:TagKeys", set}, {"StringNotLikeIfExists", "aws:CalledVia", set}, {"ForAllValues:StringEquals", "aws:PrincipalOrgID", set},
		{"forallvalues:stringlike", "aws:RequestTag/a", set}, {"ForAllValues:Null", "aws:TagKeys", set}, {"ForAnyValue:Null", "aws:userid", set},
		{"ForAllValues:StringEquals", "aws:TagKeys", ""}, {"ForAnyValue:StringNotEquals", "aws:CalledVia", ""}, {"Null", "aws:TagKeys", ""},
		{"ForAnyValue:StringEquals", "aws:PrincipalOrgID", ""}, {"ForAllValues:StringNotEquals", "aws:PrincipalOrgID", ""}, {"ForAllValues:StringEqualsIfExists", "aws:PrincipalOrgID", ""},
		// Both.
		{"NumericEquals", "aws:TagKeys", set}, {"ForAllValues:StringEquals", "aws:CurrentTime", kind + " " + set},
		// Types that are not known, or not the same for all.
		{"NumericEquals", "idp.example.com:sub", ""}, {"ForAllValues:StringEquals", "identitystore:UserId", ""},
	} {
		action := "s3:GetObject"
		if strings.HasPrefix(tt.key, "identitystore") {
			action = "q:CreateAssignment"
		}
		text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":%q,"Resource":"*","Condition":{%q:{%q:"1"}}}}`, action, tt.operator, tt.key)
		var got []string
		for _, f := range Validate("p.json", text, 0, nil).Findings {
			if f.Rule == kind || f.Rule == set {
				got = append(got, string(f.Rule))
			} else if f.Rule != RuleKeyNotTaken && f.Rule != RuleSyntax { // the value is no date
				t.Errorf("%s %s: %v", tt.operator, tt.key, f)
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.operator, tt.key, got, tt.want)
		}
	}
	// Where the key is there for another reason, ForAllValues is as good as nothing.
	for null, want := range map[string]int{`"false"`: 0, `false`: 0, `["true"]`: 1} {
		text := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:PrincipalOrgID":"o"},"Null":{"AWS:principalorgid":` + null + `}}}}`
		if c := Validate("p.json", text, 0, nil); len(c.Findings) != want {
			t.Errorf("Null %s: %+v", null, c.Findings)
		}
	}
}

func TestGuessedKind(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]policy.Kind{
		allowAll: policy.Identity,
		`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}`:                                      policy.Resource,
		`{"Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`:               policy.Trust,
		`{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"111111111111"},"Action":"s3:*","NotResource":"arn:aws:s3:::b"}]}`: policy.Resource,
		`[]`: policy.Identity,
	} {
		if c := Validate("p", text, 0, nil); c.Kind != want {
			t.Errorf("%s is taken for %s, want %s", text, c.Kind, want)
		}
	}
	if k, err := ParseKind("rcp"); k != policy.RCP || err != nil {
		t.Errorf("rcp: %v %v", k, err)
	}
	if _, err := ParseKind("bucket"); err == nil {
		t.Error("bucket is a kind")
	}
}

// Own services are as good as AWS's.
func TestValidateOwnServices(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/services.json")
	if err != nil {
		t.Fatal(err)
	}
	own, err := catalog.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Builtin().With(own...)
	if err != nil {
		t.Fatal(err)
	}
	const p = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["crm:ReadCustomer","crm:ReadCustomr"],"Resource":"arn:aws:crm:::customer/*"}}`
	if got, want := found(Validate("p", p, 0, c), p), "unknown-action crm:ReadCustomr"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := found(Validate("p", p, 0, nil), p); !strings.HasPrefix(got, "unknown-service") {
		t.Errorf("without them: %q", got)
	}
}

func TestManyFindings(t *testing.T) {
	t.Parallel()
	c := Validate("p", `{"Statement":{"Effect":"Allow","Action":[`+strings.TrimSuffix(numbered(`"x%d:Y",`, 3000), ",")+`],"Resource":"*"}}`, 0, nil)
	if n := len(c.Findings); n != MaxFindings+1 {
		t.Fatalf("%d findings", n)
	}
	if n := strings.Count(found(c, ""), string(RuleTooMany)); n != 1 {
		t.Errorf("%d findings say that there are more", n)
	}
}

// sarifMembers are the members that SARIF 2.1.0 (OASIS, 2020; sections 3.13 to 3.49) requires of the objects that are used, and all that it
// knows among those written here: its schema takes no others.
var sarifMembers = map[string]struct{ required, known string }{
	"log":      {"version runs", "$schema version runs"},
	"run":      {"tool", "tool columnKind results"},
	"tool":     {"driver", "driver"},
	"driver":   {"name", "name version rules"},
	"rule":     {"id", "id shortDescription defaultConfiguration"},
	"level":    {"", "level"},
	"text":     {"text", "text"}, // of shortDescription
	"result":   {"message", "ruleId ruleIndex level message locations"},
	"message":  {"text", "text"}, // text or id
	"location": {"", "physicalLocation"},
	"physical": {"artifactLocation", "artifactLocation region"}, // artifactLocation or address
	"artifact": {"uri", "uri"},
	"region":   {"startLine", "startLine startColumn"},
}

func TestSARIF(t *testing.T) {
	t.Parallel()
	checked := []*Checked{
		Validate("a b/ü.json", `{"Statement":{"Effect":"Allow","Action":"s3:GetObjct","Resource":"*","Condition":{"Bool":{"aws:x":true}}}}`, 0, nil),
		Validate("/abs/p.json", "{", 0, nil), Validate("./ok.json", allowAll, 0, nil),
	}
	var b bytes.Buffer
	if err := ValidateSARIF(&b, "1.2.3", checked...); err != nil {
		t.Fatal(err)
	}
	var log map[string]any
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	hold := func(kind string, v any) map[string]any {
		t.Helper()
		object, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("%s is %T", kind, v)
		}
		for name := range strings.FieldsSeq(sarifMembers[kind].required) {
			if object[name] == nil {
				t.Errorf("%s has no member %s: %v", kind, name, object)
			}
		}
		known := strings.Fields(sarifMembers[kind].known)
		for name := range object {
			if !slices.Contains(known, name) {
				t.Errorf("%s has a member %s", kind, name)
			}
		}
		return object
	}
	hold("log", log)
	if log["version"] != "2.1.0" {
		t.Errorf("version %v", log["version"])
	}
	run := hold("run", log["runs"].([]any)[0])
	if run["columnKind"] != "utf16CodeUnits" {
		t.Errorf("columnKind %v", run["columnKind"])
	}
	driver := hold("driver", hold("tool", run["tool"])["driver"])
	list := driver["rules"].([]any)
	for _, r := range list {
		rule := hold("rule", r)
		hold("text", rule["shortDescription"])
		hold("level", rule["defaultConfiguration"])
	}
	var uris []string
	for _, r := range run["results"].([]any) {
		result := hold("result", r)
		hold("message", result["message"])
		if level := result["level"]; level != "error" && level != "warning" {
			t.Errorf("level %v", level)
		}
		if rule := list[int(result["ruleIndex"].(float64))].(map[string]any); rule["id"] != result["ruleId"] {
			t.Errorf("ruleIndex %v is %v, not %v", result["ruleIndex"], rule["id"], result["ruleId"])
		}
		physical := hold("physical", hold("location", result["locations"].([]any)[0])["physicalLocation"])
		uris = append(uris, hold("artifact", physical["artifactLocation"])["uri"].(string))
		region := hold("region", physical["region"])
		if region["startLine"].(float64) < 1 || region["startColumn"].(float64) < 1 {
			t.Errorf("region %v", region)
		}
	}
	if got, want := fmt.Sprint(uris), "[a%20b/%C3%BC.json a%20b/%C3%BC.json file:///abs/p.json]"; got != want {
		t.Errorf("URIs %s, want %s", got, want)
	}
	b.Reset()
	if err := ValidateSARIF(&b, "1.2.3", checked[2]); err != nil || !strings.Contains(b.String(), `"results": []`) { // no list would mean: not looked at
		t.Errorf("without findings: %v %s", err, b.String())
	}
}

func FuzzValidate(f *testing.F) {
	f.Add(allowAll)
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","NotAction":["s3:G?t*","x:y"],"NotResource":"arn:aws:s3:::${aws:username}*","Condition":{"Bool":{"aws:x":[true]}}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []policy.Kind{0, policy.Trust, policy.SCP} {
			c := Validate("p", text, kind, nil)
			_, err := policy.Parse(text, c.Kind)
			if errors, _ := c.Count(); err != nil && errors == 0 {
				t.Errorf("%q is refused (%v), and nothing is found", text, err)
			}
			for _, f := range c.Findings {
				if f.Position.Line < 1 || f.Position.Column < 1 {
					t.Errorf("%q: %+v", text, f)
				}
			}
		}
	})
}
