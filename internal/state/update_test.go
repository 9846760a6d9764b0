package state

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

// TestUpdateConcurrent has 64 goroutines create users with few names in three accounts: each name has one winner, who sees the user at once.
func TestUpdateConcurrent(t *testing.T) {
	t.Parallel()
	const workers, rounds, names = 64, 40, 200
	s := openStore(t, memory.New(memory.Options{}))
	accounts := []string{acme, globex, hooli}
	for _, a := range accounts {
		s.account(t, a)
	}
	var won, refused [3][names]atomic.Int32
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 3))
			for range rounds {
				i, n := 0, rnd.IntN(names)
				if w%4 == 0 {
					i = rnd.IntN(3)
				}
				name := fmt.Sprint("user", n)
				err := s.Update(t.Context(), []string{AccountUnit(accounts[i])}, createUser(accounts[i], name))
				switch {
				case err == nil:
					won[i][n].Add(1)
				case errors.Is(err, errExists):
					refused[i][n].Add(1)
				default:
					t.Errorf("%s: %v", name, err)
				}
				// Whoever won, View shows the user to everybody who got an answer.
				if s.View().Account(accounts[i]).UserByName(name) == nil {
					t.Errorf("%s: answered with %v, but not in the view", name, err)
				}
			}
		})
	}
	wg.Wait()
	total := 0
	for i, a := range accounts {
		for n := range names {
			w, r := won[i][n].Load(), refused[i][n].Load()
			exists := s.View().Account(a).UserByName(fmt.Sprint("user", n)) != nil
			if w > 1 || exists != (w == 1) || w == 0 && r > 0 {
				t.Errorf("user%d in %s: %d winners, %d refused, exists = %t", n, a, w, r, exists)
			}
			total += int(w)
		}
	}
	if got := s.View().Account(acme).UserCount() + s.View().Account(globex).UserCount() + s.View().Account(hooli).UserCount(); got != total || total < names {
		t.Errorf("%d users, %d winners", got, total)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestUpdateSerial counts with read-modify-write in one record: every success adds one.
func TestUpdateSerial(t *testing.T) {
	t.Parallel()
	s := openStore(t, memory.New(memory.Options{}))
	s.account(t, acme)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 50 {
				before := s.View().Account(acme).Record().RootPasswordChanged
				var mine int64
				if err := s.Update(t.Context(), []string{AccountUnit(acme)}, func(tx *Tx) error {
					r := tx.Account(acme).Record().Clone()
					r.RootPasswordChanged++
					mine = r.RootPasswordChanged
					tx.Put(AccountUnit(acme), r)
					return nil
				}); err != nil {
					t.Error(err)
				}
				if after := s.View().Account(acme).Record().RootPasswordChanged; mine <= before || after < mine {
					t.Errorf("counted to %d between %d and %d", mine, before, after)
				}
			}
		})
	}
	wg.Wait()
	if n := s.View().Account(acme).Record().RootPasswordChanged; n != 32*50 {
		t.Errorf("counted to %d, want %d", n, 32*50)
	}
}

func TestRefusalChangesNothing(t *testing.T) {
	t.Parallel()
	e := newScripted()
	s := openStore(t, e)
	s.account(t, acme)
	unit := AccountUnit(acme)
	s.update(t, createUser(acme, "kept"), unit)
	kept := s.View().Account(acme).UserByName("kept")
	before, commits := dump(s.View(), true), e.count()
	no := errors.New("no")
	half := func(tx *Tx) {
		u := kept.Clone()
		u.Name = "renamed"
		tx.Put(unit, u)
		tx.Put(unit, userPolicy(t, kept.Id, "p", 1))
		u = u.Clone()
		u.Name, u.Path = "twice", "/x/"
		tx.Put(unit, u)
		tx.Delete(unit, u)
		r := tx.Account(acme).Record().Clone()
		r.Alias = "x"
		tx.Put(unit, r)
		tx.SetEvent([]byte("event"))
		if a := tx.Account(acme); a.User(kept.Id) != nil || a.InlinePolicy(kept.Id, "p") == nil || a.Record().Alias != "x" || a.Epoch != 0 {
			t.Error("the transaction does not read its own writes")
		}
	}
	for name, c := range map[string]struct {
		fn   func(*Tx) error
		want func(error) bool
	}{
		"refusal":   {func(tx *Tx) error { half(tx); return no }, isError(no)},
		"panic":     {func(tx *Tx) error { half(tx); panic("broken") }, isPanic("broken")},
		"nil panic": {func(tx *Tx) error { half(tx); panic(nil) }, isPanic("panic called with nil argument")}, //nolint:govet // on purpose
		"foreign unit": {func(tx *Tx) error {
			half(tx)
			tx.Put(AccountUnit(globex), kept)
			return nil
		}, isPanic("does not name")},
		"wrong table": {func(tx *Tx) error { half(tx); tx.Put(unit, &Node{}); return nil }, isPanic("")},
		"wrong record": {func(tx *Tx) error {
			half(tx)
			d := &DirectoryAccount{}
			d.Id = "self"
			tx.Put(unit, d)
			return nil
		}, isPanic("in table account")},
		"nil record": {func(tx *Tx) error { half(tx); tx.Put(unit, (*User)(nil)); return nil }, isPanic("nil pointer")},
		"uncompiled policy": {func(tx *Tx) error {
			half(tx)
			tx.Put(unit, &InlinePolicy{})
			return nil
		}, isError(storage.ErrInvalid)},
		"other policy": {func(tx *Tx) error {
			half(tx)
			p := userPolicy(t, kept.Id, "p", 1)
			p.Document = policyText(2)
			tx.Put(unit, p)
			return nil
		}, isError(storage.ErrInvalid)},
		"not UTF-8": {func(tx *Tx) error {
			half(tx)
			u := kept.Clone()
			u.Path = "\xff"
			tx.Put(unit, u)
			tx.Put(unit, kept.Clone()) // a good write afterwards does not heal it
			return nil
		}, isError(storage.ErrInvalid)},
		"long key": {func(tx *Tx) error {
			half(tx)
			u := &User{}
			u.Id = strings.Repeat("x", storage.MaxKeyBytes)
			tx.Put(unit, u)
			return nil
		}, isError(storage.ErrLimit)},
		"large record": {func(tx *Tx) error {
			half(tx)
			u := kept.Clone()
			u.Path = strings.Repeat("x", storage.MaxSplitBytes)
			tx.Put(unit, u)
			return nil
		}, isError(storage.ErrLimit)},
		"large event": {func(tx *Tx) error {
			half(tx)
			tx.SetEvent(make([]byte, storage.MaxBatchBytes))
			return nil
		}, isError(storage.ErrLimit)},
		"many writes": {func(tx *Tx) error {
			for range storage.MaxOps + 1 {
				half(tx)
			}
			return nil
		}, isError(storage.ErrLimit)},
		"many reads": {func(tx *Tx) error {
			half(tx)
			for i := range storage.MaxUnits {
				tx.Account(fmt.Sprint(500000000000 + i))
			}
			return nil
		}, isError(storage.ErrLimit)},
		"many bytes": {func(tx *Tx) error {
			half(tx)
			for i := range 3 {
				u := &User{}
				u.Id, u.Path = fmt.Sprint("AIDA", i), strings.Repeat("x", 400<<10)
				tx.Put(unit, u)
			}
			return nil
		}, isError(storage.ErrLimit)},
	} {
		for _, units := range [][]string{{unit}, {unit, DirectoryUnit}} {
			if err := s.Update(t.Context(), units, c.fn); err == nil || !c.want(err) {
				t.Errorf("%s in %v: %v", name, units, err)
			}
			wantSame(t, name, dump(s.View(), true), before)
			if e.count() != commits {
				t.Fatalf("%s in %v: something was committed", name, units)
			}
		}
	}
	s.update(t, createUser(acme, "alive"), unit)
	if err := s.Update(t.Context(), nil, createUser(acme, "x")); err == nil {
		t.Error("an update of no unit succeeded")
	}
	for _, name := range []string{"org/1", "acct/", "acct/1/2", "usage/1/2", "", "acct/\x00"} {
		if err := s.Update(t.Context(), []string{name}, func(*Tx) error { return nil }); err == nil {
			t.Errorf("an update of unit %q succeeded", name)
		}
	}
	s.update(t, func(tx *Tx) error { // what clients put in the place of an account is no account, and no condition
		for _, id := range []string{"", "/", "x/y", "\x00", strings.Repeat("1", 300), "self/!head"} {
			if tx.Account(id) != nil {
				t.Errorf("there is an account %q", id)
			}
		}
		return createUser(acme, "strange")(tx)
	}, unit)
}

func isPanic(text string) func(error) bool {
	return func(err error) bool {
		p, ok := errors.AsType[*PanicError](err)
		return ok && strings.Contains(fmt.Sprint(p.Value), text) && len(p.Stack) > 0
	}
}

func isError(want error) func(error) bool {
	return func(err error) bool { return errors.Is(err, want) }
}

func TestWriteAfterTheEnd(t *testing.T) {
	t.Parallel()
	s := openStore(t, memory.New(memory.Options{}))
	s.account(t, acme)
	var kept *Tx
	s.update(t, func(tx *Tx) error { kept = tx; return createUser(acme, "a")(tx) }, AccountUnit(acme))
	defer func() {
		if recover() == nil {
			t.Error("a transaction that has ended took a write")
		}
	}()
	kept.Put(AccountUnit(acme), &User{})
}

// TestPendingIsInvisible holds commits up: what is pending is seen by functions only, and refusals which saw it wait for it.
func TestPendingIsInvisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		unit := []string{AccountUnit(acme)}
		var answers sync.Map
		start := func(name string, fn func(*Tx) error) {
			go func() {
				err := s.Update(t.Context(), unit, fn)
				if s.View().Account(acme).UserByName("pending") == nil {
					t.Errorf("%s was answered before the view showed what it saw", name)
				}
				answers.Store(name, fmt.Sprint(err))
			}()
			synctest.Wait()
		}
		release := e.blockCommits()
		before := e.count()
		start("create", createUser(acme, "pending"))
		start("refusal", createUser(acme, "PENDING"))
		start("no-op", func(tx *Tx) error {
			if tx.Account(acme).UserByName("pending") == nil {
				return errors.New("the pending user is not there")
			}
			return nil
		})
		start("panic", func(tx *Tx) error { panic(tx.Account(acme).UserByName("pending").Name) })
		start("second", createUser(acme, "second"))
		answers.Range(func(name, err any) bool {
			t.Errorf("%s was answered with %v while the commit waits", name, err)
			return true
		})
		if s.View().Account(acme).UserCount() != 0 {
			t.Error("the view shows pending users")
		}
		// Another unit is not held up by this one's lane; a read of this one sees what is durable.
		release()
		synctest.Wait()
		for name, want := range map[string]string{
			"create": "<nil>", "refusal": errExists.Error(), "no-op": "<nil>", "panic": "state: an update panicked: pending", "second": "<nil>",
		} {
			if got, _ := answers.Load(name); got != want {
				t.Errorf("%s: %v, want %s", name, got, want)
			}
		}
		if n := e.count() - before; n != 2 {
			t.Errorf("%d commits, want 2", n)
		}
		s.stopRun()
	})
}

// TestDurableButNotVisible delays the log: a write that is durable is no ground for an answer before the view shows it.
func TestDurableButNotVisible(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		gate := make(chan struct{})
		s.stopLog(t, e, gate)
		results := make(chan error, 10)
		for _, name := range []string{"a", "A", "b", "B"} {
			go func() {
				err := s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, name))
				if s.View().Account(acme).UserByName(name) == nil {
					t.Errorf("%s was answered with %v before the view shows it", name, err)
				}
				results <- err
			}()
			synctest.Wait()
		}
		go func() { // across units too
			results <- s.Update(t.Context(), []string{AccountUnit(acme), DirectoryUnit}, createUser(acme, "B"))
		}()
		synctest.Wait()
		if len(results) > 0 {
			t.Errorf("%d answers before the view moved", len(results))
		}
		commits := e.count()
		close(gate)
		synctest.Wait()
		var got []string
		for range 5 {
			got = append(got, fmt.Sprint(<-results))
		}
		slices.Sort(got)
		if want := []string{"<nil>", "<nil>", errExists.Error(), errExists.Error(), errExists.Error()}; !slices.Equal(got, want) {
			t.Errorf("answers %q, want %q", got, want)
		}
		if e.count() != commits {
			t.Error("something was committed twice")
		}
		s.stopRun()
	})
}

// stopLog makes the store's log wait at the gate before it shows another commit.
func (f *following) stopLog(t *testing.T, e *scripted, gate chan struct{}) {
	t.Helper()
	f.stopRun()
	if err := <-f.ended; err != nil {
		t.Fatal(err)
	}
	e.set(func() {
		e.onWatch = func(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
			return func(yield func(storage.Commit, error) bool) {
				select {
				case <-gate:
				case <-ctx.Done():
				}
				e.Engine.Watch(ctx, after)(yield)
			}
		}
	})
	*f = *openStore(t, e)
}

func TestBatching(t *testing.T) {
	t.Parallel()
	t.Run("operations", func(t *testing.T) { t.Parallel(); testBatching(t, 50, 10, 1, 2) })
	t.Run("many", func(t *testing.T) { t.Parallel(); testBatching(t, 250, 10, 1, 4) })
	t.Run("bytes", func(t *testing.T) { t.Parallel(); testBatching(t, 12, 300<<10, 1, 5) })
	t.Run("wide", func(t *testing.T) { t.Parallel(); testBatching(t, 10, 10, 40, 6) })
}

// testBatching has n updates, each with that many operations, wait for one commit.
func testBatching(t *testing.T, n, size, ops, most int) {
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		release := e.blockCommits()
		before := e.count()
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				if err := s.Update(t.Context(), []string{AccountUnit(acme)}, func(tx *Tx) error {
					for j := range ops {
						u := &User{}
						u.Id, u.Name, u.Path = fmt.Sprint("AIDA", i, "-", j), fmt.Sprint("u", i, "-", j), strings.Repeat("p", size)
						tx.Put(AccountUnit(acme), u)
					}
					tx.SetEvent(fmt.Append(nil, "event ", i))
					return nil
				}); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		release()
		wg.Wait()
		if got := e.count() - before; got > most {
			t.Errorf("%d updates took %d commits, want at most %d", n, got, most)
		}
		events := 0
		for _, b := range e.batches[before:] {
			events += len(b.Events)
			if err := b.Check(); err != nil {
				t.Error(err)
			}
		}
		if events != n || s.View().Account(acme).UserCount() != n*ops {
			t.Errorf("%d events, %d users, want %d and %d", events, s.View().Account(acme).UserCount(), n, n*ops)
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		s.stopRun()
	})
}

func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		release := e.blockCommits()
		var ok, busy atomic.Int32
		var wg sync.WaitGroup
		const calls = maxQueue + 1000
		for i := range calls {
			wg.Go(func() {
				switch err := s.Update(t.Context(), []string{AccountUnit(acme)}, createUser(acme, fmt.Sprint("u", i))); {
				case err == nil:
					ok.Add(1)
				case errors.Is(err, ErrBusy):
					busy.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		// Beside the queue, one batch is under way and one is full.
		if b := busy.Load(); b == 0 || b > 1000 {
			t.Errorf("%d of %d calls were refused", b, calls)
		}
		release()
		wg.Wait()
		if ok.Load()+busy.Load() != calls || int(ok.Load()) != s.View().Account(acme).UserCount() {
			t.Errorf("%d succeeded, %d refused, %d users", ok.Load(), busy.Load(), s.View().Account(acme).UserCount())
		}
		s.stopRun()
	})
}

// TestContext ends contexts while calls wait: no function runs after its Update has returned.
func TestContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		release := e.blockCommits()
		ctx, cancel := context.WithCancel(t.Context())
		var returned atomic.Bool
		var wg sync.WaitGroup
		for i := range 2 * storage.MaxOps { // some have run, some have not
			for _, units := range [][]string{{AccountUnit(acme)}, {AccountUnit(acme), DirectoryUnit}} {
				wg.Go(func() {
					ended := false
					err := s.Update(ctx, units, func(tx *Tx) error {
						if ended || returned.Load() {
							t.Error("a function ran after its Update")
						}
						return createUser(acme, fmt.Sprint("u", i, len(units)))(tx)
					})
					ended = true
					if !errors.Is(err, context.Canceled) {
						t.Errorf("Update = %v", err)
					}
				})
			}
		}
		synctest.Wait()
		cancel()
		wg.Wait()
		returned.Store(true)
		release()
		synctest.Wait()
		s.update(t, createUser(acme, "after"), AccountUnit(acme))
		s.update(t, createUser(acme, "after all"), AccountUnit(acme), DirectoryUnit)
		if err := s.Update(ctx, []string{AccountUnit(acme)}, createUser(acme, "late")); !errors.Is(err, context.Canceled) {
			t.Errorf("with an ended context: %v", err)
		}
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		s.stopRun()
	})
}
