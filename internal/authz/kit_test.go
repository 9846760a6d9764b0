package authz

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
)

const ownAccount = "111122223333"

// openStore is a store with one empty account.
func openStore(t testing.TB) *state.Store {
	t.Helper()
	s := statetest.Open(t)
	put(t, s, func(tx *state.Tx) {
		rec := &state.AccountRecord{}
		rec.Id = ownAccount
		tx.Put(state.AccountUnit(ownAccount), rec)
	})
	return s
}

func put(t testing.TB, s *state.Store, fn func(*state.Tx)) {
	t.Helper()
	statetest.Update(t, s, ownAccount, fn)
}
