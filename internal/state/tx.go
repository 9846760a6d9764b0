package state

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Tx is the state as an Update's function sees it: the view, with all writes before it in its units, durable or not yet. What it writes
// it reads back. A Tx ends with its function.
//
// The function must be pure: the same state, time and ids give the same writes and result. It may run again. It must not keep what the Tx
// returns beyond its end, records excepted, and must not write to a table while it walks that table.
type Tx struct {
	view    *View
	units   []unit // those named by Update; the Tx's own to change
	changes []change
	ops     []storage.Op
	bytes   int
	others  []storage.Condition // units read beside those named
	epochs  []storage.Rev       // of the units that have one, before the function
	event   []byte
	now     time.Time
	seed    keyring.Seed
	stream  *keyring.Stream
	err     error // what Put could not keep
	ended   bool
}

func newTx(v *View, units []unit, now time.Time, seed keyring.Seed) *Tx {
	tx := &Tx{view: v, units: units, now: now, seed: seed, epochs: make([]storage.Rev, len(units))}
	for i, u := range units {
		if u.head().time.After(tx.now) {
			tx.now = u.head().time
		}
		if e := u.epoch(); e != nil {
			tx.epochs[i] = *e
		}
	}
	return tx
}

// Rev is the revision of the view that the transaction began with.
func (tx *Tx) Rev() storage.Rev { return tx.view.rev }

// Now is the time of the transaction, in whole microseconds, UTC. It is never before the last commit to any of its units.
func (tx *Tx) Now() time.Time { return tx.now }

// IDs gives unique ids. The same call gives the same id when the function runs again.
func (tx *Tx) IDs() *keyring.Stream {
	if tx.stream == nil {
		tx.stream = keyring.NewStream(tx.seed)
	}
	return tx.stream
}

func (tx *Tx) named(name string) unit {
	for _, u := range tx.units {
		if u.name() == name {
			return u
		}
	}
	return nil
}

// read returns a unit, and makes the commit depend on its head if it is not one of the Tx's own.
func (tx *Tx) read(name string) unit {
	if u := tx.named(name); u != nil {
		return u
	}
	u := tx.view.unit(name)
	c := storage.Condition{Unit: name}
	if u != nil {
		c.Head = u.head().rev
	}
	for _, o := range tx.others {
		if o.Unit == name {
			return u
		}
	}
	tx.others = append(tx.others, c)
	return u
}

// Cell returns the cell's unit.
func (tx *Tx) Cell() *Cell { return tx.read(CellUnit).(*Cell) }

// Directory returns the directory's unit.
func (tx *Tx) Directory() *Directory { return tx.read(DirectoryUnit).(*Directory) }

// Account returns an account, or nil.
func (tx *Tx) Account(id string) *Account {
	if !isAccountID(id) {
		return nil
	}
	a, _ := tx.read(AccountUnit(id)).(*Account)
	if a == nil || a.Record() == nil {
		return nil
	}
	return a
}

// Membership returns the account's place in its organization, or nil.
func (tx *Tx) Membership(account string) *Membership {
	d := tx.Directory().membership(account)
	if d == nil {
		return nil
	}
	return d.in(tx.organization(d.Organization))
}

// Organization returns an organization, or nil.
func (tx *Tx) Organization(id string) *Organization {
	o := tx.organization(id)
	if o == nil || o.Record() == nil {
		return nil
	}
	return o
}

func (tx *Tx) organization(id string) *Organization {
	if !isOrganizationID(id) {
		return nil
	}
	o, _ := tx.read(OrganizationUnit(id)).(*Organization)
	return o
}

// Put writes a record into one of the units that the Update names, replacing the one with the same key. A record that cannot be kept makes
// the Update fail with storage.ErrLimit or storage.ErrInvalid once its function returns.
func (tx *Tx) Put(unit string, r Record) {
	u := tx.mustOwn(unit)
	table, key := r.place()
	ops, err := put(u, table, key, r)
	if err != nil {
		tx.err = errors.Join(tx.err, fmt.Errorf("state: %s %s: %w", table, key, err))
		return
	}
	tx.write(u, table, key, r, ops)
}

func put(u unit, table, key string, r Record) ([]storage.Op, error) {
	if c, ok := r.(checked); ok {
		if err := c.check(); err != nil {
			return nil, fmt.Errorf("%w: %w", storage.ErrInvalid, err)
		}
	}
	value, err := r.marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", storage.ErrInvalid, err)
	}
	return storage.SplitValue(storageKey(u, table, key), value, mayBeChunked(u.own(table).getKey(key)))
}

// Delete removes a record from one of the units that the Update names. A record that is not there is no error.
func (tx *Tx) Delete(unit string, r Record) {
	u := tx.mustOwn(unit)
	table, key := r.place()
	old := u.own(table).getKey(key)
	if old == nil {
		return
	}
	tx.write(u, table, key, nil, storage.RemoveValue(storageKey(u, table, key), mayBeChunked(old)))
}

func (tx *Tx) write(u unit, table, key string, r Record, ops []storage.Op) {
	// Noted before it is done: undo then also repairs a write that panicked half way.
	tx.changes = append(tx.changes, change{u.name(), table, key, r, u.own(table).getKey(key)})
	setRecord(u, table, key, r)
	for _, op := range ops {
		tx.bytes += len(op.Key) + len(op.Value)
	}
	tx.ops = append(tx.ops, ops...)
}

// mayBeChunked reports whether a record that is being replaced may stand in chunks. Its bytes need not be those that this version would
// write, so that the answer is on the safe side of the limit: removing chunks that are not there costs nothing.
func mayBeChunked(old Record) bool { return old != nil && old.size() > storage.MaxValueBytes/2 }

// SetEvent gives the audit event that becomes part of the commit. It is written only if the function writes records.
func (tx *Tx) SetEvent(event []byte) { tx.event = event }

func (tx *Tx) mustOwn(name string) unit {
	if tx.ended {
		panic("state: a write to a transaction that has ended")
	}
	u := tx.named(name)
	if u == nil {
		panic(fmt.Sprintf("state: a write to unit %s, which the update does not name", name))
	}
	return u
}

func storageKey(u unit, table, key string) string { return u.name() + "/" + table + "/" + key }

// undo takes the writes back, so that the units are as before the function.
func (tx *Tx) undo() {
	for i := len(tx.changes) - 1; i >= 0; i-- {
		c := tx.changes[i]
		setRecord(tx.named(c.unit), c.table, c.key, c.old)
	}
	for i, u := range tx.units {
		if e := u.epoch(); e != nil {
			*e = tx.epochs[i]
		}
	}
	tx.changes, tx.ops, tx.bytes, tx.event = nil, nil, 0, nil
}

// run calls fn, and takes back what it wrote if it fails or if that could not be committed. A panic in it becomes an error, so that one broken operation does not end the unit's writer.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: debug.Stack()}
		}
		tx.ended = true
		if err == nil {
			err = tx.err
		}
		if err == nil && len(tx.ops) > 0 {
			err = tx.check()
		}
		if err != nil {
			tx.undo()
		}
	}()
	return fn(tx)
}

// check refuses what cannot be committed even alone, so that it never becomes part of a batch with others'.
func (tx *Tx) check() error {
	b := storage.Batch{ID: storage.CommitID{1}, Time: tx.now, Ops: tx.ops}
	for _, u := range tx.units {
		b.Units = append(b.Units, storage.Condition{Unit: u.name(), Write: true})
	}
	b.Units = append(b.Units, tx.others...)
	if tx.event != nil {
		b.Events = [][]byte{tx.event}
	}
	if err := b.Check(); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return nil
}

// PanicError is what Update returns if its function panicked. Nothing was written.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("state: an update panicked: %v", e.Value) }
