package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// callers of account 111111111111, as docs/spec/policy-language.md 8.2 names them.
func callers() map[string]policy.Caller {
	const account, canonical = "111111111111", "0123456789abcdef"
	return map[string]policy.Caller{
		"ROOT": {Kind: policy.RootCaller, Account: account, ARN: "arn:aws:iam::111111111111:root", Canonical: canonical},
		"USER": {Kind: policy.UserCaller, Account: account, ID: "AIDAALICE", ARN: "arn:aws:iam::111111111111:user/alice", Canonical: canonical},
		"SESSION": {Kind: policy.RoleCaller, Account: account, ID: "AROAAPP", ARN: "arn:aws:iam::111111111111:role/p/app",
			Session: "arn:aws:sts::111111111111:assumed-role/app/s1", Canonical: canonical},
		"FEDUSER": {Kind: policy.FederatedCaller, Account: account, ID: "AIDAALICE", ARN: "arn:aws:iam::111111111111:user/alice",
			Session: "arn:aws:sts::111111111111:federated-user/fed", Canonical: canonical},
		"FEDROOT": {Kind: policy.FederatedCaller, Account: account, Session: "arn:aws:sts::111111111111:federated-user/fed", Canonical: canonical},
		"SERVICE": {Kind: policy.ServiceCaller, Names: []string{"a.amazonaws.com", "b.amazonaws.com"}},
		"FEDERATED": {Kind: policy.ProviderCaller, Names: []string{"arn:aws:iam::111111111111:oidc-provider/idp.example.com",
			"accounts.google.com"}},
		"ANON":    {Kind: policy.AnonymousCaller},
		"UNKNOWN": {},
	}
}

// principalPolicy is a policy with one statement on everything, made without the checks of Parse.
func principalPolicy(t *testing.T, kind policy.Kind, effect string, p *policy.Principal) *policy.Attached {
	t.Helper()
	d := &policy.Document{Kind: kind, Version: policy.Version2012,
		Statements: []policy.Statement{{Effect: effect, Actions: []string{"x:*"}, Principal: p}}}
	compiled, err := policy.Compile(d)
	if err != nil {
		t.Fatalf("%+v: %v", p, err)
	}
	return &policy.Attached{Policy: compiled, Name: "of the resource"}
}

// classOf finds by decisions how far an Allow for the caller reaches: docs/spec/evaluation.md 5.
func classOf(t *testing.T, kind policy.Kind, caller policy.Caller, p *policy.Principal) string {
	t.Helper()
	r := policy.Request{Action: "x:Do", Resource: "arn:aws:x:::r", NeedsResourcePolicy: true, ResourcePolicy: principalPolicy(t, kind, "Allow", p)}
	all := policy.NewSet(load(t, allowAll))
	allows := func(s policy.Sets) bool {
		s.Caller = caller
		return policy.Decide(&s, &r).Effect == policy.Allow
	}
	switch {
	case allows(policy.Sets{Session: policy.NewSet()}):
		return "DIRECT"
	case allows(policy.Sets{Session: all}):
		return "ISSUER"
	case allows(policy.Sets{Session: all, Identity: all}):
		return "ACCOUNT"
	}
	return ""
}

func listed(kind string, values ...string) *policy.Principal {
	p := &policy.Principal{}
	for _, v := range values {
		p.Values = append(p.Values, policy.PrincipalValue{Type: kind, Value: v})
	}
	return p
}

// The table of docs/spec/policy-language.md 8.2. Callers that a row does not name are not matched.
func TestPrincipalClasses(t *testing.T) {
	t.Parallel()
	type row map[string]string
	everyone := row{"ROOT": "DIRECT", "USER": "DIRECT", "SESSION": "DIRECT", "FEDUSER": "DIRECT", "FEDROOT": "DIRECT", "SERVICE": "DIRECT",
		"FEDERATED": "DIRECT", "ANON": "DIRECT", "UNKNOWN": "DIRECT"}
	account := row{"ROOT": "ACCOUNT", "USER": "ACCOUNT", "SESSION": "ACCOUNT", "FEDUSER": "ACCOUNT", "FEDROOT": "ACCOUNT"}
	user := row{"USER": "DIRECT", "FEDUSER": "ISSUER"}
	role := row{"SESSION": "ISSUER"}
	session := row{"SESSION": "DIRECT"}
	federated := row{"FEDUSER": "DIRECT", "FEDROOT": "DIRECT"}
	service := row{"SERVICE": "DIRECT"}
	provider := row{"FEDERATED": "DIRECT"}
	tests := []struct {
		principal       *policy.Principal
		trust, resource row
	}{
		{&policy.Principal{Any: true}, everyone, everyone},
		{listed("AWS", "*"), everyone, everyone},
		{listed("AWS", "x", "*"), everyone, everyone},
		{listed("AWS", "111111111111"), account, account},
		{listed("AWS", "arn:aws:iam::111111111111:root"), account, account},
		{listed("AWS", "arn:aws-cn:iam::111111111111:root"), nil, nil},
		{listed("AWS", "arn::iam::111111111111:root"), nil, nil},
		{listed("AWS", "arn:aws:iam:::root"), nil, nil},
		{listed("AWS", "222222222222", "11111111111", ""), nil, nil},
		{listed("AWS", "arn:aws:iam::111111111111:user/alice"), user, user},
		{listed("AWS", "AIDAALICE"), user, user},
		{listed("AWS", "arn:aws:iam::111111111111:user/Alice", "aidaalice", "arn:aws:iam::111111111111:user/fed"), nil, nil},
		{listed("AWS", "arn:aws:iam::111111111111:user/*", "AIDA*", "arn:aws:sts::111111111111:assumed-role/app/?1"), nil, nil},
		{listed("AWS", "arn:aws:iam::111111111111:role/p/app"), role, role},
		{listed("AWS", "AROAAPP"), role, role},
		{listed("AWS", "arn:aws:iam::111111111111:role/app", "AROAOLD"), nil, nil},
		{listed("AWS", "arn:aws:sts::111111111111:assumed-role/app/s1"), session, session},
		{listed("AWS", "arn:aws:sts::111111111111:federated-user/fed"), federated, federated},
		{listed("AWS", "111111111111", "AROAAPP", "arn:aws:sts::111111111111:assumed-role/app/s1"), // the best class counts
			row{"ROOT": "ACCOUNT", "USER": "ACCOUNT", "SESSION": "DIRECT", "FEDUSER": "ACCOUNT", "FEDROOT": "ACCOUNT"},
			row{"ROOT": "ACCOUNT", "USER": "ACCOUNT", "SESSION": "DIRECT", "FEDUSER": "ACCOUNT", "FEDROOT": "ACCOUNT"}},
		{listed("Service", "b.amazonaws.com"), service, service},
		{listed("Service", "B.amazonaws.com", "*", "c.amazonaws.com"), nil, nil},
		{listed("AWS", "a.amazonaws.com"), nil, nil},
		{listed("Federated", "accounts.google.com"), provider, nil},
		{listed("Federated", "arn:aws:iam::111111111111:oidc-provider/idp.example.com"), provider, nil},
		{listed("Federated", "*", "arn:aws:iam::222222222222:oidc-provider/idp.example.com"), nil, nil},
		{listed("CanonicalUser", "0123456789abcdef"), nil, account},
		{listed("CanonicalUser", "", "0123456789ABCDEF"), nil, nil},
		{&policy.Principal{}, nil, nil},
		{nil, nil, nil},
	}
	for _, tt := range tests {
		for name, caller := range callers() {
			if got := classOf(t, policy.Trust, caller, tt.principal); got != tt.trust[name] {
				t.Errorf("trust policy, %+v, %s: %q, want %q", tt.principal, name, got, tt.trust[name])
			}
			if got := classOf(t, policy.Resource, caller, tt.principal); got != tt.resource[name] {
				t.Errorf("resource policy, %+v, %s: %q, want %q", tt.principal, name, got, tt.resource[name])
			}
		}
	}
}

// docs/spec/policy-language.md 8.3.
func TestNotPrincipal(t *testing.T) {
	t.Parallel()
	const account, root, user, role = "111111111111", "arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:user/alice", "AROAAPP"
	const session, fed = "arn:aws:sts::111111111111:assumed-role/app/s1", "arn:aws:sts::111111111111:federated-user/fed"
	full := map[string]*policy.Principal{
		"ROOT": listed("AWS", root), "USER": listed("AWS", "AIDAALICE", account), "SESSION": listed("AWS", session, root, role),
		"FEDUSER": listed("AWS", fed, account), "FEDROOT": listed("AWS", root, fed), "SERVICE": listed("Service", "b.amazonaws.com"),
		"FEDERATED": listed("Federated", "accounts.google.com"),
	}
	denied := func(caller policy.Caller, boundary *policy.Attached, p *policy.Principal) bool {
		not := *p
		not.Not = true
		s := policy.Sets{Caller: caller}
		if boundary != nil {
			s.Boundary = policy.NewSet(boundary)
		}
		r := policy.Request{Action: "x:Do", Resource: "arn:aws:x:::r", ResourcePolicy: principalPolicy(t, policy.Trust, "Deny", &not)}
		return policy.Decide(&s, &r).Effect == policy.DenyExplicit
	}
	for name, caller := range callers() {
		if p := full[name]; p != nil {
			if denied(caller, nil, p) {
				t.Errorf("%s is denied though its whole chain is listed", name)
			}
			if denied(caller, load(t, allowAll), p) == (name == "ROOT") { // no boundary is consulted for root
				t.Errorf("%s with a boundary: denied is %v", name, name == "ROOT")
			}
			for i := range p.Values { // any member left out
				short := &policy.Principal{}
				short.Values = append(append(short.Values, p.Values[:i]...), p.Values[i+1:]...)
				if !denied(caller, nil, short) {
					t.Errorf("%s is not denied though only %+v is listed", name, short.Values)
				}
			}
		}
		for _, p := range []*policy.Principal{{}, {Any: true}, listed("AWS", "*"), listed("AWS", "222222222222"), listed("AWS", user, role)} {
			if !denied(caller, nil, p) {
				t.Errorf("%s is not denied by NotPrincipal %+v", name, p)
			}
		}
		for _, tt := range []struct {
			principal *policy.Principal
			want      bool
		}{
			{&policy.Principal{Not: true}, name != "UNKNOWN"},
			{&policy.Principal{Not: true, Any: true}, false},
			{&policy.Principal{Not: true, Values: []policy.PrincipalValue{{Type: "AWS", Value: account}}}, caller.Account == "" && name != "UNKNOWN"},
		} {
			if got := classOf(t, policy.Resource, caller, tt.principal) == "DIRECT"; got != tt.want {
				t.Errorf("%s: Allow with NotPrincipal %+v: %v", name, tt.principal.Values, got)
			}
		}
	}
}
