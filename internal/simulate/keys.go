package simulate

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// ContextKeys are the context keys that the policies read, in conditions and in variables (docs/spec/evaluation.md 11.4): as they are spelled
// first, each once without regard to case, in the order in which they appear.
func ContextKeys(policies ...*policy.Policy) []string {
	keys := []string{}
	seen := make(map[string]bool)
	for _, p := range policies {
		for _, key := range keysOf(p) {
			if folded := strings.ToLower(key); !seen[folded] {
				seen[folded] = true
				keys = append(keys, key)
			}
		}
	}
	return keys
}

// keysOf are the keys of one policy in the order of its text.
func keysOf(p *policy.Policy) []string {
	if !p.UsesContext() {
		return nil
	}
	text := p.Text()
	type found struct {
		key string
		at  int
	}
	var list []found
	for key := range p.ContextKeys() {
		list = append(list, found{key, min(before(text, `"`+key+`"`), before(text, "${"+key))})
	}
	slices.SortStableFunc(list, func(a, b found) int { return cmp.Compare(a.at, b.at) })
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = list[i].key
	}
	return keys
}

// before is the place of sub in text; one that is written with escapes comes last.
func before(text, sub string) int {
	if i := strings.Index(text, sub); i >= 0 {
		return i
	}
	return math.MaxInt
}
