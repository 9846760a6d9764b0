package policy

import (
	"math/bits"
	"slices"
)

const (
	maxLengths  = 32 // of beginnings: each is a look-up for every request
	crowd       = 4  // so many entries may share a beginning before other anchors are tried
	minAnchor   = 8  // bytes
	maxPolicies = 1<<16 - 1
)

// draft is an entry with its anchor. There are no pointers in it, because a set of many statements is made again after each change.
type draft struct {
	entry
	words uint32 // where the words of its resource stand in its policy; 0 where it is about any
	sum   uint64 // the hash of its anchor; 0 where it has none
	long  uint16 // the length of the beginning that is its anchor, 0 for a window
	rest  uint16 // how much comes after the literal beginning of the pattern, if that may have windows
}

// texts are the literal beginning of the draft's pattern and, if it may have windows, what comes after it.
func (d *draft) texts(policies []*Attached) (begin, rest string, split wildcards) {
	p := policies[d.place>>16].Policy
	return p.texts(p.code[d.words : d.words+resourceWords])
}

func (p *Policy) texts(words []uint32) (begin, rest string, split wildcards) {
	r := p.patternOf(words)
	switch r.form {
	case resourceVariable:
		t := &p.extra.templates[words[2]]
		return t.parts[0].text[:t.literal], "", wildcards{}
	case resourceTail, resourceHead:
		return r.text[:r.literal], r.text[r.literal:], r.wildcards()
	}
	return r.text[:r.literal], "", wildcards{}
}

// indexed makes the list of a small set and the index of a larger one, of policies that can all be evaluated. There is neither where
// there are too many of them.
func (s *Set) indexed() {
	entries := 0
	for _, a := range s.policies {
		entries += int(a.Policy.entries)
		if a.Policy.Len() >= maxPolicies {
			return
		}
	}
	if len(s.policies) >= maxPolicies {
		return
	}
	if entries <= maxListed && len(s.policies) <= maxListed {
		s.list = newList(s.policies, entries)
		return
	}
	drafts := make([]draft, 0, entries)
	for number, a := range s.policies {
		drafts = a.Policy.drafts(number, drafts)
	}
	fuel := 0
	for _, a := range s.policies {
		for i := range a.Policy.Len() {
			fuel += a.Policy.weight(i)
		}
	}
	anchorBeginnings(drafts, s.policies)
	anchorWindows(drafts, s.policies)
	s.index = hashDrafts(drafts, 2*fuel+len(drafts))
}

// drafts appends those of the policy.
func (p *Policy) drafts(number int, out []draft) []draft {
	for i := range p.Len() {
		h := p.head(i)
		d := draft{entry: entry{actions: p.actionBits(i), place: place(number)<<16 | place(i), deny: h.has(flagDeny), at: anywhere}}
		if h.has(flagUnindexed) {
			out = append(out, d)
			continue
		}
		d.words = h.at + h.actions*actionWords
		for range h.resources {
			out = append(out, d)
			out[len(out)-1].take(p)
			d.words += resourceWords
		}
	}
	return out
}

// take reads the pattern at d.words.
func (d *draft) take(p *Policy) {
	w := p.code[d.words : d.words+resourceWords]
	begin, rest, _ := p.texts(w)
	d.rest = uint16(min(len(rest), 1<<16-1))
	if n := len(begin); n >= minAnchor && n <= MaxResource {
		d.at, d.long = uint16(n-minAnchor), uint16(n)
		d.window = load8(begin, n-minAnchor)
	}
}

// anchorBeginnings gives each draft with a long enough beginning that anchor. Where the lengths are too many, beginnings are cut to
// multiples of a number.
func anchorBeginnings(drafts []draft, policies []*Attached) {
	var seen lengthSet
	for i := range drafts {
		seen.add(int(drafts[i].long))
	}
	unit := seen.unit()
	for i := range drafts {
		d := &drafts[i]
		if d.long = uint16(int(d.long) / unit * unit); d.long == 0 { // a multiple of a power of two is not between that and minAnchor
			continue
		}
		begin, _, _ := d.texts(policies)
		d.sum = beginningHash(begin[:d.long])
	}
}

// lengthSet are lengths up to MaxResource.
type lengthSet [MaxResource/64 + 1]uint64

func (s *lengthSet) add(n int) { s[n/64] |= 1 << (n % 64) }

func (s *lengthSet) all() []uint16 {
	var out []uint16
	for i, word := range s {
		for ; word != 0; word &= word - 1 {
			out = append(out, uint16(i*64+bits.TrailingZeros64(word)))
		}
	}
	return out
}

// unit is the smallest power of two whose multiples, where each length is cut to one, are at most maxLengths.
func (s *lengthSet) unit() int {
	lengths := s.all()
	for unit := 1; ; unit *= 2 {
		n, before := 0, -1
		for _, l := range lengths {
			if l := int(l) / unit; l != before {
				n, before = n+1, l
			}
		}
		if n <= maxLengths {
			return unit
		}
	}
}

// sums counts hashes. Different ones may be counted together, which makes an anchor look worse than it is.
type sums struct {
	counts []uint16
	shift  int
}

func newSums(n int) sums {
	log := bits.Len(uint(n)) + 1
	return sums{make([]uint16, 1<<log), 64 - log}
}

func (s *sums) add(sum uint64) {
	if c := &s.counts[sum>>s.shift]; *c < 1<<16-1 {
		*c++
	}
}

func (s *sums) of(sum uint64) uint16 { return s.counts[sum>>s.shift] }

// anchorWindows gives drafts whose beginning is crowded, or that have none, the rarest of their windows instead, if that is rarer.
func anchorWindows(drafts []draft, policies []*Attached) {
	if !slices.ContainsFunc(drafts, func(d draft) bool { return d.rest > minAnchor }) { // a wildcard and a window
		return
	}
	beginnings := newSums(len(drafts))
	for i := range drafts {
		if drafts[i].sum != 0 {
			beginnings.add(drafts[i].sum)
		}
	}
	var wanting []*draft
	n := 0
	for i := range drafts {
		if d := &drafts[i]; d.rest > minAnchor && (d.sum == 0 || beginnings.of(d.sum) > crowd) {
			wanting = append(wanting, d)
			n += int(d.rest)
		}
	}
	windows := newSums(n)
	for _, d := range wanting {
		d.eachWindow(policies, windows.add)
	}
	for _, d := range wanting {
		best := uint16(1<<16 - 1)
		if d.sum != 0 {
			best = beginnings.of(d.sum)
		}
		d.eachWindow(policies, func(sum uint64) {
			if c := windows.of(sum); c < best {
				best, d.sum, d.long = c, sum, 0
			}
		})
	}
}

// eachWindow gives the hashes of the windows: 8 bytes without a wildcard.
func (d *draft) eachWindow(policies []*Attached, take func(sum uint64)) {
	_, rest, split := d.texts(policies)
	for from, i := 0, 0; i <= len(rest); i++ {
		if i < len(rest) && rest[i] != split.star && rest[i] != split.one {
			continue
		}
		for ; from+minAnchor <= i; from++ {
			take(windowHash(load8(rest, from)))
		}
		from = i + 1
	}
}

// hashDrafts puts the drafts in a table.
func hashDrafts(drafts []draft, fuel int) *index {
	anchored, windows := 0, 0
	var lengths lengthSet
	for i := range drafts {
		switch d := &drafts[i]; {
		case d.sum == 0:
			continue
		case d.long == 0:
			windows++
		default:
			lengths.add(int(d.long))
		}
		anchored++
	}
	log := bits.Len(uint(anchored)) + 1
	x := &index{
		always: make([]entry, 0, len(drafts)-anchored), lengths: lengths.all(), slots: make([]slot, 1<<log), shift: uint8(64 - log), entries: make([]entry, anchored), fuel: fuel,
	}
	if windows > 0 {
		x.filter = make([]uint64, max(1, 1<<bits.Len(uint(windows))/4))
	}
	for i := range drafts { // count
		d := &drafts[i]
		if d.sum == 0 {
			x.always = append(x.always, d.entry)
			continue
		}
		x.slot(d.sum).to++
		if d.long == 0 {
			x.admit(d.sum)
		}
	}
	at := uint32(0)
	for i := range x.slots { // make room, and point behind it
		if s := &x.slots[i]; s.to > 0 {
			at += s.to
			s.from, s.to = at, at
		}
	}
	for i := len(drafts) - 1; i >= 0; i-- { // from the last to the first, so that each bucket is in order
		if d := &drafts[i]; d.sum != 0 {
			s := x.slot(d.sum)
			s.from--
			x.entries[s.from] = d.entry
		}
	}
	return x
}

// slot is that of an anchor, or the free one that becomes it.
func (x *index) slot(sum uint64) *slot {
	for i, mask := sum>>x.shift, uint64(len(x.slots)-1); ; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.to == 0 {
			s.key = uint32(sum)
			return s
		}
		if s.key == uint32(sum) {
			return s
		}
	}
}

func (x *index) admit(sum uint64) {
	bit := uint32(sum) & uint32(len(x.filter)*64-1)
	x.filter[bit>>6] |= 1 << (bit & 63)
}
