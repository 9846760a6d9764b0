package policy

import (
	"strings"
	"unicode/utf8"
)

// ConditionVerdict is a condition that does not hold. The lists are bounded: of each the first 100 values, of each value 1 KiB, and of one
// Explanation 256 KiB, where each value counts 64 bytes more than it has; Cut says that something was left out.
type ConditionVerdict struct {
	Operator string // as written: "ForAnyValue:StringLikeIfExists"
	Key      string // as written
	// Expected are the policy's values. Variables are replaced by what they stand for; one that stands for nothing is shown as written.
	// "${*}", "${?}" and "${$}" are shown as written where "*" and "?" are wildcards, else as the character that is meant.
	Expected []string
	Seen     []string // the values of the request; nil where the key is absent
	Cut      bool
}

// The bounds of what conditions show.
const (
	maxShown     = 100
	maxShownText = 1 << 10
	maxShownAll  = 256 << 10
)

// condition is the verdict on condition j of the statement; e is the entry for its key.
func (x *explainer) condition(v *StatementVerdict, j int, e *Entry) *ConditionVerdict {
	d := x.e.document(v.Policy.Policy)
	c := &d.Statements[v.Statement].Conditions[j]
	out := &ConditionVerdict{Operator: c.Name, Key: c.Key}
	replace := d.Variables() && c.Operator.takesVariables()
	out.Expected = x.show(c.Values, &out.Cut, func(text string) string {
		if !replace {
			return text
		}
		return x.resolve(text, c.Operator.positive() == StringLike || c.Operator.positive() == ArnLike)
	})
	if e != nil {
		out.Seen = x.show(e.Values, &out.Cut, func(text string) string { return text })
	}
	return out
}

// show lists texts within the bounds. It is never nil.
func (x *explainer) show(texts []string, cut *bool, say func(string) string) []string {
	if len(texts) > maxShown {
		texts, *cut = texts[:maxShown], true
	}
	var out []string
	for _, text := range texts {
		if x.shown >= maxShownAll {
			*cut = true
			break
		}
		text = say(text)
		if len(text) > maxShownText {
			text, *cut = text[:wholeRunes(text, maxShownText)], true
		}
		x.shown += len(text) + valueOverhead
		out = append(out, text)
	}
	if out == nil {
		out = []string{}
	}
	return out
}

// wholeRunes is the most bytes of a longer text, n at most, that end between two characters.
func wholeRunes(text string, n int) int {
	for !utf8.RuneStart(text[n]) {
		n--
	}
	return n
}

// takesVariables says whether variables work in the operator's values (docs/spec/policy-language.md 3.4).
func (o Operator) takesVariables() bool {
	switch o.positive() {
	case StringEquals, StringEqualsIgnoreCase, StringLike, ArnLike, Bool:
		return true
	}
	return false
}

// resolve replaces the variables of a value of a 2012 document, up to a length that is cut anyway. wild says that "*" and "?" are wildcards.
func (x *explainer) resolve(text string, wild bool) string {
	var b strings.Builder
	last := strings.LastIndexByte(text, '}')
	for i := 0; i < len(text) && b.Len() <= maxShownText; i++ {
		token := tokenAt(text, i, last)
		if token == "" {
			b.WriteByte(text[i])
			continue
		}
		i += len(token) - 1
		b.WriteString(x.token(token, wild))
	}
	return b.String()
}

// token is what the token "${…}" stands for.
func (x *explainer) token(token string, wild bool) string {
	if c, ok := escapedByte(token); ok {
		if wild {
			return token
		}
		return string(c)
	}
	p := parseVariable(token[2 : len(token)-1])
	if v, ok := p.value(&x.q); ok {
		return v
	}
	return token
}
