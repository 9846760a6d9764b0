package bolt

import (
	"encoding/binary"
	"time"

	"github.com/tidwall/btree"
	"go.etcd.io/bbolt"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// checkpointDue reports whether a checkpoint should begin.
func (e *engine) checkpointDue() bool {
	n := e.view.overlay.Len()
	return e.view.bytes >= e.tune.checkpointBytes || n >= e.tune.checkpointEntries || n > 0 && e.opts.Now().Sub(e.last) >= checkpointInterval
}

// overfull reports whether so much waits for the checkpoint that commits must wait for it.
func (e *engine) overfull() bool {
	return e.view.bytes >= 10*e.tune.checkpointBytes || e.view.overlay.Len() >= 10*e.tune.checkpointEntries
}

// step does a bounded piece of maintenance: of the checkpoint under way, or of a new one if begin is set, or of trimming. It reports whether
// there may be more to do. busy makes the piece smaller.
func (e *engine) step(begin, busy bool) (more bool, err error) {
	if err := e.ready(); err != nil {
		return false, err
	}
	if e.checkpoint == nil && begin && e.view.overlay.Len() > 0 {
		e.mu.Lock()
		e.checkpoint, e.resume, e.until = e.view.overlay.IsoCopy(), "", e.view.rev
		e.mu.Unlock()
	}
	if e.checkpoint != nil {
		return true, e.stepCheckpoint(busy)
	}
	e.last = maxTime(e.last, e.lastIfClean())
	return e.stepTrim(e.trimTarget)
}

// lastIfClean is the present time if there is nothing to write: the interval begins with the first commit after a checkpoint.
func (e *engine) lastIfClean() time.Time {
	if e.view.overlay.Len() == 0 {
		return e.opts.Now()
	}
	return time.Time{}
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// stepCheckpoint writes the next cells of the checkpoint to the items. Until the last of them is written the state row keeps the old
// checkpoint: a start in between replays the log from there, over items of which some are newer already.
func (e *engine) stepCheckpoint(busy bool) error {
	limit := e.tune.stepEntries
	if busy {
		limit = e.tune.stepEntriesBusy
	}
	after, resume, done := e.state, "", true
	err := e.write(func(tx *bbolt.Tx) (bool, error) {
		items, heads := tx.Bucket(itemsBucket), tx.Bucket(headsBucket)
		items.FillPercent = 0.7 // keys come at random, but in order within a step
		entries, size := 0, 0
		var err error
		e.checkpoint.Ascend(e.resume, func(key string, c cell) bool {
			if entries == limit || size > e.tune.stepBytes {
				resume, done = key, false
				return false
			}
			entries, size = entries+1, size+len(key)+len(c.item.Value)
			b, count := items, &after.items
			if _, isHead := storage.SplitHead(key); isHead {
				b, count = heads, &after.heads
			}
			err = put(b, count, key, c)
			return err == nil
		})
		if err != nil {
			return false, err
		}
		if done {
			after.checkpoint = e.until
		}
		return true, tx.Bucket(stateBucket).Put(stateKey, after.encode())
	})
	if err != nil {
		return err
	}
	e.state, e.resume = after, resume
	if done {
		e.checkpoint, e.last = nil, e.opts.Now()
		e.forget(e.until)
	}
	return nil
}

func put(b *bbolt.Bucket, count *uint64, key string, c cell) error {
	had := b.Get([]byte(key)) != nil
	switch {
	case c.gone && had:
		*count--
		return b.Delete([]byte(key))
	case c.gone:
		return nil
	case !had:
		*count++
	}
	return b.Put([]byte(key), encodeItem(c.item))
}

// forget takes the cells up to revision until out of the overlay: the file has them now.
func (e *engine) forget(until storage.Rev) {
	var rest btree.Map[string, cell]
	size := 0
	e.view.overlay.Scan(func(key string, c cell) bool {
		if c.item.Rev > until {
			rest.Set(key, c)
			size += len(key) + 64 + len(c.item.Value)
		}
		return true
	})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.view.overlay, e.view.bytes = rest, size
}

// trimTarget reports whether the record with that revision and time may go.
func (e *engine) trimTarget(rev storage.Rev, at time.Time) bool {
	return rev <= e.view.rev-storage.Rev(e.opts.RetainCommits) && at.Before(e.opts.Now().Add(-e.opts.Retention))
}

// stepTrim removes the oldest records for which may holds; never those after the checkpoint, which a start needs.
func (e *engine) stepTrim(may func(storage.Rev, time.Time) bool) (more bool, err error) {
	first := e.state.trimmed + 1
	oldest := func(tx *bbolt.Tx, rev storage.Rev) (bool, error) {
		if rev > e.state.checkpoint {
			return false, nil
		}
		key := revKey(rev)
		r, _, err := decodeUnits(rev, tx.Bucket(logBucket).Get(key[:]))
		if err != nil {
			return false, err
		}
		return may(rev, r.Time), nil
	}
	worth := false
	err = guard(func() error {
		return e.db.View(func(tx *bbolt.Tx) error {
			worth, err = oldest(tx, first)
			return err
		})
	})
	if err != nil || !worth {
		return false, err
	}
	after := e.state
	err = e.write(func(tx *bbolt.Tx) (bool, error) {
		for after.trimmed < first+storage.Rev(e.tune.stepTrim)-1 {
			if ok, err := oldest(tx, after.trimmed+1); err != nil || !ok {
				if err != nil {
					return false, err
				}
				break
			}
			after.trimmed++
		}
		log := tx.Bucket(logBucket)
		c := log.Cursor()
		for k, _ := c.First(); k != nil && storage.Rev(binary.BigEndian.Uint64(k)) <= after.trimmed; k, _ = c.First() {
			if err := c.Delete(); err != nil {
				return false, err
			}
		}
		return true, tx.Bucket(stateBucket).Put(stateKey, after.encode())
	})
	if err != nil {
		return false, err
	}
	e.state = after
	e.mu.Lock()
	defer e.mu.Unlock()
	e.view.trimmed = after.trimmed
	return true, nil
}
