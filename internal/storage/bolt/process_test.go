package bolt

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// roleEnv makes the test binary play a part in another process instead of running tests.
const roleEnv = "GATEHOUSE_BOLT_TEST_ROLE"

var ctx = context.Background()

var roles = map[string]func(path string) error{}

func TestMain(m *testing.M) {
	if role, path, ok := strings.Cut(os.Getenv(roleEnv), ":"); ok {
		if err := roles[role](path); err != nil {
			fmt.Println("failed:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func play(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"="+role+":"+path)
	cmd.Stderr = os.Stderr
	return cmd
}

func testBatch(n uint64, unit string, head storage.Rev, ops ...storage.Op) storage.Batch {
	b := storage.Batch{Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Units: []storage.Condition{{Unit: unit, Head: head, Write: true}}, Ops: ops}
	binary.BigEndian.PutUint64(b.ID[:], n+1)
	return b
}

func put1(key, value string) storage.Op {
	return storage.Op{Kind: storage.Put, Key: key, Value: []byte(value)}
}

func init() {
	// hold keeps the file open until its input ends.
	roles["hold"] = func(path string) error {
		e, err := open(path, Options{})
		if err != nil {
			return err
		}
		fmt.Println("open")
		bufio.NewReader(os.Stdin).ReadString('\n')
		return e.Close()
	}
	// write commits for ever, from eight goroutines, and prints what was acknowledged.
	roles["write"] = func(path string) error {
		e, err := open(path, Options{tune: &pieces})
		if err != nil {
			return err
		}
		for w := range 8 {
			go func() {
				unit := fmt.Sprintf("u%d", w)
				head, n := storage.Rev(0), 0
				_, items := e.Snapshot(ctx, unit+"/", 0)
				for i, err := range items {
					if err != nil {
						fmt.Println("failed:", err)
						return
					}
					if i.Key == unit+"/n" {
						n, _ = strconv.Atoi(string(i.Value))
					} else if _, ok := storage.SplitHead(i.Key); ok {
						head = i.Rev
					}
				}
				for {
					n++
					rev, err := e.Commit(ctx, testBatch(uint64(n), unit, head, put1(unit+"/n", strconv.Itoa(n)), put1(fmt.Sprintf("%s/k%d", unit, n%50), strconv.Itoa(n))))
					if err != nil {
						fmt.Println("failed:", err)
						return
					}
					fmt.Printf("%s %d %d\n", unit, n, rev)
					head = rev
				}
			}()
		}
		select {}
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	cmd := play(t, "hold", path)
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	_, err := Open(path, quiet(Options{}))
	if want := "storage: " + path + " is in use by another process: stop it first"; err == nil || err.Error() != want {
		t.Errorf("Open of a file in use: %v, want %q", err, want)
	}
	in.Close()
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	openAt(t, path, Options{}).Close()
}

// TestKill kills a writing process again and again: every acknowledged commit must be there, and the file must be whole.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store")
	acknowledged := map[string]int{}
	for round := range 6 {
		cmd := play(t, "write", path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; lines.Scan(); n++ {
			var unit string
			var count, rev int
			if _, err := fmt.Sscan(lines.Text(), &unit, &count, &rev); err == nil {
				acknowledged[unit] = max(acknowledged[unit], count)
			} else if strings.HasPrefix(lines.Text(), "failed") {
				t.Fatal(lines.Text())
			}
			if n == 100+70*round {
				cmd.Process.Kill()
			}
		}
		cmd.Wait()

		e := openAt(t, path, Options{})
		found := map[string]string{}
		_, items := e.Snapshot(t.Context(), "", 0)
		for i, err := range items {
			if err != nil {
				t.Fatal(err)
			}
			found[i.Key] = string(i.Value)
		}
		for unit, n := range acknowledged {
			got, _ := strconv.Atoi(found[unit+"/n"])
			if got < n || got > n+1 {
				t.Errorf("round %d: the counter of %s is %d, acknowledged was %d", round, unit, got, n)
			}
			if last := found[fmt.Sprintf("%s/k%d", unit, got%50)]; last != strconv.Itoa(got) {
				t.Errorf("round %d: commit %d of %s is there by half: %q", round, got, unit, last)
			}
			acknowledged[unit] = got
		}
		replay(t, e, found)
		e.Close()
	}
}

// replay checks that the log from the beginning leads to the items.
func replay(t *testing.T, e *engine, want map[string]string) {
	t.Helper()
	values := map[string]string{}
	for c, err := range e.Watch(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range c.Mutations {
			if old, had := values[m.Key]; had != (m.Old != nil) || old != string(m.Old) {
				t.Fatalf("record %d changes %s from %q, it was %q", c.Rev, m.Key, m.Old, old)
			}
			if values[m.Key] = string(m.New); m.New == nil {
				delete(values, m.Key)
			}
		}
		if c.Rev == e.view.rev {
			break
		}
	}
	for k, v := range want {
		if _, isHead := storage.SplitHead(k); !isHead && values[k] != v {
			t.Errorf("the log leads to %s=%q, the items say %q", k, values[k], v)
		}
	}
	for k, v := range values {
		if want[k] != v {
			t.Errorf("the log leads to %s=%q, the items say %q", k, v, want[k])
		}
	}
}

// full is a store on a disk that gets full and gets space again.
func full(path string, shrink, grow func() error) error {
	e, err := open(path, quiet(Options{}))
	if err != nil {
		return err
	}
	value := strings.Repeat("v", 20_000)
	var head storage.Rev
	n := 0
	write := func() error {
		rev, err := e.Commit(ctx, testBatch(uint64(n), "a", head, put1(fmt.Sprintf("a/%05d", n), value)))
		if err == nil {
			head, n = rev, n+1
		}
		return err
	}
	check := func(when string) error {
		count := 0
		_, items := e.Snapshot(ctx, "a/", 0)
		for i, err := range items {
			if err != nil {
				return fmt.Errorf("%s: %w", when, err)
			}
			if _, isHead := storage.SplitHead(i.Key); isHead && i.Rev != head {
				return fmt.Errorf("%s: the head is %d, want %d", when, i.Rev, head)
			} else if !isHead {
				if len(i.Value) != len(value) {
					return fmt.Errorf("%s: %s has %d bytes", when, i.Key, len(i.Value))
				}
				count++
			}
		}
		if count != n {
			return fmt.Errorf("%s: %d keys, %d were acknowledged", when, count, n)
		}
		return nil
	}
	for range 10 {
		if err := write(); err != nil {
			return err
		}
	}
	for round := range 3 {
		if err := shrink(); err != nil {
			return err
		}
		for err == nil && n < 5000 {
			err = write()
		}
		if !errors.Is(err, storage.ErrNoSpace) || errors.Is(err, storage.ErrUnknown) {
			return fmt.Errorf("round %d: after %d commits on the full disk: %v, want ErrNoSpace", round, n, err)
		}
		for range 3 {
			if err := write(); !errors.Is(err, storage.ErrNoSpace) {
				return fmt.Errorf("round %d: another commit on the full disk: %v, want ErrNoSpace", round, err)
			}
		}
		if e.suspect != nil {
			return fmt.Errorf("round %d: the file is suspect: %w", round, e.suspect)
		}
		// A checkpoint does not fit either; it must not do harm.
		cerr := e.do(e.checkpointNow)
		if err := check("on the full disk"); err != nil {
			return fmt.Errorf("round %d (checkpoint: %v): %w", round, cerr, err)
		}
		if err := grow(); err != nil {
			return err
		}
		for range 20 {
			if err = write(); err != nil {
				return fmt.Errorf("round %d: there is space again, but: %w", round, err)
			}
		}
		if err := e.do(e.checkpointNow); err != nil {
			return fmt.Errorf("round %d: there is space again, but no checkpoint: %w", round, err)
		}
		if err := check("with space again"); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	if err := e.Close(); err != nil {
		return err
	}
	if e, err = open(path, quiet(Options{})); err != nil {
		return err
	}
	defer e.Close()
	return check("after a reopen")
}
