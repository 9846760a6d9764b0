package policy

import "strings"

// actionPattern is one compiled value of Action or NotAction (docs/spec/policy-language.md 5).
type actionPattern struct {
	text  string // as in the document
	colon uint32
	form  actionForm
}

type actionForm uint8

const (
	actionAll     actionForm = iota // "*"
	actionExact                     // no wildcard
	actionPrefix                    // the only wildcard is a "*" at the end
	actionGeneral                   // anything else
)

// compileAction takes "*" or "prefix:name" with one colon.
func compileAction(text string) actionPattern {
	if text == "*" {
		return actionPattern{text: text, form: actionAll}
	}
	a := actionPattern{text: text, colon: uint32(strings.IndexByte(text, ':')), form: actionGeneral}
	switch i := strings.IndexAny(text, "*?"); {
	case i < 0:
		a.form = actionExact
	case i == len(text)-1 && text[i] == '*':
		a.form = actionPrefix
	}
	return a
}

// match takes a request action "prefix:name" and the place of its colon.
func (a *actionPattern) match(action string, colon int) bool {
	switch a.form {
	case actionAll:
		return true
	case actionExact:
		return equalFold(a.text, action)
	case actionPrefix:
		n := len(a.text) - 1
		return len(action) >= n && equalFold(a.text[:n], action[:n])
	}
	c := int(a.colon)
	return globFold(a.text[:c], action[:colon]) && globFold(a.text[c+1:], action[colon+1:])
}
