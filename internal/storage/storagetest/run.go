package storagetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Factory makes the engines under test. Open is needed; the hooks say what the engine has beside the Engine interface.
type Factory struct {
	// Open returns an engine on a new, empty store. Run closes it.
	Open func(t *testing.T) storage.Engine
	// Second returns another client on the data of e, which Run closes too. Nil: e itself is the second client.
	Second func(t *testing.T, e storage.Engine) storage.Engine
	// Reopen returns an engine on the data of e, which has been closed. Nil: nothing outlives e.
	Reopen func(t *testing.T, e storage.Engine) storage.Engine
	// Compact drops the log of e up to and with rev.
	Compact func(t *testing.T, e storage.Engine, rev storage.Rev)
}

// Run tests that the engines of f keep the contract of package storage.
func Run(t *testing.T, f Factory) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Factory)
	}{
		{"Commit", testCommit},
		{"Conflict", testConflict},
		{"ReadOnlyConditions", testReadOnlyConditions},
		{"Heads", testHeads},
		{"Order", testOrder},
		{"DeletePrefix", testDeletePrefix},
		{"PrefixLimits", testPrefixLimits},
		{"Limits", testLimits},
		{"Largest", testLargest},
		{"Invalid", testInvalid},
		{"Aliasing", testAliasing},
		{"SnapshotPrefix", testSnapshotPrefix},
		{"SnapshotStable", testSnapshotStable},
		{"SnapshotOfTheFuture", testSnapshotOfTheFuture},
		{"History", testHistory},
		{"Log", testLog},
		{"Watch", testWatch},
		{"WatchUnderWriters", testWatchUnderWriters},
		{"Compacted", testCompacted},
		{"SecondClient", testSecondClient},
		{"Writers", testWriters},
		{"Reopen", testReopen},
		{"Cancel", testCancel},
		{"Close", testClose},
		{"CloseUnderLoad", testCloseUnderLoad},
		{"Resolve", testResolve},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, f) })
	}
}

// store is an engine under test with the heads of its units as the test knows them.
type store struct {
	t     *testing.T
	e     storage.Engine
	heads map[string]storage.Rev
}

func open(t *testing.T, f Factory) *store {
	t.Helper()
	return &store{t: t, e: closing(t, f.Open(t)), heads: map[string]storage.Rev{}}
}

func closing(t *testing.T, e storage.Engine) storage.Engine {
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

// noon is the time of the first commit of a test; every commit is a microsecond later than the one before, so that times tell commits apart.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newID() (id storage.CommitID) {
	rand.Read(id[:])
	return id
}

func put(key, value string) storage.Op {
	return storage.Op{Kind: storage.Put, Key: key, Value: []byte(value)}
}
func del(key string) storage.Op       { return storage.Op{Kind: storage.Delete, Key: key} }
func delPrefix(key string) storage.Op { return storage.Op{Kind: storage.DeletePrefix, Key: key} }

// batch writes the units that ops touch, on their known heads.
func (s *store) batch(ops ...storage.Op) storage.Batch {
	b := storage.Batch{ID: newID(), Time: noon, Ops: ops}
	for _, op := range ops {
		unit, _, _ := strings.Cut(op.Key, "/")
		if !slices.ContainsFunc(b.Units, func(c storage.Condition) bool { return c.Unit == unit }) {
			b.Units = append(b.Units, storage.Condition{Unit: unit, Head: s.heads[unit], Write: true})
		}
	}
	return b
}

// write commits ops, which must succeed.
func (s *store) write(ops ...storage.Op) storage.Rev {
	s.t.Helper()
	return s.commit(s.batch(ops...))
}

func (s *store) commit(b storage.Batch) storage.Rev {
	s.t.Helper()
	rev, err := s.e.Commit(s.t.Context(), b)
	if err != nil {
		s.t.Fatalf("Commit: %v", err)
	}
	if last := slices.Max(append(slices.Collect(maps.Values(s.heads)), 0)); rev <= last {
		s.t.Fatalf("Commit returned revision %d after %d", rev, last)
	}
	for _, c := range b.Units {
		if c.Write {
			s.heads[c.Unit] = rev
		}
	}
	return rev
}

// refuse commits b, which must fail with want and change nothing.
func (s *store) refuse(name string, b storage.Batch, want error) {
	s.t.Helper()
	before := s.items("", 0)
	rev, err := s.e.Commit(s.t.Context(), b)
	if !errors.Is(err, want) || rev != 0 {
		s.t.Errorf("%s: Commit = %d, %v; want %v", name, rev, err, want)
	}
	if after := s.items("", 0); !equalItems(before, after) {
		s.t.Errorf("%s: the refused commit left %s, before it was %s", name, show(after), show(before))
	}
}

// items returns a snapshot.
func (s *store) items(prefix string, at storage.Rev) []storage.Item {
	s.t.Helper()
	_, seq := s.e.Snapshot(s.t.Context(), prefix, at)
	items, err := collect(seq)
	if err != nil {
		s.t.Fatalf("Snapshot(%q, %d): %v", prefix, at, err)
	}
	return items
}

// want checks the store's values, heads apart, written as "key=value".
func (s *store) want(at storage.Rev, want ...string) {
	s.t.Helper()
	var got []string
	for _, i := range s.items("", at) {
		if _, isHead := storage.SplitHead(i.Key); !isHead {
			got = append(got, i.Key+"="+string(i.Value))
		}
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("at revision %d the store holds %q, want %q", at, got, want)
	}
}

func (s *store) log(unit string, from, to storage.Rev) []storage.Commit {
	s.t.Helper()
	commits, err := collect(s.e.Log(s.t.Context(), unit, from, to))
	if err != nil {
		s.t.Fatalf("Log(%q, %d, %d): %v", unit, from, to, err)
	}
	return commits
}

// watch returns the next n commits after revision after.
func (s *store) watch(after storage.Rev, n int) []storage.Commit {
	s.t.Helper()
	commits, err := take(s.t, s.e, after, n)
	if err != nil {
		s.t.Fatalf("Watch(%d): %v after %d of %d commits", after, err, len(commits), n)
	}
	return commits
}

func take(t *testing.T, e storage.Engine, after storage.Rev, n int) ([]storage.Commit, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var commits []storage.Commit
	for c, err := range e.Watch(ctx, after) {
		if err != nil {
			return commits, err
		}
		if commits = append(commits, c); len(commits) == n {
			break
		}
	}
	return commits, nil
}

func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	var failed error
	for v, err := range seq {
		if failed != nil {
			return all, fmt.Errorf("an element after the error %w", failed)
		}
		if failed = err; err == nil {
			all = append(all, v)
		}
	}
	return all, failed
}

func equalItems(a, b []storage.Item) bool {
	return slices.EqualFunc(a, b, func(a, b storage.Item) bool {
		return a.Key == b.Key && bytes.Equal(a.Value, b.Value) && a.Rev == b.Rev
	})
}

func equalCommits(a, b storage.Commit) bool {
	same := func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
	return a.Rev == b.Rev && a.ID == b.ID && a.Time.Equal(b.Time) && slices.Equal(a.Units, b.Units) &&
		slices.EqualFunc(a.Events, b.Events, bytes.Equal) &&
		slices.EqualFunc(a.Mutations, b.Mutations, func(a, b storage.Mutation) bool {
			return a.Key == b.Key && same(a.Old, b.Old) && same(a.New, b.New)
		})
}

func show(items []storage.Item) string {
	var b strings.Builder
	for _, i := range items {
		fmt.Fprintf(&b, " %.40q=%.20q@%d", i.Key, i.Value, i.Rev)
		if b.Len() > 2000 {
			return b.String() + " …"
		}
	}
	return b.String()
}

func showCommit(c storage.Commit) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s %s %v", c.Rev, c.ID, c.Time.Format(time.RFC3339Nano), c.Units)
	for _, m := range c.Mutations {
		fmt.Fprintf(&b, " %.40q:%.20q->%.20q", m.Key, m.Old, m.New)
	}
	fmt.Fprintf(&b, " events %.20q", c.Events)
	return b.String()
}

func wantCommits(t *testing.T, what string, got, want []storage.Commit) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Fatalf("%s: %d commits, want %d; the next should be %s", what, len(got), len(want), showCommit(want[i]))
		case i >= len(want):
			t.Fatalf("%s: %d commits, want %d; too many is %s", what, len(got), len(want), showCommit(got[i]))
		case !equalCommits(got[i], want[i]):
			t.Fatalf("%s: commit %d is\n\t%s, want\n\t%s", what, i, showCommit(got[i]), showCommit(want[i]))
		}
	}
}
