package policytest_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// An invariant of docs/spec/evaluation.md 4.3.
type invariant struct {
	name string
	// hold says whether the invariant holds in the world, and whether it had something to say.
	hold func(w *world) (ok, said bool)
	// least is in one of how many worlds it must have said something.
	least int
	// broken is an engine with a fault that the invariant must find.
	broken engine
}

// limits are the layers that never grant.
func limits(layer policy.Layer) bool { return layer != policy.LayerIdentity && !isGrant(layer) }

func everyLayer(policy.Layer) bool { return true }

var invariants = []invariant{
	{"I1 a Deny more never turns a denial into ALLOW", func(w *world) (bool, bool) {
		before := w.decide()
		w.extend(policy.DenyExplicit, policy.LayerIdentity, policy.LayerBoundary, policy.LayerSession, policy.LayerResource,
			policy.LayerEndpoint, policy.LayerSCP, policy.LayerRCP)
		return w.decide().Effect != policy.Allow || before.Effect == policy.Allow, before.Effect != policy.Allow
	}, 4, evenDenies},
	{"I2 an Allow more in identity or resource policies never turns ALLOW into a denial", func(w *world) (bool, bool) {
		before := w.decide()
		w.extend(policy.Allow, policy.LayerIdentity, policy.LayerResource)
		return before.Effect != policy.Allow || w.decide().Effect == policy.Allow, before.Effect == policy.Allow
	}, 6, lastStatement},
	{"I3 the order of statements and policies does not count", func(w *world) (bool, bool) {
		before := w.decide()
		w.shuffle()
		after := w.decide()
		return before.Effect == after.Effect && before.Layer == after.Layer && before.Level == after.Level, len(w.Policies) > 1
	}, 2, lastStatement},
	{"I4 cross-account without identity allows", func(w *world) (bool, bool) {
		before := w.decide()
		w.without(func(layer policy.Layer) bool { return layer == policy.LayerIdentity })
		said := before.Effect == policy.Allow && w.crossAccount() && !w.Caller.Root()
		return !said || w.decide().Effect != policy.Allow, said
	}, 30, oneAccount},
	{"I4 cross-account without a grant of the resource", func(w *world) (bool, bool) {
		before := w.decide()
		w.without(isGrant)
		said := before.Effect == policy.Allow && w.crossAccount()
		return !said || w.decide().Effect != policy.Allow, said
	}, 30, oneAccount},
	{"I5 what limits never allows alone", func(w *world) (bool, bool) {
		w.without(func(layer policy.Layer) bool { return !limits(layer) })
		return w.Caller.Root() || w.decide().Effect != policy.Allow, !w.Caller.Root() && len(w.Policies) > 0
	}, 4, limitsGrant},
	{"I6 root needs no policy in its account", func(w *world) (bool, bool) {
		w.without(everyLayer)
		malformed := w.decide().Layer == policy.LayerNone
		w.Caller = policytest.Caller{Kind: policy.RootCaller, Account: w.Owner}
		w.NeedsResourcePolicy = false
		said := w.Owner != "" && !malformed
		return !said || w.decide().Effect == policy.Allow, said
	}, 2, rootIsAUser},
}

// evenDenies forgets Denys that come in pairs.
func evenDenies(c policytest.Case) policytest.Case {
	c.Policies = rewriteAll(c.Policies, everyLayer, func(d *policy.Document) {
		denies := 0
		for _, s := range d.Statements {
			if s.Denies() {
				denies++
			}
		}
		for i := range d.Statements {
			if s := &d.Statements[i]; s.Denies() && denies%2 == 0 {
				s.Actions, s.NotAction = []string{"none:None"}, false
			}
		}
	})
	return c
}

// lastStatement lets only the last statement of a policy count.
func lastStatement(c policytest.Case) policytest.Case {
	c.Policies = rewriteAll(c.Policies, everyLayer, func(d *policy.Document) { d.Statements = d.Statements[len(d.Statements)-1:] })
	return c
}

// oneAccount takes every resource for one of the caller's account.
func oneAccount(c policytest.Case) policytest.Case {
	c.Owner = ""
	return c
}

// limitsGrant takes policies that limit for such that grant.
func limitsGrant(c policytest.Case) policytest.Case {
	for _, p := range c.Policies {
		if p.Layer == policy.LayerBoundary || p.Layer == policy.LayerSession || p.Layer == policy.LayerSCP {
			p.Layer, p.Level, p.Name = policy.LayerIdentity, 0, p.Name+"-as-grant"
			c.Policies = append(slices.Clip(c.Policies), p)
		}
	}
	return c
}

// rootIsAUser gives the root user no permission of its own.
func rootIsAUser(c policytest.Case) policytest.Case {
	if c.Caller.Kind == policy.RootCaller {
		c.Caller = policytest.Caller{Kind: policy.UserCaller, Account: c.Caller.Account, Name: "root"}
	}
	return c
}

// try tries the invariant on random worlds. It gives the first in which it does not hold, or how often it had something to say.
func (i *invariant) try(t *testing.T, worlds int, e engine) (said int, err error) {
	rng := rand.New(rand.NewPCG(4, 3))
	for range worlds {
		w := &world{t: t, rng: rng, Case: policytest.Generate(rng), engine: e}
		w.Exempt = false // the invariants are about what comes after that
		for _, c := range [...]policytest.Caller{policytest.Alice, {Kind: policy.RoleCaller, Account: policytest.AccountB, Name: "app", Session: "s1"}} {
			if rng.IntN(3) == 0 { // half of the callers have no account or are root: not those
				w.Caller = c
			}
		}
		if rng.IntN(2) == 0 {
			w.permit()
		}
		before := *w.Case
		ok, more := i.hold(w)
		if !ok {
			return said, fmt.Errorf("broken in the world\n%s\nwhich became\n%s", &before, w)
		}
		if more {
			said++
		}
	}
	return said, nil
}

// Each invariant is tried on random worlds of all layers, and counts the worlds in which it says something.
func TestInvariants(t *testing.T) {
	t.Parallel()
	const worlds = 1_500
	for _, i := range invariants {
		t.Run(i.name, func(t *testing.T) {
			t.Parallel()
			said, err := i.try(t, worlds, nil)
			if err != nil {
				t.Fatal(err)
			}
			if said < worlds/i.least {
				t.Errorf("said something in %d of %d worlds: the generator has become useless", said, worlds)
			}
		})
	}
}

// The invariants find the faults that they are there for.
func TestInvariantsFindFaults(t *testing.T) {
	t.Parallel()
	for _, i := range invariants {
		t.Run(i.name, func(t *testing.T) {
			t.Parallel()
			if _, err := i.try(t, 1_500, i.broken); err == nil {
				t.Error("held for an engine that breaks it")
			}
		})
	}
}
