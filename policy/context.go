package policy

import (
	"strings"
	"unicode/utf8"
)

// contextKey is the name of a condition key, prepared for looking it up (docs/spec/policy-language.md 9.1).
type contextKey struct {
	name string // as written; "" for a key that no context has
	tag  uint32 // place of the tag key in name, 0 in keys without one
}

// newContextKey takes a key as written. The tag prefixes of the aws space without a tag are absent.
func newContextKey(name string) contextKey {
	slash := strings.IndexByte(name, '/')
	const suffix = "tag"
	if slash < len(suffix) || !equalFold(name[slash-len(suffix):slash], suffix) {
		return contextKey{name: name}
	}
	for _, prefix := range [...]string{"aws:ResourceTag/", "aws:RequestTag/", "aws:PrincipalTag/"} {
		if equalFold(name, prefix) {
			return contextKey{}
		}
	}
	return contextKey{name: name, tag: uint32(slash + 1)}
}

// SameKey says whether two names are one condition key, and so whether two tag keys are one to conditions: they are compared without regard to
// ASCII case (docs/spec/policy-language.md 9.1). Whoever lays tags over each other, or keeps their keys unique, compares them with this, so that
// no tag takes the place of another that policies tell from it.
func SameKey(a, b string) bool { return equalFold(a, b) }

// multi says whether the entry counts as multi-valued.
func (e *Entry) multi() bool { return e.Multi || len(e.Values) != 1 }

// find returns the entry for a key, or nil where the key is absent: a key without values is (docs/spec/policy-language.md 11.1). Of
// several entries the first counts; among tag keys that differ only by case the one with the exact spelling, else the smallest.
func (q *query) find(k *contextKey) *Entry {
	n := len(k.name)
	if n == 0 {
		return nil
	}
	last := lower(k.name[n-1])
	var found *Entry
	for i := range q.context {
		e := &q.context[i]
		if len(e.Key) != n || lower(e.Key[n-1]) != last || e.Key != k.name && !equalFold(e.Key, k.name) {
			continue
		}
		if k.tag == 0 || e.Key[k.tag:] == k.name[k.tag:] {
			found = e
			break
		}
		if found == nil || e.Key[k.tag:] < found.Key[k.tag:] {
			found = e
		}
	}
	if found == nil || len(found.Values) == 0 {
		return nil
	}
	return found
}

// valueOverhead is what a value counts besides its bytes: the work for it is in its number as well as in its length.
const valueOverhead = 64

// validContext says whether the request context is within its bounds. That its values are UTF-8 keeps the bytes of
// escapedWildcards out of patterns.
func validContext(context []Entry) bool {
	if len(context) > MaxContext {
		return false
	}
	size := 0
	for i := range context {
		for _, v := range context[i].Values {
			if size += len(v) + valueOverhead; size > MaxContextText || !utf8.ValidString(v) {
				return false
			}
		}
	}
	return true
}
