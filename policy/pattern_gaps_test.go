package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The only wildcard at the end is not always a star, and the only star is not always at the end (docs/spec/policy-language.md 3, 10.1).
func TestWildcardsBesideVariables(t *testing.T) {
	t.Parallel()
	context := []policy.Entry{single("x:n", "bob")}
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"${x:n}?", "bob", false}, {"${x:n}?", "bobX", true}, {"${x:n}?", "bobXY", false}, {"${x:n}b?", "bobbXY", false}, {"${x:n}b?", "bobbX", true},
		{"${x:n}*?", "bob", false}, {"${x:n}*?", "bobX", true}, {"${x:n}*?", "bobXY", true},
		{"${x:n}?*", "bob", false}, {"${x:n}?*", "bobX", true}, {"${x:n}?*", "bobXYZ", true},
		{"${x:n}*a*", "boba", true}, {"${x:n}*a*", "bobXaY", true}, {"${x:n}*a*", "bobX", false},
		{"${x:n}*", "bob", true}, {"${x:n}*", "bo", false}, {"a*${x:n}", "abob", true}, {"a*${x:n}", "abobX", false}, {"a*${x:n}*", "abobX", true},
		{"a?${x:n}", "aXbob", true}, {"a?${x:n}", "abob", false}, {"${x:n}", "bob", true}, {"${x:n}", "bobX", false}, {"a${x:n}", "abob", true},
		{"${x:n}${x:n}", "bobbob", true}, {"${x:n}${x:n}", "bob", false}, {"${x:n}*${x:n}", "bobXbob", true}, {"${x:n}*${x:n}", "bob", false},
		{"${x:none, 'd'}*", "dX", true}, {"${x:none, 'd'}*", "d", true}, {"${x:none, 'd'}?", "d", false}, {"${x:none, '*'}", "X", false}, {"${x:none, '*'}*", "*X", true},
	} {
		if got := holds(t, "StringLike", "k", []string{c.pattern}, append(context, single("k", c.text))...); got != c.want {
			t.Errorf("StringLike %q, %q: %t; want %t", c.pattern, c.text, got, c.want)
		}
		const head = "arn:aws:s3:::"
		if got := policy.MatchResourceIn(policy.Identity, head+c.pattern, head+c.text, true, context...); got != c.want {
			t.Errorf("Resource %q, %q: %t; want %t", c.pattern, c.text, got, c.want)
		}
	}
}

// Which short ARNs are padded (docs/spec/policy-language.md 7.2.5). The specification has no row for trust policies, which have no resources today:
// they are as other policies with principals.
func TestShortResources(t *testing.T) {
	t.Parallel()
	for kind, want := range map[policy.Kind][2]bool{
		policy.Identity: {true, true}, policy.Managed: {true, true}, policy.Boundary: {true, true}, policy.Session: {true, true},
		policy.SCP: {true, true}, policy.RCP: {true, true},
		policy.Resource: {false, true}, policy.Endpoint: {false, true}, policy.Trust: {false, true},
	} {
		for i, pattern := range []string{"arn:aws:s3", "arn:aws:s?"} {
			if got := policy.MatchResourceIn(kind, pattern, "arn:aws:s3:::b", true); got != want[i] {
				t.Errorf("%s in a policy of kind %v: %t", pattern, kind, got)
			}
		}
		if !policy.MatchResourceIn(kind, "arn:aws:s3", "arn:aws:s3", true) || policy.MatchResourceIn(kind, "arn:aws:s?", "arn:aws:ec2:::b", true) {
			t.Errorf("kind %v: a short ARN does not match itself, or matches what it is not", kind)
		}
	}
}

// A pattern whose head is tried at very many places is decided all the same, by the matcher that takes linear work.
func TestHostileHeads(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, end string
		want         bool
	}{
		{"arn:*:a:a:b:x", "b:x", true},
		{"arn:*:a:a:b:x", "b:y", false},
		{"arn:*:a:a:b:x", "c:x", false},
		{"arn:*:a?:a:b:x", "aa:a:b:x", true},
		{"arn:*:?:a:b:x*", "b:xyz", true},
		{"arn:*:a:a*:b:x", "ab:b:x", true},
		{"arn:*:a:a*:b:x", "ab:c:x", false},
	} {
		text := "arn:z:" + strings.Repeat("a:", 1990) + c.end
		if got := policy.MatchResource(c.pattern, text, false); got != c.want {
			t.Errorf("%s against arn:z:a:…a:%s: %t; want %t", c.pattern, c.end, got, c.want)
		}
	}
}

// Characters beside the letters and digits are none of them (docs/spec/policy-language.md 12.2).
func TestSidsAtTheEdges(t *testing.T) {
	t.Parallel()
	for sid, want := range map[string]bool{
		"09azAZ": true, "a/b": false, "a:b": false, "a@b": false, "a[b": false, "a`b": false, "a{b": false, "a b": false, "é": false, "\u017f": false,
	} {
		_, err := policy.Parse(`{"Version":"2012-10-17","Statement":{"Sid":"`+sid+`","Effect":"Allow","Action":"s3:Get","Resource":"*"}}`, policy.Identity)
		if (err == nil) != want {
			t.Errorf("%q: %v; want accepted %t", sid, err, want)
		}
	}
}

func TestOperatorNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for o := policy.StringEquals; o <= policy.Null; o++ {
		op, set, ifExists, ok := policy.ParseOperator(o.String())
		if !ok || op != o || set != policy.SetNone || ifExists || seen[o.String()] {
			t.Errorf("operator %d is called %q, which is %d", o, o, op)
		}
		seen[o.String()] = true
	}
	for _, name := range []string{"", "IfExists", "x", "xIfExists", "ForAllValues:", "ForAnyValue:x", "NullIfExists", "ForAllValues:NullIfExists"} {
		if op, set, ifExists, ok := policy.ParseOperator(name); op != 0 || set != policy.SetNone || ifExists || ok {
			t.Errorf("%q is operator %d, set operator %d, if exists %t", name, op, set, ifExists)
		}
	}
	for _, o := range []policy.Operator{0, policy.Null + 1, 255} {
		if o.String() != "" {
			t.Errorf("operator %d, which is none, is called %q", o, o)
		}
	}
}

// Only the values of Date operators have to be dates (docs/spec/policy-language.md 12.2).
func TestOperatorsThatTakeDates(t *testing.T) {
	t.Parallel()
	for o := policy.StringEquals; o <= policy.Null; o++ {
		_, err := policy.Parse(document(good+`,"Condition":{"`+o.String()+`":{"k":"none"}}`), policy.Identity)
		if want := !strings.HasPrefix(o.String(), "Date"); (err == nil) != want {
			t.Errorf("%s takes what is no date: %v; want %t", o, err, want)
		}
	}
}

// A document whose kind was changed to none after it was read does not compile.
func TestCompileKnowsKinds(t *testing.T) {
	t.Parallel()
	for _, kind := range []policy.Kind{0, 99, 255} {
		d, err := policy.Decode(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`, policy.Identity)
		if err != nil {
			t.Fatal(err)
		}
		if d.Kind = kind; d.Kind == policy.Identity {
			continue
		}
		if _, err := policy.Compile(d); err == nil {
			t.Errorf("a document of kind %d compiles", kind)
		}
	}
}

// What Parse refuses, Load refuses with the same error, and what has no meaning.
func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{}", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:Get"}}`} {
		_, want := policy.Parse(text, policy.Identity)
		p, err := policy.Load(text, policy.Identity)
		if p != nil || err == nil || want == nil || err.Error() != want.Error() {
			t.Errorf("%q: %v; want %v", text, err, want)
		}
	}
	byHand := policy.Document{Kind: policy.Resource, Version: policy.Version2012, Statements: []policy.Statement{{
		Effect: "Allow", Actions: []string{"s3:Get"}, Resources: []string{"*"}, Principal: &policy.Principal{Values: []policy.PrincipalValue{{Type: "None", Value: "x"}}},
	}}}
	if p, err := policy.Compile(&byHand); p != nil || err == nil {
		t.Errorf("a document with a principal of no type: %v", err)
	}
}

// Who prepares a context for nothing does too much, and who does not prepare it where it is read decides wrongly.
func TestRequestsThatReadContext(t *testing.T) {
	t.Parallel()
	attached := func(kind policy.Kind, condition string) *policy.Attached {
		return compile(t, kind, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"`+condition+`}}`)
	}
	const reads = `,"Condition":{"StringEquals":{"k":"v"}}`
	plain, reading := policy.NewSet(attached(policy.RCP, "")), policy.NewSet(attached(policy.RCP, reads))
	for _, c := range []struct {
		name    string
		request policy.Request
		want    bool
	}{
		{"nothing", policy.Request{}, false},
		{"resource", policy.Request{ResourcePolicy: attached(policy.Resource, "")}, false},
		{"resource, reading", policy.Request{ResourcePolicy: attached(policy.Resource, reads)}, true},
		{"resource, not there", policy.Request{ResourcePolicy: &policy.Attached{}}, false},
		{"endpoint", policy.Request{Endpoint: attached(policy.Endpoint, "")}, false},
		{"endpoint, reading", policy.Request{ResourcePolicy: attached(policy.Resource, ""), Endpoint: attached(policy.Endpoint, reads)}, true},
		{"RCP", policy.Request{RCP: []*policy.Set{plain, nil}}, false},
		{"RCP, reading", policy.Request{RCP: []*policy.Set{plain, nil, reading}}, true},
	} {
		if got := c.request.UsesContext(); got != c.want {
			t.Errorf("%s: %t; want %t", c.name, got, c.want)
		}
	}
}

// Patterns of actions that take many steps to compare are decided all the same, without regard to the case of ASCII letters alone.
func TestHostileActions(t *testing.T) {
	t.Parallel()
	const around = "09@AZ[`az{_-"
	for i := range len(around) {
		for j := range len(around) {
			for _, other := range []byte{around[j], around[j] ^ 0x20} {
				a, b := around[i:i+1], string(other)
				want := a == b || strings.EqualFold(a, b) && strings.ToLower(a) != strings.ToUpper(a)
				pattern := "s3:*" + strings.Repeat(a, 90) + "?." + a
				action := "s3:" + strings.Repeat(b, 200) + "x." + b
				if got := policy.MatchAction(pattern, action); got != want {
					t.Errorf("90 times %q against 200 times %q: %t; want %t", a, b, got, want)
				}
				if policy.MatchAction(pattern, action+"x") {
					t.Errorf("90 times %q, and then what the action does not have", a)
				}
			}
		}
	}
}
