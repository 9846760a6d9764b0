package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

var errTaken = errors.New("the alias is taken")

func aliasEntry(alias, account string) *DirectoryName {
	n := &DirectoryName{Kind: "alias", Name: alias}
	n.Account = account
	return n
}

// setAlias is what iam.CreateAccountAlias does with the state: the directory and the account change together. An empty alias is none.
func setAlias(account, alias string) func(*Tx) error {
	return func(tx *Tx) error {
		if owner := tx.Directory().AccountOfAlias(alias); owner != "" && owner != account {
			return errTaken
		}
		r := tx.Account(account).Record().Clone()
		if r.Alias != "" {
			tx.Delete(DirectoryUnit, aliasEntry(r.Alias, account))
		}
		r.Alias = alias
		tx.Put(AccountUnit(account), r)
		if alias != "" {
			tx.Put(DirectoryUnit, aliasEntry(alias, account))
		}
		return nil
	}
}

// checkAliases compares the two halves of every alias in one view.
func checkAliases(t *testing.T, v *View) {
	t.Helper()
	have := map[string]string{}
	for a := range v.accounts.all() {
		if alias := a.Record().GetAlias(); alias != "" {
			if other := have[alias]; other != "" {
				t.Errorf("revision %d: %s and %s have the alias %s", v.rev, other, a.ID, alias)
			}
			have[alias] = a.ID
		}
	}
	n := 0
	for e := range at[DirectoryName](&v.directory.tables, 1).byKey.all() {
		n++
		if have[e.Name] != e.Account {
			t.Errorf("revision %d: the directory gives %s to %s, the accounts to %q", v.rev, e.Name, e.Account, have[e.Name])
		}
	}
	if n != len(have) {
		t.Errorf("revision %d: %d aliases in the directory, %d in accounts", v.rev, n, len(have))
	}
}

// TestAcross moves few aliases between accounts on two stores over one engine, beside updates of the single units, and reads meanwhile.
func TestAcross(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s, second := openStore(t, e), openStore(t, e)
	accounts := []string{acme, globex, hooli}
	for _, a := range accounts {
		s.account(t, a)
	}
	second.at(t, s.View().rev)
	done := make(chan struct{})
	var readers, writers sync.WaitGroup
	for _, s := range []*following{s, second} {
		readers.Go(func() {
			last := storage.Rev(0)
			for {
				v := s.View()
				if v.rev != last {
					checkAliases(t, v)
				}
				if v.rev < last {
					t.Errorf("the view went from %d back to %d", last, v.rev)
				}
				last = v.rev
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for w := range 16 {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 5))
			s := s
			if w%8 == 0 {
				s = second
			}
			for i := range 40 {
				a, b := accounts[rnd.IntN(3)], accounts[rnd.IntN(3)]
				units := []string{AccountUnit(a), DirectoryUnit, AccountUnit(b)}
				rnd.Shuffle(3, func(i, j int) { units[i], units[j] = units[j], units[i] })
				var err error
				switch rnd.IntN(5) {
				case 0:
					err = s.Update(t.Context(), []string{AccountUnit(a)}, createUser(a, fmt.Sprint("u", w, "-", i)))
				case 1: // the directory alone, and an account that is only read
					err = s.Update(t.Context(), []string{DirectoryUnit}, func(tx *Tx) error {
						d := tx.Directory().Account(a)
						c := &DirectoryAccount{}
						c.Id, c.Name = d.Id, fmt.Sprint(tx.Account(a).UserCount())
						tx.Put(DirectoryUnit, c)
						return nil
					})
				case 2: // an alias goes from one account to another
					err = s.Update(t.Context(), units, func(tx *Tx) error {
						alias := tx.Account(a).Record().Alias
						if alias == "" || a == b {
							return nil
						}
						if err := setAlias(a, "")(tx); err != nil {
							return err
						}
						return setAlias(b, alias)(tx)
					})
				default:
					err = s.Update(t.Context(), units, setAlias(a, fmt.Sprint("alias", rnd.IntN(4))))
				}
				if err != nil && !errors.Is(err, errTaken) {
					t.Errorf("%v: %v", units, err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	last := max(s.View().rev, second.View().rev)
	for _, s := range []*following{s, second} {
		s.at(t, last)
		if err := s.Verify(t.Context()); err != nil {
			t.Error(err)
		}
	}
	wantSame(t, "two writers", dump(s.View(), true), dump(second.View(), true))
}

// TestAcrossReadsOnly names a unit that it only reads: its head stays, and yet the commit depends on it.
func TestAcrossReadsOnly(t *testing.T) {
	t.Parallel()
	e := newScripted()
	s := openStore(t, e)
	s.account(t, acme)
	s.account(t, globex)
	directory := headOf(t, e, DirectoryUnit)
	runs := 0
	s.update(t, func(tx *Tx) error {
		if runs++; runs == 1 { // somebody takes the alias while this function runs
			foreign(t, e.Engine, DirectoryUnit, putOp(t, DirectoryUnit, aliasEntry("x", globex)))
		}
		if tx.Directory().AccountOfAlias("x") == "" {
			return createUser(acme, "free")(tx)
		}
		return createUser(acme, "taken")(tx)
	}, AccountUnit(acme), DirectoryUnit)
	if a := s.View().Account(acme); a.UserByName("taken") == nil || a.UserCount() != 1 {
		t.Errorf("the commit did not depend on the directory that it read: %d runs", runs)
	}
	runs = 0
	s.update(t, func(tx *Tx) error { // the same for a unit that is not even named
		if runs++; runs == 1 {
			foreign(t, e.Engine, DirectoryUnit, putOp(t, DirectoryUnit, aliasEntry("y", globex)))
		}
		return createUser(acme, map[bool]string{true: "free2", false: "taken2"}[tx.Directory().AccountOfAlias("y") == ""])(tx)
	}, AccountUnit(acme))
	if a := s.View().Account(acme); a.UserByName("taken2") == nil || a.UserCount() != 2 {
		t.Errorf("the commit did not depend on the directory that it read: %d runs", runs)
	}
	head := headOf(t, e, DirectoryUnit)
	if head == directory {
		t.Error("the foreign writes did not happen")
	}
	s.update(t, createUser(acme, "third"), AccountUnit(acme), DirectoryUnit)
	if got := headOf(t, e, DirectoryUnit); got != head {
		t.Errorf("reading the directory moved its head from %d to %d", head, got)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestAcrossBehindPending holds up a lane's commit: an update across waits for it, and others behind both.
func TestAcrossBehindPending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := newScripted()
		s := openStore(t, e)
		s.account(t, acme)
		s.account(t, globex)
		release := e.blockCommits()
		var order []string
		var mu sync.Mutex
		start := func(name string, fn func(*Tx) error, units ...string) {
			go func() {
				if err := s.Update(t.Context(), units, fn); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
			}()
			synctest.Wait()
		}
		start("lane", createUser(acme, "a"), AccountUnit(acme))
		start("across", func(tx *Tx) error {
			if tx.Account(acme).UserByName("a") == nil {
				return errors.New("it does not see what was before it")
			}
			return setAlias(acme, "x")(tx)
		}, AccountUnit(acme), DirectoryUnit)
		start("behind", func(tx *Tx) error {
			if tx.Account(acme).Record().Alias != "x" {
				return errors.New("it overtook the update across")
			}
			return createUser(acme, "b")(tx)
		}, AccountUnit(acme))
		ctxFree := make(chan error, 1)
		go func() {
			ctxFree <- s.Update(t.Context(), []string{AccountUnit(globex)}, func(tx *Tx) error { return nil })
		}()
		synctest.Wait()
		if len(ctxFree) != 1 {
			t.Error("a unit that nobody holds has to wait")
		}
		release()
		synctest.Wait()
		if len(order) != 3 || order[0] != "lane" {
			t.Errorf("the order was %v", order)
		}
		time.Sleep(time.Second)
		s.stopRun()
	})
}
