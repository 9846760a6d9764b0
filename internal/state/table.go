package state

import (
	"fmt"
	"iter"

	"github.com/tidwall/btree"
)

// Record is one record of a unit: a protobuf message that knows its place. Records are immutable once they have been given to a Tx.
type Record interface {
	// place returns the table and the key within it; the storage key is unit/table/key.
	place() (table, key string)
	marshal() ([]byte, error)
	// size is the length of what marshal gives.
	size() int
}

// checked is a record with derived parts that have to fit the rest of it.
type checked interface{ check() error }

// schema describes a table: what it is called, how its records are keyed, ordered and decoded.
type schema[T any] struct {
	name   string
	key    func(*T) string
	less   func(a, b *T) bool // a total order: records with different keys are never equal; nil = no ordered reads
	second func(a, b *T) bool // another total order, for lists that go by something else; nil = none. Needs less
	decode func(key string, value []byte) (*T, error)
}

// table holds the records of one kind: a hash index by key and, where lists are read, ordered copy-on-write trees of pointers.
type table[T any] struct {
	*schema[T]
	byKey   *index[T]
	ordered *btree.BTreeG[*T] // nil if less is nil
	second  *btree.BTreeG[*T] // nil if schema.second is nil
}

// anyTable is what a unit needs of its tables without knowing their types.
type anyTable interface {
	decodeRecord(key string, value []byte) (Record, error)
	putRecord(r Record) Record
	removeKey(key string) Record
	getKey(key string) Record
	count() int
	check() error
}

func newTable[T any](s *schema[T]) *table[T] {
	t := &table[T]{schema: s, byKey: newIndex(s.key)}
	if s.less != nil {
		t.ordered = btree.NewBTreeGOptions(s.less, btree.Options{NoLocks: true})
	}
	if s.second != nil {
		t.second = btree.NewBTreeGOptions(s.second, btree.Options{NoLocks: true})
	}
	return t
}

func (t *table[T]) fork() *table[T] {
	c := &table[T]{schema: t.schema, byKey: t.byKey.fork()}
	if t.ordered != nil {
		c.ordered = t.ordered.Copy()
	}
	if t.second != nil {
		c.second = t.second.Copy()
	}
	return c
}

func (t *table[T]) get(key string) *T { return t.byKey.get(key) }

func (t *table[T]) put(r *T) *T {
	old := t.byKey.put(r)
	if t.ordered != nil {
		replace(t.ordered, t.less, old, r)
	}
	if t.second != nil {
		replace(t.second, t.schema.second, old, r)
	}
	return old
}

func replace[T any](tree *btree.BTreeG[*T], less func(a, b *T) bool, old, r *T) {
	if old != nil && (less(old, r) || less(r, old)) {
		tree.Delete(old) // else Set replaces it where it stands
	}
	tree.Set(r)
}

func (t *table[T]) remove(key string) *T {
	old := t.byKey.remove(key)
	if old != nil && t.ordered != nil {
		t.ordered.Delete(old)
	}
	if old != nil && t.second != nil {
		t.second.Delete(old)
	}
	return old
}

// from walks the records in order, beginning with the first that is not less than pivot (nil = all).
func (t *table[T]) from(pivot *T) iter.Seq[*T] {
	return func(yield func(*T) bool) {
		if pivot == nil {
			t.ordered.Scan(yield)
			return
		}
		t.ordered.Ascend(pivot, yield)
	}
}

// fromSecond is from in the second order. pivot must not be nil.
func (t *table[T]) fromSecond(pivot *T) iter.Seq[*T] {
	return func(yield func(*T) bool) { t.second.Ascend(pivot, yield) }
}

func (t *table[T]) decodeRecord(key string, value []byte) (Record, error) {
	r, err := t.decode(key, value)
	if err != nil {
		return nil, err
	}
	return any(r).(Record), nil
}

func (t *table[T]) putRecord(r Record) Record {
	typed, ok := any(r).(*T)
	if !ok {
		panic(fmt.Sprintf("state: a %T in table %s", r, t.name))
	}
	return record(t.put(typed))
}

func (t *table[T]) removeKey(key string) Record { return record(t.remove(key)) }
func (t *table[T]) getKey(key string) Record    { return record(t.get(key)) }
func (t *table[T]) count() int                  { return t.byKey.len() }

// check compares the table's sides, and its records' derived parts with the rest of them.
func (t *table[T]) check() error {
	n := 0
	for r := range t.byKey.all() {
		n++
		if t.get(t.key(r)) != r {
			return fmt.Errorf("%q is not found under its key", t.key(r))
		}
		if c, ok := any(r).(checked); ok {
			if err := c.check(); err != nil {
				return fmt.Errorf("%q: %w", t.key(r), err)
			}
		}
		if t.ordered != nil {
			if o, ok := t.ordered.Get(r); !ok || o != r {
				return fmt.Errorf("%q is not in the order", t.key(r))
			}
		}
		if t.second != nil {
			if o, ok := t.second.Get(r); !ok || o != r {
				return fmt.Errorf("%q is not in the second order", t.key(r))
			}
		}
	}
	if n != t.count() || t.ordered != nil && t.ordered.Len() != n || t.second != nil && t.second.Len() != n {
		return fmt.Errorf("%d records, but a count of %d", n, t.count())
	}
	return nil
}

// record keeps a nil pointer from becoming a Record that is not nil.
func record[T any](r *T) Record {
	if r == nil {
		return nil
	}
	return any(r).(Record)
}
