package keyring

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// AccountCache keeps opened account keysets, so that a request does not pay for opening one (5 µs). It is bounded, drops what was not used
// lately, and is safe for concurrent use.
//
// An entry answers only for the very bytes it was opened from, so a changed keyset (rotation, resealing) is never answered by the old one.
// Account handles do not depend on the cell after opening: a rotated cell needs no emptying.
type AccountCache struct {
	seed   maphash.Seed
	shards [16]cacheShard
}

type cacheShard struct {
	mu    sync.RWMutex
	units map[string]*cacheEntry
	clock []*cacheEntry // second chance: the hand passes what was used since it came by last
	hand  int
	most  int
}

type cacheEntry struct {
	unit    string
	sealed  []byte
	account *Account
	place   int // in clock; under the shard's lock
	used    atomic.Bool
}

// NewAccountCache makes a cache for about most accounts (at least 16), some 1.5 KB each with its bytes.
func NewAccountCache(most int) *AccountCache {
	c := &AccountCache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].units = make(map[string]*cacheEntry)
		c.shards[i].most = max(1, (most+len(c.shards)-1)/len(c.shards))
	}
	return c
}

func (c *AccountCache) shard(unit string) *cacheShard {
	return &c.shards[maphash.String(c.seed, unit)%uint64(len(c.shards))]
}

// Open is OpenAccount with memory. Failures are not kept.
func (c *AccountCache) Open(cell *Cell, unit string, sealed []byte) (*Account, error) {
	s := c.shard(unit)
	s.mu.RLock()
	e := s.units[unit]
	s.mu.RUnlock()
	if e != nil && bytes.Equal(e.sealed, sealed) {
		if !e.used.Load() {
			e.used.Store(true)
		}
		return e.account, nil
	}
	a, err := OpenAccount(cell, unit, sealed)
	if err != nil {
		return nil, err
	}
	s.put(&cacheEntry{unit: unit, sealed: bytes.Clone(sealed), account: a})
	return a, nil
}

func (s *cacheShard) put(e *cacheEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch old := s.units[e.unit]; {
	case old != nil:
		e.place = old.place
	case len(s.clock) < s.most:
		e.place = len(s.clock)
		s.clock = append(s.clock, nil)
	default:
		// Two turns at most: readers may set the mark again behind the hand.
		for range 2 * len(s.clock) {
			if !s.clock[s.hand].used.Swap(false) {
				break
			}
			s.hand = (s.hand + 1) % len(s.clock)
		}
		e.place = s.hand
		delete(s.units, s.clock[s.hand].unit)
		s.hand = (s.hand + 1) % len(s.clock)
	}
	s.clock[e.place] = e
	s.units[e.unit] = e
}

// Forget drops an account's keyset: call it when the account is deleted, so that its key does not stay in memory. A
// request that was under way may bring it back once; then it goes when its place is needed.
func (c *AccountCache) Forget(unit string) {
	s := c.shard(unit)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.units[unit]
	if e == nil {
		return
	}
	delete(s.units, unit)
	last := len(s.clock) - 1
	s.clock[e.place] = s.clock[last]
	s.clock[e.place].place = e.place
	s.clock[last] = nil
	s.clock = s.clock[:last]
	if s.hand >= last {
		s.hand = 0
	}
}

// Len is the number of keysets held.
func (c *AccountCache) Len() int {
	n := 0
	for i := range c.shards {
		c.shards[i].mu.RLock()
		n += len(c.shards[i].units)
		c.shards[i].mu.RUnlock()
	}
	return n
}
