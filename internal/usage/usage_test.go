package usage

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

const acme, globex = "111111111111", "222222222222"

var noon = time.Date(2026, 3, 1, 12, 0, 0, 123456789, time.UTC)

func newID() (id storage.CommitID) {
	rand.Read(id[:])
	return id
}

func openTracker(t testing.TB, e storage.Engine, node string) *Tracker {
	t.Helper()
	u, err := Open(t.Context(), e, node, newID, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func flush(t testing.TB, u *Tracker) {
	t.Helper()
	if err := u.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, u *Tracker, key string, at time.Time, service string) {
	t.Helper()
	got, ok := u.LastUse(key)
	if !ok || !got.At.Equal(at.Truncate(time.Second)) || got.Service != service {
		t.Errorf("%s on %s: %v, %t; want %s at %s", key, u.node, got, ok, service, at)
	}
}

func records(t testing.TB, e storage.Engine) map[string]string {
	t.Helper()
	_, items := e.Snapshot(t.Context(), prefix, 0)
	all := map[string]string{}
	for item, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		if _, isHead := storage.SplitHead(item.Key); !isHead {
			all[item.Key] = string(item.Value)
		}
	}
	return all
}

func TestMerge(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	a, b := openTracker(t, e, "a"), openTracker(t, e, "b")
	if _, ok := a.LastUse("AKIA1"); ok {
		t.Error("a key that was never used has a use")
	}
	a.Seen(acme, "AKIA1", "iam", "us-east-1", noon.Add(time.Hour))
	a.Seen(acme, "AKIA1", "sts", "us-east-1", noon) // late, and earlier
	b.Seen(acme, "AKIA1", "sts", "eu-west-1", noon.Add(time.Minute))
	b.Seen(acme, "AKIA2", "sts", "eu-west-1", noon.Add(2*time.Hour))
	a.Seen(globex, "AKIA3", "s3", "us-east-1", noon)
	a.Seen(acme, "AKIA2", "iam", "us-east-1", noon)
	want(t, a, "AKIA1", noon.Add(time.Hour), "iam")
	want(t, b, "AKIA1", noon.Add(time.Minute), "sts")
	flush(t, a)
	flush(t, b)
	for _, node := range []string{"a", "b", "c"} {
		u := openTracker(t, e, node)
		want(t, u, "AKIA1", noon.Add(time.Hour), "iam")
		want(t, u, "AKIA2", noon.Add(2*time.Hour), "sts")
		want(t, u, "AKIA3", noon, "s3")
		before := records(t, e)
		flush(t, u)
		if !maps.Equal(records(t, e), before) {
			t.Error("what was only read was written again")
		}
	}
	u := openTracker(t, e, "a") // writes go on where the unit stands
	u.Seen(acme, "AKIA2", "iam", "us-east-1", noon.Add(3*time.Hour))
	flush(t, u)
	want(t, openTracker(t, e, "c"), "AKIA2", noon.Add(3*time.Hour), "iam")
	if n := len(records(t, e)); n != 5 {
		t.Errorf("%d records: %v", n, records(t, e))
	}
}

// TestSameSecond checks that nodes agree on the last use, whatever order they learn of uses in one second.
func TestSameSecond(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	a, b := openTracker(t, e, "a"), openTracker(t, e, "b")
	a.Seen(acme, "AKIA1", "iam", "us-east-1", noon)
	b.Seen(acme, "AKIA1", "sts", "us-east-1", noon)
	b.Seen(acme, "AKIA1", "iam", "us-east-1", noon.Add(10*time.Millisecond))
	want(t, b, "AKIA1", noon, "iam") // a node knows the order of its own calls
	b.Seen(acme, "AKIA1", "sts", "us-east-1", noon.Add(20*time.Millisecond))
	flush(t, a)
	flush(t, b)
	for _, u := range []*Tracker{a, b, openTracker(t, e, "c")} {
		if err := u.load(t.Context()); err != nil {
			t.Fatal(err)
		}
		want(t, u, "AKIA1", noon, "sts")
	}
}

// TestHeadConflicts moves the head of the unit under the tracker, and loses answers.
func TestHeadConflicts(t *testing.T) {
	t.Parallel()
	e := &flaky{Engine: memory.New(memory.Options{})}
	u := openTracker(t, e, "a")
	for i, answers := range [][]error{
		{}, {storage.ErrConflict}, {storage.ErrUnknown}, {storage.ErrUnknown, storage.ErrConflict}, {errLost}, {errLost, errLost}, nil,
	} {
		if answers == nil { // somebody else writes to the unit
			if _, err := e.Engine.Commit(t.Context(), storage.Batch{
				ID: newID(), Units: []storage.Condition{{Unit: prefix + acme + "/a", Head: head(t, e, prefix+acme+"/a"), Write: true}},
			}); err != nil {
				t.Fatal(err)
			}
		}
		e.answers = answers
		at := noon.Add(time.Duration(i) * time.Hour)
		u.Seen(acme, "AKIA1", "iam", "us-east-1", at)
		flush(t, u)
		if len(e.answers) > 0 {
			t.Errorf("step %d: %v was not asked for", i, e.answers)
		}
		want(t, openTracker(t, e, "b"), "AKIA1", at, "iam")
	}
	e.answers = []error{storage.ErrNoSpace}
	u.Seen(acme, "AKIA1", "iam", "us-east-1", noon.Add(100*time.Hour))
	u.Seen(globex, "AKIA2", "iam", "us-east-1", noon.Add(100*time.Hour))
	if err := u.Flush(t.Context()); !errors.Is(err, storage.ErrNoSpace) {
		t.Errorf("Flush = %v", err)
	}
	if fresh := openTracker(t, e, "b"); len(records(t, e)) != 2 { // one account's failure is not the other's
		t.Errorf("%v", fresh)
	}
	flush(t, u)
	want(t, openTracker(t, e, "b"), "AKIA1", noon.Add(100*time.Hour), "iam")
}

var errLost = fmt.Errorf("%w: but it happened", storage.ErrUnknown)

// flaky is an engine that answers its next commits with errors.
type flaky struct {
	storage.Engine
	mu      sync.Mutex
	answers []error
}

func (e *flaky) Commit(ctx context.Context, b storage.Batch) (storage.Rev, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.answers) > 0 {
		err := e.answers[0]
		e.answers = e.answers[1:]
		if errors.Is(err, errLost) {
			if _, inner := e.Engine.Commit(ctx, b); inner != nil {
				return 0, inner
			}
		}
		if err != nil {
			return 0, err
		}
	}
	return e.Engine.Commit(ctx, b)
}

func head(t testing.TB, e storage.Engine, unit string) (rev storage.Rev) {
	_, items := e.Snapshot(t.Context(), unit+"/"+storage.HeadName, 0)
	for item, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		rev = item.Rev
	}
	return rev
}

// TestRun lets two nodes run: each learns what the other wrote within a flush, and the last use is written when they end.
func TestRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := memory.New(memory.Options{Retention: 5})
		a, b := openTracker(t, e, "a"), openTracker(t, e, "b")
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for _, u := range []*Tracker{a, b} {
			go func() { ended <- u.Run(ctx) }()
		}
		for i := range 20 {
			at := time.Now()
			a.Seen(acme, "AKIA1", fmt.Sprint("s", i), "us-east-1", at)
			want(t, a, "AKIA1", at, fmt.Sprint("s", i)) // at once
			time.Sleep(FlushEvery + 2*time.Second)
			synctest.Wait()
			want(t, b, "AKIA1", at, fmt.Sprint("s", i))
		}
		before := records(t, e)
		time.Sleep(10 * FlushEvery)
		if !maps.Equal(records(t, e), before) {
			t.Error("nothing was seen, but something written")
		}
		last := time.Now()
		b.Seen(globex, "AKIA2", "sts", "eu-west-1", last)
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		want(t, openTracker(t, e, "c"), "AKIA2", last, "sts")
	})
}

// TestSweep deletes keys: their use is forgotten a day after it, on all nodes and in the store, that of dead nodes included.
func TestSweep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := memory.New(memory.Options{})
		dead := openTracker(t, e, "dead")
		for i := range 250 {
			dead.Seen(acme, fmt.Sprint("AKIADEAD", i), "iam", "us-east-1", time.Now())
		}
		dead.Seen(acme, "AKIAKEPT", "iam", "us-east-1", time.Now())
		flush(t, dead)
		var mu sync.Mutex
		gone := map[string]bool{}
		exists := func(account, key string) bool {
			mu.Lock()
			defer mu.Unlock()
			return account == acme && !gone[key] && !strings.HasPrefix(key, "AKIADEAD")
		}
		a, b := openTracker(t, e, "a"), openTracker(t, e, "b")
		a.KeepOnly(exists)
		b.KeepOnly(exists)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		for _, u := range []*Tracker{a, b} {
			u.Seen(acme, "AKIAGONE", "iam", "us-east-1", time.Now())
			u.Seen(acme, "AKIALATE", "iam", "us-east-1", time.Now().Add(12*time.Hour))
			go func() { ended <- u.Run(ctx) }()
		}
		time.Sleep(time.Minute)
		mu.Lock()
		gone["AKIAGONE"], gone["AKIALATE"] = true, true
		mu.Unlock()
		time.Sleep(3 * time.Hour)
		if n := len(records(t, e)); n != 250+1+4 {
			t.Errorf("%d records before their time", n)
		}
		time.Sleep(23 * time.Hour)
		if n := len(records(t, e)); n != 1+2 {
			t.Errorf("%d records after a day: %v", n, records(t, e))
		}
		time.Sleep(12 * time.Hour)
		synctest.Wait()
		left := records(t, e)
		if _, ok := left["usage/"+acme+"/dead/key/AKIAKEPT"]; !ok || len(left) != 1 {
			t.Errorf("left is %v", left)
		}
		for _, u := range []*Tracker{a, b} {
			for _, key := range []string{"AKIAGONE", "AKIALATE", "AKIADEAD7"} {
				if use, ok := u.LastUse(key); ok {
					t.Errorf("%s still knows %s: %v", u.node, key, use)
				}
			}
			if _, ok := u.LastUse("AKIAKEPT"); !ok {
				t.Errorf("%s has forgotten a key that exists", u.node)
			}
		}
		a.Seen(acme, "AKIANEW", "iam", "us-east-1", time.Now())
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if len(records(t, e)) != 2 {
			t.Errorf("after the sweep the unit takes no writes: %v", records(t, e))
		}
	})
}

func TestConcurrent(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	u := openTracker(t, e, "a")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				key := fmt.Sprint("AKIA", i%300)
				u.Seen(acme, key, "iam", "us-east-1", noon.Add(time.Duration(i)*time.Second))
				if use, ok := u.LastUse(key); !ok || use.At.Before(noon.Add(time.Duration(i)*time.Second).Truncate(time.Second)) {
					t.Errorf("%s: %v", key, use)
				}
				if i%500 == w {
					if err := u.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	flush(t, u)
	fresh := openTracker(t, e, "b")
	for i := range 300 {
		last := 1800 + i
		if i >= 200 {
			last -= 300
		}
		want(t, fresh, fmt.Sprint("AKIA", i), noon.Add(time.Duration(last)*time.Second), "iam")
	}
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]string{
		"value": "usage/1/a/key/AKIA", "no key": "usage/1/a/key/", "table": "usage/1/a/what/AKIA", "short": "usage/1/x",
	} {
		e := memory.New(memory.Options{})
		unit := "usage/1/a"
		if name == "short" {
			unit = "usage/1"
		}
		value := []byte{}
		if name == "value" {
			value = []byte{0xff}
		}
		if _, err := e.Commit(t.Context(), storage.Batch{ID: newID(), Units: []storage.Condition{{Unit: unit, Write: true}}, Ops: []storage.Op{{Kind: storage.Put, Key: key, Value: value}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), e, "a", newID, nil); !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("%s: Open = %v", name, err)
		}
	}
	for _, node := range []string{"", "a/b", strings.Repeat("x", 65)} {
		if _, err := Open(t.Context(), memory.New(memory.Options{}), node, newID, nil); err == nil {
			t.Errorf("a node named %q was opened", node)
		}
	}
}

func BenchmarkSeen(b *testing.B) {
	u := openTracker(b, memory.New(memory.Options{}), "a")
	keys := make([]string, 100_000)
	for i := range keys {
		keys[i] = fmt.Sprint("AKIA", i)
		u.Seen(acme, keys[i], "iam", "us-east-1", noon)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		u.Seen(acme, keys[i%len(keys)], "iam", "us-east-1", noon.Add(time.Duration(i)*time.Millisecond))
	}
}
