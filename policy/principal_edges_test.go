package policy_test

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The rows of docs/spec/policy-language.md 8.2 for callers and values that lie next to those of TestPrincipalClasses.
func TestPrincipalNeighbours(t *testing.T) {
	t.Parallel()
	const account = "111111111111"
	root := func(partition string) *policy.Principal {
		return listed("AWS", "arn:"+partition+":iam::"+account+":root")
	}
	in := func(partition string) policy.Caller {
		return policy.Caller{Kind: policy.UserCaller, Account: account, ID: "AIDAALICE", ARN: "arn:" + partition + ":iam::" + account + ":user/alice"}
	}
	unnamed := policy.Caller{Kind: policy.RootCaller, Account: account}
	federated := policy.Caller{Kind: policy.FederatedCaller, Account: account, Session: "arn:aws-cn:sts::" + account + ":federated-user/fed"}
	tests := []struct {
		name      string
		kind      policy.Kind
		caller    policy.Caller
		principal *policy.Principal
		want      string
	}{
		{"partition of the caller", policy.Resource, in("aws-cn"), root("aws-cn"), "ACCOUNT"},
		{"partition that begins alike", policy.Resource, in("aws-cn"), root("aws"), ""},
		{"partition that goes on", policy.Resource, in("aws"), root("aws-cn"), ""},
		{"another partition that begins alike", policy.Resource, in("aws-us-gov"), root("aws-cn"), ""},
		{"account without partition", policy.Resource, in("aws-cn"), listed("AWS", account), "ACCOUNT"},
		{"caller without ARN is in aws", policy.Resource, unnamed, root("aws"), "ACCOUNT"},
		{"caller without ARN is in aws only", policy.Resource, unnamed, root("aws-cn"), ""},
		{"partition of a session without issuer", policy.Resource, federated, root("aws-cn"), "ACCOUNT"},
		{"other partition than the session's", policy.Resource, federated, root("aws"), ""},
		{"ARN of another scheme", policy.Resource, policy.Caller{Kind: policy.UserCaller, Account: account, ARN: "xrn:aws:iam::" + account + ":user/a"}, root("aws"), ""},

		{"canonical id in a trust policy", policy.Trust,
			policy.Caller{Kind: policy.ProviderCaller, Names: []string{"accounts.google.com"}}, listed("CanonicalUser", "accounts.google.com"), ""},
		{"provider in a resource policy", policy.Resource,
			policy.Caller{Kind: policy.UserCaller, Account: account, Canonical: "0123456789abcdef"}, listed("Federated", "0123456789abcdef"), ""},
		{"service's name of a provider", policy.Trust,
			policy.Caller{Kind: policy.ProviderCaller, Names: []string{"a.amazonaws.com"}}, listed("Service", "a.amazonaws.com"), ""},
		{"provider's name of a service", policy.Trust,
			policy.Caller{Kind: policy.ServiceCaller, Names: []string{"accounts.google.com"}}, listed("Federated", "accounts.google.com"), ""},
		{"canonical id of a service", policy.Resource,
			policy.Caller{Kind: policy.ServiceCaller, Names: []string{"x"}, Canonical: "0123456789abcdef"}, listed("CanonicalUser", "0123456789abcdef"), ""},
		{"account of a service", policy.Resource, policy.Caller{Kind: policy.ServiceCaller, Account: account}, listed("AWS", account), ""},

		{"id of 12 letters", policy.Resource, policy.Caller{Kind: policy.UserCaller, Account: account, ID: "AIDAALICE123"}, listed("AWS", "AIDAALICE123"), "DIRECT"},
		{"digits that are no account", policy.Resource, policy.Caller{Kind: policy.UserCaller, Account: "1234", ID: "A"}, listed("AWS", "1234"), ""},
		{"id of a root user", policy.Resource, policy.Caller{Kind: policy.RootCaller, Account: account, ID: account}, listed("AWS", account), "ACCOUNT"},
		{"session's ARN as an id", policy.Resource, policy.Caller{Kind: policy.RoleCaller, Account: account, ID: "A", Session: "S"}, listed("AWS", "S"), ""},
		{"part of an ARN", policy.Resource, policy.Caller{Kind: policy.UserCaller, Account: account, ARN: "arn:aws:iam::user"}, listed("AWS", "arn:aws:iam::user"), ""},
		{"ARN of another scheme that is the caller's", policy.Resource,
			policy.Caller{Kind: policy.UserCaller, Account: account, ARN: "xrn:aws:iam::111111111111:user/a"}, listed("AWS", "xrn:aws:iam::111111111111:user/a"), ""},
		{"ARN without account that is the caller's", policy.Resource,
			policy.Caller{Kind: policy.UserCaller, Account: account, ARN: "arn:aws:iam:::user/a"}, listed("AWS", "arn:aws:iam:::user/a"), ""},
		{"ARN without partition that is the caller's", policy.Resource,
			policy.Caller{Kind: policy.UserCaller, Account: account, ARN: "arn::iam::111111111111:user/a"}, listed("AWS", "arn::iam::111111111111:user/a"), ""},
		{"root of another service", policy.Resource, policy.Caller{Kind: policy.RootCaller, Account: account}, listed("AWS", "arn:aws:sts::"+account+":root"), ""},
		{"root with a region", policy.Resource, policy.Caller{Kind: policy.RootCaller, Account: account}, listed("AWS", "arn:aws:iam:r:"+account+":root"), ""},
		{"wildcard that is the caller's name", policy.Resource, policy.Caller{Kind: policy.ServiceCaller, Names: []string{"*"}}, listed("Service", "*"), ""},
	}
	for _, tt := range tests {
		if got := classOf(t, tt.kind, tt.caller, tt.principal); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}
