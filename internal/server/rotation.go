package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Key rotation. keyring.NextStep plans; what follows takes the steps.
//
// New bytes are made outside the transaction, which then stores them only if what they were made from still stands there, and otherwise
// leaves the step to the next round. That gives what removal of a key needs: whoever seals something does it in a transaction that depends
// on the keyset it sealed with (NewAccessKey.Fits, makeManagement), so once a key is retired nothing new can come under it, and what was
// seen to be free of it stays so.
//
// Readers are never in the way: a view holds keysets and what is sealed under them at one revision.

const (
	settle        = 2 * nodeGone // nodes that learn late that a cell key was retired
	stepsAtOnce   = 16           // of one keyset in one round; a whole rotation takes 4
	resealAtOnce  = 50           // access keys in one commit, well below storage.MaxOps
	resealBatches = 1000         // in one round
)

// rotateCell takes the steps of the cell keyset that are due.
func (s *sweeper) rotateCell(ctx context.Context) error {
	for range stepsAtOnce {
		v := s.store.View()
		now := s.now()
		keys, err := s.vault.Cell(v)
		if err != nil {
			return err
		}
		step, err := keyring.NextStep(keys.Keys(), now, keyring.Rotation{
			Every: s.every, Demanded: demanded(v), TokenLife: keyring.MaxTokenLife, Settle: settle,
			LiveNodesHave: func(key uint32) bool { return s.liveNodesHave(v.Cell(), key, primaryOf(keys.Keys()) == key, now) },
			Stored:        func(key uint32) bool { return len(accountsUnder(v, key, 1)) > 0 },
		})
		if err != nil {
			return err
		}
		var next *keyring.Cell
		key := step.Key
		switch step.Action {
		case keyring.Add:
			next, key, err = keys.AddKey(now)
		case keyring.Promote:
			next, err = keys.Promote(step.Key, now)
		case keyring.Remove:
			next, err = keys.RemoveKey(step.Key)
		case keyring.Reseal:
			if err := s.resealAccounts(ctx, v, keys, step.Key); err != nil {
				return err
			}
			continue
		default:
			return nil
		}
		if err != nil {
			return err
		}
		wrapped, err := next.Wrap(ctx, s.master)
		if err != nil {
			return err
		}
		was := v.Cell().Keyset()
		err = s.store.Update(ctx, []string{state.CellUnit}, func(tx *state.Tx) error {
			if !bytes.Equal(tx.Cell().Keyset().Wrapped, was.Wrapped) {
				return state.ErrStale
			}
			if step.Action == keyring.Promote && !s.liveNodesHave(tx.Cell(), step.Key, false, now) { // a node has come since
				return state.ErrStale
			}
			k := was.Clone()
			k.Wrapped = wrapped
			tx.Put(state.CellUnit, k)
			return nil
		})
		if errors.Is(err, state.ErrStale) {
			return nil
		}
		if err != nil {
			return err
		}
		s.log.Info("key rotation of the cell", "step", step.Action.String(), "key", keyName(key), "reason", step.Reason)
		if err := s.heartbeat(ctx); err != nil { // what this node can do has changed
			return err
		}
	}
	return nil
}

// resealAccounts seals the keysets of accounts that are under a retired cell key anew.
func (s *sweeper) resealAccounts(ctx context.Context, v *state.View, keys *keyring.Cell, key uint32) error {
	for _, id := range accountsUnder(v, key, 0) {
		a := v.Account(id)
		was := a.Record().Keyset
		fresh, changed, err := keyring.ResealAccount(keys, a.Unit(), was)
		if err != nil {
			return err
		}
		if !changed {
			continue
		}
		err = s.store.Update(ctx, []string{a.Unit()}, func(tx *state.Tx) error {
			a := tx.Account(id)
			if a == nil || !bytes.Equal(a.Record().Keyset, was) || !bytes.Equal(tx.Cell().Keyset().Wrapped, v.Cell().Keyset().Wrapped) {
				return state.ErrStale
			}
			r := a.Record().Clone()
			r.Keyset = fresh
			tx.Put(a.Unit(), r)
			return nil
		})
		if err != nil && !errors.Is(err, state.ErrStale) {
			return err
		}
	}
	return nil
}

// accountsUnder lists the accounts whose keyset is sealed under a cell key, at most so many (0 = all).
func accountsUnder(v *state.View, key uint32, most int) []string {
	var ids []string
	for d := range v.Directory().Accounts() {
		a := v.Account(d.Id)
		if a == nil {
			continue
		}
		if under, ok := keyring.KeyID(a.Record().Keyset); ok && under == key {
			if ids = append(ids, d.Id); len(ids) == most {
				break
			}
		}
	}
	return ids
}

// rotateAccounts takes the steps of all accounts' keysets that are due. One that fails does not keep the others.
func (s *sweeper) rotateAccounts(ctx context.Context) error {
	var errs []error
	for d := range s.store.View().Directory().Accounts() {
		if err := s.rotateAccount(ctx, d.Id); err != nil {
			errs = append(errs, fmt.Errorf("account %s: %w", d.Id, err))
			if ctx.Err() != nil || len(errs) == 10 {
				break
			}
		}
	}
	return errors.Join(errs...)
}

func (s *sweeper) rotateAccount(ctx context.Context, id string) error {
	for range stepsAtOnce {
		v := s.store.View()
		a := v.Account(id)
		if a == nil {
			return nil
		}
		now := s.now()
		keys, err := s.vault.Account(v, a)
		if err != nil {
			return err
		}
		// Nothing outside the account's unit is sealed under its keys, and nodes read and write that unit as a whole: none has to be
		// waited for.
		step, err := keyring.NextStep(keys.Keys(), now, keyring.Rotation{
			Every: s.every, Demanded: demanded(v),
			LiveNodesHave: func(uint32) bool { return true },
			Stored:        func(key uint32) bool { return len(sealedUnder(a, key, 1)) > 0 },
		})
		if err != nil {
			return err
		}
		var next *keyring.Account
		key := step.Key
		switch step.Action {
		case keyring.Add:
			next, key, err = keys.AddKey(now)
		case keyring.Promote:
			next, err = keys.Promote(step.Key, now)
		case keyring.Remove:
			next, err = keys.RemoveKey(step.Key)
		case keyring.Reseal:
			if err := s.resealSecrets(ctx, id, step.Key); err != nil {
				return err
			}
			continue
		default:
			return nil
		}
		if err != nil {
			return err
		}
		cell, err := s.vault.Cell(v)
		if err != nil {
			return err
		}
		sealed, err := next.Sealed(cell)
		if err != nil {
			return err
		}
		was := a.Record().Keyset
		err = s.store.Update(ctx, []string{a.Unit()}, func(tx *state.Tx) error {
			a := tx.Account(id)
			if a == nil || !bytes.Equal(a.Record().Keyset, was) || !bytes.Equal(tx.Cell().Keyset().Wrapped, v.Cell().Keyset().Wrapped) {
				return state.ErrStale
			}
			if step.Action == keyring.Remove && len(sealedUnder(a, step.Key, 1)) > 0 {
				return state.ErrStale
			}
			r := a.Record().Clone()
			r.Keyset = sealed
			tx.Put(a.Unit(), r)
			return nil
		})
		if errors.Is(err, state.ErrStale) {
			return nil
		}
		if err != nil {
			return err
		}
		s.log.Info("key rotation of an account", "account", id, "step", step.Action.String(), "key", keyName(key), "reason", step.Reason)
	}
	return nil
}

// resealSecrets seals anew, a batch at a time, what an account has under a retired key.
func (s *sweeper) resealSecrets(ctx context.Context, id string, key uint32) error {
	for range resealBatches {
		v := s.store.View()
		a := v.Account(id)
		if a == nil {
			return nil
		}
		old := sealedUnder(a, key, resealAtOnce)
		if len(old) == 0 {
			return nil
		}
		keys, err := s.vault.Account(v, a)
		if err != nil {
			return err
		}
		fresh := make([][]byte, len(old))
		for i, k := range old {
			if fresh[i], _, err = keys.Reseal(authn.AccessKeyKind, k.Id, k.Secret); err != nil {
				return err
			}
		}
		was := a.Record().Keyset
		err = s.store.Update(ctx, []string{a.Unit()}, func(tx *state.Tx) error {
			a := tx.Account(id)
			if a == nil || !bytes.Equal(a.Record().Keyset, was) {
				return state.ErrStale
			}
			for i, k := range old {
				now := a.AccessKey(k.Id)
				if now == nil || !bytes.Equal(now.Secret, k.Secret) {
					continue
				}
				c := now.Clone()
				c.Secret = fresh[i]
				tx.Put(a.Unit(), c)
			}
			return nil
		})
		if errors.Is(err, state.ErrStale) || errors.Is(err, storage.ErrConflict) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// sealedUnder lists what of an account is sealed under one of its keys, at most so many (0 = all). Records of other kinds that hold
// something sealed belong here as well.
func sealedUnder(a *state.Account, key uint32, most int) []*state.AccessKey {
	var ks []*state.AccessKey
	for k := range a.AccessKeys("") {
		if under, ok := keyring.KeyID(k.Secret); ok && under == key {
			if ks = append(ks, k); len(ks) == most {
				break
			}
		}
	}
	return ks
}

func primaryOf(keys []keyring.KeyInfo) uint32 {
	i := slices.IndexFunc(keys, func(k keyring.KeyInfo) bool { return k.Primary })
	return keys[i].ID
}

func demanded(v *state.View) time.Time {
	if at := v.Cell().Keyset().RotationDemanded; at != 0 {
		return time.UnixMicro(at).UTC()
	}
	return time.Time{}
}

func keyName(id uint32) string { return fmt.Sprintf("%08x", id) }
