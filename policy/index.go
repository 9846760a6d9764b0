package policy

import "math/bits"

// An index makes a decision meet only the statements of a set that may be about the request. It never says that a statement applies:
// whom it finds is asked in full. What it must not do is miss one, so every rule below only leaves out what cannot match.
//
// Each way in which a statement can match a resource has an entry, which is checked in place without touching the policy: some bits
// of the actions, and 8 bytes that the resource must have at one offset. A small set has a list of them (see listed). In a larger
// one an entry stands in a hash table, under one text that its resources must have, its anchor: the literal beginning of the pattern, or,
// where many patterns begin alike, 8 bytes between two wildcards that few others have. Who has no anchor is always read.
//
// The index takes at most 76 bytes for each pattern in Resource: an entry, at most four slots, and 4 bytes of the window filter; a list
// takes 32. Finding is bounded too: whoever makes patterns so that one request
// finds the same statements again and again runs out of fuel after about the work of asking each statement once, and then that is done.
type index struct {
	always  []entry
	lengths []uint16 // of the beginnings that are anchors, ascending; at most maxLengths
	slots   []slot   // open addressing
	shift   uint8    // 64 less the logarithm of the number of slots
	filter  []uint64 // bits of the windows that are anchors; nil where there are none
	entries []entry  // by anchor, those of one anchor in order
	fuel    int
}

// entry is a statement, by one way to match a resource.
type entry struct {
	actions actionBits
	window  uint64 // these 8 bytes stand at the offset at
	at      uint16 // anywhere: there is nothing to compare
	deny    bool
	place   place
}

const anywhere = 1<<16 - 1

// place is where a statement stands in its set: the number of the policy, and in the lower half that of the statement. So the lower
// place is the one that is named first.
type place uint32

const noPlace place = 1<<32 - 1

// slot is the entries of one anchor; to is 0 where it is free. Anchors with equal keys are one: that only finds more.
type slot struct{ key, from, to uint32 }

// finder looks for the statement of a set that decides.
type finder struct {
	set         *Set
	q           *query
	deny, allow place // the first ones so far
	last        place // the one asked last
	fuel        int
}

// find asks the statements that the index finds. It returns false if the fuel is used up, and what was found means nothing then.
func (x *index) find(f *finder) bool {
	f.fuel = x.fuel
	return f.visit(x.always) && x.beginnings(f) && (x.filter == nil || x.windows(f))
}

// beginnings looks up the beginnings of the resource.
func (x *index) beginnings(f *finder) bool {
	r := f.q.resource
	state, done := uint64(hashSeed), 0
	for _, length := range x.lengths {
		n := int(length)
		if n > len(r) {
			break
		}
		for ; done+8 <= n; done += 8 {
			state = mix(state, load8(r, done))
		}
		if !f.visit(x.bucket(endHash(state, r[:n]))) {
			return false
		}
	}
	return true
}

// windows looks up each 8 bytes of the resource.
func (x *index) windows(f *finder) bool {
	r := f.q.resource
	for i := 0; i+8 <= len(r); i++ {
		sum := windowHash(load8(r, i))
		if x.filtered(sum) && !f.visit(x.bucket(sum)) {
			return false
		}
	}
	return true
}

// filtered says whether some window with the hash may be an anchor.
func (x *index) filtered(sum uint64) bool {
	bit := uint32(sum) & uint32(len(x.filter)*64-1)
	return x.filter[bit>>6]>>(bit&63)&1 != 0
}

func (x *index) bucket(sum uint64) []entry {
	for i, mask := sum>>x.shift, uint64(len(x.slots)-1); ; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.to == 0 {
			return nil
		}
		if s.key == uint32(sum) {
			return x.entries[s.from:s.to]
		}
	}
}

// excludes says that what the entry is for cannot be about the request.
func (e *entry) excludes(actions actionBits, resource string) bool {
	return e.actions&actions == 0 ||
		e.at != anywhere && (int(e.at)+8 > len(resource) || load8(resource, int(e.at)) != e.window)
}

// visit asks the statements of those entries that may be about the request.
func (f *finder) visit(entries []entry) bool {
	actions, r := f.q.actions, f.q.resource
	f.fuel -= len(entries)
	for i := range entries {
		e := &entries[i]
		if !e.excludes(actions, r) && !f.ask(e) {
			return false
		}
	}
	return f.fuel >= 0
}

// ask asks one statement, unless its answer no longer matters. A deny ends the search for allows, and only an earlier place counts.
func (f *finder) ask(e *entry) bool {
	if e.place >= f.deny || e.place == f.last || !e.deny && (f.deny != noPlace || e.place >= f.allow) {
		return true
	}
	f.last = e.place
	p, i := &f.set.seats[e.place>>16].policy, int(e.place&0xffff)
	if f.fuel -= p.weight(i); f.fuel < 0 {
		return false
	}
	switch {
	case p.apply(i, f.q) == classNone:
	case e.deny:
		f.deny = e.place
	default:
		f.allow = e.place
	}
	return true
}

const (
	hashSeed   = 0x9e3779b97f4a7c15
	hashFactor = 0xd6e8feb86659fd93
)

// mix adds a word to a hash. Whoever makes texts collide gets a slower answer, not another one.
func mix(h, word uint64) uint64 {
	hi, lo := bits.Mul64(h^word, hashFactor)
	return hi ^ lo ^ word<<1
}

// endHash is the hash of a text of at least 8 bytes, from that of its whole words. The last 8 bytes take in what is behind those.
func endHash(state uint64, text string) uint64 {
	return mix(mix(state, load8(text, len(text)-8)), uint64(len(text)))
}

func beginningHash(text string) uint64 {
	state := uint64(hashSeed)
	for done := 0; done+8 <= len(text); done += 8 {
		state = mix(state, load8(text, done))
	}
	return endHash(state, text)
}

func windowHash(window uint64) uint64 { return mix(hashFactor, window) }

// load8 are the 8 bytes at i; the compiler makes one instruction of it.
func load8(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
