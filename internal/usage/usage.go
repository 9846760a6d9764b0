package usage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/usage/usagepb"
)

// FlushEvery is how often use is written, and so the most that a crash can lose.
const FlushEvery = 30 * time.Second

const prefix = "usage/"

// Use is the last use of an access key.
type Use struct {
	At      time.Time // whole seconds, UTC
	Service string    // signing name
	Region  string
}

// later orders uses by time, and those of one second so that all nodes agree which is the last.
func (u Use) later(than Use) bool {
	return cmp.Or(u.At.Compare(than.At), cmp.Compare(u.Service, than.Service), cmp.Compare(u.Region, than.Region)) > 0
}

// Tracker holds the last use of all access keys of a store.
type Tracker struct {
	engine storage.Engine
	node   string
	log    *slog.Logger
	commit func() storage.CommitID
	exists func(account, key string) bool // nil = nothing is swept

	shards [64]shard

	flushing sync.Mutex
	heads    map[string]storage.Rev // of this node's units

	rev storage.Rev // up to which the log has been read; Run's own
}

type shard struct {
	mu   sync.RWMutex
	keys map[string]*entry
}

type entry struct {
	account string

	mu    sync.Mutex
	use   Use
	dirty bool // this node has seen it, and has not written it
}

// Open loads what all nodes have written. node names this one, without a slash; two running nodes must not share a name, and a node that
// starts again keeps its own, as units are never removed. commit gives a new commit id at every call.
func Open(ctx context.Context, e storage.Engine, node string, commit func() storage.CommitID, log *slog.Logger) (*Tracker, error) {
	if node == "" || len(node) > 64 || strings.Contains(node, "/") {
		return nil, fmt.Errorf("usage: node name %q", node)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Tracker{engine: e, node: node, log: log, commit: commit, heads: map[string]storage.Rev{}}
	for i := range t.shards {
		t.shards[i].keys = map[string]*entry{}
	}
	return t, t.load(ctx)
}

// KeepOnly says which access keys and roles exist. Use of others is forgotten, here and in the store, a day after it happened. It is called
// before Run; without it everything is kept.
func (t *Tracker) KeepOnly(exists func(account, key string) bool) { t.exists = exists }

func (t *Tracker) load(ctx context.Context) error {
	rev, items := t.engine.Snapshot(ctx, prefix, 0)
	for item, err := range items {
		if err != nil {
			return err
		}
		if unit, ok := storage.SplitHead(item.Key); ok {
			if _, node, ok := splitUnit(unit); ok && node == t.node {
				t.flushing.Lock()
				t.heads[unit] = item.Rev
				t.flushing.Unlock()
			}
			continue
		}
		if err := t.merge(item.Key, item.Value); err != nil {
			return err
		}
	}
	t.rev = rev
	return nil
}

// merge takes a stored record into memory.
func (t *Tracker) merge(storageKey string, value []byte) error {
	account, key, err := splitKey(storageKey)
	if err != nil {
		return err
	}
	r := &usagepb.KeyUse{}
	if err := proto.Unmarshal(value, r); err != nil {
		return fmt.Errorf("%w: the record %s cannot be read: %w", storage.ErrDamaged, storageKey, err)
	}
	e := t.entry(account, key)
	e.mu.Lock()
	defer e.mu.Unlock()
	if u := (Use{time.Unix(r.LastUsed, 0).UTC(), r.Service, r.Region}); u.later(e.use) {
		e.use, e.dirty = u, false
	}
	return nil
}

// splitUnit splits usage/<account>/<node>.
func splitUnit(unit string) (account, node string, ok bool) {
	rest, ok := strings.CutPrefix(unit, prefix)
	account, node, found := strings.Cut(rest, "/")
	return account, node, ok && found && account != "" && node != "" && !strings.Contains(node, "/")
}

// splitKey splits usage/<account>/<node>/key/<key>.
func splitKey(storageKey string) (account, key string, err error) {
	if unit, key, ok := strings.Cut(storageKey, "/key/"); ok && key != "" {
		if account, _, ok := splitUnit(unit); ok {
			return account, key, nil
		}
	}
	return "", "", fmt.Errorf("%w: key %q in the usage table", storage.ErrDamaged, storageKey)
}

func (t *Tracker) find(key string) *entry {
	s := &t.shards[shardOf(key)]
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.keys[key]
}

func (t *Tracker) entry(account, key string) *entry {
	if e := t.find(key); e != nil {
		return e
	}
	s := &t.shards[shardOf(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.keys[key]
	if e == nil {
		e = &entry{account: strings.Clone(account)} // what is given may be part of a whole request
		s.keys[strings.Clone(key)] = e
	}
	return e
}

func shardOf(key string) uint32 {
	h := uint32(2166136261)
	for i := range len(key) {
		h = (h ^ uint32(key[i])) * 16777619
	}
	return (h ^ h>>16) % 64
}

// Seen says that a request signed with the key, or by a session of the role, was accepted.
func (t *Tracker) Seen(account, key, service, region string, at time.Time) {
	u := Use{time.Unix(at.Unix(), 0).UTC(), service, region}
	e := t.entry(account, key)
	e.mu.Lock()
	defer e.mu.Unlock()
	if u.At.Before(e.use.At) || u == e.use { // within a second the order of the calls counts, which only this node knows
		return
	}
	if u.Service = e.use.Service; u.Service != service {
		u.Service = strings.Clone(service)
	}
	if u.Region = e.use.Region; u.Region != region {
		u.Region = strings.Clone(region)
	}
	e.use, e.dirty = u, true
}

// LastUse is the last use of a key that this node knows of; ok is false if it was never used.
func (t *Tracker) LastUse(key string) (u Use, ok bool) {
	e := t.find(key)
	if e == nil {
		return Use{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.use, !e.use.At.IsZero()
}

// Run writes use every FlushEvery and once more when ctx ends, takes in what other nodes write, and sweeps (KeepOnly). It ends with ctx; the
// error is that of the last write. The engine must stay open until it has returned.
func (t *Tracker) Run(ctx context.Context) error {
	var others sync.WaitGroup
	defer others.Wait()
	others.Go(func() { t.follow(ctx) })
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	swept := time.Now()
	for {
		select {
		case now := <-tick.C:
			if err := t.Flush(ctx); err != nil && ctx.Err() == nil {
				t.log.Warn("writing the usage table failed, it is tried again", "error", err)
			}
			if t.exists != nil && now.Sub(swept) >= sweepEvery {
				swept = now
				if _, err := t.sweep(ctx, now.Add(-keepFor)); err != nil && ctx.Err() == nil {
					t.log.Warn("sweeping the usage table failed, it is tried again", "error", err)
				}
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return t.Flush(last)
		}
	}
}

// follow merges what other nodes write. A node that cannot read on goes on without: it only knows less about what others have seen.
func (t *Tracker) follow(ctx context.Context) {
	const wait = time.Second
	for ctx.Err() == nil {
		err := t.read(ctx)
		if errors.Is(err, storage.ErrCompacted) {
			err = t.load(ctx)
		}
		switch {
		case ctx.Err() != nil || errors.Is(err, storage.ErrClosed):
			return
		case err != nil:
			t.log.Warn("reading the usage table of other nodes failed, it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

func (t *Tracker) read(ctx context.Context) error {
	for c, err := range t.engine.Watch(ctx, t.rev) {
		if err != nil {
			return err
		}
		t.rev = c.Rev
		for _, m := range c.Mutations {
			if !strings.HasPrefix(m.Key, prefix) {
				continue
			}
			var err error
			if m.New != nil {
				err = t.merge(m.Key, m.New)
			} else { // swept
				var account, key string
				if account, key, err = splitKey(m.Key); err == nil {
					t.forget(account, key)
				}
			}
			if err != nil {
				t.log.Error("a record of the usage table is passed over", "error", err)
			}
		}
	}
	return nil
}
