package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/aaapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/orgapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/bolt"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/internal/sts"
	"github.com/gatehouse-iam/gatehouse/internal/usage"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Services are the APIs that requests may name. What of them is served, the registry knows.
var Services = []*wire.Service{iamapi.Service, stsapi.Service, orgapi.Service, aaapi.Service}

// StoreFile is the name of the embedded store in the data directory.
const StoreFile = "gatehouse.db"

// nodeName is this node's name in units that each node has for itself. The embedded engines have one node.
const nodeName = "local"

// cell is an open store with all that serves it.
type cell struct {
	engine        storage.Engine
	store         *state.Store
	vault         *authn.Vault
	authenticator *authn.Authenticator
	usage         *usage.Tracker
	registry      *service.Registry
	master        keyring.Master
	made          *Made // what the first start made; nil if it was not the first
	calls         inFlight

	following, serving activity // serving ends first: it writes, and following shows what was written
	ended              chan error
}

// activity is goroutines that run until they are told to end.
type activity struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (a *activity) begin() { a.ctx, a.cancel = context.WithCancel(context.Background()) }

func (a *activity) end() {
	a.cancel()
	a.running.Wait()
}

// openMaster reads the master key, or makes its file at the first start.
func openMaster(cfg *Config) (keyring.Master, error) {
	switch {
	case cfg.MasterKey.Len() > 0:
		return keyring.ParseMaster(cfg.MasterKey)
	case cfg.MasterKeyFile != "":
		if cfg.DataDir == "" {
			return keyring.LoadMaster(cfg.MasterKeyFile)
		}
		if _, err := os.Stat(filepath.Join(cfg.DataDir, StoreFile)); err == nil {
			return keyring.LoadMaster(cfg.MasterKeyFile) // a new key could not open what is there
		}
		m, created, err := keyring.LoadOrCreateMaster(cfg.MasterKeyFile)
		if created {
			cfg.Logger.Info("made a master key: keep a copy of it apart from backups, nothing can be read without it", "file", cfg.MasterKeyFile)
		}
		return m, err
	default:
		text, err := keyring.NewMasterText()
		if err != nil {
			return nil, err
		}
		return keyring.ParseMaster(text)
	}
}

func openEngine(cfg *Config) (storage.Engine, error) {
	if cfg.DataDir == "" {
		return memory.New(memory.Options{}), nil
	}
	if err := os.MkdirAll(cfg.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	return bolt.Open(filepath.Join(cfg.DataDir, StoreFile), bolt.Options{Retention: cfg.Retention, Logger: cfg.Logger})
}

// openCell opens the store that the configuration names and makes the first account if it is empty.
func openCell(ctx context.Context, cfg *Config) (*cell, error) {
	// Hashing the root user's password takes longer than everything else at the first start, so it runs beside it.
	type filled struct {
		made *Made
		hash string
		err  error
	}
	first := make(chan filled, 1)
	hash := sync.OnceFunc(func() {
		go func() {
			m, h, err := cfg.Bootstrap.fill(ctx, keyring.NewHasher(1, 1))
			first <- filled{m, h, err}
		}()
	})
	if cfg.DataDir == "" {
		hash()
	} else if _, err := os.Stat(filepath.Join(cfg.DataDir, StoreFile)); errors.Is(err, os.ErrNotExist) {
		hash()
	}
	master, err := openMaster(cfg)
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
	if c.store.View().Directory().Management() == nil {
		hash()
		f := <-first
		if f.err == nil {
			f.err = c.bootstrap(ctx, master, f.made, f.hash)
		}
		if f.err != nil {
			return nil, errors.Join(f.err, c.close())
		}
	} else if err := checkBootstrap(c.store.View(), cfg.Bootstrap); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// newCell loads a store and starts to follow it.
func newCell(ctx context.Context, cfg *Config, engine storage.Engine, master keyring.Master) (*cell, error) {
	c := &cell{engine: engine, master: master, vault: authn.NewVault(master), ended: make(chan error, 1)}
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
	c.authenticator = authn.New(c.vault, cfg.Logger)
	c.registry = register(c.store, cfg)

	c.following.running.Go(func() {
		if err := c.store.Run(c.following.ctx); err != nil {
			c.ended <- err
		}
	})
	return c, nil
}

func register(s *state.Store, cfg *Config) *service.Registry {
	r := service.NewRegistry(s, authz.New(), cfg.Logger)
	iam.Register(r, cfg.Quotas)
	sts.Register(r)
	return r
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

func (c *cell) bootstrap(ctx context.Context, master keyring.Master, made *Made, passwordHash string) error {
	now := time.Now()
	if c.store.View().Cell().Keyset() == nil {
		if err := makeCell(ctx, c.store, master, now); err != nil {
			return err
		}
	}
	if err := makeManagement(ctx, c.store, c.vault, made, passwordHash, now); err != nil {
		return err
	}
	c.made = made
	return nil
}

// serve starts what a serving node does beside answering: it writes use and rotates keys. What ends the store before its time goes to
// failed, which must have room for one error; further ones are dropped.
func (c *cell) serve(cfg *Config, failed chan<- error) {
	report := func(err error) {
		if err == nil {
			return
		}
		select {
		case failed <- err:
		default:
		}
	}
	c.serving.running.Go(func() { report(c.usage.Run(c.serving.ctx)) })
	c.serving.running.Go(func() { report(c.sweep(c.serving.ctx, cfg)) })
	c.serving.running.Go(func() {
		select {
		case err := <-c.ended:
			report(err)
		case <-c.serving.ctx.Done():
		}
	})
}

// close ends the store. Calls still under way fail.
func (c *cell) close() error {
	c.serving.end()
	c.following.end()
	return c.engine.Close()
}

func commitID() storage.CommitID { return storage.CommitID(keyring.CommitID()) }
