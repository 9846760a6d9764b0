package policytest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// world is a random case that is changed step by step.
type world struct {
	*policytest.Case
	t      *testing.T
	rng    *rand.Rand
	engine engine
}

// engine decides a case as something that is not package policy, or not quite: it gives the case that package policy is asked about.
type engine func(c policytest.Case) policytest.Case

func (w *world) decide() policytest.Outcome {
	c := *w.Case
	if w.engine != nil {
		c = w.engine(c)
	}
	o, err := policytest.Compiled.Decide(&c)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w)
	}
	return o
}

func (w *world) crossAccount() bool {
	return w.Caller.Account != "" && w.Owner != "" && w.Owner != w.Caller.Account && w.Resource != "*"
}

func isResource(layer policy.Layer) bool {
	return layer == policy.LayerResource || layer == policy.LayerTrust
}

func (w *world) without(drop func(policy.Layer) bool) {
	w.Policies = slices.DeleteFunc(slices.Clone(w.Policies), func(p policytest.Policy) bool { return drop(p.Layer) })
	if drop(policy.LayerSCP) {
		w.SCPLevels = 0
	}
	if drop(policy.LayerRCP) {
		w.RCPLevels = 0
	}
	if drop(policy.LayerACL) {
		w.Grantees = nil
	}
}

// isGrant says whether the layer is the resource's own.
func isGrant(layer policy.Layer) bool { return isResource(layer) || layer == policy.LayerACL }

// rewrite lets change a policy as a document.
func rewrite(p *policytest.Policy, change func(d *policy.Document)) {
	d, err := policy.Decode(p.Text, policytest.Kind(p.Layer))
	if err != nil {
		panic(err.Error() + "\n" + p.Text) // it was printed by the generator or by the next line
	}
	change(d)
	p.Text = d.JSON()
}

// rewriteAll lets change each policy of the layers as a document.
func rewriteAll(policies []policytest.Policy, of func(policy.Layer) bool, change func(d *policy.Document)) []policytest.Policy {
	policies = slices.Clone(policies)
	for i := range policies {
		if of(policies[i].Layer) {
			rewrite(&policies[i], change)
		}
	}
	return policies
}

func withPrincipal(layer policy.Layer) bool {
	return isResource(layer) || layer == policy.LayerEndpoint || layer == policy.LayerRCP
}

// extend takes a random statement with the effect, from a world of its own so that conditions and principals vary, and adds it to
// a policy of one of the layers, or as a new policy where the layer has none.
func (w *world) extend(effect policy.Effect, layers ...policy.Layer) {
	layer := layers[w.rng.IntN(len(layers))]
	statement := policy.Statement{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}}
	if effect == policy.DenyExplicit {
		statement.Effect = "Deny"
	}
	if donor := policytest.Generate(w.rng); len(donor.Policies) > 0 {
		p := donor.Policies[w.rng.IntN(len(donor.Policies))]
		rewrite(&p, func(d *policy.Document) {
			s := d.Statements[w.rng.IntN(len(d.Statements))]
			statement.NotAction, statement.Actions, statement.Conditions, statement.Principal = s.NotAction, s.Actions, s.Conditions, s.Principal
		})
	}
	if withPrincipal(layer) && statement.Principal == nil {
		statement.Principal = &policy.Principal{Any: true}
	}
	if !withPrincipal(layer) {
		statement.Principal = nil
	}
	var candidates []int
	for i, p := range w.Policies {
		if p.Layer == layer || layer == policy.LayerResource && isResource(p.Layer) {
			candidates = append(candidates, i)
		}
	}
	w.Policies = slices.Clone(w.Policies)
	if len(candidates) == 0 {
		d := policy.Document{Version: policy.Version2012, Statements: []policy.Statement{statement}}
		w.Policies = append(w.Policies, policytest.Policy{Layer: layer, Name: "new", Text: d.JSON()})
		switch layer {
		case policy.LayerSCP:
			w.SCPLevels = max(w.SCPLevels, 1)
		case policy.LayerRCP:
			w.RCPLevels = max(w.RCPLevels, 1)
		}
		return
	}
	rewrite(&w.Policies[candidates[w.rng.IntN(len(candidates))]], func(d *policy.Document) {
		i := w.rng.IntN(len(d.Statements) + 1)
		d.Statements = slices.Insert(d.Statements, i, statement)
	})
}

// permit adds an Allow of everything to what the world has, so that what remains of its Denys and conditions decides.
func (w *world) permit() {
	everything := policy.Statement{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}}
	for i := range w.Policies {
		rewrite(&w.Policies[i], func(d *policy.Document) {
			s := everything
			if withPrincipal(w.Policies[i].Layer) {
				s.Principal = &policy.Principal{Any: true}
			}
			d.Statements = append(d.Statements, s)
		})
	}
	d := policy.Document{Version: policy.Version2012, Statements: []policy.Statement{everything}}
	w.Policies = append(w.Policies, policytest.Policy{Layer: policy.LayerIdentity, Name: "all", Text: d.JSON()})
	if !slices.ContainsFunc(w.Policies, func(p policytest.Policy) bool { return isResource(p.Layer) }) {
		d.Statements[0].Principal = &policy.Principal{Any: true}
		w.Policies = append(w.Policies, policytest.Policy{Layer: policy.LayerResource, Name: "open", Text: d.JSON()})
	}
}

func (w *world) shuffle() {
	w.Policies = slices.Clone(w.Policies)
	w.rng.Shuffle(len(w.Policies), func(i, j int) { w.Policies[i], w.Policies[j] = w.Policies[j], w.Policies[i] })
	for i := range w.Policies {
		rewrite(&w.Policies[i], func(d *policy.Document) {
			w.rng.Shuffle(len(d.Statements), func(i, j int) { d.Statements[i], d.Statements[j] = d.Statements[j], d.Statements[i] })
		})
	}
}
