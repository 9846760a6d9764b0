package policy

import "strings"

// Unsupported returns an *Error with code Unsupported for a document of a kind that this version does not evaluate, or nil. Such a
// document must not be stored: a skipped Deny is an Allow.
func (d *Document) Unsupported() error {
	if d.Kind.identityGrammar() || d.Kind == Trust || d.Kind == Resource {
		return nil
	}
	return &Error{Code: Unsupported, Message: "This version of Gatehouse does not evaluate policies of the kind " + d.Kind.String() + ".", Offset: -1}
}

// tailOffset is the place after the fifth colon of r, or len(r) when there are fewer.
func tailOffset(r string) int {
	at := 0
	for range 5 {
		i := strings.IndexByte(r[at:], ':')
		if i < 0 {
			return len(r)
		}
		at += i + 1
	}
	return at
}
