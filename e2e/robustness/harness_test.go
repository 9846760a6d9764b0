package robustness

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The management account and its root user in every store of these tests.
const (
	account      = "111122223333"
	rootPassword = "root-password-for-tests"
)

var root = credentials{"ROOTKEYEXAMPLE000001", "root/secret/for/tests/only/0000000000000"}

var (
	program string
	seed    uint64
)

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	seed = rand.Uint64N(1 << 32)
	if text := os.Getenv("GATEHOUSE_FAULTS_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			fmt.Fprintln(os.Stderr, "GATEHOUSE_FAULTS_SEED:", err)
			return 1
		}
	}
	dir, err := os.MkdirTemp("", "gatehouse-faults-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // one test runs the binary as another user
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if program = os.Getenv("GATEHOUSE_FAULTS_BINARY"); program != "" { // one that is there already, such as a release
		return m.Run()
	}
	program = filepath.Join(dir, "gatehouse")
	build := exec.Command("go", "build", "-o", program, "../../cmd/gatehouse")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// thorough skips a test that only `make faults` runs.
func thorough(t *testing.T) {
	t.Helper()
	if os.Getenv("GATEHOUSE_FAULTS") == "" {
		t.Skip("SKIPPED: it takes long and is run by `make faults` (GATEHOUSE_FAULTS=1)")
	}
}

// random is the source of a test's choices, the same in each run with the same seed.
func random(t *testing.T, stream uint64) *rand.Rand {
	t.Helper()
	t.Logf("repeat the choices of this run with GATEHOUSE_FAULTS_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, stream))
}

// workDir is a directory that is kept if GATEHOUSE_FAULTS_KEEP says so.
func workDir(t *testing.T) string {
	t.Helper()
	keep := os.Getenv("GATEHOUSE_FAULTS_KEEP")
	if keep == "" {
		return t.TempDir()
	}
	dir := filepath.Join(keep, t.Name())
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// transcript is what a process printed.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// tail is the end of what was printed, for messages.
func (t *transcript) tail() string {
	text := t.String()
	if len(text) > 4000 {
		text = "…" + text[len(text)-4000:]
	}
	return text
}

// server is a process of the binary. It may have ended.
type server struct {
	addr   string
	cmd    *exec.Cmd
	out    transcript // standard output
	err    transcript // standard error
	exited chan struct{}
}

// options of a start. The zero value is good.
type options struct {
	args    []string // beside --listen and --data-dir
	env     []string
	bare    bool     // without the environment that fixes the root user
	wrapper []string // a command that runs the binary, such as sh -c
	attr    *syscall.SysProcAttr
}

// ports gives addresses below the range that the kernel takes for outgoing connections, so that a port that is free stays so.
var ports atomic.Int64

func freeAddr() string {
	ports.CompareAndSwap(0, 12000+rand.Int64N(8000))
	for {
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+(ports.Add(1)-12000)%18000)
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
}

// launch starts `gatehouse serve` on a data directory and does not wait for it.
func launch(t testing.TB, dir string, o options) *server {
	t.Helper()
	s := &server{addr: freeAddr(), exited: make(chan struct{})}
	args := append([]string{program, "serve", "--listen", s.addr, "--data-dir", dir}, o.args...)
	args = append(append([]string{}, o.wrapper...), args...)
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	if !o.bare {
		s.cmd.Env = append(s.cmd.Env, "GATEHOUSE_ACCOUNT_ID="+account, "GATEHOUSE_ROOT_ACCESS_KEY_ID="+root.id,
			"GATEHOUSE_ROOT_SECRET_ACCESS_KEY="+root.secret, "GATEHOUSE_ROOT_PASSWORD="+rootPassword)
	}
	s.cmd.Env = append(s.cmd.Env, o.env...)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.SysProcAttr = &s.out, &s.err, o.attr
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = s.cmd.Wait() // its result stands in ProcessState
		close(s.exited)
	}()
	t.Cleanup(s.kill)
	return s
}

// start is launch, and waits until the server is ready.
func start(t testing.TB, dir string, o options) *server {
	t.Helper()
	s := launch(t, dir, o)
	if err := s.ready(30 * time.Second); err != nil {
		t.Fatalf("%v\n%s", err, s.err.tail())
	}
	return s
}

// errEnded: the process has ended.
var errEnded = errors.New("the server has ended")

// ready waits until the server answers that it is ready.
func (s *server) ready(within time.Duration) error {
	for deadline := time.Now().Add(within); ; time.Sleep(2 * time.Millisecond) {
		if status, _, err := s.get("/readyz"); err == nil && status == 200 {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("%w before it was ready: %s", errEnded, s.cmd.ProcessState)
		default:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server was not ready within %s", within)
		}
	}
}

// get fetches a page of the server's own.
func (s *server) get(path string) (status int, body string, err error) {
	c, err := net.DialTimeout("tcp", s.addr, 5*time.Second)
	if err != nil {
		return 0, "", err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return 0, "", err
	}
	fmt.Fprintf(c, "GET %s HTTP/1.0\r\nHost: gatehouse\r\n\r\n", path)
	text, err := io.ReadAll(c)
	if err != nil {
		return 0, "", err
	}
	head, body, ok := strings.Cut(string(text), "\r\n\r\n")
	if !ok || len(head) < 12 {
		return 0, "", fmt.Errorf("GET %s was answered with %q", path, text)
	}
	status, err = strconv.Atoi(head[9:12])
	return status, body, err
}

// kill ends the process at once, if it still runs, and waits for its end.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// stop asks the process to end and returns how long that took and its exit code.
func (s *server) stop(within time.Duration) (took time.Duration, code int, err error) {
	begin := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, 0, err
	}
	select {
	case <-s.exited:
		return time.Since(begin), s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(within):
		return time.Since(begin), 0, fmt.Errorf("the server did not end within %s of SIGTERM", within)
	}
}

// end waits for a process that is expected to end by itself.
func (s *server) end(within time.Duration) (code int, err error) {
	select {
	case <-s.exited:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(within):
		return 0, fmt.Errorf("the server did not end within %s", within)
	}
}

// mustStop stops the process and fails the test if it does not end well.
func (s *server) mustStop(t testing.TB) {
	t.Helper()
	took, code, err := s.stop(12 * time.Second)
	if err != nil || code != 0 || took > 10*time.Second {
		t.Errorf("stop: exit code %d after %s, %v, want 0 within 10 s\n%s", code, took, err, s.err.tail())
	}
}

// panicked reports whether a process printed a stack.
func (s *server) panicked() bool {
	text := s.err.String() + s.out.String()
	return strings.Contains(text, "goroutine ") || strings.Contains(text, "panic:") || strings.Contains(text, "a request panicked")
}

// status is a field of /proc/PID/status in bytes, such as VmRSS or VmHWM.
func (s *server) status(t testing.TB, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return n << 10
		}
	}
	t.Fatalf("/proc has no %s", field)
	return 0
}

// files is the number of the process's open files.
func (s *server) files(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// copyDir copies the files of a data directory, which has no directories in it.
func copyDir(t testing.TB, to, from string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range list {
		b, err := os.ReadFile(filepath.Join(from, entry.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, entry.Name()), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
