package state

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

// TestForeignWriter has the engine move under a store: its updates see the other's writes and lose none of their own.
func TestForeignWriter(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s := openStore(t, e)
	s.account(t, acme)
	stop := make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			u := &User{}
			u.Id, u.Name = fmt.Sprint("AIDAF", i), fmt.Sprint("foreign", i)
			foreign(t, e, AccountUnit(acme), putOp(t, AccountUnit(acme), u))
			time.Sleep(100 * time.Microsecond) // leave the store a chance
		}
	})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 25 {
				units := []string{AccountUnit(acme), DirectoryUnit}[:1+i%2]
				if err := s.Update(t.Context(), units, createUser(acme, fmt.Sprint("own", w, "-", i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	other.Wait()
	own := 0
	for u := range s.View().Account(acme).Users("") {
		if strings.HasPrefix(u.Name, "own") {
			own++
		}
	}
	if own != 200 {
		t.Errorf("%d own users, want 200", own)
	}
	s.at(t, headOf(t, e, AccountUnit(acme)))
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestStalePending makes sure that a lane at rest begins at the view: a refusal must not come from what it had pending once.
func TestStalePending(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s := openStore(t, e)
	s.account(t, acme)
	for i := range 50 {
		s.update(t, createUser(acme, "a"), AccountUnit(acme))
		id := s.View().Account(acme).UserByName("a").Id
		s.at(t, foreign(t, e, AccountUnit(acme), storage.Op{Kind: storage.Delete, Key: AccountUnit(acme) + "/user/" + id}))
		s.update(t, func(tx *Tx) error { // writes nothing, so that no conflict can show what it saw
			if tx.Account(acme).UserByName("a") != nil {
				return fmt.Errorf("round %d: the deleted user is still there", i)
			}
			return nil
		}, AccountUnit(acme))
	}
}

// TestFailures answers commits with every error of the contract, with and without effect.
func TestFailures(t *testing.T) {
	t.Parallel()
	other := errors.New("the disk is on fire")
	for _, c := range []struct {
		name   string
		err    error
		effect bool
		times  int
		want   error // of the first update
	}{
		{"conflict", storage.ErrConflict, false, 3, nil},
		{"conflict for ever", storage.ErrConflict, false, 10_000, storage.ErrConflict},
		{"no space", storage.ErrNoSpace, false, 1, storage.ErrNoSpace},
		{"other", other, false, 1, other},
		{"unknown with effect", storage.ErrUnknown, true, 1, nil},
		{"unknown without effect", storage.ErrUnknown, false, 1, nil},
		{"unknown thrice with effect", storage.ErrUnknown, true, 3, nil},
		{"unknown thrice without effect", storage.ErrUnknown, false, 3, nil},
		{"unknown for ever without effect", storage.ErrUnknown, false, 10_000, storage.ErrUnknown},
		{"unknown for ever with effect", storage.ErrUnknown, true, 10_000, nil}, // the log shows it
	} {
		for _, units := range [][]string{{AccountUnit(acme)}, {AccountUnit(acme), DirectoryUnit}} {
			t.Run(fmt.Sprint(c.name, "/", len(units)), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					e := newScripted()
					s := openStore(t, e)
					s.account(t, acme)
					errs := make([]error, c.times)
					for i := range errs {
						errs[i] = fmt.Errorf("%w, says the test", c.err)
					}
					e.failCommits(c.effect, errs...)
					if err := s.Update(t.Context(), units, createUser(acme, "a")); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
						t.Errorf("Update = %v, want %v", err, c.want)
					}
					if exists := s.View().Account(acme).UserByName("a") != nil; exists != (c.want == nil) {
						t.Errorf("after %v the user exists = %t", c.want, exists)
					}
					e.failCommits(false)
					s.update(t, createUser(acme, "b"), units...)
					s.update(t, createUser(acme, "c"), DirectoryUnit, AccountUnit(acme))
					if n, want := s.View().Account(acme).UserCount(), 3; n != want && !(n == want-1 && c.want != nil) {
						t.Errorf("%d users", n)
					}
					synctest.Wait()
					if len(s.own) != 0 || len(s.waiters) != 0 {
						t.Errorf("%d commits and %d waiters are left over", len(s.own), len(s.waiters))
					}
					if err := s.Verify(t.Context()); err != nil {
						t.Error(err)
					}
					s.stopRun()
				})
			})
		}
	}
}

// TestFailureBehindPending fails a commit on which others stand: they run again, refusals included, and only its own calls fail.
func TestFailureBehindPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		gate, fail := make(chan struct{}), storage.ErrNoSpace
		e.set(func() {
			e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
				<-gate
				e.set(func() { e.onCommit = nil })
				return 0, fail
			}
		})
		results := map[string]chan error{}
		start := func(what, name string) {
			result := make(chan error, 1)
			results[what] = result
			go func() { result <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, name)) }()
			synctest.Wait()
		}
		start("first", "a")
		start("refused, until the first fails", "A")
		start("behind", "b")
		close(gate)
		for what, want := range map[string]error{"first": storage.ErrNoSpace, "refused, until the first fails": nil, "behind": nil} {
			if err := <-results[what]; !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("%s: %v, want %v", what, err, want)
			}
		}
		a := s.View().Account(acme)
		if a.UserCount() != 2 || a.UserByName("a").Name != "A" {
			t.Errorf("%d users, a is %v", a.UserCount(), a.UserByName("a"))
		}
		s.stopRun()
	})
}

// TestUnknownUnderLoad has every tenth answer of the engine get lost, with the commit done or not, while many write.
func TestUnknownUnderLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		var mu sync.Mutex
		rnd := rand.New(rand.NewPCG(7, 7))
		s := openStore(t, e)
		s.account(t, acme)
		s.account(t, globex)
		e.set(func() {
			e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
				mu.Lock()
				n := rnd.IntN(12)
				mu.Unlock()
				if n == 3 && len(b.Ops) == 0 {
					n = 4 // for a fence, a conflict that is none would be a lie about the heads
				}
				switch n {
				case 0:
					return 0, fmt.Errorf("%w: lost before", storage.ErrUnknown)
				case 1:
					if _, err := e.Engine.Commit(ctx, b); err != nil {
						return 0, err
					}
					return 0, fmt.Errorf("%w: lost after", storage.ErrUnknown)
				case 2: // later
					time.AfterFunc(700*time.Millisecond, func() { e.Engine.Commit(context.Background(), b) })
					return 0, fmt.Errorf("%w: lost on the way", storage.ErrUnknown)
				case 3:
					return 0, storage.ErrConflict
				default:
					time.Sleep(time.Millisecond)
					return e.Engine.Commit(ctx, b)
				}
			}
		})
		counted := map[string]*atomic.Int64{acme: {}, globex: {}}
		var wg sync.WaitGroup
		for w := range 24 {
			wg.Go(func() {
				for i := range 25 {
					id := []string{acme, globex}[(w+i)%2]
					units := []string{AccountUnit(id), DirectoryUnit}[:1+w%2]
					err := s.Update(t.Context(), units, func(tx *Tx) error {
						r := tx.Account(id).Record().Clone()
						r.RootPasswordChanged++
						tx.Put(AccountUnit(id), r)
						return nil
					})
					if err != nil {
						t.Error(err)
					}
					counted[id].Add(1)
				}
			})
		}
		wg.Wait()
		for id, n := range counted {
			if got := s.View().Account(id).Record().RootPasswordChanged; got != n.Load() {
				t.Errorf("%s counted to %d, want %d: something was applied twice or lost", id, got, n.Load())
			}
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(s.own) != 0 || len(s.waiters) != 0 {
			t.Errorf("%d commits and %d waiters are left over", len(s.own), len(s.waiters))
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		s.stopRun()
	})
}

// TestStop ends Run with calls in every stage of waiting: all get ErrStopped, and nothing goes on behind them. That no goroutine is left is
// what synctest checks.
func TestStop(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"cancel", "close", "hanging engine"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newScripted()
				s := openStore(t, e)
				s.account(t, acme)
				s.account(t, globex)
				e.blockCommits()
				if how == "hanging engine" {
					e.set(func() {
						e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
							return 0, fmt.Errorf("%w: no answer", storage.ErrUnknown)
						}
					})
				}
				var wg sync.WaitGroup
				for i := range 300 {
					for _, units := range [][]string{
						{AccountUnit(acme)}, {DirectoryUnit}, {AccountUnit(acme), DirectoryUnit}, {AccountUnit(globex), AccountUnit(acme)},
					} {
						wg.Go(func() {
							err := s.Update(context.Background(), units, func(tx *Tx) error {
								if units[0] == DirectoryUnit {
									d := &DirectoryAccount{}
									d.Id = fmt.Sprint(i)
									tx.Put(DirectoryUnit, d)
									return nil
								}
								return createUser(units[0][len(accountPrefix):], fmt.Sprint("u", i))(tx)
							})
							if !errors.Is(err, ErrStopped) {
								t.Errorf("Update = %v", err)
							}
						})
					}
				}
				synctest.Wait()
				if how == "close" {
					e.Close()
				} else {
					s.stopRun()
				}
				wg.Wait()
				if err := <-s.ended; (err != nil) != (how == "close") || err != nil && !errors.Is(err, storage.ErrClosed) {
					t.Errorf("Run = %v", err)
				}
				synctest.Wait()
				commits := e.count()
				for _, units := range [][]string{{AccountUnit(acme)}, {AccountUnit(acme), DirectoryUnit}} {
					if err := s.Update(context.Background(), units, createUser(acme, "x")); !errors.Is(err, ErrStopped) {
						t.Errorf("after the end: %v", err)
					}
				}
				if err := s.Need(t.Context(), AccountUnit(acme)); !errors.Is(err, ErrStopped) {
					t.Errorf("Need = %v", err)
				}
				time.Sleep(time.Minute)
				if e.count() != commits {
					t.Error("the store committed after it had stopped")
				}
			})
		})
	}
}

// TestInterruptedLog breaks the log off in every way. What can be mended is, what cannot ends Run with the reason.
func TestInterruptedLog(t *testing.T) {
	t.Parallel()
	fail := func(err error) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
		return func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return func(yield func(storage.Commit, error) bool) {
				if err != nil {
					yield(storage.Commit{}, err)
				}
			}
		}
	}
	gap := func(e *scripted) func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
		first := true
		return func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
			return func(yield func(storage.Commit, error) bool) {
				for c, err := range e.Engine.Watch(ctx, after) {
					if first {
						first = false
						continue
					}
					if !yield(c, err) {
						return
					}
				}
			}
		}
	}
	twice := func(e *scripted) func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
		return func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
			return func(yield func(storage.Commit, error) bool) {
				for c, err := range e.Engine.Watch(ctx, after) {
					if !yield(c, err) || err == nil && !yield(c, err) {
						return
					}
				}
			}
		}
	}
	for _, c := range []struct {
		name  string
		watch func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error]
		ends  error // Run's error; nil: it goes on once the log is there again
	}{
		{"an error of the engine's own", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(errors.New("network down"))
		}, nil},
		{"no error", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] { return fail(nil) }, nil},
		{"compacted", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrCompacted)
		}, nil},
		{"gap", gap, nil},
		{"twice", twice, nil},
		{"closed", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrClosed)
		}, storage.ErrClosed},
		{"damaged", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrDamaged)
		}, storage.ErrDamaged},
		{"another store", func(*scripted) func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
			return fail(storage.ErrInvalid)
		}, storage.ErrInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newScripted()
				s := openStore(t, e)
				s.account(t, acme)
				s.stopRun()
				<-s.ended
				e.set(func() { e.onWatch = c.watch(e) })
				s = openStore(t, e)
				result := make(chan error, 2)
				go func() { result <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, "a")) }()
				go func() {
					result <- s.Update(t.Context(), []string{AccountUnit(acme), DirectoryUnit}, createUser(acme, "b"))
				}()
				time.Sleep(3 * time.Second)
				if c.ends == nil { // a gap shows when the next commit to the same unit comes
					foreign(t, e.Engine, AccountUnit(acme), putOp(t, AccountUnit(acme), s.View().Account(acme).Record()))
				}
				time.Sleep(3 * time.Second)
				e.set(func() { e.onWatch = nil })
				for range 2 {
					if err := <-result; !errors.Is(err, map[bool]error{true: ErrStopped}[c.ends != nil]) {
						t.Errorf("Update = %v", err)
					}
				}
				if c.ends != nil {
					if err := <-s.ended; !errors.Is(err, c.ends) {
						t.Errorf("Run = %v, want %v", err, c.ends)
					}
					return
				}
				if s.View().Account(acme).UserCount() != 2 {
					t.Errorf("%d users", s.View().Account(acme).UserCount())
				}
				if err := s.Verify(t.Context()); err != nil {
					t.Error(err)
				}
				s.stopRun()
			})
		})
	}
}

// TestReloadWithFlights cuts the log away under commits that wait to be seen in it, and under one whose outcome is not known yet.
func TestReloadWithFlights(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		e.Engine = memory.New(memory.Options{Retention: 8})
		s := openStore(t, e)
		s.account(t, acme)
		s.account(t, globex)
		gate := make(chan struct{})
		s.stopLog(t, e, gate)
		answers := make(chan error, 4)
		go func() { answers <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, "a")) }()
		synctest.Wait()
		go func() { answers <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, "b")) }()
		synctest.Wait()
		slow := make(chan struct{}) // the engine has committed, but does not say so yet
		e.set(func() {
			e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
				rev, err := e.Engine.Commit(ctx, b)
				<-slow
				return rev, err
			}
		})
		go func() { answers <- s.Update(t.Context(), []string{AccountUnit(globex)}, createUser(globex, "c")) }()
		synctest.Wait()
		e.set(func() { e.onCommit = nil })
		for i := range 20 {
			k := &Node{}
			k.Id = fmt.Sprint(i)
			foreign(t, e.Engine, CellUnit, putOp(t, CellUnit, k))
		}
		if len(answers) > 0 {
			t.Error("an update was answered before the view shows it")
		}
		close(gate)
		synctest.Wait()
		if len(answers) != 2 {
			t.Errorf("%d answers after the reload, want 2", len(answers))
		}
		close(slow)
		for range 3 {
			if err := <-answers; err != nil {
				t.Error(err)
			}
		}
		if len(s.own) != 0 {
			t.Errorf("%d commits are left over", len(s.own))
		}
		s.update(t, createUser(acme, "d"), AccountUnit(acme), AccountUnit(globex))
		if s.View().Account(acme).UserCount() != 3 || s.View().Account(globex).UserCount() != 1 {
			t.Errorf("%d and %d users", s.View().Account(acme).UserCount(), s.View().Account(globex).UserCount())
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		s.stopRun()
	})
}

// TestUndecodable puts what this version cannot read into the log and into a snapshot: both are refused, with the key in the error.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	unit := AccountUnit(acme)
	put := func(key, value string) storage.Op {
		return storage.Op{Kind: storage.Put, Key: key, Value: []byte(value)}
	}
	u := &User{}
	u.Id, u.Name = "AIDAOTHER", "u"
	misplaced := putOp(t, unit, u)
	misplaced.Key = unit + "/user/AIDA"
	broken := &UserPolicy{}
	broken.User, broken.Name, broken.Document = "AIDA", "p", `{"Version":"2012-10-17","Statement":[]} trailing`
	for name, c := range map[string]struct {
		unit string
		op   storage.Op
		want string
	}{
		"not protobuf":      {unit, put(unit+"/user/AIDA", "\xff\xff"), unit + "/user/AIDA"},
		"broken manifest":   {unit, put(unit+"/user/AIDA", "\x07\xff"), unit + "/user/AIDA"},
		"another key":       {unit, misplaced, unit + "/user/AIDA"},
		"broken policy":     {unit, putOp(t, unit, broken), unit + "/userpolicy/AIDA/p"},
		"unknown table":     {unit, put(unit+"/robot/R2", ""), unit + "/robot/R2"},
		"no table":          {unit, put(unit+"/robot", ""), unit + "/robot"},
		"unknown unit":      {"org/o-1", put("org/o-1/x/y", ""), "org/o-1"},
		"two accounts self": {unit, put(unit+"/account/other", ""), unit + "/account/other"},
		"lone chunk":        {unit, put(unit+"/user/AIDA\x00000", "x"), ""}, // passed over in the log, refused in a snapshot
		"newer format":      {CellUnit, put(storage.FormatKey, "2"), "level"},
		"no format":         {CellUnit, storage.Op{Kind: storage.Delete, Key: storage.FormatKey}, "level"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := memory.New(memory.Options{})
			s := openStore(t, e)
			s.account(t, acme)
			before := dump(s.View(), true)
			foreign(t, e, c.unit, c.op)
			if c.want != "" {
				err := <-s.ended
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("Run = %v, want an error that names %q", err, c.want)
				}
				wantSame(t, "the view after the end", dump(s.View(), true), before)
				if err := s.Update(t.Context(), []string{unit}, createUser(acme, "a")); !errors.Is(err, ErrStopped) {
					t.Errorf("Update = %v", err)
				}
			}
			if _, err := Open(t.Context(), e, testOptions()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Open = %v, want an error that names %q", err, c.want)
			}
		})
	}
}

// TestReloadFailures has the snapshot fail that a compacted log asks for.
func TestReloadFailures(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		ends bool
	}{
		"network": {errors.New("network down"), false},
		"cut":     {storage.ErrCompacted, false},
		"damaged": {storage.ErrDamaged, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newScripted()
				s := openStore(t, e)
				s.account(t, acme)
				s.stopRun()
				<-s.ended
				s = openStore(t, e)
				e.set(func() {
					e.onWatch = func(context.Context, storage.Rev) iter.Seq2[storage.Commit, error] {
						return func(yield func(storage.Commit, error) bool) { yield(storage.Commit{}, storage.ErrCompacted) }
					}
					e.onSnap = func(context.Context, string, storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
						return 0, func(yield func(storage.Item, error) bool) { yield(storage.Item{}, c.err) }
					}
				})
				time.Sleep(5 * time.Second)
				synctest.Wait()
				if c.ends {
					if err := <-s.ended; !errors.Is(err, c.err) {
						t.Errorf("Run = %v", err)
					}
					return
				}
				rev := foreign(t, e.Engine, AccountUnit(acme), putOp(t, AccountUnit(acme), &User{}))
				e.set(func() { e.onSnap = nil })
				time.Sleep(2 * time.Second)
				e.set(func() { e.onWatch = nil })
				s.at(t, rev)
				s.update(t, createUser(acme, "a"), AccountUnit(acme))
				s.stopRun()
			})
		})
	}
}

// TestWaitingCallsOfAFailedCommit lets a batch fail that also carries calls which wrote nothing: only those who wrote fail by it.
func TestWaitingCallsOfAFailedCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		gate, commits := make(chan struct{}), 0
		e.set(func() {
			e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
				<-gate
				if commits++; commits == 2 {
					return 0, storage.ErrNoSpace
				}
				return e.Engine.Commit(ctx, b)
			}
		})
		results := make(chan string, 8)
		start := func(what, name string) {
			go func() {
				results <- fmt.Sprint(what, ": ", s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, name)))
			}()
			synctest.Wait()
		}
		start("first", "a")
		start("writer", "b")
		start("refused by the writer", "B")
		start("refused by the first", "A")
		close(gate)
		got := map[string]bool{}
		for range 4 {
			got[<-results] = true
		}
		for _, want := range []string{"first: <nil>", "writer: " + storage.ErrNoSpace.Error(), "refused by the writer: <nil>", "refused by the first: " + errExists.Error()} {
			if !got[want] {
				t.Errorf("no %q in %v", want, got)
			}
		}
		s.stopRun()
	})
}

// TestBatchOfTwoViews fills one batch while a unit that its functions read beside their own moves on.
func TestBatchOfTwoViews(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		release := e.blockCommits()
		results := make(chan error, 8)
		start := func(name string) {
			go func() {
				results <- s.Update(t.Context(), []string{AccountUnit(acme)}, func(tx *Tx) error {
					return createUser(acme, name+tx.Directory().AccountOfAlias("moving"))(tx)
				})
			}()
			synctest.Wait()
		}
		start("flying")
		for i := range 3 {
			start(fmt.Sprint("a", i, "-"))
			start(fmt.Sprint("b", i, "-"))
			s.at(t, foreign(t, e.Engine, DirectoryUnit, putOp(t, DirectoryUnit, aliasEntry("moving", fmt.Sprint(i)))))
		}
		release()
		for range 7 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if n := s.View().Account(acme).UserCount(); n != 7 {
			t.Errorf("%d users", n)
		}
		for u := range s.View().Account(acme).Users("") { // the commits came after the last move, so that is what they must have seen
			if !strings.HasSuffix(u.Name, "2") {
				t.Errorf("%s was made of what had changed before its commit", u.Name)
			}
		}
		s.stopRun()
	})
}
