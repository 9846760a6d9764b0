package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// docs/spec/policy-language.md 3, in the tail of a Resource and in the operators that know variables.
func TestVariables(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long", 500)
	context := []policy.Entry{
		single("aws:username", "alice"), single("k/star", "*"), single("k/one", "?"), single("k/dollar", "${aws:username}"),
		single("k/empty", ""), single("k/long", long), single("k/wide", "日é"), single("k/brace", "}"),
		{Key: "k/list", Values: []string{"alice"}, Multi: true}, {Key: "k/two", Values: []string{"alice", "bob"}}, {Key: "k/none"},
	}
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"${aws:username}", "alice", true},
		{"${AWS:UserName}/x", "alice/x", true},
		{"a${aws:username}${aws:username}b", "aalicealiceb", true},
		{"${aws:username}", "bob", false},
		{"${aws:username}", "alicea", false},
		{"${aws:username}*", "alice/x/y:z", true},
		{"${aws:username}*", "alic", false},
		{"*${aws:username}", "malice", true},
		{"*/${aws:username}/?", "x/y/alice/z", true},
		{"*/${aws:username}/?", "x/y/alice/zz", false},
		{"?${k/wide}?*", "x日éy", true},
		{"${k/star}", "*", true},
		{"${k/star}", "x", false},
		{"*${k/star}", "x*", true},
		{"*${k/star}", "xx", false},
		{"${k/one}${*}${?}${$}", "?*?$", true},
		{"${k/one}*", "x", false},
		{"${k/dollar}", "alice", false},
		{"${k/dollar}", "${aws:username}", true},
		{"${k/brace}", "}", true},
		{"${k/long}*", long + "x", true},
		{"*${k/long}*?", long + "x", true},
		{"*${k/long}*?", long, false},
		{"a${*}c*", "a*cd", true},
		{"a${*}c*", "abcd", false},
		{"a${?}${$}{", "a?${", true},
		{"${k/empty}x", "x", false},
		{"${k/empty, 'd'}x", "dx", true},
		{"${k/list}", "alice", false},
		{"${k/list, 'd'}", "d", true},
		{"${k/two, 'd'}", "d", true},
		{"${k/none, 'd'}", "d", true},
		{"${absent}", "", false},
		{"${absent, ''}", "", true},
		{"x${absent, ''}y", "xy", true},
		{"${absent, 'a*'}", "a*", true},
		{"${absent, 'a*'}", "ab", false},
		{"${absent, 'a b, c'}", "a b, c", true},
		{"${absent,'d'}", "d", false},
		{"${absent,  'd'}", "d", false},
		{"${absent, d}", "d", false},
		{"${absent, d'}", " d", false},
		{"${absent,d'}", "d", false},
		{"${absent, 'd}", "'d", false},
		{"${*x}", "*", false}, // a key, no escape
		{"${?x}${k/one}", "??", false},
		{"${absent, 'd' }", "d", false},
		{"${absent, 'd'e'}", "d'e", false},
		{"${absent, '}", "", false},
		{"${absent, '", "${absent, '", true}, // no closing brace
		{"${}", "${}", false},
		{"${, 'd'}", "d", false},
		{"${aws: username, 'd'}", "d", false},
		{"${aws:username, 'd'}", "alice", true},
		{"${aws:username, d}", "alice", false},
		{"${${aws:username}}", "${alice}", false},
		{"$${aws:username}", "$alice", true},
		{"{${aws:username}}", "{alice}", true},
	}
	for _, tt := range tests {
		got := map[string]bool{
			"StringLike": holds(t, "StringLike", "v", []string{tt.pattern}, append(context, single("v", tt.text))...),
			"ArnLike":    holds(t, "ArnLike", "v", []string{"a:b:c:d:e:" + tt.pattern}, append(context, single("v", "a:b:c:d:e:"+tt.text))...),
			"Resource":   policy.MatchResourceIn(policy.Identity, "a:b:c:d:e:"+tt.pattern, "a:b:c:d:e:"+tt.text, true, context...),
			"head":       policy.MatchResourceIn(policy.Identity, "a:*:?:d*d:e:"+tt.pattern, "a:b:c:dd:e:"+tt.text, true, context...),
		}
		if !strings.ContainsAny(strings.NewReplacer("${*}", "", "${?}", "").Replace(tt.pattern), "*?") || strings.Contains(tt.pattern, "'a*'") {
			got["StringEquals"] = holds(t, "StringEquals", "v", []string{tt.pattern}, append(context, single("v", tt.text))...)
			got["StringEqualsIgnoreCase"] = holds(t, "StringEqualsIgnoreCase", "v", []string{tt.pattern}, append(context, single("v", strings.ToUpper(tt.text)))...)
		}
		for place, matched := range got {
			if matched != tt.want {
				t.Errorf("%s %.50q against %.50q: %v", place, tt.pattern, tt.text, matched)
			}
		}
	}
}

// The rules for the head of a Resource hold too when there is a variable in its tail, docs/spec/policy-language.md 7.2.
func TestVariablesAfterHead(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]bool{
		"a:b:c:d-d:e:x/alice": true, "a:b:c:d:d:e:x/alice": false, "a:b:c:dd:e:x:/alice": true, "a:b:c:d-d:e:x/bob": false,
	} {
		if got := policy.MatchResourceIn(policy.Identity, "a:b:c:d*d:e:*/${k}", resource, true, single("k", "alice")); got != want {
			t.Errorf("%s: %v", resource, got)
		}
	}
}

// Before the fifth colon a token is literal, also where there are variables behind it.
func TestVariablesBeforeTail(t *testing.T) {
	t.Parallel()
	for resource, want := range map[string]bool{"a:b:c:${k}:e:x/5": true, "a:b:c:5:e:x/5": false, "a:b:c:${k}:e:x/${k}": false} {
		if got := policy.MatchResourceIn(policy.Identity, "a:b:c:${k}:e:x/${k}", resource, true, single("k", "5")); got != want {
			t.Errorf("%s: %v", resource, got)
		}
	}
}

// The text before the first variable has to be there, whatever wildcards come behind it.
func TestBeginningsOfTemplates(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"x/${k}", "x/${k}*", "x/${k}?y", "x/${k}*y"} {
		for resource, want := range map[string]bool{"x/5zy": pattern != "x/${k}", "y/5zy": false, "x5zy": false, "": false} {
			if got := policy.MatchResourceIn(policy.Identity, "a:b:c:d:e:"+pattern, "a:b:c:d:e:"+resource, true, single("k", "5")); got != want {
				t.Errorf("%s, %s: %v", pattern, resource, got)
			}
			if policy.MatchResourceIn(policy.Identity, "a:b:c:d:e:"+pattern, "a:b:c:d:f:"+resource, true, single("k", "5")) {
				t.Errorf("%s, %s with another head matches", pattern, resource)
			}
		}
	}
}

// Operators without wildcards take them literally beside variables.
func TestVariablesWithoutWildcards(t *testing.T) {
	t.Parallel()
	for _, operator := range []string{"StringEquals", "StringEqualsIgnoreCase"} {
		for text, want := range map[string]bool{"*5?": true, "x5?": false, "*5x": false, "5": false} {
			if got := holds(t, operator, "v", []string{"*${k}?"}, single("k", "5"), single("v", text)); got != want {
				t.Errorf("%s: %s: %v", operator, text, got)
			}
		}
	}
}

// Where variables have no meaning their text is literal, docs/spec/policy-language.md 3.1 and 3.4.
func TestNoVariables(t *testing.T) {
	t.Parallel()
	context := []policy.Entry{single("k", "5"), single("v", "5"), single("d", "${k}")}
	for _, operator := range []string{"NumericEquals", "DateEquals"} {
		if holds(t, operator, "v", []string{"${k}"}, context...) {
			t.Errorf("%s knows variables", operator)
		}
	}
	if policy.MatchResource("arn:aws:iam::${k}:user/bob", "arn:aws:iam::5:user/bob", true) {
		t.Error("a variable in the head has a value")
	}
	if !policy.MatchResourceIn(policy.Identity, "a:b:c:d:e:${k}", "a:b:c:d:e:${k}", false, context...) ||
		policy.MatchResourceIn(policy.Identity, "a:b:c:d:e:${k}", "a:b:c:d:e:5", false, context...) ||
		!policy.MatchResourceIn(policy.Identity, "a:b:c:d:e:${*}", "a:b:c:d:e:${xyz}", false, context...) {
		t.Error("a Resource of a 2008 document knows variables")
	}
	for _, value := range []string{"${k}", "${*}"} {
		c := policy.Condition{Operator: policy.StringLike, Key: "v", Values: []string{value}}
		if policy.Holds(c, false, context...) {
			t.Errorf("StringLike of a 2008 document: %s is 5", value)
		}
		c.Key = "d"
		if !policy.Holds(c, false, context...) {
			t.Errorf("StringLike of a 2008 document: %s does not match ${k}", value)
		}
	}
}

// The value of a variable stays in its component, whatever colons it has.
func TestArnVariables(t *testing.T) {
	t.Parallel()
	context := []policy.Entry{
		single("account", "111111111111"), single("colons", "111111111111:role/evil"), single("arn", "arn:aws:iam::111111111111:role/x"),
		single("v", "arn:aws:iam::111111111111:role/x"),
	}
	for pattern, want := range map[string]bool{
		"arn:aws:iam::${account}:role/*":         true,
		"arn:aws:iam::${account, '1:2'}:role/x":  true,
		"arn:aws:iam::${colons}:role/x":          false,
		"arn:aws:iam::${absent, '1'}*:role/x":    true,
		"arn:aws:iam::${absent}:role/x":          false,
		"${arn}":                                 false,
		"arn:aws:iam::${account}:${absent, '*'}": false,
	} {
		if got := holds(t, "ArnLike", "v", []string{pattern}, context...); got != want {
			t.Errorf("%s: %v", pattern, got)
		}
	}
}

// Neither many tokens nor long values make the work, or the memory, grow faster than the text.
func TestHostileVariables(t *testing.T) {
	t.Parallel()
	const size = 40_000
	start := time.Now()
	for _, token := range []string{"${", "${k}", "${k, '", "}${", "${k, ''}", "${*}"} {
		text := strings.Repeat(token, size/len(token))
		for _, text := range []string{text, text + "}"} {
			d, err := policy.Decode(document(`"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::`+text+`",
				"Condition":{"ArnLike":{"v":"`+text+`"},"StringLike":{"v":"*`+text+`"}}`), policy.Identity)
			if err != nil {
				t.Fatalf("%s: %v", token, err)
			}
			if _, err := policy.Compile(d); err != nil {
				t.Fatalf("%s: %v", token, err)
			}
		}
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("compiling took %v", took)
	}

	long := strings.Repeat("x", policy.MaxContextText/2)
	pattern := strings.Repeat("${k}", 1500)
	context := []policy.Entry{single("k", long), single("v", "xx")}
	start = time.Now()
	for range 20 {
		for _, operator := range []string{"StringEquals", "StringLike", "StringEqualsIgnoreCase", "Bool"} {
			if holds(t, operator, "v", []string{"*" + pattern}, context...) {
				t.Errorf("%s matches", operator)
			}
		}
		if policy.MatchResourceIn(policy.Identity, "a:b:c:d:e:*"+pattern+"*", "a:b:c:d:e:xx", true, context...) {
			t.Error("Resource matches")
		}
	}
	if took := time.Since(start); took > 2*time.Second { // 190 MB each time, if the values were put in
		t.Errorf("100 matches took %v", took)
	}
}
