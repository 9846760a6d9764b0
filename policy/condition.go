package policy

import (
	"encoding/base64"
	"net/netip"
	"strings"
)

// condition is one key under one operator, with everything parsed that can be (docs/spec/policy-language.md 9 to 11). Its values lie
// among those of the policy, from..to of the list that the operator uses. Values that are bad for the operator are left
// out: they never match, which by the complement law is all there is to say of negated operators too.
type condition struct {
	key      contextKey
	from, to uint32
	operator Operator // the positive one
	negated  bool
	set      SetOperator
	ifExists bool
	// Bool and Null: the values "true" and "false" are among the policy's. Bool has values with variables among the texts besides.
	isTrue, isFalse bool
}

// positive is the operator that a negated one denies, or the operator itself.
func (o Operator) positive() Operator {
	switch o {
	case StringNotEquals, StringNotEqualsIgnoreCase, StringNotLike, NumericNotEquals, DateNotEquals, NotIPAddress:
		return o - 1
	case ArnEquals, ArnNotEquals, ArnNotLike: // ArnEquals and ArnLike are one operator (10.4)
		return ArnLike
	}
	return o
}

func (o Operator) negated() bool {
	return o == ArnNotEquals || o != ArnEquals && o != o.positive()
}

func (o Operator) numeric() bool { return o >= NumericEquals && o <= NumericGreaterThanEquals }

// compileCondition appends a condition to those of the policy.
func (r *extras) compileCondition(c *Condition, variables bool) {
	out := condition{
		key: newContextKey(c.Key), operator: c.Operator.positive(), negated: c.Operator.negated(),
		set: c.Set, ifExists: c.IfExists,
	}
	switch o := out.operator; {
	case o.numeric():
		out.from = uint32(len(r.numbers))
		for _, v := range c.Values {
			if n, ok := parseNumber(v); ok {
				r.numbers = append(r.numbers, n)
			}
		}
		out.to = uint32(len(r.numbers))
	case o.date():
		out.from = uint32(len(r.dates))
		for _, v := range c.Values {
			if d, ok := parseInstant(v); ok {
				r.dates = append(r.dates, d)
			}
		}
		out.to = uint32(len(r.dates))
	case o == IPAddress:
		out.from = uint32(len(r.blocks))
		for _, v := range c.Values {
			if b, ok := parseBlock(v); ok {
				r.blocks = append(r.blocks, b)
			}
		}
		out.to = uint32(len(r.blocks))
	case o == ArnLike:
		out.from = uint32(len(r.arns))
		for _, v := range c.Values {
			if a, ok := compileArn(v, variables); ok {
				r.arns = append(r.arns, a)
			}
		}
		out.to = uint32(len(r.arns))
	default:
		out.from = uint32(len(r.texts))
		for _, v := range c.Values {
			r.compileText(&out, v, variables)
		}
		out.to = uint32(len(r.texts))
	}
	r.conditions = append(r.conditions, out)
}

// compileText takes a value of String*, Bool, BinaryEquals and Null.
func (r *extras) compileText(c *condition, v string, variables bool) {
	switch c.operator {
	case Bool, Null:
		text := newTextPattern(v, variables && c.operator == Bool, false)
		switch {
		case text.parts != nil:
			r.texts = append(r.texts, text)
		case equalFold(text.text, "true"):
			c.isTrue = true
		case equalFold(text.text, "false"):
			c.isFalse = true
		}
	case BinaryEquals:
		if b, ok := decodeBase64(v); ok {
			r.texts = append(r.texts, textPattern{text: base64.StdEncoding.EncodeToString(b)})
		}
	default:
		r.texts = append(r.texts, newTextPattern(v, variables, c.operator == StringLike))
	}
}

// holds says whether the condition is true for the request.
func (c *condition) holds(r *extras, q *query) bool {
	e := q.find(&c.key)
	switch {
	case c.operator == Null && c.set != SetNone:
		return c.set == ForAllValues // docs/spec/policy-language.md 11.4
	case c.operator == Null:
		return c.isTrue && e == nil || c.isFalse && e != nil
	case e == nil: // 11.2
		return c.ifExists || c.set == ForAllValues || c.set == SetNone && c.negated
	case c.set == SetNone: // 11.3
		return !e.multi() && c.test(e.Values[0], r, q)
	}
	for _, v := range e.Values {
		if v != "" && c.test(v, r, q) == (c.set == ForAnyValue) {
			return c.set == ForAnyValue
		}
	}
	return c.set == ForAllValues
}

// test is the plain test of one value.
func (c *condition) test(v string, r *extras, q *query) bool { return c.match(v, r, q) != c.negated }

// match says whether one of the policy's values matches v by the positive operator.
func (c *condition) match(v string, r *extras, q *query) bool {
	switch o := c.operator; {
	case o.numeric():
		return matchNumber(v, r.numbers[c.from:c.to], o)
	case o.date():
		return matchInstant(v, r.dates[c.from:c.to], o)
	case o == IPAddress:
		return matchAddress(v, r.blocks[c.from:c.to])
	case o == ArnLike:
		return matchArn(v, r.arns[c.from:c.to], q)
	case o == Bool:
		return c.matchBool(v, r.texts[c.from:c.to], q)
	}
	texts := r.texts[c.from:c.to]
	for i := range texts {
		if texts[i].match(v, c.operator, q) {
			return true
		}
	}
	return false
}

func (c *condition) matchBool(v string, texts []textPattern, q *query) bool {
	isTrue := equalFold(v, "true")
	if !isTrue && !equalFold(v, "false") {
		return false
	}
	if isTrue && c.isTrue || !isTrue && c.isFalse {
		return true
	}
	for i := range texts {
		if texts[i].match(v, Bool, q) {
			return true
		}
	}
	return false
}

// parseBlock reads an address or a CIDR block (docs/spec/policy-language.md 10.3).
func parseBlock(v string) (netip.Prefix, bool) {
	if !strings.Contains(v, "/") {
		a, ok := parseAddress(v)
		if !ok {
			return netip.Prefix{}, false
		}
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	b, err := netip.ParsePrefix(v)
	if err != nil {
		return netip.Prefix{}, false
	}
	if a := b.Addr(); a.Is4In6() {
		if b.Bits() < 96 {
			return netip.Prefix{}, false // more than IPv4 has
		}
		b = netip.PrefixFrom(a.Unmap(), b.Bits()-96)
	}
	return b.Masked(), true
}

func parseAddress(v string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(v)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, false
	}
	return a.Unmap(), true
}

func matchAddress(v string, blocks []netip.Prefix) bool {
	a, ok := parseAddress(v)
	if !ok {
		return false
	}
	for _, b := range blocks {
		if b.Contains(a) {
			return true
		}
	}
	return false
}

// decodeBase64 reads standard base64 with padding and nothing else; the package of the standard library skips line ends.
func decodeBase64(v string) ([]byte, bool) {
	if strings.ContainsAny(v, "\r\n") {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(v)
	return b, err == nil
}
