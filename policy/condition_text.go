package policy

import (
	"strings"
	"unicode/utf8"
)

// textPattern is one value of a String, Arn, Bool or Binary operator.
type textPattern struct {
	text    string // without variables: the text, escapes resolved
	parts   []part // with variables; text is unused then
	escaped bool   // the wildcards are escapedWildcards
	wild    wildness
}

// newTextPattern compiles a value. Without wild, "*" and "?" are themselves.
func newTextPattern(text string, variables, wild bool) textPattern {
	if !variables || !strings.Contains(text, "${") {
		return textPattern{text: text, wild: plainWildness(text, wild)}
	}
	t := parseTemplate(text, 0, wild)
	switch {
	case t.variables():
		return textPattern{parts: t.parts, escaped: true, wild: t.wild()}
	case t.changed:
		return textPattern{text: t.parts[0].text, escaped: true, wild: t.wild()}
	}
	return textPattern{text: text, wild: plainWildness(text, wild)}
}

func plainWildness(text string, wild bool) wildness {
	i := strings.IndexAny(text, "*?")
	switch {
	case !wild || i < 0:
		return wildNone
	case i == len(text)-1 && text[i] == '*':
		return wildEnd
	}
	return wildAny
}

// match compares v by a positive operator: equality, but for StringLike and ArnLike, which use the wildcards.
func (p *textPattern) match(v string, o Operator, q *query) bool {
	switch {
	case o == StringEqualsIgnoreCase || o == Bool:
		return p.fold(v, o, q)
	case o == BinaryEquals:
		return matchBinary(v, p.text)
	case p.parts == nil:
		return p.matchPlain(v)
	}
	t := template{parts: p.parts}
	if p.wild != wildAny {
		return t.begins(v, q, p.wild == wildEnd)
	}
	var stack [templateStack]byte
	text, ok := t.expand(stack[:0], q, len(v)) // each byte of a value takes one of v
	return ok && escapedWildcards.glob(borrow(text), v)
}

func (p *textPattern) matchPlain(v string) bool {
	switch p.wild {
	case wildNone:
		return p.text == v
	case wildEnd:
		return strings.HasPrefix(v, p.text[:len(p.text)-1])
	}
	if p.escaped {
		return escapedWildcards.glob(p.text, v)
	}
	return plainWildcards.glob(p.text, v)
}

// fold compares without case: by Unicode simple folding for StringEqualsIgnoreCase, by ASCII for Bool.
func (p *textPattern) fold(v string, o Operator, q *query) bool {
	text := p.text
	var stack [templateStack]byte
	if p.parts != nil {
		t := template{parts: p.parts}
		b, ok := t.expand(stack[:0], q, utf8.UTFMax*len(v)) // a code point may fold to one of another length
		if !ok {
			return false
		}
		text = borrow(b)
	}
	if o == Bool {
		return equalFold(text, v)
	}
	return strings.EqualFold(text, v)
}

// matchBinary compares base64 texts by the bytes they stand for. canonical is as the encoder prints it.
func matchBinary(v, canonical string) bool {
	if v == canonical {
		return true
	}
	if len(v) != len(canonical) || v[:len(v)-4] != canonical[:len(v)-4] {
		return false
	}
	// What is left is an encoding whose unused bits are not zero.
	a, ok := decodeBase64(v)
	b, _ := decodeBase64(canonical)
	return ok && string(a) == string(b)
}

// arnPattern is one value of an Arn operator: six components (docs/spec/policy-language.md 10.4).
type arnPattern struct{ components []textPattern }

// compileArn cuts the value at its first five colons that stand outside of variables, so that no value of a variable can move
// the others to another component. It returns false for a value with fewer.
func compileArn(v string, variables bool) (arnPattern, bool) {
	a := arnPattern{components: make([]textPattern, 0, arnParts)}
	for len(a.components) < arnParts-1 {
		i := colonOutside(v, variables)
		if i < 0 {
			return arnPattern{}, false
		}
		a.components = append(a.components, newTextPattern(v[:i], variables, true))
		v = v[i+1:]
	}
	a.components = append(a.components, newTextPattern(v, variables, true))
	return a, true
}

const arnParts = 6

// colonOutside is the place of the first colon that is not inside a variable, or -1.
func colonOutside(v string, variables bool) int {
	last := -1
	if variables {
		last = strings.LastIndexByte(v, '}')
	}
	for i := 0; i < len(v); i++ {
		if token := tokenAt(v, i, last); token != "" {
			i += len(token) - 1
		} else if v[i] == ':' {
			return i
		}
	}
	return -1
}

func matchArn(v string, patterns []arnPattern, q *query) bool {
	var parts [arnParts]string
	for i := range arnParts - 1 {
		colon := strings.IndexByte(v, ':')
		if colon < 0 {
			return false
		}
		parts[i], v = v[:colon], v[colon+1:]
	}
	parts[arnParts-1] = v
	for i := range patterns {
		if patterns[i].match(&parts, q) {
			return true
		}
	}
	return false
}

func (a *arnPattern) match(parts *[arnParts]string, q *query) bool {
	for i := range a.components {
		if !a.components[i].match(parts[i], ArnLike, q) {
			return false
		}
	}
	return true
}
