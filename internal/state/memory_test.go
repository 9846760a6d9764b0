package state

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

// fill writes users, each with a key and an inline policy if asked for, through the engine.
func fill(tb testing.TB, e storage.Engine, users int, withPolicy bool) {
	tb.Helper()
	unit := AccountUnit(acme)
	ids := keyring.NewStream(testSeed())
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var head storage.Rev
	var ops []storage.Op
	flush := func() {
		rev, err := e.Commit(context.Background(), storage.Batch{ID: testID(), Time: at, Units: []storage.Condition{{Unit: unit, Head: head, Write: true}}, Ops: ops})
		if err != nil {
			tb.Fatal(err)
		}
		head, ops = rev, ops[:0]
	}
	a := &AccountRecord{}
	a.Id = acme
	ops = append(ops, putOp(tb, unit, a))
	for i := range users {
		u, k := &User{}, &AccessKey{}
		u.Id, u.Name, u.Path, u.Created = ids.UniqueID(keyring.UserPrefix, acme), userName(i), "/team/", at.UnixMicro()
		k.Id, k.Owner, k.Status, k.Created = ids.AccessKeyID(acme), u.Id, statepb.KeyStatus_KEY_STATUS_ACTIVE, at.UnixMicro()
		k.Secret = ids.SecretBytes(40 + 29) // as sealed: key id, nonce and tag beside the secret
		ops = append(ops, putOp(tb, unit, u), putOp(tb, unit, k))
		if withPolicy {
			p := &InlinePolicy{}
			p.Owner, p.Name, p.Document = u.Id, "inline", policyText(i)
			ops = append(ops, putOp(tb, unit, p))
		}
		if len(ops) > storage.MaxOps-3 {
			flush()
		}
	}
	if len(ops) > 0 {
		flush()
	}
}

func userName(i int) string { return fmt.Sprintf("user-%08d", i*2654435761%(1<<32)) }

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemoryPerUser holds the state to its budget, engine excluded: 1.2 KB for a user with one key. It runs alone, as others' garbage would
// be counted too.
func TestMemoryPerUser(t *testing.T) {
	if testing.Short() {
		t.Skip("it loads many users")
	}
	const users = 20_000
	for _, c := range []struct {
		name       string
		withPolicy bool
		most       uint64 // bytes a user
	}{
		{"with a key", false, 1200},
		{"with a key and a policy", true, 3000},
	} {
		none := liveHeap()
		e := memory.New(memory.Options{Retention: 1})
		fill(t, e, users, c.withPolicy)
		engine := liveHeap()
		start := time.Now()
		s, err := Open(t.Context(), e, testOptions())
		if err != nil {
			t.Fatal(err)
		}
		took := time.Since(start)
		loaded := liveHeap()
		state, whole := (loaded-engine)/users, (loaded-none)/users
		t.Logf("a user %s: %d bytes, %d with the memory engine; %d users loaded in %s", c.name, state, whole, users, took)
		if state > c.most {
			t.Errorf("a user %s takes %d bytes, at most %d", c.name, state, c.most)
		}
		if n := s.View().Account(acme).UserCount(); n != users {
			t.Errorf("%d users were loaded", n)
		}
		runtime.KeepAlive(e)
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, withPolicy := range []bool{false, true} {
		b.Run(fmt.Sprint("policy=", withPolicy), func(b *testing.B) {
			e := memory.New(memory.Options{Retention: 1})
			const users = 100_000
			none := liveHeap()
			fill(b, e, users, withPolicy)
			engine := liveHeap()
			var s *Store
			for b.Loop() {
				s = nil //nolint:ineffassign // lets the one before be collected
				var err error
				if s, err = Open(context.Background(), e, testOptions()); err != nil {
					b.Fatal(err)
				}
			}
			loaded := liveHeap()
			b.ReportMetric(float64(loaded-engine)/users, "B/user")
			b.ReportMetric(float64(loaded-none)/users, "B/user-with-engine")
			runtime.KeepAlive(s)
			runtime.KeepAlive(e)
		})
	}
}

// BenchmarkUpdate replaces the key of one of 10,000 users.
func BenchmarkUpdate(b *testing.B) {
	for _, parallel := range []int{1, 64} {
		b.Run(fmt.Sprint("goroutines=", parallel), func(b *testing.B) {
			e := memory.New(memory.Options{})
			fill(b, e, 10_000, false)
			s := openStore(b, e)
			var keys []*AccessKey
			for k := range s.View().Account(acme).AccessKeys("") {
				keys = append(keys, k)
			}
			next := make(chan *AccessKey, 1024)
			go func() {
				defer close(next)
				for i := 0; i < b.N; i++ {
					next <- keys[i%len(keys)]
				}
			}()
			b.ReportAllocs()
			b.ResetTimer()
			done := make(chan error)
			for range parallel {
				go func() {
					for k := range next {
						if err := s.Update(context.Background(), []string{AccountUnit(acme)}, func(tx *Tx) error {
							c := tx.Account(acme).AccessKey(k.Id).Clone()
							c.Seq++
							tx.Put(AccountUnit(acme), c)
							tx.SetEvent(c.Secret)
							return nil
						}); err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range parallel {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkViewUser(b *testing.B) {
	e := memory.New(memory.Options{Retention: 1})
	fill(b, e, 100_000, false)
	s, err := Open(context.Background(), e, testOptions())
	if err != nil {
		b.Fatal(err)
	}
	var ids, names []string
	for u := range s.View().Account(acme).Users("") {
		ids, names = append(ids, u.Id), append(names, u.Name)
	}
	i := 0
	b.Run("id", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			i = (i + 7919) % len(ids)
			if s.View().Account(acme).User(ids[i]) == nil {
				b.Fatal(ids[i])
			}
		}
	})
	b.Run("name", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			i = (i + 7919) % len(names)
			if s.View().Account(acme).UserByName(names[i]) == nil {
				b.Fatal(names[i])
			}
		}
	})
	b.Run("keys", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			i = (i + 7919) % len(ids)
			for range s.View().Account(acme).AccessKeys(ids[i]) {
			}
		}
	})
}
