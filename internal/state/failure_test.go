package state

import (
	"context"
	"errors"
	"fmt"
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

// TestLateAnswer: while the engine has not answered for a commit that the view shows already, others write to the unit. Who sees that is not
// told what was pending before.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		gate := make(chan struct{})
		e.set(func() {
			e.onCommit = func(ctx context.Context, b storage.Batch) (storage.Rev, error) {
				rev, err := e.Engine.Commit(ctx, b)
				<-gate
				return rev, err
			}
		})
		first := make(chan error, 1)
		go func() { first <- s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, "a")) }()
		synctest.Wait()
		created := s.View().Account(acme).UserByName("a")
		if created == nil {
			t.Fatal("the view does not show what the log has")
		}
		s.at(t, foreign(t, e.Engine, AccountUnit(acme), storage.Op{Kind: storage.Delete, Key: AccountUnit(acme) + "/user/" + created.Id}))
		second := make(chan error, 1)
		go func() {
			second <- s.Update(t.Context(), []string{AccountUnit(acme)}, func(tx *Tx) error {
				if tx.Account(acme).UserByName("a") != nil {
					return errors.New("the deleted user is still there")
				}
				return nil
			})
		}()
		synctest.Wait()
		close(gate)
		if err := <-first; err != nil {
			t.Errorf("the first update: %v", err)
		}
		if err := <-second; err != nil {
			t.Errorf("the second update: %v", err)
		}
	})
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
