package wire

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// matcher decides whether a whole string satisfies a pattern of the models. Exactly one of its parts is set.
type matcher struct {
	simple []simplePattern // any of them
	re     *regexp.Regexp
	custom func(string) bool
}

// simplePattern is prefix class{min,max} suffix. Because prefix and suffix are fixed, no search is needed.
type simplePattern struct {
	prefix, suffix string
	class          *class // nil: only prefix+suffix itself
	min, max       int    // number of characters of the class; max -1 = no limit
}

type class struct {
	ascii  [2]uint64
	ranges []rune // pairs lo, hi above ASCII, sorted
}

func (c *class) has(r rune) bool {
	if r < utf8.RuneSelf {
		return c.ascii[r>>6]&(1<<(uint(r)&63)) != 0
	}
	lo, hi := 0, len(c.ranges)/2
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		switch {
		case r < c.ranges[2*mid]:
			hi = mid
		case r > c.ranges[2*mid+1]:
			lo = mid + 1
		default:
			return true
		}
	}
	return false
}

func (p *simplePattern) match(s string) bool {
	if len(s) < len(p.prefix)+len(p.suffix) || !strings.HasPrefix(s, p.prefix) || !strings.HasSuffix(s, p.suffix) {
		return false
	}
	s = s[len(p.prefix) : len(s)-len(p.suffix)]
	if p.class == nil {
		return s == ""
	}
	n := 0
	for _, r := range s {
		if !p.class.has(r) {
			return false
		}
		n++
	}
	return n >= p.min && (p.max < 0 || n <= p.max)
}

func (m *matcher) match(s string) bool {
	switch {
	case m.custom != nil:
		return m.custom(s)
	case m.re != nil:
		return m.re.MatchString(s)
	}
	for i := range m.simple {
		if m.simple[i].match(s) {
			return true
		}
	}
	return false
}

// matches says whether s satisfies the pattern of the shape. The pattern is compiled on first use.
func (s *Shape) matches(v string) bool {
	m := s.matcher.Load()
	if m == nil {
		m = compile(s.Pattern)
		s.matcher.Store(m)
	}
	return m.match(v)
}

// aliasPattern is the only pattern of the models with a lookahead, which regexp does not have.
const aliasPattern = `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`

// compile turns a Java pattern of the models into a matcher. A pattern it cannot read is a fault of the tables, which a test rules out.
func compile(pattern string) *matcher {
	if pattern == aliasPattern {
		return &matcher{custom: isAlias}
	}
	text := translate(pattern)
	tree, err := syntax.Parse(text, syntax.Perl)
	if err != nil {
		panic("wire: pattern " + pattern + ": " + err.Error())
	}
	if simple, ok := simplify(tree); ok {
		return &matcher{simple: simple}
	}
	return &matcher{re: regexp.MustCompile(`\A(?:` + text + `)\z`)}
}

func isAlias(s string) bool {
	if len(s) < 3 || len(s) > 63 || strings.Contains(s, "--") || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '-' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// translate rewrites what Java spells differently: \uXXXX. The models also write \u10000-\u10FFFF for the supplementary planes.
func translate(pattern string) string {
	pattern = strings.ReplaceAll(pattern, `\u10000-\u10FFFF`, `\x{10000}-\x{10FFFF}`)
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] != '\\' || i+1 == len(pattern):
			b.WriteByte(pattern[i])
		case pattern[i+1] == 'u' && i+6 <= len(pattern):
			b.WriteString(`\x{` + pattern[i+2:i+6] + `}`)
			i += 5
		default:
			b.WriteString(pattern[i : i+2])
			i++
		}
	}
	return b.String()
}

// simplify reduces a pattern to alternatives of prefix class{min,max} suffix, if it has that form.
func simplify(tree *syntax.Regexp) ([]simplePattern, bool) {
	tree = bare(tree)
	if tree.Op == syntax.OpAlternate {
		var all []simplePattern
		for _, sub := range tree.Sub {
			some, ok := simplify(sub)
			if !ok {
				return nil, false
			}
			all = append(all, some...)
		}
		return all, true
	}
	parts := []*syntax.Regexp{tree}
	if tree.Op == syntax.OpConcat {
		parts = tree.Sub
	}
	var p simplePattern
	var text strings.Builder
	for i, part := range parts {
		part = bare(part)
		switch part.Op {
		case syntax.OpBeginText:
			if i != 0 {
				return nil, false
			}
		case syntax.OpEndText:
			if i != len(parts)-1 {
				return nil, false
			}
		case syntax.OpEmptyMatch:
		case syntax.OpLiteral:
			if part.Flags&syntax.FoldCase != 0 {
				return nil, false
			}
			for _, r := range part.Rune {
				text.WriteRune(r)
			}
		default:
			c, low, high, ok := repeated(part)
			if !ok || p.class != nil {
				return nil, false
			}
			p.class, p.min, p.max = c, low, high
			p.prefix = text.String()
			text.Reset()
		}
	}
	if p.class == nil {
		p.prefix = text.String()
	} else {
		p.suffix = text.String()
	}
	return []simplePattern{p}, true
}

func bare(tree *syntax.Regexp) *syntax.Regexp {
	for tree.Op == syntax.OpCapture {
		tree = tree.Sub[0]
	}
	return tree
}

func repeated(tree *syntax.Regexp) (c *class, low, high int, ok bool) {
	low, high = 1, 1
	switch tree.Op {
	case syntax.OpStar:
		low, high = 0, -1
	case syntax.OpPlus:
		low, high = 1, -1
	case syntax.OpQuest:
		low, high = 0, 1
	case syntax.OpRepeat:
		low, high = tree.Min, tree.Max
	case syntax.OpCharClass, syntax.OpAnyChar:
		tree = &syntax.Regexp{Sub: []*syntax.Regexp{tree}}
	default:
		return nil, 0, 0, false
	}
	var pairs []rune
	switch sub := bare(tree.Sub[0]); sub.Op {
	case syntax.OpCharClass:
		pairs = sub.Rune
	case syntax.OpAnyChar:
		pairs = []rune{0, utf8.MaxRune}
	default:
		return nil, 0, 0, false
	}
	c = new(class)
	for i := 0; i < len(pairs); i += 2 {
		lo, hi := pairs[i], pairs[i+1]
		for r := lo; r <= min(hi, utf8.RuneSelf-1); r++ {
			c.ascii[r>>6] |= 1 << (uint(r) & 63)
		}
		if hi >= utf8.RuneSelf {
			c.ranges = append(c.ranges, max(lo, utf8.RuneSelf), hi)
		}
	}
	return c, low, high, true
}
