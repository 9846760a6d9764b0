package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/gatehouse"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	account = "111111111111"
	batch   = 16 // users in one commit, which holds 100 records
)

// Store is an open store with an authorizer.
type Store struct {
	store *state.Store
	z     *authz.Authorizer
	close func()
}

// Open opens a store with the users of w.
func Open(w *workload.Workload) (*Store, error) {
	engine := memory.New(memory.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	s, err := state.Open(ctx, engine, state.Options{
		Now: time.Now, Seed: keyring.NewSeed, CommitID: func() storage.CommitID { return storage.CommitID(keyring.CommitID()) },
	})
	if err != nil {
		cancel()
		return nil, errors.Join(err, engine.Close())
	}
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	opened := &Store{store: s, z: authz.New(nil), close: func() { cancel(); running.Wait(); _ = engine.Close() }}
	if err := opened.fill(ctx, w); err != nil {
		opened.Close()
		return nil, err
	}
	return opened, nil
}

// Close ends the store.
func (s *Store) Close() { s.close() }

func (s *Store) fill(ctx context.Context, w *workload.Workload) error {
	unit := state.AccountUnit(account)
	root := &state.AccountRecord{}
	root.Id = account
	if err := s.store.Update(ctx, []string{unit}, func(tx *state.Tx) error { tx.Put(unit, root); return nil }); err != nil {
		return err
	}
	for names := range slices.Chunk(slices.Sorted(maps.Keys(w.Policies)), batch) {
		var records []state.Record
		for _, name := range names {
			list, err := userRecords(name, w.Policies[name])
			if err != nil {
				return err
			}
			records = append(records, list...)
		}
		if err := s.store.Update(ctx, []string{unit}, func(tx *state.Tx) error {
			for _, r := range records {
				tx.Put(unit, r)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

func id(name string) string { return "AIDA" + name }

func userRecords(name string, policies []workload.Policy) ([]state.Record, error) {
	u := &state.User{}
	u.Id, u.Name, u.Path = id(name), name, "/"
	records := []state.Record{u}
	for _, p := range policies {
		compiled, err := policy.Load(string(p.Document), policy.Identity)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Name, err)
		}
		inline := &state.InlinePolicy{}
		inline.Owner, inline.Name = u.Id, p.Name
		records = append(records, inline.WithDocument(compiled))
	}
	return records, nil
}

// Decide answers requests: the principal comes as its id, and everything else that is known of it from the view.
func (s *Store) Decide(requests []workload.Request) engine.Decide {
	principals := map[string]*state.Principal{}
	queries := make([]authz.Query, len(requests))
	at := time.Date(2026, 6, 15, 12, 30, 0, 0, time.UTC)
	for i, r := range gatehouse.Requests(requests) {
		name := requests[i].Principal
		if principals[name] == nil {
			principals[name] = &state.Principal{Kind: state.IAMUser, Account: account, ID: id(name), Path: "/", Name: name}
		}
		queries[i] = authz.Query{Principal: principals[name], Action: r.Action, Resource: r.Resource, Context: r.Context, Time: at}
	}
	view := s.store.View()
	return func(i int) (bool, error) { return s.z.Decide(view, &queries[i]).Effect == policy.Allow, nil }
}
