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

func (c *Case) decide(load func(string, policy.Kind) (*policy.Policy, error)) (Outcome, error) {
	sets := policy.Sets{Caller: c.Caller.Policy(), Root: c.Caller.Root()}
	request := c.Request()
	attached := make(map[policy.Layer][]*policy.Attached)
	levels := map[policy.Layer][][]*policy.Attached{
		policy.LayerSCP: make([][]*policy.Attached, c.SCPLevels), policy.LayerRCP: make([][]*policy.Attached, c.RCPLevels),
	}
	for _, p := range c.Policies {
		compiled, err := load(p.Text, Kind(p.Layer))
		if err != nil {
			return Outcome{}, fmt.Errorf("policy %s: %w", p.Name, err)
		}
		a := &policy.Attached{Policy: compiled, Name: p.Name}
		switch p.Layer {
		case policy.LayerSCP, policy.LayerRCP:
			levels[p.Layer][p.Level] = append(levels[p.Layer][p.Level], a)
		case policy.LayerResource, policy.LayerTrust:
			request.ResourcePolicy = a
		case policy.LayerEndpoint:
			request.Endpoint = a
		default:
			attached[p.Layer] = append(attached[p.Layer], a)
		}
	}
	set := func(policies []*policy.Attached) *policy.Set { // nil, and not an empty one, where there is none
		if policies == nil {
			return nil
		}
		return policy.NewSet(policies...)
	}
	sets.Identity, sets.Boundary, sets.Session = set(attached[policy.LayerIdentity]), set(attached[policy.LayerBoundary]), set(attached[policy.LayerSession])
	if c.Applies(policy.LayerSCP) {
		for _, level := range levels[policy.LayerSCP] {
			sets.SCP = append(sets.SCP, set(level))
		}
	}
	if c.Applies(policy.LayerRCP) {
		for _, level := range levels[policy.LayerRCP] {
			request.RCP = append(request.RCP, set(level))
		}
	}
	d := policy.Decide(&sets, &request)
	o := Outcome{Effect: d.Effect, Layer: d.Layer, Level: d.Level, Statement: d.Statement}
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
