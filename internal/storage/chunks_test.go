package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/internal/storage/storagetest"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func commit(t *testing.T, e storage.Engine, head storage.Rev, ops ...storage.Op) storage.Rev {
	t.Helper()
	rev, err := e.Commit(t.Context(), storage.Batch{ID: storage.CommitID{1, byte(head), byte(head >> 8)}, Time: noon,
		Units: []storage.Condition{{Unit: "a", Head: head, Write: true}}, Ops: ops})
	if err != nil {
		t.Fatal(err)
	}
	return rev
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(uint64(n), 1))
	for i := range b {
		b[i] = byte(r.Uint32() >> 8)
	}
	if n > 0 {
		b[0] = 8
	}
	return b
}

func values(t *testing.T, items iter.Seq2[storage.Item, error]) map[string]string {
	t.Helper()
	all := map[string]string{}
	for i, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		if _, isHead := storage.SplitHead(i.Key); !isHead {
			all[i.Key] = string(i.Value)
		}
	}
	return all
}

func TestSplitAndJoin(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	defer e.Close()
	want := map[string]string{"a/first": "1", "a/last": "2"}
	head := commit(t, e, 0, storage.Op{Kind: storage.Put, Key: "a/first", Value: []byte("1")}, storage.Op{Kind: storage.Put, Key: "a/last", Value: []byte("2")})
	wasChunked := false
	for _, n := range []int{0, 1, storage.MaxValueBytes, storage.MaxValueBytes + 1, storage.MaxSplitBytes, storage.MaxValueBytes + 5, 3} {
		value := randomBytes(n)
		ops, err := storage.SplitValue("a/k", value, wasChunked)
		if err != nil {
			t.Fatal(err)
		}
		wasChunked = n > storage.MaxValueBytes
		head = commit(t, e, head, ops...)
		want["a/k"] = string(value)
		_, items := e.Snapshot(t.Context(), "", 0)
		if got := values(t, storage.Join(items)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%d bytes came back as %d", n, len(got["a/k"]))
		}
		for c, err := range e.Log(t.Context(), "a", head, 0) {
			if err != nil {
				t.Fatal(err)
			}
			ms, err := storage.JoinMutations(c.Mutations)
			if err != nil || len(ms) != 1 || ms[0].Key != "a/k" || !bytes.Equal(ms[0].New, value) {
				t.Errorf("%d bytes came back as %d mutations, %v", n, len(ms), err)
			}
		}
	}
	head = commit(t, e, head, storage.RemoveValue("a/k", wasChunked)...)
	ops, _ := storage.SplitValue("a/k", randomBytes(storage.MaxSplitBytes), false)
	head = commit(t, e, head, ops...)
	commit(t, e, head, storage.RemoveValue("a/k", true)...)
	delete(want, "a/k")
	_, items := e.Snapshot(t.Context(), "", 0)
	if got := values(t, items); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("after its removal the value left %d keys", len(got)-len(want))
	}
	if _, err := storage.SplitValue("a/k", make([]byte, storage.MaxSplitBytes+1), false); !errors.Is(err, storage.ErrLimit) {
		t.Errorf("a value over MaxSplitBytes: %v", err)
	}
	if _, err := storage.SplitValue("a/k", []byte{0xff, 1}, false); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a value that begins like a manifest: %v", err)
	}
}

func TestJoinDamaged(t *testing.T) {
	t.Parallel()
	ops, err := storage.SplitValue("a/k", randomBytes(storage.MaxSplitBytes), false)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := storage.SplitValue("a/k", bytes.Repeat([]byte{1}, storage.MaxSplitBytes), false)
	for name, change := range map[string]func([]storage.Op) []storage.Op{
		"first chunk missing": func(ops []storage.Op) []storage.Op { return append(ops[:1:1], ops[2:]...) },
		"last chunk missing":  func(ops []storage.Op) []storage.Op { return ops[:len(ops)-1] },
		"manifest missing":    func(ops []storage.Op) []storage.Op { return ops[1:] },
		"chunk of another":    func(ops []storage.Op) []storage.Op { return append(append(ops[:1:1], other[1]), ops[2:]...) },
		"chunk too short": func(ops []storage.Op) []storage.Op {
			short := ops[1]
			short.Value = short.Value[1:]
			return append(append(ops[:1:1], short), ops[2:]...)
		},
		"chunk too many": func(ops []storage.Op) []storage.Op {
			return append(slices.Clip(ops), storage.Op{Kind: storage.Put, Key: "a/k\x00999", Value: []byte("x")})
		},
		"manifest cut off": func(ops []storage.Op) []storage.Op {
			return append([]storage.Op{{Kind: storage.Put, Key: "a/k", Value: ops[0].Value[:20]}}, ops[1:]...)
		},
	} {
		items := func(yield func(storage.Item, error) bool) {
			for _, op := range change(ops) {
				if !yield(storage.Item{Key: op.Key, Value: op.Value}, nil) {
					return
				}
			}
		}
		var got error
		for _, err := range storage.Join(items) {
			got = err
		}
		if !errors.Is(got, storage.ErrDamaged) {
			t.Errorf("%s: Join ends with %v, want ErrDamaged", name, got)
		}
	}
}

func TestCheckFormat(t *testing.T) {
	t.Parallel()
	check := func(e storage.Engine, level int) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		return storage.CheckFormat(ctx, e, level, storage.CommitID{9}, noon.Add(5))
	}
	e := &storagetest.Faulty{Engine: memory.New(memory.Options{}), Commits: storagetest.Script(storagetest.UnknownBefore, storagetest.UnknownAfter)}
	defer e.Close()
	for range 2 {
		if err := check(e, 3); err != nil {
			t.Fatal(err)
		}
	}
	_, items := e.Snapshot(t.Context(), "", 0)
	if got := values(t, items); got[storage.FormatKey] != "3" || len(got) != 1 {
		t.Errorf("the store holds %v", got)
	}
	for _, level := range []int{2, 4} {
		if err := check(e, level); err == nil || !strings.Contains(err.Error(), "level 3") || !strings.Contains(err.Error(), fmt.Sprintf("level %d", level)) {
			t.Errorf("level %d: %v", level, err)
		}
	}
	odd := memory.New(memory.Options{})
	defer odd.Close()
	if _, err := odd.Commit(t.Context(), storage.Batch{ID: storage.CommitID{1}, Time: noon, Units: []storage.Condition{{Unit: "cell", Write: true}}}); err != nil {
		t.Fatal(err)
	}
	if err := check(odd, 1); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("a store with commits and no level: %v", err)
	}
}

func FuzzJoin(f *testing.F) {
	ops, _ := storage.SplitValue("a/k", randomBytes(storage.MaxValueBytes+1), false)
	f.Add(ops[0].Value, "a/k\x00000", []byte("x"))
	f.Fuzz(func(t *testing.T, manifest []byte, key string, chunk []byte) {
		items := func(yield func(storage.Item, error) bool) {
			_ = yield(storage.Item{Key: "a/k", Value: manifest}, nil) && yield(storage.Item{Key: key, Value: chunk}, nil)
		}
		ended := false
		for _, err := range storage.Join(items) {
			if ended {
				t.Fatal("an element after an error")
			}
			if ended = err != nil; ended && !errors.Is(err, storage.ErrDamaged) {
				t.Fatal(err)
			}
		}
	})
}
