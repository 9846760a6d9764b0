package iam

import (
	"errors"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
)

// TestTrustReadTooEarly: a document that was read before its transaction counts only if its principals still are who they were.
func TestTrustReadTooEarly(t *testing.T) {
	t.Parallel()
	const account, foreign = "111122223333", "444455556666"
	s := statetest.Open(t)
	update := func(account string, fn func(*state.Tx)) { statetest.Update(t, s, account, fn) }
	user := func(account, id, path, name string) func(*state.Tx) {
		u := &state.User{}
		u.Id, u.Path, u.Name = id, path, name
		return func(tx *state.Tx) {
			rec := &state.AccountRecord{}
			rec.Id = account
			tx.Put(state.AccountUnit(account), rec)
			tx.Put(state.AccountUnit(account), u)
		}
	}
	gone := func(account, id string) func(*state.Tx) {
		return func(tx *state.Tx) { tx.Delete(state.AccountUnit(account), tx.Account(account).User(id)) }
	}
	seed := keyring.NewSeed()
	ids := keyring.NewStream(seed)
	bob, other, eve := ids.UniqueID(keyring.UserPrefix, account), ids.UniqueID(keyring.UserPrefix, account), ids.UniqueID(keyring.UserPrefix, foreign)
	const arnBob, arnEve = "arn:aws:iam::" + account + ":user/bob", "arn:aws:iam::" + foreign + ":user/eve"
	trust := func(principal string) string {
		return `{"Statement":{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":"sts:AssumeRole"}}`
	}

	for _, c := range []struct {
		name, principal string
		account         string
		change          func(*state.Tx)
		stale           bool
	}{
		{"an account", foreign, account, user(account, other, "/", "x"), false},
		{"another user comes", arnBob, account, user(account, other, "/", "x"), false},
		{"the user goes", arnBob, account, gone(account, bob), true},
		{"the user is renamed", arnBob, account, user(account, bob, "/", "robert"), true},
		{"the user moves", arnBob, account, user(account, bob, "/team/", "bob"), true},
		{"the user is replaced", arnBob, account, func(tx *state.Tx) { gone(account, bob)(tx); user(account, other, "/", "bob")(tx) }, true},
		{"the id goes", bob, account, gone(account, bob), true},
		{"the id is renamed", bob, account, user(account, bob, "/", "robert"), false},
		{"the user of another account goes", arnEve, foreign, gone(foreign, eve), true},
		{"an unknown user comes", "arn:aws:iam::" + account + ":user/new", account, user(account, other, "/", "new"), true},
	} {
		for _, known := range []struct{ account, id string }{{account, bob}, {account, other}, {foreign, eve}} {
			if a := s.View().Account(known.account); a != nil && a.User(known.id) != nil {
				update(known.account, gone(known.account, known.id))
			}
		}
		update(account, user(account, bob, "/", "bob"))
		update(foreign, user(foreign, eve, "/", "eve"))
		read := readTrust(s.View(), trust(c.principal))
		if err := read.check(s.View()); errors.Is(err, state.ErrStale) {
			t.Errorf("%s: stale at once", c.name)
		}
		update(c.account, c.change)
		if err := read.check(s.View()); errors.Is(err, state.ErrStale) != c.stale {
			t.Errorf("%s: %v; want stale: %t", c.name, err, c.stale)
		}
	}
}
