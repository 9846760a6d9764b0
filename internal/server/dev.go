package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

// resetter brings a dev server back to what it was when it started.
type resetter struct {
	mu       sync.Mutex // one reset at a time, none beside the end of the server
	ended    bool
	baseline []storage.Item // everything that was stored when the server had started, the seed included
	retired  sync.WaitGroup // cells that still finish calls
}

// prepareReset applies the seed and remembers what is stored then. Only dev servers have either.
func (s *Server) prepareReset(ctx context.Context) error {
	if !s.cfg.Dev {
		return nil
	}
	c := s.api.cell.Load()
	if s.cfg.SeedFile != "" {
		d, err := readSeed(s.cfg.SeedFile)
		if err != nil {
			return err
		}
		if err := c.plant(ctx, d); err != nil {
			return fmt.Errorf("seed %s: %w", s.cfg.SeedFile, err)
		}
	}
	_, items := c.engine.Snapshot(ctx, "", 0)
	for item, err := range items {
		if err != nil {
			return err
		}
		s.reset.baseline = append(s.reset.baseline, item)
	}
	return nil
}

// devReset wipes everything back to the state after the start: the same account, root keys and password, the seed's users with the same
// unique ids and keys. Calls under way finish on what they began with.
//
// It asks for no credentials, so it answers only to programs on this machine (Config.RemoteReset: on any) and never to a web page in a
// browser on it.
func (s *Server) devReset(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") != "" {
		http.Error(w, "a reset is not taken from web pages", http.StatusForbidden)
		return
	}
	if ap, err := netip.ParseAddrPort(r.RemoteAddr); !s.cfg.RemoteReset && (err != nil || !ap.Addr().Unmap().IsLoopback()) {
		http.Error(w, "a reset is only taken from the machine itself; start the server with --allow-remote-reset to change that", http.StatusForbidden)
		return
	}
	if err := s.resetCell(r.Context()); err != nil {
		s.cfg.Logger.Error("the reset failed", "error", err)
		http.Error(w, "the reset failed and changed nothing: "+err.Error(), http.StatusInternalServerError)
		return
	}
	s.cfg.Logger.Info("reset to the state after the start")
	_, _ = io.WriteString(w, "reset\n")
}

func (s *Server) resetCell(ctx context.Context) error {
	s.reset.mu.Lock()
	defer s.reset.mu.Unlock()
	if s.reset.ended {
		return errors.New("the server is stopping")
	}
	old := s.api.cell.Load()
	engine := memory.New(memory.Options{})
	fresh, err := restored(ctx, s.cfg, engine, old.master, s.reset.baseline)
	if err != nil {
		return errors.Join(err, engine.Close())
	}
	fresh.made = old.made
	fresh.serve(s.cfg, s.failed)
	s.api.cell.Store(fresh)
	s.reset.retired.Go(func() {
		old.calls.drain()
		if err := old.close(); err != nil {
			s.cfg.Logger.Warn("what the reset replaced did not end well", "error", err)
		}
	})
	return nil
}

// restored opens a cell on an empty engine that gets these items first.
func restored(ctx context.Context, cfg *Config, engine storage.Engine, master keyring.Master, items []storage.Item) (*cell, error) {
	var b storage.Batch
	size := 0
	flush := func() error {
		if b.Units == nil {
			return nil
		}
		b.ID = commitID()
		rev, err := engine.Commit(ctx, b)
		b.Units[0].Head, b.Ops, size = rev, nil, 0
		return err
	}
	for _, item := range items {
		if unit, ok := storage.SplitHead(item.Key); ok { // a unit's head stands before its records
			if err := flush(); err != nil {
				return nil, err
			}
			at, err := storage.DecodeHead(item.Value)
			if err != nil {
				return nil, err
			}
			b = storage.Batch{Time: at, Units: []storage.Condition{{Unit: unit, Write: true}}}
			continue
		}
		if n := len(item.Key) + len(item.Value); len(b.Ops) == storage.MaxOps || size+n > storage.MaxBatchBytes {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		b.Ops = append(b.Ops, storage.Op{Kind: storage.Put, Key: item.Key, Value: item.Value})
		size += len(item.Key) + len(item.Value)
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return newCell(ctx, cfg, engine, master)
}

// inFlight counts the calls on a cell that may be replaced.
type inFlight struct {
	mu      sync.Mutex
	n       int
	retired bool
	gone    chan struct{}
}

// enter counts a call in, unless the cell was replaced.
func (f *inFlight) enter() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.retired {
		return false
	}
	f.n++
	return true
}

func (f *inFlight) leave() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n--
	if f.retired && f.n == 0 {
		close(f.gone)
	}
}

// drain lets no more calls in and waits until those inside have left, for as long as a call may take.
func (f *inFlight) drain() {
	f.mu.Lock()
	f.retired, f.gone = true, make(chan struct{})
	if f.n == 0 {
		close(f.gone)
	}
	gone := f.gone
	f.mu.Unlock()
	select {
	case <-gone:
	case <-time.After(maxCall):
	}
}

// acquire returns the cell to serve a call with; release must follow. Only a dev server ever replaces its cell.
func (a *api) acquire() *cell {
	c := a.cell.Load()
	for a.replaced && !c.calls.enter() {
		c = a.cell.Load()
	}
	return c
}

func (a *api) release(c *cell) {
	if a.replaced {
		c.calls.leave()
	}
}
