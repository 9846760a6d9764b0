package state

import (
	"hash/maphash"
	"iter"
	"math/bits"
	"slices"
	"sync/atomic"
)

// index is a hash index over records: a persistent trie of 32-way nodes. A fork costs one allocation; a write copies the nodes on its path
// that the fork does not own yet. Readers of one index never see writes to its forks. An entry costs about 24 bytes beside its record.
//
// Forking writes the source's owner mark: forks of one index must not run at the same time (unit.fork holds a lock for that).
type index[T any] struct {
	key   func(*T) string
	hash  func(string) uint64
	root  *indexNode[T]
	owner uint64
	size  int
}

type indexNode[T any] struct {
	owner  uint64
	bitmap uint32
	slots  []indexSlot[T]
}

// indexSlot holds a node or a record, never both.
type indexSlot[T any] struct {
	node   *indexNode[T]
	record *T
}

const (
	indexBits = 5
	maxDepth  = 12 // 60 of the 64 bits; records below share their whole hash and are kept in one unordered node
)

var owners atomic.Uint64

func newIndex[T any](key func(*T) string) *index[T] {
	return &index[T]{key: key, hash: hash, owner: owners.Add(1)}
}

func (x *index[T]) fork() *index[T] {
	y := *x
	x.owner, y.owner = owners.Add(1), owners.Add(1)
	return &y
}

func (x *index[T]) len() int { return x.size }

// Names are chosen by clients, so the hash is keyed: nobody outside can make names that meet in one node. What the key is shows nowhere,
// since no order that anybody sees comes from an index.
var seed = maphash.MakeSeed()

func hash(s string) uint64 { return maphash.String(seed, s) }

// get returns the record with that key, or nil.
func (x *index[T]) get(key string) *T {
	h, n := x.hash(key), x.root
	for depth := 0; n != nil; depth++ {
		if depth == maxDepth {
			for _, s := range n.slots {
				if x.key(s.record) == key {
					return s.record
				}
			}
			return nil
		}
		bit := uint32(1) << (h & 31)
		if n.bitmap&bit == 0 {
			return nil
		}
		s := &n.slots[bits.OnesCount32(n.bitmap&(bit-1))]
		if s.record != nil {
			if x.key(s.record) == key {
				return s.record
			}
			return nil
		}
		n, h = s.node, h>>indexBits
	}
	return nil
}

// only returns the record of an index that never holds more than one, or nil. It costs no hashing.
func (x *index[T]) only() *T {
	if x.root == nil {
		return nil
	}
	return x.root.slots[0].record
}

// put sets the record under its key and returns the one it replaces, or nil.
func (x *index[T]) put(r *T) (old *T) {
	x.root = x.insert(x.root, x.hash(x.key(r)), 0, r, &old)
	if old == nil {
		x.size++
	}
	return old
}

func (x *index[T]) mine(n *indexNode[T], extra int) *indexNode[T] {
	if n.owner == x.owner {
		return n
	}
	c := &indexNode[T]{owner: x.owner, bitmap: n.bitmap, slots: make([]indexSlot[T], len(n.slots), len(n.slots)+extra)}
	copy(c.slots, n.slots)
	return c
}

func (x *index[T]) insert(n *indexNode[T], h uint64, depth int, r *T, old **T) *indexNode[T] {
	if n == nil {
		n = &indexNode[T]{owner: x.owner}
	}
	n = x.mine(n, 1)
	if depth == maxDepth {
		for i, s := range n.slots {
			if x.key(s.record) == x.key(r) {
				*old, n.slots[i].record = s.record, r
				return n
			}
		}
		n.slots = append(n.slots, indexSlot[T]{record: r})
		return n
	}
	bit := uint32(1) << (h & 31)
	i := bits.OnesCount32(n.bitmap & (bit - 1))
	if n.bitmap&bit == 0 {
		n.bitmap |= bit
		n.slots = slices.Insert(n.slots, i, indexSlot[T]{record: r})
		return n
	}
	s := n.slots[i]
	switch {
	case s.node != nil:
		n.slots[i].node = x.insert(s.node, h>>indexBits, depth+1, r, old)
	case x.key(s.record) == x.key(r):
		*old, n.slots[i].record = s.record, r
	default:
		var none *T
		down := x.insert(nil, x.hash(x.key(s.record))>>(indexBits*(depth+1)), depth+1, s.record, &none)
		n.slots[i] = indexSlot[T]{node: x.insert(down, h>>indexBits, depth+1, r, &none)}
	}
	return n
}

// remove takes the record with that key out and returns it, or nil.
func (x *index[T]) remove(key string) (old *T) {
	if x.get(key) == nil {
		return nil
	}
	x.root = x.without(x.root, x.hash(key), 0, key, &old)
	x.size--
	return old
}

func (x *index[T]) without(n *indexNode[T], h uint64, depth int, key string, old **T) *indexNode[T] {
	n = x.mine(n, 0)
	i, bit := 0, uint32(0)
	if depth == maxDepth {
		for x.key(n.slots[i].record) != key {
			i++
		}
	} else {
		bit = uint32(1) << (h & 31)
		i = bits.OnesCount32(n.bitmap & (bit - 1))
		if down := n.slots[i].node; down != nil {
			down = x.without(down, h>>indexBits, depth+1, key, old)
			if down != nil {
				n.slots[i].node = down
				return n
			}
			n.slots[i] = indexSlot[T]{}
		}
	}
	if n.slots[i].record != nil {
		*old = n.slots[i].record
	}
	n.bitmap &^= bit
	n.slots = slices.Delete(n.slots, i, i+1)
	if len(n.slots) == 0 {
		return nil
	}
	return n
}

// all walks the records in no useful order.
func (x *index[T]) all() iter.Seq[*T] {
	return func(yield func(*T) bool) { x.root.walk(yield) }
}

func (n *indexNode[T]) walk(yield func(*T) bool) bool {
	if n == nil {
		return true
	}
	for _, s := range n.slots {
		if s.node != nil {
			if !s.node.walk(yield) {
				return false
			}
		} else if !yield(s.record) {
			return false
		}
	}
	return true
}
