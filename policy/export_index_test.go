package policy

import (
	"slices"
	"strings"
)

// For the tests of what an index leaves out, and of what finding costs.

// ActionsMeet says whether a statement with the value may be about the action, as far as the bits of both tell.
func ActionsMeet(value, action string) bool {
	return patternBits(value)&requestBits(action, strings.IndexByte(action, ':')) != 0
}

// ListExcludes says whether the only entry of a small set is left out for the resource.
func ListExcludes(s *Set, resource string) bool { return s.list[0].excludes(resource) }

// Anchors are what the entries of an index stand under.
type Anchors struct {
	Always  int // without anchor
	Entries int
	Largest int      // how many entries the fullest anchor has
	Lengths []uint16 // of beginnings
}

// IndexAnchors are those of a larger set.
func IndexAnchors(s *Set) Anchors {
	a := Anchors{Always: len(s.index.always), Entries: len(s.index.entries), Lengths: s.index.lengths}
	for _, slot := range s.index.slots {
		a.Largest = max(a.Largest, int(slot.to-slot.from))
	}
	return a
}

// IndexWork says how many entries are read for a request, and how many statements are asked, those that are asked again included.
func IndexWork(s *Set, r *Request) (read, asked int) {
	weighed := *s // each statement weighs 1
	weighed.seats = slices.Clone(s.seats)
	for i := range weighed.seats {
		p := &weighed.seats[i].policy
		p.code = slices.Clone(p.code)
		for j := range p.Len() {
			p.code[j*headWords+1] = p.code[j*headWords+1]&(1<<weightAt-1) | 1<<weightAt
		}
	}
	find := func(deny place) int {
		q, _ := newQuery(&Sets{}, r)
		f := finder{set: &weighed, q: q, deny: deny, allow: noPlace, last: noPlace}
		s.index.find(&f)
		return s.index.fuel - f.fuel
	}
	read = find(0) // behind a deny at the first place nobody is asked
	return read, find(noPlace) - read
}

// IndexUseOf is IndexUse with so much fuel.
func IndexUseOf(fuel int, s *Set, r *Request) (used int, ok bool) {
	x := *s.index
	x.fuel = fuel
	_, used, ok = IndexUse(&Set{index: &x, seats: s.seats, policies: s.policies}, r)
	return used, ok
}

// IndexFiltered is how many of the windows of a resource pass the filter.
func IndexFiltered(s *Set, resource string) (windows, passed int) {
	for i := 0; i+8 <= len(resource); i++ {
		windows++
		if s.index.filtered(windowHash(load8(resource, i))) {
			passed++
		}
	}
	return windows, passed
}

// CountSum is how often a hash counts that came n times.
func CountSum(n int) uint16 {
	s := newSums(n)
	for range n {
		s.add(1 << 63)
	}
	return s.of(1 << 63)
}
