package server

import (
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// Limits of a request before its meaning is known.
const (
	maxBody   = 4 << 20 // bytes; documents of 1 MiB fit in their form encoding
	maxHeader = 64 << 10
	maxLogged = 128              // bytes of what a client names itself
	maxCall   = 60 * time.Second // after which nothing of a call is under way any more
)

// api serves the AWS APIs.
type api struct {
	cell     atomic.Pointer[cell]
	replaced bool // the cell may be replaced while calls are under way: see acquire
	bodies   bodies
	metrics  *metrics
	log      *slog.Logger
}

func makeAPI(cfg *Config, m *metrics) *api {
	return &api{replaced: cfg.Dev, bodies: newBodies(), metrics: m, log: cfg.Logger}
}

// handler is the chain that every request goes through, from the outside in.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", s.api)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", s.metrics.handler())
	if s.cfg.Dev {
		mux.HandleFunc("POST /_dev/reset", s.devReset)
	}
	chain := []func(http.Handler) http.Handler{
		s.recovering,
		s.movingClientsOn,
		s.behindProxies,
	}
	var h http.Handler = plainMux{mux, s.api}
	for i := len(chain) - 1; i >= 0; i-- {
		h = chain[i](h)
	}
	return h
}

// plainMux gives requests to "/" straight to the APIs: every call of the query services goes there, and http.ServeMux would redirect
// paths that are not clean, which changes what was signed.
type plainMux struct {
	mux *http.ServeMux
	api http.Handler
}

func (p plainMux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/" {
		if h, pattern := p.mux.Handler(r); pattern != "/" {
			h.ServeHTTP(w, r)
			return
		}
	}
	p.api.ServeHTTP(w, r)
}

// recovering keeps a panic from ending more than its own request.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler { //nolint:errorlint // a panic value, which nobody wraps
				panic(p)
			}
			s.metrics.panics.Inc()
			s.cfg.Logger.Error("a request panicked", "panic", p, "stack", string(debug.Stack()))
			panic(http.ErrAbortHandler) // the answer may be half written: the connection ends here
		}()
		next.ServeHTTP(w, r)
	})
}

// ServeHTTP is the order of docs/spec/wire.md 1.8.
func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := time.Now()
	cell := a.acquire()
	defer a.release(cell)
	body, release, bodyErr := a.bodies.read(r)
	defer release()
	claim, claimErr := sigv4.Parse(r)
	q, err := wire.Identify(r, body, Services, claim.Scope.Service)
	q.ID = keyring.UUID()
	if bodyErr != nil {
		err = bodyErr
	}
	var out any
	var account string
	if err == nil {
		out, account, err = a.call(cell, q, &claim, claimErr, now)
	}
	var code string
	if err != nil {
		code = err.Fault.CodeFor(q.Protocol)
		_, _ = wire.WriteError(w, q, err)
	} else {
		_, _ = wire.WriteResponse(w, q, out)
	}
	a.metrics.observe(q.Operation, code, time.Since(now))
	level := slog.LevelDebug
	if err != nil {
		level = slog.LevelInfo
		if err.Fault.Status >= 500 {
			level = slog.LevelWarn
		}
	}
	if a.log.Enabled(r.Context(), level) {
		a.log.LogAttrs(r.Context(), level, "request", slog.String("request_id", q.ID), slog.String("action", q.Action[:min(len(q.Action), maxLogged)]), slog.String("code", code),
			slog.String("account", account), slog.String("access_key", claim.AccessKeyID), slog.String("source_ip", sourceIP(r)), slog.Duration("took", time.Since(now)))
	}
}

// call authenticates and serves an identified request. account is that of the caller, "" before it is known.
func (a *api) call(cell *cell, q *wire.Request, claim *sigv4.Claim, claimErr error, now time.Time) (out any, account string, err *wire.Error) {
	v := cell.store.View()
	c := &service.Call{Request: q, Vault: cell.vault, Usage: cell.usage, Sessions: cell.sessions}
	if q.Operation == nil || !q.Operation.NoAuth {
		c.Caller, err = cell.authenticator.Authenticate(v, q, claim, claimErr, now)
		if err != nil {
			return nil, "", err
		}
		if id := c.Caller.UsageID(); id != "" {
			cell.usage.Seen(c.Caller.Account, id, claim.Scope.Service, claim.Scope.Region, now)
		}
	}
	if q.Operation == nil {
		return nil, c.Caller.Account, q.Unknown()
	}
	c.Context, c.Environment = q.HTTP.Context(), environment(q, c.Caller.Region, now)
	out, err = cell.registry.Serve(c)
	return out, c.Caller.Account, err
}

// environment is what a request says of itself. region is that of its signature, which the endpoints of STS have; all other services have
// one endpoint.
func environment(q *wire.Request, region string, now time.Time) authz.Environment {
	if q.Service != stsapi.Service || region == "" {
		region = globalRegion
	}
	return authz.Environment{
		Time: now, SourceIP: sourceIP(q.HTTP), UserAgent: q.HTTP.UserAgent(), Referer: q.HTTP.Referer(), Region: region, Secure: overTLS(q.HTTP),
	}
}

const globalRegion = "us-east-1"

// sourceIP is the client's address without its port, as proxies that are trusted gave it.
func sourceIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
