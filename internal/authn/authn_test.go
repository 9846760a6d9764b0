package authn

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

const account = "111122223333"

// env is a store with a cell keyset and an account with the user bob.
type env struct {
	testing.TB
	store    *state.Store
	vault    *Vault
	auth     *Authenticator
	sessions *session.Keeper
	cell     *keyring.Cell
	keyset   *keyring.Account
	log      *bytes.Buffer
}

var unit = state.AccountUnit(account)

func open(t testing.TB) *env {
	t.Helper()
	x := &env{TB: t, store: statetest.Open(t), log: &bytes.Buffer{}}
	text, err := keyring.NewMasterText()
	x.must(err)
	master, err := keyring.ParseMaster(text)
	x.must(err)
	x.cell, err = keyring.NewCell(state.CellUnit, time.Now())
	x.must(err)
	wrapped, err := x.cell.Wrap(t.Context(), master)
	x.must(err)
	x.vault = NewVault(master)
	x.sessions = session.New(x.vault.Cell)
	x.auth = New(x.vault, x.sessions, slog.New(slog.NewTextHandler(x.log, nil)))
	if _, err := x.vault.Cell(x.store.View()); err == nil {
		t.Error("an empty store has a cell keyset")
	}
	k := &state.Keyset{}
	k.Wrapped = wrapped
	x.update(state.CellUnit, k)
	x.newKeyset()
	u := &state.User{}
	u.Id, u.Name, u.Path = "AIDAX", "bob", "/team/"
	x.update(unit, u)
	return x
}

func (x *env) must(err error) {
	x.Helper()
	if err != nil {
		x.Fatal(err)
	}
}

func (x *env) update(unit string, r state.Record) {
	x.Helper()
	x.must(x.store.Update(x.Context(), []string{unit}, func(tx *state.Tx) error { tx.Put(unit, r); return nil }))
}

// newKeyset gives the account another keyset.
func (x *env) newKeyset() {
	x.Helper()
	var err error
	x.keyset, err = keyring.NewAccountKeyset(unit, time.Now())
	x.must(err)
	rec := &state.AccountRecord{}
	rec.Id = account
	rec.Keyset, err = x.keyset.Sealed(x.cell)
	x.must(err)
	x.update(unit, rec)
}

func (x *env) account() *state.Account { return x.store.View().Account(account) }

// key stores an access key.
func (x *env) key(id, owner, secret string) {
	x.Helper()
	sealed, err := x.keyset.Seal(AccessKeyKind, id, []byte(secret))
	x.must(err)
	k := &state.AccessKey{}
	k.Id, k.Owner, k.Secret, k.Status = id, owner, sealed, statepb.KeyStatus_KEY_STATUS_ACTIVE
	x.update(unit, k)
}

// authenticate signs a request and checks it.
func (x *env) authenticate(id, secret string) (Caller, *wire.Error) {
	x.Helper()
	r, err := http.NewRequestWithContext(x.Context(), http.MethodGet, "http://iam.amazonaws.com/?Action=GetUser&Version=2010-05-08", http.NoBody)
	x.must(err)
	x.must(sigv4.Sign(r, nil, sigv4.Credentials{AccessKeyID: id, SecretAccessKey: secret}, "us-east-1", "iam", time.Now()))
	claim, claimErr := Claim(r)
	q, fault := wire.Identify(r, nil, []*wire.Service{iamapi.Service}, "iam")
	if fault != nil {
		x.Fatal(fault)
	}
	return x.auth.Authenticate(x.store.View(), q, &claim, claimErr, time.Now())
}

func TestNewAccessKeys(t *testing.T) {
	t.Parallel()
	x := open(t)
	made, err := x.vault.NewAccessKey(x.store.View(), x.account())
	x.must(err)
	if a, ok := keyring.AccountOfAccessKeyID(made.ID); !ok || a != account || made.Secret.Len() != 40 {
		t.Errorf("%s of account %q with a secret of %d characters", made.ID, a, made.Secret.Len())
	}
	if bytes.Contains(made.Sealed, []byte(made.Secret.Reveal())) {
		t.Error("the sealed form shows the secret")
	}
	if !made.Fits(x.account()) {
		t.Error("a new key does not fit the account it was made for")
	}
	k := &state.AccessKey{}
	k.Id, k.Owner, k.Secret, k.Status = made.ID, "AIDAX", made.Sealed, statepb.KeyStatus_KEY_STATUS_ACTIVE
	x.update(unit, k)
	if made.Fits(x.account()) {
		t.Error("the id is taken, and the key fits")
	}
	caller, fault := x.authenticate(made.ID, made.Secret.Reveal())
	if want := (Caller{state.Principal{Kind: state.IAMUser, Account: account, ID: "AIDAX", Path: "/team/", Name: "bob"}, made.ID, "us-east-1", nil}); fault != nil || caller != want {
		t.Errorf("%+v, %v; want %+v", caller, fault, want)
	}
	other, err := x.vault.NewAccessKey(x.store.View(), x.account())
	x.must(err)
	x.newKeyset()
	if other.Fits(x.account()) {
		t.Error("sealed by a keyset that is gone, and the key fits")
	}
}

// TestSecretsAreNotRemembered: derived keys are kept, but never answer for another record than the one they were derived from.
func TestSecretsAreNotRemembered(t *testing.T) {
	t.Parallel()
	x := open(t)
	const id = "FOREIGNKEY000001"
	x.key(id, "AIDAX", "secret one")
	x.update(state.DirectoryUnit, func() state.Record {
		n := &state.DirectoryName{Kind: "key", Name: id}
		n.Account = account
		return n
	}())
	is := func(secret string, want *wire.Fault) {
		t.Helper()
		caller, fault := x.authenticate(id, secret)
		if want == nil && (fault != nil || caller.AccessKeyID != id) || want != nil && (!fault.IsFault(want) || caller != (Caller{})) {
			t.Errorf("%s: %+v, %v", secret, caller, fault)
		}
	}
	for range 2 {
		is("secret one", nil)
		is("secret two", wire.SignatureDoesNotMatch)
	}
	x.key(id, "AIDAX", "secret two") // replaced
	for range 2 {
		is("secret one", wire.SignatureDoesNotMatch)
		is("secret two", nil)
	}
	x.key(id, account, "secret two") // of the root user now
	if caller, fault := x.authenticate(id, "secret two"); fault != nil || caller.Kind != state.RootUser || caller.ID != account || caller.Name != "" {
		t.Errorf("%+v, %v", caller, fault)
	}
	x.key(id, "AIDAGONE", "secret two") // of a user who is not there
	is("secret two", wire.InvalidClientTokenId)
	off := x.account().AccessKey(id).Clone()
	off.Owner, off.Status = "AIDAX", statepb.KeyStatus_KEY_STATUS_INACTIVE
	x.update(unit, off)
	is("secret two", wire.InvalidClientTokenId)
	on := off.Clone()
	on.Status = statepb.KeyStatus_KEY_STATUS_UNSPECIFIED // what this version cannot read is not active
	x.update(unit, on)
	is("secret two", wire.InvalidClientTokenId)
}

// TestSecretsThatCannotBeOpened: a damaged secret is our fault, not the caller's, and the log does not show it.
func TestSecretsThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	x := open(t)
	made, err := x.vault.NewAccessKey(x.store.View(), x.account())
	x.must(err)
	store := func(sealed []byte) {
		k := &state.AccessKey{}
		k.Id, k.Owner, k.Secret, k.Status = made.ID, "AIDAX", sealed, statepb.KeyStatus_KEY_STATUS_ACTIVE
		x.update(unit, k)
	}
	another, err := x.keyset.Seal(AccessKeyKind, "ANOTHERKEY000001", []byte(made.Secret.Reveal()))
	x.must(err)
	kind, err := x.keyset.Seal("password", made.ID, []byte(made.Secret.Reveal()))
	x.must(err)
	damaged := bytes.Clone(made.Sealed)
	damaged[len(damaged)-1] ^= 1
	for what, sealed := range map[string][]byte{"damaged": damaged, "empty": nil, "another key's": another, "another kind's": kind} {
		store(sealed)
		x.log.Reset()
		caller, fault := x.authenticate(made.ID, made.Secret.Reveal())
		if !fault.IsFault(wire.InternalFailure) || fault.Message != wire.InternalFailureText || caller != (Caller{}) {
			t.Errorf("%s: %+v, %v", what, caller, fault)
		}
		if log := x.log.String(); !strings.Contains(log, made.ID) || strings.Contains(log, made.Secret.Reveal()) {
			t.Errorf("%s: the log says %q; want the key's id and not its secret", what, log)
		}
	}
	store(made.Sealed)
	if _, fault := x.authenticate(made.ID, made.Secret.Reveal()); fault != nil {
		t.Error(fault)
	}
}

// TestVaultFollowsTheCell: after the cell keyset was replaced, the vault opens the new one; a master key that does not fit opens nothing.
func TestVaultFollowsTheCell(t *testing.T) {
	t.Parallel()
	x := open(t)
	first, err := x.vault.Cell(x.store.View())
	x.must(err)
	old := x.store.View()
	if again, err := x.vault.Cell(x.store.View()); err != nil || again != first {
		t.Errorf("opened anew: %v", err)
	}
	text, err := keyring.NewMasterText()
	x.must(err)
	stranger, err := keyring.ParseMaster(text)
	x.must(err)
	if _, err := NewVault(stranger).Cell(x.store.View()); err == nil {
		t.Error("another master key opens the cell")
	}
	master := x.vault.masters[0]
	x.cell, err = keyring.NewCell(state.CellUnit, time.Now())
	x.must(err)
	k := &state.Keyset{}
	k.Wrapped, err = x.cell.Wrap(t.Context(), master)
	x.must(err)
	x.update(state.CellUnit, k)
	x.newKeyset()
	second, err := x.vault.Cell(x.store.View())
	if err != nil || second == first {
		t.Errorf("the replaced cell: %v", err)
	}
	if _, err := x.vault.Account(x.store.View(), x.account()); err != nil {
		t.Error(err)
	}
	if back, err := x.vault.Cell(old); err != nil || back == second { // a reader of an older view
		t.Errorf("the cell of the older view: %v", err)
	}
}

func TestEveryKindOfRefusalHasItsFault(t *testing.T) {
	t.Parallel()
	for kind, want := range map[sigv4.Kind]*wire.Fault{
		sigv4.MissingAuthenticationToken: wire.MissingAuthenticationToken, sigv4.IncompleteSignature: wire.IncompleteSignature,
		sigv4.SignatureDoesNotMatch: wire.SignatureDoesNotMatch, sigv4.HeadersNotSigned: wire.SignatureDoesNotMatch, sigv4.MalformedQuery: wire.MalformedQueryString,
	} {
		if got := fault(&sigv4.Error{Kind: kind, Message: "100%s of %d"}); !got.IsFault(want) || got.Message != "100%s of %d" {
			t.Errorf("%s: %v", kind, got)
		}
	}
}
