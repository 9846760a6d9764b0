package policytest

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The lists that conditions and contexts are made of: for every type values that mean the same in different writing, near misses, and
// what cannot be read.
var (
	texts = []string{"a", "A", "ab", "b", "", "*", "a*", "?b", "a?", "${x:s}", "${X:S, 'b'}", "${x:none, 'ab'}", "${x:none, ''}", "${x:none}",
		"${*}", "a${?}", "${$}{x:s}", "${aws:PrincipalTag/tt}", "${aws:PrincipalTag/tT}*", "${x:multi}", "${x:s,'a'}", "${x:s, 'a' }", "${ x:s}",
		"${}", "${x:s", "x${x:s}y", "xay", "s", "ſ", "k", "\u212a", "é", "É"}
	numbers = []string{"10", "10.0", "1e1", "+10", "-10", "-0", "0", "0e5", ".5", "5e-1", "5.", "5", "1e", "0x1", "1e999999999", "1e-999999999", "1E+1",
		"9", "", " 1", "00.50", "10abc", "${x:n}", "1e99999999999999999999", "12345678901234567890.1", "12345678901234567890.10", "1.5.", ".", "-.5", ".5e1"}
	dates = []string{"2026-01-01T00:00:00Z", "1767225600", "1767225600.0", "1767225600.5", "2026-01", "2026", "2026-1-1", "2026-01-01T02:00:00+02:00",
		"2025-12-31T22:00-02", "2026-02-30", "2024-02-29", "-5", "01T", "2026-01-01t00:00:00.5z", "2026-01-01T24:00Z", "99999999999999999999",
		"-292275054-01", "292278993-12-31", "9223372036854775807", "2026-01-01T0", "2026T", "2026-01-01T00:00:00.0000000001Z", "2026-01-01T00:00:00",
		"1900-02-29", "2000-02-29", "", "2026-13-01", "2025-12-31T23:59:59.999999999Z", "2026-01-01T00:00+0200", "0000-01-01", "-1-12-31T23:00Z"}
	addresses = []string{"10.0.0.1", "10.0.0.0/8", "10.9.9.9/8", "::1", "::ffff:10.0.0.1", "::ffff:10.0.0.0/104", "0.0.0.0/0", "::/0", "010.0.0.1",
		"fe80::1%eth0", "fe80::1", "10.0.0.1/33", "10.0.0.1/32", "::ffff:0:0/90", "10.0.0.1/08", "2001:db8::/32", "2001:DB8::1", "2001:db8::1/129",
		"10.0.0", "", "10.0.0.1/", "::ffff:0:0/96", "203.0.113.10", "10.0.0.1/0"}
	arns = []string{"arn:aws:s3:::b", "arn:aws:s3:::b*", "arn:aws:s3:::b:c", "arn:aws:iam::${x:s}:role/a", "arn:aws:iam::a:role/a", "arn:*:*:*:*:*",
		"arn:aws:s3", "*", "arn:aws:s3:::${x:s}", "arn:a?s:s3:::*", "${x:r}", "arn:aws:${x:c}:b", "arn:aws:s3::${x:c}:b", "arn:aws:s3:::a", "",
		"arn:aws:s3:::${*}", "arn:aws:s3:::*", "::::::", ":::::", "arn:aws:s3:::${aws:PrincipalTag/TT, 'a:b'}"}
	booleans = []string{"true", "TRUE", "false", "False", "1", "", "falſe", "${x:t}", "${x:none, 'true'}", "true "}
	binaries = []string{"QQ==", "QQ", "QUI=", "", "Q Q==", "QR==", "QUI", "====", "-_==", "+/==", "QQ==\n", "QQ\r=="}
	presence = []string{"true", "false", "TRUE", "False", "x", "", "${x:t}"}
)

// typed are the keys that hold each list's values in a request.
var typed = []struct {
	key       string
	values    []string
	operators []string
}{
	{"x:s", texts, []string{"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"}},
	{"x:n", numbers, []string{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericGreaterThanEquals"}},
	{"x:d", dates, []string{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"}},
	{"x:i", addresses, []string{"IpAddress", "NotIpAddress"}},
	{"x:r", arns, []string{"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"}},
	{"x:t", booleans, []string{"Bool"}},
	{"x:y", binaries, []string{"BinaryEquals"}},
	{"x:multi", texts, []string{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike"}},
	{"aws:PrincipalTag/tt", texts, []string{"StringEquals", "StringNotLike"}},
	{"aws:ResourceTag/tt", texts, []string{"StringEquals", "StringNotEquals"}},
	{"x:none", texts, []string{"StringEquals", "StringNotEquals"}},
}

// context makes the keys of a request.
func (g generator) context() []Key {
	var keys []Key
	for _, t := range typed {
		if t.key == "x:none" || g.one(4) {
			continue
		}
		k := Key{Name: g.spelled(t.key), Values: []string{g.pick(t.values...)}}
		if t.key == "x:multi" || g.one(8) {
			k.Multi = true
			for range g.rng.IntN(3) {
				k.Values = append(k.Values, g.pick(t.values...))
			}
			if g.one(6) {
				k.Values = []string{}
			}
		}
		keys = append(keys, k)
		if service, tag, ok := strings.Cut(t.key, "/"); ok { // tags that differ by case
			for range g.rng.IntN(3) {
				keys = append(keys, Key{Name: service + "/" + g.pick(tag+tag, strings.ToUpper(tag)+tag, tag+strings.ToUpper(tag)), Values: []string{g.pick(t.values...)}})
			}
		}
	}
	if g.one(4) {
		keys = append(keys, Key{Name: "x:c", Values: []string{g.pick("a:b", ":", "::", "s3:::b")}})
	}
	g.rng.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return keys
}

// spelled changes the case of a key now and then.
func (g generator) spelled(key string) string {
	switch g.rng.IntN(6) {
	case 0:
		return strings.ToUpper(key)
	case 1:
		return strings.ToUpper(key[:1]) + key[1:]
	}
	return key
}

// conditions makes a Condition with different operators.
func (g generator) conditions() []policy.Condition {
	var out []policy.Condition
	for range 1 + g.rng.IntN(2) {
		t := typed[g.rng.IntN(len(typed))]
		c := policy.Condition{Key: g.spelled(t.key)}
		operator, values := g.pick(t.operators...), t.values
		switch {
		case g.one(8):
			operator, values = "Null", presence
		case g.one(10):
			other := typed[g.rng.IntN(len(typed))]
			operator = g.pick(other.operators...)
		}
		c.Name = g.pick("", "", "ForAllValues:", "ForAnyValue:") + operator
		if operator != "Null" && g.one(4) {
			c.Name += "IfExists"
		}
		for range g.pickInt(1, 1, 1, 2, 2, 3, 0) {
			c.Values = append(c.Values, g.pick(values...))
		}
		if !slices.ContainsFunc(out, func(o policy.Condition) bool { return o.Name == c.Name }) {
			out = append(out, c)
		}
	}
	return out
}
