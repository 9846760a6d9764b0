package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Values next to those that are good for an operator. What is bad for it never matches, and its negation always does
// (docs/spec/policy-language.md 10).
func TestValuesAtTheEdges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		operator, value, request string
		want                     bool
	}{
		{"IpAddress", "::ffff:0.0.0.0/96", "203.0.113.9", true},
		{"IpAddress", "::ffff:203.0.113.0/120", "203.0.113.9", true},
		{"IpAddress", "::ffff:203.0.113.0/120", "203.0.114.9", false},
		{"IpAddress", "::ffff:203.0.113.0/120", "::ffff:203.0.113.9", true},
		{"IpAddress", "::ffff:0.0.0.0/95", "203.0.113.9", false},
		{"IpAddress", "::ffff:0.0.0.0/0", "203.0.113.9", false},
		{"IpAddress", "::ffff:203.0.113.9/128", "203.0.113.9", true},
		{"IpAddress", "::/0", "203.0.113.9", false},
		{"IpAddress", "::/0", "2001:db8::1", true},
		{"IpAddress", "0.0.0.0/0", "2001:db8::1", false},
		{"IpAddress", "0.0.0.0/0", "255.255.255.255", true},
		{"IpAddress", "203.0.113.9", "203.0.113.9", true},
		{"IpAddress", "203.0.113.9", "203.0.113.8", false},
		{"IpAddress", "203.0.113.9/32", "203.0.113.8", false},
		{"IpAddress", "203.0.113.9/31", "203.0.113.8", true},
		{"IpAddress", "203.0.113.9/33", "203.0.113.9", false},
		{"IpAddress", "203.0.113", "0.0.0.0", false},
		{"IpAddress", "203.0.113.256", "0.0.0.0", false},
		{"IpAddress", "x/8", "0.0.0.0", false},
		{"IpAddress", "fe80::1%eth0", "fe80::1", false},
		{"IpAddress", "0.0.0.0/0", "fe80::1%eth0", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.4.5", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.0004", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.04", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.256", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.1000", false},
		{"IpAddress", "0.0.0.0/0", "1.256.3.4", false},
		{"IpAddress", "0.0.0.0/0", "1..3.4", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.", false},
		{"IpAddress", "0.0.0.0/0", ".1.2.3", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.4/32", false},
		{"IpAddress", "0.0.0.0/0", "1.2.3.:", false},
		{"IpAddress", "0.0.0.0/0", "", false},
		{"IpAddress", "10.0.0.0/8", "10.255.255.255", true},
		{"IpAddress", "10.0.0.0/8", "11.0.0.0", false},

		{"BinaryEquals", "YWJj", "YWJj", true},
		{"BinaryEquals", "YWI=", "YWJ=", true}, // the unused bits are not zero
		{"BinaryEquals", "YWJ=", "YWI=", true},
		{"BinaryEquals", "YWI=", "YWM=", false},
		{"BinaryEquals", "YWJj!", "YWJj", false},
		{"BinaryEquals", "YWJjZ", "YWJj", false},
		{"BinaryEquals", "YWJj\n", "YWJj", false},
		{"BinaryEquals", "YWJj", "YWJj\n", false},
		{"BinaryEquals", "YWI=", "YWI", false},
		{"BinaryEquals", "YWI=", "YW\nI=", false},
		{"BinaryEquals", "YWJjZGU=", "YWJjZGV=", true},
		{"BinaryEquals", "YWJjZGU=", "YWJkZGV=", false},
		{"BinaryEquals", "YWJjZGU=", "!!!!ZGU=", false},
		{"BinaryEquals", "", "", true},
		{"BinaryEquals", "", "YWJj", false},
		{"BinaryEquals", "YWJj", "", false},

		{"Bool", "TRUE", "true", true},
		{"Bool", "true", "TRUE", true},
		{"Bool", "False", "false", true},
		{"Bool", "true", "false", false},
		{"Bool", "false", "true", false},
		{"Bool", "x", "x", false},
		{"Bool", "x", "false", false},
		{"Bool", "1", "true", false},

		{"NumericEquals", "x", "0", false},
		{"NumericEquals", "", "0", false},
		{"NumericEquals", "0", "x", false},
		{"NumericEquals", "-0", "0", true},
		{"NumericNotEquals", "x", "0", true},
		{"DateEquals", "x", "0", false},
		{"DateEquals", "0", "x", false},
		{"DateEquals", "0", "1970-01-01T00:00:00Z", true},
		{"DateEquals", "2026-02-29", "2026-03-01", false},
		{"DateEquals", "2024-02-29", "2024-02-29T00:00:00Z", true},
		{"DateNotEquals", "2026-02-29", "2026-03-01", true},

		{"ArnLike", "arn:aws:s3", "arn:aws:s3", false},
		{"ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bc", true},
		{"ArnNotEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bc", false},
		{"ArnNotLike", "arn:aws:s3:::b*", "arn:aws:s3:::c", true},
		{"ArnLike", "*", "arn:aws:s3:::b", false},
		{"ArnLike", "arn:aws:s3:::b", "arn:aws:s3:::b:c", false},
		{"ArnLike", "arn:aws:s3:::b:*", "arn:aws:s3:::b:c", true},
	}
	for _, tt := range tests {
		op, set, ifExists, ok := policy.ParseOperator(tt.operator)
		if !ok {
			t.Fatalf("no operator %s", tt.operator)
		}
		c := policy.Condition{Operator: op, Set: set, IfExists: ifExists, Key: "k", Values: []string{tt.value}}
		for _, values := range [][]string{{tt.value}, {tt.value, tt.value}} {
			c.Values = values
			if got := policy.Holds(c, true, policy.Entry{Key: "k", Values: []string{tt.request}}); got != tt.want {
				t.Errorf("%s: policy %q, request %q: %t, want %t", tt.operator, values, tt.request, got, tt.want)
			}
		}
	}
}

// Compile looks at values that were changed after the document was read.
func TestCompileRefusesWhatIsNotUTF8(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*policy.Statement){
		"action":    func(s *policy.Statement) { s.Actions = []string{"s3:Get", "s3:\xff"} },
		"resource":  func(s *policy.Statement) { s.Resources = []string{"*", "arn:aws:s3:::\xff"} },
		"condition": func(s *policy.Statement) { s.Conditions[0].Values = []string{"a", "\xff"} },
	} {
		d, err := policy.Decode(document(good+`,"Condition":{"StringEquals":{"k":"v"}}`), policy.Managed)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Compile(d); err != nil {
			t.Fatal(err)
		}
		change(&d.Statements[0])
		_, err = policy.Compile(d)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		wantError(t, d.Text(), err, policy.MalformedPolicyDocument, "Syntax errors in policy.", "not UTF-8")
	}
}

// A caller of a kind that is none, and the ends of the list of kinds.
func TestCallersWithoutAccount(t *testing.T) {
	t.Parallel()
	deny := policy.NewSet(compile(t, policy.SCP, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`))
	for kind, want := range map[policy.CallerKind]bool{
		0: true, policy.RootCaller: true, policy.UserCaller: true, policy.RoleCaller: true, policy.FederatedCaller: true,
		policy.ServiceCaller: false, policy.ProviderCaller: false, policy.AnonymousCaller: false,
	} {
		sets := policy.Sets{Caller: policy.Caller{Kind: kind}, SCP: []*policy.Set{deny}}
		d := policy.Decide(&sets, &policy.Request{Action: "x:Do", Resource: "*"})
		if got := d.Effect == policy.DenyExplicit && d.Layer == policy.LayerSCP; got != want {
			t.Errorf("kind %d: bound by SCPs: %t, want %t", kind, got, want)
		}
	}
}

func compile(t *testing.T, kind policy.Kind, text string) *policy.Attached {
	t.Helper()
	p, err := policy.Load(text, kind)
	if err != nil {
		t.Fatal(err)
	}
	return &policy.Attached{Policy: p, Name: "p"}
}
