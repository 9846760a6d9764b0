package policy

import "fmt"

// Code says what kind of refusal an Error is.
type Code string

const (
	// MalformedPolicyDocument means that AWS refuses the document too, with this code and Error.Message (docs/spec/policy-language.md 12.1).
	MalformedPolicyDocument Code = "MalformedPolicyDocument"
	// Unsupported means that the Kind is none.
	Unsupported Code = "Unsupported"
)

// Error is every error of this package.
type Error struct {
	Code    Code
	Message string // for the caller of the API, exactly as docs/spec/policy-language.md 12 has it where Code is MalformedPolicyDocument
	Detail  string // what is wrong in our own words, for logs, editors and the command line; may be empty
	Offset  int    // byte offset in the text where the fault was seen; -1 when it belongs to the whole document
}

// Error is the message, and the detail where there is one.
func (e *Error) Error() string {
	s := string(e.Code) + ": " + e.Message
	if e.Detail != "" {
		s += " (" + e.Detail
		if e.Offset >= 0 {
			s += fmt.Sprintf(" at byte %d", e.Offset)
		}
		s += ")"
	}
	return s
}

const messageSyntax = "Syntax errors in policy."

func syntaxError(offset int, format string, args ...any) *Error {
	return &Error{Code: MalformedPolicyDocument, Message: messageSyntax, Detail: fmt.Sprintf(format, args...), Offset: offset}
}

func malformed(offset int, message string) *Error {
	return &Error{Code: MalformedPolicyDocument, Message: message, Offset: offset}
}
