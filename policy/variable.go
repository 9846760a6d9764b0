package policy

import (
	"strings"
	"unicode"
	"unsafe"
)

// template is a text of a 2012 document cut at its policy variables (docs/spec/policy-language.md 3). Its first part is always text,
// perhaps empty.
type template struct {
	parts   []part
	changed bool // there was an escape or a variable; without, the text stands for itself and parts for nothing
}

// part is either text, with escapes resolved, or a variable. Text that may have wildcards has them as escapedWildcards, which
// no value of a variable can hold.
type part struct {
	text       string // the text; of a variable its default
	key        contextKey
	variable   bool
	hasDefault bool
	unresolved bool // a token that can never have a value
}

// parseTemplate reads the tokens of text that begin at from or later. wild says that "*" and "?" outside of tokens are wildcards.
func parseTemplate(text string, from int, wild bool) template {
	var t template
	var b strings.Builder
	flush := func() {
		t.parts = append(t.parts, part{text: b.String()})
		b.Reset()
	}
	last := strings.LastIndexByte(text, '}')
	for i := 0; i < len(text); i++ {
		if token := tokenAt(text, i, last); i >= from && token != "" {
			i += len(token) - 1
			t.changed = true
			if c, ok := escapedByte(token); ok {
				b.WriteByte(c)
				continue
			}
			flush()
			t.parts = append(t.parts, parseVariable(token[2:len(token)-1]))
			continue
		}
		switch c := text[i]; {
		case wild && c == '*':
			b.WriteByte(escapedWildcards.star)
		case wild && c == '?':
			b.WriteByte(escapedWildcards.one)
		default:
			b.WriteByte(c)
		}
	}
	if b.Len() > 0 {
		flush()
	}
	return t
}

// tokenAt is the token "${…}" that begins at i, or "". last is the place of the last "}" in text: without looking for what is not
// there, a text of many "${" takes linear work.
func tokenAt(text string, i, last int) string {
	if i > last || !strings.HasPrefix(text[i:], "${") {
		return ""
	}
	return text[i : i+strings.IndexByte(text[i:], '}')+1]
}

// parseVariable takes what stands between "${" and "}".
func parseVariable(content string) part {
	key, rest, more := strings.Cut(content, ",")
	p := part{variable: true, key: newContextKey(key)}
	if key == "" || strings.ContainsFunc(key, unicode.IsSpace) {
		p.unresolved = true
	}
	if !more {
		return p
	}
	rest, opened := strings.CutPrefix(rest, " '")
	rest, closed := strings.CutSuffix(rest, "'")
	if !opened || !closed || strings.Contains(rest, "'") {
		p.unresolved = true
		return p
	}
	p.text, p.hasDefault = rest, true
	return p
}

// escapedByte is the character that the token "${*}", "${?}" or "${$}" stands for.
func escapedByte(token string) (byte, bool) {
	if len(token) == 4 {
		switch c := token[2]; c {
		case '*', '?', '$':
			return c, true
		}
	}
	return 0, false
}

// variables says whether the template has any.
func (t *template) variables() bool { return len(t.parts) > 1 }

type wildness uint8

const (
	wildNone wildness = iota
	wildEnd           // the only wildcard is a star at the end
	wildAny
)

// wild says where the template has wildcards.
func (t *template) wild() wildness {
	for i := range t.parts {
		text := t.parts[i].text
		first := escapedWildcards.first(text) // a default has none of these bytes
		switch {
		case first < 0:
		case i == len(t.parts)-1 && first == len(text)-1 && text[first] == escapedWildcards.star:
			return wildEnd
		default:
			return wildAny
		}
	}
	return wildNone
}

// value is docs/spec/policy-language.md 3.3: false means UNRESOLVED.
func (p *part) value(q *query) (string, bool) {
	if !p.variable {
		return p.text, true
	}
	if p.unresolved {
		return "", false
	}
	if e := q.find(&p.key); e != nil && !e.multi() && e.Values[0] != "" {
		return e.Values[0], true
	}
	return p.text, p.hasDefault
}

// begins compares part by part, for templates without wildcards but a star at the end: open says that there is one.
func (t *template) begins(s string, q *query, open bool) bool {
	for i := range t.parts {
		text, ok := t.parts[i].value(q)
		if !ok {
			return false
		}
		if open && i == len(t.parts)-1 {
			text = text[:len(text)-1]
		}
		if s, ok = strings.CutPrefix(s, text); !ok {
			return false
		}
	}
	return open || s == ""
}

// templateStack is the room for a text with its variables put in; longer ones are allocated.
const templateStack = 512

// expand appends the text with the values of its variables. It returns false if one is UNRESOLVED, or if the values are longer
// than limit in all: a template of many variables could grow without bounds.
func (t *template) expand(b []byte, q *query, limit int) ([]byte, bool) {
	for i := range t.parts {
		text, ok := t.parts[i].value(q)
		if !ok {
			return nil, false
		}
		if t.parts[i].variable {
			if limit -= len(text); limit < 0 {
				return nil, false
			}
		}
		b = append(b, text...)
	}
	return b, true
}

// borrow is the bytes as a string, without a copy. The bytes are not written to while the string is used.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
