package policytest_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
	"github.com/gatehouse-iam/gatehouse/policy/reference"
)

// pair are the two implementations with the policies of one case.
type pair struct {
	compiled, unindexed *policytest.Prepared
	reference           *referenceWorld
}

// newPair returns nil for a case whose policies do not compile.
func newPair(c *policytest.Case) (*pair, error) {
	documents := make(map[string]*policy.Document)
	compiled, err := policytest.Prepare(c, func(p policytest.Policy) (*policy.Policy, error) {
		d, err := policy.Decode(p.Text, policytest.Kind(p.Layer))
		if err != nil {
			return nil, err
		}
		documents[p.Name] = d
		return policy.Compile(d)
	})
	if err != nil {
		if _, ok := errors.AsType[*policy.Error](err); ok {
			return nil, nil
		}
		return nil, fmt.Errorf("%w\n%s", err, c)
	}
	slow, err := newReferenceWorld(c, func(p policytest.Policy) (*policy.Document, error) { return documents[p.Name], nil })
	return &pair{compiled, compiled.Unindexed(), slow}, err
}

// compare decides a case that has these policies in all ways. It fails where effect, layer, level, policy, statement or reason differ.
func (p *pair) compare(c *policytest.Case) (policytest.Outcome, error) {
	request := c.Request()
	c.Want = p.compiled.Decide(c, request)
	if got := p.unindexed.Decide(c, request); got != c.Want {
		return got, fmt.Errorf("compiled %s, without the index %s\n%s", c.Want, got, c)
	}
	got, err := p.reference.decide(c, request)
	if err != nil {
		return got, fmt.Errorf("%w\n%s", err, c)
	}
	if got != c.Want {
		return got, fmt.Errorf("compiled %s, reference %s\n%s", c.Want, got, c)
	}
	reason := policy.Decision{Effect: got.Effect, Layer: got.Layer, Level: got.Level}.Reason(c.Action)
	if want := reference.Reason(reference.Decision{Effect: got.Effect, Layer: got.Layer}, c.Action); reason != want {
		return got, fmt.Errorf("%s: the reason is %q, that of the reference %q", got, reason, want)
	}
	return got, nil
}

// requests are how many requests each generated case is asked with. A large one pays for being made with more.
func requests(c *policytest.Case) int {
	if c.IsLarge() {
		return 20
	}
	return 8
}

// counts are what a search has seen.
type counts struct {
	outcomes map[string]int // by effect and layer
	skipped  int            // cases whose policies do not compile
}

// search compares pairs of policies and requests that the seed gives, until the number of them is reached or stop is set.
func search(seed, shard uint64, pairs int, done *atomic.Int64, stop *atomic.Bool) (counts, error) {
	rng := rand.New(rand.NewPCG(seed, shard))
	n := counts{outcomes: make(map[string]int)}
	for asked := 0; asked < pairs && !stop.Load(); {
		c := policytest.Generate(rng)
		p, err := newPair(c)
		if err != nil {
			return n, err
		}
		if p == nil {
			n.skipped++
			continue
		}
		k := min(requests(c), pairs-asked)
		for i := range k {
			if i > 0 {
				c = policytest.GenerateRequest(rng, c)
			}
			got, err := p.compare(c)
			if err != nil {
				return n, err
			}
			n.outcomes[got.Effect.String()+" "+got.Layer.String()]++
		}
		asked += k
		done.Add(int64(k))
	}
	return n, nil
}

// outcomes are what a search must come to often, so that it says something.
var outcomes = []string{
	"ALLOW identity", "ALLOW resource", "ALLOW trust", "ALLOW ACL", "ALLOW exempt", "DENY-I none", "DENY-I identity", "DENY-I boundary",
	"DENY-I session", "DENY-I resource", "DENY-I trust", "DENY-I endpoint", "DENY-I SCP", "DENY-I RCP", "DENY-E identity", "DENY-E boundary",
	"DENY-E session", "DENY-E resource", "DENY-E trust", "DENY-E endpoint", "DENY-E SCP", "DENY-E RCP",
}

// The compiled form, with its index and without, and the reference agree on random callers, policies and requests.
func TestDifferential(t *testing.T) {
	t.Parallel()
	pairs, seed, shards := 24_000, uint64(2026), 2
	if n, err := strconv.Atoi(os.Getenv("GATEHOUSE_DIFFERENTIAL")); err == nil { // make differential: longer, and elsewhere each time
		pairs, seed, shards = n, uint64(time.Now().UnixNano()), runtime.GOMAXPROCS(0)
		stop := report(t, seed)
		defer stop()
	}
	total := counts{outcomes: make(map[string]int)}
	var mu sync.Mutex
	var wait sync.WaitGroup
	var stop atomic.Bool
	for shard := range shards {
		wait.Go(func() {
			n, err := search(seed, uint64(shard), pairs/shards, &progress, &stop)
			if err != nil {
				stop.Store(true)
				t.Errorf("seed %d, shard %d: %v", seed, shard, err)
			}
			mu.Lock()
			defer mu.Unlock()
			total.skipped += n.skipped
			for o, k := range n.outcomes {
				total.outcomes[o] += k
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		return
	}
	t.Logf("%d policies did not compile; %v", total.skipped, total)
	total.check(t, pairs)
}

// progress counts the pairs that were compared.
var progress atomic.Int64

// report logs the progress until its result is called.
func report(t *testing.T, seed uint64) (stop func()) {
	begin := time.Now()
	line := func() {
		n := progress.Load()
		t.Logf("seed %d: %d pairs, %.0f a second", seed, n, float64(n)/time.Since(begin).Seconds())
	}
	end := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(10 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				line()
			case <-end:
				line()
				return
			}
		}
	}()
	return func() { close(end); <-ended }
}

// check fails where the search has hardly seen what it is for.
func (n *counts) check(t *testing.T, pairs int) {
	effects := make(map[string]int)
	for o, k := range n.outcomes {
		effect, _, _ := strings.Cut(o, " ")
		effects[effect] += k
	}
	for _, e := range []policy.Effect{policy.Allow, policy.DenyExplicit, policy.DenyImplicit} {
		if effects[e.String()] < pairs/10 {
			t.Errorf("%s came up %d times in %d pairs: the generator has become useless", e, effects[e.String()], pairs)
		}
	}
	for _, o := range outcomes {
		if n.outcomes[o] < pairs/500 {
			t.Errorf("%s came up %d times in %d pairs: the generator has become useless", o, n.outcomes[o], pairs)
		}
	}
	for _, o := range slices.Sorted(maps.Keys(n.outcomes)) {
		if !slices.Contains(outcomes, o) {
			t.Errorf("%s came up, which the test does not know", o)
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

// seedChoices adds inputs of the fuzz targets that generate from them.
func seedChoices(f *testing.F, stream uint64, n int) {
	for seed := range n {
		rng := rand.New(rand.NewPCG(stream, uint64(seed)))
		data := make([]byte, 400)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(data)
	}
}

func FuzzDecide(f *testing.F) {
	seedChoices(f, 7, 20)
	f.Fuzz(func(t *testing.T, data []byte) {
		rng := rand.New(&choices{data: data})
		c := policytest.Generate(rng)
		p, err := newPair(c)
		for range 3 {
			if err != nil {
				t.Fatal(err)
			}
			if p == nil {
				return
			}
			_, err = p.compare(c)
			c = policytest.GenerateRequest(rng, c)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}
