package robustness

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestKillFirstStart kills the server while it makes its store, its first account and the file with the root user's secrets. The next start
// ends the work, or says that the file of the start before has to go first; in the end the secrets in the file are those of the root user.
func TestKillFirstStart(t *testing.T) {
	thorough(t)
	t.Parallel()
	rng := random(t, 60)
	work := t.TempDir()
	outcomes := map[string]int{}
	whole := firstStart(t, filepath.Join(work, "whole"), time.Minute) // nobody kills this one
	for n := range 12 {
		base := filepath.Join(work, string(rune('a'+n)))
		outcome := "went on"
		for range 1 + rng.IntN(2) {
			firstStart(t, base, time.Duration(rng.Int64N(int64(whole+whole/4))))
		}
		o := options{bare: true, args: []string{"--bootstrap-file", base + "-secrets"}}
		s := launch(t, base, o)
		if err := s.ready(30 * time.Second); err != nil {
			outcome = "the file had to go"
			if err := s.refusal(base+"-secrets", "move it away"); err != nil {
				t.Fatalf("after kill %d: %v", n, err)
			}
			if err := os.Remove(base + "-secrets"); err != nil {
				t.Fatal(err)
			}
			s = start(t, base, o)
		}
		text, err := os.ReadFile(base + "-secrets")
		if err != nil {
			t.Fatalf("after kill %d: the server runs, and nobody knows the root user's key: %v", n, err)
		}
		var told struct {
			ID     string `json:"access_key_id"`
			Secret string `json:"secret_access_key"`
		}
		if err := json.Unmarshal(text, &told); err != nil || told.ID == "" || told.Secret == "" {
			t.Fatalf("after kill %d (%s): the server runs, and its bootstrap file has no key: %d bytes, %v", n, outcome, len(text), err)
		}
		c := newClient(s, credentials{told.ID, told.Secret})
		if who, err := c.caller(); err != nil || !strings.HasSuffix(who, ":root") {
			t.Errorf("after kill %d (%s): the key of the bootstrap file is %q, %v, want the root user", n, outcome, who, err)
		}
		c.must(t, nil, "CreateUser", "UserName", "first")
		c.close()
		s.kill()
		outcomes[outcome]++
	}
	t.Logf("a whole first start takes %s; outcomes: %v", whole.Round(time.Millisecond), outcomes)
}

// firstStart starts the server on a directory with nothing in it, kills it after the delay or when it is ready, and returns how long it ran.
func firstStart(t *testing.T, base string, delay time.Duration) time.Duration {
	t.Helper()
	begin := time.Now()
	s := launch(t, base, options{bare: true, args: []string{"--bootstrap-file", base + "-secrets"}})
	if delay == time.Minute {
		if err := s.ready(delay); err != nil {
			t.Fatalf("%v\n%s", err, s.err.tail())
		}
	} else {
		select {
		case <-time.After(delay):
		case <-s.exited:
		}
	}
	took := time.Since(begin)
	s.kill()
	if s.panicked() {
		t.Fatalf("the server panicked:\n%s", s.err.tail())
	}
	return took
}

// TestReadOnly starts the server on data that its user may not write.
func TestReadOnly(t *testing.T) {
	thorough(t)
	t.Parallel()
	const nobody = 65534
	work, err := os.MkdirTemp("", "gatehouse-readonly-") //nolint:usetesting // t.TempDir lies in a directory that is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		filepath.WalkDir(work, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				err = os.Chmod(path, 0o700)
			}
			return err
		})
		os.RemoveAll(work)
	})
	var o options
	owner := os.Geteuid()
	if owner == 0 { // root may write everything
		owner = nobody
		o.attr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	dir := filepath.Join(work, "data")
	for _, err := range []error{os.Mkdir(dir, 0o700), os.Chmod(work, 0o755), os.Chown(dir, owner, -1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, dir, o)
	c := newClient(s, root)
	c.must(t, nil, "CreateUser", "UserName", "there")
	c.close()
	s.mustStop(t)
	store := filepath.Join(dir, "gatehouse.db")
	for _, step := range []struct {
		name string
		harm func() error
		want []string
	}{
		{"the store cannot be written", func() error { return os.Chmod(store, 0o400) }, []string{"gatehouse.db", "permission denied"}},
		{"the store cannot be read", func() error { return os.Chmod(store, 0) }, []string{"gatehouse.db", "permission denied"}},
		{"the directory cannot be entered", func() error { return errors.Join(os.Chmod(store, 0o600), os.Chmod(dir, 0)) }, []string{dir, "permission denied"}},
		{"the directory cannot be written, and is empty", func() error {
			return errors.Join(os.Chmod(dir, 0o700), os.Remove(store), os.Remove(filepath.Join(dir, "master.key")), os.Chmod(dir, 0o500))
		}, []string{dir, "permission denied"}},
		{"the directory cannot be made", func() error { return errors.Join(os.Remove(dir), os.Chmod(work, 0o555)) }, []string{dir, "permission denied"}},
	} {
		if err := step.harm(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if err := launch(t, dir, o).refusal(step.want...); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		if step.name == "the directory cannot be entered" { // nothing was harmed so far
			if err := os.Chmod(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			s := start(t, dir, o)
			c := newClient(s, root)
			c.must(t, nil, "GetUser", "UserName", "there")
			c.close()
			s.mustStop(t)
		}
	}
}
