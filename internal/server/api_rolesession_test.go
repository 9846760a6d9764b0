package server

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
)

const arnSession = arnSTS + "assumed-role/target/s1"

// TestSessionsAreLimited: boundary, session policies and explicit denials, with the sentence for each (docs/spec/evaluation.md 4.2, 6.3, 10).
func TestSessionsAreLimited(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.role(x.root, "/p/target", trusting(arnHere+"user/bob", ""))
	x.rolePolicy(x.root, "target", "p", document("Allow iam:* *"))
	managed := func(name string, statements ...string) string {
		x.ok(x.root, "CreatePolicy", "PolicyName", name, "PolicyDocument", document(statements...))
		return arnHere + "policy/" + name
	}
	onlyUsers, noUsers := managed("OnlyUsers", "Allow iam:GetUser *"), managed("NoUsers", "Deny iam:GetUser *", "Allow * *")

	is := func(by caller, reason string) {
		t.Helper()
		a := x.call(by, "GetUser", ps("UserName", "bob"))
		if reason == "" && a.status == 200 {
			return
		}
		if want := refusal(arnSession, "iam:GetUser", arnHere+"user/bob", reason); a.String() != want {
			t.Errorf("\n got %s\nwant %s", a, want)
		}
	}
	const (
		silentSession  = "because no session policy allows the iam:GetUser action"
		silentBoundary = "because no permissions boundary allows the iam:GetUser action"
		deniedSession  = "with an explicit deny in a session policy"
		deniedBoundary = "with an explicit deny in a permissions boundary"
	)
	inline := func(statements ...string) params { return ps("Policy", document(statements...)) }
	plain := x.assume(bob, arnTarget)
	narrow := x.assume(bob, arnTarget, inline("Allow iam:GetRole *")...)
	fits := x.assume(bob, arnTarget, inline("Allow iam:Get* *")...)
	denying := x.assume(bob, arnTarget, inline("Allow * *", "Deny iam:GetUser *")...)
	byARN := x.assume(bob, arnTarget, "PolicyArns.member.1.arn", onlyUsers)
	byBoth := x.assume(bob, arnTarget, append(inline("Allow iam:GetRole *"), "PolicyArns.member.1.arn", onlyUsers)...)
	byDenying := x.assume(bob, arnTarget, append(inline("Allow * *"), "PolicyArns.member.1.arn", onlyUsers, "PolicyArns.member.2.arn", noUsers)...)
	is(plain, "")
	is(narrow, silentSession)
	is(fits, "")
	is(denying, deniedSession)
	is(byARN, "")
	is(byBoth, "")
	is(byDenying, deniedSession+": "+noUsers)
	x.want(refusal(arnSession, "iam:GetRole", arnTarget, "because no session policy allows the iam:GetRole action"), byARN, "GetRole", "RoleName", "target")
	x.ok(byBoth, "GetRole", "RoleName", "target")

	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "target", "PermissionsBoundary", managed("OnlyRoles", "Allow iam:GetRole *"))
	is(plain, silentBoundary) // a token freezes nothing
	is(fits, silentBoundary)
	is(narrow, silentBoundary)
	is(denying, deniedSession)
	x.ok(plain, "GetRole", "RoleName", "target")
	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "target", "PermissionsBoundary", noUsers)
	is(plain, deniedBoundary+": "+noUsers)
	x.ok(x.root, "DeleteRolePermissionsBoundary", "RoleName", "target")
	is(plain, "")

	// Managed session policies are read when a request is decided; one that is gone denies everything.
	x.ok(x.root, "CreatePolicyVersion", "PolicyArn", onlyUsers, "PolicyDocument", document("Allow iam:GetRole *"), "SetAsDefault", "true")
	is(byARN, silentSession)
	x.ok(x.root, "DeletePolicyVersion", "PolicyArn", onlyUsers, "VersionId", "v1")
	x.ok(x.root, "DeletePolicy", "PolicyArn", onlyUsers)
	if a := x.call(byBoth, "GetRole", ps("RoleName", "target")); a.code() != "AccessDenied" {
		t.Errorf("with a session policy that is gone: %s", a)
	}
	x.ok(byBoth, "GetCallerIdentity")
	// The role's own policies decide now, not when the session was made, and its maker's do not count.
	x.ok(x.root, "DeleteRolePolicy", "RoleName", "target", "PolicyName", "p")
	x.policy(x.root, "bob", "p", "Allow * *")
	is(plain, "because no identity-based policy allows the iam:GetUser action")
	is(fits, "because no identity-based policy allows the iam:GetUser action")
}

// TestPackedPolicySize: present only with a session policy or tags; the recorded case answers 16.
func TestPackedPolicySize(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.role(x.root, "/p/target", trusting(arnHere+"user/bob", "", "sts:TagSession"))
	const recorded = `{"Version": "2012-10-17", "Statement": [{"Sid": "RestrictedAccess", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::example-bucket/*"]}]}`
	x.wantAssume(assumed, bob, arnTarget)
	x.wantAssume(assumed+" PackedPolicySize=16", bob, arnTarget, "Policy", recorded)
	a := x.ok(bob, "AssumeRole", "RoleArn", arnTarget, "RoleSessionName", "s1", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v")
	if n := a.value("AssumeRoleResult", "PackedPolicySize"); n == "" || n == "0" {
		t.Errorf("with a tag: %s", a)
	}
	fits := `{"Statement":{"Effect":"Allow","Action":"s3:Get","Resource":"*"}}`
	fits = strings.Repeat(" ", 2048-len(fits)) + fits
	if a := x.call(bob, "AssumeRole", ps("RoleArn", arnTarget, "RoleSessionName", "s1", "Policy", fits)); a.status != 200 {
		t.Errorf("a session policy of 2,048 characters: %s", a)
	}
	const large = "400 PackedPolicyTooLarge Packed policy consumes 101% of allotted space, please use smaller policy."
	x.wantAssume(large, bob, arnTarget, "Policy", fits+" ")
	x.wantAssume("400 MalformedPolicyDocument Syntax errors in policy.", bob, arnTarget, "Policy", "{")
	// What is wrong with a session policy is only said to those who may assume the role.
	x.wantAssume(untrusted(arnHere+"user/bob", "sts:AssumeRole", arnHere+"role/none"), bob, arnHere+"role/none", "Policy", "{")
}

// TestTooManyTags: session policies and tags share one measure, and a chain of roles does not hand on more tags than a token holds.
func TestTooManyTags(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	tags := func(n int, key string, value func(i int) string) (p params) {
		for i := range n {
			member := fmt.Sprintf("Tags.member.%d.", i+1)
			p = append(p, member+"Key", fmt.Sprintf("%s%d", key, i), member+"Value", value(i), fmt.Sprintf("TransitiveTagKeys.member.%d", i+1), fmt.Sprintf("%s%d", key, i))
		}
		return p
	}
	random := func(i int) string { return fmt.Sprintf("%x", sha256.Sum256([]byte{byte(i)})) }
	none := func(int) string { return "" }
	x.role(x.root, "/p/target", trusting("*", "", "sts:TagSession"))
	x.rolePolicy(x.root, "target", "p", document("Allow sts:* *"))
	refused := func(message string, by caller, p params) {
		t.Helper()
		a := x.call(by, "AssumeRole", append(ps("RoleArn", arnTarget, "RoleSessionName", "s1"), p...))
		if got := a.value("Error", "Message"); a.code() != "PackedPolicyTooLarge" || !strings.HasPrefix(got, message) {
			t.Errorf("%.300s; want PackedPolicyTooLarge %s", a, message)
		}
	}
	refused("Packed size of session tags consumes ", bob, tags(50, "k", random))
	refused("Packed policy consumes ", bob, append(tags(50, "k", random), "Policy", document("Allow * *")))
	s := bob
	for i := range 4 {
		s = x.assume(s, arnTarget, tags(50, string(rune('a'+i)), none)...)
	}
	refused("Packed size of session tags consumes ", s, tags(1, "e", none))
	x.ok(x.assume(s, arnTarget), "GetCallerIdentity")
}

// TestSessionTags: docs/spec/wire.md 10.3, docs/spec/evaluation.md M06 to M09.
func TestSessionTags(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	const user, second = arnHere + "user/bob", arnHere + "role/second"
	x.role(x.root, "/p/target", trusting(user, ""), "Tags.member.1.Key", "Team", "Tags.member.1.Value", "of the role", "Tags.member.2.Key", "stage", "Tags.member.2.Value", "prod")
	team := ps("Tags.member.1.Key", "team", "Tags.member.1.Value", "red")
	x.wantAssume(untrusted(user, "sts:TagSession", arnTarget), bob, arnTarget, team...) // M06
	trust := func(role, document string) {
		t.Helper()
		x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", role, "PolicyDocument", document)
	}
	trust("target", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"`+user+`"},"Action":"sts:AssumeRole"},
		{"Effect":"Allow","Principal":{"AWS":"`+user+`"},"Action":"sts:TagSession","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team","stage"],"sts:TransitiveTagKeys":["Team"]},
		"StringLike":{"aws:RequestTag/Team":"r*"}}}]}`)
	s := x.assume(bob, arnTarget, append(team, "TransitiveTagKeys.member.1", "Team")...)                                                                 // M07; "Team" is "team"
	x.wantAssume(untrusted(user, "sts:TagSession", arnTarget), bob, arnTarget, append(team, "Tags.member.2.Key", "cost", "Tags.member.2.Value", "1")...) // M08
	x.wantAssume(untrusted(user, "sts:TagSession", arnTarget), bob, arnTarget, "Tags.member.1.Key", "team", "Tags.member.1.Value", "blue")               // a value that is not wanted
	x.wantAssume(untrusted(user, "sts:TagSession", arnTarget), bob, arnTarget, append(team, "Tags.member.2.Key", "stage", "Tags.member.2.Value", "x", "TransitiveTagKeys.member.1", "stage")...)

	const (
		duplicate = "400 InvalidParameterValue Duplicate tag keys found. Please note that Tag keys are case insensitive."
		missing   = "400 InvalidParameterValue The specified transitive tag key must be included in the requested tags."
		conflict  = "400 InvalidParameterValue One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."
	)
	x.wantAssume(duplicate, bob, arnTarget, append(team, "Tags.member.2.Key", "TEAM", "Tags.member.2.Value", "x", "TransitiveTagKeys.member.1", "team")...)
	x.wantAssume(missing, bob, arnTarget, append(team, "TransitiveTagKeys.member.1", "stage")...)
	x.wantAssume(missing, bob, arnTarget, "TransitiveTagKeys.member.1", "team")

	// The session's tags lie over those of the role: aws:PrincipalTag.
	x.rolePolicy(x.root, "target", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*",
		"Condition":{"StringEquals":{"aws:PrincipalTag/Team":"red","aws:PrincipalTag/stage":"prod"}}},{"Effect":"Allow","Action":"sts:*","Resource":"*"},
		{"Effect":"Allow","Action":"iam:GetRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/Team":"${aws:PrincipalTag/team}"}}}]}`)
	x.ok(s, "GetUser", "UserName", "bob")
	x.want(notAllowed(arnSession, "iam:GetUser", user), x.assume(bob, arnTarget), "GetUser", "UserName", "bob")
	x.role(x.root, "second", trusting(arnTarget, ""), "Tags.member.1.Key", "TEAM", "Tags.member.1.Value", "yellow")
	x.want(notAllowed(arnSession, "iam:GetRole", second), s, "GetRole", "RoleName", "second")
	x.ok(x.root, "TagRole", "RoleName", "second", "Tags.member.1.Key", "team", "Tags.member.1.Value", "red")
	x.ok(s, "GetRole", "RoleName", "second")
	x.ok(x.root, "TagRole", "RoleName", "second", "Tags.member.1.Key", "team", "Tags.member.1.Value", "yellow")

	// Transitive tags are handed on: they need sts:TagSession again (M09), cannot be set anew, and count for the role's own in the trust policy.
	x.wantAssume(untrusted(arnSession, "sts:TagSession", second), s, second)
	trust("second", trusting(arnTarget, `{"StringEquals":{"aws:ResourceTag/team":"red"},"Null":{"aws:RequestTag/team":"true"}}`, "sts:TagSession"))
	x.wantAssume(conflict, s, second, team...)
	x.wantAssume(conflict, s, second, "Tags.member.1.Key", "tEAM", "Tags.member.1.Value", "x", "Tags.member.2.Key", "b", "Tags.member.2.Value", "x")
	next := x.assume(s, second, "Tags.member.1.Key", "own", "Tags.member.1.Value", "1")
	x.wantAssume(strings.ReplaceAll(assumed, "target", "second"), s, second) // inherited tags are none that were passed: no PackedPolicySize
	x.rolePolicy(x.root, "second", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*",
		"Condition":{"StringEquals":{"aws:PrincipalTag/Team":"red","aws:PrincipalTag/own":"1"}}},{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`)
	x.ok(next, "GetUser", "UserName", "bob")
	x.role(x.root, "third", trusting(second, "", "sts:TagSession"))
	x.rolePolicy(x.root, "third", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*",
		"Condition":{"StringEquals":{"aws:PrincipalTag/Team":"red"},"Null":{"aws:PrincipalTag/own":"true"}}}]}`)
	x.ok(x.assume(next, arnHere+"role/third"), "GetUser", "UserName", "bob") // "own" ended with its session
}

// TestSourceIdentity: docs/spec/evaluation.md 8.1 and M10, docs/spec/wire.md 10.2.
func TestSourceIdentity(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	const user, second = arnHere + "user/bob", arnHere + "role/second"
	x.role(x.root, "/p/target", trusting(user, ""))
	x.wantAssume(untrusted(user, "sts:SetSourceIdentity", arnTarget), bob, arnTarget, "SourceIdentity", "alice")
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trusting(user, `{"StringLikeIfExists":{"sts:SourceIdentity":"a*"}}`, "sts:SetSourceIdentity"))
	x.wantAssume(untrusted(user, "sts:AssumeRole", arnTarget), bob, arnTarget, "SourceIdentity", "eve")
	x.wantAssume(assumed+" SourceIdentity=alice", bob, arnTarget, "SourceIdentity", "alice")
	s := x.assume(bob, arnTarget, "SourceIdentity", "alice")
	x.rolePolicy(x.root, "target", "p", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":"alice"}}}}`)
	x.ok(s, "GetUser", "UserName", "bob")
	x.want(notAllowed(arnSession, "iam:GetUser", user), x.assume(bob, arnTarget), "GetUser", "UserName", "bob")

	x.role(x.root, "second", trusting(arnTarget, ""))
	x.wantAssume(untrusted(arnSession, "sts:SetSourceIdentity", second), s, second) // inherited
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "second", "PolicyDocument", trusting(arnTarget, `{"StringEquals":{"aws:SourceIdentity":"alice"}}`, "sts:SetSourceIdentity"))
	inherits := strings.ReplaceAll(assumed, "target", "second") + " SourceIdentity=alice"
	x.wantAssume(inherits, s, second)
	x.wantAssume(inherits, s, second, "SourceIdentity", "alice")
	x.wantAssume("403 AccessDenied The source identity of a session cannot be changed by the sessions it assumes.", s, second, "SourceIdentity", "bob")
	next := x.assume(s, second)
	x.rolePolicy(x.root, "second", "p", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":"alice"}}}}`)
	x.ok(next, "GetUser", "UserName", "bob")
}

// TestSessionsEndWithTheirRole: one made anew under the old name has neither its sessions nor its trust.
func TestSessionsEndWithTheirRole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	const user, app = arnHere + "user/bob", arnHere + "role/app"
	x.role(x.root, "app", trusting(user, ""))
	x.role(x.root, "/p/target", trusting(app, ""))
	s := x.assume(bob, app)
	x.assume(s, arnTarget)
	x.ok(x.root, "DeleteRole", "RoleName", "app")
	x.want(badToken, s, "GetCallerIdentity")
	x.wantAssume(untrusted(user, "sts:AssumeRole", app), bob, app)
	x.role(x.root, "app", trusting(user, ""))
	x.want(badToken, s, "GetCallerIdentity")
	again := x.assume(bob, app)
	x.wantAssume(untrusted(arnSTS+"assumed-role/app/s1", "sts:AssumeRole", arnTarget), again, arnTarget) // it trusts the role that is gone
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trusting(app, ""))
	x.assume(again, arnTarget)

	// The same with a user.
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.ok(x.root, "DeleteUser", "UserName", "bob")
	x.ok(again, "GetCallerIdentity") // who made a session is not asked again
	other := x.user(x.root, "bob")
	x.wantAssume(untrusted(user, "sts:AssumeRole", app), other, app)
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "app", "PolicyDocument", trusting(user, ""))
	x.assume(other, app)
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewUserName", "robert")
	x.assume(other, app) // the same user under another name
}
