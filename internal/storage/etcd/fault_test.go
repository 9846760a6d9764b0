package etcd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/etcd/server/v3/embed"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// wire is a TCP proxy in front of the cluster.
type wire struct {
	listener net.Listener
	deaf     atomic.Bool // requests do not arrive
	mute     atomic.Bool // answers do not arrive
	mu       sync.Mutex
	conns    []net.Conn
}

func newWire(t *testing.T) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{listener: l}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "http://"))
			if err != nil {
				in.Close()
				continue
			}
			w.mu.Lock()
			w.conns = append(w.conns, in, out)
			w.mu.Unlock()
			go w.copy(out, in, &w.deaf)
			go w.copy(in, out, &w.mute)
		}
	}()
	t.Cleanup(func() { l.Close(); w.cut() })
	return w
}

func (w *wire) copy(to io.Writer, from io.Reader, lost *atomic.Bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if !lost.Load() {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		c.Close()
	}
	w.conns = nil
}

// TestLostAnswers loses commits on the way there and answers on the way back, and asks what became of them.
func TestLostAnswers(t *testing.T) {
	w := newWire(t)
	e := openEngine(t, Options{Endpoints: []string{"http://" + w.listener.Addr().String()}, Timeout: 300 * time.Millisecond})
	defer e.Close()
	first := mustCommit(t, e, testBatch(1, "a", 0, put1("a/1", "one")))
	for i, c := range []struct {
		name     string
		lose     *atomic.Bool
		happened bool
	}{{"request lost", &w.deaf, false}, {"answer lost", &w.mute, true}} {
		b := testBatch(byte(10+i), fmt.Sprintf("u%d", i), 0, put1(fmt.Sprintf("u%d/1", i), "v"))
		c.lose.Store(true)
		rev, err := e.Commit(t.Context(), b)
		if rev != 0 || !errors.Is(err, storage.ErrUnknown) {
			t.Errorf("%s: Commit = %d, %v, want ErrUnknown", c.name, rev, err)
		}
		if rev, err := storage.Resolve(t.Context(), e, b, storage.CommitID{byte(20 + i)}); rev != 0 || !errors.Is(err, storage.ErrUnknown) {
			t.Errorf("%s: Resolve = %d, %v, want ErrUnknown", c.name, rev, err)
		}
		// What was swallowed is missing in the stream, so the connection is of no use any more.
		c.lose.Store(false)
		w.cut()
		deadline := time.Now().Add(5 * time.Second)
		for n := byte(0); ; n++ {
			rev, err = storage.Resolve(t.Context(), e, b, storage.CommitID{byte(30 + i), n})
			if !errors.Is(err, storage.ErrUnknown) || time.Now().After(deadline) {
				break
			}
		}
		if c.happened && (err != nil || rev <= first) || !c.happened && !errors.Is(err, storage.ErrConflict) {
			t.Errorf("%s: Resolve = %d, %v, the commit happened: %v", c.name, rev, err, c.happened)
		}
	}
}

// TestWatchSurvives cuts the connection under a watch: no commit may be missing or come twice.
func TestWatchSurvives(t *testing.T) {
	w := newWire(t)
	reader := openEngine(t, Options{Endpoints: []string{"http://" + w.listener.Addr().String()}})
	defer reader.Close()
	writer := openEngine(t, Options{Prefix: reader.opts.Prefix})
	defer writer.Close()
	const n = 60
	go func() {
		var head storage.Rev
		for i := range n {
			rev, err := writer.Commit(context.Background(), testBatch(byte(i+1), "a", head, put1("a/1", fmt.Sprint(i))))
			if err != nil {
				t.Error(err)
				return
			}
			head = rev
			if i%20 == 10 {
				w.cut()
			}
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seen := 0
	for c, err := range reader.Watch(ctx, 0) {
		if err != nil {
			t.Fatalf("after %d commits: %v", seen, err)
		}
		if got := string(c.Mutations[0].New); got != fmt.Sprint(seen) {
			t.Fatalf("commit %d of the watch is %s", seen, got)
		}
		if seen++; seen == n {
			break
		}
	}
}

// TestQuota fills a cluster with a small quota. The commit that goes over it is applied by etcd though it answers "space exceeded".
func TestQuota(t *testing.T) {
	server, at, err := startServer(t.TempDir(), func(c *embed.Config) { c.QuotaBackendBytes = 3 << 20 })
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	e := openEngine(t, Options{Endpoints: []string{at}})
	defer e.Close()
	var head storage.Rev
	done := 0
	for n := range 100 {
		var rev storage.Rev
		if rev, err = e.Commit(t.Context(), testBatch(byte(n+1), "a", head, put1("a/1", strings.Repeat(fmt.Sprint(n%10), 300_000)))); err != nil {
			break
		}
		head = rev
		done++
	}
	if !errors.Is(err, storage.ErrNoSpace) || errors.Is(err, storage.ErrUnknown) {
		t.Fatalf("after %d commits: %v, want ErrNoSpace", done, err)
	}
	if _, err := e.Commit(t.Context(), testBatch(200, "a", head, put1("a/2", "v"))); !errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("another commit: %v, want ErrNoSpace", err)
	}
	n := 0
	for _, err := range e.Log(t.Context(), "a", 0, 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != done || done == 0 {
		t.Errorf("the log holds %d commits, %d were acknowledged", n, done)
	}
}

const roleEnv = "GATEHOUSE_ETCD_TEST_ROLE"

// play makes the test binary a writer in another process: it counts up a/n under the given endpoint and prefix.
func play() bool {
	at, prefix, ok := strings.Cut(os.Getenv(roleEnv), ",")
	if !ok {
		return false
	}
	e, err := open(context.Background(), Options{Endpoints: []string{at}, Prefix: prefix, Retention: -1})
	if err == nil {
		err = count(e, 30, 100)
		e.Close()
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return true
}

// count adds one to the number at a/n, n times, against all comers.
func count(e *engine, n int, id byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for try := 0; n > 0; try++ {
		var head storage.Rev
		value := 0
		_, items := e.Snapshot(ctx, "a/", 0)
		for i, err := range items {
			if err != nil {
				return err
			}
			if i.Key == "a/n" {
				fmt.Sscan(string(i.Value), &value)
			} else {
				head = i.Rev
			}
		}
		b := testBatch(id, "a", head, put1("a/n", fmt.Sprint(value+1)))
		b.ID[1], b.ID[2] = byte(try>>8), byte(try)
		_, err := e.Commit(ctx, b)
		if err == nil {
			n--
		} else if !errors.Is(err, storage.ErrConflict) {
			return err
		}
	}
	return nil
}

func TestOtherProcess(t *testing.T) {
	e := openEngine(t, Options{})
	defer e.Close()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"="+endpoint+","+e.opts.Prefix)
	said := make(chan string, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		if err != nil {
			out = fmt.Appendf(out, "%v", err)
		}
		said <- string(out)
	}()
	if err := count(e, 30, 1); err != nil {
		t.Fatal(err)
	}
	if out := <-said; out != "" {
		t.Fatalf("the other process: %s", out)
	}
	n, last := 0, ""
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for c, err := range e.Watch(ctx, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if last = string(c.Mutations[0].New); last != fmt.Sprint(n+1) {
			t.Fatalf("commit %d sets %s", n, last)
		}
		if n++; n == 60 {
			break
		}
	}
}
