package state

import (
	"fmt"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

// Tx is the state as an Update's function sees it: the view, with all writes before it in its units, durable or not yet. What it writes
// it reads back. A Tx ends with its function.
//
// The function must be pure: the same state, time and ids give the same writes and result. It may run again.
type Tx struct {
	view    *View
	units   []unit // those named by Update; the Tx's own to change
	changes []change
	ops     []storage.Op
	bytes   int
	others  []storage.Condition // units read beside those named
	epochs  []storage.Rev       // of the accounts among units, before the function
	event   []byte
	now     time.Time
	seed    keyring.Seed
	stream  *keyring.Stream
	err     error
}

func newTx(v *View, units []unit, now time.Time, seed keyring.Seed) *Tx {
	tx := &Tx{view: v, units: units, now: now, seed: seed, epochs: make([]storage.Rev, len(units))}
	for i, u := range units {
		if u.head().time.After(tx.now) {
			tx.now = u.head().time
		}
		if a, ok := u.(*Account); ok {
			tx.epochs[i] = a.Epoch
		}
	}
	return tx
}

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
	a, _ := tx.read(AccountUnit(id)).(*Account)
	if a == nil || a.Record() == nil {
		return nil
	}
	return a
}

// Put writes a record into one of the units that the Update names, replacing the one with the same key.
func (tx *Tx) Put(unit string, r Record) {
	u := tx.mustOwn(unit)
	table, key := r.place()
	value, err := r.marshal()
	if err != nil {
		tx.err = fmt.Errorf("state: %s %s: %w", table, key, err)
		return
	}
	old := u.own(table).getKey(key)
	ops, err := storage.SplitValue(storageKey(u, table, key), value, isChunked(old))
	if err != nil {
		tx.err = fmt.Errorf("state: %s %s: %w", table, key, err)
		return
	}
	tx.write(u, table, key, r, ops)
}

// Delete removes a record from one of the units that the Update names. A record that is not there is no error.
func (tx *Tx) Delete(unit string, r Record) {
	u := tx.mustOwn(unit)
	table, key := r.place()
	old := u.own(table).getKey(key)
	if old == nil {
		return
	}
	tx.write(u, table, key, nil, storage.RemoveValue(storageKey(u, table, key), isChunked(old)))
}

func (tx *Tx) write(u unit, table, key string, r Record, ops []storage.Op) {
	old := setRecord(u, table, key, r)
	tx.changes = append(tx.changes, change{u.name(), table, key, r, old})
	for _, op := range ops {
		tx.bytes += len(op.Key) + len(op.Value)
	}
	tx.ops = append(tx.ops, ops...)
}

// isChunked reports whether a record that is being replaced was kept in chunks.
func isChunked(old Record) bool {
	if old == nil {
		return false
	}
	m, ok := old.(interface{ size() int })
	return ok && m.size() > storage.MaxValueBytes
}

// SetEvent gives the audit event that becomes part of the commit. It is written only if the function writes records.
func (tx *Tx) SetEvent(event []byte) { tx.event = event }

func (tx *Tx) mustOwn(name string) unit {
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
		if a, ok := u.(*Account); ok {
			a.Epoch = tx.epochs[i]
		}
	}
	tx.changes, tx.ops, tx.bytes, tx.event = nil, nil, 0, nil
}

// run calls fn. A panic in it becomes an error, so that one broken operation does not end the unit's writer.
func (tx *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: stack()}
		}
		if err == nil {
			err = tx.err
		}
		if err != nil {
			tx.undo()
		}
	}()
	return fn(tx)
}

// PanicError is what Update returns if its function panicked. Nothing was written.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("state: an update panicked: %v", e.Value) }
