package state

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

const (
	maxTries     = 64 // times a function is run anew because its units moved on
	resolveTries = 20 // times the outcome of a commit is asked for, over about ten seconds
	resolveEvery = 500 * time.Millisecond
	maxCatchUp   = time.Second
)

// Update runs fn on the pending state of the units and returns once its writes are durable and visible in View. fn may write only to
// these units; the units it reads beside them make the commit depend on their heads. An error of fn is returned as it is and nothing is
// written; a refusal that saw writes which View does not show yet is returned once it does.
//
// fn must be pure: it may run several times, in another goroutine, but never after Update has returned. If ctx ends first, the outcome is
// not known. Other errors: ErrBusy, ErrStopped, PanicError, storage.ErrLimit for more than one commit can hold, and those of
// storage.Engine.Commit.
func (s *Store) Update(ctx context.Context, units []string, fn func(*Tx) error) error {
	units = slices.Compact(slices.Sorted(slices.Values(units)))
	if len(units) == 0 {
		return errors.New("state: an update of no unit")
	}
	if s.life.Err() != nil {
		return ErrStopped
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c := &call{fn: fn, seed: s.opts.Seed(), done: make(chan error, 1)}
	if len(units) == 1 {
		if err := s.lane(units[0]).push(c); err != nil {
			return err
		}
	} else {
		go func() { c.done <- s.across(ctx, units, c) }()
	}
	defer c.leave()
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.life.Done():
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
	wrote bool  // fn wrote records, which are on their way
	err   error // the refusal it waits to return
	done  chan error

	mu   sync.Mutex // held while fn runs
	left bool       // Update has returned, so fn must not run any more

	granted, release chan struct{} // set if the call only holds the lane for an update across units
}

func (c *call) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
}

// run calls the function. ok is false if nobody waits for it any more.
func (c *call) run(tx *Tx) (ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left {
		return false
	}
	c.err = tx.run(c.fn)
	c.wrote = len(tx.ops) > 0
	return true
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
	applied   chan struct{} // closed once the view shows it
}

func newFlight() *flight {
	return &flight{committed: make(chan error, 1), applied: make(chan struct{})}
}

// fits reports whether the transaction's writes can become part of the flight.
func (f *flight) fits(tx *Tx) bool {
	if len(f.ops)+len(tx.ops) > storage.MaxOps || f.bytes+tx.bytes+len(tx.event) > storage.MaxBatchBytes {
		return false
	}
	more := 0
	for _, o := range tx.others {
		i := slices.IndexFunc(f.others, func(c storage.Condition) bool { return c.Unit == o.Unit })
		switch {
		case i < 0:
			more++
		case f.others[i].Head != o.Head: // no unit is expected at two heads
			return false
		}
	}
	return len(tx.units)+len(f.others)+more <= storage.MaxUnits
}

// add takes a call on board; tx is nil if it wrote nothing and only waits.
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

func (f *flight) batch(own []storage.Condition, id storage.CommitID) storage.Batch {
	return storage.Batch{ID: id, Time: f.time, Units: slices.Concat(own, f.others), Ops: f.ops, Events: f.events}
}

// finish gives every call on board its result.
func (f *flight) finish() {
	for _, c := range f.calls {
		c.done <- c.err
	}
}

// commit gives the batch to the engine and finds out what became of it. On success f.applied closes once the view holds it.
func (s *Store) commit(f *flight, b storage.Batch) error {
	s.mu.Lock()
	s.own[b.ID] = f
	s.mu.Unlock()
	rev, err := s.engine.Commit(s.life, b)
	if errors.Is(err, storage.ErrUnknown) {
		rev, err = s.resolve(f, b, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case f.rev != 0: // the log has shown it, whatever the engine's answer was
		return nil
	case err != nil:
		delete(s.own, b.ID) // should it take place after all, it is applied like a foreign one
		if s.life.Err() != nil {
			return ErrStopped
		}
		return err
	}
	f.rev = rev
	if s.View().rev >= rev { // a new snapshot has overtaken it
		delete(s.own, b.ID)
		close(f.applied)
	}
	return nil
}

// resolve asks the log what became of a batch, until it knows or has asked long enough. Seeing the commit arrive also is an answer.
func (s *Store) resolve(f *flight, b storage.Batch, err error) (rev storage.Rev, _ error) {
	wait := 10 * time.Millisecond
	for try := 0; errors.Is(err, storage.ErrUnknown) && try < resolveTries; try++ {
		s.opts.Logger.Warn("the outcome of a commit is not known, asking the log", "commit", b.ID, "error", err)
		if try > 0 {
			select {
			case <-f.applied:
			case <-time.After(wait):
			case <-s.life.Done():
				return 0, ErrStopped
			}
			wait = min(2*wait, time.Second)
		}
		select {
		case <-f.applied:
			return 0, nil // commit knows the revision
		default:
		}
		rev, err = storage.Resolve(s.life, s.engine, b, s.opts.CommitID())
	}
	return rev, err
}

// catchUp waits, for maxCatchUp at most, until the view shows that some of the units have moved on.
func (s *Store) catchUp(stale []storage.Condition) {
	ctx, cancel := context.WithTimeout(s.life, maxCatchUp)
	defer cancel()
	_ = s.await(ctx, func(v *View) bool {
		for _, c := range stale {
			// A head that is older than expected is no sign: the view has not yet come that far.
			if u := v.unit(c.Unit); u != nil && u.head().rev > c.Head {
				return true
			}
		}
		return false
	})
}

// across runs a call over several units, whose names are sorted: it holds all their lanes, in that order, so that their pending state is
// the view.
func (s *Store) across(ctx context.Context, names []string, c *call) error {
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
		case <-s.life.Done():
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
			u, err := v.begin(name)
			if err != nil {
				return err
			}
			conditions[i], units[i] = storage.Condition{Unit: name, Head: u.head().rev}, u
		}
		tx := newTx(v, units, s.now(), c.seed)
		if !c.run(tx) || !c.wrote {
			return c.err
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
		case <-s.life.Done():
			return ErrStopped
		}
	}
	return fmt.Errorf("state: given up after %d tries: %w", maxTries, storage.ErrConflict)
}

// begin gives a unit as the view has it, to change.
func (v *View) begin(name string) (unit, error) {
	if u := v.unit(name); u != nil {
		return u.fork(), nil
	}
	return newUnit(name)
}

// now is the wall clock in the precision of the store.
func (s *Store) now() time.Time { return s.opts.Now().UTC().Truncate(time.Microsecond) }
