package simulate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// contextTypes are the types of a context entry (docs/spec/evaluation.md 11.1), each with an operator that reads its values; one that ends in List
// makes the key multi-valued.
var contextTypes = map[string]string{
	"string": "", "numeric": "NumericEquals", "boolean": "Bool", "ip": "IpAddress", "binary": "BinaryEquals", "date": "DateEquals",
}

// TypedEntry is a key of the context with values of a type: string, numeric, boolean, ip, binary, date, or one of these and List. It refuses what is
// no key, no type, a value that is none of the type, and several values of a type that is no list. Without values the key is absent.
func TypedEntry(key, typ string, values []string) (policy.Entry, error) {
	single, list := strings.CutSuffix(typ, "List")
	operator, ok := contextTypes[single]
	name, tag, tagged := strings.Cut(key, "/") // tag keys may have any character
	switch colon := strings.IndexByte(name, ':'); {
	case colon <= 0 || colon == len(name)-1 || strings.ContainsAny(name, "*?$ \t\n") || tagged && tag == "":
		return policy.Entry{}, fmt.Errorf("%q is not the name of a condition key", key)
	case !ok:
		return policy.Entry{}, fmt.Errorf("%q is not a type of values", typ)
	case !list && len(values) > 1:
		return policy.Entry{}, fmt.Errorf("%s has %d values: its type would have to be %sList", key, len(values), typ)
	}
	for _, v := range values {
		if operator != "" && !readBy(operator, v) {
			return policy.Entry{}, fmt.Errorf("%q is not a value of the type %s, which %s has", v, single, key)
		}
	}
	return policy.Entry{Key: key, Values: values, Multi: list}, nil
}

// readBy says whether an operator can compare the value, which package policy knows: a value that it reads equals itself.
func readBy(operator, value string) bool {
	const key = "simulate:value"
	text, err := json.Marshal(value)
	if err != nil {
		return false
	}
	d, err := policy.Decode(fmt.Sprintf(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"%s":{"%s":%s}}}}`, operator, key, text), policy.Identity)
	if err != nil {
		return false
	}
	compiled, err := policy.Compile(d)
	if err != nil {
		return false
	}
	sets := policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller}, Identity: policy.NewSet(&policy.Attached{Policy: compiled})}
	request := policy.Request{Action: "simulate:Read", Resource: "*", Context: []policy.Entry{{Key: key, Values: []string{value}}}}
	return policy.Decide(&sets, &request).Effect == policy.Allow
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
