package policy

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// maxListed is up to how many entries reading all of them is cheaper than hashing. They are counted by the bits of a word.
const maxListed = 40

// listed is the entry of a small set. Decisions with such sets are mostly the first for their caller since long, when each place of
// memory read takes as long as some hundred instructions. So a listed entry says more than an entry, that fewer statements are asked in vain; and where
// the words and the text of its statement are, so that they come while the list is still being read.
type listed struct {
	actions    actionBits
	window     uint64 // these 8 bytes stand at the offset at
	inner      uint64 // the first innerBytes of it stand somewhere behind them
	at         uint16 // anywhere: there is no window
	innerBytes uint8
	deny       bool
	policy     uint8
	statement  uint8
	code, text uint8 // lines of the words and of the text of the resource's pattern; only hints
}

// A line is what comes from memory at once.
const (
	lineWords = 16
	lineBytes = 64
)

// newList makes the list of policies that have so many entries together.
func newList(policies []*Attached, entries int) []listed {
	var stack [maxListed]draft
	drafts := stack[:0]
	for number, a := range policies {
		drafts = a.Policy.drafts(number, drafts)
	}
	out := make([]listed, 0, entries)
	for i := range drafts {
		d := &drafts[i]
		e := listed{actions: d.actions, window: d.window, at: d.at, deny: d.deny, policy: uint8(d.place >> 16), statement: uint8(d.place)}
		if d.words > 0 {
			e.code = uint8(min(d.words/lineWords, 1<<8-1))
			e.text = uint8(min(policies[e.policy].Policy.code[d.words]&^rewritten/lineBytes, 1<<8-1))
		}
		if d.rest > 0 {
			_, rest, split := d.texts(policies)
			e.setInner(split.longestBlock(rest))
		}
		out = append(out, e)
	}
	return out
}

// longestBlock is the longest part of a pattern without wildcards. What matches the pattern has it in one piece.
func (w wildcards) longestBlock(pattern string) string {
	best := ""
	for from, i := 0, 0; i <= len(pattern); i++ {
		if i < len(pattern) && pattern[i] != w.star && pattern[i] != w.one {
			continue
		}
		if i-from > len(best) {
			best = pattern[from:i]
		}
		from = i + 1
	}
	return best
}

func (e *listed) setInner(block string) {
	var bytes [8]byte
	e.innerBytes = uint8(copy(bytes[:], block))
	e.inner = binary.LittleEndian.Uint64(bytes[:])
}

// excludes says that what the entry is for cannot be about the resource.
func (e *listed) excludes(resource string) bool {
	return e.at != anywhere && (int(e.at)+8 > len(resource) || load8(resource, int(e.at)) != e.window) ||
		e.innerBytes > 0 && !e.hasInner(resource)
}

func (e *listed) hasInner(resource string) bool {
	if e.at != anywhere {
		resource = resource[e.at+8:]
	}
	var bytes [8]byte
	binary.LittleEndian.PutUint64(bytes[:], e.inner)
	return strings.Contains(resource, string(bytes[:e.innerBytes&15]))
}

// fewListed is up to how many entries reading ahead takes longer than it saves: there is little that could come meanwhile.
const fewListed = 4

// list asks the statements of a small set. Its entries are in order, so that each statement is asked once.
func (v *verdict) list(s *Set, q *query) bool {
	if len(s.list) <= fewListed {
		return v.few(s, q)
	}
	var last *listed
	for found := s.candidates(q); found != 0; found &= found - 1 {
		e := &s.list[bits.TrailingZeros64(found)]
		if !e.deny && v.allowed || last != nil && e.statement == last.statement && e.policy == last.policy {
			continue
		}
		last = e
		m := &s.seats[e.policy]
		if m.policy.apply(int(e.statement), q) == classNone {
			continue
		}
		v.policy, v.statement, v.allowed = m.attached, int32(e.statement), !e.deny
		if e.deny {
			return false
		}
	}
	return true
}

// few is list without reading ahead. A statement that is asked twice answers the same.
func (v *verdict) few(s *Set, q *query) bool {
	for i := range s.list {
		e := &s.list[i]
		if e.actions&q.actions == 0 || e.excludes(q.resource) || !e.deny && v.allowed {
			continue
		}
		m := &s.seats[e.policy]
		if m.policy.apply(int(e.statement), q) == classNone {
			continue
		}
		v.policy, v.statement, v.allowed = m.attached, int32(e.statement), !e.deny
		if e.deny {
			return false
		}
	}
	return true
}

// candidates are the entries of the list that may be about the request, as bits. It touches what asking their statements will read.
func (s *Set) candidates(q *query) uint64 {
	found, touched := uint64(0), uint32(0)
	actions, r := q.actions, q.resource
	for i := range s.list {
		e := &s.list[i]
		if e.actions&actions == 0 || e.excludes(r) {
			continue
		}
		found |= 1 << (i & 63)
		touched += s.seats[e.policy].policy.touch(e)
	}
	q.touched += touched
	return found
}

// touch reads a word of each place that asking the entry's statement will read. Nobody waits for what it returns, nor needs it.
func (p *Policy) touch(e *listed) uint32 {
	touched := uint32(0)
	if at := int(e.code) * lineWords; at < len(p.code) {
		touched = p.code[at]
	}
	if at := int(e.text) * lineBytes; at < len(p.text) {
		touched += uint32(p.text[at])
	}
	return touched
}

// touch reads a word of the list and of each policy of a small set.
func (s *Set) touch() uint32 {
	touched := uint32(s.list[0].actions)
	for i := range s.seats {
		touched += s.seats[i].policy.statements
	}
	return touched
}
