package policy_test

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// A caller of no kind is nobody that a Principal or an ACL can name, whatever else is said of it.
func TestNobodyIsNamed(t *testing.T) {
	t.Parallel()
	const account, user = "111122223333", "arn:aws:iam::111122223333:user/bob"
	canonical := strings.Repeat("0123456789abcdef", 4)
	everything := compile(t, policy.Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	caller := policy.Caller{Account: account, ARN: user, ID: "AIDABOB", Session: user, Names: []string{"x.amazonaws.com"}, Canonical: canonical}
	for _, principal := range []string{
		`{"AWS":"` + account + `"}`, `{"AWS":"arn:aws:iam::111122223333:root"}`, `{"AWS":"` + user + `"}`, `{"Service":"x.amazonaws.com"}`, `{"CanonicalUser":"` + canonical + `"}`,
	} {
		for _, kind := range []policy.CallerKind{0, policy.AnonymousCaller + 1, 255} {
			caller.Kind = kind
			sets := policy.Sets{Caller: caller, Identity: policy.NewSet(everything)}
			opens := compile(t, policy.Resource, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":`+principal+`,"Action":"*","Resource":"*"}}`)
			for _, owner := range []string{account, "444455556666"} {
				request := policy.Request{Action: "s3:Get", Resource: "arn:aws:s3:::b", Owner: owner, ResourcePolicy: opens, NeedsResourcePolicy: true}
				if d := policy.Decide(&sets, &request); d.Effect == policy.Allow {
					t.Errorf("kind %d is named by %s on a resource of %s: %+v", kind, principal, owner, d)
				}
			}
		}
	}
	for _, grantee := range []string{policy.AllUsers, policy.AuthenticatedUsers, canonical, account} {
		for _, kind := range []policy.CallerKind{0, policy.AnonymousCaller + 1, 255} {
			caller.Kind = kind
			sets := policy.Sets{Caller: caller, Identity: policy.NewSet(everything)}
			request := policy.Request{Action: "s3:Get", Resource: "arn:aws:s3:::b", Owner: "444455556666", Grantees: []string{grantee}}
			if d := policy.Decide(&sets, &request); d.Effect == policy.Allow {
				t.Errorf("kind %d is granted what %s is: %+v", kind, grantee, d)
			}
		}
	}
}

// An ACL that grants nobody's id grants nobody, and no layer that never denies has a reason for it.
func TestNoGranteeAndNoReason(t *testing.T) {
	t.Parallel()
	everything := compile(t, policy.Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	sets := policy.Sets{Caller: policy.Caller{Kind: policy.UserCaller, Account: "111122223333", ID: "AIDABOB"}, Identity: policy.NewSet(everything)}
	for _, grantees := range [][]string{{""}, {"", "x"}, {}, nil} {
		request := policy.Request{Action: "s3:Get", Resource: "arn:aws:s3:::b", Owner: "444455556666", Grantees: grantees}
		if d := policy.Decide(&sets, &request); d.Effect == policy.Allow {
			t.Errorf("granted to %q: %+v", grantees, d)
		}
	}
	for _, layer := range []policy.Layer{policy.LayerNone, policy.LayerACL, policy.LayerExempt, 255} {
		for _, effect := range []policy.Effect{policy.Allow, policy.DenyImplicit, policy.DenyExplicit} {
			if got := (policy.Decision{Effect: effect, Layer: layer}).Reason("s3:Get"); got != "" {
				t.Errorf("%v by %v: %q", effect, layer, got)
			}
		}
	}
}
