package server

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// TestStopCutsNoRequest stops a server under 64 clients, each with its own kept connection. A client may find that nobody listens any
// more, and nothing else.
func TestStopCutsNoRequest(t *testing.T) {
	t.Parallel()
	r := startNode(t, nodeConfig())
	const clients = 64
	var (
		wg     sync.WaitGroup
		calls  atomic.Int64
		warm   sync.WaitGroup
		ended  = make(chan struct{})
		endpnt = r.URL()
	)
	warm.Add(clients)
	for range clients {
		wg.Go(func() {
			transport := &http.Transport{MaxIdleConnsPerHost: 1}
			defer transport.CloseIdleConnections()
			c := &http.Client{Transport: transport, Timeout: 20 * time.Second}
			first := true
			for {
				_, err := nodeCall(c, endpnt, rootPair, "sts", "GetCallerIdentity")
				switch {
				case err == nil:
					calls.Add(1)
				case errors.Is(err, syscall.ECONNREFUSED) && !first:
					return
				default:
					t.Errorf("a request was cut: %v", err)
					if first {
						warm.Done()
					}
					return
				}
				if first {
					first = false
					warm.Done()
				}
			}
		})
	}
	warm.Wait()
	begun := time.Now()
	go func() {
		wg.Wait()
		close(ended)
	}()
	if err := r.end(); err != nil {
		t.Errorf("the stop ended with %v", err)
	}
	took := time.Since(begun)
	if took > 10*time.Second {
		t.Errorf("the stop took %s", took)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Error("clients still get answers from a server that has ended")
	}
	t.Logf("%d calls, stopped in %s", calls.Load(), took)
}

// Idle clients that never come back do not hold the end up for long.
func TestStopWithIdleConnections(t *testing.T) {
	t.Parallel()
	r := startNode(t, nodeConfig())
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	if _, err := nodeCall(&http.Client{Transport: transport}, r.URL(), rootPair, "sts", "GetCallerIdentity"); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := r.end(); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took < moveQuiet/2 || took > stopTimeout {
		t.Errorf("the stop took %s, want about %s", took, moveQuiet)
	}
}

// What was used shortly before the end is written.
func TestStopWritesUse(t *testing.T) {
	t.Parallel()
	cfg := nodeConfig()
	cfg.DataDir = t.TempDir()
	r := startNode(t, cfg)
	r.iam(t, rootPair, "ListUsers")
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	again := nodeConfig()
	again.DataDir = cfg.DataDir
	s, err := OpenStopped(t.Context(), again)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if keys := s.RootKeys(); len(keys) != 1 || time.Since(keys[0].LastUsed) > time.Minute {
		t.Errorf("the root key was last used %v", keys)
	}
}

// A store that fails ends the server with the reason: it does not go on with what it remembers.
func TestStoreFailureEndsServer(t *testing.T) {
	t.Parallel()
	s, err := Open(t.Context(), nodeConfig(), "v")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(t.Context()) }()
	if err := s.api.cell.Load().engine.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, storage.ErrClosed) {
			t.Errorf("the server ended with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the server goes on without its store")
	}
}
