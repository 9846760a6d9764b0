package policy

import (
	"reflect"
	"strings"
)

// For the tests that compare the matchers with package reference, which this package's own tests cannot import.

func newQuery(s *Sets, r *Request) (*query, bool) {
	q := new(query)
	return q, q.read(s, r)
}

// MatchAction matches one compiled value. It says false for what Compile refuses.
func MatchAction(value, action string) bool {
	if noVendor(value)+manyColons(value) != "" {
		return false
	}
	q, ok := newQuery(&Sets{}, &Request{Action: action, Resource: "*"})
	return ok && matchAction(value, actionFormOf(value), q.action, q.colon)
}

// MatchResource matches one compiled value of an identity policy in an empty context.
func MatchResource(value, resource string, variables bool) bool {
	return MatchResourceIn(Identity, value, resource, variables)
}

// MatchResourceIn matches one compiled value of a policy of the kind.
func MatchResourceIn(kind Kind, value, resource string, variables bool, context ...Entry) bool {
	q, ok := newQuery(&Sets{}, &Request{Action: "a:b", Resource: resource, Context: context})
	c := coder{p: &Policy{kind: kind, text: value}, variables: variables}
	c.resource(value)
	c.p.extras().rewritten = string(c.rewritten)
	return ok && c.p.matchResource(c.p.code, q)
}

// HasVariable says whether a Resource value of a 2012 document has a variable.
func HasVariable(value string) bool {
	t := parseTemplate(value, tailOffset(value), true)
	return t.variables()
}

// Holds evaluates one condition.
func Holds(c Condition, variables bool, context ...Entry) bool {
	q, ok := newQuery(&Sets{}, &Request{Action: "a:b", Resource: "*", Context: context})
	p := coder{p: &Policy{}, variables: variables}
	key := newContextKey(c.Key)
	p.condition(&c, conditionWords, false)
	p.words(p.values...)
	p.p.extras().rewritten = string(p.rewritten)
	return ok && p.p.holds(p.p.code, q.find(&key), q)
}

// ParseOperator reads an operator with its prefix and suffix.
func ParseOperator(name string) (op Operator, set SetOperator, ifExists, ok bool) {
	return parseOperator(name)
}

// Bits is the matcher for hostile patterns, with the wildcards "*" and "?". Before tail they take no colon.
func Bits(pattern string, tail int, text string, fold bool) bool {
	return plainWildcards.bits(pattern, tail, text, fold)
}

// Glob is the matcher of StringLike.
func Glob(pattern, text string) bool { return plainWildcards.glob(pattern, text) }

// GlobFold is the matcher of actions.
func GlobFold(pattern, text string) bool { return globFold(pattern, text) }

// ValidDate is the check of Date values.
func ValidDate(v string) bool { return validDate(v) }

// IndexForm says what index a set has: "", "list", "hash" or "hash and windows".
func IndexForm(s *Set) string {
	switch {
	case s.list != nil:
		return "list"
	case s.index == nil:
		return ""
	case s.index.filter == nil:
		return "hash"
	}
	return "hash and windows"
}

// IndexUse says how many statements the index asks, and whether that takes all of its fuel.
func IndexUse(s *Set, r *Request) (fuel, used int, ok bool) {
	q, _ := newQuery(&Sets{}, r)
	f := finder{set: s, q: q, deny: noPlace, allow: noPlace, last: noPlace}
	ok = s.index.find(&f)
	return s.index.fuel, s.index.fuel - f.fuel, ok
}

// CommonInstant and SlowInstant read a date by the short way and by the rules alone.
func CommonInstant(v string) (seconds int64, ok bool) { return commonInstant(v) }

// SlowInstant reads a date that has no fraction.
func SlowInstant(v string) (seconds int64, ok bool) {
	if !validDate(v) {
		return 0, false
	}
	date, clock, _ := strings.Cut(v, "T")
	days, ok := parseDay(date)
	return days*secondsPerDay + parseClock(clock).seconds, ok
}

// CommonAddress reads an IPv4 address by the short way.
func CommonAddress(v string) (uint32, bool) { return commonAddress(v) }

// IndexMemory is how many patterns the index of a set knows, and how many bytes it takes for them.
func IndexMemory(s *Set) (entries, bytes int) {
	if s.list != nil {
		return len(s.list), cap(s.list) * int(reflect.TypeFor[listed]().Size())
	}
	x, entryBytes := s.index, int(reflect.TypeFor[entry]().Size())
	bytes = (cap(x.always)+cap(x.entries))*entryBytes + cap(x.slots)*int(reflect.TypeFor[slot]().Size()) + cap(x.filter)*8
	return len(x.always) + len(x.entries), bytes
}
