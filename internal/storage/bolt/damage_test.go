package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// sample makes a store with a checkpoint, a trimmed log, records after the checkpoint and values of all sizes, and returns its file and what
// it holds, each before and after the last transaction.
func sample(t *testing.T) (path string, file []byte, want []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "store")
	e := openAt(t, path, Options{})
	heads := map[string]storage.Rev{}
	write := func(n int) {
		unit := fmt.Sprintf("u%d", n%5)
		ops := []storage.Op{
			put1(fmt.Sprintf("%s/%03d", unit, n%60), strings.Repeat(string(rune('a'+n%26)), n*n%3000)),
			{Kind: storage.Delete, Key: fmt.Sprintf("%s/%03d", unit, (n+25)%60)},
		}
		if n%40 == 0 {
			ops = append(ops, put1(unit+"/large", strings.Repeat("L", 20_000+n)))
		}
		rev, err := e.Commit(t.Context(), testBatch(uint64(n), unit, heads[unit], ops...))
		if err != nil {
			t.Fatal(err)
		}
		heads[unit] = rev
	}
	for n := range 200 {
		write(n)
	}
	if err := e.compact(50); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		write(200 + n)
	}
	before, err := contents(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	write(240)
	after, err := contents(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if file, err = os.ReadFile(path); err != nil { // as it is after a crash
		t.Fatal(err)
	}
	e.Close()
	return path, file, []string{before, after}
}

// contents is everything that can be read from the store.
func contents(ctx context.Context, e *engine) (string, error) {
	var b strings.Builder
	var rev storage.Rev
	for _, at := range []storage.Rev{0, 60, 200} {
		got, items := e.Snapshot(ctx, "", at)
		for i, err := range items {
			if err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "%d %s %d %s\n", at, i.Key, i.Rev, i.Value)
		}
		rev = max(rev, got)
	}
	for c, err := range e.Watch(ctx, 50) {
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%v\n", c)
		if c.Rev == rev {
			break
		}
	}
	for c, err := range e.Log(ctx, "u2", 60, 0) {
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%v\n", c.Rev)
	}
	return b.String(), nil
}

// TestDamage damages the file in many ways. Open must find it, or it must have hit nothing in use. A damaged meta page alone takes the store back by one transaction: it looks like a write that a crash has torn.
func TestDamage(t *testing.T) {
	t.Parallel()
	_, good, want := sample(t)
	page := os.Getpagesize()
	pages := len(good) / page
	m, err := readMeta(bytes.NewReader(good), int64(page))
	if err != nil {
		t.Fatal(err)
	}
	used := int(m.end)
	dir := t.TempDir()
	outcome := map[string]int{}
	for n := range 360 {
		r := rand.New(rand.NewPCG(uint64(n), 3))
		file := bytes.Clone(good)
		at := r.IntN(used)
		var what string
		switch n % 6 {
		case 0:
			size := r.IntN(used * page)
			if n%12 == 0 {
				size = at * page
			}
			file, what = file[:size], fmt.Sprintf("cut off at %d of %d", size, used*page)
		case 1:
			bit := r.IntN(page * 8)
			file[at*page+bit/8] ^= 1 << (bit % 8)
			what = fmt.Sprintf("bit %d of page %d of %d turned", bit, at, pages)
		case 2:
			clear(file[at*page:][:page])
			what = fmt.Sprintf("page %d of %d empty", at, pages)
		case 3:
			from := r.IntN(used)
			copy(file[at*page:][:page], good[from*page:])
			what = fmt.Sprintf("page %d written to %d", from, at)
		case 4:
			start := r.IntN(64) // where the headers and element tables are
			for i := range r.IntN(8) + 1 {
				file[at*page+start+i] = byte(r.Uint32())
			}
			what = fmt.Sprintf("page %d has other bytes from %d on", at, start)
		case 5:
			for i := r.IntN(page); i < page; i++ {
				file[at*page+i] = 0
			}
			what = fmt.Sprintf("page %d torn", at)
		}
		path := filepath.Join(dir, fmt.Sprint(n))
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := open(path, quiet(Options{}))
		if err != nil {
			if left, rerr := os.ReadFile(path); rerr != nil || len(file) > 0 && !bytes.Equal(left, file) {
				t.Errorf("%s: Open refused the file and changed it", what)
			}
			if !errors.Is(err, storage.ErrDamaged) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "backup") {
				t.Errorf("%s: Open: %v", what, err)
			}
			outcome["refused"]++
			os.Remove(path)
			continue
		}
		got, err := contents(t.Context(), e)
		switch {
		case err != nil && !errors.Is(err, storage.ErrDamaged):
			t.Errorf("%s: %v", what, err)
		case err != nil:
			outcome["found when read"]++
		case got == want[1]:
			outcome["harmless"]++
		case got == want[0] && !bytes.Equal(file[:2*page], good[:2*page]):
			outcome["one transaction back"]++
		case len(file) == 0 && got == "":
		default:
			t.Errorf("%s: the store opens and holds something else: %d bytes, want %d", what, len(got), len(want[1]))
		}
		e.Close()
		os.Remove(path)
	}
	t.Log(outcome)
	if outcome["refused"] < 200 || outcome["found when read"] > 0 || outcome["harmless"] == 0 {
		t.Errorf("the damage was not of all kinds: %v", outcome)
	}
}

func TestNotAStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	os.WriteFile(text, []byte(strings.Repeat("not a store\n", 4000)), 0o600)
	foreign := filepath.Join(dir, "foreign")
	db, err := bbolt.Open(foreign, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err })
	db.Close()
	newer := filepath.Join(dir, "newer")
	openAt(t, newer, Options{}).Close()
	db, err = bbolt.Open(newer, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(stateBucket).Put(stateKey, []byte{formatVersion + 1}) })
	db.Close()
	for path, want := range map[string]string{
		text: "not a Gatehouse store", foreign: "not a Gatehouse store", newer: "format version 2, this program knows 1",
		filepath.Join(dir, "absent", "store"): "no such file", dir: "is a directory",
	} {
		if e, err := Open(path, quiet(Options{})); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%s) = %v, %v, want an error with %q", path, e, err, want)
		}
	}
}

// TestFailedCommit lets the disk fail below bbolt, before and after the transaction has taken place.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	broken := errors.New("input/output error")
	for _, c := range []struct {
		name     string
		commit   func(*bbolt.Tx) error
		unknown  bool
		happened bool
	}{
		{"nothing written", func(tx *bbolt.Tx) error { tx.Rollback(); return broken }, false, false},
		{"meta page written, its sync failed", func(tx *bbolt.Tx) error { tx.Commit(); return broken }, true, true},
		{"panic before anything is written", func(*bbolt.Tx) error { panic("page 7 is damaged") }, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store")
			e := openAt(t, path, Options{})
			defer func() { e.Close() }()
			first, err := e.Commit(t.Context(), testBatch(1, "a", 0, put1("a/1", "one")))
			if err != nil {
				t.Fatal(err)
			}
			e.do(func() error { e.commitTx = c.commit; return nil })
			lost := testBatch(2, "a", first, put1("a/1", "two"))
			_, err = e.Commit(t.Context(), lost)
			if err == nil || errors.Is(err, storage.ErrUnknown) != c.unknown {
				t.Fatalf("Commit: %v, want ErrUnknown: %v", err, c.unknown)
			}
			if got := value(t, e, "a/1"); got != "one" {
				t.Errorf("a reader sees %q, which was not acknowledged", got)
			}
			// The disk goes on failing: every commit is refused, or not known, and reading goes on.
			e.Commit(t.Context(), testBatch(3, "b", 0, put1("b/1", "no")))
			e.do(func() error { e.commitTx = (*bbolt.Tx).Commit; return nil })
			rev, err := storage.Resolve(t.Context(), e, lost, storage.CommitID{9})
			if c.happened != (err == nil) || err != nil && !errors.Is(err, storage.ErrConflict) {
				t.Fatalf("Resolve = %d, %v, the commit happened: %v", rev, err, c.happened)
			}
			want := map[bool]string{true: "two", false: "one"}[c.happened]
			if got := value(t, e, "a/1"); got != want {
				t.Errorf("after Resolve a reader sees %q, want %q", got, want)
			}
			e.Close()
			e = openAt(t, path, Options{})
			if got := value(t, e, "a/1"); got != want {
				t.Errorf("after a reopen a reader sees %q, want %q", got, want)
			}
		})
	}
}

func value(t *testing.T, e *engine, key string) string {
	t.Helper()
	_, items := e.Snapshot(t.Context(), key, 0)
	for i, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		return string(i.Value)
	}
	return ""
}

func TestRetention(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var minutes atomic.Int64
	now := func() time.Time { return start.Add(time.Duration(minutes.Load()) * time.Minute) }
	path := filepath.Join(t.TempDir(), "store")
	e := openAt(t, path, Options{Retention: time.Hour, RetainCommits: 10, Now: now, tune: &pieces})
	defer e.Close()
	var head storage.Rev
	write := func(n int) {
		for range n {
			b := testBatch(uint64(head), "a", head, put1("a/1", fmt.Sprint(head)))
			b.Time = now()
			var err error
			if head, err = e.Commit(t.Context(), b); err != nil {
				t.Fatal(err)
			}
			minutes.Add(1)
		}
	}
	trim := func() storage.Rev {
		t.Helper()
		var trimmed storage.Rev
		if err := e.do(func() error {
			for more := true; more; {
				var err error
				if more, err = e.step(true, false); err != nil {
					return err
				}
			}
			trimmed = e.state.trimmed
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return trimmed
	}
	write(100)
	if got := trim(); got != 40 { // commit 40 was made 39 minutes after the start, now is 100 minutes after it
		t.Errorf("after 100 minutes the log is trimmed to %d, want 40", got)
	}
	minutes.Add(24 * 60)
	if got := trim(); got != 90 {
		t.Errorf("a day later the log is trimmed to %d, want 90: ten commits stay", got)
	}
	n := 0
	for _, err := range e.Log(t.Context(), "a", 91, 0) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != 10 {
		t.Errorf("the log holds %d commits, want 10", n)
	}
}
