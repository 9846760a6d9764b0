package usage

import (
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
	At      time.Time // whole seconds
	Service string    // signing name
	Region  string
}

// Tracker holds the last use of all access keys of a store.
type Tracker struct {
	engine storage.Engine
	node   string
	log    *slog.Logger
	commit func() storage.CommitID

	shards [64]shard

	flushing sync.Mutex
	heads    map[string]storage.Rev // of this node's units
}

type shard struct {
	mu   sync.RWMutex
	keys map[string]*entry
}

type entry struct {
	mu      sync.Mutex
	account string
	use     Use
	dirty   bool
}

// Open loads what all nodes have written. node names this one; two running nodes must not share a name. commit gives a new commit id at
// every call.
func Open(ctx context.Context, e storage.Engine, node string, commit func() storage.CommitID, log *slog.Logger) (*Tracker, error) {
	t := &Tracker{engine: e, node: node, log: log, commit: commit, heads: map[string]storage.Rev{}}
	for i := range t.shards {
		t.shards[i].keys = map[string]*entry{}
	}
	_, items := e.Snapshot(ctx, prefix, 0)
	for item, err := range items {
		if err != nil {
			return nil, err
		}
		if unit, ok := storage.SplitHead(item.Key); ok {
			if strings.HasSuffix(unit, "/"+node) {
				t.heads[unit] = item.Rev
			}
			continue
		}
		parts := strings.SplitN(item.Key, "/", 5) // usage, account, node, "key", id
		if len(parts) != 5 || parts[3] != "key" {
			return nil, fmt.Errorf("%w: key %q in the usage table", storage.ErrDamaged, item.Key)
		}
		r := &usagepb.KeyUse{}
		if err := proto.Unmarshal(item.Value, r); err != nil {
			return nil, fmt.Errorf("%w: the record %s cannot be read: %w", storage.ErrDamaged, item.Key, err)
		}
		t.entry(parts[1], parts[4]).see(Use{time.Unix(r.LastUsed, 0).UTC(), r.Service, r.Region}, false)
	}
	return t, nil
}

func (t *Tracker) entry(account, key string) *entry {
	s := &t.shards[shardOf(key)]
	s.mu.RLock()
	e := s.keys[key]
	s.mu.RUnlock()
	if e != nil {
		return e
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e = s.keys[key]; e == nil {
		e = &entry{account: account}
		s.keys[key] = e
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

func (e *entry) see(u Use, dirty bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if u.At.Before(e.use.At) || u == e.use {
		return
	}
	e.use = u
	e.dirty = e.dirty || dirty
}

// Seen says that a request signed with the key was accepted.
func (t *Tracker) Seen(account, key, service, region string, at time.Time) {
	t.entry(account, key).see(Use{time.Unix(at.Unix(), 0).UTC(), service, region}, true)
}

// LastUse is the last use of a key that this node knows of; ok is false if it was never used.
func (t *Tracker) LastUse(key string) (u Use, ok bool) {
	s := &t.shards[shardOf(key)]
	s.mu.RLock()
	e := s.keys[key]
	s.mu.RUnlock()
	if e == nil {
		return Use{}, false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.use, !e.use.At.IsZero()
}

// Run writes use every FlushEvery and once more when ctx ends.
func (t *Tracker) Run(ctx context.Context) error {
	tick := time.NewTicker(FlushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := t.Flush(ctx); err != nil && ctx.Err() == nil {
				t.log.Warn("writing the usage table failed, it is tried again", "error", err)
			}
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			return t.Flush(last)
		}
	}
}

// Flush writes what was seen since the last time.
func (t *Tracker) Flush(ctx context.Context) error {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	dirty := map[string][]string{} // keys by account
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.RLock()
		for key, e := range s.keys {
			e.mu.Lock()
			if e.dirty {
				dirty[e.account] = append(dirty[e.account], key)
			}
			e.mu.Unlock()
		}
		s.mu.RUnlock()
	}
	for account, keys := range dirty {
		for len(keys) > 0 {
			n := min(len(keys), storage.MaxOps)
			if err := t.write(ctx, account, keys[:n]); err != nil {
				return err
			}
			keys = keys[n:]
		}
	}
	return nil
}

func (t *Tracker) write(ctx context.Context, account string, keys []string) error {
	unit := prefix + account + "/" + t.node
	b := storage.Batch{ID: t.commit(), Units: []storage.Condition{{Unit: unit, Head: t.heads[unit], Write: true}}}
	written := make([]Use, len(keys))
	for i, key := range keys {
		u, _ := t.LastUse(key)
		value, err := proto.Marshal(&usagepb.KeyUse{LastUsed: u.At.Unix(), Service: u.Service, Region: u.Region})
		if err != nil {
			return fmt.Errorf("usage: %w", err)
		}
		if u.At.After(b.Time) {
			b.Time = u.At
		}
		b.Ops = append(b.Ops, storage.Op{Kind: storage.Put, Key: unit + "/key/" + key, Value: value})
		written[i] = u
	}
	rev, err := t.engine.Commit(ctx, b)
	if errors.Is(err, storage.ErrConflict) || errors.Is(err, storage.ErrUnknown) {
		if headErr := t.reloadHead(ctx, unit); headErr != nil {
			return errors.Join(err, headErr)
		}
	}
	if err != nil {
		return err
	}
	t.heads[unit] = rev
	for i, key := range keys {
		e := t.entry(account, key)
		e.mu.Lock()
		e.dirty = e.use != written[i]
		e.mu.Unlock()
	}
	return nil
}

func (t *Tracker) reloadHead(ctx context.Context, unit string) error {
	_, items := t.engine.Snapshot(ctx, unit+"/"+storage.HeadName, 0)
	for item, err := range items {
		if err != nil {
			return err
		}
		t.heads[unit] = item.Rev
	}
	return nil
}
