package sigv4_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

func TestKeyCache(t *testing.T) {
	t.Parallel()
	c := sigv4.NewKeyCache[int](64)
	s := sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"}
	first, second := sigv4.DeriveKey("first", s), sigv4.DeriveKey("second", s)
	get := func(id string, s sigv4.Scope, identity int, want sigv4.Key, ok bool) {
		t.Helper()
		if got, gotOK := c.Get(id, s, identity); got != want || gotOK != ok {
			t.Errorf("Get(%s, %v, %d) = %x, %v, want %x, %v", id, s, identity, got[:4], gotOK, want[:4], ok)
		}
	}
	get("AKID", s, 1, sigv4.Key{}, false)
	c.Put("AKID", s, 1, first)
	get("AKID", s, 1, first, true)
	get("AKID2", s, 1, sigv4.Key{}, false)
	for _, other := range []sigv4.Scope{{Date: "20150831", Region: s.Region, Service: s.Service}, {Date: s.Date, Region: "x", Service: s.Service},
		{Date: s.Date, Region: s.Region, Service: "sts"}} {
		get("AKID", other, 1, sigv4.Key{}, false)
	}
	// A replaced secret: the old key is not served, and is gone even for the old identity.
	get("AKID", s, 2, sigv4.Key{}, false)
	get("AKID", s, 1, sigv4.Key{}, false)
	c.Put("AKID", s, 2, second)
	get("AKID", s, 2, second, true)
	c.Put("AKID", s, 3, first)
	get("AKID", s, 3, first, true)
	if c.Len() != 1 {
		t.Errorf("%d entries, want 1", c.Len())
	}
	c.Forget("AKID")
	get("AKID", s, 3, sigv4.Key{}, false)
	if c.Len() != 0 {
		t.Errorf("%d entries after Forget, want 0", c.Len())
	}
}

func TestKeyCacheBound(t *testing.T) {
	t.Parallel()
	const size = 64
	c := sigv4.NewKeyCache[int](size)
	s := sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"}
	c.Put("HOT", s, 0, sigv4.Key{1})
	for i := range 10_000 {
		c.Put(fmt.Sprint("AKID", i), s, i, sigv4.Key{byte(i)})
		if i%7 == 0 {
			c.Get(fmt.Sprint("AKID", i), s, i+1) // dropped entries must not make it grow
		}
		if _, ok := c.Get("HOT", s, 0); !ok {
			t.Fatalf("the key in constant use was evicted after %d others", i)
		}
		if n := c.Len(); n > size {
			t.Fatalf("%d entries, bound is %d", n, size)
		}
	}
	if n := c.Len(); n < size/2 {
		t.Errorf("only %d entries in a full cache of %d", n, size)
	}
}

func TestKeyCacheConcurrent(t *testing.T) {
	t.Parallel()
	c := sigv4.NewKeyCache[int](32)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 5000 {
				id := fmt.Sprint("AKID", (i+g)%50)
				s := sigv4.Scope{Date: fmt.Sprint(i % 3), Region: "r", Service: "s"}
				identity := i % 5
				want := sigv4.Key{byte((i + g) % 50), byte(i % 3), byte(identity)}
				if k, ok := c.Get(id, s, identity); ok && k != want {
					t.Errorf("%s %v %d: got %v", id, s, identity, [3]byte(k[:3]))
				}
				c.Put(id, s, identity, want)
			}
		})
	}
	wg.Wait()
}

func TestKeyCacheHitAllocates(t *testing.T) {
	c := sigv4.NewKeyCache[*account](10)
	a := &account{}
	s := sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"}
	c.Put("AKID", s, a, sigv4.Key{})
	if n := testing.AllocsPerRun(100, func() {
		if _, ok := c.Get("AKID", s, a); !ok {
			t.Fatal("miss")
		}
	}); n != 0 {
		t.Errorf("%v allocations per hit", n)
	}
}
