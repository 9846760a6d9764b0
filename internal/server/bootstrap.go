package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// Made is what the first start made, with its secrets: those that it made up and those that the configuration gave.
type Made struct {
	AccountID, AccountName, RootEmail string
	RootAccessKeyID                   string
	RootSecretAccessKey, RootPassword keyring.Secret

	KeyGenerated, PasswordGenerated bool // made up, and told only now
}

// fill makes up what the configuration leaves open; a password only if that can be told. passwordHash is that of RootPassword, or "" if
// there is none.
func (b Bootstrap) fill(ctx context.Context, h *keyring.Hasher, tell bool) (m *Made, passwordHash string, err error) {
	ids := keyring.NewStream(keyring.NewSeed())
	m = &Made{
		AccountID: b.AccountID, AccountName: b.AccountName, RootEmail: b.RootEmail,
		RootAccessKeyID: b.RootAccessKeyID, RootSecretAccessKey: b.RootSecretAccessKey, RootPassword: b.RootPassword,
	}
	if m.AccountID == "" {
		m.AccountID = ids.AccountID()
	}
	if m.AccountName == "" {
		m.AccountName = "Management account"
	}
	if m.RootEmail == "" {
		m.RootEmail = "root@" + m.AccountID + ".invalid"
	}
	if m.RootAccessKeyID == "" {
		m.RootAccessKeyID, m.RootSecretAccessKey, m.KeyGenerated = ids.AccessKeyID(m.AccountID), ids.SecretAccessKey(), true
	}
	if m.RootPassword.Len() == 0 {
		if !tell {
			return m, "", nil
		}
		m.RootPassword, m.PasswordGenerated = keyring.Password(), true
	}
	passwordHash, err = h.Hash(ctx, m.RootPassword)
	go debug.FreeOSMemory() // half of what an empty server would hold, needed once; nobody waits for it
	return m, passwordHash, err
}

// makeCell writes the cell keyset of an empty store.
func makeCell(ctx context.Context, s *state.Store, master keyring.Master, now time.Time) error {
	cell, err := keyring.NewCell(state.CellUnit, now)
	if err != nil {
		return err
	}
	wrapped, err := cell.Wrap(ctx, master)
	if err != nil {
		return err
	}
	return s.Update(ctx, []string{state.CellUnit}, func(tx *state.Tx) error {
		if tx.Cell().Keyset() != nil {
			return nil
		}
		k := &state.Keyset{}
		k.Wrapped = wrapped
		tx.Put(state.CellUnit, k)
		return nil
	})
}

var errBootstrapped = errors.New("the store has a management account already")

// makeManagement writes the management account and its root user. errBootstrapped if there is one.
func makeManagement(ctx context.Context, s *state.Store, vault *authn.Vault, m *Made, passwordHash string, now time.Time) error {
	unit := state.AccountUnit(m.AccountID)
	v := s.View()
	cell, err := vault.Cell(v)
	if err != nil {
		return err
	}
	keyset, err := keyring.NewAccountKeyset(unit, now)
	if err != nil {
		return err
	}
	sealedKeyset, err := keyset.Sealed(cell)
	if err != nil {
		return err
	}
	sealedSecret, err := keyset.Seal(authn.AccessKeyKind, m.RootAccessKeyID, []byte(m.RootSecretAccessKey.Reveal()))
	if err != nil {
		return err
	}
	return s.Update(ctx, []string{state.DirectoryUnit, unit}, func(tx *state.Tx) error {
		if tx.Directory().Management() != nil {
			return errBootstrapped
		}
		if !bytes.Equal(tx.Cell().Keyset().Wrapped, v.Cell().Keyset().Wrapped) {
			return state.ErrStale // see rotation: nothing is sealed under a key that was retired
		}
		created := tx.Now().UnixMicro()

		entry := &state.DirectoryAccount{}
		entry.Id, entry.Name, entry.Email, entry.Created, entry.Management = m.AccountID, m.AccountName, m.RootEmail, created, true
		tx.Put(state.DirectoryUnit, entry)
		tx.Put(state.DirectoryUnit, directoryName("email", strings.ToLower(m.RootEmail), m.AccountID))

		account := &state.AccountRecord{}
		account.Id, account.Name, account.Email, account.Created, account.Keyset = m.AccountID, m.AccountName, m.RootEmail, created, sealedKeyset
		if passwordHash != "" {
			account.RootPassword, account.RootPasswordChanged = passwordHash, created
		}
		tx.Put(unit, account)

		putRootKey(tx, m.AccountID, m.RootAccessKeyID, sealedSecret, 0)
		return nil
	})
}

// putRootKey stores an access key of the root user.
func putRootKey(tx *state.Tx, account, id string, sealed []byte, seq uint32) {
	k := &state.AccessKey{}
	k.Id, k.Owner, k.Secret, k.Seq = id, account, sealed, seq
	k.Status, k.Created = statepb.KeyStatus_KEY_STATUS_ACTIVE, tx.Now().UnixMicro()
	putAccessKey(tx, account, k)
}

// putAccessKey stores a key. An id that does not encode the account is entered in the directory.
func putAccessKey(tx *state.Tx, account string, k *state.AccessKey) {
	tx.Put(state.AccountUnit(account), k)
	if encoded, ok := keyring.AccountOfAccessKeyID(k.Id); !ok || encoded != account {
		tx.Put(state.DirectoryUnit, directoryName("key", k.Id, account))
	}
}

// keyExists reports whether an access key with that id is in this account, or is another account's by the directory.
func keyExists(tx *state.Tx, account, id string) bool {
	if tx.Account(account).AccessKey(id) != nil {
		return true
	}
	other := tx.Account(tx.Directory().AccountOfKey(id))
	return other != nil && other.AccessKey(id) != nil
}

func directoryName(kind, name, account string) *state.DirectoryName {
	n := &state.DirectoryName{Kind: kind, Name: name}
	n.Account = account
	return n
}

// checkBootstrap compares a store that exists with what the configuration fixes: a store must never be mistaken for another.
func checkBootstrap(v *state.View, b Bootstrap) error {
	m := v.Directory().Management()
	if m == nil {
		return nil
	}
	if b.AccountID != "" && b.AccountID != m.Id {
		return fmt.Errorf("the store belongs to management account %s, the configuration says %s: check --data-dir, or leave the account id out", m.Id, b.AccountID)
	}
	return nil
}
