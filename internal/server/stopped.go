package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/audit"
	"github.com/gatehouse-iam/gatehouse/internal/audit/auditpb"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// Stopped is the store of a data directory that no server is using, for what is done without one. Close must follow.
type Stopped struct {
	cell    *cell
	cfg     *Config
	account string
}

// OpenStopped opens the store in cfg.DataDir, which must hold one. While it is open no server can start on it.
func OpenStopped(ctx context.Context, cfg *Config) (*Stopped, error) {
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	switch stored, err := cfg.stored(); {
	case err != nil:
		return nil, err
	case !stored:
		return nil, fmt.Errorf("there is no store in the data directory %q", cfg.DataDir)
	}
	c, err := openStored(ctx, cfg, true)
	if err != nil {
		return nil, err
	}
	m := c.store.View().Directory().Management()
	if m == nil {
		return nil, errors.Join(errors.New("the store has no management account yet: its first start did not end, start the server again"), c.close())
	}
	return &Stopped{c, cfg, m.Id}, nil
}

// Close ends the work. What was done is durable before.
func (s *Stopped) Close() error { return s.cell.close() }

// Account is the id of the management account.
func (s *Stopped) Account() string { return s.account }

func (s *Stopped) update(ctx context.Context, action string, fn func(tx *state.Tx, a *state.Account) error) error {
	units := []string{state.CellUnit, state.DirectoryUnit, state.AccountUnit(s.account)}
	return s.cell.store.Update(ctx, units, func(tx *state.Tx) error {
		if err := fn(tx, tx.Account(s.account)); err != nil {
			return err
		}
		event, err := audit.Encode(&auditpb.Event{
			Time: tx.Now().UnixMicro(), Action: "gatehouse:" + action, Account: s.account, UserAgent: "gatehouse admin",
		})
		tx.SetEvent(event)
		return err
	})
}

// SetRootPassword gives the root user a password.
func (s *Stopped) SetRootPassword(ctx context.Context, password keyring.Secret) error {
	if n := password.Len(); n < 8 || n > 128 {
		return fmt.Errorf("a root password has 8 to 128 characters, this one has %d", n)
	}
	hash, err := keyring.NewHasher(1, 1).Hash(ctx, password)
	if err != nil {
		return err
	}
	return s.update(ctx, "ResetRootPassword", func(tx *state.Tx, a *state.Account) error {
		r := a.Record().Clone()
		r.RootPassword, r.RootPasswordChanged = hash, tx.Now().UnixMicro()
		tx.Put(a.Unit(), r)
		return nil
	})
}

// RootKey is what may be shown of an access key of the root user.
type RootKey struct {
	ID       string
	Active   bool
	Created  time.Time
	LastUsed time.Time // zero if never
}

// RootKeys lists the root user's access keys in the order they were made.
func (s *Stopped) RootKeys() []RootKey {
	var keys []RootKey
	for k := range s.cell.store.View().Account(s.account).AccessKeys(s.account) {
		r := RootKey{ID: k.Id, Active: k.Active(), Created: time.UnixMicro(k.Created).UTC()}
		if use, ok := s.cell.usage.LastUse(k.Id); ok {
			r.LastUsed = use.At
		}
		keys = append(keys, r)
	}
	return keys
}

// NewRootKey makes up an access key for AddRootKey, so that it can be told before it is stored.
func (s *Stopped) NewRootKey() (id string, secret keyring.Secret) {
	ids := keyring.NewStream(keyring.NewSeed())
	return ids.AccessKeyID(s.account), ids.SecretAccessKey()
}

// CanAddRootKey reports why the root user cannot have one more access key, nil if it can.
func (s *Stopped) CanAddRootKey() error {
	return s.roomForRootKey(s.cell.store.View().Account(s.account))
}

func (s *Stopped) roomForRootKey(a *state.Account) error {
	n := 0
	for range a.AccessKeys(s.account) {
		n++
	}
	if n >= s.cfg.Quotas.AccessKeysPerUser {
		return fmt.Errorf("the root user has %d access keys already: delete one first", n)
	}
	return nil
}

// AddRootKey stores one more access key of the root user.
func (s *Stopped) AddRootKey(ctx context.Context, id string, secret keyring.Secret) error {
	if err := checkAccessKey(id, secret); err != nil {
		return err
	}
	v := s.cell.store.View()
	sealed, err := s.cell.vault.SealAccessKey(v, v.Account(s.account), id, secret)
	if err != nil {
		return err
	}
	return s.update(ctx, "CreateRootAccessKey", func(tx *state.Tx, a *state.Account) error {
		if err := s.roomForRootKey(a); err != nil {
			return err
		}
		if keyExists(tx, s.account, id) {
			return fmt.Errorf("there is an access key %s already", id)
		}
		if !sealed.Fits(a) {
			return state.ErrStale
		}
		var seq uint32
		for k := range a.AccessKeys(s.account) {
			seq = max(seq, k.Seq+1)
		}
		putRootKey(tx, s.account, id, sealed.Sealed, seq)
		return nil
	})
}

// SetRootKeyActive switches an access key of the root user on or off.
func (s *Stopped) SetRootKeyActive(ctx context.Context, id string, active bool) error {
	return s.update(ctx, "UpdateRootAccessKey", func(tx *state.Tx, a *state.Account) error {
		k, err := s.rootKey(a, id)
		if err != nil {
			return err
		}
		c := k.Clone()
		c.Status = statepb.KeyStatus_KEY_STATUS_INACTIVE
		if active {
			c.Status = statepb.KeyStatus_KEY_STATUS_ACTIVE
		}
		tx.Put(a.Unit(), c)
		return nil
	})
}

// DeleteRootKey removes an access key of the root user.
func (s *Stopped) DeleteRootKey(ctx context.Context, id string) error {
	return s.update(ctx, "DeleteRootAccessKey", func(tx *state.Tx, a *state.Account) error {
		k, err := s.rootKey(a, id)
		if err != nil {
			return err
		}
		tx.Delete(a.Unit(), k)
		if tx.Directory().AccountOfKey(id) == s.account {
			tx.Delete(state.DirectoryUnit, directoryName("key", id, s.account))
		}
		return nil
	})
}

func (s *Stopped) rootKey(a *state.Account, id string) (*state.AccessKey, error) {
	if k := a.AccessKey(id); k != nil && k.Owner == s.account {
		return k, nil
	}
	return nil, fmt.Errorf("the root user has no access key %q: gatehouse admin root-keys list shows those it has", id)
}

// RotateKeys replaces the keys of the cell and of all accounts, and seals everything under the new ones. The cell's key before goes once
// no token sealed under it can live, which a running server sees to.
func (s *Stopped) RotateKeys(ctx context.Context) error {
	err := s.update(ctx, "RotateKeys", func(tx *state.Tx, _ *state.Account) error {
		k := tx.Cell().Keyset().Clone()
		k.RotationDemanded = tx.Now().UnixMicro()
		tx.Put(state.CellUnit, k)
		return nil
	})
	if err != nil {
		return err
	}
	sweeper := newSweeper(s.cell, nodeName, 0, s.cfg.Logger)
	sweeper.now = func() time.Time { return time.Now().Add(time.Millisecond) } // after the demand, in the precision of keys
	return sweeper.round(ctx)
}

// RotateMaster wraps the cell keyset under another master key. From then on only that one opens the store; the one before still opens
// older backups.
func (s *Stopped) RotateMaster(ctx context.Context, to keyring.Master) error {
	was := s.cell.store.View().Cell().Keyset()
	if to.ID() == s.cell.master.ID() {
		return fmt.Errorf("the store is under master key %s already", to.ID())
	}
	wrapped, err := keyring.Rewrap(ctx, state.CellUnit, was.Wrapped, to, s.cell.master)
	if err != nil {
		return err
	}
	return s.update(ctx, "RotateMasterKey", func(tx *state.Tx, _ *state.Account) error {
		if !bytes.Equal(tx.Cell().Keyset().Wrapped, was.Wrapped) {
			return state.ErrStale
		}
		k := was.Clone()
		k.Wrapped = wrapped
		tx.Put(state.CellUnit, k)
		return nil
	})
}
