package authz

import (
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestRulesOfProducts: what docs/spec/evaluation.md 4.4, 6.1, 6.2, 6.6, 7.1 and 9 say of single services and accounts. Everybody's identity
// policies allow everything; the organization's root denies nothing, or "denied:*" by an SCP and everything by an RCP.
func TestRulesOfProducts(t *testing.T) {
	t.Parallel()
	const closed = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":["s3:*","sts:*","kms:*","sqs:*","sns:*"],"Resource":"*"}}`
	everything := document(statement("Allow", "*", "*"))
	free, bound := newWorld(t, everything), newWorld(t, everything)
	free.organize()
	bound.organize(statetest.SCP(t, "p-1", "P1", document(statement("Deny", "denied:*", "*"))),
		statetest.RCP(t, "p-2", "P2", closed))
	const (
		bucket = "arn:aws:s3:::b"
		key    = "arn:aws:kms:us-east-1:" + accountA + ":key/1"
		target = "arn:aws:iam::" + accountA + ":role/target"
		slr    = "arn:aws:iam::" + accountA + ":role/aws-service-role/x.amazonaws.com/linked"
		queue  = "arn:aws:sqs:us-east-1:" + accountA + ":q"
		topic  = "arn:aws:sns:us-east-1:" + accountA + ":t"
	)
	trusts := &policy.Attached{Policy: free.load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:TagSession"]}}`, policy.Trust)}
	opens, closes := free.bucketPolicy(to("Allow", `"*"`, "*")), free.bucketPolicy(to("Deny", `"*"`, "*"))
	now := time.Unix(1795262400, 0)
	temporary, factor := &session.Session{}, &session.Session{Claims: session.Claims{MFA: now}}
	limited := &session.Session{Claims: session.Claims{Policy: everything}, Inline: free.load(everything, policy.Session)}
	federated := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"}
	denies := []*policy.Set{policy.NewSet(&policy.Attached{Policy: free.load(document(statement("Deny", "*", "*")), policy.SCP)})}
	deniesRCP := []*policy.Set{policy.NewSet(&policy.Attached{Policy: free.load(closed, policy.RCP)})}
	const allow, scp, rcp, resource, trust, identity, refused = "", policy.LayerSCP, policy.LayerRCP, policy.LayerResource, policy.LayerTrust, policy.LayerIdentity, policy.LayerNone

	for _, c := range []struct {
		name  string
		w     *world
		query Query
		want  any // allow, or the layer that denies
	}{
		// 6.1
		{"SCP of a member", bound, Query{Principal: alice(accountA), Action: "denied:X", Resource: "*"}, scp},
		{"SCP of a member's root", bound, Query{Principal: rootOf(accountA), Action: "denied:X", Resource: "*"}, scp},
		{"SCP of a member's role", bound, Query{Principal: app(accountA), Action: "denied:X", Resource: "*"}, scp},
		{"SCP of a federated user", bound, Query{Principal: federated, Session: limited, Action: "denied:X", Resource: "*"}, scp},
		{"SCP of an AssumeRoot session", bound, Query{Principal: rootOf(accountA), Session: limited, AssumedRoot: true, Action: "denied:X", Resource: "*"}, scp},
		{"SCP, another action", bound, Query{Principal: alice(accountA), Action: "other:X", Resource: "*"}, allow},
		{"SCP, the management account", bound, Query{Principal: alice(accountM), Action: "denied:X", Resource: "*"}, allow},
		{"SCP, a service-linked role", bound, Query{Principal: linked(accountA), Action: "denied:X", Resource: "*"}, allow},
		{"SCP, outside", bound, Query{Principal: alice(accountX), Action: "denied:X", Resource: "*"}, allow},
		{"SCP of the caller, not of the owner", bound, Query{Principal: alice(accountX), Action: "denied:X", Resource: topic, ResourcePolicy: opens}, allow},
		{"SCP, anonymous", bound, Query{Anonymous: true, Action: "denied:X", Resource: topic, ResourcePolicy: opens}, allow},
		{"an asker's SCP, the management account by its canonical id", free, Query{Principal: alice(accountM), Canonical: "c", Action: "other:X", Resource: "*", SCP: denies}, allow},
		{"an asker's SCP, by its canonical id", free, Query{Principal: alice(accountA), Canonical: "c", Action: "other:X", Resource: "*", SCP: denies}, scp},
		{"SCP, a service", bound, Query{Service: []string{"x.amazonaws.com"}, Action: "denied:X", Resource: topic, ResourcePolicy: opens}, allow},
		{"an asker's SCP", free, Query{Principal: alice(accountA), Action: "other:X", Resource: "*", SCP: denies}, scp},
		{"an asker's SCP, outside", free, Query{Principal: alice(accountX), Action: "other:X", Resource: "*", SCP: denies}, scp},
		{"an asker's SCP, the management account", free, Query{Principal: alice(accountM), Action: "other:X", Resource: "*", SCP: denies}, allow},
		{"an asker's SCP, a service-linked role", free, Query{Principal: linked(accountA), Action: "other:X", Resource: "*", SCP: denies}, allow},
		{"an asker's SCP does not lift the store's", bound, Query{Principal: alice(accountA), Action: "denied:X", Resource: "*", SCP: []*policy.Set{
			policy.NewSet(&policy.Attached{Policy: free.load(everything, policy.SCP)})}}, scp},
		// 6.2
		{"RCP", bound, Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: bucket, Owner: accountA}, rcp},
		{"RCP, case", bound, Query{Principal: alice(accountA), Action: "S3:getobject", Resource: bucket, Owner: accountA}, rcp},
		{"RCP, root", bound, Query{Principal: rootOf(accountA), Action: "sqs:SendMessage", Resource: queue}, rcp},
		{"RCP, outside", bound, Query{Principal: alice(accountX), Action: "s3:GetObject", Resource: bucket, Owner: accountA, ResourcePolicy: opens}, rcp},
		{"RCP, in the organization", bound, Query{Principal: alice(accountM), Action: "s3:GetObject", Resource: bucket, Owner: accountA, ResourcePolicy: opens}, rcp},
		{"RCP, anonymous", bound, Query{Anonymous: true, Action: "s3:GetObject", Resource: bucket, Owner: accountA, ResourcePolicy: opens}, rcp},
		{"RCP, a service", bound, Query{Service: []string{"x.amazonaws.com"}, Action: "s3:GetObject", Resource: bucket, Owner: accountA, ResourcePolicy: opens}, rcp},
		{"RCP, a provider", bound, Query{Provider: "arn:aws:iam::" + accountA + ":oidc-provider/x", Action: "sts:AssumeRoleWithWebIdentity", Resource: target, ResourcePolicy: trusts}, rcp},
		{"RCP, a service-linked role", bound, Query{Principal: linked(accountA), Action: "s3:GetObject", Resource: bucket, Owner: accountA}, allow},
		{"RCP, the management account's resource", bound, Query{Principal: alice(accountM), Action: "s3:GetObject", Resource: bucket, Owner: accountM}, allow},
		{"RCP, a resource outside", bound, Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: bucket, Owner: accountX, ResourcePolicy: opens}, allow},
		{"RCP, a service without", bound, Query{Principal: alice(accountA), Action: "sns:Publish", Resource: topic}, allow},
		{"RCP, no resource type", bound, Query{Principal: alice(accountA), Action: "s3:ListAllMyBuckets", Resource: "*"}, allow},
		{"RCP, KMS", bound, Query{Principal: alice(accountA), Action: "kms:Decrypt", Resource: key, ResourcePolicy: opens}, rcp},
		{"RCP, kms:RetireGrant", bound, Query{Principal: alice(accountA), Action: "kms:RetireGrant", Resource: key, ResourcePolicy: opens}, allow},
		{"RCP, AWS managed key", bound, Query{Principal: alice(accountA), Action: "kms:Decrypt", Resource: key, ResourcePolicy: opens, AWSManaged: true}, allow},
		{"RCP, a role", bound, Query{Principal: alice(accountA), Action: "sts:AssumeRole", Resource: target, ResourcePolicy: trusts}, rcp},
		{"RCP, a service-linked role that is assumed", bound, Query{Service: []string{"x.amazonaws.com"}, Action: "sts:AssumeRole", Resource: slr, ResourcePolicy: trusts}, allow},
		{"RCP, no role", bound, Query{Principal: alice(accountA), Action: "sts:Get", Resource: "arn:aws:sts::" + accountA + ":role/aws-service-role/x"}, rcp},
		{"an asker's RCP does not lift the store's", bound, Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: bucket, Owner: accountA, RCP: bound.store.View().Membership(accountB).RCP[1:]}, rcp},
		{"an asker's RCP", free, Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: bucket, Owner: accountA, RCP: deniesRCP}, rcp},
		{"an asker's RCP, an owner of no organization", free, Query{Principal: alice(accountX), Action: "s3:GetObject", Resource: bucket, RCP: deniesRCP}, rcp},
		{"an asker's RCP, the management account's", free, Query{Principal: alice(accountM), Action: "s3:GetObject", Resource: bucket, RCP: deniesRCP}, allow},
		{"an asker's RCP, a service without", free, Query{Principal: alice(accountA), Action: "sns:Publish", Resource: topic, RCP: deniesRCP}, allow},
		// 4.2, 9: resources that need a policy
		{"KMS key", free, Query{Principal: alice(accountA), Action: "kms:Decrypt", Resource: key}, resource},
		{"KMS key, root", free, Query{Principal: rootOf(accountA), Action: "KMS:Decrypt", Resource: key}, resource},
		{"KMS alias", free, Query{Principal: alice(accountA), Action: "kms:UpdateAlias", Resource: "arn:aws:kms:us-east-1:" + accountA + ":alias/a"}, allow},
		{"a key of another service", free, Query{Principal: alice(accountA), Action: "kms:Get", Resource: "arn:aws:other:us-east-1:" + accountA + ":key/1"}, allow},
		{"no key", free, Query{Principal: alice(accountA), Action: "kms:ListKeys", Resource: "*"}, allow},
		{"role", free, Query{Principal: alice(accountA), Action: "sts:AssumeRole", Resource: target}, trust},
		{"role, not assumed", free, Query{Principal: alice(accountA), Action: "iam:GetRole", Resource: target}, allow},
		{"what the asker says", free, Query{Principal: alice(accountA), Action: "own:Get", Resource: topic, NeedsResourcePolicy: true}, resource},
		// 6.6
		{"rescue", free, Query{Principal: rootOf(accountA), Action: "s3:DeleteBucketPolicy", Resource: bucket, Owner: accountA, ResourcePolicy: closes}, allow},
		{"rescue, case", free, Query{Principal: rootOf(accountA), Action: "S3:putbucketpolicy", Resource: bucket, Owner: accountA, ResourcePolicy: closes}, allow},
		{"rescue, AssumeRoot", free, Query{Principal: rootOf(accountA), Session: limited, AssumedRoot: true, Action: "s3:GetBucketPolicy", Resource: bucket, Owner: accountA, ResourcePolicy: closes}, allow},
		{"rescue, nothing else", free, Query{Principal: rootOf(accountA), Action: "s3:GetObject", Resource: bucket, Owner: accountA, ResourcePolicy: closes}, resource},
		{"rescue, not users", free, Query{Principal: alice(accountA), Action: "s3:GetBucketPolicy", Resource: bucket, Owner: accountA, ResourcePolicy: closes}, resource},
		{"rescue, not federated by root", free, Query{Principal: &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: accountA, Session: "f"}, Session: limited,
			Action: "s3:GetBucketPolicy", Resource: bucket, Owner: accountA, ResourcePolicy: closes}, resource},
		{"rescue, another owner", free, Query{Principal: rootOf(accountA), Action: "s3:GetBucketPolicy", Resource: bucket, Owner: accountB, ResourcePolicy: closes}, resource},
		{"rescue, another owner whose policy allows it", free, Query{Principal: rootOf(accountA), Action: "s3:GetBucketPolicy", Resource: bucket, Owner: accountB, ResourcePolicy: opens}, allow},
		{"rescue, but an RCP", bound, Query{Principal: rootOf(accountA), Action: "s3:GetBucketPolicy", Resource: bucket, Owner: accountA, ResourcePolicy: closes}, rcp},
		{"root does not assume roles", free, Query{Principal: rootOf(accountA), Action: "sts:AssumeRole", Resource: target, ResourcePolicy: trusts}, refused},
		// 7.1
		{"PassRole", free, Query{Principal: alice(accountA), Action: "iam:PassRole", Resource: target}, allow},
		{"PassRole, another account", free, Query{Principal: alice(accountB), Action: "iam:PassRole", Resource: target}, resource},
		{"PassRole, another account's, said to be one's own", free, Query{Principal: alice(accountB), Action: "iam:passrole", Resource: target, Owner: accountB, ResourcePolicy: opens, Grantees: []string{policy.AllUsers}}, resource},
		// owner(R)
		{"the ARN says whose", free, Query{Principal: alice(accountB), Action: "sqs:SendMessage", Resource: queue}, resource},
		{"the asker says whose", free, Query{Principal: alice(accountB), Action: "sqs:SendMessage", Resource: queue, Owner: accountB}, allow},
		{"the asker says whose, not the ARN", free, Query{Principal: alice(accountA), Action: "sqs:SendMessage", Resource: queue, Owner: accountB}, resource},
		{"nothing says whose", free, Query{Principal: alice(accountB), Action: "s3:GetObject", Resource: bucket}, allow},
		{"no account", free, Query{Principal: alice(accountB), Action: "iam:GetPolicy", Resource: "arn:aws:iam::aws:policy/X"}, allow},
		// 4.4
		{"GetCallerIdentity", free, Query{Principal: alice(accountA), Action: "sts:GetCallerIdentity", Resource: "*", SCP: denies}, allow},
		{"GetCallerIdentity, federated", free, Query{Principal: federated, Session: temporary, Action: "sts:getcalleridentity", Resource: "*"}, allow},
		{"GetCallerIdentity, nobody", free, Query{Anonymous: true, Action: "sts:GetCallerIdentity", Resource: "*"}, resource},
		{"GetSessionToken", free, Query{Principal: alice(accountA), Action: "sts:GetSessionToken", Resource: "*", SCP: denies}, allow},
		{"GetSessionToken, root", free, Query{Principal: rootOf(accountA), Action: "sts:GetSessionToken", Resource: "*"}, allow},
		{"GetSessionToken, session", free, Query{Principal: alice(accountA), Session: factor, Action: "sts:GetSessionToken", Resource: "*"}, refused},
		{"GetSessionToken, role", free, Query{Principal: app(accountA), Action: "sts:GetSessionToken", Resource: "*"}, refused},
		{"GetFederationToken, role", free, Query{Principal: app(accountA), Session: temporary, Action: "sts:GetFederationToken", Resource: "*"}, refused},
		{"GetFederationToken", free, Query{Principal: alice(accountA), Action: "sts:GetFederationToken", Resource: "*", SCP: denies}, scp},
		{"IAM, federated", free, Query{Principal: federated, Session: limited, Action: "iam:ListUsers", Resource: "*"}, refused},
		{"IAM, session", free, Query{Principal: alice(accountA), Session: temporary, Action: "iam:ListUsers", Resource: "*"}, refused},
		{"IAM, session with MFA", free, Query{Principal: alice(accountA), Session: factor, Action: "iam:ListUsers", Resource: "*"}, allow},
		{"IAM, AssumeRoot", free, Query{Principal: rootOf(accountA), Session: temporary, AssumedRoot: true, Action: "iam:ListUsers", Resource: "*"}, allow},
		{"IAM, session of root", free, Query{Principal: rootOf(accountA), Session: temporary, Action: "iam:ListUsers", Resource: "*"}, refused},
		{"GetSessionToken, AssumeRoot", free, Query{Principal: rootOf(accountA), AssumedRoot: true, Action: "sts:GetSessionToken", Resource: "*"}, refused},
		{"GetSessionToken, AssumeRoot with MFA", free, Query{Principal: rootOf(accountA), Session: factor, AssumedRoot: true, Action: "sts:DecodeAuthorizationMessage", Resource: "*"}, allow},
		{"IAM, role", free, Query{Principal: app(accountA), Session: temporary, Action: "iam:ListUsers", Resource: "*"}, allow},
		{"PassRole, session", free, Query{Principal: alice(accountA), Session: temporary, Action: "iam:PassRole", Resource: target}, allow},
		{"STS, session", free, Query{Principal: alice(accountA), Session: factor, Action: "sts:DecodeAuthorizationMessage", Resource: "*"}, refused},
		{"STS, long-term key", free, Query{Principal: alice(accountA), Action: "sts:DecodeAuthorizationMessage", Resource: "*"}, allow},
		{"AssumeRole, session", free, Query{Principal: alice(accountA), Session: temporary, Action: "sts:AssumeRole", Resource: target, ResourcePolicy: trusts}, allow},
		{"TagSession, session", free, Query{Principal: alice(accountA), Session: temporary, Action: "sts:TagSession", Resource: target, ResourcePolicy: trusts}, allow},
		{"AssumeRole, federated", free, Query{Principal: federated, Session: limited, Action: "sts:AssumeRole", Resource: target, ResourcePolicy: trusts}, refused},
		{"S3, federated", free, Query{Principal: federated, Session: temporary, Action: "s3:GetObject", Resource: bucket}, policy.LayerSession},
		// 6.5
		{"ACL, canonical id", free, Query{Principal: alice(accountX), Canonical: "c", Grantees: []string{"c"}, Action: "s3:GetObject", Resource: bucket, Owner: accountA}, allow},
		{"ACL, another", free, Query{Principal: alice(accountX), Canonical: "c", Grantees: []string{"d"}, Action: "s3:GetObject", Resource: bucket, Owner: accountA}, resource},
		{"ACL, none known", free, Query{Principal: alice(accountX), Grantees: []string{"", "c"}, Action: "s3:GetObject", Resource: bucket, Owner: accountA}, resource},
		{"identity", newWorld(t), Query{Principal: alice(accountA), Action: "s3:GetObject", Resource: bucket}, identity},
	} {
		c.query.Time = now
		for range 2 { // and from memory
			a := c.w.decide(&c.query)
			var got any = allow
			if a.Denial != nil {
				got = a.Denial.Decision.Layer
			}
			if got != c.want {
				t.Errorf("%s: denied by %v (%v); want %v", c.name, got, a.Denial, c.want)
				break
			}
		}
	}
}

// TestRefusals are the texts for credentials that are not for a call.
func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	heard := 0
	w.z.Alarm = func(*Failure) { heard++ }
	for _, c := range []struct {
		query Query
		want  string
	}{
		{Query{Principal: app(accountA), Action: "sts:GetSessionToken", Resource: "*"}, "Cannot call GetSessionToken with session credentials"},
		{Query{Principal: rootOf(accountA), Action: "sts:AssumeRole", Resource: "arn:aws:iam::" + accountA + ":role/x"}, "Roles may not be assumed by root accounts."},
		{Query{Principal: alice(accountA), Session: &session.Session{}, Action: "iam:ListUsers", Resource: "*"}, "The security token included in the request is invalid"},
	} {
		if a := w.decide(&c.query); a.Denial == nil || a.Denial.Error() != c.want {
			t.Errorf("%v; want %s", a.Denial, c.want)
		}
	}
	if heard > 0 {
		t.Error("a refusal is no failure")
	}
}
