package session

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

func remembered(cell *keyring.Cell, n, cost int) *entry {
	id := fmt.Sprint("ASIA", n)
	return &entry{id: id, token: "token of " + id, cell: cell, session: &Session{}, cost: cost}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	const most = 10 * cacheShards
	for what, c := range map[string]*cache{"by number": newCache(most, 1<<30), "by memory": newCache(1<<30, most*100)} {
		for n := range 20 * most {
			c.put(remembered(nil, n, 100))
		}
		if n := c.len(); n > most || n < most/2 {
			t.Errorf("%s: %d sessions, want some %d", what, n, most)
		}
		for i := range c.shards {
			s := &c.shards[i]
			if s.cost != 100*len(s.entries) {
				t.Errorf("%s: shard %d counts %d for %d sessions", what, i, s.cost, len(s.entries))
			}
		}
	}
	// One that is larger than all that may be held is held alone: it would be opened for each request otherwise.
	c := newCache(100, 16)
	c.put(remembered(nil, 1, 1000))
	if c.get(nil, "ASIA1", "token of ASIA1") == nil {
		t.Error("a large session is not remembered")
	}
}

func TestCacheForgetsWhatWasNotUsedForLongest(t *testing.T) {
	t.Parallel()
	c := newCache(2*cacheShards, 1<<30) // two in each shard
	home := c.shard("ASIA0")
	ids := []int{0}
	for n := 1; len(ids) < 4; n++ {
		if c.shard(fmt.Sprint("ASIA", n)) == home {
			ids = append(ids, n)
		}
	}
	has := func(n int) bool {
		id := fmt.Sprint("ASIA", n)
		home.mu.Lock()
		defer home.mu.Unlock()
		return home.entries[id] != nil
	}
	c.put(remembered(nil, ids[0], 1))
	c.put(remembered(nil, ids[1], 1))
	c.get(nil, fmt.Sprint("ASIA", ids[0]), fmt.Sprint("token of ASIA", ids[0]))
	c.put(remembered(nil, ids[2], 1))
	if !has(ids[0]) || has(ids[1]) || !has(ids[2]) {
		t.Errorf("after the third: %t %t %t, want the second gone", has(ids[0]), has(ids[1]), has(ids[2]))
	}
	c.get(nil, fmt.Sprint("ASIA", ids[0]), "another token") // no use of it
	c.put(remembered(nil, ids[3], 1))
	if has(ids[0]) || !has(ids[2]) || !has(ids[3]) {
		t.Errorf("after the fourth: %t %t %t, want the first gone", has(ids[0]), has(ids[2]), has(ids[3]))
	}
}

func TestCacheAnswersForNothingElse(t *testing.T) {
	t.Parallel()
	now := newEnv(t).cell
	old := newEnv(t).cell
	c := newCache(100, 1<<20)
	e := remembered(now, 1, 1)
	c.put(e)
	for _, tt := range []struct {
		cell      *keyring.Cell
		id, token string
		found     bool
	}{
		{now, e.id, e.token, true},
		{old, e.id, e.token, false},
		{now, e.id, e.token + "x", false},
		{now, e.id, e.token[:len(e.token)-1], false},
		{now, e.id, "", false},
		{now, "ASIA2", e.token, false},
	} {
		if got := c.get(tt.cell, tt.id, tt.token); (got != nil) != tt.found {
			t.Errorf("%s with %q: %v", tt.id, tt.token, got)
		}
	}
	again := remembered(old, 1, 5)
	c.put(again)
	if c.get(now, e.id, e.token) != nil || c.get(old, e.id, e.token) != again.session || c.len() != 1 {
		t.Errorf("%d sessions after one took the place of the other", c.len())
	}
}

func TestCacheFromManySides(t *testing.T) {
	t.Parallel()
	c := newCache(64, 1<<20)
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for n := range 2000 {
				e := remembered(nil, (n*7+g)%200, 10)
				if s := c.get(nil, e.id, e.token); s == nil {
					c.put(e)
				}
			}
		})
	}
	all.Wait()
	if n := c.len(); n == 0 || n > 64 {
		t.Errorf("%d sessions", n)
	}
}
