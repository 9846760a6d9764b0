package state

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

const (
	maxQueue = 8192 // updates that may wait for one unit
	maxCalls = 256  // calls of one batch, so that those which write nothing do not keep it from leaving
)

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
	last    *flight     // durable, and perhaps not yet in the view
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

// abandon drops everything once the store has stopped: the callers see that themselves.
func (l *lane) abandon() {
	l.pending, l.batch, l.flying, l.last = nil, nil, nil, nil
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue, l.running = nil, false
}

func (l *lane) run() {
	for {
		if l.s.life.Err() != nil {
			l.abandon()
			return
		}
		settled := l.settled()
		if settled {
			l.pending = nil // the view has all of it, and perhaps more
		}
		if l.batch == nil || !l.batch.full {
			if c := l.next(settled); c != nil {
				if c.granted != nil {
					l.hold(c)
				} else {
					l.exec(c)
				}
				continue
			}
			if settled {
				return
			}
		}
		switch {
		case l.flying == nil && l.batch != nil:
			l.takeOff()
		case l.flying == nil:
			select {
			case <-l.wake:
			case <-l.last.applied:
			case <-l.s.life.Done():
			}
		case l.batch != nil && l.batch.full:
			l.land(<-l.flying.committed)
		default:
			select {
			case <-l.wake:
			case err := <-l.flying.committed:
				l.land(err)
			}
		}
	}
}

// settled reports whether the view shows everything that ran here.
func (l *lane) settled() bool {
	if l.flying != nil || l.batch != nil {
		return false
	}
	if l.last != nil {
		select {
		case <-l.last.applied:
			l.last = nil
		default:
			return false
		}
	}
	return true
}

// rest waits until the view shows what is durable.
func (l *lane) rest() {
	if l.last != nil {
		select {
		case <-l.last.applied:
			l.last = nil
		case <-l.s.life.Done():
		}
	}
}

// hold gives the lane away until it is released, with nothing pending. What a failed flight puts back waits behind it.
func (l *lane) hold(c *call) {
	for l.flying != nil || l.batch != nil {
		if l.flying == nil {
			l.takeOff()
		}
		if l.flying != nil {
			l.land(<-l.flying.committed)
		}
	}
	l.rest()
	l.pending = nil
	close(c.granted)
	<-c.release
}

// exec runs a call on the pending state.
func (l *lane) exec(c *call) {
	v := l.s.View()
	if l.behind(v) {
		l.again([]*call{c})
		l.overtake()
		return
	}
	if l.pending == nil {
		u, err := v.begin(l.unit)
		if err != nil {
			c.done <- err
			return
		}
		l.base, l.pending = u.head().rev, u
	}
	tx := newTx(v, []unit{l.pending}, l.s.now(), c.seed)
	switch {
	case !c.run(tx):
	case !c.wrote && l.settled():
		c.done <- c.err
	case !c.wrote:
		l.join(c, nil) // it saw what is pending, and waits for it
	case l.batch != nil && !l.batch.fits(tx):
		tx.undo()
		l.batch.full = true
		l.again([]*call{c})
	default:
		l.join(c, tx)
		l.pending.head().time = tx.now
	}
}

// behind says whether the view shows more of the unit than what is durable here: what is pending says nothing then to a call whose caller has
// seen that, and a refusal that writes nothing would never be found out.
func (l *lane) behind(v *View) bool {
	if l.pending == nil {
		return false
	}
	u := v.unit(l.unit)
	return u != nil && u.head().rev > l.base
}

// overtake makes a step towards a pending state that begins at the view: either the flying batch has arrived there, or others have written, so
// that whatever writes will meet a conflict and run again.
func (l *lane) overtake() {
	switch {
	case l.flying != nil:
		l.land(<-l.flying.committed)
	case l.batch != nil:
		l.takeOff()
	default:
		l.rest()
		l.pending = nil
	}
}

// join adds a call to the batch that fills; tx is nil if it wrote nothing and only waits.
func (l *lane) join(c *call, tx *Tx) {
	if l.batch == nil {
		l.batch = newFlight()
	}
	l.batch.add(c, tx)
	l.batch.full = len(l.batch.calls) >= maxCalls
}

// takeOff sends the filled batch to the engine. A batch in which nobody wrote only waits for the view to show what was before it.
func (l *lane) takeOff() {
	f := l.batch
	l.batch = nil
	if len(f.ops) == 0 {
		if l.last == nil {
			f.finish()
		} else {
			go l.s.finish(f, l.last.applied)
		}
		return
	}
	l.flying = f
	b := f.batch([]storage.Condition{{Unit: l.unit, Head: l.base, Write: true}}, l.s.opts.CommitID())
	go func() {
		err := l.s.commit(f, b)
		f.committed <- err
		if err == nil {
			l.s.finish(f, f.applied)
		}
	}()
}

// finish answers the calls of f once the view is far enough. If the store stops, the callers see that themselves.
func (s *Store) finish(f *flight, applied chan struct{}) {
	select {
	case <-applied:
		f.finish()
	case <-s.life.Done():
	}
}

// land takes the outcome of the flying batch. After a failure the pending state is worth nothing: what it led to runs again. So do calls
// that only waited, as long as the failure is not theirs.
func (l *lane) land(err error) {
	f := l.flying
	l.flying = nil
	if err == nil {
		l.base, l.last = f.rev, f
		return
	}
	conflict := errors.Is(err, storage.ErrConflict)
	var again []*call
	for _, c := range f.calls {
		switch {
		case conflict && c.tries+1 >= maxTries:
			c.done <- fmt.Errorf("state: given up after %d tries: %w", maxTries, err)
		case conflict:
			c.tries++
			again = append(again, c)
		case c.wrote:
			c.done <- err
		default:
			again = append(again, c)
		}
	}
	if l.batch != nil {
		again = append(again, l.batch.calls...)
		l.batch = nil
	}
	l.pending = nil
	l.rest()
	if conflict {
		l.s.catchUp(append(f.others, storage.Condition{Unit: l.unit, Head: l.base}))
	}
	l.again(again)
}
