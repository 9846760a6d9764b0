package policy

import "strings"

// actionForm is the shape of a value of Action or NotAction (docs/spec/policy-language.md 5).
type actionForm uint8

const (
	actionAll     actionForm = iota // "*"
	actionExact                     // no wildcard
	actionPrefix                    // the only wildcard is a "*" at the end
	actionGeneral                   // anything else
)

// actionFormOf takes "*" or "prefix:name" with one colon.
func actionFormOf(text string) actionForm {
	if text == "*" {
		return actionAll
	}
	switch i := strings.IndexAny(text, "*?"); {
	case i < 0:
		return actionExact
	case i == len(text)-1 && text[i] == '*':
		return actionPrefix
	}
	return actionGeneral
}

// matchAction takes a request action "prefix:name" and the place of its colon.
func matchAction(text string, form actionForm, action string, colon int) bool {
	switch form {
	case actionAll:
		return true
	case actionExact:
		return text == action || equalFold(text, action)
	case actionPrefix:
		n := len(text) - 1
		return len(action) >= n && (text[:n] == action[:n] || equalFold(text[:n], action[:n]))
	}
	c := strings.IndexByte(text, ':')
	return globFold(text[:c], action[:colon]) && globFold(text[c+1:], action[colon+1:])
}
