package offline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Key is a context key of a question. One without values is absent, also where the caller implies it.
type Key struct {
	Name   string
	Values []string
	Multi  bool // the key may have several values
}

// ParseKey reads "KEY=VALUE", or "KEY=[a,b]" for a key that may have several values. "KEY=[]" is an absent key. Within brackets values are
// separated by commas; white space around them is not theirs.
func ParseKey(s string) (Key, error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return Key{}, fmt.Errorf("context %q has not the form KEY=VALUE", clip(s))
	}
	if !strings.Contains(name, ":") {
		return Key{}, fmt.Errorf("context key %q has no prefix such as aws: or s3:", clip(name))
	}
	inner, isList := strings.CutPrefix(value, "[")
	if !isList {
		return Key{Name: name, Values: []string{value}}, nil
	}
	inner, closed := strings.CutSuffix(inner, "]")
	if !closed {
		return Key{}, fmt.Errorf("context %q: the list has no \"]\" at its end", clip(s))
	}
	k := Key{Name: name, Multi: true}
	if strings.TrimSpace(inner) == "" {
		return k, nil
	}
	for v := range strings.SplitSeq(inner, ",") {
		k.Values = append(k.Values, strings.TrimSpace(v))
	}
	return k, nil
}

// entry is the key for a decision.
func (k Key) entry() policy.Entry { return policy.Entry{Key: k.Name, Values: k.Values, Multi: k.Multi} }

// entries are the keys for a decision.
func entries(keys []Key) []policy.Entry {
	out := make([]policy.Entry, len(keys))
	for i, k := range keys {
		out[i] = k.entry()
	}
	return out
}

// over lays keys over those of a suite: one that is given replaces that of the same name.
func over(keys, base []Key) []Key {
	out := slices.DeleteFunc(slices.Clone(base), func(b Key) bool {
		return slices.ContainsFunc(keys, func(k Key) bool { return policy.SameKey(k.Name, b.Name) })
	})
	return append(out, keys...)
}
