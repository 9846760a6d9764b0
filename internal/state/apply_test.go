package state

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

// step does one random change to a random account, as iam does them, or refuses.
func step(t testing.TB, rnd *rand.Rand, accounts []string) (units []string, fn func(*Tx) error) {
	id := accounts[rnd.IntN(len(accounts))]
	unit := AccountUnit(id)
	name := fmt.Sprint("user", rnd.IntN(15))
	switch rnd.IntN(5) {
	case 0, 1:
		return []string{unit}, entityStep(rnd, id)
	case 2:
		return organizationStep(rnd)
	}
	n, kind := rnd.IntN(5), rnd.IntN(14)
	onUser := func(change func(tx *Tx, a *Account, u *User) error) func(*Tx) error {
		return func(tx *Tx) error {
			a := tx.Account(id)
			u := a.UserByName(name)
			if u == nil {
				return errors.New("no such user")
			}
			return change(tx, a, u)
		}
	}
	single := []string{unit}
	switch kind {
	case 0, 1, 2:
		return single, createUser(id, name)
	case 3:
		return single, onUser(func(tx *Tx, a *Account, u *User) error {
			c := u.Clone()
			c.Name, c.Path = fmt.Sprint("USER", n), fmt.Sprint("/", n, "/")
			if other := a.UserByName(c.Name); other != nil && other.Id != u.Id {
				return errExists
			}
			tx.Put(unit, c)
			return nil
		})
	case 4:
		return single, onUser(func(tx *Tx, _ *Account, u *User) error {
			c := u.Clone()
			c.Tags = append(c.Tags[:0:0], &statepb.Tag{Key: fmt.Sprint("k", n), Value: strings.Repeat("v", n)})
			tx.Put(unit, c)
			return nil
		})
	case 5, 6:
		return single, onUser(func(tx *Tx, a *Account, u *User) error {
			for k := range a.AccessKeys(u.Id) {
				tx.Delete(unit, k)
				break
			}
			k := &AccessKey{}
			k.Id, k.Owner, k.Secret, k.Seq = tx.IDs().AccessKeyID(id), u.Id, []byte{1, 2, 3}, uint32(n)
			tx.Put(unit, k)
			return nil
		})
	case 7, 8:
		return single, onUser(func(tx *Tx, _ *Account, u *User) error {
			tx.Put(unit, userPolicy(t, u.Id, fmt.Sprint("p", n%3), n))
			return nil
		})
	case 9:
		return single, onUser(func(tx *Tx, a *Account, u *User) error {
			for p := range a.InlinePolicies(u.Id, "") {
				tx.Delete(unit, p)
				break
			}
			return nil
		})
	case 10: // with everything that belongs to the user
		return single, onUser(func(tx *Tx, a *Account, u *User) error {
			var all []Record
			for p := range a.InlinePolicies(u.Id, "") {
				all = append(all, p)
			}
			for k := range a.AccessKeys(u.Id) {
				all = append(all, k)
			}
			for _, r := range append(all, u) {
				tx.Delete(unit, r)
			}
			tx.Delete(unit, u) // twice is fine
			return nil
		})
	case 11: // two users change names, which meet on the way
		return single, onUser(func(tx *Tx, a *Account, u *User) error {
			for other := range a.Users(u.Name) {
				x, y := u.Clone(), other.Clone()
				x.Name, y.Name = other.Name, u.Name
				tx.Put(unit, x)
				tx.Put(unit, y)
				break
			}
			return nil
		})
	case 12: // a record in chunks comes and goes
		return single, onUser(func(tx *Tx, _ *Account, u *User) error {
			c := u.Clone()
			c.Path = strings.Repeat("/x", []int{10, 300 << 10}[n%2])
			tx.Put(unit, c)
			return nil
		})
	default:
		return []string{unit, DirectoryUnit}, setAlias(id, []string{"", "one", "two", "three"}[n%4])
	}
}

// TestApply runs random histories against one store while another follows, and opens a third from the snapshot: all hold the same at the
// same revision, whether a record was built by a transaction, decoded from the log or decoded from the snapshot.
func TestApply(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			t.Parallel()
			e := memory.New(memory.Options{})
			writer, follower := openStore(t, e), openStore(t, e)
			accounts := []string{acme, globex, hooli}
			for _, a := range accounts {
				writer.account(t, a)
			}
			rnd := rand.New(rand.NewPCG(seed, 6))
			for i := range 600 {
				units, fn := step(t, rnd, accounts)
				_ = writer.Update(t.Context(), units, fn)
				if i%150 != 149 {
					continue
				}
				v := writer.View()
				// The follower takes the commits one by one, so that the epochs too must be equal.
				wantSame(t, "own and foreign", dump(v, true), dump(follower.at(t, v.rev), true))
				fresh := openStore(t, e)
				wantSame(t, "own and fresh", dump(v, false), dump(fresh.View(), false))
				checkAliases(t, v)
				checkLists(t, v, acme)
				checkMemberships(t, v)
				for _, s := range []*following{writer, follower, fresh} {
					if err := s.verifyStored(t.Context()); err != nil {
						t.Fatalf("step %d: %v", i, err)
					}
				}
			}
			if v := writer.View(); v.Account(acme).UserCount() == 0 || v.rev < 150 {
				t.Errorf("the history was thin: revision %d, %d users", v.rev, v.Account(acme).UserCount())
			}
		})
	}
}

// TestApplyConcurrent is the same with both stores writing at once, batches and conflicts included.
func TestApplyConcurrent(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{Retention: 100_000})
	a, b := openStore(t, e), openStore(t, e)
	accounts := []string{acme, globex}
	for _, id := range accounts {
		a.account(t, id)
	}
	b.at(t, a.View().rev)
	var wg sync.WaitGroup
	for w := range 12 {
		s := []*following{a, b}[w%2]
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(w), 8))
			for range 40 {
				units, fn := step(t, rnd, accounts)
				if err := s.Update(t.Context(), units, fn); errors.Is(err, ErrStopped) || errors.Is(err, storage.ErrConflict) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	last := max(a.View().rev, b.View().rev)
	wantSame(t, "two writers", dump(a.at(t, last), true), dump(b.at(t, last), true))
	fresh := openStore(t, e)
	wantSame(t, "a writer and a fresh store", dump(a.View(), false), dump(fresh.View(), false))
	for _, s := range []*following{a, b, fresh} {
		if err := s.verifyStored(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// TestEpoch lists what moves an account's epoch: everything that can change a decision, and nothing else.
func TestEpoch(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s, follower := openStore(t, e), openStore(t, e)
	s.account(t, acme)
	unit := AccountUnit(acme)
	epoch := func(fn func(*Tx, *User) error, moves bool, what string) {
		t.Helper()
		before := s.View().Account(acme)
		s.update(t, func(tx *Tx) error {
			err := fn(tx, tx.Account(acme).UserByName("u"))
			if got := tx.Account(acme).Epoch; (got == 0) != moves {
				t.Errorf("%s: the transaction's epoch is %d", what, got)
			}
			return err
		}, unit)
		after := s.View().Account(acme)
		want := before.Epoch
		if moves {
			want = after.head().rev
		}
		if after.Epoch != want || after.head().rev == before.head().rev {
			t.Errorf("%s: the epoch went from %d to %d at revision %d", what, before.Epoch, after.Epoch, after.head().rev)
		}
		if got := follower.at(t, s.View().rev).Account(acme).Epoch; got != after.Epoch {
			t.Errorf("%s: the follower's epoch is %d, want %d", what, got, after.Epoch)
		}
	}
	epoch(func(tx *Tx, _ *User) error { return createUser(acme, "u")(tx) }, false, "a new user")
	epoch(func(tx *Tx, u *User) error { tx.Put(unit, userPolicy(t, u.Id, "p", 1)); return nil }, true, "a new policy")
	epoch(func(tx *Tx, u *User) error { tx.Put(unit, userPolicy(t, u.Id, "p", 2)); return nil }, true, "a changed policy")
	epoch(func(tx *Tx, u *User) error {
		k := &AccessKey{}
		k.Id, k.Owner = tx.IDs().UniqueID(keyring.AccessKeyPrefix, acme), u.Id
		tx.Put(unit, k)
		return nil
	}, false, "a key")
	epoch(func(tx *Tx, u *User) error { c := u.Clone(); c.Path = "/x/"; tx.Put(unit, c); return nil }, true, "a changed user")
	epoch(func(tx *Tx, u *User) error {
		tx.Delete(unit, tx.Account(acme).InlinePolicy(u.Id, "p"))
		return nil
	}, true, "a deleted policy")
	epoch(func(tx *Tx, u *User) error { tx.Delete(unit, u); return nil }, true, "a deleted user")
}

// TestVerifyFinds plants differences between memory and engine. Each must be named.
func TestVerifyFinds(t *testing.T) {
	t.Parallel()
	acct := AccountUnit(acme)
	for name, c := range map[string]struct {
		plant func(t *testing.T, a *Account, v *View) // changes a copy of the account, or the view
		want  string
	}{
		"nothing": {func(*testing.T, *Account, *View) {}, ""},
		"record missing": {func(t *testing.T, a *Account, _ *View) {
			setRecord(a, "user", "AIDA1", nil)
		}, "AIDA1"},
		"record too many": {func(t *testing.T, a *Account, _ *View) {
			setRecord(a, "user", "AIDA9", &User{User: statepb.User{Id: "AIDA9"}})
		}, acct},
		"record differs": {func(t *testing.T, a *Account, _ *View) {
			c := a.User("AIDA1").Clone()
			c.Path = "/elsewhere/"
			setRecord(a, "user", "AIDA1", c)
		}, acct + "/user/AIDA1"},
		"policy swapped for another": {func(t *testing.T, a *Account, _ *View) {
			p := userPolicy(t, "AIDA1", "p", 1)
			p.Compiled = userPolicy(t, "AIDA1", "p", 2).Compiled
			setRecord(a, "userpolicy", "AIDA1/p", p)
		}, "AIDA1/p"},
		"order": {func(t *testing.T, a *Account, _ *View) {
			a.own("user").(*table[User]).ordered.Delete(a.User("AIDA2"))
		}, "AIDA2"},
		"order stale": {func(t *testing.T, a *Account, _ *View) {
			a.own("user").(*table[User]).ordered.Set(&User{User: statepb.User{Id: "AIDA7", Name: "ghost"}})
		}, acct + "/user"},
		"second order": {func(t *testing.T, a *Account, _ *View) {
			a.own("member").(*table[Member]).second.Delete(NewMember("AIDA1", "AGPA1"))
		}, "AIDA1/AGPA1"},
		"head":   {func(t *testing.T, a *Account, _ *View) { a.at.rev-- }, acct},
		"time":   {func(t *testing.T, a *Account, _ *View) { a.at.time = a.at.time.Add(1000) }, acct},
		"unit":   {func(t *testing.T, _ *Account, v *View) { v.accounts = newIndex(accountID) }, acct},
		"unit 2": {func(t *testing.T, a *Account, v *View) { addEmptyUnit(v) }, AccountUnit(hooli)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, memory.New(memory.Options{}))
			s.account(t, acme)
			s.update(t, func(tx *Tx) error {
				for _, id := range []string{"AIDA1", "AIDA2"} {
					tx.Put(acct, &User{User: statepb.User{Id: id, Name: "n" + id}})
				}
				tx.Put(acct, userPolicy(t, "AIDA1", "p", 1))
				tx.Put(acct, NewMember("AIDA1", "AGPA1"))
				return nil
			}, acct)
			v := s.View()
			a := v.Account(acme).fork().(*Account)
			changed := v.with(v.rev, []unit{a})
			c.plant(t, a, changed)
			s.view.Store(changed)
			err := s.Verify(t.Context())
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Verify = %v, want a difference that names %q", err, c.want)
			}
		})
	}
}

// TestVerifyFindsMemberships: what the directory and the organizations say of each other, where memory and engine are the same.
func TestVerifyFindsMemberships(t *testing.T) {
	t.Parallel()
	one, two := OrganizationUnit("o-1"), OrganizationUnit("o-2")
	for name, c := range map[string]struct {
		change func(tx *Tx)
		want   []string // nil: nothing is found
	}{
		"nothing":         {func(*Tx) {}, nil},
		"no place":        {func(tx *Tx) { tx.Delete(one, NewOrganizationAccount(acme, "r-1")) }, []string{acme, "o-1"}},
		"no entry":        {func(tx *Tx) { tx.Delete(DirectoryUnit, NewDirectoryMembership(acme, "o-1")) }, []string{acme, "o-1"}},
		"elsewhere":       {func(tx *Tx) { tx.Put(DirectoryUnit, NewDirectoryMembership(acme, "o-2")) }, []string{acme, "o-1", "o-2"}},
		"in two":          {func(tx *Tx) { tx.Put(two, NewOrganizationAccount(acme, "r-2")) }, []string{acme, "o-2"}},
		"no organization": {func(tx *Tx) { tx.Put(DirectoryUnit, NewDirectoryMembership(hooli, "o-3")) }, []string{hooli, "o-3"}},
		"moved": {func(tx *Tx) {
			tx.Delete(one, NewOrganizationAccount(acme, "r-1"))
			tx.Put(two, NewOrganizationAccount(acme, "r-2"))
			tx.Put(DirectoryUnit, NewDirectoryMembership(acme, "o-2"))
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openStore(t, memory.New(memory.Options{}))
			units := []string{DirectoryUnit, one, two}
			s.update(t, func(tx *Tx) error {
				for _, id := range []string{"1", "2"} {
					o := &OrganizationRecord{}
					o.Id, o.Root, o.Management = "o-"+id, "r-"+id, hooli
					tx.Put(OrganizationUnit("o-"+id), o)
				}
				tx.Put(one, NewOrganizationAccount(acme, "r-1"))
				tx.Put(DirectoryUnit, NewDirectoryMembership(acme, "o-1"))
				return nil
			}, units...)
			s.update(t, func(tx *Tx) error { c.change(tx); return nil }, units...)
			err := s.Verify(t.Context())
			if (err == nil) != (c.want == nil) {
				t.Fatalf("Verify = %v, want a difference that names %q", err, c.want)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Verify = %v, want a difference that names %q", err, want)
				}
			}
		})
	}
}

func addEmptyUnit(v *View) {
	u, _ := newUnit(AccountUnit(hooli))
	u.head().rev = 7
	v.accounts = v.accounts.fork()
	v.accounts.put(u.(*Account))
}
