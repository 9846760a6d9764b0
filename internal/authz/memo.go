package authz

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// memo is what is known of a root user, user or role in one state of its account and its organization. It never changes.
type memo struct {
	id, account string
	kind        policy.CallerKind // RootCaller, UserCaller or RoleCaller
	epoch       storage.Rev       // of the account
	orgEpoch    storage.Rev       // of the organization; 0 for an account in none
	weight      int               // its bytes, about

	sets   policy.Sets       // without those of a session
	member *state.Membership // nil for an account in no organization
	keys   []policy.Entry    // docs/spec/evaluation.md 1.2: those that every session of it has, too
	own    []policy.Entry    // and those that are otherwise in its sessions
	tags   []policy.Entry    // aws:PrincipalTag/…
}

// holds says whether the memo is of that state.
func (m *memo) holds(a *state.Account, member *state.Membership) bool {
	if m.epoch != a.Epoch {
		return false
	}
	if member == nil {
		return m.member == nil
	}
	return m.orgEpoch == member.Epoch && m.member != nil
}

// lasting says whether what is gathered now may be found again: a transaction with changes of its own has no epoch.
func lasting(a *state.Account, member *state.Membership) bool {
	return a.Epoch != 0 && (member == nil || member.Epoch != 0)
}

// The bounds of what is remembered. A shard over its bytes forgets, one memo after the other, what stands at its hand.
const (
	shardCount    = 64
	ways          = 4
	minShardSlots = 4 * ways
	maxShardSlots = 4096    // 262,144 memos in all
	maxShardBytes = 4 << 20 // 256 MiB in all
)

// memos is a table of memos by id. Readers never wait: what they read is written atomically, and is checked once it is found. Writers of
// one shard take turns.
type memos struct {
	seed   maphash.Seed
	shards [shardCount]shard
}

type shard struct {
	slots atomic.Pointer[[]slot]
	mu    sync.Mutex // of writers
	bytes int
	hand  int
}

// slot holds a memo. The tag is of its id, so that others need not be looked at; it may be that of the memo before.
type slot struct {
	tag  atomic.Uint64
	memo atomic.Pointer[memo]
}

func (t *memos) init() {
	t.seed = maphash.MakeSeed()
	for i := range t.shards {
		slots := make([]slot, minShardSlots)
		t.shards[i].slots.Store(&slots)
	}
}

// set is where a memo with that hash stands, if anywhere.
func set(slots []slot, hash uint64) []slot {
	i := int(hash) & (len(slots) - 1) &^ (ways - 1)
	return slots[i : i+ways]
}

// find returns what was last remembered of an id, or nil.
func (t *memos) find(id, account string, kind policy.CallerKind) *memo {
	h := maphash.String(t.seed, id)
	w := set(*t.shards[h/(1<<64/shardCount)].slots.Load(), h)
	for i := range w {
		if w[i].tag.Load() != h {
			continue
		}
		if m := w[i].memo.Load(); m != nil && m.kind == kind && m.id == id && m.account == account {
			return m
		}
	}
	return nil
}

// put remembers m in the place of what was known of its id.
func (t *memos) put(m *memo) {
	h := maphash.String(t.seed, m.id)
	s := &t.shards[h/(1<<64/shardCount)]
	s.mu.Lock()
	defer s.mu.Unlock()
	slots := *s.slots.Load()
	for !s.place(set(slots, h), h, m) {
		if len(slots) == maxShardSlots {
			w := set(slots, h)
			s.store(&w[s.hand%ways], h, m)
			s.hand++
			break
		}
		slots = s.grow(slots)
	}
	for over := len(slots); s.bytes > maxShardBytes && over > 0; over-- {
		s.hand = (s.hand + 1) % len(slots)
		if at := &slots[s.hand]; at.memo.Load() != m {
			s.store(at, 0, nil)
		}
	}
}

// place stores m where its id stands or where nothing does; false if there is no such place.
func (s *shard) place(w []slot, hash uint64, m *memo) bool {
	var free *slot
	for i := range w {
		at := w[i].memo.Load()
		if at == nil {
			if free == nil {
				free = &w[i]
			}
			continue
		}
		if w[i].tag.Load() == hash && at.kind == m.kind && at.id == m.id && at.account == m.account {
			s.store(&w[i], hash, m)
			return true
		}
	}
	if free == nil {
		return false
	}
	s.store(free, hash, m)
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
