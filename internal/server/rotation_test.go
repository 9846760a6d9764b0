package server

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// rotating is a cell without a server, and a node's housekeeping with a clock of its own.
type rotating struct {
	*testing.T
	*sweeper
	at time.Time
}

func newRotating(t *testing.T, every time.Duration) *rotating {
	t.Helper()
	cfg := nodeConfig()
	if err := cfg.Check(); err != nil {
		t.Fatal(err)
	}
	c, err := openCell(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.close(); err != nil {
			t.Error(err)
		}
	})
	r := &rotating{T: t, at: time.Now(), sweeper: newSweeper(c, nodeName, every, cfg.Logger)}
	r.now = func() time.Time { return r.at }
	return r
}

func (r *rotating) run() {
	r.Helper()
	if err := r.round(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// users makes users with a key each.
func (r *rotating) users(n int) {
	r.Helper()
	s := &seed{}
	for i := range n {
		s.users = append(s.users, seedUser{name: fmt.Sprintf("user%03d", i), keys: []seedKey{{
			id: fmt.Sprintf("ROTATIONKEY%06d", i), secret: keyring.NewSecret(fmt.Sprintf("secret-of-user-%06d", i)), active: true,
		}}})
	}
	if err := r.plant(r.Context(), s); err != nil {
		r.Fatal(err)
	}
}

// opens checks, with nothing remembered, that every secret in the store opens and is the right one.
func (r *rotating) opens(users int) {
	r.Helper()
	fresh := authn.NewVault(r.master)
	for _, vault := range []*authn.Vault{r.vault, fresh} {
		v := r.store.View()
		a := v.Account(nodeAccount)
		keys, err := vault.Account(v, a)
		if err != nil {
			r.Fatal(err)
		}
		n := 0
		for k := range a.AccessKeys("") {
			plain, err := keys.Open(authn.AccessKeyKind, k.Id, k.Secret)
			if err != nil {
				r.Fatal(err)
			}
			want := nodeSecret
			if number, ok := strings.CutPrefix(k.Id, "ROTATIONKEY"); ok {
				want = "secret-of-user-" + number
			}
			if string(plain) != want {
				r.Fatalf("the secret of %s has become another one", k.Id)
			}
			n++
		}
		if n != users+1 {
			r.Fatalf("%d keys, want %d", n, users+1)
		}
	}
}

func (r *rotating) cellKeys() []keyring.KeyInfo {
	r.Helper()
	c, err := r.vault.Cell(r.store.View())
	if err != nil {
		r.Fatal(err)
	}
	return c.Keys()
}

func (r *rotating) accountKeys() []keyring.KeyInfo {
	r.Helper()
	v := r.store.View()
	a, err := r.vault.Account(v, v.Account(nodeAccount))
	if err != nil {
		r.Fatal(err)
	}
	return a.Keys()
}

func ids(keys []keyring.KeyInfo) []uint32 {
	var list []uint32
	for _, k := range keys {
		list = append(list, k.ID)
	}
	return list
}

func TestRotationByAge(t *testing.T) {
	t.Parallel()
	const users, every = 230, 30 * 24 * time.Hour // more than one batch of resealing
	r := newRotating(t, every)
	r.users(users)
	r.run()
	cell, account := r.cellKeys(), r.accountKeys()
	if len(cell) != 1 || len(account) != 1 {
		t.Fatalf("at the start: %v, %v", cell, account)
	}
	r.at = r.at.Add(every - time.Hour)
	r.run()
	if !slices.Equal(ids(r.cellKeys()), ids(cell)) || !slices.Equal(ids(r.accountKeys()), ids(account)) {
		t.Fatal("keys were replaced before their time")
	}
	r.opens(users)

	r.at = r.at.Add(2 * time.Hour)
	r.run()
	r.opens(users)
	if now := r.cellKeys(); len(now) != 2 || now[0].Retired.IsZero() || !now[1].Primary {
		t.Fatalf("the cell's keys after its time: %+v", now)
	}
	if now := r.accountKeys(); len(now) != 1 || now[0].ID == account[0].ID {
		t.Fatalf("the account's keys after its time: %+v", now)
	}
	v := r.store.View()
	if n := len(accountsUnder(v, cell[0].ID, 0)); n != 0 {
		t.Errorf("%d accounts are sealed under the retired key", n)
	}
	if n := len(sealedUnder(v.Account(nodeAccount), account[0].ID, 0)); n != 0 {
		t.Errorf("%d secrets are sealed under the removed key", n)
	}

	// Session tokens may be under the cell's key for 36 hours more.
	r.at = r.at.Add(keyring.MaxTokenLife)
	r.run()
	if len(r.cellKeys()) != 2 {
		t.Error("the cell's key is gone while tokens may live")
	}
	r.at = r.at.Add(settle)
	r.run()
	if now := r.cellKeys(); len(now) != 1 || now[0].ID == cell[0].ID {
		t.Errorf("the cell's keys at the end: %+v", now)
	}
	r.opens(users)
	before := r.store.View().Rev()
	r.run()
	if r.store.View().Rev() != before {
		t.Error("a store at rest is written")
	}
}

// A second node that lives holds a promotion up until it says that it has the key; one that is gone does not.
func TestRotationWaitsForLiveNodes(t *testing.T) {
	t.Parallel()
	r := newRotating(t, 0)
	r.users(2)
	r.node, r.shared = "one", true
	r.run()
	other := newSweeper(r.cell, "two", 0, r.log)
	other.shared = true
	other.now = func() time.Time { return r.at }
	stale := func(ctx context.Context) error { // node two says what it knew before
		return r.store.Update(ctx, []string{state.CellUnit}, func(tx *state.Tx) error {
			n := &state.Node{}
			n.Id, n.Seen = "two", r.at.UnixMicro()
			for _, k := range r.cellKeys()[:1] {
				n.CellKeys = append(n.CellKeys, k.ID)
				n.CellPrimary = k.ID
			}
			tx.Put(state.CellUnit, n)
			return nil
		})
	}
	if err := stale(t.Context()); err != nil {
		t.Fatal(err)
	}
	demand := func() {
		err := r.store.Update(t.Context(), []string{state.CellUnit}, func(tx *state.Tx) error {
			k := tx.Cell().Keyset().Clone()
			k.RotationDemanded = r.at.UnixMicro()
			tx.Put(state.CellUnit, k)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	first := r.cellKeys()[0].ID
	r.at = r.at.Add(time.Second)
	demand()
	r.run()
	r.opens(2)
	if now := r.cellKeys(); len(now) != 2 || !now[0].Primary {
		t.Fatalf("node two does not have the key, and it is promoted: %+v", now)
	}
	if err := other.heartbeat(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.run()
	r.opens(2)
	if now := r.cellKeys(); len(now) != 2 || !now[1].Primary {
		t.Fatalf("every node has the key, and it is not promoted: %+v", now)
	}
	if n := len(accountsUnder(r.store.View(), first, 0)); n != 1 {
		t.Errorf("%d accounts are under the first key: node two still seals with it", n)
	}
	if err := other.heartbeat(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.run()
	if n := len(accountsUnder(r.store.View(), first, 0)); n != 0 {
		t.Errorf("%d accounts are still under the first key", n)
	}

	// Node two ends without a word.
	r.at = r.at.Add(keyring.MaxTokenLife + settle)
	r.run()
	for n := range r.store.View().Cell().Nodes() {
		if n.Id == "two" {
			t.Error("a node that is gone is remembered")
		}
	}
	if now := r.cellKeys(); len(now) != 1 || now[0].ID == first {
		t.Errorf("the cell's keys at the end: %+v", now)
	}
	r.opens(2)
}

// Keys are made, used and changed all through a rotation, over the API.
func TestRotationUnderUse(t *testing.T) {
	t.Parallel()
	r := startNode(t, nodeConfig())
	c := r.api.cell.Load()
	r.iam(t, rootPair, "CreateUser", "UserName", "alice")
	r.iam(t, rootPair, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}`)
	s := newSweeper(c, nodeName, 24*time.Hour, r.cfg.Logger)
	at := time.Now()
	s.now = func() time.Time { return at }
	rotated := make(chan error, 1)
	go func() {
		for range 10 {
			at = at.Add(24*time.Hour + time.Minute)
			if err := s.round(t.Context()); err != nil {
				rotated <- err
				return
			}
		}
		rotated <- nil
	}()
	n := 0
	for done := false; !done; n++ {
		select {
		case err := <-rotated:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		default:
		}
		k := r.newKey(t, "alice")
		r.iam(t, k, "GetUser")
		r.iam(t, k, "UpdateAccessKey", "AccessKeyId", k.id, "Status", "Inactive")
		r.refused(t, k, "InvalidClientTokenId", "GetUser")
		r.iam(t, rootPair, "DeleteAccessKey", "UserName", "alice", "AccessKeyId", k.id)
	}
	t.Logf("%d keys made and used meanwhile", n)
}

// What an operator does on a stopped data directory, and what of it the server sees then.
func TestStopped(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	config := func() *Config {
		cfg := nodeConfig()
		cfg.DataDir = dir
		return cfg
	}
	stopped := func(do func(s *Stopped)) {
		t.Helper()
		s, err := OpenStopped(t.Context(), config())
		if err != nil {
			t.Fatal(err)
		}
		do(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenStopped(t.Context(), config()); err == nil || !strings.Contains(err.Error(), "no store") {
		t.Errorf("a directory without a store: %v", err)
	}
	r := startNode(t, config())
	r.iam(t, rootPair, "CreateUser", "UserName", "alice")
	r.iam(t, rootPair, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"*"}}`)
	alice := r.newKey(t, "alice")
	must(r.end())

	var second keyPair
	stopped(func(s *Stopped) {
		if s.Account() != nodeAccount {
			t.Errorf("account %s", s.Account())
		}
		must(s.SetRootPassword(t.Context(), keyring.NewSecret("another-password")))
		hash := s.cell.store.View().Account(nodeAccount).Record().RootPassword
		if ok, _, err := keyring.NewHasher(1, 1).Verify(t.Context(), keyring.NewSecret("another-password"), hash); !ok || err != nil {
			t.Errorf("the password does not fit its hash: %v", err)
		}
		if err := s.SetRootPassword(t.Context(), keyring.NewSecret("short")); err == nil {
			t.Error("a short password is taken")
		}
		must(s.CanAddRootKey())
		id, secret := s.NewRootKey()
		must(s.AddRootKey(t.Context(), id, secret))
		second = keyPair{id, secret.Reveal()}
		if err := s.CanAddRootKey(); err == nil {
			t.Error("a third key would be taken")
		}
		if id, secret := s.NewRootKey(); s.AddRootKey(t.Context(), id, secret) == nil {
			t.Error("a third key is taken")
		}
		must(s.SetRootKeyActive(t.Context(), nodeRootKey, false))
		if keys := s.RootKeys(); len(keys) != 2 || keys[0].ID != nodeRootKey || keys[0].Active || keys[0].LastUsed.IsZero() || !keys[1].Active || !keys[1].LastUsed.IsZero() {
			t.Errorf("the keys: %+v", keys)
		}
		if err := s.SetRootKeyActive(t.Context(), alice.id, false); err == nil || !strings.Contains(err.Error(), "no access key") {
			t.Errorf("a user's key is taken for the root user's: %v", err)
		}
		if err := s.DeleteRootKey(t.Context(), alice.id); err == nil {
			t.Error("a user's key is deleted")
		}
	})
	r = startNode(t, config())
	r.iam(t, second, "ListUsers")
	r.refused(t, rootPair, "InvalidClientTokenId", "ListUsers")
	must(r.end())

	newMaster := filepath.Join(t.TempDir(), "new.key")
	stopped(func(s *Stopped) {
		must(s.SetRootKeyActive(t.Context(), nodeRootKey, true))
		must(s.DeleteRootKey(t.Context(), second.id))
		before := s.cell.store.View()
		must(s.RotateKeys(t.Context()))
		after := s.cell.store.View()
		under := func(v *state.View) (cell, account uint32) {
			cell, _ = keyring.KeyID(v.Account(nodeAccount).Record().Keyset)
			account, _ = keyring.KeyID(v.Account(nodeAccount).AccessKey(alice.id).Secret)
			return cell, account
		}
		c1, a1 := under(before)
		if c2, a2 := under(after); c1 == c2 || a1 == a2 {
			t.Error("things are still sealed under the keys before")
		}
		to, _, err := keyring.LoadOrCreateMaster(newMaster)
		must(err)
		must(s.RotateMaster(t.Context(), to))
	})
	if _, err := Open(t.Context(), config(), "v"); err == nil || !strings.Contains(err.Error(), "wrong master key") {
		t.Errorf("the store opens with the master key before: %v", err)
	}
	cfg := config()
	cfg.MasterKeyFile = newMaster
	r = startNode(t, cfg)
	r.iam(t, rootPair, "ListUsers")
	r.iam(t, alice, "ListUsers")
	r.refused(t, second, "InvalidClientTokenId", "ListUsers")
	if _, err := nodeCall(http.DefaultClient, r.URL(), alice, "sts", "GetCallerIdentity"); err != nil {
		t.Error(err)
	}
}
