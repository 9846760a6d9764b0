package authn

import "testing"

// TestRestrictions is docs/spec/evaluation.md 4.4, "Credential restrictions": every kind of credentials with every kind of call.
func TestRestrictions(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	const (
		unknown = "InvalidClientTokenId"
		denied  = "AccessDenied"
	)
	type row struct{ iam, iamUnknown, organizations, identity, assumeRole, sessionToken, federationToken, otherSTS, stsUnknown string }
	longTerm := row{}
	assumed := row{sessionToken: denied, federationToken: denied}
	own := row{iam: unknown, iamUnknown: unknown, sessionToken: denied, federationToken: denied, otherSTS: denied}
	ownMFA := row{sessionToken: denied, federationToken: denied, otherSTS: denied}
	federated := row{iam: unknown, iamUnknown: unknown, assumeRole: denied, sessionToken: denied, federationToken: denied, otherSTS: denied}
	rows := map[string]row{
		"user key": longTerm, "root key": longTerm,
		"user session": own, "root session": own, "user MFA session": ownMFA,
		"role session": assumed, "role MFA session": assumed,
		"federated by user": federated, "federated by root": federated, "federated MFA": federated,
	}
	if len(rows) != len(k.held) {
		t.Fatalf("%d rows for %d kinds of credentials", len(rows), len(k.held))
	}
	for name, want := range rows {
		h := k.held[name]
		for _, call := range []struct{ service, action, want string }{
			{"iam", "GetUser", want.iam},
			{"iam", "CreateUser", want.iam},
			{"iam", "NoSuchOperation", want.iamUnknown},
			{"organizations", "DescribeOrganization", want.organizations},
			{"sts", "GetCallerIdentity", want.identity},
			{"sts", "AssumeRole", want.assumeRole},
			{"sts", "GetSessionToken", want.sessionToken},
			{"sts", "GetFederationToken", want.federationToken},
			{"sts", "GetAccessKeyInfo", want.otherSTS},
			{"sts", "DecodeAuthorizationMessage", want.otherSTS},
			{"sts", "AssumeRoot", want.otherSTS},
			{"sts", "NoSuchOperation", want.stsUnknown},
		} {
			caller, fault := k.calls(h, call.service, call.action)
			k.same(name+" calls "+call.action, caller, fault, call.want)
			text := "Cannot call " + call.action + " with session credentials"
			if call.want == unknown {
				text = tokenText
			}
			if fault != nil && fault.Message != text {
				t.Errorf("%s calls %s: %q, want %q", name, call.action, fault.Message, text)
			}
			// Who cannot sign does not learn what he may not do. To IAM the key does not exist, whoever signs.
			code := "SignatureDoesNotMatch"
			if call.want == unknown {
				code = unknown
			}
			caller, fault = k.calls(held{h.id, "x", h.token}, call.service, call.action)
			k.same(name+" with a wrong secret calls "+call.action, caller, fault, code)
		}
	}
}
