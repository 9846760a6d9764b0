package storage

import (
	"fmt"
	"iter"
	"slices"
)

// Current is what operations apply to: the present items of a store, as the engine that is committing sees them.
type Current interface {
	// Keys returns the keys that begin with prefix, heads included, in byte order. They are all read before anything is changed.
	Keys(prefix string) iter.Seq[string]
	// Set makes i the item at i.Key and returns the one it replaces.
	Set(i Item) (old Item, ok bool)
	// Remove removes the item at key and returns it.
	Remove(key string) (old Item, ok bool)
}

// Effect applies ops, in order, to cur and returns the mutations of the commit rev, and beside each one the revision of its old value (0
// where Old is nil). It keeps the operations' values, not copies. Where the operations remove more than MaxPrefixKeys or MaxPrefixBytes it
// is ErrLimit, and cur stands as before.
func Effect(cur Current, rev Rev, ops []Op) ([]Mutation, []Rev, error) {
	mutations, before := make([]Mutation, 0, len(ops)), make([]Rev, 0, len(ops))
	remove := func(key string) int {
		old, ok := cur.Remove(key)
		if !ok {
			return 0
		}
		mutations, before = append(mutations, Mutation{Key: key, Old: old.Value}), append(before, old.Rev)
		return len(key) + len(old.Value)
	}
	removedKeys, removedBytes := 0, 0
	for _, op := range ops {
		switch op.Kind {
		case Put:
			m := Mutation{Key: op.Key, New: op.Value}
			if m.New == nil {
				m.New = []byte{}
			}
			old, _ := cur.Set(Item{Key: op.Key, Value: m.New, Rev: rev})
			m.Old = old.Value
			mutations, before = append(mutations, m), append(before, old.Rev)
		case Delete:
			remove(op.Key)
		case DeletePrefix:
			var keys []string
			for key := range cur.Keys(op.Key) {
				if _, isHead := SplitHead(key); isHead {
					continue
				}
				if keys = append(keys, key); removedKeys+len(keys) > MaxPrefixKeys {
					break
				}
			}
			removedKeys += len(keys)
			if removedKeys <= MaxPrefixKeys {
				for _, key := range keys {
					if removedBytes += remove(key); removedBytes > MaxPrefixBytes {
						break
					}
				}
			}
			if removedKeys > MaxPrefixKeys || removedBytes > MaxPrefixBytes {
				for i, m := range slices.Backward(mutations) {
					if m.Old == nil {
						cur.Remove(m.Key)
					} else {
						cur.Set(Item{Key: m.Key, Value: m.Old, Rev: before[i]})
					}
				}
				return nil, nil, fmt.Errorf("%w: the batch removes more than %d keys or %d bytes by prefix (at %q)",
					ErrLimit, MaxPrefixKeys, MaxPrefixBytes, op.Key)
			}
		}
	}
	return mutations, before, nil
}
