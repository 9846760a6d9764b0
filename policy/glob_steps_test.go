package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// What people write is decided by the fast matchers, far from where they give up: a text in fewer steps than there are characters, a
// Resource in three for each.
func TestOrdinaryPatternsTakeFewSteps(t *testing.T) {
	t.Parallel()
	const text = "arn:aws:s3:::reports-eu-central-1/2026/06/15/cloud-trail_2026-06-15T00:00Z_7f.json.gz"
	for _, pattern := range []string{
		"arn:aws:s3:::*/2026/0?/*", "arn:aws:s3:::*-1/????/??/*.gz", "arn:aws:s3:::*_20??-0?-16*", "arn:aws:s3:::*T??:??Z_??.json*", "arn:aws:s3:::*!?*",
	} {
		if steps, _ := policy.GlobSteps(pattern, text); steps > len(pattern)+len(text) {
			t.Errorf("%s: %d steps", pattern, steps)
		}
	}
	for _, c := range []struct{ pattern, text string }{
		{"*Object", "GetObject"}, {"Get*Acl", "GetObjectAcl"}, {"*get*tag*", "GetObjectVersionTagging"}, {"?etObject", "GetObject"}, {"*Put*", "DeleteObject"},
		{"Describe*Instance*Attribute*", "DescribeInstanceAttribute"}, {"Delete?bject", "DeleteObject"}, {"A*", "GetObject"},
	} {
		if steps, _ := policy.FoldSteps(c.pattern, c.text); steps > len(c.pattern)+len(c.text) {
			t.Errorf("%s, %s: %d steps", c.pattern, c.text, steps)
		}
	}
	for _, c := range []struct{ pattern, text string }{
		{"arn:aws:dynamodb:*:table/prod-*", "arn:aws:dynamodb:us-east-1:111122223333:table/prod-x"},
		{"arn:aws:dynamodb:*:table/prod-*", "arn:aws:dynamodb:us-east-1:111122223333:table/test-x"},
		{"arn:aws:logs:*:*:log-group:/a/*:log-stream:*", "arn:aws:logs:us-east-1:111122223333:log-group:/a/b:log-stream:x"},
		{"arn:*:lambda:us-*-1:*:function:f?", "arn:aws-us-gov:lambda:us-gov-1:111122223333:function:f7"},
		{"arn:*:iam::??????????33:role/*", "arn:aws:iam::111122223333:role/app"},
		{"*:role/app", "arn:aws:iam::111122223333:role/app"},
	} {
		if steps, _ := policy.HeadSteps(c.pattern, c.text); steps > 3*(len(c.pattern)+len(c.text)) {
			t.Errorf("%s, %s: %d steps", c.pattern, c.text, steps)
		}
	}
}

// What is made to take many steps is given up soon after the steps have become too many: one comparison of a block or a piece may overdraw.
func TestHostilePatternsAreGivenUp(t *testing.T) {
	t.Parallel()
	const n = 4000
	for _, c := range []struct{ name, pattern, text string }{
		{"block", "*" + strings.Repeat("a", 30) + "?" + strings.Repeat("a", 30) + "b*", strings.Repeat("a", n)},
		{"block that is longer than the text", "*" + strings.Repeat("a?", n) + "b*", strings.Repeat("a", n)},
		{"wide characters", "*é?" + strings.Repeat("?é", 30) + "b*", strings.Repeat("é", n)},
	} {
		if steps, limit := policy.GlobSteps(c.pattern, c.text); steps <= limit || steps > limit+8+len(c.pattern) {
			t.Errorf("%s: %d steps, given up after %d", c.name, steps, limit)
		}
	}
	for _, pattern := range []string{"*" + strings.Repeat("a", n/2) + "b", "*" + strings.Repeat("?", n/2) + "b", strings.Repeat("*"+strings.Repeat("a", 40), 9) + "b"} {
		if steps, limit := policy.FoldSteps(pattern, strings.Repeat("A", n)); steps != limit+1 {
			t.Errorf("%.60s without case: %d steps, given up after %d", pattern, steps, limit)
		}
	}
	for _, c := range []struct{ name, pattern, text string }{
		{"pieces", "arn:*:" + strings.Repeat("a:", 3) + "b", "arn:z:" + strings.Repeat("a:", n)},
		{"long pieces", "*:" + strings.Repeat("a", 900) + ":*:*:b:c", strings.Repeat(strings.Repeat("a", 40)+":", n/40)},
		{"tail", "*:*:*:*:*:" + strings.Repeat("?", 900) + "b", strings.Repeat(":", n)},
	} {
		if steps, limit := policy.HeadSteps(c.pattern, c.text); steps <= limit || steps > limit+4+len(c.pattern)+len(c.text) {
			t.Errorf("%s: %d steps, given up after %d", c.name, steps, limit)
		}
	}
}

// Wherever between the beginning and the end of a text the steps run out, the answer is the same.
func TestGivingUpChangesNothing(t *testing.T) {
	t.Parallel()
	const block = "aaaaaa?b"
	outcomes := map[bool]int{}
	for n := 20; n < 140; n++ {
		text := strings.Repeat("a", n)
		steps, limit := policy.GlobSteps("*"+block+"*", text+"b")
		outcomes[steps > limit]++
		if !policy.Glob("*"+block+"*", text+"b") || policy.Glob("*"+block+"*", text+"c") {
			t.Errorf("*%s* against %d times a: %d steps of %d", block, n, steps, limit)
		}
		if !policy.Glob(block+"*"+block, "aaaaaaxb"+text+"b") || policy.Glob(block+"*"+block, "aaaaaaxb"+text+"c") {
			t.Errorf("%s*%s against %d times a", block, block, n)
		}
		steps, limit = policy.FoldSteps("*"+block+"*", text+"c")
		outcomes[steps > limit]++
		if !policy.GlobFold("*"+strings.ToUpper(block)+"*", text+"B") || policy.GlobFold("*"+block+"*", text+"c") {
			t.Errorf("*%s* without case against %d times a", block, n)
		}
	}
	const head = "arn:*:*a:a:b:x*"
	for n := 100; n < 200; n++ {
		for m := range 19 { // so many steps are taken for each "a:"
			text := "arn:z:" + strings.Repeat("a:", n)
			yes, no := text+"b:x"+strings.Repeat("y", m), text+"b:y"+strings.Repeat("y", m)
			steps, limit := policy.HeadSteps(head, yes)
			outcomes[steps > limit]++
			if got := policy.MatchResource(head, yes, false); !got || policy.MatchResource(head, no, false) {
				t.Errorf("%s: %t, %d steps of %d", yes, got, steps, limit)
			}
		}
	}
	if outcomes[true] < 100 || outcomes[false] < 100 {
		t.Errorf("%d patterns are given up, %d are not: the test has become useless", outcomes[true], outcomes[false])
	}
}

// A pattern with fewer than five colons that ends in a star is decided too when it is given up.
func TestHostileShortPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, end string
		want         bool
	}{
		{"arn:*:a:a:b*", "bc", true},
		{"arn:*:a:a:b*", "bc:d:e", true}, // a star at the end takes colons
		{"arn:*:a:a:b*", "cb", false},
		{"arn:*:a:a:?b", "ab", true},
		{"arn:*:a:a:?b", "ab:c", true}, // padded to six parts (docs/spec/policy-language.md 7.2.5)
		{"arn:*:a:a:?b", "aab", false},
		{"arn:*:a:a:?b", "aab:c", false},
		{"arn:*:a:a:b:", "b:", true},
		{"arn:*:a:a:?:", "b:c", false},
	} {
		text := "arn:z:" + strings.Repeat("a:", 1990) + c.end
		if got := policy.MatchResource(c.pattern, text, false); got != c.want {
			t.Errorf("%s against arn:z:a:…a:%s: %t; want %t", c.pattern, c.end, got, c.want)
		}
	}
}

// Without case, ASCII letters are compared and nothing else, in each word of a pattern.
func TestBitsFold(t *testing.T) {
	t.Parallel()
	for a := range byte(0x80) {
		for b := range byte(0x80) {
			if a == '*' || a == '?' {
				continue
			}
			want := strings.EqualFold(string(a), string(b)) // which folds no more of ASCII
			if got := policy.Bits(string(a), 0, string(b), true); got != want {
				t.Errorf("%q, %q: %t; want %t", a, b, got, want)
			}
			if got := policy.Bits(string(a), 0, string(b), false); got != (a == b) {
				t.Errorf("%q, %q with case: %t", a, b, got)
			}
		}
	}
	const n = 150 // more than two words
	for _, fold := range []bool{false, true} {
		for _, c := range []struct {
			pattern, text string
			want          bool
		}{
			{strings.Repeat("B", n) + strings.Repeat("a", n), strings.Repeat("B", n) + strings.Repeat("a", n), true},
			{strings.Repeat("B", n) + strings.Repeat("a", n), strings.Repeat("B", 2*n), false},
			{strings.Repeat("b", n) + strings.Repeat("a", n), strings.Repeat("b", 2*n), false},
			{strings.Repeat("b", n) + strings.Repeat("a", n), strings.Repeat("b", n) + strings.Repeat("A", n), fold},
			{strings.Repeat("b", n) + strings.Repeat("a", n), strings.Repeat("b", n) + strings.Repeat("B", n), false},
		} {
			if got := policy.Bits(c.pattern, 0, c.text, fold); got != c.want {
				t.Errorf("%.2s…%s, %.2s…%s, fold %t: %t", c.pattern, c.pattern[2*n-1:], c.text, c.text[2*n-1:], fold, got)
			}
		}
	}
}
