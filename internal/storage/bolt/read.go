package bolt

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/tidwall/btree"
	"go.etcd.io/bbolt"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

func (e *engine) Snapshot(ctx context.Context, prefix string, at storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
	e.mu.Lock()
	rev, trimmed := e.view.rev, e.view.trimmed
	e.mu.Unlock()
	switch err := e.alive(ctx); {
	case err != nil:
		return 0, failed[storage.Item](err)
	case at < 0 || at > rev:
		return 0, failed[storage.Item](fmt.Errorf("%w: revision %d of a store at revision %d", storage.ErrInvalid, at, rev))
	case at == 0:
		at = rev
	case at < trimmed:
		return 0, failed[storage.Item](compacted(at, trimmed))
	}
	return at, func(yield func(storage.Item, error) bool) {
		s := &snapshot{engine: e, prefix: prefix, from: prefix, upTo: at}
		for !s.done {
			err := e.alive(ctx)
			if err == nil {
				err = e.reading(s.read)
			}
			if err != nil {
				yield(storage.Item{}, err)
				return
			}
			for _, item := range s.items {
				if err := e.alive(ctx); err != nil {
					yield(storage.Item{}, err)
					return
				}
				if !yield(item, nil) {
					return
				}
			}
			s.items = s.items[:0]
		}
	}
}

func compacted(rev, trimmed storage.Rev) error {
	return fmt.Errorf("%w: revision %d, the log begins after %d", storage.ErrCompacted, rev, trimmed)
}

// snapshot reads the items of one revision bit by bit from a store that moves on: what each later record changes is kept as it was before.
type snapshot struct {
	engine *engine
	prefix string
	from   string                  // the first key that is not read yet
	upTo   storage.Rev             // undone are the records after the snapshot's revision, up to this one
	undone btree.Map[string, cell] // the keys they changed, as they were
	items  []storage.Item
	done   bool
}

// read reads on, as far as one transaction may.
func (s *snapshot) read(tx *bbolt.Tx, v *view) error {
	e := s.engine
	for n := 0; s.upTo < v.rev; n++ {
		if n == e.tune.readRecords {
			return nil
		}
		if s.upTo < v.trimmed {
			return compacted(s.upTo, v.trimmed)
		}
		r, err := readRecord(tx, s.upTo+1)
		if err != nil {
			return err
		}
		s.undo(r)
		s.upTo++
	}
	m := merge{sources: []source{newTree(&s.undone, s.from), newTree(&v.overlay, s.from), newTree(&v.heads, s.from), newBucket(tx.Bucket(itemsBucket), s.from)}}
	size := 0
	for len(s.items) < e.tune.readItems && size < e.tune.readBytes {
		key, ok := m.key(s.prefix)
		if !ok {
			s.done = true
			return nil
		}
		c, err := m.take(key)
		if err != nil {
			return err
		}
		if !c.gone {
			s.items = append(s.items, c.item)
			size += len(c.item.Value)
		}
		s.from = key + "\x00"
	}
	return nil
}

// undo keeps what r changed, as far as no earlier record after the snapshot did.
func (s *snapshot) undo(r *record) {
	keep := func(i storage.Item, had bool) {
		if _, known := s.undone.Get(i.Key); !known && strings.HasPrefix(i.Key, s.prefix) {
			s.undone.Set(i.Key, cell{item: i, gone: !had})
		}
	}
	for i, m := range r.Mutations {
		keep(storage.Item{Key: m.Key, Value: m.Old, Rev: r.before[i]}, m.Old != nil)
	}
	for i, u := range r.Units {
		if u.Write {
			head := storage.Item{Key: u.Unit + "/" + storage.HeadName, Rev: u.Head}
			if u.Head != 0 {
				head.Value = storage.EncodeHead(r.headTimes[i])
			}
			keep(head, u.Head != 0)
		}
	}
}

func (e *engine) Log(ctx context.Context, unit string, from, to storage.Rev) iter.Seq2[storage.Commit, error] {
	return func(yield func(storage.Commit, error) bool) {
		revs, err := e.find(ctx, unit, from, to)
		if err != nil {
			yield(storage.Commit{}, err)
			return
		}
		var records []*record
		for len(revs) > 0 {
			records = records[:0]
			err := e.alive(ctx)
			if err == nil {
				err = e.reading(func(tx *bbolt.Tx, v *view) error {
					size := 0
					for len(revs) > 0 && len(records) < e.tune.readRecords && size < e.tune.readBytes {
						rev := revs[len(revs)-1]
						if rev <= v.trimmed {
							return compacted(rev, v.trimmed)
						}
						r, n, err := readSized(tx, rev)
						if err != nil {
							return err
						}
						records, size, revs = append(records, r), size+n, revs[:len(revs)-1]
					}
					return nil
				})
			}
			if err != nil {
				yield(storage.Commit{}, err)
				return
			}
			if !e.give(ctx, records, yield) {
				return
			}
		}
	}
}

// give yields the records' commits and reports whether the reader wants more.
func (e *engine) give(ctx context.Context, records []*record, yield func(storage.Commit, error) bool) bool {
	for _, r := range records {
		if err := e.alive(ctx); err != nil {
			yield(storage.Commit{}, err)
			return false
		}
		if !yield(r.Commit, nil) {
			return false
		}
	}
	return true
}

func readSized(tx *bbolt.Tx, rev storage.Rev) (*record, int, error) {
	r, err := readRecord(tx, rev)
	if err != nil {
		return nil, 0, err
	}
	size := 0
	for _, m := range r.Mutations {
		size += len(m.Key) + len(m.Old) + len(m.New)
	}
	return r, size, nil
}

// find follows the unit's heads back and returns the revisions of its commits in the range, newest first.
func (e *engine) find(ctx context.Context, unit string, from, to storage.Rev) (revs []storage.Rev, err error) {
	rev, started := storage.Rev(0), false
	for done := false; !done; {
		if err := e.alive(ctx); err != nil {
			return nil, err
		}
		err := e.reading(func(tx *bbolt.Tx, v *view) error {
			if !started {
				head, _ := v.heads.Get(unit + "/" + storage.HeadName)
				rev, started = head.item.Rev, true
				if to == 0 {
					to = v.rev
				}
			}
			for range e.tune.readUnits {
				if rev == 0 || rev < from {
					done = true
					return nil
				}
				if rev <= v.trimmed {
					// Also if rev is after to: the chain of heads breaks off here, what lies before it is not known.
					return fmt.Errorf("%w: unit %s was written in revision %d, the log begins after %d", storage.ErrCompacted, unit, rev, v.trimmed)
				}
				key := revKey(rev)
				r, _, err := decodeUnits(rev, tx.Bucket(logBucket).Get(key[:]))
				if err != nil {
					return err
				}
				if rev <= to {
					revs = append(revs, rev)
				}
				next := rev
				for _, u := range r.Units {
					if u.Unit == unit && u.Write {
						next = u.Head
					}
				}
				if next >= rev {
					return fmt.Errorf("%w: log record %d does not write unit %s as its head says", storage.ErrDamaged, rev, unit)
				}
				rev = next
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return revs, nil
}

func (e *engine) Watch(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
	return func(yield func(storage.Commit, error) bool) {
		for {
			err := e.alive(ctx)
			var news []*record
			if err == nil {
				news, err = e.news(ctx, after)
			}
			if err != nil {
				yield(storage.Commit{}, err)
				return
			}
			if !e.give(ctx, news, yield) {
				return
			}
			if len(news) > 0 {
				after = news[len(news)-1].Rev
			}
		}
	}
}

// news waits until there are records after a revision and returns some of them, in order and without gaps. It returns none when ctx or the
// engine has ended.
func (e *engine) news(ctx context.Context, after storage.Rev) (news []*record, err error) {
	e.mu.Lock()
	v, changed := &e.view, e.changed
	rev, trimmed := v.rev, v.trimmed
	if len(v.recent) > 0 && v.recent[0].Rev <= after+1 && after >= trimmed && after < rev {
		news = v.recent[after+1-v.recent[0].Rev:]
	}
	e.mu.Unlock()
	switch {
	case after < 0 || after > rev:
		return nil, fmt.Errorf("%w: revision %d of a store at revision %d", storage.ErrInvalid, after, rev)
	case news != nil:
		return news, nil
	case after < trimmed:
		return nil, compacted(after, trimmed)
	case after == rev:
		select {
		case <-changed:
		case <-e.queue.done:
		case <-ctx.Done():
		}
		return nil, nil
	}
	err = e.reading(func(tx *bbolt.Tx, v *view) error {
		if after < v.trimmed {
			return compacted(after, v.trimmed)
		}
		size := 0
		for rev := after + 1; rev <= v.rev && len(news) < e.tune.readRecords && size < e.tune.readBytes; rev++ {
			r, n, err := readSized(tx, rev)
			if err != nil {
				return err
			}
			news, size = append(news, r), size+n
		}
		return nil
	})
	return news, err
}
