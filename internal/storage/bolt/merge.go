package bolt

import (
	"bytes"
	"strings"

	"github.com/tidwall/btree"
	"go.etcd.io/bbolt"
)

// source is a sequence of cells in key order.
type source interface {
	key() (key string, ok bool) // the first key that is left
	cell() (cell, error)        // its cell
	next()
}

// merge reads sources together; where two have a key the one further in front counts.
type merge struct {
	sources []source
}

// key returns the first key that is left, if it begins with prefix.
func (m *merge) key(prefix string) (key string, ok bool) {
	for _, s := range m.sources {
		if k, more := s.key(); more && (!ok || k < key) {
			key, ok = k, true
		}
	}
	return key, ok && strings.HasPrefix(key, prefix)
}

// take returns the cell at key, which key has returned, and goes on.
func (m *merge) take(key string) (c cell, err error) {
	found := false
	for _, s := range m.sources {
		if k, more := s.key(); more && k == key {
			if !found {
				c, err = s.cell()
				found = true
			}
			s.next()
		}
	}
	return c, err
}

type tree struct {
	it btree.MapIter[string, cell]
	ok bool
}

func newTree(m *btree.Map[string, cell], from string) *tree {
	t := &tree{it: m.Iter()}
	t.ok = t.it.Seek(from)
	return t
}

func (t *tree) key() (string, bool) {
	if !t.ok {
		return "", false
	}
	return t.it.Key(), true
}
func (t *tree) cell() (cell, error) { return t.it.Value(), nil }
func (t *tree) next()               { t.ok = t.it.Next() }

// bucket reads bucket "items". Its cells are copies.
type bucket struct {
	c     *bbolt.Cursor
	k     string
	v     []byte
	ok    bool
	block []byte
}

func newBucket(b *bbolt.Bucket, from string) *bucket {
	s := &bucket{c: b.Cursor()}
	s.set(s.c.Seek([]byte(from)))
	return s
}

func (s *bucket) set(k, v []byte)     { s.k, s.v, s.ok = string(k), v, k != nil }
func (s *bucket) key() (string, bool) { return s.k, s.ok }
func (s *bucket) next()               { s.set(s.c.Next()) }

func (s *bucket) cell() (cell, error) {
	item, err := decodeItem(s.k, s.v)
	if err != nil {
		return cell{}, err
	}
	switch n := len(item.Value); {
	case n > blockValue:
		item.Value = bytes.Clone(item.Value)
	default:
		if n > cap(s.block)-len(s.block) {
			s.block = make([]byte, 0, blockCells)
		}
		start := len(s.block)
		s.block = append(s.block, item.Value...)
		item.Value = s.block[start:len(s.block):len(s.block)]
	}
	return cell{item: item}, nil
}

// Small values are copied into common blocks.
const (
	blockValue = 4 << 10
	blockCells = 64 << 10
)
