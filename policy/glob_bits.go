package policy

import "unicode/utf8"

// bitsStack is the length of text, in words of 64 bytes, up to which bits allocates nothing. It covers MaxResource.
const bitsStack = MaxResource / 64

// bits says whether the whole of s matches p, for any pattern, with the same work whatever the characters are: for each 64 items of
// p one pass over s, of a few operations a byte. So a text of n bytes costs len(p)/64 words a byte; as the quotas hold policies
// to some thousand characters, the work is linear in the text with a factor below a hundred, and for one policy as a whole
// linear in its patterns.
//
// Before tail, "?" takes no colon, and a star takes colons only where it ends a segment (docs/spec/policy-language.md 7.2). With fold, ASCII
// case does not count.
//
// The method: bit i of the state says that the first i items of p, not counting stars, can take the bytes of s read so far. A byte
// moves bit i to i+1 if item i takes it, and keeps bit i if a star stands before item i. The state is cut in words; each
// pass computes one word for all bytes of s and leaves for the next what comes out of its top bit at each byte.
func (w wildcards) bits(p string, tail int, s string, fold bool) bool {
	var stack [bitsStack]uint64
	carry := stack[:]
	if n := (len(s) + 63) / 64; n > len(carry) {
		carry = make([]uint64, n)
	}
	var word bitsWord
	at, state := 0, uint64(1) // nothing read: only bit 0 of the first word is set
	for first := true; ; first = false {
		var next, bit int
		next, bit = word.fill(w, p, at, tail, first, fold)
		carried := false
		state, carried = word.run(state, s, carry)
		if next == len(p) {
			return state>>bit&1 != 0
		}
		if !carried {
			return false
		}
		word.clear(p[at:next])
		at, state = next, 0
	}
}

// bitsWord is what 64 items of a pattern take.
type bitsWord struct {
	literal          [256]uint64 // by byte: the bits that are reached by it
	one, oneNoColon  uint64      // the bits that are reached by any code point, and those of them that no colon reaches
	loop, loopColons uint64      // the bits that a star keeps, and those of them that it keeps over a colon
}

// fill reads items from p[at:] until the word is full or p ends. It returns where it stopped and the last bit it gave away. Bit 0
// of the first word has no item that leads to it.
func (b *bitsWord) fill(w wildcards, p string, at, tail int, first, fold bool) (next, bit int) {
	b.one, b.oneNoColon, b.loop, b.loopColons = 0, 0, 0, 0
	for bit = 0; ; bit++ {
		mask := uint64(1) << bit
		if !first || bit > 0 {
			switch c := p[at]; {
			case c == w.one:
				b.one |= mask
				if at < tail {
					b.oneNoColon |= mask
				}
			case fold:
				b.literal[lower(c)] |= mask
				b.literal[upper(c)] |= mask
			default:
				b.literal[c] |= mask
			}
			at++
		}
		for at < len(p) && p[at] == w.star {
			b.loop |= mask
			if at >= tail || at+1 == len(p) || p[at+1] == ':' {
				b.loopColons |= mask
			}
			at++
		}
		if at == len(p) || bit == 63 {
			return at, bit
		}
	}
}

// clear takes away the literals that fill set.
func (b *bitsWord) clear(items string) {
	for i := range len(items) {
		b.literal[lower(items[i])] = 0
		b.literal[upper(items[i])] = 0
	}
}

// run reads all of s. carry has, for each byte, the bit that comes in from the word before, and gets the one that goes out.
func (b *bitsWord) run(state uint64, s string, carry []uint64) (end uint64, carried bool) {
	var any uint64
	for from := 0; from < len(s); from += 64 {
		block := s[from:min(from+64, len(s))]
		in, out := carry[from/64], uint64(0)
		for i := range len(block) {
			c := block[i]
			moved := state<<1 | in>>i&1
			out |= state >> 63 << i
			switch {
			case c == ':':
				state = moved&(b.literal[c]|b.one&^b.oneNoColon) | state&b.loopColons
			case utf8.RuneStart(c):
				state = moved&(b.literal[c]|b.one) | state&b.loop
			default: // inside a code point: who took its first byte takes this too
				state = moved&b.literal[c] | state&(b.loop|b.one)
			}
		}
		carry[from/64] = out
		any |= out
	}
	return state, any != 0
}

func upper(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - ('a' - 'A')
	}
	return c
}
