package policy_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// holds evaluates `operator: {"k": values}` of a 2012 document.
func holds(t *testing.T, operator, key string, values []string, context ...policy.Entry) bool {
	t.Helper()
	op, set, ifExists, ok := policy.ParseOperator(operator)
	if !ok {
		t.Fatalf("unknown operator %s", operator)
	}
	c := policy.Condition{Name: operator, Operator: op, Set: set, IfExists: ifExists, Key: key, Values: values}
	return policy.Holds(c, true, context...)
}

func single(key, value string) policy.Entry {
	return policy.Entry{Key: key, Values: []string{value}}
}

// The micro-vectors of docs/spec/policy-language.md 14.
func TestMicroVectors(t *testing.T) {
	t.Parallel()
	const finance = "arn:aws:x:us-east-2:999999999999:store/abc:111122223333:finance/d"
	vectors := []struct {
		kind, pattern, text string
		want                bool
	}{
		{"Action", "S3:get*", "s3:GetObject", true},
		{"Action", "s3:Get?bject", "s3:GetObject", true},
		{"Action", "s3:GetObject?", "s3:GetObject", false},
		{"Action", "s*:GetObject", "s3:GetObject", true},
		{"Action", "*", "iam:CreateUser", true},
		{"Resource", "arn:aws:s3:::b/*", "arn:aws:s3:::b/a/b:c", true},
		{"Resource", "arn:aws:s3:::b/*", "arn:aws:s3:::b", false},
		{"Resource", "arn:aws:s3:::b/?", "arn:aws:s3:::b/:", true},
		{"Resource", "arn:aws:sqs:us-?ast-1:1*:q", "arn:aws:sqs:us-east-1:111111111111:q", true},
		{"Resource", "arn:aws:x:*:111122223333:finance/*", finance, true},
		{"Resource", "arn:aws:x:u*2:111122223333:finance/*", finance, false},
		{"ArnLike", "arn:aws:x:*:111122223333:finance/*", finance, false},
		{"StringLike", "arn:aws:x:*:111122223333:finance/*", finance, true},
		{"Resource", "arn:aws:s3:::B", "arn:aws:s3:::b", false},
		{"Resource", "arn:aws:s3", "arn:aws:s3:::b/k", true},
		{"bucket policy", "arn:aws:s3", "arn:aws:s3:::b/k", false},
		{"Resource", "arn:aws:s3:::b/k", "*", false},
		{"Resource", "*", "*", true},
		{"StringLike", "a${*}c", "abc", false},
		{"StringLike", "a${*}c", "a*c", true},
		{"StringEquals", "a*c", "abc", false},
		{"ArnEquals", "arn:aws:iam::*:role/app-?", "arn:aws:iam::111111111111:role/app-1", true},
		{"ArnLike", "*", "arn:aws:s3:::b", false},
		{"ArnLike", "arn:aws:s3:::b/*", "arn:aws:s3:::b/a:b/c", true},
		{"IpAddress", "2001:db8::1", "2001:db8::2", false},
		{"IpAddress", "10.0.0.9/8", "10.200.1.1", true},
		{"IpAddress", "0.0.0.0/0", "2001:db8::1", false},
		{"DateEquals", "2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00Z", true},
		{"DateEquals", "1767225600", "2026-01-01T00:00:00Z", true},
		{"DateEquals", "2026", "2026-01-01T00:00:00Z", false},
		{"DateEquals", "2026-01", "2026-01-01T00:00:00Z", true},
		{"NumericEquals", "1e1", "10.0", true},
		{"NumericEquals", "10abc", "10", false},
		{"NumericNotEquals", "10abc", "10", true},
		{"Bool", "True", "true", true},
		{"Bool", "1", "true", false},
		{"BinaryEquals", "QQ==", "QQ==", true}, // the bytes "A", as text of a request context
		{"StringEqualsIgnoreCase", "JohnDoe", "johndoe", true},
	}
	for i, v := range vectors {
		var got bool
		switch v.kind {
		case "Action":
			got = policy.MatchAction(v.pattern, v.text)
		case "Resource":
			got = policy.MatchResource(v.pattern, v.text, true)
		case "bucket policy":
			got = policy.MatchResourceIn(policy.Resource, v.pattern, v.text, true)
		default:
			got = holds(t, v.kind, "k", []string{v.pattern}, single("k", v.text))
		}
		if got != v.want {
			t.Errorf("V%d: %s %q against %q: %v", i+1, v.kind, v.pattern, v.text, got)
		}
	}
	if len(vectors) != 38 {
		t.Errorf("%d vectors, want 38", len(vectors))
	}
}

// docs/spec/policy-language.md 11.2, 11.3 and 11.6: each row over all six forms of an operator, plain and IfExists, ForAllValues,
// ForAllValues…IfExists, ForAnyValue, ForAnyValue…IfExists.
func TestTruthTables(t *testing.T) {
	t.Parallel()
	list := func(values ...string) []policy.Entry {
		return []policy.Entry{{Key: "K", Values: values, Multi: true}}
	}
	one := func(value string) []policy.Entry { return []policy.Entry{single("K", value)} }
	ab := []string{"a", "b"}
	tests := []struct {
		name              string
		values            []string
		context           []policy.Entry
		positive, negated string // the six forms
	}{
		{"absent", ab, nil, "FTTTFT", "TTTTFT"},
		{"no values", ab, list(), "FTTTFT", "TTTTFT"},
		{"single, listed", ab, one("b"), "TTTTTT", "FFFFFF"},
		{"single, not listed", ab, one("c"), "FFFFFF", "TTTTTT"},
		{"single, empty", ab, one(""), "FFTTFF", "TTTTFF"},
		{"single, empty and listed", []string{""}, one(""), "TTTTFF", "FFTTFF"},
		{"list of one, listed", ab, list("a"), "FFTTTT", "FFFFFF"},
		{"list, all listed", ab, list("a", "b"), "FFTTTT", "FFFFFF"},
		{"list, some listed", ab, list("a", "c"), "FFFFTT", "FFFFTT"},
		{"list, none listed", ab, list("c", "d"), "FFFFFF", "FFTTTT"},
		{"list of empty strings", ab, list("", ""), "FFTTFF", "FFTTFF"},
		{"list, empty strings dropped", ab, list("", "a"), "FFTTTT", "FFFFFF"},
		{"no policy values, absent", nil, nil, "FTTTFT", "TTTTFT"},
		{"no policy values, single", nil, one("a"), "FFFFFF", "TTTTTT"},
		{"no policy values, list", nil, list("a"), "FFFFFF", "FFTTTT"},
		{"no policy values, empty list", nil, list(""), "FFTTFF", "FFTTFF"},
	}
	forms := [...]string{"%s", "%sIfExists", "ForAllValues:%s", "ForAllValues:%sIfExists", "ForAnyValue:%s", "ForAnyValue:%sIfExists"}
	for _, tt := range tests {
		for operator, want := range map[string]string{
			"StringEquals": tt.positive, "StringLike": tt.positive, "StringEqualsIgnoreCase": tt.positive,
			"StringNotEquals": tt.negated, "StringNotLike": tt.negated, "StringNotEqualsIgnoreCase": tt.negated,
		} {
			for i, form := range forms {
				name := fmt.Sprintf(form, operator)
				if got := holds(t, name, "k", tt.values, tt.context...); got != (want[i] == 'T') {
					t.Errorf("%s: %s: %v", tt.name, name, got)
				}
			}
		}
	}
}

// A negated operator is the complement of its positive one whatever the values are, docs/spec/policy-language.md 10.
func TestComplementLaw(t *testing.T) {
	t.Parallel()
	pairs := [][2]string{
		{"StringEquals", "StringNotEquals"}, {"StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"}, {"StringLike", "StringNotLike"},
		{"NumericEquals", "NumericNotEquals"}, {"DateEquals", "DateNotEquals"}, {"IpAddress", "NotIpAddress"},
		{"ArnEquals", "ArnNotEquals"}, {"ArnLike", "ArnNotLike"},
	}
	texts := []string{"", "a", "A", "10", "1e1", "10abc", "2026-01-01", "2026-13-01", "10.0.0.1", "10.0.0.0/8", "10.0.0.0/33",
		"arn:aws:s3:::b", "arn:*:s3:::*", "*", "${k}", "${absent}", "${absent, 'a'}"}
	both := [2]int{}
	for _, pair := range pairs {
		for _, v := range texts {
			for _, p := range texts {
				positive := holds(t, pair[0], "k", []string{p, "${absent}"}, single("k", v))
				if positive {
					both[0]++
				} else {
					both[1]++
				}
				if holds(t, pair[1], "k", []string{p, "${absent}"}, single("k", v)) == positive {
					t.Errorf("%s and %s agree on %q against %q", pair[0], pair[1], v, p)
				}
			}
		}
	}
	if both[0] < 100 || both[1] < 100 {
		t.Errorf("%d matches, %d not: the texts have become useless", both[0], both[1])
	}
}

func TestNull(t *testing.T) {
	t.Parallel()
	present := single("k", "")
	tests := []struct {
		operator        string
		values          []string
		absent, present bool
	}{
		{"Null", []string{"true"}, true, false},
		{"Null", []string{"TRUE"}, true, false},
		{"Null", []string{"false"}, false, true},
		{"Null", []string{"false", "true"}, true, true},
		{"Null", []string{"1", "${k}"}, false, false},
		{"Null", nil, false, false},
		{"ForAllValues:Null", []string{"false"}, true, true},
		{"ForAnyValue:Null", []string{"true"}, false, false},
	}
	for _, tt := range tests {
		if got := holds(t, tt.operator, "k", tt.values); got != tt.absent {
			t.Errorf("%s %q, absent: %v", tt.operator, tt.values, got)
		}
		if got := holds(t, tt.operator, "k", tt.values, present); got != tt.present {
			t.Errorf("%s %q, present: %v", tt.operator, tt.values, got)
		}
	}
	if !holds(t, "Null", "k", []string{"true"}, policy.Entry{Key: "k", Multi: true}) {
		t.Error("a multi-valued key without values is present")
	}
}

// What each operator makes of a request value v and a policy value p.
func TestOperators(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("1", 5000)
	tests := []struct {
		operator, v, p string
		want           bool
	}{
		{"StringEquals", "é", "e\u0301", false},
		{"StringEqualsIgnoreCase", "Straße", "STRAßE", true},
		{"StringEqualsIgnoreCase", "\u212a", "k", true}, // the Kelvin sign
		{"StringLike", "a\nb", "a*b", true},
		{"StringLike", "aéb", "a?b", true},
		{"StringLike", "ab", "a?b", false},
		{"StringLike", `a\b`, `a\?`, true},
		{"NumericEquals", "10.", "10", true},
		{"NumericEquals", ".5", "0.50", true},
		{"NumericEquals", "-0", "+0e5", true},
		{"NumericEquals", "0x10", "16", false},
		{"NumericEquals", " 1", "1", false},
		{"NumericEquals", ".", "0", false},
		{"NumericEquals", "", "0", false},
		{"NumericEquals", "1e", "1", false},
		{"NumericEquals", "1e+-1", "10", false},
		{"NumericEquals", "inf", "inf", false},
		{"NumericEquals", "100e-1", "1.0E1", true},
		{"NumericEquals", "0.1", "0.10000000000000000000000000000000000001", false},
		{"NumericEquals", "1" + long, "1" + long, true},
		{"NumericLessThan", "1" + long, "2" + long, true},
		{"NumericLessThan", "1e999999999", "1e1000000000", true},
		{"NumericLessThan", "-1e999999999", "-1e-999999999", true},
		{"NumericLessThan", "-2", "-1", true},
		{"NumericLessThan", "9", "10", true},
		{"NumericLessThan", "10", "9", false},
		{"NumericLessThan", "0.09", "0.1", true},
		{"NumericGreaterThan", "1.01", "1.001", true},
		{"NumericGreaterThan", "0", "-1e5", true},
		{"NumericLessThanEquals", "5", "5.0", true},
		{"NumericGreaterThanEquals", "5", "5.0", true},
		{"NumericGreaterThanEquals", "4.9", "5", false},
		{"NumericEquals", "1e999999999999999999999", "1e999999999999999999999", false}, // beyond our bound
		{"NumericLessThan", "10e9223372036854775807", "1", false},
		{"DateEquals", "2025-12-31T22:00-02", "2026-01-01T00:00:00Z", true},
		{"DateEquals", "-4-12-31T23:00-01", "-3-01-01", true}, // a leap year before year 0
		{"DateLessThan", "-1-12-31T23:59:59Z", "0000-01-01", true},
		{"DateEquals", "2024-02-29", "2024-02-29T00:00:00Z", true},
		{"DateEquals", "2023-02-29", "2023-03-01", false},
		{"DateEquals", "1900-02-29", "1900-02-29", false},
		{"DateEquals", "2000-02-29", "951782400", true},
		{"DateEquals", "1969-12-31T23:59:59Z", "1969-12-31T23:59:59+00", true},
		{"DateEquals", "0000-01-01T00:00Z", "-0-01-01", true},
		{"DateLessThan", "-292275054", "1970-01-01", true},
		{"DateLessThan", "292278993-01-01", "9223372036854775807", true},
		{"DateEquals", "2026-01-01t2:00:00z", "2026-01-01T04:00:00.000+02:00", true},
		{"DateEquals", "1.50", "1970-01-01T00:00:01.5Z", true},
		{"DateGreaterThan", "1.50000000000000000001", "1970-01-01T00:00:01.5Z", true},
		{"DateLessThan", "1970-01-01T00:00:01.45Z", "1.5", true},
		{"DateEquals", "9223372036854775808", "9223372036854775808", false},
		{"DateEquals", "1e3", "1000", false},
		{"DateLessThanEquals", "1970-01-01", "0", true},
		{"DateGreaterThanEquals", "1970-01-01", "0", true},
		{"DateGreaterThan", "1970-01-01", "0", false},
		{"Bool", "FALSE", "false", true},
		{"Bool", "yes", "yes", false},
		{"Bool", "true", "${k}", true},
		{"BinaryEquals", "QR==", "QQ==", true}, // unused bits
		{"BinaryEquals", "QQ", "QQ==", false},
		{"BinaryEquals", "QQ==", "QUI=", false},
		{"BinaryEquals", "?", "?", false},
		{"BinaryEquals", "", "", true},
		{"BinaryEquals", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", true},
		{"IpAddress", "203.0.113.5", "203.0.113.77/24", true},
		{"IpAddress", "203.0.113.5", "203.0.113.5", true},
		{"IpAddress", "::ffff:203.0.113.5", "203.0.113.0/24", true},
		{"IpAddress", "203.0.113.5", "::ffff:203.0.113.0/120", true},
		{"IpAddress", "203.0.113.5", "::ffff:0.0.0.0/90", false},
		{"IpAddress", "203.0.113.5", "::/0", false},
		{"IpAddress", "2001:db8::5", "2001:db8::/32", true},
		{"IpAddress", "fe80::1%eth0", "fe80::/10", false},
		{"IpAddress", "fe80::1", "fe80::1%eth0", false},
		{"IpAddress", "010.0.0.1", "10.0.0.0/8", false},
		{"IpAddress", "10.0.0.1", "10.0.0.0/08", false},
		{"ArnLike", "arn:aws:s3:::b:c:d", "arn:aws:s3:::b:?:d", true},
		{"ArnLike", "arn:aws:s3:::b", "arn:aws:*:b", false},
		{"ArnLike", "arn:aws:s3:::b", "arn:aws:s3::**:*b", true},
		{"ArnLike", "b", "*:*:*:*:*:*", false},
		{"ArnEquals", "arn:aws:iam::1:user/${k}", "arn:aws:iam::1:user/${*}", false},
		{"StringEquals", "*", "${*}", true},
		{"StringEquals", "${x", "${x", true},
		{"StringEquals", "$", "${$}", true},
	}
	for _, tt := range tests {
		if got := holds(t, tt.operator, "k", []string{tt.p}, single("k", tt.v)); got != tt.want {
			t.Errorf("%s: request %.60q, policy %.60q: %v", tt.operator, tt.v, tt.p, got)
		}
	}
}

// docs/spec/policy-language.md 9.1.
func TestKeys(t *testing.T) {
	t.Parallel()
	tags := []policy.Entry{
		single("aws:ResourceTag/team", "lower"), single("AWS:resourcetag/TEAM", "upper"), single("aws:ResourceTag/Team", "title"),
		single("aws:ResourceTag/", "none"), single("aws:SourceVpc", "first"), single("aws:sourcevpc", "second"),
	}
	for key, want := range map[string]string{
		"aws:ResourceTag/team": "lower", "AWS:RESOURCETAG/TEAM": "upper", "aws:resourcetag/Team": "title",
		"aws:ResourceTag/tEAM": "upper", // no exact spelling: the smallest
		"AWS:SourceVPC":        "first",
	} {
		if !holds(t, "StringEquals", key, []string{want}, tags...) {
			t.Errorf("%s is not %s", key, want)
		}
	}
	for _, key := range []string{"aws:ResourceTag/", "aws:RequestTag/team", "", "aws:ResourceTag/teams"} {
		if !holds(t, "Null", key, []string{"true"}, tags...) {
			t.Errorf("%q is present", key)
		}
	}
}

// Each statement has its own conditions.
func TestConditionsOfStatements(t *testing.T) {
	t.Parallel()
	statement := func(action, value string) string {
		return `{"Effect":"Allow","Action":"` + action + `","Resource":"*","Condition":{"StringEquals":{"k":"` + value + `"}}}`
	}
	sets := &policy.Sets{Identity: policy.NewSet(load(t, `{"Statement":[`+statement("x:One", "1")+`,`+statement("x:Two", "2")+`,
		{"Effect":"Allow","Action":"x:Any","Resource":"*"}]}`))}
	for action, values := range map[string][]string{"x:One": {"1"}, "x:Two": {"2"}, "x:Any": {"1", "2", "3"}} {
		for _, v := range []string{"1", "2", "3"} {
			want := policy.DenyImplicit
			if slices.Contains(values, v) {
				want = policy.Allow
			}
			d := policy.Decide(sets, &policy.Request{Action: action, Resource: "*", Context: []policy.Entry{single("k", v)}})
			if d.Effect != want {
				t.Errorf("%s with %s: %s, want %s", action, v, d.Effect, want)
			}
		}
	}
}

// A context outside its bounds denies, whatever the policies say.
func TestContextBounds(t *testing.T) {
	t.Parallel()
	sets := &policy.Sets{Identity: policy.NewSet(load(t, allowAll))}
	entries := make([]policy.Entry, policy.MaxContext+1)
	for i := range entries {
		entries[i] = single(fmt.Sprintf("k%d", i), "v")
	}
	for name, tt := range map[string]struct {
		context []policy.Entry
		want    policy.Effect
	}{
		"as many as may be": {entries[:policy.MaxContext], policy.Allow},
		"one too many":      {entries, policy.DenyImplicit},
		"as long as may be": {[]policy.Entry{single("k", strings.Repeat("v", policy.MaxContextText-64))}, policy.Allow},
		"too long":          {[]policy.Entry{single("k", strings.Repeat("v", policy.MaxContextText-63))}, policy.DenyImplicit},
		"too many values":   {[]policy.Entry{{Key: "k", Values: make([]string, policy.MaxContextText/64+1)}}, policy.DenyImplicit},
		"not UTF-8":         {[]policy.Entry{single("k", "\xff")}, policy.DenyImplicit},
	} {
		d := policy.Decide(sets, &policy.Request{Action: "s3:GetObject", Resource: "*", Context: tt.context})
		if d.Effect != tt.want || tt.want == policy.DenyImplicit && d != (policy.Decision{}) {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
