package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a self-signed pair for 127.0.0.1.
func writeCertificate(t *testing.T, certFile, keyFile, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, certFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	writeFile(t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})))
}

func writeFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestCertificateReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, certFile, keyFile, "first")
	l := &nodeLog{}
	now := time.Now()
	c := &certificate{certFile: certFile, keyFile: keyFile, log: l.logger(), now: func() time.Time { return now }}
	if err := c.load(); err != nil {
		t.Fatal(err)
	}
	serves := func(want string) {
		t.Helper()
		if got := c.current().Leaf.Subject.CommonName; got != want {
			t.Errorf("the certificate is of %q, want %q; log: %s", got, want, l)
		}
	}
	serves("first")
	writeCertificate(t, certFile, keyFile, "second")
	serves("first") // not looked at yet
	now = now.Add(certificateCheck)
	serves("second")

	// Half of a new pair, then the other half.
	other := t.TempDir()
	writeCertificate(t, filepath.Join(other, "c"), filepath.Join(other, "k"), "third")
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(other, from), to); err != nil {
			t.Fatal(err)
		}
	}
	move("c", certFile)
	for range 3 {
		now = now.Add(certificateCheck)
		serves("second")
	}
	if n := strings.Count(l.String(), "the one before stays"); n != 1 {
		t.Errorf("a pair that does not fit was reported %d times, want once: %s", n, l)
	}
	move("k", keyFile)
	now = now.Add(certificateCheck)
	serves("third")

	// Garbage and missing files.
	writeFile(t, certFile, "no certificate")
	now = now.Add(certificateCheck)
	serves("third")
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	now = now.Add(certificateCheck)
	serves("third")
	writeCertificate(t, certFile, keyFile, "fourth")
	now = now.Add(certificateCheck)
	serves("fourth")
}

func TestServesTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := nodeConfig()
	cfg.TLSCert, cfg.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeCertificate(t, cfg.TLSCert, cfg.TLSKey, "localhost")
	r := startNode(t, cfg)
	if !strings.HasPrefix(r.URL(), "https://") {
		t.Fatalf("URL %s", r.URL())
	}
	pool := x509.NewCertPool()
	text, err := os.ReadFile(cfg.TLSCert)
	if err != nil {
		t.Fatal(err)
	}
	pool.AppendCertsFromPEM(text)
	for _, h2 := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}, ForceAttemptHTTP2: h2}
		defer transport.CloseIdleConnections()
		if _, err := nodeCall(&http.Client{Transport: transport}, r.URL(), rootPair, "sts", "GetCallerIdentity"); err != nil {
			t.Errorf("HTTP/2 %v: %v", h2, err)
		}
	}
	old := &tls.Config{RootCAs: pool, ServerName: "localhost", MaxVersion: tls.VersionTLS11} // to see it refused
	if c, err := tls.Dial("tcp", strings.TrimPrefix(r.URL(), "https://"), old); err == nil {
		c.Close()
		t.Error("TLS 1.1 is accepted")
	}
}

func TestTLSFilesMustBeThere(t *testing.T) {
	t.Parallel()
	cfg := nodeConfig()
	cfg.TLSCert, cfg.TLSKey = filepath.Join(t.TempDir(), "none"), filepath.Join(t.TempDir(), "none")
	if _, err := Open(t.Context(), cfg, "v"); err == nil || !strings.Contains(err.Error(), "TLS certificate") {
		t.Errorf("got %v", err)
	}
}
