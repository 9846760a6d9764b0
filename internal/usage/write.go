package usage

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/usage/usagepb"
)

const (
	sweepEvery = time.Hour
	keepFor    = 24 * time.Hour // a node may be that far behind in learning of new keys
	writeTries = 3
)

// Flush writes what was seen since the last time. What cannot be written is tried again the next time.
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
	var failed []error // one account's trouble is not the others'
	for _, account := range slices.Sorted(maps.Keys(dirty)) {
		for keys := range slices.Chunk(dirty[account], storage.MaxOps) {
			if err := t.write(ctx, account, keys); err != nil {
				failed = append(failed, fmt.Errorf("usage of account %s: %w", account, err))
				break
			}
		}
		if ctx.Err() != nil || len(failed) >= 10 {
			break
		}
	}
	return errors.Join(failed...)
}

// write writes the use of keys of one account, at most storage.MaxOps.
func (t *Tracker) write(ctx context.Context, account string, keys []string) error {
	unit := prefix + account + "/" + t.node
	b := storage.Batch{Units: []storage.Condition{{Unit: unit, Write: true}}}
	written := make(map[*entry]Use, len(keys))
	for _, key := range keys {
		e := t.find(key)
		if e == nil {
			continue // swept meanwhile
		}
		e.mu.Lock()
		u := e.use
		e.mu.Unlock()
		value, err := proto.Marshal(&usagepb.KeyUse{LastUsed: u.At.Unix(), Service: u.Service, Region: u.Region})
		if err != nil {
			return err
		}
		if u.At.After(b.Time) {
			b.Time = u.At
		}
		b.Ops = append(b.Ops, storage.Op{Kind: storage.Put, Key: unit + "/key/" + key, Value: value})
		written[e] = u
	}
	if len(b.Ops) == 0 {
		return nil
	}
	for try := 1; ; try++ {
		b.ID, b.Units[0].Head = t.commit(), t.heads[unit]
		rev, err := t.engine.Commit(ctx, b)
		if err == nil {
			t.heads[unit] = rev
			break
		}
		// Writing the same again does no harm, so that it does not matter what became of a commit without an answer. A sweep by another node
		// also moves the head.
		if try == writeTries || !errors.Is(err, storage.ErrConflict) && !errors.Is(err, storage.ErrUnknown) {
			return err
		}
		if headErr := t.reloadHead(ctx, unit); headErr != nil {
			return errors.Join(err, headErr)
		}
	}
	for e, u := range written {
		e.mu.Lock()
		e.dirty = e.dirty && e.use != u
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

// forget drops a key from memory unless it exists.
func (t *Tracker) forget(account, key string) {
	if t.exists == nil || t.exists(account, key) {
		return
	}
	s := &t.shards[shardOf(key)]
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.keys, key)
}

// sweep forgets keys that do not exist and were not used since before, and removes their records from the units of all nodes: any node may
// do so, one that writes to such a unit meanwhile wins.
func (t *Tracker) sweep(ctx context.Context, before time.Time) (removed int, err error) {
	t.flushing.Lock()
	defer t.flushing.Unlock()
	heads, doomed := map[string]storage.Rev{}, map[string][]storage.Op{}
	var unit string
	_, items := t.engine.Snapshot(ctx, prefix, 0)
	for item, err := range items {
		if err != nil {
			return 0, err
		}
		if name, ok := storage.SplitHead(item.Key); ok {
			unit = name
			heads[unit] = item.Rev
			continue
		}
		account, key, err := splitKey(item.Key)
		if err != nil {
			return 0, err
		}
		r := &usagepb.KeyUse{}
		if err := proto.Unmarshal(item.Value, r); err != nil {
			return 0, fmt.Errorf("%w: the record %s cannot be read: %w", storage.ErrDamaged, item.Key, err)
		}
		if !t.exists(account, key) && r.LastUsed < before.Unix() {
			t.forget(account, key)
			doomed[unit] = append(doomed[unit], storage.Op{Kind: storage.Delete, Key: item.Key})
		}
	}
	for _, unit := range slices.Sorted(maps.Keys(doomed)) {
		head := heads[unit]
		for ops := range slices.Chunk(doomed[unit], storage.MaxOps) {
			rev, err := t.engine.Commit(ctx, storage.Batch{
				ID: t.commit(), Time: before.UTC().Add(keepFor).Truncate(time.Microsecond), Units: []storage.Condition{{Unit: unit, Head: head, Write: true}}, Ops: ops,
			})
			if errors.Is(err, storage.ErrConflict) {
				break
			}
			if err != nil {
				return removed, err
			}
			removed, head = removed+len(ops), rev
			if _, node, _ := splitUnit(unit); node == t.node {
				t.heads[unit] = rev
			}
		}
	}
	return removed, nil
}
