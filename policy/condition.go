package policy

import (
	"encoding/base64"
	"encoding/binary"
	"net/netip"
	"strings"
)

// condition is one key under one operator, with everything parsed that can be (docs/spec/policy-language.md 9 to 11). Its values are
// from..to of what the operator uses: texts and address blocks among the words of the policy, the others among the extras. Values that
// are bad for the operator are left out: they never match, which by the complement law is all there is to say of negated operators too.
type condition struct {
	from, to uint32
	operator Operator // the positive one
	set      SetOperator
	// Bool and Null look for the values "true" and "false" here. Bool has values with variables among the texts besides.
	flags uint32
}

func (c *condition) has(flag uint32) bool { return c.flags&flag != 0 }

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
	return o != ArnEquals && o != o.positive()
}

func (o Operator) numeric() bool { return o >= NumericEquals && o <= NumericGreaterThanEquals }

// condition writes a condition. The values of the statement begin at the place end. same says that its key is that of the one before.
func (c *coder) condition(s *Condition, end int, same bool) {
	o := s.Operator.positive()
	flags := uint32(o) | uint32(s.Set)<<8
	if s.Operator.negated() {
		flags |= conditionNegated
	}
	if s.IfExists {
		flags |= conditionIfExists
	}
	if same {
		flags |= conditionSame
	}
	from := c.valueAt(o, end)
	for _, v := range s.Values {
		flags |= c.value(o, v)
	}
	key := newContextKey(s.Key)
	at, n := c.refTo(key.name, key.hash)
	c.words(at, n, key.tag, flags, from, c.valueAt(o, end))
}

// valueAt is where the next value of the operator will stand.
func (c *coder) valueAt(o Operator, end int) uint32 {
	n := 0
	switch e := c.p.extra; {
	case !o.elsewhere():
		n = end + len(c.values)
	case e == nil:
	case o.numeric():
		n = len(e.numbers)
	case o.date():
		n = len(e.dates)
	default:
		n = len(e.arns)
	}
	return uint32(n)
}

// elsewhere says that the operator's values are among the extras.
func (o Operator) elsewhere() bool { return o.numeric() || o.date() || o == ArnLike }

// value writes a value of a condition, or returns the flag that says it all.
func (c *coder) value(o Operator, v string) (flag uint32) {
	switch {
	case o.numeric():
		if n, ok := parseNumber(v); ok {
			e := c.p.extras()
			e.numbers = append(e.numbers, n)
		}
	case o.date():
		if d, ok := parseInstant(v); ok {
			e := c.p.extras()
			e.dates = append(e.dates, d)
		}
	case o == ArnLike:
		if a, ok := compileArn(v, c.variables); ok {
			e := c.p.extras()
			e.arns = append(e.arns, a)
		}
	case o == IPAddress:
		if b, ok := parseBlock(v); ok {
			c.block(b)
		}
	case o == BinaryEquals:
		if b, ok := decodeBase64(v); ok {
			c.text(&textPattern{text: base64.StdEncoding.EncodeToString(b)})
		}
	case o == Bool || o == Null:
		text := newTextPattern(v, c.variables && o == Bool, false)
		switch {
		case text.parts != nil:
			c.text(&text)
		case equalFold(text.text, "true"):
			return conditionTrue
		case equalFold(text.text, "false"):
			return conditionFalse
		}
	default:
		text := newTextPattern(v, c.variables, o == StringLike)
		c.text(&text)
	}
	return 0
}

// text writes a text.
func (c *coder) text(t *textPattern) {
	if t.parts != nil {
		e := c.p.extras()
		c.values = append(c.values, uint32(len(e.texts)), tagTextPattern<<tagShift)
		e.texts = append(e.texts, *t)
		return
	}
	tag := uint32(t.wild)
	if t.escaped {
		tag |= tagTextEscaped
	}
	at, n := c.refTo(t.text, tag)
	c.values = append(c.values, at, n)
}

// block writes an address block.
func (c *coder) block(b netip.Prefix) {
	if !b.Addr().Is4() {
		e := c.p.extras()
		c.values = append(c.values, uint32(len(e.blocks)), tagWide<<tagShift)
		e.blocks = append(e.blocks, b)
		return
	}
	a := b.Addr().As4()
	c.values = append(c.values, binary.BigEndian.Uint32(a[:]), uint32(b.Bits()))
}

// holds says whether the condition of the words is true for the request, whose context has the entry e for its key.
func (p *Policy) holds(words []uint32, e *Entry, q *query) bool {
	w := words[:conditionWords]
	c := condition{from: w[4], to: w[5], operator: Operator(w[3]), set: SetOperator(w[3] >> 8), flags: w[3]}
	switch {
	case c.operator == Null && c.set != SetNone:
		return c.set == ForAllValues // docs/spec/policy-language.md 11.4
	case c.operator == Null:
		return c.has(conditionTrue) && e == nil || c.has(conditionFalse) && e != nil
	case e == nil: // 11.2
		return c.has(conditionIfExists) || c.set == ForAllValues || c.set == SetNone && c.has(conditionNegated)
	case c.set == SetNone: // 11.3
		return !e.multi() && c.test(e.Values[0], p, q)
	}
	for _, v := range e.Values {
		if v != "" && c.test(v, p, q) == (c.set == ForAnyValue) {
			return c.set == ForAnyValue
		}
	}
	return c.set == ForAllValues
}

// test is the plain test of one value.
func (c *condition) test(v string, p *Policy, q *query) bool {
	return c.match(v, p, q) != c.has(conditionNegated)
}

// match says whether one of the policy's values matches v by the positive operator.
func (c *condition) match(v string, p *Policy, q *query) bool {
	switch o := c.operator; {
	case o == StringEquals || o == StringLike || o == StringEqualsIgnoreCase || o == BinaryEquals:
		return p.matchTexts(p.code[c.from:c.to], v, o, q)
	case c.from == c.to && o != Bool:
		return false
	case o.numeric():
		return matchNumber(v, p.extra.numbers[c.from:c.to], o)
	case o.date():
		return matchInstant(v, p.extra.dates[c.from:c.to], o)
	case o == IPAddress:
		return p.matchAddress(v, p.code[c.from:c.to])
	case o == ArnLike:
		return matchArn(v, p.extra.arns[c.from:c.to], q)
	}
	isTrue := equalFold(v, "true")
	if !isTrue && !equalFold(v, "false") {
		return false
	}
	return isTrue && c.has(conditionTrue) || !isTrue && c.has(conditionFalse) || p.matchTexts(p.code[c.from:c.to], v, Bool, q)
}

// matchTexts says whether one of the texts matches.
func (p *Policy) matchTexts(words []uint32, v string, o Operator, q *query) bool {
	for ; len(words) > 0; words = words[refWords:] {
		tag := words[1] >> tagShift
		if tag == tagTextPattern {
			if p.extra.texts[words[0]].match(v, o, q) {
				return true
			}
			continue
		}
		if tag == 0 && (o == StringEquals || o == StringLike) { // wildNone
			if p.ref(words[0], words[1]) == v {
				return true
			}
			continue
		}
		t := textPattern{text: p.ref(words[0], words[1]), wild: wildness(tag & (tagTextEscaped - 1)), escaped: tag&tagTextEscaped != 0}
		if t.match(v, o, q) {
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

// commonAddress reads an IPv4 address. It leaves everything else to the rules.
func commonAddress(v string) (uint32, bool) {
	address, field, digits, fields := uint32(0), uint32(0), 0, 0
	for i := range len(v) {
		c := v[i] - '0'
		switch {
		case c <= 9 && digits < 3 && (digits == 0 || field > 0): // no zero in front of a digit
			field, digits = field*10+uint32(c), digits+1
		case v[i] == '.' && digits > 0 && field <= 255 && fields < 3:
			address, field, digits, fields = address<<8|field, 0, 0, fields+1
		default:
			return 0, false
		}
	}
	return address<<8 | field, digits > 0 && field <= 255 && fields == 3
}

func (p *Policy) matchAddress(v string, words []uint32) bool {
	four, is4 := commonAddress(v)
	if !is4 {
		a, ok := parseAddress(v)
		if !ok {
			return false
		}
		if !a.Is4() {
			return p.matchWide(a, words)
		}
		b := a.As4() // IPv4 in the clothes of IPv6
		four = binary.BigEndian.Uint32(b[:])
	}
	for ; len(words) > 0; words = words[refWords:] {
		if words[1]>>tagShift != tagWide && uint64(four^words[0])>>(32-words[1]) == 0 {
			return true
		}
	}
	return false
}

// matchWide is matchAddress for an IPv6 address, which no IPv4 block contains.
func (p *Policy) matchWide(a netip.Addr, words []uint32) bool {
	for ; len(words) > 0; words = words[refWords:] {
		if words[1]>>tagShift == tagWide && p.extra.blocks[words[0]].Contains(a) {
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
