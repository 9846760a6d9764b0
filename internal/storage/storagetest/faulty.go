package storagetest

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Fault is what becomes of one call of Commit.
type Fault uint8

const (
	None          Fault = iota // the engine's own answer
	UnknownBefore              // ErrUnknown, and it does not happen
	UnknownAfter               // ErrUnknown, and it happened (or was refused by the engine)
	UnknownLate                // ErrUnknown, and it reaches the engine only after the next commit did
	Conflict                   // another writer gets in just before: an empty commit to the same units
	NoSpace                    // ErrNoSpace
	Broken                     // ErrBroken
	faults
)

func (f Fault) String() string {
	return [...]string{"none", "unknown before", "unknown after", "unknown late", "conflict", "no space", "broken"}[f]
}

// ErrBroken is an error of an engine that the contract has no name for.
var ErrBroken = errors.New("storagetest: the engine is broken on purpose")

// Faulty is an engine whose calls fail as its fields say. The zero value of each field lets everything through. The fields must not be changed
// while the engine is in use. Faults keep the contract: whoever meets only them must come through.
type Faulty struct {
	storage.Engine
	// Commits decides on the n-th call of Commit, counted from 0; see Script and Random. It may also wait, to hold a commit up.
	Commits func(n int, b storage.Batch) Fault
	// Reads is asked before Snapshot, Log and Watch begin, and before each element, counted over all of them from 0. An error takes the
	// element's place and ends the sequence.
	Reads func(n int) error

	mu    sync.Mutex
	calls int
	reads int
	late  []storage.Batch
}

// Script gives the first commits these faults, and none to later ones.
func Script(script ...Fault) func(int, storage.Batch) Fault {
	return func(n int, _ storage.Batch) Fault {
		if n < len(script) {
			return script[n]
		}
		return None
	}
}

// Random gives a fault to about one commit in every, the same ones for the same seed and number of the commit.
func Random(seed uint64, every int) func(int, storage.Batch) Fault {
	return func(n int, _ storage.Batch) Fault {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		if r.IntN(every) != 0 {
			return None
		}
		return Fault(1 + r.IntN(int(faults)-1))
	}
}

// RandomReads ends about one sequence in every elements with ErrBroken.
func RandomReads(seed uint64, every int) func(int) error {
	return func(n int) error {
		if rand.New(rand.NewPCG(seed, uint64(n))).IntN(every) == 0 {
			return ErrBroken
		}
		return nil
	}
}

func (f *Faulty) Commit(ctx context.Context, b storage.Batch) (storage.Rev, error) {
	fault := None
	if f.Commits != nil {
		f.mu.Lock()
		n := f.calls
		f.calls++
		f.mu.Unlock()
		fault = f.Commits(n, b)
	}
	if fault != None {
		if err := b.Check(); err != nil {
			return 0, err
		}
	}
	switch fault {
	case UnknownBefore:
		return 0, fmt.Errorf("%w: injected, before", storage.ErrUnknown)
	case UnknownLate:
		f.mu.Lock()
		defer f.mu.Unlock()
		f.late = append(f.late, clone(b))
		return 0, fmt.Errorf("%w: injected, late", storage.ErrUnknown)
	case Conflict:
		other := storage.Batch{Time: b.Time, Units: b.Units}
		crand.Read(other.ID[:])
		if _, err := f.Engine.Commit(ctx, other); err != nil && !errors.Is(err, storage.ErrConflict) {
			return 0, err
		}
	case NoSpace:
		return 0, fmt.Errorf("%w: injected", storage.ErrNoSpace)
	case Broken:
		return 0, ErrBroken
	}
	rev, err := f.Engine.Commit(ctx, b)
	f.Deliver(context.WithoutCancel(ctx))
	if fault == UnknownAfter {
		return 0, fmt.Errorf("%w: injected, after", storage.ErrUnknown)
	}
	return rev, err
}

func clone(b storage.Batch) storage.Batch {
	b.Units, b.Ops, b.Events = slices.Clone(b.Units), slices.Clone(b.Ops), slices.Clone(b.Events)
	for i := range b.Ops {
		b.Ops[i].Value = bytes.Clone(b.Ops[i].Value)
	}
	for i := range b.Events {
		b.Events[i] = bytes.Clone(b.Events[i])
	}
	return b
}

// Deliver lets the commits that are late reach the engine now, and returns how many of them took place.
func (f *Faulty) Deliver(ctx context.Context) (happened int) {
	f.mu.Lock()
	late := f.late
	f.late = nil
	f.mu.Unlock()
	for _, b := range late {
		if _, err := f.Engine.Commit(ctx, b); err == nil {
			happened++
		}
	}
	return happened
}

func (f *Faulty) read() error {
	if f.Reads == nil {
		return nil
	}
	f.mu.Lock()
	n := f.reads
	f.reads++
	f.mu.Unlock()
	return f.Reads(n)
}

func (f *Faulty) Snapshot(ctx context.Context, prefix string, at storage.Rev) (storage.Rev, iter.Seq2[storage.Item, error]) {
	if err := f.read(); err != nil {
		return 0, func(yield func(storage.Item, error) bool) { yield(storage.Item{}, err) }
	}
	rev, items := f.Engine.Snapshot(ctx, prefix, at)
	return rev, broken(f, items)
}

func (f *Faulty) Log(ctx context.Context, unit string, from, to storage.Rev) iter.Seq2[storage.Commit, error] {
	return broken(f, f.Engine.Log(ctx, unit, from, to))
}

func (f *Faulty) Watch(ctx context.Context, after storage.Rev) iter.Seq2[storage.Commit, error] {
	return broken(f, f.Engine.Watch(ctx, after))
}

func broken[T any](f *Faulty, seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if err == nil {
				err = f.read()
			}
			if err != nil {
				var zero T
				yield(zero, err)
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}
