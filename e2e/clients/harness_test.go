package clients

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The root user of every server in these tests.
const (
	account    = "111122223333"
	rootKey    = "ROOTKEYEXAMPLE000001"
	rootSecret = "root/secret/for/tests/only/0000000000000"
)

var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gatehouse-e2e-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "gatehouse")
	build := exec.Command("go", "build", "-o", binary, "../../cmd/gatehouse")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// server is a running gatehouse process.
type server struct {
	url string
	cmd *exec.Cmd
	log *bytes.Buffer
}

// start runs the binary with a command such as "dev" and waits until it is ready.
func start(t *testing.T, args ...string) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s := &server{url: "http://" + addr, log: &bytes.Buffer{}}
	s.cmd = exec.Command(binary, append(args, "--listen", addr)...)
	s.cmd.Env = append(os.Environ(),
		"GATEHOUSE_ACCOUNT_ID="+account, "GATEHOUSE_ROOT_ACCESS_KEY_ID="+rootKey, "GATEHOUSE_ROOT_SECRET_ACCESS_KEY="+rootSecret,
		"GATEHOUSE_ROOT_PASSWORD=root-password-for-tests")
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- s.cmd.Wait() }()
	t.Cleanup(func() {
		s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(15 * time.Second):
			s.cmd.Process.Kill()
			t.Error("the server did not stop within 15 s of SIGTERM")
		}
		if t.Failed() {
			t.Logf("server log:\n%s", s.log)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case err := <-exited:
			t.Fatalf("the server ended at once: %v\n%s", err, s.log)
		default:
		}
		if r, err := http.Get(s.url + "/readyz"); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s
			}
		}
	}
	t.Fatalf("the server was not ready within 20 s\n%s", s.log)
	return nil
}

// keys are an access key.
type keys struct{ id, secret string }

var root = keys{rootKey, rootSecret}

// environment is that of a client that signs with k and knows nothing else.
func (s *server) environment(t *testing.T, k keys) []string {
	env := slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "AWS_") || strings.HasPrefix(v, "HTTP_PROXY=") || strings.HasPrefix(v, "http_proxy=")
	})
	home := t.TempDir()
	return append(env,
		"AWS_ENDPOINT_URL="+s.url, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1", "AWS_ACCESS_KEY_ID="+k.id, "AWS_SECRET_ACCESS_KEY="+k.secret,
		"AWS_CONFIG_FILE="+filepath.Join(home, "config"), "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(home, "credentials"),
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
}

// need skips the test where a client is not installed, or fails it where the client is required.
func need(t *testing.T, client string, installed func() error) {
	t.Helper()
	required := slices.Contains(strings.Split(os.Getenv("GATEHOUSE_E2E_REQUIRE"), ","), client)
	if os.Getenv("GATEHOUSE_E2E") == "" && !required {
		t.Skipf("%s is tested by `make e2e` (GATEHOUSE_E2E=1)", client)
	}
	if err := installed(); err != nil {
		if required {
			t.Fatalf("%s is required but not installed: %v", client, err)
		}
		t.Skipf("%s IS NOT TESTED: not installed: %v", client, err)
	}
}

// command runs a client and returns what it printed on both streams, apart.
func command(t *testing.T, dir string, env []string, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	var o, e bytes.Buffer
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env, c.Stdout, c.Stderr = dir, env, &o, &e
	c.Stdin = io.NopCloser(strings.NewReader(""))
	err = c.Run()
	return o.String(), e.String(), err
}
