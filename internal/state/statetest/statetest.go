package statetest

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

// Open makes an empty store in memory, which is followed until the test ends.
func Open(t testing.TB) *state.Store {
	t.Helper()
	engine := memory.New(memory.Options{})
	s, err := state.Open(t.Context(), engine, state.Options{
		Now:      time.Now, //nolint:forbidigo // for tests, which look at the clock
		Seed:     keyring.NewSeed,
		CommitID: func() storage.CommitID { return storage.CommitID(keyring.CommitID()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait(); _ = engine.Close() })
	return s
}

// Update changes one account, and ends the test if that fails.
func Update(t testing.TB, s *state.Store, account string, fn func(*state.Tx)) {
	t.Helper()
	if err := s.Update(t.Context(), []string{state.AccountUnit(account)}, func(tx *state.Tx) error { fn(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}
