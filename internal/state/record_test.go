package state

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
)

// TestTime lets the clock jump: time in a unit never runs backwards, in one store or over two.
func TestTime(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	var clock atomic.Int64
	clock.Store(time.Date(2026, 1, 1, 0, 0, 0, 123456789, time.UTC).UnixNano())
	o := testOptions()
	o.Now = func() time.Time { return time.Unix(0, clock.Load()).In(time.FixedZone("", 3600)) }
	a, b := openWith(t, e, o), openWith(t, e, o)
	a.account(t, acme)
	b.at(t, a.View().rev)
	var last time.Time
	rnd := rand.New(rand.NewPCG(1, 4))
	for i := range 300 {
		s := []*following{a, b}[rnd.IntN(2)]
		units := [][]string{{AccountUnit(acme)}, {AccountUnit(acme), DirectoryUnit}}[rnd.IntN(2)]
		clock.Add(rnd.Int64N(int64(2*time.Hour)) - int64(time.Hour))
		var now time.Time
		s.update(t, func(tx *Tx) error {
			now = tx.Now()
			return createUser(acme, fmt.Sprint("u", i))(tx)
		}, units...)
		if now.Before(last) || now.Nanosecond()%1000 != 0 || now.Location() != time.UTC {
			t.Fatalf("the time was %s, after %s", now, last)
		}
		last = now
		if head := s.View().Account(acme).head().time; !head.Equal(now) {
			t.Fatalf("the head says %s, the transaction said %s", head, now)
		}
	}
}

// TestIDs checks that a function which runs again makes the same ids.
func TestIDs(t *testing.T) {
	t.Parallel()
	e := newScripted()
	s := openStore(t, e)
	s.account(t, acme)
	e.failCommits(false, storage.ErrConflict, storage.ErrConflict)
	var made []string
	s.update(t, func(tx *Tx) error {
		made = append(made, tx.IDs().UniqueID(keyring.UserPrefix, acme))
		return createUser(acme, "a")(tx)
	}, AccountUnit(acme))
	if len(made) != 3 || made[0] != made[1] || made[1] != made[2] {
		t.Errorf("the runs made %q", made)
	}
}

// TestChunks writes records below and over the size of one value, replaces and deletes them.
func TestChunks(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s, follower := openStore(t, e), openStore(t, e)
	s.account(t, acme)
	sizes := []int{10, 600 << 10, 900 << 10, 300 << 10, 700 << 10, 10, 520 << 10, -1, 513 << 10, -1}
	for step, size := range sizes {
		s.update(t, func(tx *Tx) error {
			u := &User{}
			u.Id, u.Name, u.Path = "AIDA", "big", strings.Repeat(string(rune('a'+step)), max(size, 0))
			if size < 0 {
				tx.Delete(AccountUnit(acme), u)
			} else {
				tx.Put(AccountUnit(acme), u)
			}
			return nil
		}, AccountUnit(acme))
		keys := 0
		_, items := e.Snapshot(t.Context(), AccountUnit(acme)+"/user/", 0)
		for _, err := range items {
			if err != nil {
				t.Fatal(err)
			}
			keys++
		}
		want := 0
		switch {
		case size > storage.MaxValueBytes:
			want = 3
		case size >= 0:
			want = 1
		}
		if keys != want {
			t.Errorf("a record of %d bytes stands in %d keys, want %d", size, keys, want)
		}
		fresh := openStore(t, e)
		follower.at(t, s.View().rev)
		wantSame(t, fmt.Sprintf("follower at size %d", size), dump(follower.View(), true), dump(s.View(), true))
		wantSame(t, fmt.Sprintf("fresh at size %d", size), dump(fresh.View(), false), dump(s.View(), false))
		for _, s := range []*following{s, follower, fresh} {
			if err := s.Verify(t.Context()); err != nil {
				t.Errorf("size %d: %v", size, err)
			}
		}
	}
}

// TestUnknownFields rewrites a record of a newer version: what this version does not know stays.
func TestUnknownFields(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s := openStore(t, e)
	s.account(t, acme)
	unit := AccountUnit(acme)
	newer := []byte("\xfa\x3f\x05newer") // field 1023, a string
	p := userPolicy(t, "AIDA", "p", 1)
	u, k := &User{}, &AccessKey{}
	u.Id, u.Name, k.Id, k.Owner = "AIDA", "u", "AKIA", "AIDA"
	for _, r := range []Record{u, k, p, s.View().Account(acme).Record()} {
		op := putOp(t, unit, r)
		op.Value = append(op.Value, newer...)
		s.at(t, foreign(t, e, unit, op))
	}
	s.update(t, func(tx *Tx) error {
		a := tx.Account(acme)
		u, k, r := a.User("AIDA").Clone(), a.AccessKey("AKIA").Clone(), a.Record().Clone()
		u.Name, k.Seq, r.Alias = "renamed", 7, "alias"
		tx.Put(unit, u)
		tx.Put(unit, k)
		tx.Put(unit, r)
		tx.Put(unit, a.InlinePolicy("AIDA", "p").WithDocument(userPolicy(t, "AIDA", "p", 2).Compiled))
		return nil
	}, unit)
	found := 0
	_, items := e.Snapshot(t.Context(), unit+"/", 0)
	for item, err := range items {
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(string(item.Value), string(newer)) {
			found++
		}
	}
	if a := s.View().Account(acme); found != 4 || a.UserByName("renamed") == nil || a.AccessKey("AKIA").Seq != 7 || a.InlinePolicy("AIDA", "p").Document != policyText(2) {
		t.Errorf("%d of 4 rewritten records kept the newer field", found)
	}
	if err := s.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
