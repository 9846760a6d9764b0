package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// How long a stop takes at most, and what of that each part may use.
const (
	stopTimeout  = 9500 * time.Millisecond // everything
	drainTimeout = 7 * time.Second         // requests under way, what follows included
	moveTimeout  = 5 * time.Second         // clients to move on from open connections
	moveQuiet    = 2 * time.Second         // less, if no client has asked anything for so long
	lastAccepts  = 20 * time.Millisecond   // connections that were made but not taken yet
)

// stop ends a server without cutting a request. Closing an idle connection could meet a request that its client is just sending, so
// connections are not closed at first: each further request on them is answered with "Connection: close", until all are gone or the
// clients that are left have been silent for moveQuiet.
func (s *Server) stop(h *http.Server, open *connections, served <-chan error) error {
	begun := time.Now()
	// The listener goes first: clients that are sent on would connect to it again.
	s.accepting.finish()
	select {
	case <-served: //nolint:errcheck // it ends because its listener was closed
	case <-time.After(time.Second):
	}
	err := s.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	s.lastRequest.Store(time.Now().UnixNano())
	s.stopping.Store(true)
	s.awaitMoved(open.none(), begun.Add(moveTimeout))
	drain, cancel := context.WithDeadline(context.Background(), begun.Add(drainTimeout))
	defer cancel()
	if shutErr := h.Shutdown(drain); shutErr != nil && !errors.Is(shutErr, net.ErrClosed) { // the listener is closed already
		err = errors.Join(err, fmt.Errorf("requests were still under way %s after the stop began: %w", drainTimeout, errors.Join(shutErr, h.Close())))
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
		return errors.Join(err, storeErr)
	case <-time.After(time.Until(begun.Add(stopTimeout))):
		return errors.Join(err, errors.New("the store did not close in time; what was acknowledged is durable"))
	}
}

// awaitMoved waits until none is closed, no request has come for moveQuiet, or the end.
func (s *Server) awaitMoved(none <-chan struct{}, end time.Time) {
	for {
		quiet := time.Unix(0, s.lastRequest.Load()).Add(moveQuiet)
		wait := min(time.Until(quiet), time.Until(end))
		if wait <= 0 {
			return
		}
		select {
		case <-none:
			return
		case <-time.After(wait):
		}
	}
}

// movingClientsOn has clients leave their connection once the server is stopping.
func (s *Server) movingClientsOn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.stopping.Load() {
			s.lastRequest.Store(time.Now().UnixNano())
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

// accepting is a listener that can be ended without dropping connections that clients have made and nobody has taken: closing a socket
// resets those.
type accepting struct{ net.Listener }

// finish has Accept take what is there, and then close the listener.
func (a *accepting) finish() {
	if d, ok := a.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		_ = d.SetDeadline(time.Now().Add(lastAccepts)) // an error means that it is closed
	}
}

func (a *accepting) Accept() (net.Conn, error) {
	c, err := a.Listener.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errors.Join(net.ErrClosed, a.Close()) // net/http would take the timeout for a passing trouble
	}
	return c, err
}
