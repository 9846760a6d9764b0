package keyring

import (
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is text that must not reach a log, an error or an answer by accident: every fmt verb, log/slog and the encoders that honour
// encoding.TextMarshaler (JSON, XML) write "[redacted]". Only Reveal gives the text.
//
// The zero Secret is the empty text. Secrets are compared with Equal; the == operator does not compile.
type Secret struct {
	// A pointer, not a string: fmt cannot call methods on unexported fields of other structs, and would print a string found there.
	text *string
	_    [0]func()
}

// NewSecret makes a Secret of text.
func NewSecret(text string) Secret { return Secret{text: &text} }

// Reveal gives the text. Every call is a place to review.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Len is the length in bytes.
func (s Secret) Len() int { return len(s.Reveal()) }

// Equal compares in time that depends on the lengths only.
func (s Secret) Equal(t Secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(t.Reveal())) == 1
}

func (s Secret) String() string               { return redacted }
func (s Secret) GoString() string             { return redacted }
func (s Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
