package memory

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/tidwall/btree"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Options of an engine. The zero value is good.
type Options struct {
	// Retention is the number of commits that the log keeps at least; it keeps up to a quarter more. 0 means 100,000.
	Retention int
}

const defaultRetention = 100_000

// New returns an empty engine.
func New(opts Options) storage.Engine {
	if opts.Retention <= 0 {
		opts.Retention = defaultRetention
	}
	return &engine{retention: opts.Retention, changed: make(chan struct{}), closed: make(chan struct{})}
}

// engine numbers its commits without gaps, so the commit with revision r is log[r-trimmed-1].
type engine struct {
	retention int
	closed    chan struct{} // closed by Close

	mu      sync.Mutex
	items   btree.Map[string, storage.Item] // heads included
	log     []*entry                        // only appended to and cut in front, so a copy of the slice stays good
	trimmed storage.Rev                     // the newest revision that is no longer in the log
	rev     storage.Rev
	changed chan struct{} // closed and replaced by each commit
}

// entry is a commit and what is needed to undo it.
type entry struct {
	storage.Commit
	before []storage.Rev  // of the old values, as storage.Effect returns them
	heads  []storage.Item // of Units, before the commit
}

func (e *engine) Commit(ctx context.Context, b storage.Batch) (storage.Rev, error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	c := &entry{Commit: storage.Commit{ID: b.ID, Time: b.Time.UTC()}}
	ops := c.keep(b)
	c.heads = make([]storage.Item, len(c.Units))

	e.mu.Lock()
	defer e.mu.Unlock()
	if e.isClosed() {
		return 0, storage.ErrClosed
	}
	for i, cond := range c.Units {
		c.heads[i], _ = e.items.Get(cond.Unit + "/" + storage.HeadName)
		if c.heads[i].Rev != cond.Head {
			return 0, fmt.Errorf("%w: unit %s has head %d, not %d", storage.ErrConflict, cond.Unit, c.heads[i].Rev, cond.Head)
		}
	}
	c.Rev = e.rev + 1
	var err error
	if c.Mutations, c.before, err = storage.Effect((*current)(&e.items), c.Rev, ops); err != nil {
		return 0, err
	}
	head := storage.EncodeHead(c.Time)
	for _, cond := range c.Units {
		if cond.Write {
			key := cond.Unit + "/" + storage.HeadName
			e.items.Set(key, storage.Item{Key: key, Value: head, Rev: c.Rev})
		}
	}
	e.rev = c.Rev
	e.log = append(e.log, c)
	if len(e.log) > e.retention+e.retention/4 {
		e.trim(c.Rev - storage.Rev(e.retention))
	}
	close(e.changed)
	e.changed = make(chan struct{})
	return c.Rev, nil
}

// keep sets c's units and events and returns the operations, all as copies of b's in one piece of memory.
func (c *entry) keep(b storage.Batch) []storage.Op {
	size := 0
	for _, op := range b.Ops {
		size += len(op.Value)
	}
	for _, ev := range b.Events {
		size += len(ev)
	}
	block := make([]byte, 0, size)
	hold := func(v []byte) []byte {
		start := len(block)
		block = append(block, v...)
		return block[start:len(block):len(block)]
	}
	c.Units = append([]storage.Condition(nil), b.Units...)
	ops := append([]storage.Op(nil), b.Ops...)
	for i := range ops {
		ops[i].Value = hold(ops[i].Value)
	}
	for _, ev := range b.Events {
		c.Events = append(c.Events, hold(ev))
	}
	return ops
}

// trim drops the log up to and with revision to. The caller holds e.mu.
func (e *engine) trim(to storage.Rev) {
	if to = min(to, e.rev); to > e.trimmed {
		e.log = append([]*entry(nil), e.log[to-e.trimmed:]...)
		e.trimmed = to
	}
}

func (e *engine) isClosed() bool {
	select {
	case <-e.closed:
		return true
	default:
		return false
	}
}

func (e *engine) Snapshot(ctx context.Context, prefix string, at storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.past(ctx, at, e.trimmed); err != nil {
		return 0, failed[storage.Item](err)
	}
	if at == 0 {
		at = e.rev
	}
	items, later := e.items.IsoCopy(), e.log[at-e.trimmed:]
	return at, func(yield func(storage.Item, error) bool) {
		for i := len(later) - 1; i >= 0; i-- {
			later[i].undo(items)
		}
		later = nil
		it := items.Iter()
		for ok := it.Seek(prefix); ok && strings.HasPrefix(it.Key(), prefix); ok = it.Next() {
			if err := e.ended(ctx); err != nil {
				yield(storage.Item{}, err)
				return
			}
			if !yield(it.Value(), nil) {
				return
			}
		}
	}
}

// past returns why revision at cannot be had; first is the oldest one that can. The caller holds e.mu.
func (e *engine) past(ctx context.Context, at, first storage.Rev) error {
	switch err := e.ended(ctx); {
	case err != nil:
		return err
	case at < 0 || at > e.rev:
		return fmt.Errorf("%w: revision %d of a store at revision %d", storage.ErrInvalid, at, e.rev)
	case at != 0 && at < first:
		return fmt.Errorf("%w: revision %d, the log begins after %d", storage.ErrCompacted, at, first)
	}
	return nil
}

func (e *engine) ended(ctx context.Context) error {
	if e.isClosed() {
		return storage.ErrClosed
	}
	return ctx.Err()
}

// undo takes the commit's effect out of items.
func (c *entry) undo(items *btree.Map[string, storage.Item]) {
	for i := len(c.Mutations) - 1; i >= 0; i-- {
		if m := c.Mutations[i]; m.Old == nil {
			items.Delete(m.Key)
		} else {
			items.Set(m.Key, storage.Item{Key: m.Key, Value: m.Old, Rev: c.before[i]})
		}
	}
	for i, cond := range c.Units {
		switch {
		case !cond.Write:
		case cond.Head == 0:
			items.Delete(cond.Unit + "/" + storage.HeadName)
		default:
			items.Set(c.heads[i].Key, c.heads[i])
		}
	}
}

func (e *engine) Log(ctx context.Context, unit string, from, to storage.Rev) iter.Seq2[storage.Commit, error] {
	return func(yield func(storage.Commit, error) bool) {
		found, err := e.find(ctx, unit, from, to)
		for i := len(found) - 1; err == nil && i >= 0; i-- {
			if !yield(found[i].Commit, nil) {
				return
			}
			err = e.ended(ctx)
		}
		if err != nil {
			yield(storage.Commit{}, err)
		}
	}
}

// find follows the unit's heads back and returns its commits in the range, newest first.
func (e *engine) find(ctx context.Context, unit string, from, to storage.Rev) ([]*entry, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.ended(ctx); err != nil {
		return nil, err
	}
	if to == 0 {
		to = e.rev
	}
	var found []*entry
	head, _ := e.items.Get(unit + "/" + storage.HeadName)
	for rev := head.Rev; rev != 0 && rev >= from; {
		if rev <= e.trimmed {
			// Also if rev is after to: the chain of heads breaks off here, what lies before it is not known.
			return nil, fmt.Errorf("%w: unit %s was written in revision %d, the log begins after %d", storage.ErrCompacted, unit, rev, e.trimmed)
		}
		c := e.log[rev-e.trimmed-1]
		if rev <= to {
			found = append(found, c)
		}
		for _, cond := range c.Units {
			if cond.Unit == unit {
				rev = cond.Head
			}
		}
	}
	return found, nil
}

func (e *engine) Watch(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
	return func(yield func(storage.Commit, error) bool) {
		for {
			e.mu.Lock()
			err := e.past(ctx, after, e.trimmed)
			if err == nil && after < e.trimmed {
				err = fmt.Errorf("%w: revision %d, the log begins after %d", storage.ErrCompacted, after, e.trimmed)
			}
			var news []*entry
			if err == nil {
				news = e.log[after-e.trimmed:]
			}
			changed := e.changed
			e.mu.Unlock()
			if err != nil {
				yield(storage.Commit{}, err)
				return
			}
			for _, c := range news {
				if err := e.ended(ctx); err != nil {
					yield(storage.Commit{}, err)
					return
				}
				if !yield(c.Commit, nil) {
					return
				}
				after = c.Rev
			}
			if len(news) > 0 {
				continue
			}
			select {
			case <-changed:
			case <-e.closed:
			case <-ctx.Done():
			}
		}
	}
}

func (e *engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.isClosed() {
		close(e.closed)
	}
	return nil
}

func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}

// current is the items as storage.Effect changes them.
type current btree.Map[string, storage.Item]

func (c *current) items() *btree.Map[string, storage.Item] {
	return (*btree.Map[string, storage.Item])(c)
}
func (c *current) Set(i storage.Item) (storage.Item, bool) { return c.items().Set(i.Key, i) }
func (c *current) Remove(key string) (storage.Item, bool)  { return c.items().Delete(key) }

func (c *current) Keys(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		it := c.items().Iter()
		for ok := it.Seek(prefix); ok && strings.HasPrefix(it.Key(), prefix); ok = it.Next() {
			if !yield(it.Key()) {
				return
			}
		}
	}
}
