package storagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func second(t *testing.T, f Factory, s *store) *store {
	t.Helper()
	two := &store{t: t, e: s.e, heads: s.heads}
	if f.Second != nil {
		two.e = closing(t, f.Second(t, s.e))
	}
	return two
}

func testSecondClient(t *testing.T, f Factory) {
	one := open(t, f)
	first := one.write(put("a/1", "one"))
	two := second(t, f, one)
	two.want(0, "a/1=one")
	rev := two.write(put("a/1", "two"), put("b/1", "two"))
	one.want(0, "a/1=two", "b/1=two")
	one.want(first, "a/1=one")
	stale := one.batch(put("a/1", "no"))
	stale.Units[0].Head = first
	one.refuse("a head that the other client moved", stale, storage.ErrConflict)
	wantCommits(t, "Watch of the first client", one.watch(first, 1), two.watch(first, 1))
	wantCommits(t, "Log of the first client", one.log("b", 0, 0), two.log("b", 0, 0))
	if got := one.watch(0, 2); got[1].Rev != rev {
		t.Errorf("the first client's second commit is %s", showCommit(got[1]))
	}
	one.write(put("a/1", "three"))
	two.want(0, "a/1=three", "b/1=two")
}

const (
	writers = 12
	rounds  = 15
)

// counters lets goroutines add one to a counter of their own and one to a counter they share, until each has succeeded rounds times. It
// returns the ids of the successful commits by revision.
func counters(t *testing.T, engines []storage.Engine) map[storage.Rev]storage.CommitID {
	var mu sync.Mutex
	done := map[storage.Rev]storage.CommitID{}
	var group sync.WaitGroup
	for w := range writers {
		e := engines[w%len(engines)]
		group.Go(func() {
			own, shared := fmt.Sprintf("own%d", w), fmt.Sprintf("shared%d", w%3)
			for n := 0; n < rounds; {
				heads, values := read(t, e, own, shared)
				b := storage.Batch{ID: newID(), Time: noon, Units: []storage.Condition{
					{Unit: own, Head: heads[own], Write: true}, {Unit: shared, Head: heads[shared], Write: true},
				}, Ops: []storage.Op{put(own+"/n", strconv.Itoa(values[own]+1)), put(shared+"/n", strconv.Itoa(values[shared]+1))}}
				rev, err := e.Commit(t.Context(), b)
				switch {
				case err == nil:
					n++
					mu.Lock()
					done[rev] = b.ID
					mu.Unlock()
				case !errors.Is(err, storage.ErrConflict):
					t.Errorf("writer %d: %v", w, err)
					return
				}
			}
		})
	}
	group.Wait()
	return done
}

// read returns the heads of the units and the numbers at their keys "n".
func read(t *testing.T, e storage.Engine, units ...string) (heads map[string]storage.Rev, values map[string]int) {
	heads, values = map[string]storage.Rev{}, map[string]int{}
	for _, unit := range units {
		_, seq := e.Snapshot(t.Context(), unit+"/", 0)
		for i, err := range seq {
			if err != nil {
				t.Errorf("Snapshot(%s): %v", unit, err)
				return
			}
			if i.Key == unit+"/n" {
				values[unit], err = strconv.Atoi(string(i.Value))
				if err != nil {
					t.Errorf("%s holds %q", i.Key, i.Value)
				}
			} else {
				heads[unit] = i.Rev
			}
		}
	}
	return heads, values
}

func testWriters(t *testing.T, f Factory) {
	s := open(t, f)
	engines := []storage.Engine{s.e}
	if f.Second != nil {
		engines = append(engines, second(t, f, s).e)
	}
	done := counters(t, engines)
	if len(done) != writers*rounds {
		t.Errorf("%d revisions for %d commits", len(done), writers*rounds)
	}
	check := func() {
		t.Helper()
		for w := range writers {
			if _, values := read(t, s.e, fmt.Sprintf("own%d", w)); values[fmt.Sprintf("own%d", w)] != rounds {
				t.Errorf("the counter of writer %d is %d, want %d", w, values[fmt.Sprintf("own%d", w)], rounds)
			}
		}
		for u := range 3 {
			unit := fmt.Sprintf("shared%d", u)
			if _, values := read(t, s.e, unit); values[unit] != rounds*writers/3 {
				t.Errorf("the counter of %s is %d, want %d", unit, values[unit], rounds*writers/3)
			}
		}
		var last storage.Rev
		for _, c := range s.watch(0, writers*rounds) {
			if done[c.Rev] != c.ID || c.Rev <= last {
				t.Errorf("the log holds commit %s at %d after %d, acknowledged was %s", c.ID, c.Rev, last, done[c.Rev])
			}
			last = c.Rev
		}
	}
	check()
	if f.Reopen != nil {
		if len(engines) > 1 {
			engines[1].Close()
		}
		s.reopen(f)
		check()
	}
}

func testWatchUnderWriters(t *testing.T, f Factory) {
	s := open(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var group sync.WaitGroup
	var mu sync.Mutex
	var seen [][]storage.Commit
	// The watchers start while the writers write, and one is slow.
	watcher := func(slow bool) {
		group.Go(func() {
			var mine []storage.Commit
			for c, err := range s.e.Watch(ctx, 0) {
				if err != nil {
					t.Errorf("Watch: %v after %d commits", err, len(mine))
					break
				}
				if mine = append(mine, c); len(mine) == writers*rounds {
					break
				}
				if slow && len(mine)%20 == 0 {
					s.e.Log(ctx, "own0", 0, 0)(func(storage.Commit, error) bool { return true })
				}
			}
			mu.Lock()
			defer mu.Unlock()
			seen = append(seen, mine)
		})
	}
	watcher(false)
	watcher(true)
	var done map[storage.Rev]storage.CommitID
	group.Go(func() { done = counters(t, []storage.Engine{s.e}) })
	watcher(false)
	group.Wait()
	for _, commits := range seen {
		for i, c := range commits {
			if done[c.Rev] != c.ID || i > 0 && c.Rev <= commits[i-1].Rev {
				t.Fatalf("element %d of a watch is %s, acknowledged was %s", i, showCommit(c), done[c.Rev])
			}
			// Each commit adds one to what the commit before it left: no gap, no reordering.
			for _, m := range c.Mutations {
				before, _ := strconv.Atoi(string(m.Old))
				if after, _ := strconv.Atoi(string(m.New)); after != before+1 {
					t.Fatalf("element %d of a watch turns %s from %q to %q", i, m.Key, m.Old, m.New)
				}
			}
		}
		if len(commits) > 0 && len(seen[0]) > 0 && len(commits) == len(seen[0]) && !slices.EqualFunc(commits, seen[0], equalCommits) {
			t.Error("two watches differ")
		}
	}
}

func testReopen(t *testing.T, f Factory) {
	if f.Reopen == nil {
		t.Skip("nothing outlives this engine")
	}
	s := open(t, f)
	var revs []storage.Rev
	for i := range 40 {
		b := s.batch(put("a/1", fmt.Sprint(i)), put(fmt.Sprintf("a/k%d", i%7), fmt.Sprint(i)), del(fmt.Sprintf("a/k%d", (i+3)%7)))
		b.Events = [][]byte{[]byte("e")}
		revs = append(revs, s.commit(b))
		if i%13 == 0 {
			before, commits := s.items("", 0), s.watch(0, i+1)
			s.reopen(f)
			if after := s.items("", 0); !equalItems(before, after) {
				t.Fatalf("a reopen turned %s into %s", show(before), show(after))
			}
			wantCommits(t, "Watch after a reopen", s.watch(0, i+1), commits)
		}
	}
	middle := s.items("", revs[20])
	s.reopen(f)
	if got := s.items("", revs[20]); !equalItems(got, middle) {
		t.Errorf("a reopen turned the past %s into %s", show(middle), show(got))
	}
	s.refuse("old head after a reopen", storage.Batch{ID: newID(), Time: noon,
		Units: []storage.Condition{{Unit: "a", Head: revs[5], Write: true}}}, storage.ErrConflict)
	if rev := s.write(put("a/1", "last")); rev <= revs[39] {
		t.Errorf("after a reopen the revision is %d, before it was %d", rev, revs[39])
	}
}

func testCancel(t *testing.T, f Factory) {
	s := open(t, f)
	s.write(put("a/1", "v"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if rev, err := s.e.Commit(ctx, s.batch(put("a/1", "no"))); rev != 0 || !is(err, context.Canceled) || is(err, storage.ErrUnknown) {
		t.Errorf("Commit with a context that has ended = %d, %v; want context.Canceled, and that is certain", rev, err)
	}
	s.want(0, "a/1=v")
	rev, seq := s.e.Snapshot(ctx, "", 0)
	if _, err := collect(seq); !is(err, context.Canceled) {
		t.Errorf("Snapshot with a context that has ended = %d, %v", rev, err)
	}
	if _, err := collect(s.e.Log(ctx, "a", 0, 0)); !is(err, context.Canceled) {
		t.Errorf("Log with a context that has ended: %v", err)
	}
	// Contexts that end while the commit is under way: each answer must be true.
	var group sync.WaitGroup
	for w := range 8 {
		unit := fmt.Sprintf("u%d", w)
		group.Go(func() {
			var head storage.Rev
			want := 0
			for n := range 20 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n*w)*50*time.Microsecond)
				b := storage.Batch{ID: newID(), Time: noon, Units: []storage.Condition{{Unit: unit, Head: head, Write: true}},
					Ops: []storage.Op{put(unit+"/n", strconv.Itoa(want+1))}}
				_, err := s.e.Commit(ctx, b)
				cancel()
				if is(err, storage.ErrUnknown) {
					_, err = storage.Resolve(t.Context(), s.e, b, newID())
					if is(err, storage.ErrConflict) {
						heads, _ := read(t, s.e, unit)
						head = heads[unit] // the fence
						continue
					}
				} else if is(err, context.DeadlineExceeded) {
					continue
				}
				if err != nil {
					t.Errorf("unit %s: %v", unit, err)
					return
				}
				want++
				heads, _ := read(t, s.e, unit)
				head = heads[unit] // a fence may have come after it
			}
			if _, values := read(t, s.e, unit); values[unit] != want {
				t.Errorf("unit %s: the counter is %d, %d commits succeeded", unit, values[unit], want)
			}
		})
	}
	group.Wait()
}

func testClose(t *testing.T, f Factory) {
	s := open(t, f)
	s.write(put("a/1", "v"), put("a/2", "v"))
	ended := make(chan error, 1)
	started := make(chan bool, 1)
	go func() {
		var last error
		for _, err := range s.e.Watch(context.Background(), 0) {
			if last = err; err == nil {
				started <- true
			}
		}
		ended <- last
	}()
	<-started
	_, half := s.e.Snapshot(t.Context(), "", 0)
	if err := s.e.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if err := <-ended; !is(err, storage.ErrClosed) {
		t.Errorf("Watch ended with %v", err)
	}
	if _, err := collect(half); !is(err, storage.ErrClosed) {
		t.Errorf("a snapshot from before Close ended with %v", err)
	}
	if rev, err := s.e.Commit(t.Context(), s.batch(put("a/1", "no"))); rev != 0 || !is(err, storage.ErrClosed) {
		t.Errorf("Commit = %d, %v", rev, err)
	}
	if _, seq := s.e.Snapshot(t.Context(), "", 0); seq != nil {
		if _, err := collect(seq); !is(err, storage.ErrClosed) {
			t.Errorf("Snapshot: %v", err)
		}
	}
	if _, err := collect(s.e.Log(t.Context(), "a", 0, 0)); !is(err, storage.ErrClosed) {
		t.Errorf("Log: %v", err)
	}
	if _, err := collect(s.e.Watch(t.Context(), 0)); !is(err, storage.ErrClosed) {
		t.Errorf("Watch: %v", err)
	}
	if err := s.e.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

// testCloseUnderLoad closes the engine in the middle of commits: what was acknowledged must be there afterwards.
func testCloseUnderLoad(t *testing.T, f Factory) {
	s := open(t, f)
	var group sync.WaitGroup
	var acknowledged [8]int
	var unknown [8]bool
	var total atomic.Int64
	enough := make(chan bool)
	for w := range acknowledged {
		unit := fmt.Sprintf("u%d", w)
		group.Go(func() {
			var head storage.Rev
			for {
				rev, err := s.e.Commit(context.Background(), storage.Batch{ID: newID(), Time: noon,
					Units: []storage.Condition{{Unit: unit, Head: head, Write: true}}, Ops: []storage.Op{put(unit+"/n", strconv.Itoa(acknowledged[w]+1))}})
				if err != nil {
					if unknown[w] = is(err, storage.ErrUnknown); !unknown[w] && !is(err, storage.ErrClosed) {
						t.Errorf("Commit under Close: %v", err)
					}
					return
				}
				head = rev
				acknowledged[w]++
				if total.Add(1) == 100 {
					close(enough)
				}
			}
		})
	}
	<-enough
	if err := s.e.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	group.Wait()
	if f.Reopen == nil {
		return
	}
	s.reopen(f)
	for w, n := range acknowledged {
		unit := fmt.Sprintf("u%d", w)
		if _, values := read(t, s.e, unit); values[unit] != n && !(unknown[w] && values[unit] == n+1) {
			t.Errorf("unit %s: the counter is %d, %d commits were acknowledged", unit, values[unit], n)
		}
	}
}

// testResolve asks after a commit that happened, one that did not, and one that other writers have passed.
func testResolve(t *testing.T, f Factory) {
	s := open(t, f)
	b := s.batch(put("a/1", "v"), put("b/1", "v"))
	rev := s.commit(b)
	if got, err := storage.Resolve(t.Context(), s.e, b, newID()); err != nil || got != rev {
		t.Errorf("Resolve of the last commit = %d, %v; want %d", got, err, rev)
	}
	s.write(put("b/1", "w"))
	if got, err := storage.Resolve(t.Context(), s.e, b, newID()); err != nil || got != rev {
		t.Errorf("Resolve of an older commit = %d, %v; want %d", got, err, rev)
	}
	lost := s.batch(put("a/1", "lost"))
	if got, err := storage.Resolve(t.Context(), s.e, lost, newID()); got != 0 || !is(err, storage.ErrConflict) {
		t.Errorf("Resolve of a commit that did not happen = %d, %v", got, err)
	}
	if got, err := s.e.Commit(t.Context(), lost); got != 0 || !is(err, storage.ErrConflict) {
		t.Errorf("after Resolve the lost commit = %d, %v; want ErrConflict", got, err)
	}
	s.want(0, "a/1=v", "b/1=w")
	heads, _ := read(t, s.e, "b")
	s.heads["b"] = heads["b"] // fences have moved it
	beaten := s.batch(put("b/1", "beaten"))
	s.write(put("b/1", "winner"))
	if got, err := storage.Resolve(t.Context(), s.e, beaten, newID()); got != 0 || !is(err, storage.ErrConflict) {
		t.Errorf("Resolve of a commit that another one beat = %d, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got, err := storage.Resolve(ctx, s.e, s.batch(put("b/1", "x")), newID()); got != 0 || !is(err, storage.ErrUnknown) || is(err, context.Canceled) {
		t.Errorf("Resolve that cannot ask = %d, %v; want ErrUnknown alone", got, err)
	}
}
