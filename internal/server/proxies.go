package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/pires/go-proxyproto"
)

// believingProxies takes the client's address from PROXY protocol headers (version 1 or 2) of trusted proxies, which may leave them out.
// From anybody else such a header is not read: it is garbage where a request should begin.
func (s *Server) believingProxies(l net.Listener) net.Listener {
	if len(s.cfg.TrustedProxies) == 0 {
		return l
	}
	return &proxyproto.Listener{
		Listener:          l,
		ReadHeaderTimeout: headerTimeout,
		ConnPolicy: func(o proxyproto.ConnPolicyOptions) (proxyproto.Policy, error) {
			if peer, ok := parseHop(o.Upstream.String()); ok && s.trusts(peer) {
				return proxyproto.USE, nil
			}
			return proxyproto.SKIP, nil
		},
	}
}

func (s *Server) trusts(a netip.Addr) bool {
	for _, p := range s.cfg.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

type schemeKey struct{}

// behindProxies believes X-Forwarded-For and X-Forwarded-Proto of trusted proxies, and of nobody else. Behind it r.RemoteAddr is the
// client's address and overTLS says how the client came.
func (s *Server) behindProxies(next http.Handler) http.Handler {
	if len(s.cfg.TrustedProxies) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, ok := parseHop(r.RemoteAddr)
		if !ok || !s.trusts(peer) {
			next.ServeHTTP(w, r)
			return
		}
		if proto := r.Header["X-Forwarded-Proto"]; len(proto) > 0 {
			r = r.WithContext(context.WithValue(r.Context(), schemeKey{}, allHTTPS(proto)))
		} else {
			r = r.WithContext(r.Context()) // a copy that may be changed
		}
		if client := s.client(peer, r.Header["X-Forwarded-For"]); client != peer {
			r.RemoteAddr = netip.AddrPortFrom(client, 0).String()
		}
		next.ServeHTTP(w, r)
	})
}

// client is the right-most hop that is no trusted proxy: what stands left of it the client may have made up. A hop that cannot be read
// ends the way back at the proxy that passed it on.
func (s *Server) client(peer netip.Addr, forwarded []string) netip.Addr {
	for i := len(forwarded) - 1; i >= 0; i-- {
		for hops := forwarded[i]; hops != ""; {
			at := strings.LastIndexByte(hops, ',')
			hop, ok := parseHop(strings.TrimSpace(hops[at+1:]))
			if !ok {
				return peer
			}
			if peer = hop; !s.trusts(peer) {
				return peer
			}
			hops = hops[:max(at, 0)]
		}
	}
	return peer
}

// parseHop reads an address with or without a port. Zones are dropped and IPv4 in IPv6 is IPv4.
func parseHop(hop string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(hop)
	if err != nil {
		if ap, err := netip.ParseAddrPort(hop); err == nil {
			a = ap.Addr()
		} else if len(hop) > 2 && hop[0] == '[' && hop[len(hop)-1] == ']' {
			a, _ = netip.ParseAddr(hop[1 : len(hop)-1])
		}
	}
	return a.Unmap().WithZone(""), a.IsValid()
}

// allHTTPS reports whether every hop was over TLS. The client can add hops on the left: it can make a secure way look insecure, not the
// other way round.
func allHTTPS(proto []string) bool {
	for _, list := range proto {
		for p := range strings.SplitSeq(list, ",") {
			if !strings.EqualFold(strings.TrimSpace(p), "https") {
				return false
			}
		}
	}
	return true
}

// overTLS reports whether the client sent the request over TLS, to this server or to a trusted proxy that says so.
func overTLS(r *http.Request) bool {
	if v, ok := r.Context().Value(schemeKey{}).(bool); ok {
		return v
	}
	return r.TLS != nil
}
