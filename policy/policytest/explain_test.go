package policytest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// explained is a case with its explanation.
type explained struct {
	c       *policytest.Case
	sets    policy.Sets
	request policy.Request
	*policy.Explanation
}

func explain(c *policytest.Case, p *policytest.Prepared) *explained {
	x := &explained{c: c, request: c.Request()}
	x.sets = p.Sets(c, &x.request)
	x.Explanation = policy.Explain(&x.sets, &x.request)
	return x
}

// check asserts what holds for every explanation: that it is of the decision, and that its layers lead there.
func (x *explained) check() error {
	want := policy.Decide(&x.sets, &x.request)
	if x.Decision != want {
		return fmt.Errorf("explained %+v, decided %+v\n%s", x.Decision, want, x.c)
	}
	if got := x.recombine(); got != want {
		return fmt.Errorf("the layers lead to %+v, decided %+v\n%s", got, want, x.c)
	}
	for i := range x.Layers {
		l := &x.Layers[i]
		if got := l.Effect; got != x.effect(l) {
			return fmt.Errorf("layer %s %d says %s, its statements say %s\n%s", l.Layer, l.Level, got, x.effect(l), x.c)
		}
		for j := range l.Statements {
			if err := x.checkStatement(&l.Statements[j]); err != nil {
				return fmt.Errorf("%s, statement %d of %s: %w\n%s", l.Layer, l.Statements[j].Statement, l.Statements[j].Policy.Name, err, x.c)
			}
		}
	}
	return nil
}

func (x *explained) checkStatement(v *policy.StatementVerdict) error {
	text := x.Statement(v)
	switch {
	case v.Applies != (v.Failed == policy.ElementNone), v.Applies != (v.Reach != policy.ReachNone):
		return fmt.Errorf("applies %v, failed %q, reach %s", v.Applies, v.Failed, v.Reach)
	case v.Denies != text.Denies():
		return fmt.Errorf("denies %v", v.Denies)
	case (v.Condition != nil) != (v.Failed == policy.ElementCondition):
		return fmt.Errorf("failed %q, condition %+v", v.Failed, v.Condition)
	case v.Failed == policy.ElementAction && v.Missing != nil:
		return fmt.Errorf("missing %q of another action", v.Missing)
	}
	return nil
}

// effect is what the statements of a layer say together.
func (x *explained) effect(l *policy.LayerVerdict) policy.Effect {
	effect := policy.DenyImplicit
	switch {
	case l.Layer == policy.LayerExempt, l.Layer == policy.LayerIdentity && x.sets.Root:
		effect = policy.Allow
	case l.Layer == policy.LayerACL:
		effect = l.Effect
	}
	for i := range l.Statements {
		switch v := &l.Statements[i]; {
		case v.Applies && v.Denies:
			return policy.DenyExplicit
		case v.Applies:
			effect = policy.Allow
		}
	}
	return effect
}

// recombine is docs/spec/evaluation.md 4.2 and 10.3 from what the layers say alone.
func (x *explained) recombine() policy.Decision {
	if x.Obstacle != policy.ObstacleNone {
		return policy.Decision{}
	}
	layers := make(map[policy.Layer][]*policy.LayerVerdict)
	for i := range x.Layers {
		l := &x.Layers[i]
		layers[l.Layer] = append(layers[l.Layer], l)
		if l.Layer == policy.LayerExempt {
			return policy.Decision{Effect: policy.Allow, Layer: policy.LayerExempt}
		}
	}
	resource := policy.LayerResource
	if layers[policy.LayerTrust] != nil {
		resource = policy.LayerTrust
	}
	for _, layer := range []policy.Layer{policy.LayerSCP, policy.LayerRCP, policy.LayerEndpoint, policy.LayerIdentity, policy.LayerBoundary, policy.LayerSession, resource} { // D1
		for _, l := range layers[layer] {
			if l.Effect == policy.DenyExplicit {
				return named(l, func(v *policy.StatementVerdict) bool { return v.Denies })
			}
		}
	}
	for _, layer := range []policy.Layer{policy.LayerRCP, policy.LayerSCP, policy.LayerEndpoint} { // G1 to G3
		for _, l := range layers[layer] {
			if l.Effect == policy.DenyImplicit {
				return policy.Decision{Layer: layer, Level: l.Level}
			}
		}
	}
	allows := func(layer policy.Layer) bool {
		for _, l := range layers[layer] {
			return l.Effect == policy.Allow
		}
		return layer != policy.LayerIdentity && layer != policy.LayerACL // NA
	}
	id, pb, sp := allows(policy.LayerIdentity), allows(policy.LayerBoundary), allows(policy.LayerSession)
	reaches, best := make(map[policy.Reach]bool), policy.ReachNone
	for _, l := range layers[resource] {
		for i := range l.Statements {
			if v := &l.Statements[i]; v.Applies {
				reaches[v.Reach], best = true, max(best, v.Reach)
			}
		}
	}
	byResource := func(reach policy.Reach) policy.Decision {
		return named(layers[resource][0], func(v *policy.StatementVerdict) bool { return v.Reach == reach })
	}
	byIdentity := func() policy.Decision {
		if x.sets.Root {
			return policy.Decision{Effect: policy.Allow, Layer: policy.LayerIdentity}
		}
		return named(layers[policy.LayerIdentity][0], func(v *policy.StatementVerdict) bool { return v.Applies })
	}
	silent := policy.LayerSession
	switch {
	case !id:
		silent = policy.LayerIdentity
	case !pb:
		silent = policy.LayerBoundary
	}
	c := &x.sets.Caller
	switch account := x.request.Owner; {
	case c.Kind == policy.ServiceCaller || c.Kind == policy.ProviderCaller || c.Kind == policy.AnonymousCaller: // S1
		switch {
		case reaches[policy.ReachDirect]:
			return byResource(policy.ReachDirect)
		case allows(policy.LayerACL):
			return policy.Decision{Effect: policy.Allow, Layer: policy.LayerACL}
		}
		return policy.Decision{Layer: resource}
	case x.request.Resource == "*" || account == "" || account == c.Account: // S2
		switch {
		case reaches[policy.ReachDirect]:
			return byResource(policy.ReachDirect)
		case reaches[policy.ReachIssuer] && pb && sp:
			return byResource(policy.ReachIssuer)
		case id && pb && sp && (!x.request.NeedsResourcePolicy || reaches[policy.ReachAccount]):
			return byIdentity()
		case x.request.NeedsResourcePolicy && best == policy.ReachNone:
			return policy.Decision{Layer: resource}
		}
		return policy.Decision{Layer: silent}
	}
	group := false // an ACL that grants to one
	for _, g := range x.request.Grantees {
		group = group || g == policy.AllUsers || g == policy.AuthenticatedUsers
	}
	switch acl := allows(policy.LayerACL); { // S3
	case best == policy.ReachNone && !acl, best <= policy.ReachAccount && !(acl && group) && !id:
		return policy.Decision{Layer: resource}
	case id && pb && sp:
		return byIdentity()
	}
	return policy.Decision{Layer: silent}
}

// named is the decision by the first statement of the layer that applies and is the one.
func named(l *policy.LayerVerdict, is func(*policy.StatementVerdict) bool) policy.Decision {
	for i := range l.Statements {
		if v := &l.Statements[i]; v.Applies && is(v) {
			return policy.Decision{Effect: l.Effect, Layer: l.Layer, Level: l.Level, Policy: v.Policy, Statement: v.Statement}
		}
	}
	return policy.Decision{}
}

func TestExplainCases(t *testing.T) {
	t.Parallel()
	for _, c := range load(t) {
		p, err := newPair(c)
		if err != nil || p == nil {
			t.Fatalf("%v\n%s", err, c)
		}
		for _, prepared := range []*policytest.Prepared{p.compiled, p.unindexed} {
			if err := explain(c, prepared).check(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestExplainGenerated(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 1))
	for asked := 0; asked < 6_000; {
		c := policytest.Generate(rng)
		p, err := newPair(c)
		if err != nil {
			t.Fatal(err)
		}
		if p == nil {
			continue
		}
		for i := range requests(c) {
			if i > 0 {
				c = policytest.GenerateRequest(rng, c)
			}
			if err := explain(c, p.compiled).check(); err != nil {
				t.Fatal(err)
			}
			asked++
		}
	}
}
