package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"
)

// Times a connection or a stop may take.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 90 * time.Second
	idleTimeout   = 120 * time.Second
)

const ballastBytes = 32 << 20

// Server is a node that is ready to serve. Open makes one, Serve runs it, Close ends it if it was never served.
type Server struct {
	cfg      *Config
	api      *api
	metrics  *metrics
	listener net.Listener
	failed   chan error // what ended the store before its time
	reset    resetter

	accepting   *accepting // the listener's innermost part
	stopping    atomic.Bool
	lastRequest atomic.Int64 // while stopping: when the last one came, in nanoseconds since 1970
}

// Open checks the configuration, opens the store, makes the first account where there is none, and listens. cfg is the server's from then
// on.
func Open(ctx context.Context, cfg *Config, version string) (*Server, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, metrics: newMetrics(version), failed: make(chan error, 1)}
	s.api = makeAPI(cfg, s.metrics)
	cfg.undecided = s.metrics.undecided
	var tlsConfig *tls.Config
	if cfg.TLS() {
		var err error
		if tlsConfig, err = reloadingTLS(cfg.TLSCert, cfg.TLSKey, cfg.Logger); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", cfg.Listen, err)
	}
	c, err := openCell(ctx, cfg)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.api.cell.Store(c)
	if err := s.prepareReset(ctx); err != nil {
		return nil, errors.Join(err, l.Close(), c.close())
	}
	s.accepting = &accepting{l}
	s.listener = s.believingProxies(s.accepting)
	if tlsConfig != nil {
		s.listener = tls.NewListener(s.listener, tlsConfig)
	}
	return s, nil
}

// Made is what the first start made, or nil if the store was there already.
func (s *Server) Made() *Made { return s.api.cell.Load().made }

// ManagementAccount is the id of the store's management account.
func (s *Server) ManagementAccount() string {
	return s.api.cell.Load().store.View().Directory().Management().Id
}

// URL is where clients reach the server.
func (s *Server) URL() string {
	scheme := "http"
	if s.cfg.TLS() {
		scheme = "https"
	}
	return scheme + "://" + s.listener.Addr().String()
}

// Serve answers requests until ctx ends or the store fails. Then it takes no new connections, finishes the requests under way, and closes
// the store, all in stopTimeout.
func (s *Server) Serve(ctx context.Context) error {
	s.api.cell.Load().serve(s.cfg, s.failed)
	open := newConnections()
	h := &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
		ConnState:      open.track,
	}
	// Memory that is never touched takes no room, but counts as live: without it a small store would be collected every few hundred calls.
	ballast := make([]byte, ballastBytes)
	defer runtime.KeepAlive(ballast)
	served := make(chan error, 1)
	go func() {
		served <- h.Serve(s.listener)
		close(served)
	}()
	var err error
	select {
	case err = <-served:
		err = fmt.Errorf("listen: %w", err)
	case err = <-s.failed:
		err = fmt.Errorf("the store: %w", err)
	case <-ctx.Done():
	}
	return errors.Join(err, s.stop(h, open, served))
}

// Close ends a server that was opened and will not be served.
func (s *Server) Close() error {
	return errors.Join(s.listener.Close(), s.api.cell.Load().close())
}
