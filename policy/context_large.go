package policy

import "hash/maphash"

// maxSearches is how often the entries of a long context are searched one by one. A policy of many variables looks for keys again and
// again, once for each value of a condition: it shall not read the whole context each time.
const maxSearches = 64

// largeTable is keyTable for contexts of more than maxKeyed entries. It is allocated, which is why searches come first. Nobody can
// choose keys that collide: that would make the chains as long as the context.
type largeTable struct {
	heads [2 * MaxContext]uint16 // by hash: 1 + the place of the first entry; 0 where there is none
	nexts [MaxContext]uint16     // by place: 1 + that of the next entry
}

// largeSeed changes in which order entries of other keys are met, and never what is found.
var largeSeed = maphash.MakeSeed()

// largeHash is the same for keys that are one without regard to ASCII case.
func largeHash(key string) uint64 {
	var h maphash.Hash
	h.SetSeed(largeSeed)
	for i := range len(key) {
		_ = h.WriteByte(lower(key[i])) // it never fails
	}
	return h.Sum64() % (2 * MaxContext)
}

// findLarge is find in a long context.
func (q *query) findLarge(k *contextKey) *Entry {
	t := q.large
	if t == nil {
		t = new(largeTable)
		q.large = t
		for i := len(q.context) - 1; i >= 0; i-- {
			head := &t.heads[largeHash(q.context[i].Key)]
			t.nexts[i], *head = *head, uint16(i+1)
		}
	}
	var found *Entry
	for at := t.heads[largeHash(k.name)]; at > 0; at = t.nexts[at-1] {
		e := &q.context[at-1]
		if exact, better := k.compare(e, found); exact {
			found = e
			break
		} else if better {
			found = e
		}
	}
	return found.present()
}
