package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// A policy that cannot be read, or stands where its kind cannot, denies wherever it stands: it might have been a Deny (docs/spec/evaluation.md 4.2).
func TestUnreadableAnywhere(t *testing.T) {
	t.Parallel()
	allow := func(kind policy.Kind) *policy.Attached {
		principal := ""
		if kind == policy.Resource || kind == policy.Endpoint {
			principal = `"Principal":"*",`
		}
		return compile(t, kind, `{"Version":"2012-10-17","Statement":{"Effect":"Allow",`+principal+`"Action":"*","Resource":"*"}}`)
	}
	identity, scp, endpoint, resource := allow(policy.Identity), allow(policy.SCP), allow(policy.Endpoint), allow(policy.Resource)
	gone := &policy.Attached{Name: "gone"}
	for name, change := range map[string]func(s *policy.Sets, r *policy.Request, bad *policy.Attached){
		"identity": func(s *policy.Sets, _ *policy.Request, bad *policy.Attached) {
			s.Identity = policy.NewSet(identity, bad)
		},
		"boundary": func(s *policy.Sets, _ *policy.Request, bad *policy.Attached) {
			s.Boundary = policy.NewSet(identity, bad)
		},
		"session": func(s *policy.Sets, _ *policy.Request, bad *policy.Attached) {
			s.Session = policy.NewSet(identity, bad)
		},
		"SCP": func(s *policy.Sets, _ *policy.Request, bad *policy.Attached) {
			s.SCP = []*policy.Set{policy.NewSet(scp), policy.NewSet(scp, bad)}
		},
		"RCP": func(_ *policy.Sets, r *policy.Request, bad *policy.Attached) {
			r.RCP = []*policy.Set{nil, policy.NewSet(bad)}
		},
		"resource": func(_ *policy.Sets, r *policy.Request, bad *policy.Attached) { r.ResourcePolicy = bad },
		"endpoint": func(_ *policy.Sets, r *policy.Request, bad *policy.Attached) { r.Endpoint = bad },
	} {
		for _, bad := range []*policy.Attached{gone, endpoint, resource, scp, identity, nil} {
			if bad == nil && (name == "resource" || name == "endpoint") || bad == endpoint && name == "endpoint" || bad == resource && name == "resource" ||
				bad == scp && name == "SCP" || bad == identity && (name == "identity" || name == "boundary" || name == "session") {
				continue // which is as it should be
			}
			sets := policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: "111122223333"}, Identity: policy.NewSet(identity)}
			request := policy.Request{Action: "s3:Get", Resource: "*"}
			if d := policy.Decide(&sets, &request); d.Effect != policy.Allow {
				t.Fatalf("without it: %+v", d)
			}
			change(&sets, &request, bad)
			if d := policy.Decide(&sets, &request); d != (policy.Decision{}) {
				t.Errorf("%s with %+v: %+v", name, bad, d)
			}
		}
	}
}

// The bounds of a request, to the byte.
func TestRequestsAtTheBounds(t *testing.T) {
	t.Parallel()
	sets := policy.Sets{Caller: policy.Caller{Kind: policy.RootCaller, Account: "111122223333"}, Root: true}
	for _, c := range []struct {
		name, action, resource string
		want                   bool
	}{
		{"longest action", "s3:" + strings.Repeat("a", policy.MaxAction-3), "*", true},
		{"longer action", "s3:" + strings.Repeat("a", policy.MaxAction-2), "*", false},
		{"longest resource", "s3:Get", strings.Repeat("a", policy.MaxResource), true},
		{"longer resource", "s3:Get", strings.Repeat("a", policy.MaxResource+1), false},
		{"shortest", "s:a", "a", true},
		{"two colons", "s3:Get:x", "*", false},
		{"two colons together", "s3::Get", "*", false},
		{"two colons, one at the end", "s3:G:", "*", false},
		{"no service", ":Get", "*", false},
		{"no name", "s3:", "*", false},
		{"no colon", "s3Get", "*", false},
		{"nothing", "", "*", false},
		{"no resource", "s3:Get", "", false},
	} {
		if d := policy.Decide(&sets, &policy.Request{Action: c.action, Resource: c.resource}); (d.Effect == policy.Allow) != c.want {
			t.Errorf("%s: %+v; want allowed %t", c.name, d, c.want)
		}
	}
	bad := []policy.Entry{{Key: "k", Values: []string{"\xff"}}}
	if d := policy.Decide(&sets, &policy.Request{Action: "s3:Get", Resource: "*", PolicyContext: bad}); d.Effect == policy.Allow {
		t.Error("a context for the resource's policy is out of its bounds")
	}
}

// The context of all layers is known to be read, and of none that does not read it.
func TestSetsThatReadContext(t *testing.T) {
	t.Parallel()
	set := func(kind policy.Kind, condition string) *policy.Set {
		return policy.NewSet(compile(t, kind, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"`+condition+`}}`),
			compile(t, kind, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}`))
	}
	const reads = `,"Condition":{"StringEquals":{"k":"v"}}`
	for _, c := range []struct {
		name string
		sets policy.Sets
		want bool
	}{
		{"none", policy.Sets{}, false},
		{"plain", policy.Sets{Identity: set(policy.Identity, ""), Boundary: set(policy.Managed, ""), Session: set(policy.Session, ""), SCP: []*policy.Set{nil, set(policy.SCP, "")}}, false},
		{"identity", policy.Sets{Identity: set(policy.Identity, reads)}, true},
		{"boundary", policy.Sets{Boundary: set(policy.Managed, reads)}, true},
		{"session", policy.Sets{Session: set(policy.Session, reads)}, true},
		{"SCP", policy.Sets{SCP: []*policy.Set{nil, set(policy.SCP, ""), set(policy.SCP, reads)}}, true},
	} {
		if got := c.sets.UsesContext(); got != c.want {
			t.Errorf("%s: %t; want %t", c.name, got, c.want)
		}
	}
}
