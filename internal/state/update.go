package state

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

const (
	maxQueue     = 8192 // updates that may wait for one unit
	maxTries     = 64   // times a function is run anew because its units moved on
	resolveTries = 20   // times the outcome of a commit is asked for, over about ten seconds
)

func stack() []byte { return debug.Stack() }

// Update runs fn on the pending state of the units and returns once its writes are durable and visible in View. fn may write only to
// these units; the units it reads beside them make the commit depend on their heads. An error of fn is returned as it is and nothing is
// written; a refusal that saw writes not yet durable is returned once they are.
//
// fn may run several times and must be pure. If ctx ends first the outcome is not known. Other errors: ErrBusy, ErrStopped, and those of
// storage.Engine.Commit.
func (s *Store) Update(ctx context.Context, units []string, fn func(*Tx) error) error {
	c := &call{fn: fn, seed: s.opts.Seed(), done: make(chan error, 1)}
	if len(units) != 1 {
		return s.updateAcross(ctx, units, c)
	}
	if err := s.lane(units[0]).push(c); err != nil {
		return err
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.stopped:
		select {
		case err := <-c.done:
			return err
		default:
			return ErrStopped
		}
	}
}

// call is one waiting Update.
type call struct {
	fn    func(*Tx) error
	seed  keyring.Seed
	tries int
	err   error // the refusal it waits to return
	done  chan error

	granted, release chan struct{} // set if the call only holds the lane for an update across units
}

// lane is the writer of one unit. It runs functions in order against the pending state; while one batch is on its way to the disk the
// next one fills.
type lane struct {
	s    *Store
	unit string

	mu      sync.Mutex
	queue   []*call
	running bool
	wake    chan struct{}

	// What follows belongs to the running goroutine.
	pending unit        // nil: begin at the view
	base    storage.Rev // head of the unit on which the next batch stands
	batch   *flight     // filling
	flying  *flight     // on its way
}

// flight is one commit: the calls whose functions have run, and what they wrote.
type flight struct {
	calls   []*call
	changes []change
	ops     []storage.Op
	events  [][]byte
	bytes   int
	others  []storage.Condition
	time    time.Time
	full    bool

	rev       storage.Rev // set under Store.mu once known
	committed chan error
	applied   chan struct{}
}

func newFlight() *flight {
	return &flight{committed: make(chan error, 1), applied: make(chan struct{})}
}

func (s *Store) lane(unit string) *lane {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lanes[unit]
	if l == nil {
		l = &lane{s: s, unit: unit, wake: make(chan struct{}, 1)}
		s.lanes[unit] = l
	}
	return l
}

func (l *lane) push(c *call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) >= maxQueue {
		return ErrBusy
	}
	l.queue = append(l.queue, c)
	if !l.running {
		l.running = true
		go l.run()
		return nil
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
	return nil
}

// next takes the first waiting call. With idle set, an empty queue ends the lane.
func (l *lane) next(idle bool) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue = nil
		l.running = !idle
		return nil
	}
	c := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	return c
}

// again puts calls back to the front of the queue, in order.
func (l *lane) again(calls []*call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = slices.Concat(calls, l.queue)
}

func (l *lane) run() {
	for {
		idle := l.flying == nil && l.batch == nil
		if idle {
			l.rest()
		}
		if l.batch == nil || !l.batch.full {
			if c := l.next(idle); c != nil {
				if c.granted != nil {
					l.hold(c)
				} else {
					l.exec(c)
				}
				continue
			}
			if idle {
				return
			}
		}
		if l.flying == nil {
			l.takeOff()
			continue
		}
		if l.batch != nil && l.batch.full {
			l.land(<-l.flying.committed)
			continue
		}
		select {
		case <-l.wake:
		case err := <-l.flying.committed:
			l.land(err)
		}
	}
}

// rest gives the pending state back once the view shows all of it.
func (l *lane) rest() {
	if l.pending != nil {
		if u := l.s.View().unit(l.unit); u != nil && u.head().rev == l.base {
			l.pending = nil
		}
	}
}

// settle waits until nothing is pending.
func (l *lane) settle() {
	for l.flying != nil || l.batch != nil {
		if l.flying == nil {
			l.takeOff()
		}
		if l.flying != nil {
			l.land(<-l.flying.committed)
		}
	}
	l.pending = nil
}

// hold gives the lane away until it is released. What is put back by a failed flight waits behind it.
func (l *lane) hold(c *call) {
	l.settle()
	close(c.granted)
	<-c.release
}

func (l *lane) exec(c *call) {
	v := l.s.View()
	if l.pending == nil {
		u := v.unit(l.unit)
		if u == nil {
			var err error
			if u, err = newUnit(l.unit); err != nil {
				c.done <- err
				return
			}
		}
		l.base = u.head().rev
		l.pending = u.fork()
	}
	tx := newTx(v, []unit{l.pending}, l.s.now(), c.seed)
	c.err = tx.run(c.fn)
	if c.err != nil || len(tx.ops) == 0 {
		if l.flying == nil && l.batch == nil {
			l.pending = nil
			c.done <- c.err
			return
		}
		l.join(c, nil)
		return
	}
	b := l.batch
	if b != nil && (len(b.ops)+len(tx.ops) > storage.MaxOps || b.bytes+tx.bytes+len(tx.event) > storage.MaxBatchBytes || !agree(b.others, tx.others)) {
		tx.undo()
		b.full = true
		l.again([]*call{c})
		return
	}
	l.join(c, tx)
}

// agree reports whether no unit is expected at two different heads.
func agree(a, b []storage.Condition) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Unit == y.Unit && x.Head != y.Head {
				return false
			}
		}
	}
	return true
}

// join adds a call to the batch that fills; tx is nil if it wrote nothing and only waits.
func (l *lane) join(c *call, tx *Tx) {
	if l.batch == nil {
		l.batch = newFlight()
	}
	l.batch.add(c, tx)
	if tx != nil {
		l.pending.head().time = tx.now
	}
}

func (f *flight) add(c *call, tx *Tx) {
	f.calls = append(f.calls, c)
	if tx == nil {
		return
	}
	f.changes = append(f.changes, tx.changes...)
	f.ops = append(f.ops, tx.ops...)
	f.bytes += tx.bytes + len(tx.event)
	if tx.event != nil {
		f.events = append(f.events, tx.event)
	}
	for _, o := range tx.others {
		if !slices.Contains(f.others, o) {
			f.others = append(f.others, o)
		}
	}
	if tx.now.After(f.time) {
		f.time = tx.now
	}
}

// takeOff sends the filled batch to the engine. A batch in which nobody wrote has nothing to wait for any more.
func (l *lane) takeOff() {
	f := l.batch
	l.batch = nil
	if len(f.ops) == 0 {
		f.finish()
		return
	}
	l.flying = f
	b := f.batch([]storage.Condition{{Unit: l.unit, Head: l.base, Write: true}}, l.s.opts.CommitID())
	go func() {
		if err := l.s.commit(f, b); err != nil {
			f.committed <- err
			return
		}
		f.committed <- nil
		select {
		case <-f.applied:
			f.finish()
		case <-l.s.stopped: // the callers see it themselves
		}
	}()
}

func (f *flight) batch(own []storage.Condition, id storage.CommitID) storage.Batch {
	return storage.Batch{ID: id, Time: f.time, Units: append(own, f.others...), Ops: f.ops, Events: f.events}
}

func (f *flight) finish() {
	for _, c := range f.calls {
		c.done <- c.err
	}
}

func (f *flight) fail(err error) {
	for _, c := range f.calls {
		c.done <- err
	}
}

// land takes the outcome of the flying batch. After a failure the pending state is worth nothing: what it led to runs again.
func (l *lane) land(err error) {
	f := l.flying
	l.flying = nil
	if err == nil {
		l.base = f.rev
		return
	}
	var again []*call
	if errors.Is(err, storage.ErrConflict) {
		for _, c := range f.calls {
			if c.tries++; c.tries < maxTries {
				again = append(again, c)
			} else {
				c.done <- fmt.Errorf("state: given up after %d tries: %w", maxTries, err)
			}
		}
	} else {
		f.fail(err)
	}
	if l.batch != nil {
		again = append(again, l.batch.calls...)
		l.batch = nil
	}
	l.pending = nil
	if errors.Is(err, storage.ErrConflict) {
		l.s.catchUp(append(f.others, storage.Condition{Unit: l.unit, Head: l.base}))
	}
	l.again(again)
}

// catchUp waits, for a second at most, until the view shows that some of the units have moved on.
func (s *Store) catchUp(stale []storage.Condition) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.await(ctx, func(v *View) bool {
		for _, c := range stale {
			u := v.unit(c.Unit)
			if u != nil && u.head().rev != c.Head || u == nil && c.Head != 0 {
				return true
			}
		}
		return false
	})
}

// commit gives the batch to the engine and finds out what became of it. On success f.rev is set and f.applied closes once the view holds
// it.
func (s *Store) commit(f *flight, b storage.Batch) error {
	s.mu.Lock()
	s.own[b.ID] = f
	s.mu.Unlock()
	ctx := context.Background()
	rev, err := s.engine.Commit(ctx, b)
	for try := 0; errors.Is(err, storage.ErrUnknown) && try < resolveTries; try++ {
		s.opts.Logger.Warn("the outcome of a commit is not known, asking the log", "commit", b.ID, "error", err)
		if try > 0 {
			select {
			case <-time.After(500 * time.Millisecond):
			case <-s.stopped:
				return ErrStopped
			}
		}
		rev, err = storage.Resolve(ctx, s.engine, b, s.opts.CommitID())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		delete(s.own, b.ID)
		return err
	}
	f.rev = rev
	if v := s.View(); s.own[b.ID] == f && v.rev >= rev { // a new snapshot has overtaken it
		delete(s.own, b.ID)
		close(f.applied)
	}
	return nil
}

// updateAcross runs a call over several units: it holds all their lanes, in order of name, so that their pending state is the view.
func (s *Store) updateAcross(ctx context.Context, names []string, c *call) error {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	if len(names) == 0 {
		return errors.New("state: an update of no unit")
	}
	for _, name := range names {
		h := &call{granted: make(chan struct{}), release: make(chan struct{})}
		if err := s.lane(name).push(h); err != nil {
			return err
		}
		defer close(h.release)
		select {
		case <-h.granted:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.stopped:
			return ErrStopped
		}
	}
	for range maxTries {
		if err := ctx.Err(); err != nil {
			return err
		}
		v := s.View()
		units, conditions := make([]unit, len(names)), make([]storage.Condition, len(names))
		for i, name := range names {
			u := v.unit(name)
			if u == nil {
				var err error
				if u, err = newUnit(name); err != nil {
					return err
				}
			}
			conditions[i] = storage.Condition{Unit: name, Head: u.head().rev}
			units[i] = u.fork()
		}
		tx := newTx(v, units, s.now(), c.seed)
		if err := tx.run(c.fn); err != nil || len(tx.ops) == 0 {
			return err
		}
		for i := range conditions { // a unit that was only read keeps its head
			conditions[i].Write = slices.ContainsFunc(tx.changes, func(ch change) bool { return ch.unit == conditions[i].Unit })
		}
		f := newFlight()
		f.add(c, tx)
		err := s.commit(f, f.batch(conditions, s.opts.CommitID()))
		if errors.Is(err, storage.ErrConflict) {
			s.catchUp(append(conditions, tx.others...))
			continue
		}
		if err != nil {
			return err
		}
		select {
		case <-f.applied:
			return nil
		case <-s.stopped:
			return ErrStopped
		}
	}
	return fmt.Errorf("state: given up after %d tries: %w", maxTries, storage.ErrConflict)
}

// now is the wall clock in the precision of the store.
func (s *Store) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }
