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
	return c.decide(func(text string, kind policy.Kind) (*policy.Policy, error) {
		d, err := policy.Decode(text, kind)
		if err != nil {
			return nil, err
		}
		return policy.Compile(d)
	})
}}

// Reprinted decides with package policy after each document was printed and read again.
var Reprinted = Evaluator{Name: "reprinted", Decide: func(c *Case) (Outcome, error) {
	return c.decide(func(text string, kind policy.Kind) (*policy.Policy, error) {
		d, err := policy.Decode(text, kind)
		if err != nil {
			return nil, err
		}
		if d, err = policy.Decode(d.JSON(), kind); err != nil {
			return nil, err
		}
		return policy.Compile(d)
	})
}}

// Kind is the kind of the documents of a layer that cases have.
func Kind(layer policy.Layer) policy.Kind {
	switch layer {
	case policy.LayerBoundary:
		return policy.Boundary
	case policy.LayerSession:
		return policy.Session
	case policy.LayerResource:
		return policy.Resource
	case policy.LayerTrust:
		return policy.Trust
	}
	return policy.Identity
}

func (c *Case) decide(load func(string, policy.Kind) (*policy.Policy, error)) (Outcome, error) {
	sets := policy.Sets{
		Caller: c.Caller.Policy(),
		Root:   c.Caller.root(),
	}
	var identity, session []*policy.Attached
	request := c.Request()
	for _, p := range c.Policies {
		compiled, err := load(p.Text, Kind(p.Layer))
		if err != nil {
			return Outcome{}, fmt.Errorf("policy %s: %w", p.Name, err)
		}
		a := &policy.Attached{Policy: compiled, Name: p.Name}
		switch p.Layer {
		case policy.LayerIdentity:
			identity = append(identity, a)
		case policy.LayerBoundary:
			sets.Boundary = policy.NewSet(a)
		case policy.LayerSession:
			session = append(session, a)
		case policy.LayerResource, policy.LayerTrust:
			request.ResourcePolicy = a
		default:
			return Outcome{}, fmt.Errorf("policy %s: layer %s is not evaluated", p.Name, p.Layer)
		}
	}
	sets.Identity = policy.NewSet(identity...)
	if session != nil {
		sets.Session = policy.NewSet(session...)
	}
	d := policy.Decide(&sets, &request)
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
