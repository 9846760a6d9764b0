package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/internal/storage/storagetest"
)

// TestFaulty has two stores count in the same records over an engine whose commits and reads fail in all ways: what was acknowledged
// counts once, what was refused does not, and only what has no known outcome may or may not.
func TestFaulty(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { testFaulty(t, seed) })
		})
	}
}

func testFaulty(t *testing.T, seed uint64) {
	e := memory.New(memory.Options{Retention: 40})
	setup := openStore(t, e)
	accounts := []string{acme, globex}
	for _, a := range accounts {
		setup.account(t, a)
	}
	setup.stopRun()
	<-setup.ended
	var stores []*following
	for i := range uint64(2) {
		var reading atomic.Bool // Open does not try again, Run does
		reads := storagetest.RandomReads(seed+10*i, 60)
		f := &storagetest.Faulty{
			Engine: e, Commits: storagetest.Random(seed+10*i, 8),
			Reads: func(n int) error {
				if !reading.Load() {
					return nil
				}
				return reads(n)
			},
		}
		stores = append(stores, openStore(t, f))
		reading.Store(true)
	}
	done, unknown := map[string]*atomic.Int64{}, map[string]*atomic.Int64{}
	for _, a := range accounts {
		done[a], unknown[a] = new(atomic.Int64), new(atomic.Int64)
	}
	var failed atomic.Int64
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, uint64(w)))
			s := stores[w%2]
			for range 30 {
				id := accounts[rnd.IntN(2)]
				units := []string{AccountUnit(id), DirectoryUnit}[:1+rnd.IntN(2)]
				err := s.Update(t.Context(), units, func(tx *Tx) error {
					r := tx.Account(id).Record().Clone()
					r.RootPasswordChanged++
					tx.Put(AccountUnit(id), r)
					if len(units) > 1 {
						return setAlias(id, fmt.Sprint("alias", r.RootPasswordChanged, id))(tx)
					}
					return nil
				})
				switch {
				case err == nil:
					done[id].Add(1)
				case errors.Is(err, storage.ErrUnknown):
					unknown[id].Add(1)
				case errors.Is(err, storage.ErrNoSpace), errors.Is(err, storagetest.ErrBroken), errors.Is(err, storage.ErrConflict):
					failed.Add(1)
				default:
					t.Error(err)
				}
				time.Sleep(time.Duration(rnd.IntN(5)) * time.Millisecond)
			}
		})
	}
	wg.Wait()
	time.Sleep(time.Minute)
	synctest.Wait()
	fresh := openStore(t, e)
	for _, id := range accounts {
		got, least := fresh.View().Account(id).Record().RootPasswordChanged, done[id].Load()
		if got < least || got > least+unknown[id].Load() {
			t.Errorf("%s counted to %d, with %d successes and %d unknown", id, got, least, unknown[id].Load())
		}
	}
	for i, s := range stores {
		wantSame(t, fmt.Sprint("store ", i), dump(s.at(t, fresh.View().rev), false), dump(fresh.View(), false))
		if len(s.own) != 0 || len(s.waiters) != 0 {
			t.Errorf("store %d: %d commits and %d waiters are left over", i, len(s.own), len(s.waiters))
		}
		checkAliases(t, s.View())
		s.stopRun()
	}
	fresh.stopRun()
	if err := fresh.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	t.Logf("%d failed, %d+%d unknown", failed.Load(), unknown[acme].Load(), unknown[globex].Load())
}
