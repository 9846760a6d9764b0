package policy

import (
	"fmt"
	"strings"
)

// Unsupported returns an *Error with code Unsupported that names the first element which is valid but not evaluated by this
// version, or nil. Such a document must not be stored: a skipped Deny is an Allow. Elements without effect, as an empty
// Condition, are no fault.
func (d *Document) Unsupported() error {
	if !d.Kind.identityGrammar() {
		return &Error{Code: Unsupported, Message: "This version of Gatehouse does not evaluate policies of the kind " + d.Kind.String() + ".", Offset: -1}
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		what := ""
		switch {
		case s.Principal != nil:
			what = choose(s.Principal.Not, "NotPrincipal", "Principal")
		case len(s.Conditions) > 0:
			what = fmt.Sprintf("Condition (%s on the key %s)", s.Conditions[0].Name, s.Conditions[0].Key)
		default:
			for _, r := range s.Resources {
				if d.Variables() && hasVariable(r) {
					what = fmt.Sprintf("policy variables (%s %s)", choose(s.NotResource, "NotResource", "Resource"), r)
					break
				}
			}
		}
		if what != "" {
			return &Error{
				Code:    Unsupported,
				Message: fmt.Sprintf("This version of Gatehouse does not evaluate %s, which statement %d of the policy has.", what, i+1),
				Offset:  s.Start,
			}
		}
	}
	return nil
}

// hasVariable says whether a Resource value of a 2012 document has a policy variable after its fifth colon: a token "${…}" that is
// none of the three escapes (docs/spec/policy-language.md 3.2, 3.4).
func hasVariable(r string) bool {
	tail := r[tailOffset(r):]
	for {
		open := strings.Index(tail, "${")
		if open < 0 {
			return false
		}
		length := strings.IndexByte(tail[open:], '}')
		if length < 0 {
			return false // no closing brace: literal text
		}
		if _, ok := escapedByte(tail[open : open+length+1]); !ok {
			return true
		}
		tail = tail[open+length+1:]
	}
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
