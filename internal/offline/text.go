package offline

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Position is a place in a text. Both count from 1, Line by \n and Column by UTF-16 code units, as editors do and SARIF does by default.
type Position struct{ Line, Column int }

// String is "line:column".
func (p Position) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Column) }

// positionOf is the place of a byte offset.
func positionOf(text string, offset int) Position {
	p := place{Position: Position{1, 1}}
	return p.to(text, offset)
}

// place goes through a text from one place to the next.
type place struct {
	Position
	at int // bytes passed
}

// to goes on to a byte offset, which is not before the last one.
func (p *place) to(text string, offset int) Position {
	offset = max(p.at, min(offset, len(text)))
	passed := text[p.at:offset]
	if n := strings.Count(passed, "\n"); n > 0 {
		p.Line += n
		p.Column = 1
		passed = passed[strings.LastIndexByte(passed, '\n')+1:]
	}
	for _, r := range passed {
		if r > 0xffff {
			p.Column++
		}
		p.Column++
	}
	p.at = offset
	return p.Position
}

// textFault is what is wrong with a JSON text, and where.
type textFault struct {
	offset  int
	message string
}

func (f *textFault) Error() string { return f.message }

func faultAt(offset int, format string, args ...any) error {
	return &textFault{offset, fmt.Sprintf(format, args...)}
}

// walker goes through a JSON text once and keeps nothing of it, so that a large or hostile text costs no more than its bytes. Its functions
// check the form of what they pass.
type walker struct {
	text  string
	at    int
	depth int
}

// newWalker refuses a text that is not UTF-8.
func newWalker(text string) (*walker, error) {
	if !utf8.ValidString(text) {
		i := 0
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		return nil, faultAt(i, "the text is not UTF-8")
	}
	return &walker{text: text}, nil
}

func (w *walker) space() {
	for w.at < len(w.text) {
		switch w.text[w.at] {
		case ' ', '\t', '\n', '\r':
			w.at++
		default:
			return
		}
	}
}

// peek is the next byte that is no white space, 0 at the end.
func (w *walker) peek() byte {
	w.space()
	if w.at < len(w.text) {
		return w.text[w.at]
	}
	return 0
}

func (w *walker) take(c byte) bool {
	if w.peek() != c {
		return false
	}
	w.at++
	return true
}

func (w *walker) expected(what string) error {
	w.space()
	if w.at == len(w.text) {
		return faultAt(w.at, "the text ends where %s is expected", what)
	}
	r, _ := utf8.DecodeRuneInString(w.text[w.at:])
	return faultAt(w.at, "%s is expected, not %q", what, r)
}

// end refuses what stands behind the value.
func (w *walker) end() error {
	if w.peek() != 0 || w.at < len(w.text) {
		return faultAt(w.at, "text after the end of the JSON value")
	}
	return nil
}

func (w *walker) down() error {
	if w.depth++; w.depth > maxDepth {
		return faultAt(w.at, "nested deeper than %d levels", maxDepth)
	}
	return nil
}

// object calls member for each member; member must pass its value. at is the offset of the name.
func (w *walker) object(member func(name string, at int) error) error {
	if !w.take('{') {
		return w.expected("an object")
	}
	if err := w.down(); err != nil {
		return err
	}
	defer func() { w.depth-- }()
	if w.take('}') {
		return nil
	}
	for {
		w.space()
		at := w.at
		name, err := w.string("a member's name")
		if err != nil {
			return err
		}
		if !w.take(':') {
			return w.expected(`":"`)
		}
		if err := member(name, at); err != nil {
			return err
		}
		if w.take('}') {
			return nil
		}
		if !w.take(',') {
			return w.expected(`"," or "}"`)
		}
	}
}

// array calls item for each item; item must pass it.
func (w *walker) array(item func(i int) error) error {
	if !w.take('[') {
		return w.expected("a list")
	}
	if err := w.down(); err != nil {
		return err
	}
	defer func() { w.depth-- }()
	if w.take(']') {
		return nil
	}
	for i := 0; ; i++ {
		if err := item(i); err != nil {
			return err
		}
		if w.take(']') {
			return nil
		}
		if !w.take(',') {
			return w.expected(`"," or "]"`)
		}
	}
}

// raw passes a string and returns its text with the quotation marks.
func (w *walker) raw(what string) (string, error) {
	if !w.take('"') {
		return "", w.expected(what)
	}
	start := w.at - 1
	for w.at < len(w.text) {
		switch c := w.text[w.at]; {
		case c == '"':
			w.at++
			return w.text[start:w.at], nil
		case c == '\\':
			w.at++
			if w.at < len(w.text) && !strings.ContainsRune(`"\/bfnrtu`, rune(w.text[w.at])) {
				return "", faultAt(w.at-1, "an escape that JSON does not have")
			}
		case c < 0x20:
			return "", faultAt(w.at, "a control character in a string")
		}
		w.at++
	}
	return "", faultAt(start, "a string without end")
}

// string passes a string and returns its value.
func (w *walker) string(what string) (string, error) {
	raw, err := w.raw(what)
	if err != nil {
		return "", err
	}
	if !strings.Contains(raw, `\`) {
		return raw[1 : len(raw)-1], nil
	}
	var s string
	if err := json.Unmarshal([]byte(raw), &s); err != nil {
		return "", faultAt(w.at-len(raw), "an escape that JSON does not have")
	}
	return s, nil
}

// skip passes any value.
func (w *walker) skip() error {
	switch c := w.peek(); {
	case c == '{':
		return w.object(func(string, int) error { return w.skip() })
	case c == '[':
		return w.array(func(int) error { return w.skip() })
	case c == '"':
		_, err := w.raw("a string")
		return err
	case c == '-' || c >= '0' && c <= '9', c == 't', c == 'f', c == 'n':
		start := w.at
		for w.at < len(w.text) && strings.IndexByte("+-.0123456789Eabcdefghijklmnopqrstuvwxyz", w.text[w.at]) >= 0 {
			w.at++
		}
		if word := w.text[start:w.at]; len(word) > 1000 || !json.Valid([]byte(word)) {
			w.at = start
			return w.expected("a value")
		}
		return nil
	}
	return w.expected("a value")
}

// value passes any value and returns its text.
func (w *walker) value() (text string, at int, err error) {
	w.space()
	at = w.at
	err = w.skip()
	return w.text[at:w.at], at, err
}
