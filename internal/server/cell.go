package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/aaapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/gatehouseapi"
	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/bolt"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/internal/sts"
	"github.com/gatehouse-iam/gatehouse/internal/usage"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Services are the APIs that requests may name. What of them is served, the registry knows.
var Services = []*wire.Service{iamapi.Service, stsapi.Service, orgapi.Service, aaapi.Service, ghapi.Service}

// StoreFile is the name of the embedded store in the data directory.
const StoreFile = "gatehouse.db"

// nodeName is this node's name in units that each node has for itself. The embedded engines have one node.
const nodeName = "local"

// cell is an open store with all that serves it.
type cell struct {
	engine        storage.Engine
	store         *state.Store
	vault         *authn.Vault
	sessions      *session.Keeper
	authenticator *authn.Authenticator
	usage         *usage.Tracker
	registry      *service.Registry
	master        keyring.Master
	quotas        iam.Quotas
	made          *Made // what the first start made; nil if it was not the first
	calls         inFlight

	following, serving activity // serving ends first: it writes, and following shows what was written
	ended              chan error
	served             sync.Once
}

// activity is goroutines that run until they are told to end.
type activity struct {
	ctx     context.Context
	cancel  context.CancelFunc
	mu      sync.Mutex // nothing is started while or after it ends
	ended   bool
	running sync.WaitGroup
}

func (a *activity) begin() { a.ctx, a.cancel = context.WithCancel(context.Background()) }

// run starts goroutines, none once the activity has ended.
func (a *activity) run(all ...func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ended {
		return
	}
	for _, fn := range all {
		a.running.Go(fn)
	}
}

func (a *activity) end() {
	a.mu.Lock()
	a.ended = true
	a.mu.Unlock()
	a.cancel()
	a.running.Wait()
}

// stored reports whether the data directory holds a store.
func (c *Config) stored() (bool, error) {
	if c.DataDir == "" {
		return false, nil
	}
	_, err := os.Stat(filepath.Join(c.DataDir, StoreFile))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the data directory: %w", err)
	}
	return true, nil
}

// openMaster reads the master key, or makes its file where there is no store yet: a new key could not open what is there.
func openMaster(cfg *Config, stored bool) (keyring.Master, error) {
	switch {
	case cfg.MasterKey.Len() > 0:
		return keyring.ParseMaster(cfg.MasterKey)
	case cfg.MasterKeyFile == "":
		text, err := keyring.NewMasterText()
		if err != nil {
			return nil, err
		}
		return keyring.ParseMaster(text)
	case stored, cfg.DataDir == "":
		m, err := keyring.LoadMaster(cfg.MasterKeyFile)
		if errors.Is(err, fs.ErrNotExist) && stored {
			err = fmt.Errorf("%w: the store cannot be read without its master key: put the file back, or say where it is with --master-key-file", err)
		}
		return m, err
	default:
		m, created, err := keyring.LoadOrCreateMaster(cfg.MasterKeyFile)
		if created {
			cfg.Logger.Info("made a master key: keep a copy of it apart from backups, nothing can be read without it", "file", cfg.MasterKeyFile)
		}
		return m, err
	}
}

func openEngine(cfg *Config) (storage.Engine, error) {
	if cfg.DataDir == "" {
		return memory.New(memory.Options{}), nil
	}
	return bolt.Open(filepath.Join(cfg.DataDir, StoreFile), bolt.Options{Retention: cfg.Retention, Logger: cfg.Logger})
}

// openCell opens the store that the configuration names and makes the first account if it is empty.
func openCell(ctx context.Context, cfg *Config) (*cell, error) {
	stored, err := cfg.stored()
	if err != nil {
		return nil, err
	}
	var first *firstStart
	if !stored {
		if first, err = cfg.beginFirstStart(ctx); err != nil {
			return nil, err
		}
		if cfg.DataDir != "" {
			if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
				return nil, errors.Join(fmt.Errorf("the data directory: %w", err), first.cancel())
			}
		}
	}
	c, err := openStored(ctx, cfg, stored)
	if err != nil {
		return nil, errors.Join(err, first.cancel())
	}
	if c.store.View().Directory().Management() == nil {
		if first == nil { // the first start was interrupted
			first, err = cfg.beginFirstStart(ctx)
		}
		if err == nil {
			err = c.bootstrap(ctx, first)
		}
		if err != nil {
			return nil, errors.Join(err, c.close(), first.cancel())
		}
	} else if err := checkBootstrap(c.store.View(), cfg.Bootstrap); err != nil {
		return nil, errors.Join(err, c.close(), first.cancel())
	}
	return c, nil
}

// openStored opens the engine and what it holds.
func openStored(ctx context.Context, cfg *Config, stored bool) (*cell, error) {
	master, err := openMaster(cfg, stored)
	if err != nil {
		return nil, err
	}
	engine, err := openEngine(cfg)
	if err != nil {
		return nil, err
	}
	c, err := newCell(ctx, cfg, engine, master)
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	if v := c.store.View(); v.Cell().Keyset() != nil {
		if _, err := c.vault.Cell(v); err != nil {
			if errors.Is(err, keyring.ErrWrongMaster) {
				err = fmt.Errorf("%w: give the master key that this store was made with, or the one it was changed to (--master-key-file)", err)
			}
			return nil, errors.Join(err, c.close())
		}
	}
	return c, nil
}

// firstStart is what a first start makes, while it is being made: hashing the root user's password takes longer than everything else, so
// it runs beside that.
type firstStart struct {
	file   *SecretFile // nil: shown, or nothing to tell
	filled chan struct{}
	made   *Made
	hash   string
	err    error
}

func (c *Config) beginFirstStart(ctx context.Context) (*firstStart, error) {
	file, err := c.readyToTell()
	if err != nil {
		return nil, err
	}
	f := &firstStart{file: file, filled: make(chan struct{})}
	b, tell := c.Bootstrap, c.tells()
	go func() {
		defer close(f.filled)
		f.made, f.hash, f.err = b.fill(ctx, keyring.NewHasher(1, 1), tell)
	}()
	return f, nil
}

// cancel takes the file back. It returns nil, and does nothing for a nil firstStart.
func (f *firstStart) cancel() error {
	if f != nil && f.file != nil {
		f.file.Discard()
	}
	return nil
}

// newCell loads a store and starts to follow it.
func newCell(ctx context.Context, cfg *Config, engine storage.Engine, master keyring.Master) (*cell, error) {
	c := &cell{engine: engine, master: master, quotas: cfg.Quotas, vault: authn.NewVault(master), ended: make(chan error, 1)}
	c.following.begin()
	c.serving.begin()
	var err error
	c.store, err = state.Open(ctx, engine, state.Options{Now: time.Now, Seed: keyring.NewSeed, CommitID: commitID, Logger: cfg.Logger})
	if err != nil {
		return nil, err
	}
	c.usage, err = usage.Open(ctx, engine, nodeName, commitID, cfg.Logger)
	if err != nil {
		return nil, err
	}
	c.usage.KeepOnly(func(account, key string) bool {
		a := c.store.View().Account(account)
		return a != nil && (a.AccessKey(key) != nil || a.Role(key) != nil)
	})
	c.sessions = session.New(c.vault.Cell)
	c.authenticator = authn.New(c.vault, c.sessions, cfg.Logger)
	c.registry = register(c.store, cfg)

	c.following.run(func() {
		if err := c.store.Run(c.following.ctx); err != nil {
			c.ended <- err
		}
	})
	return c, nil
}

func register(s *state.Store, cfg *Config) *service.Registry {
	z := authz.New(cfg.catalog)
	z.Alarm = cfg.alarm
	r := service.NewRegistry(s, z, cfg.Logger)
	r.DenialIDs = cfg.DenialIDs
	iam.Register(r, cfg.Quotas, cfg.catalog)
	sts.Register(r)
	gatehouseapi.Register(r, z)
	return r
}

// alarm counts a decision that could not be made, and logs what is to be repaired once.
func (c *Config) alarm(f *authz.Failure) {
	if c.undecided != nil {
		c.undecided.Inc()
	}
	if !f.Again {
		c.Logger.Error("a decision could not be made and was a denial", "principal", f.Principal, "action", f.Action, "resource", f.Resource,
			"error", f.Err, "stack", string(f.Stack))
	}
}

// Operations lists the operations that this version serves, by service and name.
func Operations() []*wire.Operation {
	r := register(nil, &Config{})
	var ops []*wire.Operation
	for _, s := range Services {
		for _, op := range s.Operations {
			if r.Has(op) {
				ops = append(ops, op)
			}
		}
	}
	return ops
}

func (c *cell) bootstrap(ctx context.Context, f *firstStart) error {
	now := time.Now()
	if c.store.View().Cell().Keyset() == nil {
		if err := makeCell(ctx, c.store, c.master, now); err != nil {
			return err
		}
	}
	<-f.filled
	if f.err != nil {
		return f.err
	}
	if f.file != nil { // told before it is true: nothing that exists is known to nobody
		if err := f.file.Write(f.made); err != nil {
			return err
		}
	}
	if err := makeManagement(ctx, c.store, c.vault, f.made, f.hash, now); err != nil {
		if errors.Is(err, storage.ErrUnknown) {
			f.file = nil // the account may have been made: the file stays
		}
		return err
	}
	c.made = f.made
	return nil
}

// serve starts what a serving node does beside answering: it writes use and rotates keys. What ends the store before its time goes to
// failed, which must have room for one error; further ones are dropped. A second call does nothing, nor one after the cell
// has ended: a reset may come before Serve does.
func (c *cell) serve(cfg *Config, failed chan<- error) {
	c.served.Do(func() { c.startServing(cfg, failed) })
}

func (c *cell) startServing(cfg *Config, failed chan<- error) {
	report := func(err error) {
		if err == nil {
			return
		}
		select {
		case failed <- err:
		default:
		}
	}
	c.serving.run(
		func() { report(c.usage.Run(c.serving.ctx)) },
		func() { report(c.sweep(c.serving.ctx, cfg)) },
		func() {
			select {
			case err := <-c.ended:
				report(err)
			case <-c.serving.ctx.Done():
			}
		},
	)
}

// close ends the store. Calls still under way fail.
func (c *cell) close() error {
	c.serving.end()
	c.following.end()
	return c.engine.Close()
}

func commitID() storage.CommitID { return storage.CommitID(keyring.CommitID()) }
