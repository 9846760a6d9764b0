package main

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	account    = "111122223333"
	rootKey    = "ROOTKEYEXAMPLE000001"
	rootSecret = "root/secret/for/tests/only/0000000000000"
)

var chosen = []string{"GATEHOUSE_ACCOUNT_ID=" + account, "GATEHOUSE_ROOT_ACCESS_KEY_ID=" + rootKey, "GATEHOUSE_ROOT_SECRET_ACCESS_KEY=" + rootSecret}

// output may be read while a command writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// world is an app in a directory of its own.
type world struct {
	*app
	dir string
}

func newWorld(t *testing.T, env ...string) *world {
	t.Helper()
	w := &world{dir: t.TempDir()}
	w.app = &app{environ: env, home: filepath.Join(w.dir, "home")}
	return w
}

// do runs a command to its end.
func (w *world) do(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	a := *w.app
	out, err := &output{}, &output{}
	a.stdout, a.stderr = out, err
	code = a.run(t.Context(), args)
	return code, out.String(), err.String()
}

// serving is a server in this process.
type serving struct {
	addr, url string
	out, err  *output
	stop      func() int
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start runs a serving command and waits until it is ready.
func (w *world) start(t *testing.T, args ...string) *serving {
	t.Helper()
	s := &serving{addr: freeAddr(t), out: &output{}, err: &output{}}
	s.url = "http://" + s.addr
	a := *w.app
	a.stdout, a.stderr = s.out, s.err
	ctx, cancel := context.WithCancel(context.Background()) // it ends in the cleanup
	done := make(chan int, 1)
	go func() { done <- a.run(ctx, append(args, "--listen", s.addr)) }()
	var once sync.Once
	code := 0
	s.stop = func() int {
		once.Do(func() {
			cancel()
			code = <-done
		})
		return code
	}
	t.Cleanup(func() {
		if code := s.stop(); code != 0 {
			t.Errorf("the server ended with code %d: %s", code, s.err)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case code := <-done:
			done <- code
			t.Fatalf("the server ended at once with code %d: %s", code, s.err)
		default:
		}
		if r, err := http.Get(s.url + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s
			}
		}
	}
	t.Fatalf("not ready within 20 s: %s", s.err)
	return nil
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		env  []string
		args []string
		want string
	}{
		{name: "nothing", want: "a command is missing"},
		{name: "unknown command", args: []string{"frob"}, want: `no command "frob"`},
		{name: "unknown flag", args: []string{"serve", "--frob"}, want: "unknown flag: --frob"},
		{name: "argument", args: []string{"dev", "now"}, want: "takes no arguments"},
		{name: "no data directory", args: []string{"serve"}, want: "--data-dir"},
		{name: "secrets are no flags", args: []string{"dev", "--root-password", "x"}, want: "unknown flag"},
		{name: "log level", args: []string{"dev", "--log-level", "loud"}, want: `--log-level: "loud"`},
		{name: "log format", args: []string{"dev"}, env: []string{"GATEHOUSE_LOG_FORMAT=xml"}, want: `GATEHOUSE_LOG_FORMAT: "xml"`},
		{name: "plain HTTP for all", args: []string{"dev", "--listen", ":8400"}, want: "--insecure-http"},
		{name: "quota name", args: []string{"dev", "--quota", "Users=3"}, want: "--quota: quota Users is not known"},
		{name: "quota form", args: []string{"dev", "--quota", "UsersPerAccount"}, want: "NAME=N"},
		{name: "quota of none", args: []string{"dev", "--quota", "UsersPerAccount=0"}, want: "less than 1"},
		{name: "network", args: []string{"dev", "--trusted-proxies", "10.0.0.0/33"}, want: "neither a network"},
		{name: "duration", args: []string{"serve", "--data-dir", "d", "--retention", "soon"}, want: "no duration"},
		{name: "negative duration", args: []string{"serve", "--data-dir", "d", "--retention", "-1d"}, want: "no duration"},
		{name: "short retention", args: []string{"serve", "--data-dir", "d", "--retention", "1m"}, want: "less than an hour"},
		{name: "boolean", args: []string{"dev"}, env: []string{"GATEHOUSE_INSECURE_HTTP=yes"}, want: "neither true nor false"},
		{name: "two forms of a secret", args: []string{"dev"}, env: []string{"GATEHOUSE_ROOT_PASSWORD=12345678", "GATEHOUSE_ROOT_PASSWORD_FILE=f"}, want: "choose one"},
		{name: "two master keys", args: []string{"serve", "--data-dir", "d"}, env: []string{"GATEHOUSE_MASTER_KEY=x", "GATEHOUSE_MASTER_KEY_FILE=f"}, want: "choose one"},
		{name: "no secret file", args: []string{"dev"}, env: []string{"GATEHOUSE_ROOT_PASSWORD_FILE=/none/here"}, want: "GATEHOUSE_ROOT_PASSWORD_FILE: open /none/here"},
		{name: "no configuration file", args: []string{"dev", "--config", "/none/here"}, want: "configuration file: open"},
		{name: "account id", args: []string{"dev"}, env: []string{"GATEHOUSE_ACCOUNT_ID=7"}, want: "12 digits"},
		{name: "admin alone", args: []string{"admin"}, want: "a command is missing"},
		{name: "admin of what", args: []string{"admin", "root-keys", "list"}, want: "--data-dir"},
		{name: "which key", args: []string{"admin", "root-keys", "delete"}, want: "delete ID"},
		{name: "init of whom", args: []string{"init"}, want: "--admin NAME"},
		{name: "init as whom", args: []string{"init", "--admin", "a"}, want: "GATEHOUSE_ROOT_ACCESS_KEY_ID"},
		{name: "init where", args: []string{"init", "--admin", "a", "--endpoint", "localhost:8400"}, env: chosen, want: "http://host:port"},
		{name: "profile name", args: []string{"init", "--admin", "a", "--write-profile", "a b"}, env: chosen, want: "profile name"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := newWorld(t, tt.env...).do(t, tt.args...)
			if code != exitUsage || !strings.Contains(stderr, tt.want) || !strings.HasPrefix(stderr, "gatehouse: ") {
				t.Errorf("code %d, stderr %q, want %d and %q", code, stderr, exitUsage, tt.want)
			}
			if stdout != "" {
				t.Errorf("stdout: %s", stdout)
			}
		})
	}
}

func TestRuntimeErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	missing := filepath.Join(w.dir, "none")
	code, _, stderr := w.do(t, "admin", "root-keys", "list", "--data-dir", missing)
	if code != exitError || !strings.Contains(stderr, "there is no store") {
		t.Errorf("admin without a store: %d %s", code, stderr)
	}
	code, _, stderr = w.do(t, "serve", "--data-dir", missing, "--listen", "127.0.0.1:0")
	if code != exitError || !strings.Contains(stderr, "--bootstrap-file") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("serve that cannot tell: %d %s", code, stderr)
	}
	if _, err := os.Stat(missing); err == nil {
		t.Error("it left a data directory behind")
	}
	w = newWorld(t, chosen...)
	code, _, stderr = w.do(t, "init", "--admin", "a", "--endpoint", "http://127.0.0.1:1")
	if code != exitError || !strings.Contains(stderr, "is the server running") {
		t.Errorf("init without a server: %d %s", code, stderr)
	}
}

func TestVersionAndCompletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if code, stdout, _ := w.do(t, "version"); code != exitOK || !strings.Contains(stdout, "commit") || !strings.Contains(stdout, "go1.") {
		t.Errorf("version: %d %q", code, stdout)
	}
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, stdout, stderr := w.do(t, "completion", shell); code != exitOK || len(stdout) < 1000 {
			t.Errorf("completion %s: %d, %d bytes, %s", shell, code, len(stdout), stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tests := []struct {
		command  string
		has, not []string
	}{
		{"serve", []string{"data-dir", "retention", "rotate-keys-every", "master-key-file", "tls-cert", "quota", "config"}, []string{"seed", "endpoint", "root-password", "master-key "}},
		{"dev", []string{"seed", "allow-remote-reset", "listen", "quota", "config"}, []string{"data-dir", "retention", "root-secret-access-key"}},
		{"init", []string{"admin", "write-profile", "endpoint", "ca-file", "bootstrap-file"}, []string{"listen", "root-access-key-id"}},
	}
	for _, tt := range tests {
		code, stdout, _ := w.do(t, tt.command, "--help")
		for _, name := range tt.has {
			if code != exitOK || !strings.Contains(stdout, "--"+name+" ") {
				t.Errorf("%s --help has no --%s", tt.command, name)
			}
		}
		for _, name := range tt.not {
			if strings.Contains(stdout, "--"+name) {
				t.Errorf("%s --help has --%s", tt.command, name)
			}
		}
	}
}

// A dev server on a terminal shows what it made; what was chosen it does not repeat.
func TestBanner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.terminal = true
	s := w.start(t, "dev")
	for _, want := range []string{s.url, "shown only now", "secret access key", "password", "RELAXED", "AWS_SECRET_ACCESS_KEY=", "_dev/reset", "gatehouse init --admin NAME"} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("the banner has no %q:\n%s", want, s.out)
		}
	}
	if strings.Contains(s.err.String(), "password") {
		t.Errorf("the log: %s", s.err)
	}
	w = newWorld(t, append([]string{"GATEHOUSE_ROOT_PASSWORD=a-chosen-password", "GATEHOUSE_TYPO=1", "GATEHOUSE_PORT_8400_TCP=tcp://10.0.0.1:8400"}, chosen...)...)
	w.terminal = true
	s = w.start(t, "dev", "--insecure-http", "--trusted-proxies", "0.0.0.0/0")
	for _, secret := range []string{rootSecret, "a-chosen-password"} {
		if strings.Contains(s.out.String()+s.err.String(), secret) {
			t.Errorf("a chosen secret is repeated:\n%s\n%s", s.out, s.err)
		}
	}
	for _, want := range []string{"plain HTTP", "trusted proxies are everybody", account} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("the banner has no %q:\n%s", want, s.out)
		}
	}
	if !strings.Contains(s.err.String(), "GATEHOUSE_TYPO") || strings.Contains(s.err.String(), "PORT_8400") {
		t.Errorf("the log on unknown variables: %s", s.err)
	}
}
