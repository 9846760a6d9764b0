package storagetest

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func testSnapshotPrefix(t *testing.T, f Factory) {
	s := open(t, f)
	keys := []string{"a/k", "a/k\x00", "a/k\x00z", "a/k/", "a/k/1", "a/kk", "a/l", "a/\xff", "a/\xff\xff", "a/é", "ab/k", "b/k"}
	var ops []storage.Op
	for _, k := range keys {
		ops = append(ops, put(k, k))
	}
	rev := s.write(ops...)
	all := append([]string{"a/!head", "ab/!head", "b/!head"}, keys...)
	slices.Sort(all)
	for round, at := range []storage.Rev{0, rev, rev} {
		if round == 2 {
			s.write(delPrefix("a/"), put("ab/k", "changed"), del("b/k"))
		}
		for _, prefix := range []string{"", "a", "a/", "a/!", "a/k", "a/k\x00", "a/k/", "a/kk", "a/kkk", "a/\xff", "a/\xff\xff", "ab", "b/k", "c", "\xff", "\xff\xff\xff", "\x00"} {
			var want []string
			for _, k := range all {
				if strings.HasPrefix(k, prefix) {
					want = append(want, k)
				}
			}
			var got []string
			for _, i := range s.items(prefix, at) {
				got = append(got, i.Key)
				if _, isHead := storage.SplitHead(i.Key); !isHead && string(i.Value) != i.Key {
					t.Errorf("round %d: prefix %q: item %q holds %q", round, prefix, i.Key, i.Value)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("round %d: prefix %q gives %q, want %q", round, prefix, got, want)
			}
		}
	}
	_, seq := s.e.Snapshot(t.Context(), "", 0)
	n := 0
	for range seq {
		if n++; n == 3 {
			break
		}
	}
	s.write(put("a/k", "after a broken off reader"))
}

// testSnapshotStable reads a large snapshot while the store changes between each two elements.
func testSnapshotStable(t *testing.T, f Factory) {
	s := open(t, f)
	const n = 3000
	for i := 0; i < n; i += storage.MaxOps {
		var ops []storage.Op
		for j := range storage.MaxOps {
			ops = append(ops, put(fmt.Sprintf("a/%05d", 2*(i+j)), "v"))
		}
		s.write(ops...)
	}
	want := s.items("", 0)
	rev, seq := s.e.Snapshot(t.Context(), "", 0)
	unread, never := s.e.Snapshot(t.Context(), "", 0)
	if unread < s.heads["a"] || never == nil {
		t.Fatalf("Snapshot = %d", unread)
	}
	var got []storage.Item
	for i, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, i); len(got)%100 != 50 {
			continue
		}
		at := len(got)
		s.write(
			put(fmt.Sprintf("a/%05d", 2*at), "changed just ahead"), put(fmt.Sprintf("a/%05d", 2*at+1), "new just ahead"),
			del(fmt.Sprintf("a/%05d", 2*at+2)), put(fmt.Sprintf("a/%05d", 2*n-at-1), "new far ahead"), del(fmt.Sprintf("a/%05d", 2*n-2*at)),
			put("a/00000", "behind"), put("0/new", "unit in front"), put("z/new", "unit behind"), delPrefix("a/0577"),
		)
	}
	if !equalItems(got, want) {
		t.Errorf("a snapshot at %d changed while it was read: %d items, want %d", rev, len(got), len(want))
		for i := range min(len(got), len(want)) {
			if !equalItems(got[i:i+1], want[i:i+1]) {
				t.Fatalf("item %d is %s, want %s", i, show(got[i:i+1]), show(want[i:i+1]))
			}
		}
	}
	if again := s.items("", rev); !equalItems(again, want) {
		t.Errorf("the snapshot at %d read later has %d items, want %d", rev, len(again), len(want))
	}
	if late, err := collect(never); err != nil || !equalItems(late, want) {
		t.Errorf("a snapshot that was read late has %d items, want %d: %v", len(late), len(want), err)
	}
}

func testSnapshotOfTheFuture(t *testing.T, f Factory) {
	s := open(t, f)
	rev := s.write(put("a/1", "v"))
	for _, at := range []storage.Rev{rev + 1000, -1} {
		got, seq := s.e.Snapshot(t.Context(), "", at)
		if items, err := collect(seq); got != 0 || !is(err, storage.ErrInvalid) || len(items) != 0 {
			t.Errorf("Snapshot at %d with the store at %d = %d, %s, %v; want ErrInvalid", at, rev, got, show(items), err)
		}
		if commits, err := take(t, s.e, at, 1); !is(err, storage.ErrInvalid) {
			t.Errorf("Watch after %d with the store at %d = %v, %v; want ErrInvalid", at, rev, commits, err)
		}
	}
	if commits := s.log("a", rev+1000, 0); len(commits) != 0 {
		t.Errorf("Log of the future holds %v", commits)
	}
	if commits := s.log("a", 0, rev+1000); len(commits) != 1 {
		t.Errorf("Log that ends in the future holds %v", commits)
	}
}

// model is the contract as slowly and simply as can be: the state after each commit, in full.
type model struct {
	commits []storage.Commit
	states  []map[string]storage.Item // after commits[i]
}

func (m *model) state() map[string]storage.Item {
	if len(m.states) == 0 {
		return map[string]storage.Item{}
	}
	return maps.Clone(m.states[len(m.states)-1])
}

func (m *model) apply(rev storage.Rev, b storage.Batch) {
	state := m.state()
	c := storage.Commit{Rev: rev, ID: b.ID, Time: b.Time, Units: b.Units, Events: b.Events}
	remove := func(key string) {
		if old, ok := state[key]; ok {
			delete(state, key)
			c.Mutations = append(c.Mutations, storage.Mutation{Key: key, Old: old.Value})
		}
	}
	for _, op := range b.Ops {
		switch op.Kind {
		case storage.Put:
			mutation := storage.Mutation{Key: op.Key, New: op.Value}
			if old, ok := state[op.Key]; ok {
				mutation.Old = old.Value
			}
			state[op.Key] = storage.Item{Key: op.Key, Value: op.Value, Rev: rev}
			c.Mutations = append(c.Mutations, mutation)
		case storage.Delete:
			remove(op.Key)
		case storage.DeletePrefix:
			for _, key := range slices.Sorted(maps.Keys(state)) {
				if strings.HasPrefix(key, op.Key) && !strings.HasSuffix(key, "/!head") {
					remove(key)
				}
			}
		}
	}
	for _, u := range b.Units {
		if u.Write {
			state[u.Unit+"/!head"] = storage.Item{Key: u.Unit + "/!head", Value: storage.EncodeHead(b.Time), Rev: rev}
		}
	}
	m.commits, m.states = append(m.commits, c), append(m.states, state)
}

func (m *model) items(i int, prefix string) []storage.Item {
	var items []storage.Item
	for k, item := range m.states[i] {
		if strings.HasPrefix(k, prefix) {
			items = append(items, item)
		}
	}
	slices.SortFunc(items, func(a, b storage.Item) int { return cmp.Compare(a.Key, b.Key) })
	return items
}

func (m *model) log(unit string, from, to storage.Rev) []storage.Commit {
	var commits []storage.Commit
	for _, c := range m.commits {
		if c.Rev >= from && (to == 0 || c.Rev <= to) &&
			slices.ContainsFunc(c.Units, func(u storage.Condition) bool { return u.Unit == unit && u.Write }) {
			commits = append(commits, c)
		}
	}
	return commits
}

// randomBatch writes a few keys of one to three units out of a small set, so that histories meet the same keys again and again.
func (s *store) randomBatch(r *rand.Rand, n int) storage.Batch {
	units := []string{"a", "ab", "b", "c"}
	r.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
	b := storage.Batch{ID: newID(), Time: noon.Add(time.Duration(n) * time.Microsecond)}
	writes := 1 + r.IntN(2)
	for i, u := range units[:1+r.IntN(len(units))] {
		b.Units = append(b.Units, storage.Condition{Unit: u, Head: s.heads[u], Write: i < writes})
	}
	writes = min(writes, len(b.Units))
	for range r.IntN(6) {
		unit := units[r.IntN(writes)]
		key := fmt.Sprintf("%s/%c%d", unit, 'p'+rune(r.IntN(2)), r.IntN(6))
		switch r.IntN(8) {
		case 0, 1:
			b.Ops = append(b.Ops, del(key))
		case 2:
			b.Ops = append(b.Ops, delPrefix(key[:len(unit)+1+r.IntN(2)]))
		default:
			b.Ops = append(b.Ops, put(key, fmt.Sprintf("%d", r.IntN(1<<(4*r.IntN(16))))))
		}
	}
	for range r.IntN(3) {
		b.Events = append(b.Events, fmt.Appendf(nil, "event %d", n))
	}
	return b
}

// testHistory makes random histories and compares everything that can be asked about them with the model, at the end and, after a reopen,
// once more.
func testHistory(t *testing.T, f Factory) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			s := open(t, f)
			r := rand.New(rand.NewPCG(seed, 7))
			var m model
			for n := range 120 {
				b := s.randomBatch(r, n)
				m.apply(s.commit(b), b)
				if n%20 == 19 {
					s.compare(&m, r, 6)
				}
				if f.Reopen != nil && n%50 == 40 {
					s.reopen(f)
				}
			}
			s.compare(&m, r, 25)
			if f.Reopen != nil {
				s.reopen(f)
				s.compare(&m, r, 25)
			}
		})
	}
}

func (s *store) reopen(f Factory) {
	s.t.Helper()
	if err := s.e.Close(); err != nil {
		s.t.Fatalf("Close: %v", err)
	}
	s.e = closing(s.t, f.Reopen(s.t, s.e))
}

func (s *store) compare(m *model, r *rand.Rand, rounds int) {
	s.t.Helper()
	last := len(m.commits) - 1
	if got, want := s.items("", 0), m.items(last, ""); !equalItems(got, want) {
		s.t.Fatalf("after %d commits the store holds\n%s, want\n%s", last+1, show(got), show(want))
	}
	prefixes := []string{"", "a", "a/", "ab/", "b/p", "b/q3", "c/!head", "d"}
	for range rounds {
		i, prefix := r.IntN(last+1), prefixes[r.IntN(len(prefixes))]
		at := m.commits[i].Rev
		rev, seq := s.e.Snapshot(s.t.Context(), prefix, at)
		got, err := collect(seq)
		if want := m.items(i, prefix); err != nil || rev != at || !equalItems(got, want) {
			s.t.Fatalf("Snapshot(%q, %d) after commit %d of %d = %d, %v,\n%s, want\n%s", prefix, at, i, last+1, rev, err, show(got), show(want))
		}
		unit := []string{"a", "ab", "b", "c", "d"}[r.IntN(5)]
		from, to := storage.Rev(0), storage.Rev(0)
		if r.IntN(2) == 0 {
			from = m.commits[r.IntN(last+1)].Rev
		}
		if r.IntN(2) == 0 {
			to = m.commits[r.IntN(last+1)].Rev
		}
		wantCommits(s.t, fmt.Sprintf("Log(%q, %d, %d)", unit, from, to), s.log(unit, from, to), m.log(unit, from, to))
	}
	wantCommits(s.t, "Watch from the beginning", s.watch(0, last+1), m.commits)
	if i := r.IntN(last + 1); i < last {
		wantCommits(s.t, "Watch from the middle", s.watch(m.commits[i].Rev, last-i), m.commits[i+1:])
	}
}
