package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]policy.Error{
		"MalformedPolicyDocument: m":                   {Code: policy.MalformedPolicyDocument, Message: "m", Offset: -1},
		"MalformedPolicyDocument: n":                   {Code: policy.MalformedPolicyDocument, Message: "n", Offset: 7},
		"MalformedPolicyDocument: m (wrong)":           {Code: policy.MalformedPolicyDocument, Message: "m", Detail: "wrong", Offset: -1},
		"MalformedPolicyDocument: m (wrong at byte 0)": {Code: policy.MalformedPolicyDocument, Message: "m", Detail: "wrong"},
		"Unsupported: m (wrong at byte 12)":            {Code: policy.Unsupported, Message: "m", Detail: "wrong", Offset: 12},
	} {
		if got := err.Error(); got != want {
			t.Errorf("got %s; want %s", got, want)
		}
	}
}

// What is printed has no members that are not there, and escapes what JSON must.
func TestPrintedDocuments(t *testing.T) {
	t.Parallel()
	allow := policy.Statement{Effect: "Allow", Actions: []string{"a:b"}, Resources: []string{"*"}}
	for want, d := range map[string]policy.Document{
		`{"Statement":[]}`: {},
		`{"Statement":[{"Effect":"Allow","Action":["a:b"],"Resource":["*"]}]}`:             {Statements: []policy.Statement{allow}},
		`{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"s","Effect":"Deny"}]}`:      {Version: "2012-10-17", ID: "x", Statements: []policy.Statement{{Sid: "s", Effect: "Deny"}}},
		`{"Id":"\u001f\u0000 !\u0009\"\\` + "\x7fé" + `","Statement":[]}`:                  {ID: "\x1f\x00 !\t\"\\\x7fé"},
		`{"Statement":[{"Effect":"Allow","NotAction":["a:b","c:d"],"NotResource":["*"]}]}`: {Statements: []policy.Statement{{Effect: "Allow", NotAction: true, Actions: []string{"a:b", "c:d"}, NotResource: true, Resources: []string{"*"}}}},
	} {
		if got := d.JSON(); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
	}
}
