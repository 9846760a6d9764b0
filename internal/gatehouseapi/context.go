package gatehouseapi

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Bounds of the context that an asker gives. They leave room for what the store knows in policy.MaxContext and policy.MaxContextText, which a
// decision sees of both together, and bound the work of one question: every value may meet every value of the documents that come with it.
// The number of keys is bounded by the model.
const (
	maxContextText = 32 << 10 // bytes of all values, each counted as valueOverhead longer than it is
	valueOverhead  = 64
)

// contextOf reads the context: a text is a key with one value, a list of texts one that may have several.
func contextOf(in map[string]any) ([]policy.Entry, error) {
	entries := make([]policy.Entry, 0, len(in))
	size := 0
	for _, key := range slices.Sorted(maps.Keys(in)) {
		if authz.Reserved(key) {
			return nil, invalid("Context must not have %s: it follows from Principal and from the members about the resource.", key)
		}
		for _, e := range entries {
			if policy.SameKey(e.Key, key) && !strings.Contains(key, "/") { // tag keys that differ by case are several (docs/spec/policy-language.md 9.1)
				return nil, invalid("Context has %s and %s, which are one key.", e.Key, key)
			}
		}
		entry := policy.Entry{Key: key}
		switch value := in[key].(type) {
		case string:
			entry.Values = []string{value}
		case []any:
			entry.Multi = true
			for _, item := range value {
				text, ok := item.(string)
				if !ok {
					return nil, invalid("A value of the key %s in Context is not a string.", key)
				}
				entry.Values = append(entry.Values, text)
			}
		default:
			return nil, invalid("The value of the key %s in Context is neither a string nor a list of strings.", key)
		}
		for _, value := range entry.Values {
			if size += len(value) + valueOverhead; size > maxContextText {
				return nil, invalid("The values in Context have more than %d bytes, each counted %d longer than it is.", maxContextText, valueOverhead)
			}
		}
		entries = append(entries, entry)
	}
	return entries, nil
}
