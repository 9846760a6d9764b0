package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// How long a stop takes at most, and what of that each part may use.
const (
	stopTimeout  = 9500 * time.Millisecond // everything
	drainTimeout = 7 * time.Second         // requests under way, the next part included
	moveTimeout  = 2 * time.Second         // clients to move on from open connections
)

// stop ends a server without cutting a request. Closing an idle connection could meet a request that its client is just sending, so
// connections are not closed at first: each further request on them is answered with "Connection: close", until all are gone or the
// clients that are left have been silent for moveTimeout.
func (s *Server) stop(h *http.Server, open *connections) error {
	begun := time.Now()
	// The listener goes first: clients that are sent on would connect to it again.
	closeErr := s.listener.Close()
	if errors.Is(closeErr, net.ErrClosed) { // it is what ended Serve
		closeErr = nil
	}
	s.stopping.Store(true)
	select {
	case <-open.none():
	case <-time.After(moveTimeout):
	}
	drain, cancel := context.WithDeadline(context.Background(), begun.Add(drainTimeout))
	defer cancel()
	var err error
	if err = h.Shutdown(drain); errors.Is(err, net.ErrClosed) { // the listener's, which is closed already
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("requests were still under way %s after the stop began: %w", drainTimeout, errors.Join(err, h.Close()))
	}
	closed := make(chan error, 1)
	go func() {
		s.reset.mu.Lock()
		s.reset.ended = true
		s.reset.mu.Unlock()
		err := s.api.cell.Load().close()
		s.reset.retired.Wait()
		closed <- err
	}()
	select {
	case storeErr := <-closed:
		return errors.Join(closeErr, err, storeErr)
	case <-time.After(time.Until(begun.Add(stopTimeout))):
		return errors.Join(closeErr, err, errors.New("the store did not close in time; what was acknowledged is durable"))
	}
}

// movingClientsOn has clients leave their connection once the server is stopping.
func (s *Server) movingClientsOn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.stopping.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// connections counts the open ones.
type connections struct {
	mu     sync.Mutex
	n      int
	waiter chan struct{} // closed when n becomes 0; nil if nobody waits
}

func newConnections() *connections { return &connections{} }

func (c *connections) track(_ net.Conn, state http.ConnState) {
	step := 0
	switch state {
	case http.StateNew:
		step = 1
	case http.StateClosed, http.StateHijacked:
		step = -1
	default:
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += step
	if c.n == 0 && c.waiter != nil {
		close(c.waiter)
		c.waiter = nil
	}
}

// none is closed once no connection is open.
func (c *connections) none() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := make(chan struct{})
	if c.n == 0 {
		close(done)
		return done
	}
	c.waiter = done
	return done
}
