package catalog

import (
	"iter"
	"strings"
)

// Expand walks the actions that a pattern of a policy's Action element matches, by prefix and name (docs/spec/policy-language.md 5). A pattern
// without wildcards in its prefix opens one service only; "*" opens all.
func (c *Catalog) Expand(pattern string) iter.Seq[*Action] {
	prefix, name := "*", "*"
	if pattern != "*" {
		var ok bool
		if prefix, name, ok = strings.Cut(pattern, ":"); !ok {
			return func(func(*Action) bool) {}
		}
	}
	prefix, name = fold(prefix), fold(name)
	return func(yield func(*Action) bool) {
		for _, p := range c.prefixes {
			if !Match(prefix, p) {
				continue
			}
			for _, a := range c.Service(p).actions {
				if Match(name, fold(a.Name)) && !yield(a) {
					return
				}
			}
		}
	}
}

// Match says whether a text matches a pattern with "*" and "?". Case counts.
func Match(pattern, text string) bool {
	p, s := pattern, text // each run between stars is put at its leftmost place
	i, j := 0, 0
	star, from := -1, 0 // where to go on when the text after the last star does not fit
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}
