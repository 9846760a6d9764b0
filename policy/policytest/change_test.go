package policytest_test

import (
	"errors"
	"flag"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

var update = flag.Bool("update", false, "write what is generated: testdata/unchangeable.txt")

// allowed says whether the case is allowed after changes, by both implementations.
func allowed(c *policytest.Case, changes ...policy.Change) (bool, error) {
	next, err := c.Changed(changes...)
	if err != nil {
		return false, fmt.Errorf("%w\n%s", err, c)
	}
	p, err := newPair(next)
	switch {
	case err != nil:
		return false, err
	case p == nil:
		return false, fmt.Errorf("changed, it does not compile\n%s", next)
	}
	got, err := p.compare(next)
	return got.Effect == policy.Allow, err
}

// checkChanges asserts of a denied case that the changes allow it, and that none of them can be left out.
func (x *explained) checkChanges() error {
	fail := func(what string, changes []policy.Change) error {
		return fmt.Errorf("%s after%s\nof%s\n%s", what, listChanges(changes), listChanges(x.Changes), x.c)
	}
	if (x.Changes == nil) != (x.Decision.Effect == policy.Allow || x.Obstacle != policy.ObstacleNone) {
		return fail("no changes, or needless ones,", nil)
	}
	if x.Changes == nil {
		return nil
	}
	ok, err := allowed(x.c, x.Changes...)
	if err != nil {
		return err
	}
	if !ok {
		return fail("denied", x.Changes)
	}
	for i := range x.Changes {
		fewer := slices.Delete(slices.Clone(x.Changes), i, i+1)
		if ok, err = allowed(x.c, fewer...); err != nil {
			return err
		}
		if ok {
			return fail("allowed", fewer)
		}
	}
	return x.checkFewest()
}

// checkFewest asserts that no smaller number of statements, in the layers that may grant the request, would do.
func (x *explained) checkFewest() error {
	rest, grants := x.Changes[:0:0], 0
	for _, c := range x.Changes {
		switch {
		case c.Kind == policy.AddStatement && c.Layer != policy.LayerSCP && c.Layer != policy.LayerRCP && c.Layer != policy.LayerEndpoint:
			grants++
		default:
			rest = append(rest, c)
		}
	}
	if grants < 2 {
		return nil
	}
	const everything, toEveryone = `{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`
	pool := []policy.Change{{Kind: policy.AddStatement, Layer: policy.LayerIdentity, Text: everything}}
	if x.sets.Boundary != nil {
		pool = append(pool, policy.Change{Kind: policy.AddStatement, Layer: policy.LayerBoundary, Policy: x.sets.Boundary.Policies()[0], Text: everything})
	}
	pool = append(pool, policy.Change{Kind: policy.AddStatement, Layer: policy.LayerSession, Text: everything})
	if a := x.request.ResourcePolicy; a != nil {
		pool = append(pool, policy.Change{Kind: policy.AddStatement, Layer: policy.LayerResource, Policy: a, Text: toEveryone})
	}
	for subset := range 1 << len(pool) {
		if bits.OnesCount(uint(subset)) >= grants {
			continue
		}
		changes := slices.Clip(rest)
		for i := range pool {
			if subset>>i&1 != 0 {
				changes = append(changes, pool[i])
			}
		}
		ok, err := allowed(x.c, changes...)
		if err != nil {
			return err
		}
		if ok {
			return fmt.Errorf("%d grants are too many, enough are%s\ninstead of%s\n%s", grants, listChanges(changes), listChanges(x.Changes), x.c)
		}
	}
	return nil
}

func listChanges(changes []policy.Change) string {
	var b strings.Builder
	for _, c := range changes {
		name := "a policy"
		if c.Policy != nil {
			name = c.Policy.Name
		}
		fmt.Fprintf(&b, "\n  %s, %s %d, %s", c.Kind, c.Layer, c.Level, name)
		if c.Kind == policy.RemoveStatement {
			fmt.Fprintf(&b, "#%d", c.Statement)
		}
		fmt.Fprintf(&b, ", %s %s", c.Side, c.Text)
	}
	return b.String()
}

// What Explain would change of each denied case allows it, no part can be left out, and the cases that nothing can change are listed.
func TestChangesOfCases(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	list.WriteString("# The denied cases for which policy.Explain knows no change, with the reason. Written by go test ./policy/policytest -run TestChangesOfCases -update.\n")
	for _, c := range load(t) {
		p, err := newPair(c)
		if err != nil {
			t.Fatal(err)
		}
		x := explain(c, p.compiled)
		if err := x.checkChanges(); err != nil {
			t.Error(err)
		}
		if x.Decision.Effect != policy.Allow && x.Changes == nil {
			fmt.Fprintf(&list, "%s: %s\n", c.Name, x.Obstacle)
		}
	}
	const golden = "testdata/unchangeable.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(list.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := list.String(); got != string(want) {
		t.Errorf("the list is now\n%s\nnot that of %s\n%s", got, golden, want)
	}
}

func TestChangesOfGenerated(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 2))
	for checked := 0; checked < 1_000; {
		c := policytest.Generate(rng)
		if c.IsLarge() {
			continue // its texts take long to print and read
		}
		p, err := newPair(c)
		if err != nil {
			t.Fatal(err)
		}
		if p == nil {
			continue
		}
		for range 2 {
			x := explain(c, p.compiled)
			if err := errors.Join(x.check(), x.checkChanges()); err != nil {
				t.Fatal(err)
			}
			if x.Changes != nil {
				checked++
			}
			c = policytest.GenerateRequest(rng, c)
		}
	}
}

// Whatever is generated is explained, and what would change it does.
func FuzzExplain(f *testing.F) {
	seedChoices(f, 8, 10)
	f.Fuzz(func(t *testing.T, data []byte) {
		rng := rand.New(&choices{data: data})
		c := policytest.Generate(rng)
		p, err := newPair(c)
		if err != nil {
			t.Fatal(err)
		}
		if p == nil || c.IsLarge() {
			return
		}
		for range 2 {
			x := explain(c, p.compiled)
			if err := errors.Join(x.check(), x.checkChanges()); err != nil {
				t.Fatal(err)
			}
			c = policytest.GenerateRequest(rng, c)
		}
	})
}
