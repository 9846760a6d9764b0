package sigv4

import (
	"hash/maphash"
	"strings"
	"sync"
)

// KeyCache keeps derived keys, so that a server does not derive one for every request. It is bounded and safe for use from many
// goroutines.
//
// Every entry carries an identity of the secret it was derived from: I is, for instance, the pointer or the generation of the
// stored access key, or a hash of its sealed secret. It must differ whenever the secret differs. A lookup with another identity finds
// nothing, so a key of a replaced secret is never served. I should not be an interface type: comparing such values can panic.
type KeyCache[I comparable] struct {
	seed   maphash.Seed
	shards [cacheShards]cacheShard[I]
}

const cacheShards = 16

type cacheKey struct {
	accessKeyID string
	scope       Scope
}

type cacheEntry[I comparable] struct {
	key      cacheKey
	identity I
	signing  Key
	recent   bool // read since the hand last passed
}

// cacheShard replaces entries by the clock algorithm: a hand goes round and takes the first entry that was not read since its last
// visit.
type cacheShard[I comparable] struct {
	mu      sync.Mutex
	index   map[cacheKey]int
	entries []cacheEntry[I]
	limit   int
	hand    int
	_       [64]byte // shards are locked by different cores
}

// NewKeyCache returns a cache of at most size entries, rounded up to a multiple of 16. An entry takes some 300 bytes. One access key
// takes an entry for every day, region and service it is used for.
func NewKeyCache[I comparable](size int) *KeyCache[I] {
	c := &KeyCache[I]{seed: maphash.MakeSeed()}
	limit := max(1, (size+cacheShards-1)/cacheShards)
	for i := range c.shards {
		c.shards[i].limit = limit
		c.shards[i].index = make(map[cacheKey]int)
	}
	return c
}

func (c *KeyCache[I]) shard(accessKeyID string) *cacheShard[I] {
	return &c.shards[maphash.String(c.seed, accessKeyID)%cacheShards]
}

// Get returns the key put for accessKeyID and s with this identity. An entry with another identity is dropped.
func (c *KeyCache[I]) Get(accessKeyID string, s Scope, identity I) (Key, bool) {
	shard := c.shard(accessKeyID)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	i, ok := shard.index[cacheKey{accessKeyID, s}]
	if !ok {
		return Key{}, false
	}
	e := &shard.entries[i]
	if e.identity != identity {
		// The entry stays in place as the next to be replaced, but holds no key.
		delete(shard.index, e.key)
		*e = cacheEntry[I]{}
		return Key{}, false
	}
	e.recent = true
	return e.signing, true
}

// Put keeps k for accessKeyID and s. Put a key only after Verify has accepted a signature by it: before that the scope is the
// request's to choose, and anyone could fill the cache.
func (c *KeyCache[I]) Put(accessKeyID string, s Scope, identity I, k Key) {
	shard := c.shard(accessKeyID)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	if i, ok := shard.index[cacheKey{accessKeyID, s}]; ok {
		shard.entries[i].identity, shard.entries[i].signing = identity, k
		return
	}
	// The strings usually point into a request's headers, which must not live as long as the entry.
	key := cacheKey{strings.Clone(accessKeyID), Scope{strings.Clone(s.Date), strings.Clone(s.Region), strings.Clone(s.Service)}}
	i := shard.slot()
	shard.entries[i] = cacheEntry[I]{key: key, identity: identity, signing: k}
	shard.index[key] = i
}

// slot returns the place for a new entry.
func (s *cacheShard[I]) slot() int {
	if len(s.entries) < s.limit {
		s.entries = append(s.entries, cacheEntry[I]{})
		return len(s.entries) - 1
	}
	for {
		i := s.hand
		s.hand = (s.hand + 1) % len(s.entries)
		e := &s.entries[i]
		if !e.recent {
			// A dropped entry has the empty key, which no request can put: it has no date.
			delete(s.index, e.key)
			return i
		}
		e.recent = false
	}
}

// Len returns the number of keys held.
func (c *KeyCache[I]) Len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += len(s.index)
		s.mu.Unlock()
	}
	return n
}

// Forget drops every key of an access key. It is not needed for safety, which the identity gives, but frees the memory of a deleted
// access key at once.
func (c *KeyCache[I]) Forget(accessKeyID string) {
	s := c.shard(accessKeyID)
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.entries {
		if e := &s.entries[i]; e.key.accessKeyID == accessKeyID {
			delete(s.index, e.key)
			*e = cacheEntry[I]{}
		}
	}
}
