package simulate

import "unicode/utf8"

// cursor walks a text once, from place to place.
type cursor struct {
	text string
	at   int // bytes read
	Position
}

func newCursor(text string) cursor { return cursor{text: text, Position: Position{1, 1}} }

// to goes on to a byte offset, which is not before the last one.
func (c *cursor) to(offset int) Position {
	for c.at < offset && c.at < len(c.text) {
		r, n := utf8.DecodeRuneInString(c.text[c.at:])
		c.at += n
		switch {
		case r == '\n':
			c.Line, c.Column = c.Line+1, 1
		case r > 0xffff:
			c.Column += 2
		default:
			c.Column++
		}
	}
	return c.Position
}
