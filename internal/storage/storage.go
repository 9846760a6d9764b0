package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"
)

// Limits of the contract. They are the same for every engine, so that a store can move from one to another.
const (
	MaxOps        = 100       // operations in a batch
	MaxBatchBytes = 1 << 20   // keys, values and events of a batch together
	MaxValueBytes = 512 << 10 // one value
	MaxKeyBytes   = 1 << 10   // one key
	MaxPrefixKeys = 10_000    // keys that one DeletePrefix may remove
)

// HeadName is the last part of the key under which every unit's head stands: unit + "/" + HeadName. Engines write it, batches must not.
// It sorts before every name that state uses, so a snapshot of a unit begins with its head.
const HeadName = "!head"

// Rev is the number of a commit: positive, rising over the whole store, with gaps allowed. 0 means "none" or "now", as each use says.
type Rev int64

// CommitID names a commit before it has a revision. The caller chooses it, 16 random bytes, never used twice.
type CommitID [16]byte

func (id CommitID) String() string { return hex.EncodeToString(id[:]) }

// Kind says what an operation does.
type Kind uint8

const (
	Put          Kind = iota + 1 // sets Key to Value
	Delete                       // removes Key; absent keys are fine
	DeletePrefix                 // removes every key that begins with Key (the head stays)
)

// Op is one change. Value is nil except for Put, where it may be empty.
type Op struct {
	Kind  Kind
	Key   string
	Value []byte
}

// Condition names a unit of a batch: the commit takes place only if the unit's head is Head (0 = the unit was never written). If Write is
// set the commit becomes the unit's new head, even if no operation touches it.
type Condition struct {
	Unit  string
	Head  Rev
	Write bool
}

// Batch is what Commit applies as a whole or not at all. Operations apply in order; every key lies in a unit named with Write. No unit is
// named twice. Events are opaque audit events, kept in the log record.
type Batch struct {
	ID     CommitID
	Time   time.Time // whole microseconds, UTC
	Units  []Condition
	Ops    []Op
	Events [][]byte
}

// Item is a key's current value. Rev is the commit that wrote it.
type Item struct {
	Key   string
	Value []byte
	Rev   Rev
}

// Mutation is the effect of an operation on one key. Old or New is nil where the key was or became absent; a present empty value is not nil.
type Mutation struct {
	Key      string
	Old, New []byte
}

// Commit is one log record. Units are the batch's conditions (Head is the head before the commit). Mutations stand in the order of the
// operations, a DeletePrefix as one per removed key in key order; operations without effect (deleting an absent key) leave none.
type Commit struct {
	Rev       Rev
	ID        CommitID
	Time      time.Time
	Units     []Condition
	Mutations []Mutation
	Events    [][]byte
}

// Engine keeps units and their log. All methods may be called concurrently. Returned bytes belong to the caller's reading only: nobody
// changes them. Errors are tested with errors.Is.
type Engine interface {
	// Commit applies b and returns its revision. ErrConflict: some head differs, nothing happened. ErrUnknown: it may or may not have
	// happened; see Resolve. ErrLimit, ErrInvalid: b breaks the contract, nothing happened. ErrNoSpace, ErrClosed: nothing happened.
	// A return without error means the record is durable.
	Commit(ctx context.Context, b Batch) (Rev, error)

	// Snapshot returns the items whose keys begin with prefix as they stood at revision at (0 = now), in byte order of keys, and the
	// revision they stand for. Heads are items too: key unit+"/!head", value EncodeHead(time), Rev the head. ErrCompacted: the log no
	// longer reaches back to at; errors come as the last element. The sequence is consistent however long its reading takes, and may be read once.
	Snapshot(ctx context.Context, prefix string, at Rev) (Rev, iter.Seq2[Item, error])

	// Log returns the commits that wrote unit with from <= Rev <= to (to 0 = now), oldest first. ErrCompacted if the log no longer
	// holds from.
	Log(ctx context.Context, unit string, from, to Rev) iter.Seq2[Commit, error]

	// Watch returns every commit after revision after, in order and without gaps, and then waits for more until ctx ends (its error is
	// the last element). ErrCompacted: the log no longer holds what follows after; take a new snapshot.
	Watch(ctx context.Context, after Rev) iter.Seq2[Commit, error]

	// Close ends all calls with ErrClosed and releases the engine. What was acknowledged stays.
	Close() error
}

// The errors of the contract. Engines wrap them with what they know.
var (
	ErrConflict  = errors.New("storage: a unit has moved on")
	ErrUnknown   = errors.New("storage: the outcome of the commit is not known")
	ErrCompacted = errors.New("storage: the log no longer reaches back so far")
	ErrLimit     = errors.New("storage: over a limit of the storage contract")
	ErrInvalid   = errors.New("storage: the batch breaks the storage contract")
	ErrNoSpace   = errors.New("storage: no space left on the device")
	ErrDamaged   = errors.New("storage: the store is damaged")
	ErrClosed    = errors.New("storage: closed")
)

// Check returns ErrLimit or ErrInvalid if b breaks the contract. Every engine calls it first.
func (b *Batch) Check() error {
	if b.ID == (CommitID{}) {
		return fmt.Errorf("%w: no commit id", ErrInvalid)
	}
	if len(b.Units) == 0 {
		return fmt.Errorf("%w: no unit named", ErrInvalid)
	}
	if len(b.Ops) > MaxOps {
		return fmt.Errorf("%w: %d operations, at most %d", ErrLimit, len(b.Ops), MaxOps)
	}
	for i, c := range b.Units {
		if c.Unit == "" || strings.HasSuffix(c.Unit, "/") || len(c.Unit)+1+len(HeadName) > MaxKeyBytes {
			return fmt.Errorf("%w: unit name %q", ErrInvalid, c.Unit)
		}
		for _, d := range b.Units[:i] {
			if d.Unit == c.Unit {
				return fmt.Errorf("%w: unit %s named twice", ErrInvalid, c.Unit)
			}
		}
	}
	size := 0
	for _, op := range b.Ops {
		switch {
		case len(op.Key) > MaxKeyBytes:
			return fmt.Errorf("%w: a key of %d bytes, at most %d", ErrLimit, len(op.Key), MaxKeyBytes)
		case len(op.Value) > MaxValueBytes:
			return fmt.Errorf("%w: a value of %d bytes, at most %d", ErrLimit, len(op.Value), MaxValueBytes)
		case op.Kind < Put || op.Kind > DeletePrefix:
			return fmt.Errorf("%w: operation kind %d", ErrInvalid, op.Kind)
		}
		if !b.writes(op) {
			return fmt.Errorf("%w: key %q lies in no unit that the batch writes", ErrInvalid, op.Key)
		}
		size += len(op.Key) + len(op.Value)
	}
	for _, e := range b.Events {
		size += len(e)
	}
	if size > MaxBatchBytes {
		return fmt.Errorf("%w: a batch of %d bytes, at most %d", ErrLimit, size, MaxBatchBytes)
	}
	return nil
}

func (b *Batch) writes(op Op) bool {
	for _, c := range b.Units {
		if c.Write && len(op.Key) > len(c.Unit) && op.Key[len(c.Unit)] == '/' && op.Key[:len(c.Unit)] == c.Unit {
			rest := op.Key[len(c.Unit)+1:]
			return rest != HeadName && (rest != "" || op.Kind == DeletePrefix)
		}
	}
	return false
}

// Resolve answers what became of a commit of b that ended in ErrUnknown. It writes an empty commit to b's units, conditioned on the same
// heads: once that has taken place, or some unit has moved on, b can no longer happen, and the log says whether it did. It returns b's
// revision, or ErrConflict if b did not happen (the caller runs its function again), or ErrUnknown if the engine still cannot say.
func Resolve(ctx context.Context, e Engine, b Batch, fence CommitID) (Rev, error) {
	empty := Batch{ID: fence, Time: b.Time, Units: b.Units}
	_, err := e.Commit(ctx, empty)
	if err != nil && !errors.Is(err, ErrConflict) {
		return 0, fmt.Errorf("%w (fence: %w)", ErrUnknown, err)
	}
	for _, c := range b.Units {
		if !c.Write {
			continue
		}
		for commit, err := range e.Log(ctx, c.Unit, c.Head+1, 0) {
			if err != nil {
				return 0, fmt.Errorf("%w (log: %w)", ErrUnknown, err)
			}
			if commit.ID == b.ID {
				return commit.Rev, nil
			}
		}
		return 0, ErrConflict
	}
	return 0, ErrConflict
}

// EncodeHead gives the value of a head item: the time of the unit's last commit.
func EncodeHead(t time.Time) []byte {
	us := uint64(t.UnixMicro())
	return []byte{byte(us >> 56), byte(us >> 48), byte(us >> 40), byte(us >> 32), byte(us >> 24), byte(us >> 16), byte(us >> 8), byte(us)}
}

// DecodeHead reads what EncodeHead wrote.
func DecodeHead(v []byte) (time.Time, error) {
	if len(v) != 8 {
		return time.Time{}, fmt.Errorf("%w: a head of %d bytes", ErrDamaged, len(v))
	}
	var us uint64
	for _, b := range v {
		us = us<<8 | uint64(b)
	}
	return time.UnixMicro(int64(us)).UTC(), nil
}

// SplitHead reports whether key is the head of a unit, and of which.
func SplitHead(key string) (unit string, ok bool) {
	return strings.CutSuffix(key, "/"+HeadName)
}
