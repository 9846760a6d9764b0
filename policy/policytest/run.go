package policytest

import (
	"fmt"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Evaluator is one way to decide a case.
type Evaluator struct {
	Name   string
	Decide func(c *Case) (Outcome, error)
}

// Compiled decides with package policy, as a server does.
var Compiled = Evaluator{Name: "compiled", Decide: func(c *Case) (Outcome, error) {
	return c.decide(func(text string) (*policy.Policy, error) {
		d, err := policy.Decode(text, policy.Identity)
		if err != nil {
			return nil, err
		}
		return policy.Compile(d)
	})
}}

// Reprinted decides with package policy after each document was printed and read again.
var Reprinted = Evaluator{Name: "reprinted", Decide: func(c *Case) (Outcome, error) {
	return c.decide(func(text string) (*policy.Policy, error) {
		d, err := policy.Decode(text, policy.Identity)
		if err != nil {
			return nil, err
		}
		if d, err = policy.Decode(d.JSON(), policy.Identity); err != nil {
			return nil, err
		}
		return policy.Compile(d)
	})
}}

func (c *Case) decide(load func(string) (*policy.Policy, error)) (Outcome, error) {
	sets := policy.Sets{Root: c.Root}
	for _, p := range c.Policies {
		compiled, err := load(p.Text)
		if err != nil {
			return Outcome{}, fmt.Errorf("policy %s: %w", p.Name, err)
		}
		switch p.Layer {
		case policy.LayerIdentity:
			sets.Identity = append(sets.Identity, &policy.Attached{Policy: compiled, Name: p.Name})
		default:
			return Outcome{}, fmt.Errorf("policy %s: layer %s is not evaluated", p.Name, p.Layer)
		}
	}
	d := policy.Decide(&sets, &c.Request)
	o := Outcome{Effect: d.Effect, Layer: d.Layer, Statement: d.Statement}
	if d.Policy != nil {
		o.Policy = d.Policy.Name
	}
	return o, nil
}

// Run decides every case with every evaluator, each in a subtest named case/evaluator, and fails where the outcome is not the expected one.
func Run(t *testing.T, cases []*Case, evaluators ...Evaluator) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			for _, e := range evaluators {
				t.Run(e.Name, func(t *testing.T) {
					got, err := e.Decide(c)
					if err != nil {
						t.Fatalf("%s:%d: %v\n%s", c.File, c.Line, err, c)
					}
					if got != c.Want {
						t.Fatalf("%s:%d: got %s, want %s\n%s", c.File, c.Line, got, c.Want, c)
					}
				})
			}
		})
	}
}
