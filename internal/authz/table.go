package authz

import (
	"hash/maphash"
	"sync"
	"sync/atomic"
)

// The bounds of what is remembered. A shard over its bytes forgets, one memo after the other, what stands at its hand.
const (
	shardCount    = 64
	ways          = 4
	minShardSlots = 4 * ways
	maxShardSlots = 4096    // 262,144 memos in all
	maxShardBytes = 4 << 20 // 256 MiB in all, as memos weigh themselves
)

// table remembers memos by id. Readers never wait: what they find is written atomically, and whether it still holds is theirs to check.
// Writers of one shard take turns.
type table struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

type shard struct {
	slots atomic.Pointer[[]slot] // their number is a power of two; those of one hash stand together, ways of them
	mu    sync.Mutex             // of writers
	bytes int
	hand  int
}

// slot holds a memo. The tag is the hash of its id, so that memos of others need not be looked at. Between two writes it may be that of the
// memo before.
type slot struct {
	tag  atomic.Uint64
	memo atomic.Pointer[memo]
}

func (t *table) init() {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		slots := make([]slot, minShardSlots)
		t.shards[i].slots.Store(&slots)
	}
}

func (t *table) at(id string) (*shard, uint64) {
	h := maphash.String(t.seed, id)
	return &t.shards[h%shardCount], h
}

// set is where a memo with that hash stands, if anywhere.
func set(slots []slot, hash uint64) []slot {
	i := int(hash/shardCount) & (len(slots) - 1) &^ (ways - 1)
	return slots[i : i+ways]
}

// find returns what was last remembered of an id, or nil.
func (t *table) find(id string) *memo {
	s, h := t.at(id)
	w := set(*s.slots.Load(), h)
	for i := range w {
		if w[i].tag.Load() != h {
			continue
		}
		if m := w[i].memo.Load(); m != nil && m.id.is(id) {
			return m
		}
	}
	return nil
}

// put remembers m, which nobody else has yet, in the place of what was known of its id. A memo that is heavier than a shard may be is not
// remembered, nor one whose id is too long.
func (t *table) put(id string, m *memo) {
	if m.id = newKey(id); m.id.n == 0 || m.weight > maxShardBytes {
		return
	}
	s, h := t.at(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	slots := *s.slots.Load()
	for !s.place(set(slots, h), h, m) {
		if len(slots) == maxShardSlots {
			s.hand++
			s.store(&set(slots, h)[s.hand%ways], h, m)
			break
		}
		slots = s.grow(slots)
	}
	for s.bytes > maxShardBytes {
		s.hand = (s.hand + 1) % len(slots)
		if at := &slots[s.hand]; at.memo.Load() != m {
			s.store(at, 0, nil)
		}
	}
}

// place stores m where its id stands, else where nothing does; false if there is no such place.
func (s *shard) place(w []slot, hash uint64, m *memo) bool {
	free := -1
	for i := range w {
		switch at := w[i].memo.Load(); {
		case at == nil:
			free = i
		case at.id == m.id:
			s.store(&w[i], hash, m)
			return true
		}
	}
	if free < 0 {
		return false
	}
	s.store(&w[free], hash, m)
	return true
}

func (s *shard) store(at *slot, hash uint64, m *memo) {
	if old := at.memo.Load(); old != nil {
		s.bytes -= old.weight
	}
	if m != nil {
		s.bytes += m.weight
	}
	at.memo.Store(m)
	at.tag.Store(hash)
}

// grow doubles the shard. What finds no place in it is forgotten.
func (s *shard) grow(old []slot) []slot {
	slots := make([]slot, 2*len(old))
	s.bytes = 0
	for i := range old {
		if m := old[i].memo.Load(); m != nil {
			h := old[i].tag.Load()
			s.place(set(slots, h), h, m)
		}
	}
	s.slots.Store(&slots)
	return slots
}
