package policytest_test

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
	"github.com/gatehouse-iam/gatehouse/policy/reference"
)

// compare decides a case with the compiled form and with the reference and fails where effect, layer, policy or statement differ. It
// returns false for a case that does not compile.
func compare(t *testing.T, c *policytest.Case) (policytest.Outcome, bool) {
	t.Helper()
	var err error
	if c.Want, err = policytest.Compiled.Decide(c); err != nil {
		if _, ok := errors.AsType[*policy.Error](err); !ok {
			t.Fatalf("%v\n%s", err, c)
		}
		return c.Want, false
	}
	got, err := referenceEvaluator.Decide(c)
	if err != nil {
		t.Fatalf("%v\n%s", err, c)
	}
	if got != c.Want {
		t.Fatalf("compiled %s, reference %s\n%s", c.Want, got, c)
	}
	reason := policy.Decision{Effect: got.Effect, Layer: got.Layer}.Reason(c.Action)
	if want := reference.Reason(reference.Decision{Effect: got.Effect, Layer: got.Layer}, c.Action); reason != want {
		t.Fatalf("%s: the reason is %q, that of the reference %q", got, reason, want)
	}
	return got, true
}

// The compiled form and the reference agree on random callers, policies and requests.
func TestDifferential(t *testing.T) {
	t.Parallel()
	rounds, seed := 8_000, uint64(2026)
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_DIFFERENTIAL")); err == nil { // make differential: longer, and elsewhere each time
		rounds, seed = n, uint64(time.Now().UnixNano())
		t.Logf("%d rounds, seed %d", rounds, seed)
	}
	rng := rand.New(rand.NewPCG(seed, 11))
	effects := make(map[policy.Effect]int)
	outcomes := make(map[string]int)
	skipped := 0
	for range rounds {
		got, ok := compare(t, policytest.Generate(rng))
		if !ok {
			skipped++
			continue
		}
		effects[got.Effect]++
		outcomes[got.Effect.String()+" "+got.Layer.String()]++
	}
	for _, e := range []policy.Effect{policy.Allow, policy.DenyExplicit, policy.DenyImplicit} {
		if effects[e] < rounds/10 {
			t.Errorf("%s came up %d times in %d rounds (%d skipped): the generator has become useless", e, effects[e], rounds, skipped)
		}
	}
	for _, outcome := range []string{
		"ALLOW identity", "ALLOW resource", "ALLOW trust", "DENY-I none", "DENY-I identity", "DENY-I boundary", "DENY-I session", "DENY-I resource",
		"DENY-I trust", "DENY-E identity", "DENY-E boundary", "DENY-E session", "DENY-E resource", "DENY-E trust",
	} {
		if outcomes[outcome] < rounds/400 {
			t.Errorf("%s came up %d times in %d rounds: the generator has become useless", outcome, outcomes[outcome], rounds)
		}
	}
}

// choices makes a fuzzer's bytes the choices of the generator, two bytes each, so that a changed byte changes one choice. When they
// are used up it goes on by chance, with a fixed seed.
type choices struct {
	data []byte
	rest rand.PCG
}

func (c *choices) Uint64() uint64 {
	if len(c.data) < 2 {
		return c.rest.Uint64()
	}
	n := uint64(c.data[0])<<56 | uint64(c.data[1])<<48
	c.data = c.data[2:]
	return n | n>>16 | n>>32
}

func FuzzDecide(f *testing.F) {
	for seed := range 20 {
		rng := rand.New(rand.NewPCG(7, uint64(seed)))
		data := make([]byte, 300)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		compare(t, policytest.Generate(rand.New(&choices{data: data})))
	})
}
