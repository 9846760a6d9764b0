package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Whatever compiles is explained: without a panic, as Decide decides, and within the bounds.
func FuzzExplain(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/${a:b}*","Condition":{"StringLike":{"a:b":["${a:b}${*}","${c, 'd'}"]}}}]}`,
		`{"Statement":{"Effect":"Deny","Principal":{"AWS":"111111111111"},"NotAction":"iam:*","Condition":{"ForAnyValue:ArnLike":{"a:b":"arn:*"}}}}`,
		"s3:GetObject", "arn:aws:s3:::b/k", "a:b", "v", byte(1))
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Null":{"k":"true"},"NumericEquals":{"n":["x",1]},"IpAddress":{"k":"::/0"}}}}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotPrincipal":{"Service":"x"},"Action":"é:É","NotResource":"${*}"}}`, "é:É", "*", "k", "", byte(0x95))
	f.Fuzz(func(t *testing.T, first, second, action, resource, key, value string, how byte) {
		if len(first)+len(second) > 6000 || len(resource) > 300 {
			return
		}
		compiled := func(text string, kind policy.Kind) *policy.Attached {
			d, err := policy.Decode(text, kind)
			if err != nil {
				return nil
			}
			p, err := policy.Compile(d)
			if err != nil {
				return nil
			}
			return &policy.Attached{Policy: p, Name: "p"}
		}
		kinds := [...]policy.CallerKind{
			0, policy.RootCaller, policy.UserCaller, policy.RoleCaller, policy.FederatedCaller, policy.ServiceCaller, policy.ProviderCaller, policy.AnonymousCaller,
		}
		s := policy.Sets{Caller: policy.Caller{Kind: kinds[how&7], Account: own, ARN: value, Session: key, Names: []string{value}}}
		r := policy.Request{Action: action, Resource: resource, Context: []policy.Entry{{Key: key, Values: []string{value}, Multi: how&8 != 0}}}
		if a := compiled(first, policy.Identity); a != nil {
			s.Identity, s.Boundary = policy.NewSet(a), policy.NewSet(a)
		}
		if how&16 != 0 {
			r.ResourcePolicy = compiled(second, policy.Trust)
		} else if r.ResourcePolicy = compiled(second, policy.Resource); r.ResourcePolicy != nil && how&32 != 0 {
			r.Endpoint, r.Gateway = compiled(second, policy.Endpoint), how&64 != 0
		}
		if how&128 != 0 {
			r.Owner, r.Grantees = other, []string{value}
		}
		e := policy.Explain(&s, &r)
		if want := policy.Decide(&s, &r); e.Decision != want {
			t.Fatalf("explained %+v, decided %+v", e.Decision, want)
		}
		if (e.Changes == nil) != (e.Decision.Effect == policy.Allow || e.Obstacle != policy.ObstacleNone) {
			t.Fatalf("%+v has the changes %+v", e.Decision, e.Changes)
		}
		for _, c := range e.Changes {
			kind := policy.Identity
			switch c.Layer {
			case policy.LayerResource:
				kind = policy.Resource
			case policy.LayerTrust:
				kind = policy.Trust
			case policy.LayerEndpoint:
				kind = policy.Endpoint
			}
			if c.Kind == policy.AddStatement && compiled(`{"Statement":`+c.Text+`}`, kind) == nil {
				t.Fatalf("to add to %s: %s", c.Layer, c.Text)
			}
		}
		for i := range e.Layers {
			for j := range e.Layers[i].Statements {
				v := &e.Layers[i].Statements[j]
				if v.Denies != e.Statement(v).Denies() {
					t.Fatalf("statement %d of %s denies %v", j, e.Layers[i].Layer, v.Denies)
				}
			}
		}
	})
}
