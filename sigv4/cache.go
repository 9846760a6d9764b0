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
	hash     uint64
	key      cacheKey
	identity I
	signing  *PreparedKey
	used     bool
	recent   bool // read since the hand last passed
}

// cacheShard replaces entries by the clock algorithm: a hand goes round and takes the first entry that was not read since its last
// visit.
type cacheShard[I comparable] struct {
	mu      sync.Mutex
	index   map[uint64]int // by cacheKey.hash; of two keys with one hash the later replaces the earlier
	entries []cacheEntry[I]
	limit   int
	hand    int
	_       [64]byte // shards are locked by different cores
}

// NewKeyCache returns a cache of at most size entries, rounded up to a multiple of 16. An entry takes some 600 bytes. One access key
// takes an entry for every day, region and service it is used for.
func NewKeyCache[I comparable](size int) *KeyCache[I] {
	c := &KeyCache[I]{seed: maphash.MakeSeed()}
	limit := max(1, (size+cacheShards-1)/cacheShards)
	for i := range c.shards {
		c.shards[i].limit = limit
		c.shards[i].index = make(map[uint64]int)
	}
	return c
}

// hash hashes the access key id with the seed. Of the scope it takes less care: two scopes with one hash harm only the access key
// they belong to.
func (k *cacheKey) hash(seed maphash.Seed) (id, all uint64) {
	id = maphash.String(seed, k.accessKeyID)
	const odd = 0x9e3779b97f4a7c15
	all = (id ^ ends(k.scope.Date)) * odd
	all = (all ^ all>>32 ^ ends(k.scope.Region)) * odd
	all = (all ^ all>>32 ^ ends(k.scope.Service)) * odd
	return id % cacheShards, all
}

// ends mixes the first and the last eight bytes of s, which is all there is of most regions and services.
func ends(s string) uint64 {
	if len(s) >= 8 {
		return eight(s)*31 ^ eight(s[len(s)-8:]) ^ uint64(len(s))<<56
	}
	v := uint64(len(s)) << 56
	for i := range len(s) {
		v |= uint64(s[i]) << (8 * i)
	}
	return v
}

// eight needs a string of at least eight bytes.
func eight(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Get returns the key put for accessKeyID and s with this identity. An entry with another identity is dropped.
func (c *KeyCache[I]) Get(accessKeyID string, s Scope, identity I) (k Key, ok bool) {
	if p := c.Prepared(accessKeyID, s, identity); p != nil {
		return p.key, true
	}
	return Key{}, false
}

// Prepared is Get for [Claim.VerifyPrepared]. It returns nil when there is no such key.
func (c *KeyCache[I]) Prepared(accessKeyID string, s Scope, identity I) (k *PreparedKey) {
	key := cacheKey{accessKeyID, s}
	n, hash := key.hash(c.seed)
	shard := &c.shards[n]
	shard.mu.Lock()
	if i, found := shard.index[hash]; found {
		if e := &shard.entries[i]; e.key == key {
			if e.identity == identity {
				e.recent = true
				k = e.signing
			} else {
				shard.drop(e)
			}
		}
	}
	shard.mu.Unlock()
	return k
}

// Put keeps k for accessKeyID and s. Put a key only after Verify has accepted a signature by it: before that the scope is the
// request's to choose, and anyone could fill the cache.
func (c *KeyCache[I]) Put(accessKeyID string, s Scope, identity I, k Key) {
	prepared := k.Prepare()
	// The strings usually point into a request's headers, which must not live as long as the entry.
	key := cacheKey{strings.Clone(accessKeyID), Scope{strings.Clone(s.Date), strings.Clone(s.Region), strings.Clone(s.Service)}}
	n, hash := key.hash(c.seed)
	shard := &c.shards[n]
	shard.mu.Lock()
	defer shard.mu.Unlock()
	i, found := shard.index[hash]
	if !found {
		i = shard.slot()
		shard.index[hash] = i
	}
	shard.entries[i] = cacheEntry[I]{hash: hash, key: key, identity: identity, signing: prepared, used: true}
}

// drop empties an entry. It stays in place until the hand comes round.
func (s *cacheShard[I]) drop(e *cacheEntry[I]) {
	if e.used {
		delete(s.index, e.hash)
	}
	*e = cacheEntry[I]{}
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
			s.drop(e)
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
	n, _ := (&cacheKey{accessKeyID: accessKeyID}).hash(c.seed)
	s := &c.shards[n]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.entries {
		if e := &s.entries[i]; e.used && e.key.accessKeyID == accessKeyID {
			s.drop(e)
		}
	}
}
