package session

import (
	"hash/maphash"
	"sync"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

// Bounds of what is remembered. The second counts estimates (costOf).
const (
	maxSessions = 1 << 15
	maxMemory   = 64 << 20 // bytes

	cacheShards = 16
)

// cache remembers opened sessions by access key id and forgets those that were not used for longest. Only tokens that opened come here, so
// nobody fills it without tokens that were issued to them.
type cache struct {
	seed   maphash.Seed
	shards [cacheShards]shard
}

type shard struct {
	mu           sync.Mutex
	entries      map[string]*entry
	ring         entry // next is the one used last, previous the one to forget first
	cost         int
	count, limit int // limits of this shard
	_            [64]byte
}

// entry is an opened session with everything that it was opened from: it answers for the same token under the same cell keyset only.
type entry struct {
	id, token      string
	cell           *keyring.Cell
	session        *Session
	cost           int
	previous, next *entry
}

// newCache makes a cache for about so many sessions of about so many bytes in all; each shard holds one at least.
func newCache(sessions, memory int) *cache {
	c := &cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		s := &c.shards[i]
		s.entries = map[string]*entry{}
		s.ring.previous, s.ring.next = &s.ring, &s.ring
		s.count, s.limit = max(1, sessions/cacheShards), memory/cacheShards
	}
	return c
}

func (c *cache) shard(id string) *shard { return &c.shards[maphash.String(c.seed, id)%cacheShards] }

// get returns the session that the token was opened to under this very keyset, or nil.
func (c *cache) get(cell *keyring.Cell, id, token string) *Session {
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	// Not in constant time: a token is of no use without its secret, which is not compared here.
	if e == nil || e.cell != cell || e.token != token {
		return nil
	}
	if s.ring.next != e {
		e.unlink()
		e.link(&s.ring)
	}
	return e.session
}

func (c *cache) put(e *entry) {
	s := c.shard(e.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old := s.entries[e.id]; old != nil {
		s.drop(old)
	}
	s.entries[e.id] = e
	s.cost += e.cost
	e.link(&s.ring)
	for len(s.entries) > 1 && (len(s.entries) > s.count || s.cost > s.limit) {
		s.drop(s.ring.previous)
	}
}

func (s *shard) drop(e *entry) {
	e.unlink()
	delete(s.entries, e.id)
	s.cost -= e.cost
}

func (e *entry) link(ring *entry) {
	e.previous, e.next = ring, ring.next
	ring.next.previous, ring.next = e, e
}

func (e *entry) unlink() { e.previous.next, e.next.previous = e.next, e.previous }

// len is the number of sessions remembered.
func (c *cache) len() int {
	n := 0
	for i := range c.shards {
		c.shards[i].mu.Lock()
		n += len(c.shards[i].entries)
		c.shards[i].mu.Unlock()
	}
	return n
}
