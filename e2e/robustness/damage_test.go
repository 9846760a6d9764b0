package robustness

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/bolt"
)

// sample makes a data directory as a kill leaves it, with a checkpoint and a log behind it, and returns what it holds and what it held
// before its last write.
func sample(t *testing.T) (dir string, before, after *world) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "data")
	s := start(t, dir, options{})
	c := newClient(s, root)
	made := newWorld()
	do := func(call *intent) {
		t.Helper()
		a, err := c.iam(call.Op, call.parameters()...)
		if err != nil || a.code != "" {
			t.Fatalf("%s: %s, %v", call.Op, a, err)
		}
		var out struct {
			ID     string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
			Secret string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
		}
		if call.Op == "CreateAccessKey" {
			if err := xml.Unmarshal(a.body, &out); err != nil {
				t.Fatal(err)
			}
		}
		before = made.clone()
		if code := made.apply(call, credentials{out.ID, out.Secret}); code != "" {
			t.Fatalf("%s: the model says %s", call.Op, code)
		}
	}
	fill := func(from, to int) {
		for n := from; n < to; n++ {
			name := fmt.Sprintf("user-%03d", n)
			tags := map[string]string{}
			for i := range n % 9 {
				tags[fmt.Sprintf("Tag%02d", i)] = strings.Repeat(fmt.Sprint(n), 1+n%60)
			}
			do(&intent{Op: "CreateUser", User: name, Path: "/s/", Tags: tags})
			do(&intent{Op: "CreateAccessKey", User: name})
			do(&intent{Op: "PutUserPolicy", User: name, Policy: "p", Document: documents[n%len(documents)].text})
		}
	}
	fill(0, 30)
	do(&intent{Op: "CreateAccountAlias", Alias: "sample"})
	c.close()
	s.mustStop(t) // completes a checkpoint
	s = start(t, dir, options{})
	c = newClient(s, root)
	fill(30, 42)
	do(&intent{Op: "TagUser", User: "user-000", Tags: map[string]string{"last": "write"}})
	c.close()
	s.kill()
	return dir, before, made
}

// holds compares the server with a world.
func (w *world) holds(s *server) error {
	c := newClient(s, root)
	defer c.close()
	found, err := look(c, "/", w)
	if err != nil {
		return err
	}
	if found.String() != w.String() {
		return fmt.Errorf("it holds something else:\n%s", w.differences(found))
	}
	_, err = found.checkKeys(c)
	return err
}

// refusal checks how a process ended that could not start: with an exit code, and with one line for the operator that says all of want.
func (s *server) refusal(want ...string) error {
	code, err := s.end(20 * time.Second)
	if err != nil {
		return err
	}
	text := strings.TrimSpace(s.err.String())
	lines := strings.Split(text, "\n")
	last := lines[len(lines)-1]
	switch {
	case code <= 0:
		return fmt.Errorf("exit code %d, want one above 0:\n%s", code, text)
	case s.panicked():
		return fmt.Errorf("it printed a stack:\n%s", text)
	case !strings.HasPrefix(last, "gatehouse: "):
		return fmt.Errorf("its last line is no message:\n%s", text)
	}
	for _, line := range lines[:len(lines)-1] {
		if !strings.HasPrefix(line, "{") {
			return fmt.Errorf("beside the log, it printed more than one line:\n%s", text)
		}
	}
	for _, w := range want {
		if !strings.Contains(last, w) {
			return fmt.Errorf("its message has no %q:\n%s", w, last)
		}
	}
	return nil
}

// TestDamagedFile damages the store's file in many places. The server serves what was there or does not start and says what to do.
func TestDamagedFile(t *testing.T) {
	thorough(t)
	t.Parallel()
	dir, before, after := sample(t)
	good, err := os.ReadFile(filepath.Join(dir, "gatehouse.db"))
	if err != nil {
		t.Fatal(err)
	}
	rng := random(t, 50)
	work := t.TempDir()
	var mu sync.Mutex
	outcomes := map[string]int{}
	var running sync.WaitGroup
	turns := make(chan struct{}, 2)
	for n := range 120 {
		what, file := damage(rng, n, good)
		turns <- struct{}{}
		running.Go(func() {
			defer func() { <-turns }()
			copied := filepath.Join(work, fmt.Sprint(n))
			copyDir(t, copied, dir)
			path := filepath.Join(copied, "gatehouse.db")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Error(err)
				return
			}
			outcome, err := meet(t, copied, before, after, !bytes.Equal(file[:min(len(file), 2*os.Getpagesize())], good[:2*os.Getpagesize()]))
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if left, err := os.ReadFile(path); outcome == "refused" && (err != nil || !bytes.Equal(left, file)) {
				t.Errorf("%s: the server refused the file and changed it, %v", what, err)
			}
			os.RemoveAll(copied)
			mu.Lock()
			outcomes[outcome]++
			mu.Unlock()
		})
	}
	running.Wait()
	t.Logf("damage of %d bytes in %d places: %v", len(good), 120, outcomes)
	if outcomes["refused"] < 40 || outcomes["harmless"] == 0 {
		t.Errorf("the damage was not of all kinds: %v", outcomes)
	}
}

// meet starts the server on a damaged directory. Where a meta page was hit, the store may stand where it stood before its last write, if
// the log says so: that is how a torn write looks.
func meet(t *testing.T, dir string, before, after *world, meta bool) (outcome string, err error) {
	s := launch(t, dir, options{})
	defer s.kill()
	if err := s.ready(30 * time.Second); err != nil {
		return "refused", s.refusal("gatehouse.db", "backup")
	}
	err = after.holds(s)
	if err != nil && meta && before.holds(s) == nil && strings.Contains(s.err.String(), "meta pages") {
		return "one write back", nil
	}
	if s.panicked() {
		err = fmt.Errorf("it panicked:\n%s", s.err.tail())
	}
	return "harmless", err
}

// damage gives the nth damaged form of a file.
func damage(r *rand.Rand, n int, good []byte) (what string, file []byte) {
	file = bytes.Clone(good)
	page := os.Getpagesize()
	pages := len(good) / page
	at := r.IntN(pages)
	if n%5 == 0 { // the pages that everything hangs on
		at = r.IntN(4)
	}
	switch n % 8 {
	case 0:
		size := []int{1, 16, page / 2, page, 2 * page, 3*page + 7, len(good) / 2, len(good) - page}[n/8%8]
		return fmt.Sprintf("cut off at %d of %d", size, len(good)), file[:size]
	case 1, 2:
		bit := r.IntN(page * 8)
		file[at*page+bit/8] ^= 1 << (bit % 8)
		return fmt.Sprintf("bit %d of page %d turned", bit, at), file
	case 3:
		clear(file[at*page:][:page])
		return fmt.Sprintf("page %d is empty", at), file
	case 4:
		from := r.IntN(pages)
		copy(file[at*page:][:page], good[from*page:])
		return fmt.Sprintf("page %d is written to %d", from, at), file
	case 5:
		start := r.IntN(64) // where headers and tables are
		for i := range r.IntN(8) + 1 {
			file[at*page+start+i] = byte(r.Uint32())
		}
		return fmt.Sprintf("page %d has other bytes from %d on", at, start), file
	case 6:
		from := r.IntN(page)
		clear(file[at*page+from : (at+1)*page])
		return fmt.Sprintf("page %d is torn at %d", at, from), file
	}
	for i := range page {
		file[at*page+i] = byte(r.Uint32())
	}
	return fmt.Sprintf("page %d is noise", at), file
}

// TestForgottenStore damages the store so that it looks like one in which nothing was written yet. A server that began anew there would
// have lost everything without a word.
func TestForgottenStore(t *testing.T) {
	thorough(t)
	t.Parallel()
	dir, before, after := sample(t)
	for _, c := range []struct {
		name string
		harm func(file []byte) []byte
	}{
		{"no bytes", func([]byte) []byte { return nil }},
		{"one bit turned: the root page has no elements", func(file []byte) []byte {
			count := file[newestRoot(file)*os.Getpagesize()+10:]
			if count[0] != 4 || count[1] != 0 { // the four buckets
				t.Fatalf("the root page has %d elements", binary.NativeEndian.Uint16(count))
			}
			count[0] = 0
			return file
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "data")
			copyDir(t, copied, dir)
			path := filepath.Join(copied, "gatehouse.db")
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, c.harm(file), 0o600); err != nil {
				t.Fatal(err)
			}
			if outcome, err := meet(t, copied, before, after, false); err != nil || outcome != "refused" {
				t.Errorf("%s, %v, want refused", outcome, err)
			}
		})
	}
}

// newestRoot is the page of the root bucket: in bbolt's format the newer of two meta pages names it.
func newestRoot(file []byte) int {
	root, newest := uint64(0), uint64(0)
	for _, at := range []int{0, os.Getpagesize()} {
		meta := file[at+16:]
		if txn := binary.NativeEndian.Uint64(meta[48:]); txn >= newest {
			root, newest = binary.NativeEndian.Uint64(meta[16:]), txn
		}
	}
	return int(root)
}

// TestBadStart starts the server where it cannot serve. It says why, in one line, and changes nothing.
func TestBadStart(t *testing.T) {
	thorough(t)
	t.Parallel()
	dir, _, after := sample(t)
	for _, c := range []struct {
		name string
		harm func(dir string) error
		want []string
	}{
		{"no master key", func(dir string) error { return os.Remove(filepath.Join(dir, "master.key")) }, []string{"master.key", "put the file back", "--master-key-file"}},
		{"another master key", func(dir string) error {
			other := filepath.Join(t.TempDir(), "other")
			s := start(t, other, options{})
			s.mustStop(t)
			b, err := os.ReadFile(filepath.Join(other, "master.key"))
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(dir, "master.key"), b, 0o600)
		}, []string{"master key", "--master-key-file"}},
		{"an empty master key", func(dir string) error { return os.WriteFile(filepath.Join(dir, "master.key"), nil, 0o600) }, []string{"master.key"}},
		{"a cut master key", func(dir string) error {
			path := filepath.Join(dir, "master.key")
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, b[:len(b)/2], 0o600)
		}, []string{"master.key"}},
		{"a master key that all can read", func(dir string) error { return os.Chmod(filepath.Join(dir, "master.key"), 0o644) }, []string{"master.key", "chmod"}},
		{"a later format", laterFormat, []string{"format level 99", "level 1", "run the version that wrote it"}},
		{"not a store", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "gatehouse.db"), bytes.Repeat([]byte("not a store\n"), 4000), 0o600)
		}, []string{"gatehouse.db", "not a Gatehouse store"}},
		{"a directory in its place", func(dir string) error {
			path := filepath.Join(dir, "gatehouse.db")
			if err := os.Remove(path); err != nil {
				return err
			}
			return os.Mkdir(path, 0o700)
		}, []string{"gatehouse.db", "is a directory"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "data")
			copyDir(t, copied, dir)
			if err := c.harm(copied); err != nil {
				t.Fatal(err)
			}
			if err := launch(t, copied, options{}).refusal(c.want...); err != nil {
				t.Error(err)
			}
		})
	}
	t.Run("in use", func(t *testing.T) {
		s := start(t, dir, options{})
		if err := launch(t, dir, options{}).refusal("gatehouse.db", "in use by another process"); err != nil {
			t.Error(err)
		}
		if err := after.holds(s); err != nil {
			t.Errorf("the first server: %v", err)
		}
		c := newClient(s, root)
		defer c.close()
		c.must(t, nil, "CreateUser", "UserName", "still-writes")
		c.must(t, nil, "DeleteUser", "UserName", "still-writes")
		if err := launch(t, t.TempDir(), options{args: []string{"--listen", s.addr}}).refusal(s.addr, "in use"); err != nil {
			t.Errorf("the address is in use: %v", err)
		}
	})
}

// laterFormat makes the store one of a version that is not written yet.
func laterFormat(dir string) error {
	e, err := bolt.Open(filepath.Join(dir, "gatehouse.db"), bolt.Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	var head storage.Rev
	_, items := e.Snapshot(context.Background(), "cell/"+storage.HeadName, 0)
	for item, err := range items {
		if err != nil {
			return err
		}
		head = item.Rev
	}
	b := storage.Batch{
		Time:  time.Now().UTC().Truncate(time.Microsecond).Add(time.Second),
		Units: []storage.Condition{{Unit: "cell", Head: head, Write: true}},
		Ops:   []storage.Op{{Kind: storage.Put, Key: storage.FormatKey, Value: []byte("99")}},
	}
	binary.BigEndian.PutUint64(b.ID[:], 1<<60)
	_, err = e.Commit(context.Background(), b)
	return err
}
