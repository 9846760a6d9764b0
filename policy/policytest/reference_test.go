package policytest_test

import (
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
	"github.com/gatehouse-iam/gatehouse/policy/reference"
)

// referenceEvaluator decides with the second implementation.
var referenceEvaluator = policytest.Evaluator{Name: "reference", Decide: func(c *policytest.Case) (policytest.Outcome, error) {
	w, err := newReferenceWorld(c, func(p policytest.Policy) (*policy.Document, error) {
		return policy.Decode(p.Text, policytest.Kind(p.Layer))
	})
	if err != nil {
		return policytest.Outcome{}, err
	}
	return w.decide(c, c.Request())
}}

// referenceWorld are the policies of a case for the second implementation.
type referenceWorld struct {
	sets   reference.Sets
	names  map[policy.Layer][]string   // of the policies of a layer without levels
	levels map[policy.Layer][][]string // of those with
}

func newReferenceWorld(c *policytest.Case, document func(policytest.Policy) (*policy.Document, error)) (*referenceWorld, error) {
	w := &referenceWorld{names: make(map[policy.Layer][]string), levels: map[policy.Layer][][]string{
		policy.LayerSCP: make([][]string, c.SCPLevels), policy.LayerRCP: make([][]string, c.RCPLevels),
	}}
	s := &w.sets
	s.SCP, s.RCP = make([][]*policy.Document, c.SCPLevels), make([][]*policy.Document, c.RCPLevels)
	for _, p := range c.Policies {
		d, err := document(p)
		if err != nil {
			return nil, err
		}
		if p.Layer == policy.LayerSCP || p.Layer == policy.LayerRCP {
			w.levels[p.Layer][p.Level] = append(w.levels[p.Layer][p.Level], p.Name)
		} else {
			w.names[p.Layer] = append(w.names[p.Layer], p.Name)
		}
		switch p.Layer {
		case policy.LayerIdentity:
			s.Identity = append(s.Identity, d)
		case policy.LayerBoundary:
			s.Boundary = d
		case policy.LayerSession:
			s.Session = append(s.Session, d)
		case policy.LayerResource, policy.LayerTrust:
			s.Resource = d
		case policy.LayerEndpoint:
			s.Endpoint = d
		case policy.LayerSCP:
			s.SCP[p.Level] = append(s.SCP[p.Level], d)
		case policy.LayerRCP:
			s.RCP[p.Level] = append(s.RCP[p.Level], d)
		}
	}
	return w, nil
}

// decide decides a case that has these policies.
func (w *referenceWorld) decide(c *policytest.Case, request policy.Request) (policytest.Outcome, error) {
	sets := w.sets
	sets.Caller, sets.Root = c.Caller.Policy(), c.Caller.Root()
	if !c.Applies(policy.LayerSCP) {
		sets.SCP = nil
	}
	if !c.Applies(policy.LayerRCP) {
		sets.RCP = nil
	}
	d, err := reference.Decide(sets, request)
	if err != nil {
		return policytest.Outcome{}, err
	}
	o := policytest.Outcome{Effect: d.Effect, Layer: d.Layer, Level: d.Level}
	names := w.names[d.Layer]
	if levels := w.levels[d.Layer]; levels != nil {
		names = levels[d.Level]
	}
	if named := append(d.Denies, d.Allows...); len(named) > 0 {
		o.Policy, o.Statement = names[named[0].Policy], named[0].Statement
	}
	return o, nil
}
