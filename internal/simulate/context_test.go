package simulate_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func TestTypedEntry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		key, typ string
		values   []string
		wrong    string // part of the error; "" = none
		multi    bool
	}{
		{key: "aws:username", typ: "string", values: []string{"${aws:x} *"}},
		{key: "aws:TagKeys", typ: "stringList", values: []string{"a"}, multi: true},
		{key: "aws:TagKeys", typ: "stringList", values: []string{"a", "b"}, multi: true},
		{key: "aws:TagKeys", typ: "stringList", multi: true},
		{key: "aws:username", typ: "string"},
		{key: "aws:MultiFactorAuthAge", typ: "numeric", values: []string{"-1.50e3"}},
		{key: "aws:MultiFactorAuthAge", typ: "numericList", values: []string{"1", "2"}, multi: true},
		{key: "aws:SecureTransport", typ: "boolean", values: []string{"TRUE"}},
		{key: "aws:SourceIp", typ: "ip", values: []string{"2001:db8::1"}},
		{key: "x:Blob", typ: "binary", values: []string{"QUJD"}},
		{key: "aws:CurrentTime", typ: "date", values: []string{"2026-11-21T12:00:00Z"}},
		{key: "aws:CurrentTime", typ: "date", values: []string{"1795262400"}},
		{key: "aws:CurrentTime", typ: "dateList", values: []string{"2026-11-21", "2026-11-22"}, multi: true},

		{key: "aws:PrincipalTag/cost center *", typ: "string", values: []string{"x"}},

		{key: "aws:PrincipalTag/", typ: "string", wrong: "is not the name of a condition key"},
		{key: "aws:Principal Tag/x", typ: "string", wrong: "is not the name of a condition key"},
		{key: "username", typ: "string", wrong: "is not the name of a condition key"},
		{key: "aws:", typ: "string", wrong: "is not the name of a condition key"},
		{key: ":x", typ: "string", wrong: "is not the name of a condition key"},
		{key: "aws:user*", typ: "string", wrong: "is not the name of a condition key"},
		{key: "${aws:username}", typ: "string", wrong: "is not the name of a condition key"},
		{key: "aws:username", typ: "String", wrong: `"String" is not a type`},
		{key: "aws:username", typ: "", wrong: `"" is not a type`},
		{key: "aws:username", typ: "List", wrong: `"List" is not a type`},
		{key: "aws:username", typ: "string", values: []string{"a", "b"}, wrong: "its type would have to be stringList"},
		{key: "x:n", typ: "numeric", values: []string{"10abc"}, wrong: `"10abc" is not a value of the type numeric`},
		{key: "x:n", typ: "numericList", values: []string{"1", ""}, wrong: `"" is not a value of the type numeric`},
		{key: "x:n", typ: "numeric", values: []string{"NaN"}, wrong: "is not a value of the type numeric"},
		{key: "x:b", typ: "boolean", values: []string{"yes"}, wrong: "is not a value of the type boolean"},
		{key: "x:i", typ: "ip", values: []string{"10.0.0.0/8"}, wrong: "is not a value of the type ip"},
		{key: "x:i", typ: "ip", values: []string{"10.0.0.256"}, wrong: "is not a value of the type ip"},
		{key: "x:b", typ: "binary", values: []string{"QUJ"}, wrong: "is not a value of the type binary"},
		{key: "x:d", typ: "date", values: []string{"2026-13-01"}, wrong: "is not a value of the type date"},
		{key: "x:d", typ: "date", values: []string{"today\"}"}, wrong: "is not a value of the type date"},
		{key: "x:n", typ: "numeric", values: []string{strings.Repeat("1", policy.MaxText)}, wrong: "is not a value of the type numeric"},
	}
	for _, tt := range tests {
		e, err := simulate.TypedEntry(tt.key, tt.typ, tt.values)
		switch {
		case tt.wrong == "" && (err != nil || e.Key != tt.key || e.Multi != tt.multi || len(e.Values) != len(tt.values)):
			t.Errorf("%s %s %.40q: got %+v, %v", tt.key, tt.typ, tt.values, e, err)
		case tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)):
			t.Errorf("%s %s %.40q: got %.200v, want an error with %q", tt.key, tt.typ, tt.values, err, tt.wrong)
		}
	}
}

func TestOverlay(t *testing.T) {
	t.Parallel()
	one := func(key, value string) policy.Entry { return policy.Entry{Key: key, Values: []string{value}} }
	got := simulate.Overlay([]policy.Entry{one("aws:username", "alice"), one("aws:userid", "AIDA")}, one("AWS:UserName", "bob"), one("x:y", "1"))
	want := "AWS:UserName=bob x:y=1 aws:userid=AIDA"
	var text []string
	for _, e := range got {
		text = append(text, e.Key+"="+e.Values[0])
	}
	if s := strings.Join(text, " "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}

func TestContextKeys(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		texts []string
		want  string
	}{
		{"none", []string{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`}, ""},
		{"conditions and variables in their order, unique without case, as first spelled", []string{
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${aws:username}/*",` +
				`"Condition":{"StringLike":{"s3:prefix":["${aws:PrincipalTag/team}/*"],"AWS:Username":"x"}}},` +
				`{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"S3:Prefix":"true","z:z":"true"}}}}`,
		}, "aws:username s3:prefix aws:PrincipalTag/team aws:SecureTransport z:z"},
		{"escapes are no keys, and a default is no key", []string{
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${*}${?}${$}${aws:userid, 'nobody'}"}}`,
		}, "aws:userid"},
		{"no variables without the version", []string{
			`{"Version":"2008-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::${aws:username}"}}`,
		}, ""},
		{"a key that is written with escapes", []string{
			`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"\u0061ws:userid":"true","b:b":"true"}}}}`,
		}, "b:b aws:userid"},
	}
	for _, tt := range tests {
		var policies []*policy.Policy
		for _, text := range tt.texts {
			a, err := simulate.LoadPolicy("p", text, policy.Identity)
			if err != nil {
				t.Fatal(tt.name, err)
			}
			policies = append(policies, a.Policy)
		}
		if got := strings.Join(simulate.ContextKeys(policies...), " "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}
