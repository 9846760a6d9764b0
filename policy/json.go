package policy

import (
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting. The deepest valid document (a value in a list under a key, under an operator, under a Condition)
// has depth 7.
const maxDepth = 16

// A scanner of our own, because encoding/json keeps the last of two equal member names without a word, replaces broken
// UTF-16 escapes, and gives no positions; a policy must be refused in the first two cases (docs/spec/policy-language.md 2) and needs
// the third for the simulator.

type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeNumber
	nodeString
	nodeArray
	nodeObject
)

var nodeNames = [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}

func (k nodeKind) String() string { return nodeNames[k] }

// node is one JSON value with its place in the text.
type node struct {
	kind       nodeKind
	start, end int    // text[start:end] is the value
	text       string // nodeString: decoded; nodeNumber, nodeBool: the source text
	inner      *inner // nodeArray and nodeObject that are not empty
}

// inner is kept apart because a document may be one long list of the shortest values.
type inner struct {
	items   []node
	members []member
}

// items are the values of an array.
func (n *node) items() []node {
	if n.inner == nil {
		return nil
	}
	return n.inner.items
}

// members are those of an object, in the order of the text.
func (n *node) members() []member {
	if n.inner == nil {
		return nil
	}
	return n.inner.members
}

type member struct {
	name  string
	at    int // offset of the name's opening quote
	value node
}

type scanner struct {
	text string
	pos  int
}

// scanJSON reads one RFC 8259 value that fills the text. It refuses duplicate member names, invalid UTF-8, unpaired surrogate
// escapes and nesting over maxDepth. Strings without escapes share memory with text.
func scanJSON(text string) (node, *Error) {
	if !utf8.ValidString(text) {
		return node{}, syntaxError(invalidUTF8(text), "the text is not UTF-8")
	}
	s := scanner{text: text}
	s.space()
	n, err := s.value(0)
	if err != nil {
		return node{}, err
	}
	s.space()
	if s.pos != len(text) {
		return node{}, syntaxError(s.pos, "text after the end of the document")
	}
	return n, nil
}

func invalidUTF8(text string) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func (s *scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end. A NUL in the text is no valid token either, so the two need no distinction.
func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) value(depth int) (node, *Error) {
	if depth > maxDepth {
		return node{}, syntaxError(s.pos, "nested deeper than %d levels", maxDepth)
	}
	n := node{start: s.pos}
	var err *Error
	switch c := s.peek(); {
	case c == '{':
		n.kind = nodeObject
		var list []member
		if list, err = s.object(depth); list != nil {
			n.inner = &inner{members: list}
		}
	case c == '[':
		n.kind = nodeArray
		var list []node
		if list, err = s.array(depth); list != nil {
			n.inner = &inner{items: list}
		}
	case c == '"':
		n.kind = nodeString
		n.text, err = s.string()
	case c == '-' || c >= '0' && c <= '9':
		n.kind = nodeNumber
		err = s.number()
		n.text = s.text[n.start:s.pos]
	case s.word("true"), s.word("false"):
		n.kind = nodeBool
		n.text = s.text[n.start:s.pos]
	case s.word("null"):
		n.kind = nodeNull
	case s.pos == len(s.text):
		err = syntaxError(s.pos, "unexpected end of the text")
	default:
		err = syntaxError(s.pos, "unexpected character %q", firstRune(s.text[s.pos:]))
	}
	n.end = s.pos
	return n, err
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func (s *scanner) word(w string) bool {
	if !strings.HasPrefix(s.text[s.pos:], w) {
		return false
	}
	s.pos += len(w)
	return true
}

func (s *scanner) object(depth int) ([]member, *Error) {
	s.pos++
	s.space()
	if s.peek() == '}' {
		s.pos++
		return nil, nil
	}
	var members []member
	var seen map[string]bool // only for large objects; small ones are compared one by one
	for {
		if s.peek() != '"' {
			return nil, syntaxError(s.pos, "expected a member name")
		}
		m := member{at: s.pos}
		var err *Error
		if m.name, err = s.string(); err != nil {
			return nil, err
		}
		if duplicateMember(members, &seen, m.name) {
			return nil, syntaxError(m.at, "member %q occurs twice", m.name)
		}
		s.space()
		if s.peek() != ':' {
			return nil, syntaxError(s.pos, "expected ':' after a member name")
		}
		s.pos++
		s.space()
		if m.value, err = s.value(depth + 1); err != nil {
			return nil, err
		}
		members = append(doubled(members), m)
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
			s.space()
		case '}':
			s.pos++
			return members, nil
		default:
			return nil, syntaxError(s.pos, "expected ',' or '}' in an object")
		}
	}
}

func duplicateMember(members []member, seen *map[string]bool, name string) bool {
	if len(members) < 16 {
		for i := range members {
			if members[i].name == name {
				return true
			}
		}
		return false
	}
	if *seen == nil {
		*seen = make(map[string]bool, 2*len(members))
		for i := range members {
			(*seen)[members[i].name] = true
		}
	}
	if (*seen)[name] {
		return true
	}
	(*seen)[name] = true
	return false
}

func (s *scanner) array(depth int) ([]node, *Error) {
	s.pos++
	s.space()
	if s.peek() == ']' {
		s.pos++
		return nil, nil
	}
	var items []node
	for {
		n, err := s.value(depth + 1)
		if err != nil {
			return nil, err
		}
		items = append(doubled(items), n)
		s.space()
		switch s.peek() {
		case ',':
			s.pos++
			s.space()
		case ']':
			s.pos++
			return items, nil
		default:
			return nil, syntaxError(s.pos, "expected ',' or ']' in an array")
		}
	}
}

// doubled is s with room for one more. append grows long slices by a quarter, which for hostile documents allocates several times
// what is kept.
func doubled[T any](s []T) []T {
	if len(s) < cap(s) {
		return s
	}
	return slices.Grow(s, max(4, len(s)))
}

// number follows RFC 8259: no leading zeros, no plus sign, digits on both sides of the point.
func (s *scanner) number() *Error {
	start := s.pos
	if s.peek() == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
	} else if !s.digits() {
		return syntaxError(start, "malformed number")
	}
	if s.peek() == '.' {
		s.pos++
		if !s.digits() {
			return syntaxError(start, "malformed number")
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return syntaxError(start, "malformed number")
		}
	}
	return nil
}

func (s *scanner) digits() bool {
	start := s.pos
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.pos++
	}
	return s.pos > start
}

func (s *scanner) string() (string, *Error) {
	open := s.pos
	s.pos++
	start := s.pos
	for {
		switch c := s.peek(); {
		case c == '"':
			out := s.text[start:s.pos]
			s.pos++
			return out, nil
		case c == '\\':
			return s.escapedString(open, start)
		case s.pos == len(s.text):
			return "", syntaxError(open, "string without end")
		case c < 0x20:
			return "", syntaxError(s.pos, "control character in a string")
		}
		s.pos++
	}
}

// escapedString goes on from the first backslash; text[start:pos] has none.
func (s *scanner) escapedString(open, start int) (string, *Error) {
	var b strings.Builder
	for {
		switch c := s.peek(); {
		case c == '"':
			b.WriteString(s.text[start:s.pos])
			s.pos++
			return b.String(), nil
		case c == '\\':
			b.WriteString(s.text[start:s.pos])
			r, err := s.escape()
			if err != nil {
				return "", err
			}
			b.WriteRune(r)
			start = s.pos
			continue
		case s.pos == len(s.text):
			return "", syntaxError(open, "string without end")
		case c < 0x20:
			return "", syntaxError(s.pos, "control character in a string")
		}
		s.pos++
	}
}

func (s *scanner) escape() (rune, *Error) {
	at := s.pos
	s.pos++
	c := s.peek()
	s.pos++
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		r, ok := s.hex4()
		if !ok {
			return 0, syntaxError(at, "malformed \\u escape")
		}
		if !utf16.IsSurrogate(r) {
			return r, nil
		}
		if s.word(`\u`) {
			if low, ok := s.hex4(); ok {
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					return r, nil
				}
			}
		}
		return 0, syntaxError(at, "unpaired surrogate in a \\u escape")
	}
	return 0, syntaxError(at, "unknown escape in a string")
}

func (s *scanner) hex4() (rune, bool) {
	if len(s.text)-s.pos < 4 {
		return 0, false
	}
	var r rune
	for range 4 {
		r <<= 4
		switch c := s.text[s.pos]; {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			r |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			r |= rune(c-'A') + 10
		default:
			return 0, false
		}
		s.pos++
	}
	return r, true
}
