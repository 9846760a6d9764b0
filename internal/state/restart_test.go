package state

import (
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/storage/bolt"
)

// TestRestart closes and opens a store on disk: it holds what it held, also with the log trimmed.
func TestRestart(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "state.db")
	rnd := rand.New(rand.NewPCG(1, 9))
	accounts := []string{acme, globex}
	var before map[string]string
	for start := range 4 {
		e, err := bolt.Open(file, bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := openStore(t, e)
		if before != nil {
			wantSame(t, "before and after the restart", before, dump(s.View(), false))
		} else {
			for _, a := range accounts {
				s.account(t, a)
			}
		}
		for range 60 {
			units, fn := step(t, rnd, accounts)
			if err := s.Update(t.Context(), units, fn); errors.Is(err, ErrStopped) {
				t.Fatal(err)
			}
		}
		if err := s.verifyStored(t.Context()); err != nil {
			t.Errorf("start %d: %v", start, err)
		}
		before = dump(s.View(), false)
		if start%2 == 0 { // in order, or with the engine gone first
			s.stopRun()
			<-s.ended
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if start%2 == 1 {
			if err := <-s.ended; err == nil {
				t.Error("Run ended without an error although its engine was closed")
			}
		}
	}
}
