package bolt

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// BenchmarkEmpty is the price of a durable bbolt transaction that writes nothing: two syncs.
func BenchmarkEmpty(b *testing.B) {
	db, err := bbolt.Open(filepath.Join(b.TempDir(), "db"), 0o600, &bbolt.Options{NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	for b.Loop() {
		if err := db.Update(func(*bbolt.Tx) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCommit(b *testing.B) {
	e := openAt(b, filepath.Join(b.TempDir(), "store"), Options{})
	defer e.Close()
	value := strings.Repeat("v", 250)
	var head storage.Rev
	n := 0
	for b.Loop() {
		rev, err := e.Commit(b.Context(), testBatch(uint64(n), "a", head, put1(fmt.Sprintf("a/%08d", n*7919%100000), value), put1(fmt.Sprintf("a/x%08d", n), value)))
		if err != nil {
			b.Fatal(err)
		}
		head = rev
		n++
	}
}

// BenchmarkWriters has 64 goroutines write to units of their own, two operations a commit.
func BenchmarkWriters(b *testing.B) {
	e := openAt(b, filepath.Join(b.TempDir(), "store"), Options{})
	defer e.Close()
	value := strings.Repeat("v", 250)
	var left atomic.Int64
	left.Store(int64(b.N))
	var group sync.WaitGroup
	start := time.Now()
	b.ResetTimer()
	for w := range 64 {
		group.Go(func() {
			unit := fmt.Sprintf("acct/%012d", w)
			var head storage.Rev
			for n := left.Add(-1); n >= 0; n = left.Add(-1) {
				rev, err := e.Commit(b.Context(), testBatch(uint64(n), unit, head, put1(fmt.Sprintf("%s/%08d", unit, n*7919%100000), value), put1(unit+"/x", value)))
				if err != nil {
					b.Error(err)
					return
				}
				head = rev
			}
		})
	}
	group.Wait()
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "commits/s")
}

// BenchmarkOpen opens a store of 100,000 users with two keys of 250 bytes each, in 100 units, and reads it all.
func BenchmarkOpen(b *testing.B) {
	path := filepath.Join(b.TempDir(), "store")
	e := openAt(b, path, Options{})
	value := strings.Repeat("v", 250)
	heads := map[string]storage.Rev{}
	for n := 0; n < 100_000; n += 50 {
		unit := fmt.Sprintf("acct/%012d", n/50%100)
		var ops []storage.Op
		for i := range 50 {
			id := (n + i) * 7919 % 100_000
			ops = append(ops, put1(fmt.Sprintf("%s/user/%06d", unit, id), value), put1(fmt.Sprintf("%s/key/%06d", unit, id), value))
		}
		rev, err := e.Commit(b.Context(), testBatch(uint64(n), unit, heads[unit], ops...))
		if err != nil {
			b.Fatal(err)
		}
		heads[unit] = rev
	}
	e.Close()
	var opening, reading time.Duration
	runs := 0
	for b.Loop() {
		start := time.Now()
		e := openAt(b, path, Options{})
		opened := time.Now()
		_, items := e.Snapshot(b.Context(), "", 0)
		n := 0
		for _, err := range items {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 200_100 {
			b.Fatalf("%d items", n)
		}
		opening, reading, runs = opening+opened.Sub(start), reading+time.Since(opened), runs+1
		e.Close()
	}
	b.ReportMetric(float64(opening.Milliseconds())/float64(runs), "open-ms")
	b.ReportMetric(float64(reading.Milliseconds())/float64(runs), "read-ms")
}
