package bolt

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// queue holds what waits for the writer.
type queue struct {
	wake chan struct{} // one element: there is something to do
	done chan struct{} // closed by close

	mu      sync.Mutex
	waiting []*request
}

// request is a batch on its way to the writer, or a task for it.
type request struct {
	batch  storage.Batch
	task   func() error
	stage  atomic.Int32
	answer chan answer // one element
}

type answer struct {
	rev storage.Rev
	err error
}

const (
	waits = iota
	taken
	withdrawn
)

// A group is bounded so that no transaction grows without end; a batch has at most about MaxBatchBytes of new bytes.
const (
	groupRequests = 2000
	groupBytes    = 4 << 20
)

func (q *queue) init() { q.wake, q.done = make(chan struct{}, 1), make(chan struct{}) }

func (q *queue) push(r *request) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.isClosed() {
		return storage.ErrClosed
	}
	q.waiting = append(q.waiting, r)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// take returns the next group.
func (q *queue) take() []*request {
	q.mu.Lock()
	defer q.mu.Unlock()
	var group []*request
	n, size := 0, 0
	for n < len(q.waiting) && len(group) < groupRequests && size < groupBytes {
		r := q.waiting[n]
		if n++; r.stage.CompareAndSwap(waits, taken) {
			group = append(group, r)
			for _, op := range r.batch.Ops {
				size += len(op.Key) + len(op.Value)
			}
		}
	}
	q.waiting = slices.Delete(q.waiting, 0, n)
	return group
}

func (q *queue) isClosed() bool {
	select {
	case <-q.done:
		return true
	default:
		return false
	}
}

// close refuses what waits, and everything from now on.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isClosed() {
		close(q.done)
	}
	for _, r := range q.waiting {
		if r.stage.CompareAndSwap(waits, taken) {
			r.answer <- answer{err: storage.ErrClosed}
		}
	}
	q.waiting = nil
}

func (e *engine) Commit(ctx context.Context, b storage.Batch) (storage.Rev, error) {
	if err := b.Check(); err != nil {
		return 0, err
	}
	if err := e.alive(ctx); err != nil {
		return 0, err
	}
	r := &request{batch: keep(b), answer: make(chan answer, 1)}
	if err := e.queue.push(r); err != nil {
		return 0, err
	}
	select {
	case a := <-r.answer:
		return a.rev, a.err
	case <-ctx.Done():
	}
	if r.stage.CompareAndSwap(waits, withdrawn) {
		return 0, ctx.Err()
	}
	select {
	case a := <-r.answer:
		return a.rev, a.err
	default:
		return 0, fmt.Errorf("%w: %v while it was being written", storage.ErrUnknown, ctx.Err())
	}
}

// do lets the writer run f between two groups.
func (e *engine) do(f func() error) error {
	r := &request{task: f, answer: make(chan answer, 1)}
	if err := e.queue.push(r); err != nil {
		return err
	}
	return (<-r.answer).err
}

// keep returns a copy of b that shares no memory with it.
func keep(b storage.Batch) storage.Batch {
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
	b.Time, b.Units, b.Ops, b.Events = b.Time.UTC(), slices.Clone(b.Units), slices.Clone(b.Ops), slices.Clone(b.Events)
	for i := range b.Ops {
		b.Ops[i].Value = hold(b.Ops[i].Value)
	}
	for i := range b.Events {
		b.Events[i] = hold(b.Events[i])
	}
	return b
}
