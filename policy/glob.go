package policy

import (
	"strings"
	"unicode/utf8"
)

// wildcards are the bytes that stand for "any run" and "any one code point" in a pattern. Patterns with escapes ("${*}") or
// variables are rewritten with bytes that no UTF-8 text has, so that "*" and "?" in them are literal; all others share memory
// with the policy's text.
type wildcards struct{ star, one byte }

var (
	plainWildcards   = wildcards{'*', '?'}
	escapedWildcards = wildcards{0xff, 0xfe}
)

// first is the place of the first wildcard of p, or -1.
func (w wildcards) first(p string) int {
	star, one := strings.IndexByte(p, w.star), strings.IndexByte(p, w.one)
	if star < 0 || one >= 0 && one < star {
		return one
	}
	return star
}

// glob says whether the whole of s matches p. Both are valid UTF-8 but for the wildcards. The work is linear in both lengths, or
// that of bits where the pattern is hostile.
func (w wildcards) glob(p, s string) bool {
	g := newGlobber(w, p, s)
	if ok := g.glob(p, s); g.fuel >= 0 {
		return ok
	}
	return w.bits(p, 0, s, false)
}

// globber puts each block between two stars at its leftmost place, which is enough because a star takes any run. That is fast on
// everything people write, but on a crafted block with "?" it compares the same characters again and again. So it has fuel for a
// number of steps linear in both lengths. When fuel is negative its answer means nothing, and bits has to give it.
type globber struct {
	wildcards
	fuel int
}

func newGlobber(w wildcards, p, s string) globber {
	return globber{w, 256 + 8*(len(p)+len(s))}
}

func (g *globber) spend(steps int) bool {
	g.fuel -= steps
	return g.fuel >= 0
}

func (g *globber) glob(p, s string) bool {
	i := strings.IndexByte(p, g.star)
	if i < 0 {
		n, ok := g.prefix(p, s)
		return ok && n == len(s)
	}
	n, ok := g.prefix(p[:i], s)
	return ok && g.floating(p[i+1:], s[n:])
}

// floating is glob for a pattern that follows a star.
func (g *globber) floating(p, s string) bool {
	for {
		i := strings.IndexByte(p, g.star)
		if i < 0 {
			return g.suffix(p, s)
		}
		n := g.find(p[:i], s)
		if n < 0 {
			return false
		}
		p, s = p[i+1:], s[n:]
	}
}

// prefix matches a block without stars at the beginning of s and returns how much of s it took.
func (g *globber) prefix(block, s string) (int, bool) {
	if strings.IndexByte(block, g.one) < 0 {
		return len(block), strings.HasPrefix(s, block)
	}
	return g.prefixOne(block, s)
}

// prefixOne is prefix for a block that is known to have a "?". Where it fails it returns how far it came.
func (g *globber) prefixOne(block, s string) (int, bool) {
	n, one := 0, g.one
	for i := range len(block) {
		if n >= len(s) {
			return n, false
		}
		switch c := block[i]; {
		case c == one && s[n] >= utf8.RuneSelf:
			n += runeLen(s[n:])
		case c == one || c == s[n]:
			n++
		default:
			return n, false
		}
	}
	return n, true
}

// runeLen is the size of the first code point of a text that is not empty.
func runeLen(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, size := utf8.DecodeRuneInString(s)
	return size
}

// suffix matches a block without stars at the end of s.
func (g *globber) suffix(block, s string) bool {
	if strings.IndexByte(block, g.one) < 0 {
		return strings.HasSuffix(s, block)
	}
	at := len(s)
	for i := len(block); i > 0 && at > 0; { // step back as many code points as the block has
		_, size := utf8.DecodeLastRuneInString(block[:i]) // 1 for a "?", whichever byte stands for it
		i -= size
		_, size = utf8.DecodeLastRuneInString(s[:at])
		at -= size
	}
	n, ok := g.prefix(block, s[at:])
	return ok && n == len(s)-at
}

// find returns the end of the leftmost match of a block without stars in s, or -1. A block without "?" is left to strings.Index,
// whose work is linear: vector comparisons of short blocks, a rolling hash for long ones.
func (g *globber) find(block, s string) int {
	at := 0
	for block != "" && block[0] == g.one { // after a star it is the same whether the "?" comes first or the rest of the run
		if at == len(s) {
			return -1
		}
		at += runeLen(s[at:])
		block = block[1:]
	}
	one := strings.IndexByte(block, g.one)
	if one < 0 {
		if i := strings.Index(s[at:], block); i >= 0 {
			return at + i + len(block)
		}
		return -1
	}
	for len(s)-at >= one {
		i := strings.Index(s[at:], block[:one]) // jump to the literal that the block begins with
		if i < 0 {
			return -1
		}
		at += i
		n, ok := g.prefixOne(block, s[at:])
		if ok {
			return at + n
		}
		if !g.spend(8 + n) {
			return -1
		}
		at += runeLen(s[at:])
	}
	return -1
}

// globFold is glob with "*" and "?", without regard to ASCII case.
func globFold(p, s string) bool {
	if ok, fuel := foldSteps(p, s, foldFuel(p, s)); fuel >= 0 {
		return ok
	}
	return plainWildcards.bits(p, 0, s, true)
}

func foldFuel(p, s string) int { return 64 + 8*(len(p)+len(s)) }

// foldSteps goes on from the last star wherever a character does not match. When the fuel that it returns is negative its answer means nothing.
func foldSteps(p, s string, fuel int) (ok bool, left int) {
	pi, si := 0, 0
	star, mark := -1, 0 // the last star and where its run ends
	for ; si < len(s) && fuel >= 0; fuel-- {
		switch {
		case pi < len(p) && p[pi] == '*':
			star, mark = pi, si
			pi++
		case pi < len(p) && p[pi] == '?':
			pi++
			si += runeLen(s[si:])
		case pi < len(p) && lower(p[pi]) == lower(s[si]):
			pi++
			si++
		case star >= 0:
			mark += runeLen(s[mark:])
			pi, si = star+1, mark
		default:
			return false, fuel
		}
	}
	for pi < len(p) && p[pi] == '*' {
		pi++
	}
	return pi == len(p), fuel
}
