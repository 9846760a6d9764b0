package reference

import (
	"strings"
	"unicode"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// piece is a part of a policy value after chapter 3: text of the policy, in which wildcards may work, or text that was put in, in which
// nothing works.
type piece struct {
	text    string
	literal bool
}

// plain is a value in which chapter 3 has no say.
func plain(value string) []piece { return []piece{{text: value}} }

// expand is chapter 3: the value with its variables and escapes replaced. It is false when a variable is UNRESOLVED.
func expand(value string, context []policy.Entry) ([]piece, bool) {
	var out []piece
	for {
		open := strings.Index(value, "${")
		if open < 0 {
			break
		}
		length := strings.Index(value[open:], "}")
		if length < 0 {
			break // 3.2.1: no closing brace, the characters are literal
		}
		out = append(out, piece{text: value[:open]})
		inside := value[open+2 : open+length]
		value = value[open+length+1:]
		text, ok := resolve(inside, context)
		if !ok {
			return nil, false
		}
		out = append(out, piece{text: text, literal: true})
	}
	return append(out, piece{text: value}), true
}

// resolve gives the text that a token's inside stands for.
func resolve(inside string, context []policy.Entry) (string, bool) {
	if inside == "*" || inside == "?" || inside == "$" {
		return inside, true
	}
	key, fallback, hasComma := strings.Cut(inside, ",")
	if key == "" || strings.IndexFunc(key, unicode.IsSpace) >= 0 { // 3.2.2
		return "", false
	}
	hasDefault := false
	if hasComma { // 3.2.3
		n := len(fallback)
		if n < 3 || fallback[:2] != " '" || fallback[n-1] != '\'' {
			return "", false
		}
		fallback = fallback[2 : n-1]
		if strings.Contains(fallback, "'") {
			return "", false
		}
		hasDefault = true
	}
	if k := lookup(context, key); k.present && !k.multi && k.values[0] != "" { // 3.3
		return k.values[0], true
	}
	return fallback, hasDefault
}

// text joins the pieces for operators that know no wildcards.
func text(pieces []piece) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.text)
	}
	return b.String()
}
