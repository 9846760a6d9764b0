package bolt

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/storagetest"
)

func quiet(o Options) Options {
	o.Logger = slog.New(slog.DiscardHandler)
	return o
}

func factory(opts Options) storagetest.Factory {
	return storagetest.Factory{
		Open: func(t *testing.T) storage.Engine { return openAt(t, filepath.Join(t.TempDir(), "store"), opts) },
		Reopen: func(t *testing.T, e storage.Engine) storage.Engine {
			return openAt(t, e.(*engine).path, opts)
		},
		Compact: func(t *testing.T, e storage.Engine, rev storage.Rev) {
			if err := e.(*engine).compact(rev); err != nil {
				t.Fatal(err)
			}
		},
	}
}

func openAt(tb testing.TB, path string, opts Options) *engine {
	tb.Helper()
	e, err := open(path, quiet(opts))
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// compact makes a checkpoint and trims the log up to and with rev.
func (e *engine) compact(rev storage.Rev) error {
	return e.do(func() error {
		if err := e.checkpointNow(); err != nil {
			return err
		}
		for {
			if more, err := e.stepTrim(func(r storage.Rev, _ time.Time) bool { return r <= rev }); err != nil || !more {
				return err
			}
		}
	})
}

func (e *engine) checkpointNow() error {
	for {
		if _, err := e.step(true, false); err != nil || e.view.overlay.Len() == 0 && e.checkpoint == nil {
			return err
		}
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, factory(Options{}))
}

// TestContractInPieces runs the same with everything so small that each commit is followed by a checkpoint in several steps, and each
// reader needs several transactions.
func TestContractInPieces(t *testing.T) {
	t.Parallel()
	storagetest.Run(t, factory(Options{tune: &pieces}))
}

var pieces = tuning{
	checkpointBytes: 1, checkpointEntries: 1, stepEntries: 5, stepEntriesBusy: 2, stepBytes: 64 << 10, stepTrim: 3,
	readItems: 40, readBytes: 8 << 10, readRecords: 7, readUnits: 3, recentRecords: 3, recentBytes: 8 << 10,
}

func TestMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	defer openAt(t, path, Options{}).Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v, want 0600", info.Mode(), err)
	}
}
