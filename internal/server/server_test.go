package server

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

const (
	nodeAccount = "111122223333"
	nodeRootKey = "ROOTKEYEXAMPLE000001"
	nodeSecret  = "root/secret/for/tests/only/0000000000000"
)

// nodeBootstrap fixes everything, without a password: hashing it would be the slowest part of every test.
func nodeBootstrap() Bootstrap {
	return Bootstrap{AccountID: nodeAccount, RootAccessKeyID: nodeRootKey, RootSecretAccessKey: keyring.NewSecret(nodeSecret)}
}

func nodeConfig() *Config {
	return &Config{Listen: "127.0.0.1:0", Bootstrap: nodeBootstrap()}
}

// node is a server that serves.
type node struct {
	*Server
	cancel context.CancelFunc
	done   chan error
}

func startNode(t testing.TB, cfg *Config) *node {
	t.Helper()
	s, err := Open(t.Context(), cfg, "v-test")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background()) // ends in the cleanup, after the test's own context
	r := &node{Server: s, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	return r
}

// end stops the server; again it does nothing.
func (r *node) end() error {
	r.cancel()
	err, open := <-r.done
	if open {
		close(r.done)
	}
	return err
}

type keyPair struct{ id, secret string }

var rootPair = keyPair{nodeRootKey, nodeSecret}

// nodeError is the error of an answer.
type nodeError struct {
	Code    string `xml:"Error>Code"`
	Message string `xml:"Error>Message"`
}

func (e *nodeError) Error() string { return e.Code + ": " + e.Message }

// nodeCall signs and sends a call of an awsQuery service. Arguments are names and values.
func nodeCall(c *http.Client, endpoint string, k keyPair, service, action string, args ...string) (string, error) {
	version := map[string]string{"iam": "2010-05-08", "sts": "2011-06-15"}[service]
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i < len(args); i += 2 {
		form.Set(args[i], args[i+1])
	}
	body := form.Encode()
	r, err := http.NewRequest(http.MethodPost, endpoint+"/", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := sigv4.Sign(r, []byte(body), sigv4.Credentials{AccessKeyID: k.id, SecretAccessKey: k.secret}, "us-east-1", service, time.Now()); err != nil {
		return "", err
	}
	answer, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", err
	}
	if answer.StatusCode != http.StatusOK {
		e := &nodeError{}
		if err := xml.Unmarshal(text, e); err != nil {
			return "", errors.New(string(text))
		}
		return "", e
	}
	return string(text), nil
}

func (r *node) iam(t *testing.T, k keyPair, action string, args ...string) string {
	t.Helper()
	out, err := nodeCall(http.DefaultClient, r.URL(), k, "iam", action, args...)
	if err != nil {
		t.Fatalf("%s %v: %v", action, args, err)
	}
	return out
}

// refused checks that a call fails with a code.
func (r *node) refused(t *testing.T, k keyPair, code, action string, args ...string) {
	t.Helper()
	out, err := nodeCall(http.DefaultClient, r.URL(), k, "iam", action, args...)
	var e *nodeError
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("%s %v as %s: got %q, %v, want code %s", action, args, k.id, out, err, code)
	}
}

// newKey makes a user's access key.
func (r *node) newKey(t *testing.T, user string) keyPair {
	t.Helper()
	var k struct {
		ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	if err := xml.Unmarshal([]byte(r.iam(t, rootPair, "CreateAccessKey", "UserName", user)), &k); err != nil {
		t.Fatal(err)
	}
	return keyPair{k.ID, k.Secret}
}

func httpGet(t *testing.T, url string) (status int, body string) {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// nodeLog collects what a server logs.
type nodeLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *nodeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *nodeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (l *nodeLog) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

func TestHealthReadinessMetrics(t *testing.T) {
	t.Parallel()
	r := startNode(t, nodeConfig())
	r.iam(t, rootPair, "ListUsers")
	r.refused(t, rootPair, "NoSuchEntity", "GetUser", "UserName", "nobody")
	if status, body := httpGet(t, r.URL()+"/healthz"); status != 200 || body != "ok\n" {
		t.Errorf("healthz: %d %q", status, body)
	}
	if status, body := httpGet(t, r.URL()+"/readyz"); status != 200 || body != "ready\n" {
		t.Errorf("readyz: %d %q", status, body)
	}
	_, body := httpGet(t, r.URL()+"/metrics")
	for _, want := range []string{
		`gatehouse_calls_total{action="iam:ListUsers",code=""} 1`,
		`gatehouse_calls_total{action="iam:GetUser",code="NoSuchEntity"} 1`,
		`gatehouse_call_seconds_count{action="iam:ListUsers"} 1`,
		`gatehouse_panics_total 0`, `gatehouse_decision_failures_total 0`,
		`gatehouse_build_info{go="`, `version="v-test"} 1`,
		"go_goroutines", "process_resident_memory_bytes",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	r.stopping.Store(true)
	if status, body := httpGet(t, r.URL()+"/readyz"); status != 503 || body != "stopping\n" {
		t.Errorf("readyz while stopping: %d %q", status, body)
	}
}

func TestUnknownKeysAreRefused(t *testing.T) {
	t.Parallel()
	for _, dev := range []bool{false, true} {
		cfg := nodeConfig()
		cfg.Dev = dev
		r := startNode(t, cfg)
		for _, k := range []keyPair{{"AKIAIOSFODNN7EXAMPLE", nodeSecret}, {"test", "test"}, {"", ""}} {
			if out, err := nodeCall(http.DefaultClient, r.URL(), k, "sts", "GetCallerIdentity"); err == nil {
				t.Errorf("dev %v: key %q is accepted: %s", dev, k.id, out)
			}
		}
		r.refused(t, keyPair{nodeRootKey, "another secret of any length"}, "SignatureDoesNotMatch", "ListUsers")
	}
}

func TestPanicEndsOneRequest(t *testing.T) {
	t.Parallel()
	l := &nodeLog{}
	s := &Server{cfg: &Config{Logger: l.logger()}, metrics: newMetrics("v")}
	mux := http.NewServeMux()
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("on purpose") })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "fine") })
	h := s.recovering(mux)
	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // a panic value, which nobody wraps
				t.Errorf("the connection ends with %v, not by http.ErrAbortHandler", p)
			}
		}()
		h.ServeHTTP(newRecorder(), plainRequest(t, "/panic"))
	}()
	if text := l.String(); !strings.Contains(text, "on purpose") || !strings.Contains(text, "server_test.go") {
		t.Errorf("the log does not say what panicked and where: %s", text)
	}
	w := newRecorder()
	h.ServeHTTP(w, plainRequest(t, "/other"))
	if w.Body.String() != "fine" {
		t.Errorf("the next request got %q", w.Body)
	}
}

// TestLogs runs everything that handles secrets and looks for them in the log at its finest level.
func TestLogs(t *testing.T) {
	t.Parallel()
	l := &nodeLog{}
	cfg := &Config{Listen: "127.0.0.1:0", DataDir: filepath.Join(t.TempDir(), "data"), Logger: l.logger(), Show: true}
	r := startNode(t, cfg)
	made := r.Made()
	root := keyPair{made.RootAccessKeyID, made.RootSecretAccessKey.Reveal()}
	if _, err := nodeCall(http.DefaultClient, r.URL(), root, "iam", "CreateUser", "UserName", "alice"); err != nil {
		t.Fatal(err)
	}
	out, err := nodeCall(http.DefaultClient, r.URL(), root, "iam", "CreateAccessKey", "UserName", "alice")
	if err != nil {
		t.Fatal(err)
	}
	secret := between(out, "<SecretAccessKey>", "</SecretAccessKey>")
	alice := keyPair{between(out, "<AccessKeyId>", "</AccessKeyId>"), secret}
	r.refused(t, alice, "AccessDenied", "ListUsers")
	r.refused(t, keyPair{alice.id, "wrong-secret-of-alice-in-this-test"}, "SignatureDoesNotMatch", "ListUsers")
	requestID := ""
	if resp, err := http.Get(r.URL() + "/?Action=ListUsers&Version=2010-05-08"); err != nil {
		t.Fatal(err)
	} else {
		requestID = resp.Header.Get("x-amzn-RequestId")
		resp.Body.Close()
	}
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	text := l.String()
	for what, s := range map[string]string{
		"the root secret": root.secret, "the root password": made.RootPassword.Reveal(), "a user's secret": secret, "a wrong secret": "wrong-secret-of-alice-in-this-test",
	} {
		if len(s) < 16 {
			t.Fatalf("%s is %q: the test is broken", what, s)
		}
		if strings.Contains(text, s) || strings.Contains(text, url.QueryEscape(s)) {
			t.Errorf("the log holds %s", what)
		}
	}
	if requestID == "" || !strings.Contains(text, `"request_id":"`+requestID+`"`) {
		t.Errorf("request id %q of the answer is not in the log:\n%s", requestID, text)
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, `"msg":"request"`) && !strings.Contains(line, `"request_id":"`) {
			t.Errorf("a request without its id: %s", line)
		}
	}
}

func between(s, begin, end string) string {
	_, s, _ = strings.Cut(s, begin)
	s, _, _ = strings.Cut(s, end)
	return s
}
