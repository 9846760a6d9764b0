package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/tidwall/btree"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Options of an engine. The zero value is good.
type Options struct {
	// Retention is how long a commit stays in the log, by its time. 0 means 7 days, less than 0 that age alone keeps nothing.
	Retention time.Duration
	// RetainCommits is the number of commits that stay in the log however old they are. 0 means 10,000.
	RetainCommits int
	// Now is the clock that Retention is measured with. Nil means time.Now.
	Now func() time.Time
	// Logger hears of what goes wrong in the background, and of recovery. Nil means slog.Default().
	Logger *slog.Logger

	tune *tuning // nil means the standard; tests make everything small
}

// tuning bounds the pieces in which the engine works.
type tuning struct {
	// A checkpoint begins when the overlay is this large.
	checkpointBytes, checkpointEntries int
	// One step of maintenance. Commits that arrive meanwhile wait for it, so while there are some it is smaller.
	stepEntries, stepEntriesBusy, stepBytes, stepTrim int
	// One read transaction. bbolt can neither reuse pages nor remap a grown file under an open one, so all are short.
	readItems, readBytes, readRecords, readUnits int
	// What is kept in memory for watchers that keep up.
	recentRecords, recentBytes int
}

var standard = tuning{
	checkpointBytes: 8 << 20, checkpointEntries: 20_000,
	stepEntries: 500, stepEntriesBusy: 100, stepBytes: 1 << 20, stepTrim: 1000,
	readItems: 1000, readBytes: 1 << 20, readRecords: 500, readUnits: 4000,
	recentRecords: 1024, recentBytes: 8 << 20,
}

const (
	defaultRetention     = 7 * 24 * time.Hour
	defaultRetainCommits = 10_000

	// A checkpoint begins this long after the one before, if the overlay was not large enough earlier.
	checkpointInterval = time.Minute

	// lockWait is how long Open waits for the file of a process that is just ending.
	lockWait = 500 * time.Millisecond
)

var (
	logBucket   = []byte("log")
	itemsBucket = []byte("items")
	headsBucket = []byte("heads")
	stateBucket = []byte("state")
)

// engine numbers its commits without gaps.
type engine struct {
	path  string
	opts  Options
	tune  tuning
	queue queue
	ended chan struct{} // closed when the writer has come to its end

	dbLock sync.RWMutex // held for reading while db is used by a reader, for writing while the writer replaces it
	db     *bbolt.DB    // nil after Close, and where reopening failed
	file   *os.File     // what db writes to; the writer's

	mu      sync.Mutex
	view    view
	changed chan struct{} // closed and replaced when view.rev rises

	// The writer's own.
	state      state
	suspect    error                    // why db may not be written before it was reopened
	checkpoint *btree.Map[string, cell] // the overlay that is being written to the items, nil if none is
	resume     string                   // the first key of checkpoint that is not yet written
	until      storage.Rev              // what the checkpoint will stand for
	last       time.Time                // when the last checkpoint was complete
	commitTx   func(*bbolt.Tx) error    // Tx.Commit; tests let it fail
}

// view is what readers need beside the file. The maps are changed under engine.mu, by the writer only.
type view struct {
	rev     storage.Rev
	trimmed storage.Rev
	heads   btree.Map[string, cell] // all of them
	overlay btree.Map[string, cell] // what changed since the checkpoint, heads included
	bytes   int                     // in overlay, about
	recent  []*record               // the newest ones, for watchers that keep up
	held    int                     // bytes in recent, about
}

// cell is a key's item, or its absence since item.Rev.
type cell struct {
	item storage.Item
	gone bool
}

// Open opens the store at path, or makes one with mode 0600. A damaged file is storage.ErrDamaged, and is left as it is.
func Open(path string, opts Options) (storage.Engine, error) {
	e, err := open(path, opts)
	if err != nil {
		return nil, err
	}
	return e, nil
}

func open(path string, opts Options) (*engine, error) {
	if opts.Retention == 0 {
		opts.Retention = defaultRetention
	}
	if opts.RetainCommits <= 0 {
		opts.RetainCommits = defaultRetainCommits
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.tune == nil {
		opts.tune = &standard
	}
	e := &engine{path: path, opts: opts, tune: *opts.tune, ended: make(chan struct{}), changed: make(chan struct{}), commitTx: (*bbolt.Tx).Commit, last: opts.Now()}
	e.queue.init()
	if err := e.load(); err != nil {
		return nil, describe(path, err)
	}
	go e.run()
	return e, nil
}

// describe adds what the operator needs to an error of Open.
func describe(path string, err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("storage: %s is in use by another process: stop it first", path)
	case errors.Is(err, storage.ErrDamaged):
		return fmt.Errorf("%s: %w; nothing was changed: move the file away and restore the newest backup, or copy the file back from a healthy disk", path, err)
	}
	return fmt.Errorf("storage: open %s: %w", path, err)
}

// guard turns a panic of bbolt, which means a damaged page, into ErrDamaged.
func guard(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: bbolt: %v", storage.ErrDamaged, p)
		}
	}()
	return f()
}

// openFile locks and opens the file and returns the number of keys in its buckets.
func (e *engine) openFile() (keys map[string]uint64, err error) {
	// The lock comes first: the file may only be checked while nobody writes it. bbolt takes it again, which the same open file may.
	err = guard(func() error {
		e.db, err = bbolt.Open(e.path, 0o600, &bbolt.Options{
			Timeout: lockWait, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType, NoStatistics: true,
			OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(path, flag, mode)
				if err != nil {
					return nil, err
				}
				if err = lock(f, lockWait); err == nil {
					keys, err = checkFile(path, func(problem string) {
						e.opts.Logger.Warn("storage: the file is not as it was left", "problem", problem, "file", path)
					})
				}
				if err != nil {
					f.Close()
					return nil, err
				}
				e.file = f
				return f, nil
			},
		})
		return err
	})
	if err != nil {
		e.db = nil
		return nil, err
	}
	return keys, nil
}

// create makes a store where there is none. It appears at path as a whole or not at all, so that a file that is empty or without its
// buckets is always a damaged one, and never taken for a new store.
func create(path string) error {
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	if err := f.Close(); err != nil {
		return err
	}
	db, err := bbolt.Open(f.Name(), 0o600, &bbolt.Options{Timeout: lockWait, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{logBucket, itemsBucket, headsBucket, stateBucket} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		return tx.Bucket(stateBucket).Put(stateKey, state{}.encode())
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	// A link does not replace what another process may have made meanwhile. Where the file system has none, a rename must do.
	if err := os.Link(f.Name(), path); err != nil && !os.IsExist(err) {
		if err := os.Rename(f.Name(), path); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// load opens the file and reads what stands in memory.
func (e *engine) load() error {
	err := create(e.path)
	var keys map[string]uint64
	if err == nil {
		keys, err = e.openFile()
	}
	if err == nil {
		err = guard(func() error { return e.read(keys) })
	}
	if err != nil && e.db != nil {
		_ = e.db.Close()
		e.db = nil
	}
	return err
}

func (e *engine) read(keys map[string]uint64) error {
	return e.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{logBucket, itemsBucket, headsBucket, stateBucket} {
			if tx.Bucket(name) == nil {
				return fmt.Errorf("%w: it has no bucket %q, so it is not a Gatehouse store", storage.ErrDamaged, name)
			}
		}
		var err error
		if e.state, err = decodeState(tx.Bucket(stateBucket).Get(stateKey)); err != nil {
			return err
		}
		last, err := checkLog(tx, e.state, keys)
		if err != nil {
			return err
		}
		v := &e.view
		v.rev, v.trimmed = e.state.checkpoint, e.state.trimmed
		for k, b := range bucketCursor(tx.Bucket(headsBucket)) {
			item, err := decodeItem(string(k), bytes.Clone(b))
			if err != nil {
				return err
			}
			v.heads.Set(item.Key, cell{item: item})
		}
		for rev := e.state.checkpoint + 1; rev <= last; rev++ {
			r, err := readRecord(tx, rev)
			if err != nil {
				return err
			}
			if err := v.follows(r, last); err != nil {
				return err
			}
			v.add(r)
		}
		return nil
	})
}

// checkLog checks that the log reaches from where it was trimmed to the checkpoint and beyond without a gap, and that the buckets hold as
// many keys as the state row says.
func checkLog(tx *bbolt.Tx, s state, keys map[string]uint64) (last storage.Rev, err error) {
	first, last := s.trimmed+1, s.trimmed
	c := tx.Bucket(logBucket).Cursor()
	if k, _ := c.First(); k != nil {
		end, _ := c.Last()
		if len(k) != 8 || len(end) != 8 {
			return 0, fmt.Errorf("%w: a log key of %d bytes", storage.ErrDamaged, len(k))
		}
		first, last = storage.Rev(binary.BigEndian.Uint64(k)), storage.Rev(binary.BigEndian.Uint64(end))
	}
	if first != s.trimmed+1 || last < s.checkpoint || keys[string(logBucket)] != uint64(last-s.trimmed) {
		return 0, fmt.Errorf("%w: the log holds %d records from revision %d to %d, it was trimmed to %d and the checkpoint is %d",
			storage.ErrDamaged, keys[string(logBucket)], first, last, s.trimmed, s.checkpoint)
	}
	if keys[string(itemsBucket)] != s.items || keys[string(headsBucket)] != s.heads {
		return 0, fmt.Errorf("%w: the checkpoint holds %d items and %d heads, it was written with %d and %d",
			storage.ErrDamaged, keys[string(itemsBucket)], keys[string(headsBucket)], s.items, s.heads)
	}
	return last, nil
}

// follows checks that r's heads are those that the view has, where r is read at the start. A checkpoint that was not completed has left heads
// of later records, which come again.
func (v *view) follows(r *record, last storage.Rev) error {
	for _, u := range r.Units {
		head, _ := v.heads.Get(u.Unit + "/" + storage.HeadName)
		if at := head.item.Rev; at != u.Head && (at < r.Rev || at > last) {
			return fmt.Errorf("%w: log record %d follows revision %d of unit %s, which stands at %d", storage.ErrDamaged, r.Rev, u.Head, u.Unit, at)
		}
	}
	return nil
}

// add applies r, the next record. The caller holds engine.mu.
func (v *view) add(r *record) {
	set := func(key string, c cell) {
		old, had := v.overlay.Set(key, c)
		if v.bytes += len(c.item.Value) - len(old.item.Value); !had {
			v.bytes += len(key) + 64
		}
	}
	for _, m := range r.Mutations {
		set(m.Key, cell{item: storage.Item{Key: m.Key, Value: m.New, Rev: r.Rev}, gone: m.New == nil})
	}
	head := storage.EncodeHead(r.Time)
	for _, u := range r.Units {
		if u.Write {
			key := u.Unit + "/" + storage.HeadName
			c := cell{item: storage.Item{Key: key, Value: head, Rev: r.Rev}}
			set(key, c)
			v.heads.Set(key, c)
		}
	}
	v.rev = r.Rev
}

func (e *engine) Close() error {
	e.queue.close()
	<-e.ended
	return nil
}

// alive returns why a call must end.
func (e *engine) alive(ctx context.Context) error {
	if e.queue.isClosed() {
		return storage.ErrClosed
	}
	return ctx.Err()
}

// reading runs f in a short read transaction, with the view that fits it. f must not keep the transaction's bytes.
func (e *engine) reading(f func(tx *bbolt.Tx, v *view) error) error {
	e.dbLock.RLock()
	defer e.dbLock.RUnlock()
	if e.db == nil {
		if e.queue.isClosed() {
			return storage.ErrClosed
		}
		return fmt.Errorf("storage: %s cannot be read since it could not be opened again after a failed write", e.path)
	}
	return guard(func() error {
		// Both are taken under mu, so that a checkpoint's end, which takes cells out of the overlay, lies before or after both.
		e.mu.Lock()
		tx, err := e.db.Begin(false)
		if err != nil {
			e.mu.Unlock()
			return err
		}
		v := &view{rev: e.view.rev, trimmed: e.view.trimmed, heads: *e.view.heads.IsoCopy(), overlay: *e.view.overlay.IsoCopy()}
		e.mu.Unlock()
		defer tx.Rollback()
		return f(tx, v)
	})
}

func readRecord(tx *bbolt.Tx, rev storage.Rev) (*record, error) {
	key := revKey(rev)
	b := tx.Bucket(logBucket).Get(key[:])
	if b == nil {
		return nil, fmt.Errorf("%w: log record %d is missing", storage.ErrDamaged, rev)
	}
	return decodeRecord(rev, bytes.Clone(b))
}

func bucketCursor(b *bbolt.Bucket) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}

func failed[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var zero T
		yield(zero, err)
	}
}
