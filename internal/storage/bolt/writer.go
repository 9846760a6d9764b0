package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tidwall/btree"
	"go.etcd.io/bbolt"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// While commits come, maintenance takes a small part of the time: a step holds up the commit that arrives during it, and one that is over
// is followed by a pause of stepPause times its length.
const (
	busyFor   = 100 * time.Millisecond // after a commit
	stepPause = 4
)

// run is the writer: groups of commits first, steps of maintenance between them.
func (e *engine) run() {
	defer close(e.ended)
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	var committed, nextStep time.Time
	// A checkpoint begins when it is due and trimming when a checkpoint is complete or the tick comes. After a failure both wait for the tick.
	steps, waiting := true, false
	for !e.queue.isClosed() {
		group := e.queue.take()
		e.serve(group)
		if len(group) > 0 {
			committed = time.Now()
		}
		steps = !waiting && (steps || e.checkpointDue())
		var pause <-chan time.Time
		if steps {
			begin := time.Now()
			if wait := nextStep.Sub(begin); wait > 0 && !e.overfull() {
				pause = time.After(wait)
			} else {
				busy := begin.Sub(committed) < busyFor
				more, err := e.step(e.checkpointDue(), busy)
				if err != nil {
					waiting = true
					e.opts.Logger.Warn("storage: maintenance failed and will be tried again", "file", e.path, "error", err)
				}
				steps, nextStep = more, time.Time{}
				if end := time.Now(); busy {
					nextStep = end.Add(stepPause * end.Sub(begin))
				}
			}
		}
		if len(group) > 0 || steps && pause == nil {
			continue
		}
		select {
		case <-e.queue.wake:
		case <-e.queue.done:
		case <-pause:
		case <-tick.C:
			steps, waiting = true, false
		}
	}
	e.finish()
}

// finish completes a checkpoint, so that the next start has nothing to replay, and closes the file.
func (e *engine) finish() {
	for more, err := true, error(nil); more && err == nil && e.suspect == nil; {
		if more, err = e.step(true, false); err != nil {
			e.opts.Logger.Warn("storage: no checkpoint at the end, the next start will take longer", "file", e.path, "error", err)
		}
	}
	e.dbLock.Lock()
	defer e.dbLock.Unlock()
	if e.db != nil {
		if err := e.db.Close(); err != nil {
			e.opts.Logger.Warn("storage: close", "file", e.path, "error", err)
		}
		e.db = nil
	}
}

// serve answers a group of requests. Neighbouring batches share a transaction; a task stands alone.
func (e *engine) serve(group []*request) {
	for len(group) > 0 {
		if task := group[0].task; task != nil {
			group[0].answer <- answer{err: task()}
			group = group[1:]
			continue
		}
		n := slices.IndexFunc(group, func(r *request) bool { return r.task != nil })
		if n < 0 {
			n = len(group)
		}
		answers, err := e.commit(group[:n])
		for i, r := range group[:n] {
			if err != nil && (i >= len(answers) || answers[i].err == nil) {
				r.answer <- answer{err: err}
			} else {
				r.answer <- answers[i]
			}
		}
		group = group[n:]
	}
}

// commit writes the batches that fit their heads in one transaction. An error means that none of them was written, or, if it is ErrUnknown,
// that all or none were; batches that were refused by themselves have their own error in answers.
func (e *engine) commit(group []*request) (answers []answer, err error) {
	if err := e.ready(); err != nil {
		return nil, err
	}
	p := &pending{base: &e.view, heads: map[string]cell{}}
	answers = make([]answer, len(group))
	err = e.write(func(tx *bbolt.Tx) (bool, error) {
		p.items = tx.Bucket(itemsBucket)
		log := tx.Bucket(logBucket)
		log.FillPercent = 1 // keys only rise
		for i, r := range group {
			record, err := p.apply(e.view.rev+storage.Rev(len(p.records))+1, r.batch)
			if p.err != nil {
				return false, p.err
			}
			if err != nil {
				answers[i].err = err
				continue
			}
			encoded := record.encode()
			key := revKey(record.Rev)
			if err := log.Put(key[:], encoded); err != nil {
				return false, err
			}
			p.records, p.bytes = append(p.records, record), p.bytes+len(encoded)
			answers[i].rev = record.Rev
		}
		return len(p.records) > 0, nil
	})
	if err != nil {
		return answers, err
	}
	e.publish(p.records, p.bytes)
	return answers, nil
}

// publish shows durable records to the readers.
func (e *engine) publish(records []*record, size int) {
	if len(records) == 0 {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	v := &e.view
	for _, r := range records {
		v.add(r)
	}
	v.recent, v.held = append(v.recent, records...), v.held+size
	if len(v.recent) > 2*e.tune.recentRecords || v.held > e.tune.recentBytes {
		// Readers may hold the old slice: a new one.
		keep := min(len(v.recent), e.tune.recentRecords)
		if v.held > e.tune.recentBytes {
			keep = min(keep, len(records))
		}
		v.recent, v.held = slices.Clone(v.recent[len(v.recent)-keep:]), v.held*keep/len(v.recent)
	}
	close(e.changed)
	e.changed = make(chan struct{})
}

// write runs f in a write transaction and commits it if f says so.
func (e *engine) write(f func(*bbolt.Tx) (commit bool, err error)) (err error) {
	var tx *bbolt.Tx
	var txn uint64
	committing := false
	err = guard(func() error {
		if tx, err = e.db.Begin(true); err != nil {
			return err
		}
		txn = uint64(tx.ID())
		commit, err := f(tx)
		if err != nil || !commit {
			tx.Rollback()
			return err
		}
		committing = true
		return e.commitTx(tx)
	})
	if err == nil {
		return nil
	}
	if tx == nil {
		e.suspect = err
		return fmt.Errorf("storage: %s: %w", e.path, err)
	}
	_ = guard(tx.Rollback) // does nothing if bbolt has rolled back
	if !committing {
		return err
	}
	return e.failedCommit(err, txn)
}

// failedCommit finds out what a failed Tx.Commit has left. bbolt writes the changed pages to places that nothing refers to, syncs, writes a
// meta page that refers to them, and syncs again. If the file does not show the transaction's meta page nothing has happened, and nothing
// can: the pages it wrote are free. If it does, the last sync failed or was not reached, and only a restart of the machine would show.
func (e *engine) failedCommit(cause error, txn uint64) error {
	m, err := readMeta(e.file, int64(e.db.Info().PageSize))
	if err != nil || m.txn >= txn {
		e.suspect = cause
		return fmt.Errorf("%w: %s: %v", storage.ErrUnknown, e.path, cause)
	}
	if isNoSpace(cause) && guard(func() error { return e.db.View(func(*bbolt.Tx) error { return nil }) }) == nil {
		return fmt.Errorf("%w: %s: %v", storage.ErrNoSpace, e.path, cause)
	}
	e.suspect = cause
	if isNoSpace(cause) {
		return fmt.Errorf("%w: %s: %v", storage.ErrNoSpace, e.path, cause)
	}
	return fmt.Errorf("storage: %s could not be written: %w", e.path, cause)
}

// isNoSpace also looks at the words: bbolt drops the cause of some errors.
func isNoSpace(err error) bool {
	for _, no := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, no) || strings.Contains(err.Error(), no.Error()) {
			return true
		}
	}
	return false
}

// ready makes sure that the file may be written. After a write that failed for another reason than space it is opened again and an empty
// transaction is written: once that is durable, so is everything that the file shows, and what it does not show is gone for good.
func (e *engine) ready() error {
	if e.suspect == nil {
		return nil
	}
	cause := e.suspect
	e.dbLock.Lock()
	defer e.dbLock.Unlock()
	if e.db != nil {
		_ = e.db.Close() // it failed already
		e.db = nil
	}
	fresh := &engine{path: e.path, opts: e.opts, tune: e.tune, commitTx: e.commitTx}
	if err := fresh.load(); err != nil {
		return fmt.Errorf("storage: %s takes no writes since one failed (%v), and cannot be opened again: %w", e.path, cause, err)
	}
	if fresh.view.rev < e.view.rev {
		_ = fresh.db.Close()
		return fmt.Errorf("%w: %s lost commits that were acknowledged: it stands at revision %d, was at %d", storage.ErrDamaged, e.path, fresh.view.rev, e.view.rev)
	}
	if err := fresh.db.Update(func(*bbolt.Tx) error { return nil }); err != nil {
		_ = fresh.db.Close()
		return fmt.Errorf("storage: %s takes no writes since one failed (%v), and it still does: %w", e.path, cause, err)
	}
	e.db, e.file, e.state, e.suspect = fresh.db, fresh.file, fresh.state, nil
	e.checkpoint = nil
	e.mu.Lock()
	before := e.view.rev
	e.view.rev, e.view.trimmed = fresh.view.rev, fresh.view.trimmed
	e.view.heads, e.view.overlay, e.view.bytes = fresh.view.heads, fresh.view.overlay, fresh.view.bytes
	e.view.recent, e.view.held = nil, 0
	close(e.changed)
	e.changed = make(chan struct{})
	e.mu.Unlock()
	e.opts.Logger.Warn("storage: the file was opened again after a failed write", "file", e.path, "cause", cause,
		"revision", before, "found", fresh.view.rev)
	return nil
}

// pending is the state that a group's batches meet: what the writer's readers see, and the group's batches before. It implements
// storage.Current.
type pending struct {
	base    *view
	items   *bbolt.Bucket
	heads   map[string]cell
	changes btree.Map[string, cell]
	records []*record
	bytes   int
	err     error // a damaged item
}

// apply adds the batch as revision rev. An error leaves p as it was, unless p.err is set.
func (p *pending) apply(rev storage.Rev, b storage.Batch) (*record, error) {
	r := &record{Commit: storage.Commit{Rev: rev, ID: b.ID, Time: b.Time, Units: b.Units, Events: b.Events}, headTimes: make([]time.Time, len(b.Units))}
	for i, u := range b.Units {
		key := u.Unit + "/" + storage.HeadName
		head, ok := p.heads[key]
		if !ok {
			head, _ = p.base.heads.Get(key)
		}
		if head.item.Rev != u.Head {
			return nil, fmt.Errorf("%w: unit %s has head %d, not %d", storage.ErrConflict, u.Unit, head.item.Rev, u.Head)
		}
		if u.Write && u.Head != 0 {
			var err error
			if r.headTimes[i], err = storage.DecodeHead(head.item.Value); err != nil {
				p.err = err
				return nil, err
			}
		}
	}
	var err error
	if r.Mutations, r.before, err = storage.Effect(p, rev, b.Ops); err != nil {
		return nil, err
	}
	head := storage.EncodeHead(b.Time)
	for _, u := range b.Units {
		if u.Write {
			key := u.Unit + "/" + storage.HeadName
			p.heads[key] = cell{item: storage.Item{Key: key, Value: head, Rev: rev}}
		}
	}
	return r, nil
}

func (p *pending) Set(i storage.Item) (storage.Item, bool) {
	old, had := p.changes.Set(i.Key, cell{item: i})
	return p.was(i.Key, old, had)
}

func (p *pending) Remove(key string) (storage.Item, bool) {
	old, had := p.changes.Get(key)
	item, ok := p.was(key, old, had)
	if ok {
		p.changes.Set(key, cell{gone: true})
	}
	return item, ok
}

// was returns the item at key, given what the group's changes hold.
func (p *pending) was(key string, c cell, had bool) (storage.Item, bool) {
	if !had {
		c, had = p.base.overlay.Get(key)
	}
	if had {
		return c.item, !c.gone
	}
	b := p.items.Get([]byte(key))
	if b == nil {
		return storage.Item{}, false
	}
	item, err := decodeItem(key, bytes.Clone(b))
	if err != nil {
		p.err = err
	}
	return item, true
}

func (p *pending) Keys(prefix string) iter.Seq[string] {
	return func(yield func(string) bool) {
		m := merge{sources: []source{newTree(&p.changes, prefix), newTree(&p.base.overlay, prefix), newTree(&p.base.heads, prefix), newBucket(p.items, prefix)}}
		for key, ok := m.key(prefix); ok; key, ok = m.key(prefix) {
			c, err := m.take(key)
			if err != nil {
				p.err = err
			}
			if !c.gone && !yield(key) {
				return
			}
		}
	}
}
