package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func plainRequest(t *testing.T, target string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, http.NoBody)
}

func prefixes(list ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, s := range list {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}

func TestBehindProxies(t *testing.T) {
	t.Parallel()
	trusted := prefixes("10.0.0.0/8", "127.0.0.0/8", "fd00::/8", "::1/128")
	tests := []struct {
		name, peer string
		forwarded  []string
		proto      []string
		wantIP     string
		wantTLS    bool
	}{
		{name: "no headers", peer: "10.0.0.1:99", wantIP: "10.0.0.1"},
		{name: "one hop", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7"}, proto: []string{"https"}, wantIP: "192.0.2.7", wantTLS: true},
		{name: "scheme is not case-sensitive", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7"}, proto: []string{"HTTPS"}, wantIP: "192.0.2.7", wantTLS: true},
		{name: "plain", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7"}, proto: []string{"http"}, wantIP: "192.0.2.7"},
		{name: "untrusted peer", peer: "192.0.2.9:99", forwarded: []string{"10.1.1.1"}, proto: []string{"https"}, wantIP: "192.0.2.9"},
		{name: "two trusted hops", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7, 10.0.0.2"}, wantIP: "192.0.2.7"},
		{name: "two headers", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7", "10.0.0.2,10.0.0.3"}, wantIP: "192.0.2.7"},
		{name: "what the client made up", peer: "10.0.0.1:99", forwarded: []string{"127.0.0.1, 198.51.100.1, 192.0.2.7"}, wantIP: "192.0.2.7"},
		{name: "made up in a header of its own", peer: "10.0.0.1:99", forwarded: []string{"127.0.0.1", "192.0.2.7"}, wantIP: "192.0.2.7"},
		{name: "all trusted", peer: "10.0.0.1:99", forwarded: []string{"10.0.0.3, 10.0.0.2"}, wantIP: "10.0.0.3"},
		{name: "IPv6", peer: "[fd00::1]:99", forwarded: []string{"2001:db8::7"}, proto: []string{"https"}, wantIP: "2001:db8::7", wantTLS: true},
		{name: "IPv6 with port", peer: "[fd00::1]:99", forwarded: []string{"[2001:db8::7]:443"}, wantIP: "2001:db8::7"},
		{name: "IPv6 in brackets", peer: "[fd00::1]:99", forwarded: []string{"[2001:db8::7]"}, wantIP: "2001:db8::7"},
		{name: "IPv4 with port", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7:1234"}, wantIP: "192.0.2.7"},
		{name: "IPv4 peer in IPv6 form", peer: "[::ffff:10.0.0.1]:99", forwarded: []string{"192.0.2.7"}, wantIP: "192.0.2.7"},
		{name: "IPv4 hop in IPv6 form", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7, ::ffff:10.0.0.9"}, wantIP: "192.0.2.7"},
		{name: "garbage", peer: "10.0.0.1:99", forwarded: []string{"what?"}, wantIP: "10.0.0.1"},
		{name: "garbage behind a hop", peer: "10.0.0.1:99", forwarded: []string{"192.0.2.7, unknown, 10.0.0.2"}, wantIP: "10.0.0.2"},
		{name: "empty entries", peer: "10.0.0.1:99", forwarded: []string{",,"}, wantIP: "10.0.0.1"},
		{name: "a long way", peer: "10.0.0.1:99", forwarded: []string{strings.Repeat("10.0.0.2,", 5000) + "10.0.0.2"}, wantIP: "10.0.0.2"},
		{name: "a scheme that the client put before", peer: "10.0.0.1:99", proto: []string{"https, http"}, wantIP: "10.0.0.1"},
		{name: "a scheme of garbage", peer: "10.0.0.1:99", proto: []string{"https://"}, wantIP: "10.0.0.1"},
		{name: "a peer of garbage", peer: "@", forwarded: []string{"192.0.2.7"}, proto: []string{"https"}, wantIP: "@"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &Server{cfg: &Config{TrustedProxies: trusted}}
			r := plainRequest(t, "/")
			r.RemoteAddr = tt.peer
			for _, v := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", v)
			}
			for _, v := range tt.proto {
				r.Header.Add("X-Forwarded-Proto", v)
			}
			var ip string
			var secure bool
			s.behindProxies(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { ip, secure = sourceIP(r), overTLS(r) })).ServeHTTP(newRecorder(), r)
			if ip = strings.TrimPrefix(ip, "::ffff:"); ip != tt.wantIP || secure != tt.wantTLS {
				t.Errorf("got %s, TLS %v, want %s, TLS %v", ip, secure, tt.wantIP, tt.wantTLS)
			}
			if r.RemoteAddr != tt.peer {
				t.Error("the request itself was changed")
			}
		})
	}
}

func TestNoProxiesNoCost(t *testing.T) {
	t.Parallel()
	s := &Server{cfg: &Config{}}
	next := http.NewServeMux()
	if got := s.behindProxies(next); got != http.Handler(next) {
		t.Error("the chain has a link without proxies")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if s.believingProxies(l) != l {
		t.Error("the listener is wrapped without proxies")
	}
}

// TestProxyProtocol sends PROXY headers from 127.0.0.1, which is trusted or not.
func TestProxyProtocol(t *testing.T) {
	t.Parallel()
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + "\xc0\x00\x02\x07" + "\x0a\x00\x00\x01" + "\x30\x39\x01\xbb" // 192.0.2.7:12345 to 10.0.0.1:443
	local := "\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
	tests := []struct {
		name, header string
		trusted      bool
		want         string // source address, or "" for a connection without a good answer
	}{
		{"version 1", "PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n", true, "192.0.2.7"},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 12345 443\r\n", true, "2001:db8::7"},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", true, "127.0.0.1"},
		{"version 2", v2, true, "192.0.2.7"},
		{"version 2, a check of the proxy itself", local, true, "127.0.0.1"},
		{"no header", "", true, "127.0.0.1"},
		{"garbage", "PROXY TCP4 192.0.2.7\r\n", true, ""},
		{"not trusted: version 1", "PROXY TCP4 192.0.2.7 10.0.0.1 12345 443\r\n", false, ""},
		{"not trusted: version 2", v2, false, ""},
		{"not trusted: no header", "", false, "127.0.0.1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := &Config{TrustedProxies: prefixes("10.0.0.0/8")}
			if tt.trusted {
				cfg.TrustedProxies = prefixes("127.0.0.0/8")
			}
			s := &Server{cfg: cfg}
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			h := &http.Server{ReadHeaderTimeout: headerTimeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, sourceIP(r))
			})}
			go func() { _ = h.Serve(s.believingProxies(l)) }()
			defer h.Close()
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			fmt.Fprintf(c, "%sGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", tt.header)
			got := ""
			if answer, err := http.ReadResponse(bufio.NewReader(c), nil); err == nil {
				b, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				if answer.StatusCode == http.StatusOK {
					got = string(b)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzForwarded(f *testing.F) {
	for _, s := range []string{"192.0.2.7, 10.0.0.1", "[::1]:80,::1", ",", "fe80::1%eth0", "[", "[]", "1.2.3.4:"} {
		f.Add(s)
	}
	s := &Server{cfg: &Config{TrustedProxies: prefixes("10.0.0.0/8", "::/0")}}
	peer := netip.MustParseAddr("10.0.0.1")
	f.Fuzz(func(t *testing.T, header string) {
		if a := s.client(peer, []string{header}); !a.IsValid() || a.Zone() != "" || a.Is4In6() {
			t.Errorf("%q gives %v", header, a)
		}
	})
}
