package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// list are the survivors that are known: the reason by the key of the mutant.
type list map[string]string

// parseList reads paragraphs: a reason, on one or more lines, then the keys of the mutants that it holds for, each after a tab. A line
// that begins with "#" is a comment. The key "p.f: *" holds for every mutant of the function f.
func parseList(text string) (list, error) {
	known := list{}
	reason, keys := "", 0
	for i, line := range strings.Split(text, "\n") {
		key, isKey := strings.CutPrefix(line, "\t")
		switch {
		case strings.HasPrefix(line, "#"):
		case strings.TrimSpace(line) == "":
			if reason != "" && keys == 0 {
				return nil, fmt.Errorf("%d: a reason without mutants", i)
			}
			reason, keys = "", 0
		case isKey && reason == "":
			return nil, fmt.Errorf("%d: a mutant without a reason", i+1)
		case isKey && known[key] != "":
			return nil, fmt.Errorf("%d: listed twice: %s", i+1, key)
		case isKey:
			known[key] = reason
			keys++
		case keys > 0:
			return nil, fmt.Errorf("%d: an empty line is missing before a reason", i+1)
		default:
			reason = strings.TrimSpace(reason + " " + strings.TrimSpace(line))
		}
	}
	return known, nil
}

// reason is why it is no gap that m survives, "" if the list does not say. whole: it says so of the whole function.
func (l list) reason(m *mutant) (reason string, whole bool) {
	if reason = l[m.key()]; reason != "" {
		return reason, false
	}
	return l[m.functionKey()], true
}

func (l list) sorted() []string { return slices.Sorted(maps.Keys(l)) }
