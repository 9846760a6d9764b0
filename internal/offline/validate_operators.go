package offline

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// family is what an operator compares, as the types of keys are called; "" for Null, which compares nothing.
func family(o policy.Operator) string {
	switch {
	case o <= policy.StringNotLike:
		return "String"
	case o <= policy.NumericGreaterThanEquals:
		return "Numeric"
	case o <= policy.DateGreaterThanEquals:
		return "Date"
	case o == policy.Bool:
		return "Bool"
	case o == policy.BinaryEquals:
		return "Binary"
	case o <= policy.NotIPAddress:
		return "IPAddress"
	case o <= policy.ArnNotLike:
		return "ARN"
	}
	return ""
}

// fitting are the families of operators that can hold of a key of a type, the right one first. Texts are tolerated where AWS's values have one
// spelling, and a date may be a number of seconds. A key of the type String may have a value of any form: a tag.
var fitting = map[string][]string{
	"Numeric": {"Numeric", "Date"}, "Date": {"Date", "Numeric"}, "Bool": {"Bool", "String"}, "IPAddress": {"IPAddress"},
	"ARN": {"ARN", "String"}, "Binary": {"Binary", "String"},
}

// operatorWords are the operators of a family.
var operatorWords = map[string]string{
	"Numeric": "the operators Numeric… do", "Date": "the operators Date… do", "Bool": "Bool does", "IPAddress": "IpAddress and NotIpAddress do",
	"ARN": "the operators Arn… do", "Binary": "BinaryEquals does",
}

// negated are the operators that hold of an absent key with and without ForAllValues.
var negated = []policy.Operator{
	policy.StringNotEquals, policy.StringNotEqualsIgnoreCase, policy.StringNotLike, policy.NumericNotEquals, policy.DateNotEquals, policy.NotIPAddress,
	policy.ArnNotEquals, policy.ArnNotLike,
}

// operator checks that the operator over a key fits the key's type, and its number of values (docs/spec/policy-language.md 10, 11).
func (v *validator) operator(s *statement, k *conditionKey, services []*catalog.Service) {
	c, ok := v.operators[k.operator]
	if !ok {
		return
	}
	compares := family(c.Operator)
	if compares == "" {
		switch c.Set {
		case policy.ForAllValues:
			v.find(RuleSetOperator, k.at, "%s is always true", clip(k.operator))
		case policy.ForAnyValue:
			v.find(RuleSetOperator, k.at, "%s is always false", clip(k.operator))
		}
		return
	}
	kind := v.keyType(k.value, services)
	if kind == "" {
		return
	}
	one, many := strings.CutPrefix(kind, "ArrayOf")
	if fits := fitting[one]; fits != nil && !slices.Contains(fits, compares) {
		v.find(RuleOperatorType, k.at, "%s does not fit the condition key %s, which is of the type %s: %s", clip(k.operator), clip(k.value), kind, operatorWords[fits[0]])
	}
	switch {
	case many && c.Set == policy.SetNone:
		v.find(RuleSetOperator, k.at, "the condition key %s has many values: without ForAllValues or ForAnyValue, %s is false whenever a request has it",
			clip(k.value), clip(k.operator))
	case !many && c.Set == policy.ForAllValues && !c.IfExists && !slices.Contains(negated, c.Operator) && !v.present(s, k.value):
		v.find(RuleSetOperator, k.at, "the condition key %s has one value: %s is true as well whenever a request does not have it", clip(k.value), clip(k.operator))
	}
}

// keyType is the type of a key, "" where it is not known for certain: some services have a key of another type.
func (v *validator) keyType(key string, services []*catalog.Service) string {
	v.work += matchWork * len(services)
	known, ok := v.catalog.Key(key)
	if !ok || v.work > maxWork {
		return ""
	}
	for _, s := range services {
		for _, k := range s.Keys() {
			if k.Type != known.Type && k.Match(key) {
				return ""
			}
		}
	}
	return known.Type
}

// present says whether the statement asks besides, with Null, that a request has the key.
func (v *validator) present(s *statement, key string) bool {
	return slices.ContainsFunc(s.keys, func(k conditionKey) bool {
		c := v.operators[k.operator]
		return c.Operator == policy.Null && c.Set == policy.SetNone && policy.SameKey(k.value, key) &&
			!slices.ContainsFunc(k.values, func(e element) bool { return strings.EqualFold(e.value, "true") })
	})
}

// servicesOf are the services of the actions, each once.
func servicesOf(actions []*catalog.Action) []*catalog.Service {
	var list []*catalog.Service
	seen := map[*catalog.Service]bool{}
	for _, a := range actions {
		if !seen[a.Service] {
			seen[a.Service] = true
			list = append(list, a.Service)
		}
	}
	return list
}
