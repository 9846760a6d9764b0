package authn

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
	"unsafe"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// AccessKeyKind is the kind under which secrets of access keys are sealed; the id is that of the key.
const AccessKeyKind = "access-key"

// maxHandles bounds the opened account keysets that are kept.
const maxHandles = 10_000

// Vault opens what the store keeps sealed.
type Vault struct {
	masters  []keyring.Master
	cell     atomic.Pointer[openedCell]
	accounts *keyring.AccountCache
}

// openedCell is the cell keyset and the stored bytes it was opened from. Stored bytes never change, so their address tells them apart.
type openedCell struct {
	from *byte
	keys *keyring.Cell
}

// NewVault makes a vault that opens the cell keyset with one of the master keys.
func NewVault(masters ...keyring.Master) *Vault {
	return &Vault{masters: masters, accounts: keyring.NewAccountCache(maxHandles)}
}

// Cell returns the opened cell keyset as r has it.
func (v *Vault) Cell(r state.Reader) (*keyring.Cell, error) {
	k := r.Cell().Keyset()
	if k == nil {
		return nil, errors.New("authn: the store has no cell keyset")
	}
	if o := v.cell.Load(); o != nil && o.from == unsafe.SliceData(k.Wrapped) {
		return o.keys, nil
	}
	c, err := keyring.OpenCell(context.Background(), state.CellUnit, k.Wrapped, v.masters...)
	if err != nil {
		return nil, err
	}
	v.cell.Store(&openedCell{unsafe.SliceData(k.Wrapped), c})
	return c, nil
}

// Account returns the opened keyset of an account.
func (v *Vault) Account(r state.Reader, a *state.Account) (*keyring.Account, error) {
	c, err := v.Cell(r)
	if err != nil {
		return nil, err
	}
	return v.accounts.Open(c, a.Unit(), a.Record().Keyset)
}

// NewAccessKey is an access key that is not stored yet: what a transaction cannot make itself.
type NewAccessKey struct {
	ID     string
	Secret keyring.Secret
	Sealed []byte

	keyset []byte // the stored keyset that sealed it
}

// NewAccessKey makes a key that encodes the account.
func (v *Vault) NewAccessKey(r state.Reader, a *state.Account) (*NewAccessKey, error) {
	ids := keyring.NewStream(keyring.NewSeed())
	return v.SealAccessKey(r, a, ids.AccessKeyID(a.ID), ids.SecretAccessKey())
}

// SealAccessKey seals the secret of a key that was chosen elsewhere.
func (v *Vault) SealAccessKey(r state.Reader, a *state.Account, id string, secret keyring.Secret) (*NewAccessKey, error) {
	k, err := v.Account(r, a)
	if err != nil {
		return nil, err
	}
	sealed, err := k.Seal(AccessKeyKind, id, []byte(secret.Reveal()))
	return &NewAccessKey{ID: id, Secret: secret, Sealed: sealed, keyset: a.Record().Keyset}, err
}

// Fits reports whether the key can be stored in the account as it is now: sealed by its present keyset, under an id it does not have.
func (k *NewAccessKey) Fits(a *state.Account) bool {
	return bytes.Equal(k.keyset, a.Record().Keyset) && a.AccessKey(k.ID) == nil
}

func (v *Vault) openAccessKey(r state.Reader, a *state.Account, key *state.AccessKey) (keyring.Secret, error) {
	k, err := v.Account(r, a)
	if err != nil {
		return keyring.Secret{}, err
	}
	plain, err := k.Open(AccessKeyKind, key.Id, key.Secret)
	if err != nil {
		return keyring.Secret{}, err
	}
	return keyring.NewSecret(string(plain)), nil
}
