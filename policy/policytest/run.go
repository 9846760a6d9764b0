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
	p, err := Prepare(c, compile)
	if err != nil {
		return Outcome{}, err
	}
	return p.Decide(c, c.Request()), nil
}}

// Unindexed decides with package policy, without the index of its sets.
var Unindexed = Evaluator{Name: "unindexed", Decide: func(c *Case) (Outcome, error) {
	p, err := Prepare(c, compile)
	if err != nil {
		return Outcome{}, err
	}
	return p.Unindexed().Decide(c, c.Request()), nil
}}

// Reprinted decides with package policy after each document was printed and read again.
var Reprinted = Evaluator{Name: "reprinted", Decide: func(c *Case) (Outcome, error) {
	p, err := Prepare(c, func(p Policy) (*policy.Policy, error) {
		d, err := policy.Decode(p.Text, Kind(p.Layer))
		if err != nil {
			return nil, err
		}
		p.Text = d.JSON()
		return compile(p)
	})
	if err != nil {
		return Outcome{}, err
	}
	return p.Decide(c, c.Request()), nil
}}

func compile(p Policy) (*policy.Policy, error) {
	d, err := policy.Decode(p.Text, Kind(p.Layer))
	if err != nil {
		return nil, err
	}
	return policy.Compile(d)
}

// Prepared are the policies of a case, ready to decide it and every other case that has the same policies. It never changes.
type Prepared struct {
	identity, boundary, session *policy.Set
	scp, rcp                    []*policy.Set
	resource, endpoint          *policy.Attached
}

// Prepare makes the policies of a case ready, each with the given function.
func Prepare(c *Case, compile func(Policy) (*policy.Policy, error)) (*Prepared, error) {
	p := &Prepared{}
	attached := make(map[policy.Layer][]*policy.Attached)
	levels := map[policy.Layer][][]*policy.Attached{
		policy.LayerSCP: make([][]*policy.Attached, c.SCPLevels), policy.LayerRCP: make([][]*policy.Attached, c.RCPLevels),
	}
	for _, one := range c.Policies {
		compiled, err := compile(one)
		if err != nil {
			return nil, fmt.Errorf("policy %s: %w", one.Name, err)
		}
		a := &policy.Attached{Policy: compiled, Name: one.Name}
		switch one.Layer {
		case policy.LayerSCP, policy.LayerRCP:
			levels[one.Layer][one.Level] = append(levels[one.Layer][one.Level], a)
		case policy.LayerResource, policy.LayerTrust:
			p.resource = a
		case policy.LayerEndpoint:
			p.endpoint = a
		default:
			attached[one.Layer] = append(attached[one.Layer], a)
		}
	}
	p.identity, p.boundary, p.session = set(attached[policy.LayerIdentity]), set(attached[policy.LayerBoundary]), set(attached[policy.LayerSession])
	for _, level := range levels[policy.LayerSCP] {
		p.scp = append(p.scp, set(level))
	}
	for _, level := range levels[policy.LayerRCP] {
		p.rcp = append(p.rcp, set(level))
	}
	return p, nil
}

// set is nil, which is not an empty set, where there is no policy.
func set(policies []*policy.Attached) *policy.Set {
	if policies == nil {
		return nil
	}
	return policy.NewSet(policies...)
}

// Unindexed are the same policies without the index of their sets.
func (p *Prepared) Unindexed() *Prepared {
	out := *p
	out.identity, out.boundary, out.session = p.identity.Unindexed(), p.boundary.Unindexed(), p.session.Unindexed()
	out.scp, out.rcp = nil, nil
	for _, level := range p.scp {
		out.scp = append(out.scp, level.Unindexed())
	}
	for _, level := range p.rcp {
		out.rcp = append(out.rcp, level.Unindexed())
	}
	return &out
}

// Decide decides a case that has these policies. request is c.Request().
func (p *Prepared) Decide(c *Case, request policy.Request) Outcome {
	sets := p.Sets(c, &request)
	d := policy.Decide(&sets, &request)
	o := Outcome{Effect: d.Effect, Layer: d.Layer, Level: d.Level, Statement: d.Statement}
	if d.Policy != nil {
		o.Policy = d.Policy.Name
	}
	return o
}

// Sets are what package policy decides a case by that has these policies. The request, which is c.Request(), gets its own.
func (p *Prepared) Sets(c *Case, request *policy.Request) policy.Sets {
	sets := policy.Sets{Caller: c.Caller.Policy(), Root: c.Caller.Root(), Identity: p.identity, Boundary: p.boundary, Session: p.session}
	if c.Applies(policy.LayerSCP) {
		sets.SCP = p.scp
	}
	if c.Applies(policy.LayerRCP) {
		request.RCP = p.rcp
	}
	request.ResourcePolicy, request.Endpoint = p.resource, p.endpoint
	return sets
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
