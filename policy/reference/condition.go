package reference

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// key is what the request says of one condition key.
type key struct {
	present bool
	multi   bool // declared to have several values
	values  []string
}

// lookup is chapter 9.1 and 11.1.
func lookup(context []policy.Entry, name string) key {
	for _, prefix := range []string{"aws:ResourceTag/", "aws:RequestTag/", "aws:PrincipalTag/"} {
		if foldEqual(name, prefix) {
			return key{} // 9.1.3: no tag key
		}
	}
	var found *policy.Entry
	for i := range context {
		e := &context[i]
		if !foldEqual(e.Key, name) {
			continue
		}
		if found == nil || isTag(name) && better(tagKey(e.Key), tagKey(found.Key), tagKey(name)) { // 9.1.4
			found = e
		}
	}
	if found == nil || len(found.Values) == 0 {
		return key{}
	}
	return key{present: true, multi: found.Multi || len(found.Values) > 1, values: found.Values}
}

// better: the exact spelling wins, else the byte-wise smallest.
func better(candidate, found, wanted string) bool {
	if found == wanted {
		return false
	}
	return candidate == wanted || candidate < found
}

// isTag: keys that name a tag are written service:…Tag/key.
func isTag(name string) bool {
	before, _, slash := strings.Cut(name, "/")
	return slash && len(before) >= 3 && foldEqual(before[len(before)-3:], "Tag")
}

func tagKey(name string) string {
	_, after, _ := strings.Cut(name, "/")
	return after
}

// foldEqual compares without regard to the case of ASCII letters.
func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if asciiLower(rune(a[i])) != asciiLower(rune(b[i])) {
			return false
		}
	}
	return true
}

// conditionsHold is chapter 9: all operators and all keys must hold.
func conditionsHold(d *policy.Document, s *policy.Statement, context []policy.Entry) bool {
	for _, c := range s.Conditions {
		if !conditionHolds(c, version2012(d), context) {
			return false
		}
	}
	return true
}

// conditionHolds is chapter 11.
func conditionHolds(c policy.Condition, version2012 bool, context []policy.Entry) bool {
	k := lookup(context, c.Key)
	if c.Operator == policy.Null { // 11.4
		switch c.Set {
		case policy.ForAllValues:
			return true
		case policy.ForAnyValue:
			return false
		}
		for _, p := range c.Values {
			if foldEqual(p, "true") && !k.present || foldEqual(p, "false") && k.present {
				return true
			}
		}
		return false
	}
	operator, negated := positive(c.Operator)
	if !k.present { // 11.2
		switch {
		case c.IfExists || c.Set == policy.ForAllValues:
			return true
		case c.Set == policy.ForAnyValue:
			return false
		}
		return negated
	}
	// the plain single-value test of 11.3, by the complement law of chapter 10
	test := func(v string) bool {
		for _, p := range c.Values {
			if compare(operator, v, p, version2012, context) {
				return !negated
			}
		}
		return negated
	}
	switch c.Set {
	case policy.ForAllValues:
		for _, v := range k.values {
			if v != "" && !test(v) {
				return false
			}
		}
		return true
	case policy.ForAnyValue:
		for _, v := range k.values {
			if v != "" && test(v) {
				return true
			}
		}
		return false
	}
	return !k.multi && test(k.values[0])
}
