package keyring

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func TestAccountCache(t *testing.T) {
	t.Parallel()
	cell := testCell(t)
	a := testAccount(t, unit1)
	first, _ := a.Sealed(cell)
	cache := NewAccountCache(100)
	x, err := cache.Open(cell, unit1, first)
	if err != nil {
		t.Fatal(err)
	}
	if y, err := cache.Open(cell, unit1, append([]byte(nil), first...)); err != nil || y != x {
		t.Errorf("the second opening made another handle, %v", err)
	}
	if _, err := cache.Open(cell, unit2, first); err == nil {
		t.Error("another unit's bytes open")
	}
	bad := append([]byte(nil), first...)
	bad[len(bad)-1] ^= 1
	if _, err := cache.Open(cell, unit1, bad); err == nil {
		t.Error("changed bytes open because the unit is known")
	}
	rotated, _, err := a.AddKey(t0.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	second, _ := rotated.Sealed(cell)
	if y, err := cache.Open(cell, unit1, second); err != nil || len(y.Keys()) != 2 {
		t.Errorf("after a rotation: %v", err)
	}
	if cache.Len() != 1 {
		t.Errorf("%d entries of one account", cache.Len())
	}
	cache.Forget(unit1)
	cache.Forget(unit1)
	if cache.Len() != 0 {
		t.Errorf("%d entries after Forget", cache.Len())
	}
	if y, err := cache.Open(cell, unit1, first); err != nil || y == x {
		t.Errorf("after Forget the keyset must be opened again: %v", err)
	}
}

func TestAccountCacheIsBounded(t *testing.T) {
	t.Parallel()
	cell, cache := testCell(t), NewAccountCache(64)
	hot := testAccount(t, "acct/hot")
	hotBytes, _ := hot.Sealed(cell)
	kept, err := cache.Open(cell, "acct/hot", hotBytes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		unit := fmt.Sprintf("acct/%012d", i)
		b, _ := testAccount(t, unit).Sealed(cell)
		got, err := cache.Open(cell, unit, b)
		if err != nil || got.r.unit != unit {
			t.Fatalf("%s: %v", unit, err)
		}
		if i%3 == 0 {
			cache.Forget(fmt.Sprintf("acct/%012d", i-1))
		}
		if again, err := cache.Open(cell, "acct/hot", hotBytes); err != nil || again != kept {
			t.Fatalf("after %d others the account in use was dropped, %v", i+1, err)
		}
		if cache.Len() > 64 {
			t.Fatalf("%d entries, the limit is 64", cache.Len())
		}
	}
	for i := range cache.shards {
		s := &cache.shards[i]
		if len(s.clock) != len(s.units) {
			t.Errorf("shard %d: %d places, %d units", i, len(s.clock), len(s.units))
		}
		for place, e := range s.clock {
			if e.place != place || s.units[e.unit] != e {
				t.Errorf("shard %d: entry %s at %d says %d", i, e.unit, place, e.place)
			}
		}
	}
}

func TestAccountCacheConcurrently(t *testing.T) {
	t.Parallel()
	cell, cache := testCell(t), NewAccountCache(16)
	var units []string
	var sealed [][]byte
	for i := range 50 {
		units = append(units, fmt.Sprintf("acct/%012d", i))
		b, _ := testAccount(t, units[i]).Sealed(cell)
		sealed = append(sealed, b)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				n := (i*7 + g*13) % len(units)
				a, err := cache.Open(cell, units[n], sealed[n])
				if err != nil || a.r.unit != units[n] {
					t.Errorf("%s: %v", units[n], err)
					return
				}
				if i%50 == 0 {
					cache.Forget(units[n])
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkAccountCache(b *testing.B) {
	cell, cache := testCell(b), NewAccountCache(1000)
	sealed, _ := testAccount(b, unit1).Sealed(cell)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cache.Open(cell, unit1, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
