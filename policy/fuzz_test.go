package policy_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/reference"
)

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
		out.Statements = append(out.Statements, s)
	}
	return out
}

// Any bytes give an *Error or a document; a document prints to an equal one, and compiles unless it is unsupported.
func FuzzParse(f *testing.F) {
	for _, c := range recordedDocuments(f) {
		f.Add(c.text)
	}
	f.Add(`{"Statement":{"Effect":"Deny","NotPrincipal":{"AWS":["1",null],"Service":"a"},"NotAction":"\ud83d\ude00:\u002a","Resource":"*"}}`)
	f.Add("{\"Id\":\"\\ud800\",\"Statement\":[{\"Effect\":\"Allow\",\"Condition\":{\"a\":{},\"Bool\":{\"b\":[1e5,true]}}}]}\xff")
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []policy.Kind{policy.Identity, policy.Managed} {
			d, err := policy.Decode(text, kind)
			if err != nil {
				var e *policy.Error
				if d != nil || !errors.As(err, &e) || e.Message == "" || e.Offset < -1 || e.Offset > len(text) {
					t.Fatalf("%q: document %v, error %#v", text, d, err)
				}
				continue
			}
			again, err := policy.Decode(d.JSON(), kind)
			if err != nil {
				t.Fatalf("%q prints as %q, which fails: %v", text, d.JSON(), err)
			}
			if !reflect.DeepEqual(bare(d), bare(again)) {
				t.Fatalf("%q prints as %q, which reads as something else", text, d.JSON())
			}
			if again.JSON() != d.JSON() {
				t.Fatalf("%q prints as %q, then as %q", text, d.JSON(), again.JSON())
			}
			for i := range d.Statements {
				if s := d.Statements[i]; s.Slot > s.Start+1 || text[s.Start] != '{' || text[s.End-1] != '}' {
					t.Fatalf("%q: statement %d lies at %d..%d..%d", text, i, s.Slot, s.Start, s.End)
				}
			}
			valid, parseErr := policy.Parse(text, kind)
			if (valid == nil) != (parseErr != nil) {
				t.Fatalf("%q: Parse gives %v and %v", text, valid, parseErr)
			}
			p, compileErr := policy.Compile(d)
			if parseErr == nil && d.Unsupported() == nil && compileErr != nil {
				t.Fatalf("%q is valid and supported and does not compile: %v", text, compileErr)
			}
			if compileErr == nil && (d.Unsupported() != nil || p.Text() != text || !reflect.DeepEqual(p.Document(), d)) {
				t.Fatalf("%q: the compiled policy differs from its document", text)
			}
		}
	})
}

// Whatever compiles decides as the reference does, with the same deciding statement.
func FuzzDecide(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*"}]}`,
		`{"Statement":{"Effect":"Deny","NotAction":["s?:Get*"],"NotResource":["arn:aws:s3","*"]}}`, "s3:GetObject", "arn:aws:s3:::b/k", false)
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"a:b","Resource":["arn:aws:*:b:${*}*","a:*:b?:*c:d*:e"]}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","NotResource":"arn:aws:x:*::é?"}}`, "é:É", "*", true)
	f.Fuzz(func(t *testing.T, first, second, action, resource string, root bool) {
		if len(first) > 3000 || len(second) > 3000 || len(resource) > 300 {
			return
		}
		sets := policy.Sets{Root: root}
		slow := reference.Sets{Root: root}
		for _, text := range []string{first, second} {
			d, err := policy.Decode(text, policy.Identity)
			if err != nil {
				continue
			}
			p, err := policy.Compile(d)
			if err != nil {
				continue
			}
			sets.Identity = append(sets.Identity, &policy.Attached{Policy: p})
			slow.Identity = append(slow.Identity, d)
		}
		r := policy.Request{Action: action, Resource: resource}
		got := policy.Decide(&sets, &r)
		want, err := reference.Decide(slow, r)
		if err != nil {
			t.Fatalf("compiled, but the reference refuses it: %v", err)
		}
		if got.Effect != want.Effect || got.Layer != want.Layer {
			t.Fatalf("%s on %s: compiled %v %v, reference %v %v", action, resource, got.Effect, got.Layer, want.Effect, want.Layer)
		}
		var named []reference.Place
		switch {
		case want.Effect == policy.DenyExplicit:
			named = want.Denies
		case want.Effect == policy.Allow && !root:
			named = want.Allows
		}
		if (len(named) > 0) != (got.Policy != nil) ||
			len(named) > 0 && (sets.Identity[named[0].Policy] != got.Policy || named[0].Statement != got.Statement) {
			t.Fatalf("%s on %s: compiled names statement %d of %p, reference %v", action, resource, got.Statement, got.Policy, named)
		}
	})
}
