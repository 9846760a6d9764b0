package policy_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

var parsedKinds = []policy.Kind{policy.Identity, policy.Managed, policy.Boundary, policy.Session, policy.Trust, policy.Resource, policy.Endpoint, policy.SCP, policy.RCP}

// bare is a document without what depends on its text.
func bare(d *policy.Document) policy.Document {
	out := policy.Document{Kind: d.Kind, Version: d.Version, ID: d.ID}
	for _, s := range d.Statements {
		s.Slot, s.Start, s.End = 0, 0, 0
		if len(s.Actions) == 0 { // an empty list is the same as none
			s.Actions, s.NotAction = nil, false
		}
		if len(s.Resources) == 0 {
			s.Resources, s.NotResource = nil, false
		}
		if s.Principal != nil {
			p := policy.Principal{Not: s.Principal.Not, Any: s.Principal.Any}
			for _, v := range s.Principal.Values {
				p.Values = append(p.Values, policy.PrincipalValue{Type: v.Type, Value: v.Value})
			}
			s.Principal = &p
		}
		out.Statements = append(out.Statements, s)
	}
	return out
}

// Any bytes give an *Error or a document of every kind; a document prints to an equal one, knows where its parts lie, and compiles
// unless it is unsupported.
func FuzzParse(f *testing.F) {
	for _, c := range recordedDocuments(f) {
		f.Add(c.text)
	}
	for file := range malformedFiles {
		for _, c := range malformedCases(f, file) {
			if len(c.text) < 1000 {
				f.Add(c.text)
			}
		}
	}
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["1",null],"Service":"a"},"NotAction":"\ud83d\ude00:\u002a","Resource":"*"}}`)
	f.Add("{\"Id\":\"\\ud800\",\"Statement\":[{\"Effect\":\"Allow\",\"Condition\":{\"a\":{},\"Bool\":{\"b\":[1e5,true]}}}]}\xff")
	f.Add(trust(`{"AWS":["*","\u0041IDAQNZGKIQY56JQ7WML2","arn:aws:iam::111111111111:role/a"],"Federated":"www.amazon.com"}`))
	f.Add(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range parsedKinds {
			d, err := policy.Decode(text, kind)
			valid, parseErr := policy.Parse(text, kind)
			if (valid == nil) != (parseErr != nil) {
				t.Fatalf("%q as %s: Parse gives %v and %v", text, kind, valid, parseErr)
			}
			fuzzError(t, text, parseErr)
			if err != nil {
				fuzzError(t, text, err)
				if d != nil || valid != nil {
					t.Fatalf("%q as %s: document %v, valid %v, error %v", text, kind, d, valid, err)
				}
				continue
			}
			if (d.Validate() == nil) != (parseErr == nil) || parseErr == nil && !reflect.DeepEqual(d, valid) {
				t.Fatalf("%q as %s: Parse and Validate differ: %v, %v", text, kind, parseErr, d.Validate())
			}
			fuzzText(t, d)
			fuzzPrint(t, d)
			fuzzPrincipals(t, text, kind, valid)
			p, compileErr := policy.Compile(d)
			if parseErr == nil && compileErr != nil {
				t.Fatalf("%q as %s is valid and does not compile: %v", text, kind, compileErr)
			}
			if compileErr == nil && (p.Text() != text || !reflect.DeepEqual(p.Document(), d)) {
				t.Fatalf("%q as %s: the compiled policy differs from its document", text, kind)
			}
		}
	})
}

func fuzzError(t *testing.T, text string, err error) {
	var e *policy.Error
	if err != nil && (!errors.As(err, &e) || e.Message == "" || e.Code != policy.MalformedPolicyDocument || e.Offset < -1 || e.Offset > len(text)) {
		t.Fatalf("%q: error %#v", text, err)
	}
}

// fuzzText checks the places of the statements and principals.
func fuzzText(t *testing.T, d *policy.Document) {
	text := d.Text()
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Slot > s.Start+1 || text[s.Start] != '{' || text[s.End-1] != '}' {
			t.Fatalf("%q: statement %d lies at %d..%d..%d", text, i, s.Slot, s.Start, s.End)
		}
		if s.Principal == nil {
			continue
		}
		for _, v := range s.Principal.Values {
			if v.Start <= s.Start || v.End >= s.End || text[v.Start] != '"' || text[v.End-1] != '"' {
				t.Fatalf("%q: principal %q lies at %d..%d", text, v.Value, v.Start, v.End)
			}
		}
	}
	if same := d.ReplacePrincipals(func(v policy.PrincipalValue) string { return v.Value }); same != text {
		t.Fatalf("%q: with its own principals it is %q", text, same)
	}
}

func fuzzPrint(t *testing.T, d *policy.Document) {
	again, err := policy.Decode(d.JSON(), d.Kind)
	if err != nil {
		t.Fatalf("%q prints as %q, which fails: %v", d.Text(), d.JSON(), err)
	}
	if !reflect.DeepEqual(bare(d), bare(again)) {
		t.Fatalf("%q prints as %q, which reads as something else", d.Text(), d.JSON())
	}
	if again.JSON() != d.JSON() {
		t.Fatalf("%q prints as %q, then as %q", d.Text(), d.JSON(), again.JSON())
	}
}

// fuzzPrincipals stores a valid document under other principals and restores them. Nothing but the principals may change.
func fuzzPrincipals(t *testing.T, text string, kind policy.Kind, valid *policy.Document) {
	if valid == nil || kind.String() != "trust" && kind.String() != "resource" {
		return
	}
	const id = "AIDAQNZGKIQY56JQ7WML2"
	replaced := make(map[int]string) // the value by its order
	n := 0
	stored, err := policy.ParseWith(text, kind, policy.Options{Resolve: func(v policy.PrincipalValue) (string, bool) {
		if v.Type == "AWS" {
			return id, true
		}
		return v.Value, true
	}})
	if err != nil {
		t.Fatalf("%q as %s is valid, and not with a Resolve that knows everything: %v", text, kind, err)
	}
	for i := range valid.Statements {
		for _, v := range valid.Statements[i].Principal.Values {
			replaced[n] = v.Value
			n++
		}
	}
	n = 0
	back := stored.ReplacePrincipals(func(v policy.PrincipalValue) string {
		n++
		return replaced[n-1]
	})
	again, err := policy.Parse(back, kind)
	if err != nil || n != len(replaced) || !reflect.DeepEqual(bare(again), bare(valid)) {
		t.Fatalf("%q as %s: stored %q, back %q, %v", text, kind, stored.Text(), back, err)
	}
	if stored.Text() != text && !policy.PrincipalIDs(stored.Text()) {
		t.Fatalf("%q: PrincipalIDs misses the ids of %q", text, stored.Text())
	}
}
