package policy

import (
	"strings"
	"unicode/utf8"
)

// contextKey is the name of a condition key, prepared for looking it up (docs/spec/policy-language.md 9.1).
type contextKey struct {
	name string // as written; "" for a key that no context has
	tag  uint32 // place of the tag key in name, 0 in keys without one
	hash uint32 // keyHash of name
}

// newContextKey takes a key as written. The tag prefixes of the aws space without a tag are absent.
func newContextKey(name string) contextKey {
	slash := strings.IndexByte(name, '/')
	const suffix = "tag"
	if slash < len(suffix) || !equalFold(name[slash-len(suffix):slash], suffix) {
		return contextKey{name: name, hash: keyHash(name)}
	}
	for _, prefix := range [...]string{"aws:ResourceTag/", "aws:RequestTag/", "aws:PrincipalTag/"} {
		if equalFold(name, prefix) {
			return contextKey{}
		}
	}
	return contextKey{name: name, tag: uint32(slash + 1), hash: keyHash(name)}
}

// SameKey says whether two names are one condition key, and so whether two tag keys are one to conditions: they are compared without regard to
// ASCII case (docs/spec/policy-language.md 9.1). Whoever lays tags over each other, or keeps their keys unique, compares them with this, so that
// no tag takes the place of another that policies tell from it.
func SameKey(a, b string) bool { return equalFold(a, b) }

// multi says whether the entry counts as multi-valued.
func (e *Entry) multi() bool { return e.Multi || len(e.Values) != 1 }

// keyTable finds entries by key: chains of entries whose keys have equal hashes, in order. It is made when the first key is looked for.
type keyTable struct {
	made  bool
	heads [maxKeyed]uint8 // by hash: 1 + the place of the first entry; 0 where there is none
	nexts [maxKeyed]uint8 // by place: 1 + that of the next entry
}

// maxKeyed is up to how many entries there is a table; more are searched one by one.
const maxKeyed = 64

// keyHash is the same for keys that are one without regard to ASCII case. The end of a key says most.
func keyHash(key string) uint32 {
	const low = 0x2020202020202020
	word, n := uint64(0), len(key)
	if n >= 8 {
		word = load8(key, n-8)
	} else {
		word = shortWord(key)
	}
	return uint32(((word|low)+uint64(n))*hashFactor>>32) % maxKeyed
}

// setContext changes what conditions and variables read.
func (q *query) setContext(context []Entry) {
	q.context, q.keys, q.searches, q.large = context, keyTable{}, 0, nil
}

// find returns the entry for a key, or nil where the key is absent: a key without values is (docs/spec/policy-language.md 11.1). Of
// several entries the first counts; among tag keys that differ only by case the one with the exact spelling, else the smallest.
func (q *query) find(k *contextKey) *Entry {
	if k.name == "" {
		return nil
	}
	if len(q.context) > maxKeyed {
		return q.findSlowly(k)
	}
	t := &q.keys
	if !t.made {
		t.made = true
		for i := len(q.context) - 1; i >= 0; i-- {
			head := &t.heads[keyHash(q.context[i].Key)]
			t.nexts[i], *head = *head, uint8(i+1)
		}
	}
	var found *Entry
	for at := t.heads[k.hash%maxKeyed]; at > 0; at = t.nexts[(at-1)%maxKeyed] {
		e := &q.context[at-1]
		if e.Key == k.name {
			found = e
			break
		}
		if exact, better := k.compare(e, found); exact {
			found = e
			break
		} else if better {
			found = e
		}
	}
	return found.present()
}

func (q *query) findSlowly(k *contextKey) *Entry {
	if q.searches++; q.searches > maxSearches {
		return q.findLarge(k)
	}
	var found *Entry
	for i := range q.context {
		e := &q.context[i]
		if len(e.Key) != len(k.name) {
			continue
		}
		if exact, better := k.compare(e, found); exact {
			found = e
			break
		} else if better {
			found = e
		}
	}
	return found.present()
}

// compare says whether the entry is the one for the key, or better than the one found before.
func (k *contextKey) compare(e, found *Entry) (exact, better bool) {
	switch {
	case e.Key == k.name:
		return true, false
	case !equalFold(e.Key, k.name):
		return false, false
	case k.tag == 0 || e.Key[k.tag:] == k.name[k.tag:]:
		return true, false
	}
	return false, found == nil || e.Key[k.tag:] < found.Key[k.tag:]
}

// present is e if it has values.
func (e *Entry) present() *Entry {
	if e == nil || len(e.Values) == 0 {
		return nil
	}
	return e
}

// valueOverhead is what a value counts besides its bytes: the work for it is in its number as well as in its length.
const valueOverhead = 64

// validContext says whether the request context is within its bounds. That its values are UTF-8 keeps the bytes of
// escapedWildcards out of patterns.
func validContext(context []Entry) bool {
	if len(context) > MaxContext {
		return false
	}
	size, all := 0, uint64(0)
	for i := range context {
		for _, v := range context[i].Values {
			if size += len(v) + valueOverhead; size > MaxContextText {
				return false
			}
			all |= joinBytes(v)
		}
	}
	return all&highBits == 0 || validValues(context)
}

func validValues(context []Entry) bool {
	for i := range context {
		for _, v := range context[i].Values {
			if !utf8.ValidString(v) {
				return false
			}
		}
	}
	return true
}

// highBits are the bits that no byte of ASCII has.
const highBits = 0x8080808080808080

func validText(s string) bool { return joinBytes(s)&highBits == 0 || utf8.ValidString(s) }

// joinBytes is all bytes of s, 8 at a time, or-ed.
func joinBytes(s string) uint64 {
	n := len(s)
	if n < 8 {
		return shortWord(s)
	}
	all := load8(s, n-8)
	for ; len(s) > 8; s = s[8:] {
		all |= load8(s, 0)
	}
	return all
}

// shortWord is a word with all bytes of a text shorter than 8, some of them twice. Texts of one length with equal words are equal.
func shortWord(s string) uint64 {
	switch n := len(s); {
	case n >= 4:
		return load4(s, 0) | load4(s, n-4)<<32
	case n > 0:
		return uint64(s[0]) | uint64(s[n>>1])<<8 | uint64(s[n-1])<<16
	}
	return 0
}

func load4(s string, i int) uint64 {
	s = s[i : i+4]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}
