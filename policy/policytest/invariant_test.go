package policytest_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// The invariants of docs/spec/evaluation.md 4.3 that the layers of this version have. Each is tried on random worlds, and counts the
// worlds in which it says something.
func TestInvariants(t *testing.T) {
	t.Parallel()
	const worlds = 1_500
	tests := []struct {
		name string
		// hold says whether the invariant holds in the world, and whether it had something to say.
		hold func(w *world) (ok, said bool)
		// least is how many of the worlds it must have said something in.
		least int
	}{
		{"I1 a Deny more never turns a denial into ALLOW", func(w *world) (bool, bool) {
			before := w.decide()
			w.extend(policy.DenyExplicit, policy.LayerIdentity, policy.LayerBoundary, policy.LayerSession, policy.LayerResource)
			return w.decide().Effect != policy.Allow || before.Effect == policy.Allow, before.Effect != policy.Allow
		}, worlds / 4},
		{"I2 an Allow more in identity or resource policies never turns ALLOW into a denial", func(w *world) (bool, bool) {
			before := w.decide()
			w.extend(policy.Allow, policy.LayerIdentity, policy.LayerResource)
			return before.Effect != policy.Allow || w.decide().Effect == policy.Allow, before.Effect == policy.Allow
		}, worlds / 5},
		{"I3 the order of statements and policies does not count", func(w *world) (bool, bool) {
			before := w.decide()
			w.shuffle()
			after := w.decide()
			return before.Effect == after.Effect && before.Layer == after.Layer, len(w.Policies) > 1
		}, worlds / 2},
		{"I4 cross-account without identity allows", func(w *world) (bool, bool) {
			before := w.decide()
			w.without(func(layer policy.Layer) bool { return layer == policy.LayerIdentity })
			said := before.Effect == policy.Allow && w.crossAccount() && !w.Caller.Root()
			return !said || w.decide().Effect != policy.Allow, said
		}, worlds / 25},
		{"I4 cross-account without a resource policy", func(w *world) (bool, bool) {
			before := w.decide()
			w.without(isResource)
			said := before.Effect == policy.Allow && w.crossAccount()
			return !said || w.decide().Effect != policy.Allow, said
		}, worlds / 25},
		{"I5 boundary and session policies alone never allow", func(w *world) (bool, bool) {
			w.without(func(layer policy.Layer) bool { return isResource(layer) || layer == policy.LayerIdentity })
			return w.Caller.Root() || w.decide().Effect != policy.Allow, !w.Caller.Root() && len(w.Policies) > 0
		}, worlds / 4},
		{"I6 root needs no policy in its account", func(w *world) (bool, bool) {
			w.without(func(policy.Layer) bool { return true })
			malformed := w.decide().Layer == policy.LayerNone
			w.Caller = policytest.Caller{Kind: policy.RootCaller, Account: w.Owner}
			w.NeedsResourcePolicy = false
			said := w.Owner != "" && !malformed
			return !said || w.decide().Effect == policy.Allow, said
		}, worlds / 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(4, 3))
			said := 0
			for range worlds {
				w := &world{t: t, rng: rng, Case: policytest.Generate(rng)}
				for _, c := range [...]policytest.Caller{policytest.Alice, {Kind: policy.RoleCaller, Account: policytest.AccountB, Name: "app", Session: "s1"}} {
					if rng.IntN(3) == 0 { // half of the callers have no account or are root: not those
						w.Caller = c
					}
				}
				if rng.IntN(2) == 0 {
					w.permit()
				}
				before := w.String()
				ok, more := tt.hold(w)
				if !ok {
					t.Fatalf("broken in the world\n%s\nwhich became\n%s", before, w)
				}
				if more {
					said++
				}
			}
			if said < tt.least {
				t.Errorf("said something in %d of %d worlds: the generator has become useless", said, worlds)
			}
		})
	}
}

// world is a random case that is changed step by step.
type world struct {
	*policytest.Case
	t   *testing.T
	rng *rand.Rand
}

func (w *world) decide() policytest.Outcome {
	o, err := policytest.Compiled.Decide(w.Case)
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
}

// rewrite lets change a policy as a document.
func (w *world) rewrite(p *policytest.Policy, change func(d *policy.Document)) {
	d, err := policy.Decode(p.Text, policytest.Kind(p.Layer))
	if err != nil {
		w.t.Fatalf("%v\n%s", err, p.Text)
	}
	change(d)
	p.Text = d.JSON()
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
		w.rewrite(&p, func(d *policy.Document) {
			s := d.Statements[w.rng.IntN(len(d.Statements))]
			statement.NotAction, statement.Actions, statement.Conditions, statement.Principal = s.NotAction, s.Actions, s.Conditions, s.Principal
		})
	}
	if layer == policy.LayerResource && statement.Principal == nil {
		statement.Principal = &policy.Principal{Any: true}
	}
	if layer != policy.LayerResource {
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
		return
	}
	w.rewrite(&w.Policies[candidates[w.rng.IntN(len(candidates))]], func(d *policy.Document) {
		i := w.rng.IntN(len(d.Statements) + 1)
		d.Statements = slices.Insert(d.Statements, i, statement)
	})
}

// permit adds an Allow of everything to what the world has, so that what remains of its Denys and conditions decides.
func (w *world) permit() {
	everything := policy.Statement{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}}
	for i := range w.Policies {
		w.rewrite(&w.Policies[i], func(d *policy.Document) {
			s := everything
			if isResource(w.Policies[i].Layer) {
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
		w.rewrite(&w.Policies[i], func(d *policy.Document) {
			w.rng.Shuffle(len(d.Statements), func(i, j int) { d.Statements[i], d.Statements[j] = d.Statements[j], d.Statements[i] })
		})
	}
}
