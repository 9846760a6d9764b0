package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Values whose parts could be taken for others (docs/spec/policy-language.md 9.3, 10): what a policy says on the left, what the request has on the right.
func TestValuesThatLookAlike(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("9", 17)
	variables := []policy.Entry{
		single("x:name", "bob"), single("x:yes", "true"), single("x:no", "fal\u017fe"), single("x:star", "*"), {Key: "x:many", Values: []string{"bob", "eve"}, Multi: true},
	}
	for _, c := range []struct {
		operator, value, request string
		want                     bool
	}{
		{"NumericEquals", "10.5", "15", false},
		{"NumericEquals", "10.5", "1.5", false},
		{"NumericEquals", "10.5", "10.5", true},
		{"NumericEquals", "10.50", "1.05e1", true},
		{"NumericEquals", "1050", "1050.0", true},
		{"NumericEquals", "100.0", "1e2", true},
		{"NumericEquals", "0.010", "1e-2", true},
		{"NumericEquals", "-0", "0.0e5", true},
		{"NumericEquals", "0e9", "-0.0", true},
		{"NumericLessThan", "-0", "0", false},
		{"NumericLessThan", "0e9", "0.0", false},
		{"NumericEquals", "1e" + digits, "1e" + digits, true},
		{"NumericEquals", "1e0" + digits, "1e" + digits, true},
		{"NumericEquals", "1e1" + digits, "1e1" + digits, false},
		{"NumericEquals", ".", "0", false},
		{"NumericEquals", ".e1", "0", false},
		{"NumericEquals", "e1", "0", false},
		{"NumericEquals", "+", "0", false},
		{"NumericEquals", "0", ".", false},
		{"NumericEquals", "0", "", false},
		{"NumericEquals", "5.", "5", true},
		{"NumericEquals", ".5", "0.5", true},

		{"DateEquals", "2026-06-15T12:30:15z", "2026-06-15T12:30:15Z", true},
		{"DateEquals", "2026-06-15T12:30:15z", "2026-06-15T12:30:00Z", false},
		{"DateEquals", "2026-06-15T12:30:15+10:00", "2026-06-15T02:30:15Z", true},
		{"DateEquals", "2026-06-15T12:30:15-11:45", "2026-06-16T00:15:15Z", true},
		{"DateEquals", "2026-06-15T12:30:15+23", "2026-06-14T13:30:15Z", true},
		{"DateEquals", "0", "0.x", false},
		{"DateEquals", "0", "0.", false},
		{"DateEquals", "0", "0.0", true},
		{"DateEquals", "0", "0.1", false},
		{"DateLessThan", "0", "-0001-01-01", true},
		{"DateEquals", "0000-03-01", "0000-02-29T24:00:00Z", false},
		{"DateEquals", "2000-02-29", "951782400", true},
		{"DateEquals", "-0400-01-01", "-0400-01-01T00:00:00Z", true},
		{"DateLessThan", "-0399-01-01", "-0400-12-31", true},
		{"DateLessThan", "-0401-12-31", "-0400-01-01", false},

		{"StringLike", "a${*}b*c", "a*bXc", true},
		{"StringLike", "a${*}b*c", "aXbXc", false},
		{"StringLike", "a${?}b?", "a?bX", true},
		{"StringLike", "a${?}b?", "aXbX", false},
		{"StringLike", "a${*}b*", "a*bXc", true},
		{"StringLike", "a${*}b*", "aXbXc", false},
		{"StringLike", "a${$}b*c", "a$bXc", true},
		{"StringLike", "a${*}", "a*", true},
		{"StringLike", "a${*}", "ab", false},
		{"StringLike", "*${x:name}*", "abobc", true},
		{"StringLike", "*${x:name}*", "aboc", false},
		{"StringLike", "*${x:star}b", "a*b", true},
		{"StringLike", "*${x:star}b", "aab", false},
		{"StringLike", "*${x:none}*", "", false},
		{"StringLike", "*${x:none}*", "abc", false},
		{"StringLike", "*${x:many}*", "", false},
		{"StringLike", "?${x:none}", "a", false},
		{"StringLike", "${x:none}*", "", false},
		{"StringLike", "*${x:name}*", "", false},
		{"StringEquals", "${x:none}", "", false},
		{"StringEqualsIgnoreCase", "${x:none}", "", false},
		{"StringEqualsIgnoreCase", "${x:name}", "BOB", true},
		{"StringEquals", "${x:name}", "BOB", false},
		{"StringEquals", "${", "${", true},
		{"StringEquals", "a${}b", "a${}b", false},
		{"StringLike", "a${b*", "a${bcd", true},
		{"ArnLike", "arn:aws:s3:::${x:name}*", "arn:aws:s3:::bobby", true},
		{"ArnLike", "arn:aws:s3:::${x:none}*", "arn:aws:s3:::", false},
		{"ArnLike", "arn:aws:s3:::a${*}b*", "arn:aws:s3:::a*bc", true},
		{"ArnLike", "arn:aws:s3:::a${*}b*", "arn:aws:s3:::aXbc", false},
		{"ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::c", true},
		{"ArnNotEquals", "arn:aws:s3:::b", "arn:aws:s3:::b", false},

		{"Bool", "${x:yes}", "TRUE", true},
		{"Bool", "${x:yes}", "false", false},
		{"Bool", "${x:no}", "false", false}, // ASCII alone is folded
		{"Bool", "${x:none}", "false", false},
		{"Null", "${x:yes}", "a", false},
		{"BinaryEquals", "YWJj", "YWJjYWJj", false},
		{"BinaryEquals", "YWJjZGU=", "YWJjZG!=", false},
		{"BinaryEquals", "YWJjZGU=", "YWJjZGU!", false},
		{"BinaryEquals", "YWJjZGU=", "YWJj!!!!", false},
	} {
		context := append([]policy.Entry{single("k", c.request)}, variables...)
		for _, values := range [][]string{{c.value}, {c.value, c.value}} {
			if got := holds(t, c.operator, "k", values, context...); got != c.want {
				t.Errorf("%s: policy %q, request %q: %t; want %t", c.operator, values, c.request, got, c.want)
			}
		}
	}
}

// What AWS takes for a date when a policy is written, at the ends of each of its parts (docs/spec/policy-language.md 10.2).
func TestDatesAtTheEdges(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]bool{
		"0": true, "9223372036854775807": true, "9223372036854775808": false, "-1": true, "1/": false, "1:": false, "": false, "/": false, ":": false,
		"2026": true, "2026-": false, "2026-1": true, "2026-+1": false, "2026-12": true, "2026-13": false, "2026-00": false, "2026-012": false, "2026-1:": false,
		"2026-01-31": true, "2026-01-32": false, "2026-01-00": false, "2026-01-+1": false, "2026-01-1-1": false, "000002026-01": true, "0000002026-01": false,
		"292278993-01": true, "292278994-01": false, "-292275054-01": true, "-292275055-01": false, "--1-01": false, "T00Z": false, "t00Z": false, "-T00Z": false,
		"2026-01T00": true, "2026-01T23": true, "2026-01T24": false, "2026-01T+1": false, "2026-01T00:59": true, "2026-01T00:60": false, "2026-01T00:": false,
		"2026-01T00:00:59": true, "2026-01T00:00:60": false, "2026-01T00:00:00.": false, "2026-01T00:00:00.123456789": true, "2026-01T00:00:00.1234567890": false,
		"2026-01T00:00:00.12/": false, "2026-01T00:00:00.12:": false, "2026-01TZ": false, "2026-01Tz": false, "2026-01T+01:00": false, "2026-01T-01:00": false,
		"2026-01T00Z": true, "2026-01T00z": true, "2026-01T00+01": true, "2026-01T00-23": true, "2026-01T00+24": false, "2026-01T00+1": false, "2026-01T00+01:5": false,
		"2026-01T00+01:59": true, "2026-01T00+01:60": false, "2026-01T00+01:": false, "2026-01T00+001": false, "2026-01T00+01:005": false, "2026-01T00ZZ": false,
	} {
		if got := policy.ValidDate(v); got != want {
			t.Errorf("%q: %t; want %t", v, got, want)
		}
	}
}
