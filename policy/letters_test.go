package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// ASCII case alone is no difference, for every letter and none of its neighbours.
func TestEveryLetterFolds(t *testing.T) {
	t.Parallel()
	for a := range 256 {
		for b := range 256 {
			same := a == b || a|0x20 == b|0x20 && a|0x20 >= 'a' && a|0x20 <= 'z'
			if got := policy.SameKey(string([]byte{byte(a)}), string([]byte{byte(b)})); got != same {
				t.Errorf("%q and %q: %t, want %t", rune(a), rune(b), got, same)
			}
			if a >= 0x80 || b >= 0x80 || a == '*' || a == '?' {
				continue // no UTF-8 by itself, or a wildcard
			}
			if got := policy.GlobFold(string(rune(a)), string(rune(b))); got != same {
				t.Errorf("the pattern %q and %q: %t, want %t", rune(a), rune(b), got, same)
			}
			if got := policy.GlobFold("*"+string(rune(a)), "x"+string(rune(b))); got != same {
				t.Errorf("the pattern *%q and x%q: %t, want %t", rune(a), rune(b), got, same)
			}
		}
	}
}

// A Sid of an identity policy takes letters and digits, and none of their neighbours.
func TestEveryLetterOfSid(t *testing.T) {
	t.Parallel()
	for c := rune(0x20); c < 0x7f; c++ {
		if c == '"' || c == '\\' {
			continue
		}
		good := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		_, err := policy.Parse(document(withSid(string(c))), policy.Managed)
		if (err == nil) != good {
			t.Errorf("Sid %q: %v", c, err)
		}
	}
}

func withSid(sid string) string { return `"Sid":"` + sid + `",` + good }

// A request reads the context where any policy that it brings does.
func TestRequestUsesContext(t *testing.T) {
	t.Parallel()
	const plain = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`
	const asks = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"Null":{"a":"true"}}}}`
	resource, endpoint, rcp := compile(t, policy.Resource, asks), compile(t, policy.Endpoint, asks), compile(t, policy.RCP,
		`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*","Condition":{"Null":{"a:b":"true"}}}}`)
	for name, tt := range map[string]struct {
		request policy.Request
		want    bool
	}{
		"nothing":            {policy.Request{}, false},
		"plain ones":         {policy.Request{ResourcePolicy: compile(t, policy.Resource, plain), Endpoint: compile(t, policy.Endpoint, plain)}, false},
		"resource":           {policy.Request{ResourcePolicy: resource}, true},
		"endpoint":           {policy.Request{Endpoint: endpoint}, true},
		"one level":          {policy.Request{RCP: []*policy.Set{nil, policy.NewSet(rcp)}}, true},
		"no level":           {policy.Request{RCP: []*policy.Set{nil, policy.NewSet()}}, false},
		"unreadable":         {policy.Request{ResourcePolicy: &policy.Attached{}, Endpoint: &policy.Attached{}}, false},
		"unreadable and one": {policy.Request{ResourcePolicy: &policy.Attached{}, Endpoint: endpoint}, true},
	} {
		if got := tt.request.UsesContext(); got != tt.want {
			t.Errorf("%s: %t, want %t", name, got, tt.want)
		}
	}
}

// Names of values that are none.
func TestNamesOfUnknownValues(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		policy.Kind(200).String(): "unknown", policy.Kind(10).String(): "unknown", policy.RCP.String(): "RCP",
		policy.Layer(200).String(): "none", policy.Layer(11).String(): "none", policy.LayerExempt.String(): "exempt",
		policy.Effect(7).String(): "DENY-I",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for _, o := range []policy.Operator{0, policy.Null + 1, 200} {
		if name := o.String(); name != policy.Operator(0).String() {
			t.Errorf("operator %d is %q", o, name)
		}
	}
}
