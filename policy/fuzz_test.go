package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/reference"
)

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
			sets.Identity = policy.NewSet(append(sets.Identity.Policies(), &policy.Attached{Policy: p})...)
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
			len(named) > 0 && (sets.Identity.Policies()[named[0].Policy] != got.Policy || named[0].Statement != got.Statement) {
			t.Fatalf("%s on %s: compiled names statement %d of %p, reference %v", action, resource, got.Statement, got.Policy, named)
		}
	})
}
