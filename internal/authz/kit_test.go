package authz

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

const ownAccount = "111122223333"

// openStore is a store with one empty account.
func openStore(t testing.TB) *state.Store {
	t.Helper()
	engine := memory.New(memory.Options{})
	s, err := state.Open(t.Context(), engine, state.Options{
		Now: time.Now, Seed: keyring.NewSeed, CommitID: func() storage.CommitID { return storage.CommitID(keyring.CommitID()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait(); _ = engine.Close() })
	put(t, s, func(tx *state.Tx) {
		rec := &state.AccountRecord{}
		rec.Id = ownAccount
		tx.Put(state.AccountUnit(ownAccount), rec)
	})
	return s
}

func put(t testing.TB, s *state.Store, fn func(*state.Tx)) {
	t.Helper()
	if err := s.Update(t.Context(), []string{state.AccountUnit(ownAccount)}, func(tx *state.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}
