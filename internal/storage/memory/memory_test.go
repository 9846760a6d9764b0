package memory

import (
	"context"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/storagetest"
)

func TestContract(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, storagetest.Factory{
		Open:    func(*testing.T) storage.Engine { return New(Options{}) },
		Compact: func(_ *testing.T, e storage.Engine, rev storage.Rev) { compact(e.(*engine), rev) },
	})
}

// TestContractOfFaulty is here because the suite needs compact.
func TestContractOfFaulty(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, storagetest.Factory{
		Open: func(*testing.T) storage.Engine {
			return &storagetest.Faulty{Engine: New(Options{}), Commits: storagetest.Script(), Reads: func(int) error { return nil }}
		},
		Compact: func(_ *testing.T, e storage.Engine, rev storage.Rev) {
			compact(e.(*storagetest.Faulty).Engine.(*engine), rev)
		},
	})
}

func compact(e *engine, rev storage.Rev) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trim(rev)
}

func TestRetention(t *testing.T) {
	t.Parallel()
	e := New(Options{Retention: 100}).(*engine)
	var head storage.Rev
	for i := range 1000 {
		head = commit(t, e, head, i, 1)
		if kept := len(e.log); kept > 125 || kept < min(i+1, 100) {
			t.Fatalf("after %d commits the log holds %d", i+1, kept)
		}
	}
	for c, err := range e.Watch(t.Context(), e.trimmed) {
		if err != nil || c.Rev != e.trimmed+1 {
			t.Fatalf("the log begins with %d, %v, want %d", c.Rev, err, e.trimmed+1)
		}
		break
	}
}

func commit(tb testing.TB, e storage.Engine, head storage.Rev, n, ops int) storage.Rev {
	b := storage.Batch{Units: []storage.Condition{{Unit: "acct/123456789012", Head: head, Write: true}}}
	binary.BigEndian.PutUint64(b.ID[:], uint64(n+1))
	for i := range ops {
		b.Ops = append(b.Ops, storage.Op{Kind: storage.Put, Key: keys[(n*ops+i)%len(keys)], Value: value[:]})
	}
	rev, err := e.Commit(context.Background(), b)
	if err != nil {
		tb.Fatal(err)
	}
	return rev
}

var (
	keys  = makeKeys()
	value [250]byte
)

func makeKeys() (keys []string) {
	for i := range 100_000 {
		keys = append(keys, fmt.Sprintf("acct/123456789012/user/%08x", i*2654435761%(1<<32)))
	}
	return keys
}

func BenchmarkCommit(b *testing.B) {
	for _, ops := range []int{1, 10, 60} {
		b.Run(fmt.Sprint("ops=", ops), func(b *testing.B) {
			e := New(Options{})
			var head storage.Rev
			n := 0
			for b.Loop() {
				head = commit(b, e, head, n, ops)
				n++
			}
		})
	}
}
