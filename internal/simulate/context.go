package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// contextTypes are the types of a context entry (docs/spec/evaluation.md 11.1), each with an operator that reads its values; one that ends in List
// makes the key multi-valued.
var contextTypes = map[string]policy.Operator{
	"string": policy.StringEquals, "numeric": policy.NumericEquals, "boolean": policy.Bool,
	"ip": policy.IPAddress, "binary": policy.BinaryEquals, "date": policy.DateEquals,
}

// TypedEntry is a key of the context with values of a type: string, numeric, boolean, ip, binary, date, or one of these and List. It refuses what is
// no key, no type, a value that is none of the type, and several values of a type that is no list. Without values the key is absent.
func TypedEntry(key, typ string, values []string) (policy.Entry, error) {
	single, list := strings.CutSuffix(typ, "List")
	operator, ok := contextTypes[single]
	switch colon := strings.IndexByte(key, ':'); {
	case colon <= 0 || colon == len(key)-1 || strings.ContainsAny(key, "*?$ \t\n"):
		return policy.Entry{}, fmt.Errorf("%q is not the name of a condition key", key)
	case !ok:
		return policy.Entry{}, fmt.Errorf("%q is not a type of values", typ)
	case !list && len(values) > 1:
		return policy.Entry{}, fmt.Errorf("%s has %d values: its type would have to be %sList", key, len(values), typ)
	}
	for _, v := range values {
		if !operator.Reads(v) {
			return policy.Entry{}, fmt.Errorf("%q is not a value of the type %s, which %s has", v, single, key)
		}
	}
	return policy.Entry{Key: key, Values: values, Multi: list}, nil
}

// Overlay is a context with the given entries in the place of those for the same keys.
func Overlay(context []policy.Entry, given ...policy.Entry) []policy.Entry {
	out := make([]policy.Entry, 0, len(context)+len(given))
	out = append(out, given...)
	for i := range context {
		if !slices.ContainsFunc(given, func(g policy.Entry) bool { return policy.SameKey(g.Key, context[i].Key) }) {
			out = append(out, context[i])
		}
	}
	return out
}
