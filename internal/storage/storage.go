package storage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Limits of the contract. They are the same for every engine, so that a store can move from one to another.
const (
	MaxOps         = 100       // operations in a batch
	MaxUnits       = 64        // conditions in a batch
	MaxBatchBytes  = 1 << 20   // keys, values and events of a batch together
	MaxValueBytes  = 512 << 10 // one value
	MaxKeyBytes    = 1 << 10   // one key
	MaxUnitBytes   = 256       // the name of a unit
	MaxPrefixKeys  = 10_000    // keys that the DeletePrefix operations of one batch may remove together
	MaxPrefixBytes = 16 << 20  // keys and values that they may remove together
)

// HeadName is the last part of the key under which every unit's head stands: unit + "/" + HeadName. Engines write it; no operation's key
// and no unit's name may end so, and DeletePrefix passes over keys that do. It sorts before every name that state uses, so a snapshot of
// a unit begins with its head.
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
	DeletePrefix                 // removes every key that begins with Key (heads stay)
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

// Batch is what Commit applies as a whole or not at all. Operations apply in order; every key lies in a unit named with Write, and at
// least one unit is (so that the commit can be found again). No unit is named twice, and no unit's name is another's followed by a slash
// and more (the callers' promise, engines do not know all names). Events are opaque audit events, kept in the log record. The engine keeps
// none of the batch's memory after Commit has returned.
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
// operations, a DeletePrefix as one per removed key in key order; operations without effect (deleting an absent key) leave none, a Put of
// the value that stands already does. A batch that changes a key twice leaves two: the second one's Old is the first one's New.
type Commit struct {
	Rev       Rev
	ID        CommitID
	Time      time.Time
	Units     []Condition
	Mutations []Mutation
	Events    [][]byte
}

// Engine keeps units and their log. All methods may be called concurrently. Returned bytes belong to the caller's reading only: nobody
// changes them. Errors are tested with errors.Is. An error in a sequence is its last element; before it only whole and right elements came.
type Engine interface {
	// Commit applies b and returns its revision. A return without error means the record is durable, and that every call that begins
	// later sees it. ErrUnknown: it may or may not have happened, now or later; see Resolve. With every other error nothing happened and
	// nothing will: ErrConflict: some head differs; ErrLimit, ErrInvalid: b breaks the contract; ErrNoSpace; ErrClosed; ctx's error, if
	// it ended in time; or what else the engine met, in its own words. An error that is ErrUnknown is none of the others.
	Commit(ctx context.Context, b Batch) (Rev, error)

	// Snapshot returns the items whose keys begin with prefix as they stood at revision at (0 = now), in byte order of keys, and the
	// revision they stand for: at itself, or for 0 one that covers every commit acknowledged before the call (0 if the engine never saw
	// a commit; Watch may begin there). Heads are items too: key unit+"/!head", value EncodeHead(time), Rev the head. The sequence is
	// consistent however long its reading takes, holds nothing up meanwhile, and may be read once. ErrCompacted: the log no longer
	// reaches back to at, or was cut while a slow reader was under way. ErrInvalid: at lies in the future, or is negative. Where the
	// snapshot cannot be had at all the revision is 0 and the sequence holds the error.
	Snapshot(ctx context.Context, prefix string, at Rev) (Rev, iter.Seq2[Item, error])

	// Log returns the commits that wrote unit (named it with Write) with from <= Rev <= to (to 0 = now, and later revisions than now
	// mean now), oldest first. ErrCompacted, as the only element: such a commit of the unit is no longer in the log. Old commits of
	// other units do not matter: Log(unit, head+1, 0) is always answered for the unit's present head.
	Log(ctx context.Context, unit string, from, to Rev) iter.Seq2[Commit, error]

	// Watch returns every commit after revision after, in order and without gaps, and then waits for more until ctx ends (its error is
	// the last element). ErrCompacted: the log no longer holds what follows after; take a new snapshot. A revision in the future is
	// ErrInvalid: the caller has seen another store.
	Watch(ctx context.Context, after Rev) iter.Seq2[Commit, error]

	// Close ends all calls and releases the engine: sequences end with ErrClosed, commits under way with their outcome, ErrClosed or
	// ErrUnknown. What was acknowledged stays. Later calls are ErrClosed; closing twice is fine.
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
	if b.Time.Nanosecond()%1000 != 0 {
		return fmt.Errorf("%w: the time %s is not in whole microseconds", ErrInvalid, b.Time.Format(time.RFC3339Nano))
	}
	if !slices.ContainsFunc(b.Units, func(c Condition) bool { return c.Write }) {
		return fmt.Errorf("%w: no unit to write", ErrInvalid)
	}
	if len(b.Units) > MaxUnits {
		return fmt.Errorf("%w: %d units, at most %d", ErrLimit, len(b.Units), MaxUnits)
	}
	if len(b.Ops) > MaxOps {
		return fmt.Errorf("%w: %d operations, at most %d", ErrLimit, len(b.Ops), MaxOps)
	}
	for i, c := range b.Units {
		if len(c.Unit) > MaxUnitBytes {
			return fmt.Errorf("%w: a unit name of %d bytes, at most %d", ErrLimit, len(c.Unit), MaxUnitBytes)
		}
		if _, isHead := SplitHead("/" + c.Unit); c.Unit == "" || strings.HasSuffix(c.Unit, "/") || isHead {
			return fmt.Errorf("%w: unit name %q", ErrInvalid, c.Unit)
		}
		if c.Head < 0 {
			return fmt.Errorf("%w: head %d of unit %s", ErrInvalid, c.Head, c.Unit)
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
		case op.Kind != Put && op.Value != nil:
			return fmt.Errorf("%w: a value with a removal of %q", ErrInvalid, op.Key)
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
			_, isHead := SplitHead(op.Key)
			return !isHead && (len(op.Key) > len(c.Unit)+1 || op.Kind == DeletePrefix)
		}
	}
	return false
}

// Resolve answers what became of a commit of b that ended in ErrUnknown. It writes an empty commit to b's units, conditioned on the same
// heads. If that takes place b has not happened and can no longer happen. If some unit has moved on b can no longer happen either, and the
// first commit after b's head in the log of a unit that b writes is b, or b did not happen. Resolve returns b's revision, or ErrConflict if
// b did not happen (the caller runs its function again), or ErrUnknown if the engine still cannot say: then ask again, with a new fence.
func Resolve(ctx context.Context, e Engine, b Batch, fence CommitID) (Rev, error) {
	empty := Batch{ID: fence, Time: b.Time, Units: b.Units}
	// Inner errors are given as text only: ErrConflict or ErrNoSpace of the fence must not read as an answer about b.
	switch _, err := e.Commit(ctx, empty); {
	case err == nil:
		return 0, fmt.Errorf("%w: the fence went through", ErrConflict)
	case !errors.Is(err, ErrConflict):
		return 0, fmt.Errorf("%w (fence: %v)", ErrUnknown, err)
	}
	for _, c := range b.Units {
		if !c.Write {
			continue
		}
		for commit, err := range e.Log(ctx, c.Unit, c.Head+1, 0) {
			if err != nil {
				return 0, fmt.Errorf("%w (log: %v)", ErrUnknown, err)
			}
			if commit.ID == b.ID {
				return commit.Rev, nil
			}
			break
		}
		break
	}
	return 0, fmt.Errorf("%w: another commit came first", ErrConflict)
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
