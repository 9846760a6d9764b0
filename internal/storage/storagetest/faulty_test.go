package storagetest_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/internal/storage/storagetest"
)

var ids atomic.Uint64

func newID() (id storage.CommitID) {
	binary.BigEndian.PutUint64(id[:], ids.Add(1))
	return id
}

func batch(head storage.Rev, value string) storage.Batch {
	return storage.Batch{ID: newID(), Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Units: []storage.Condition{{Unit: "a", Head: head, Write: true}},
		Ops: []storage.Op{{Kind: storage.Put, Key: "a/n", Value: []byte(value)}}}
}

func get(t *testing.T, e storage.Engine) (value string, head storage.Rev) {
	t.Helper()
	_, items := e.Snapshot(t.Context(), "a/", 0)
	for i, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		if i.Key == "a/n" {
			value = string(i.Value)
		} else {
			head = i.Rev
		}
	}
	return value, head
}

// TestFaults gives each fault to one commit, and looks at the answer, at the effect, and at what Resolve says.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fault    storagetest.Fault
		err      error
		happened bool
	}{
		{storagetest.None, nil, true},
		{storagetest.UnknownBefore, storage.ErrUnknown, false},
		{storagetest.UnknownAfter, storage.ErrUnknown, true},
		{storagetest.UnknownLate, storage.ErrUnknown, false}, // Resolve's fence comes first, then it is too late
		{storagetest.Conflict, storage.ErrConflict, false},
		{storagetest.NoSpace, storage.ErrNoSpace, false},
		{storagetest.Broken, storagetest.ErrBroken, false},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			e := &storagetest.Faulty{Engine: memory.New(memory.Options{}), Commits: storagetest.Script(storagetest.None, c.fault)}
			defer e.Close()
			first, err := e.Commit(t.Context(), batch(0, "first"))
			if err != nil {
				t.Fatal(err)
			}
			b := batch(first, "second")
			rev, err := e.Commit(t.Context(), b)
			if !errors.Is(err, c.err) {
				t.Fatalf("Commit = %d, %v, want %v", rev, err, c.err)
			}
			if errors.Is(err, storage.ErrUnknown) {
				rev, err = storage.Resolve(t.Context(), e, b, newID())
				if c.happened != (err == nil) || err != nil && !errors.Is(err, storage.ErrConflict) {
					t.Errorf("Resolve = %d, %v, want the truth: %v", rev, err, c.happened)
				}
			}
			want := map[bool]string{false: "first", true: "second"}[c.happened]
			if got, _ := get(t, e); got != want {
				t.Errorf("the value is %q, want %q", got, want)
			}
		})
	}
}

// TestResolveAgain lets the fence end in ErrUnknown too.
func TestResolveAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		commit, fence storagetest.Fault
		happened      bool
	}{
		{storagetest.UnknownBefore, storagetest.UnknownBefore, false},
		{storagetest.UnknownBefore, storagetest.UnknownAfter, false},
		{storagetest.UnknownBefore, storagetest.UnknownLate, false},
		{storagetest.UnknownAfter, storagetest.UnknownBefore, true},
		{storagetest.UnknownAfter, storagetest.UnknownAfter, true},
		{storagetest.UnknownAfter, storagetest.NoSpace, true},
		{storagetest.UnknownAfter, storagetest.Broken, true},
		{storagetest.UnknownLate, storagetest.UnknownAfter, false},
		{storagetest.UnknownLate, storagetest.NoSpace, false},
	} {
		e := &storagetest.Faulty{Engine: memory.New(memory.Options{}), Commits: storagetest.Script(c.commit, c.fence)}
		b := batch(0, "v")
		if _, err := e.Commit(t.Context(), b); !errors.Is(err, storage.ErrUnknown) {
			t.Fatal(err)
		}
		rev, err := storage.Resolve(t.Context(), e, b, newID())
		if !errors.Is(err, storage.ErrUnknown) || errors.Is(err, storage.ErrNoSpace) || errors.Is(err, storagetest.ErrBroken) {
			t.Errorf("%s, fence %s: Resolve = %d, %v, want ErrUnknown alone", c.commit, c.fence, rev, err)
		}
		rev, err = storage.Resolve(t.Context(), e, b, newID())
		if c.happened != (err == nil) || err != nil && !errors.Is(err, storage.ErrConflict) {
			t.Errorf("%s, fence %s: the second Resolve = %d, %v, the commit happened: %v", c.commit, c.fence, rev, err, c.happened)
		}
		e.Close()
	}
}

// TestResolveUnreadable cannot read the log.
func TestResolveUnreadable(t *testing.T) {
	t.Parallel()
	e := &storagetest.Faulty{Engine: memory.New(memory.Options{}), Commits: storagetest.Script(storagetest.UnknownAfter), Reads: func(n int) error {
		if n == 0 {
			return fmt.Errorf("%w: %w", storagetest.ErrBroken, storage.ErrConflict)
		}
		return nil
	}}
	defer e.Close()
	b := batch(0, "v")
	e.Commit(t.Context(), b)
	if rev, err := storage.Resolve(t.Context(), e, b, newID()); !errors.Is(err, storage.ErrUnknown) || errors.Is(err, storage.ErrConflict) {
		t.Errorf("Resolve = %d, %v, want ErrUnknown alone", rev, err)
	}
	if rev, err := storage.Resolve(t.Context(), e, b, newID()); rev != 1 || err != nil {
		t.Errorf("Resolve = %d, %v, want 1", rev, err)
	}
}

// TestExactlyOnce lets many writers count one number up through all faults: it must say how often they succeeded.
func TestExactlyOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		e := &storagetest.Faulty{Engine: memory.New(memory.Options{}), Commits: storagetest.Random(seed, 3), Reads: storagetest.RandomReads(seed, 100)}
		var group sync.WaitGroup
		var succeeded, unknown atomic.Int64
		for range 8 {
			group.Go(func() {
				for range 150 {
					value, head, ok := 0, storage.Rev(0), true
					_, items := e.Snapshot(t.Context(), "a/", 0)
					for i, err := range items {
						if err != nil {
							ok = false
						} else if i.Key == "a/n" {
							value, _ = strconv.Atoi(string(i.Value))
						} else {
							head = i.Rev
						}
					}
					if !ok {
						continue
					}
					b := batch(head, strconv.Itoa(value+1))
					_, err := e.Commit(t.Context(), b)
					for errors.Is(err, storage.ErrUnknown) {
						unknown.Add(1)
						_, err = storage.Resolve(t.Context(), e, b, newID())
					}
					if err == nil {
						succeeded.Add(1)
					}
				}
			})
		}
		group.Wait()
		e.Deliver(context.Background())
		got, _ := get(t, e.Engine)
		if got != fmt.Sprint(succeeded.Load()) || unknown.Load() == 0 {
			t.Errorf("seed %d: the number is %s, %d commits succeeded, %d were unknown at first", seed, got, succeeded.Load(), unknown.Load())
		}
		e.Close()
	}
}
