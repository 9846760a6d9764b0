package server

import (
	"fmt"
	"strings"
	"testing"
)

// assume assumes a role under the session name s1.
func (x *apiTest) assume(by caller, roleARN string, pairs ...string) caller {
	x.Helper()
	return x.session(by, "AssumeRole", append(ps("RoleArn", roleARN, "RoleSessionName", "s1"), pairs...)...)
}

// wantAssume is want for AssumeRole under the session name s1.
func (x *apiTest) wantAssume(want string, by caller, roleARN string, pairs ...string) {
	x.Helper()
	x.want(want, by, "AssumeRole", append(ps("RoleArn", roleARN, "RoleSessionName", "s1"), pairs...)...)
}

// trusting is a trust policy with a statement of sts:AssumeRole and further actions for a principal, under conditions ("" = none).
func trusting(principal, conditions string, actions ...string) string {
	if conditions != "" {
		conditions = `,"Condition":` + conditions
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":["sts:AssumeRole"%s]%s}]}`,
		principal, strings.Join(append([]string{""}, quoted(actions)...), ","), conditions)
}

func quoted(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
	}
	return out
}

// rolePolicy puts an inline policy of a role.
func (x *apiTest) rolePolicy(by caller, role, name, document string) {
	x.Helper()
	x.ok(by, "PutRolePolicy", "RoleName", role, "PolicyName", name, "PolicyDocument", document)
}

const (
	arnTarget = arnHere + "role/p/target"
	assumed   = credentials + " AssumedRoleUser(AssumedRoleId=AROA:s1 Arn=" + arnSTS + "assumed-role/target/s1)"
)

// refusal is AWS's denial to the caller with that ARN; reason "" for callers of other accounts.
func refusal(who, action, resource, reason string) string {
	s := "403 AccessDenied User: " + who + " is not authorized to perform: " + action
	if resource != "*" {
		s += " on resource: " + resource
	}
	if reason != "" {
		s += " " + reason
	}
	return s
}

func untrusted(who, action, resource string) string {
	return refusal(who, action, resource, "because no role trust policy allows the "+action+" action")
}

func notAllowed(who, action, resource string) string {
	return refusal(who, action, resource, "because no identity-based policy allows the "+action+" action")
}

// TestAssumedRole: a role is assumed and used; nothing is written.
func TestAssumedRole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	x.role(x.root, "/p/target", trusting(arnHere+"user/team/bob", ""))
	x.rolePolicy(x.root, "target", "p", document("Allow iam:GetRole "+arnTarget))
	x.wantAssume(assumed, bob, arnTarget)
	before := x.revision()
	s := x.assume(bob, arnTarget)
	if after := x.revision(); after != before {
		t.Errorf("a session was written: revision %d, before it %d", after, before)
	}
	x.want("UserId=AROA:s1 Account="+testAccount+" Arn="+arnSTS+"assumed-role/target/s1", s, "GetCallerIdentity")
	x.ok(s, "GetRole", "RoleName", "target")
	x.want(notAllowed(arnSTS+"assumed-role/target/s1", "iam:GetUser", arnHere+"user/team/bob"), s, "GetUser", "UserName", "bob")
	x.want("400 ValidationError Must specify userName when calling with non-User credentials", s, "GetUser")
	for _, c := range []struct{ name, arn string }{
		{"no such role", arnHere + "role/none"}, {"without its path", arnHere + "role/target"}, {"another path", arnHere + "role/q/target"},
		{"another case", arnHere + "role/p/Target"}, {"a user", arnHere + "user/team/bob"}, {"no such account", "arn:aws:iam::999999999999:role/p/target"},
		{"another service", "arn:aws:sts::" + testAccount + ":role/p/target"}, {"another partition", "arn:aws-cn:iam::" + testAccount + ":role/p/target"},
		{"a region", "arn:aws:iam:us-east-1:" + testAccount + ":role/p/target"}, {"no account", "arn:aws:iam:::role/p/target"},
	} {
		want := untrusted(arnHere+"user/team/bob", "sts:AssumeRole", c.arn)
		if strings.Contains(c.arn, "999999999999") {
			want = refusal(arnHere+"user/team/bob", "sts:AssumeRole", c.arn, "")
		}
		x.wantAssume(want, bob, c.arn)
	}
}

// TestAssumeRoleParameters: docs/spec/wire.md 3, with the recorded texts.
func TestAssumeRoleParameters(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	for _, arn := range []string{"nothing-valid-in-here", "arn::b:::something/test-role", "arn:a::::something/test-role", "arn:a:::something/test-role", "arn:a:a::aaaaaaaaaa:"} {
		x.wantAssume("400 ValidationError "+arn+" is invalid", bob, arn)
	}
	x.wantAssume(untrusted(arnHere+"user/bob", "sts:AssumeRole", "arn:a:b:::something/test-role"), bob, "arn:a:b:::something/test-role")
	bad := func(value, path, constraint string) string {
		return "400 ValidationError 1 validation error detected: Value '" + value + "' at '" + path + "' failed to satisfy constraint: Member must " + constraint
	}
	const pattern = `satisfy regular expression pattern: [\w+=,.@-]*`
	x.want(bad("Session1:2", "roleSessionName", pattern), bob, "AssumeRole", "RoleArn", "arn:a:b:::something/test-role", "RoleSessionName", "Session1:2")
	long := strings.Repeat("s", 65)
	x.want(bad(long, "roleSessionName", "have length less than or equal to 64"), bob, "AssumeRole", "RoleArn", arnTarget, "RoleSessionName", long)
	x.wantAssume(bad("aws:x", "sourceIdentity", pattern), bob, arnTarget, "SourceIdentity", "aws:x")
	x.wantAssume(bad("899", "durationSeconds", "have value greater than or equal to 900"), bob, arnTarget, "DurationSeconds", "899")
	x.wantAssume(bad("43201", "durationSeconds", "have value less than or equal to 43200"), bob, arnTarget, "DurationSeconds", "43201")
	x.wantAssume("501 NotImplemented AssumeRole with ProvidedContexts is not implemented by this version of Gatehouse.", bob, arnTarget,
		"ProvidedContexts.member.1.ProviderArn", "arn:aws:iam::aws:contextProvider/IdentityCenter", "ProvidedContexts.member.1.ContextAssertion", "xxxx")
}

// TestWhoMayAssumeARole is the table of docs/spec/evaluation.md 8.1, and the rows of 13 (STS).
func TestWhoMayAssumeARole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	x.user(x.root, "boss")
	x.user(x.root, "bob")
	eve := x.user(other, "eve")
	alice := x.user(x.root, "alice")
	x.role(x.root, "/p/app", trusting(arnHere+"user/alice", ""))
	app := x.assume(alice, arnHere+"role/p/app")
	own := x.session(alice, "GetSessionToken")
	x.role(x.root, "/p/target", trusting(testAccount, ""))

	const (
		user    = arnHere + "user/alice"
		session = arnSTS + "assumed-role/app/s1"
		foreign = "arn:aws:iam::" + testAccount2 + ":user/eve"
	)
	allow := document("Allow sts:AssumeRole " + arnTarget)
	silent := untrusted(user, "sts:AssumeRole", arnTarget)
	for _, c := range []struct {
		name     string
		by       caller
		trust    string
		identity string // of the caller; "" = allows nothing
		want     string // "" = may
	}{
		{"C219: trusts another", alice, trusting(arnHere+"user/bob", ""), document("Allow sts:* *"), silent},
		{"C221: the user", alice, trusting(user, ""), "", ""},
		{"the user with a session token", own, trusting(user, ""), "", ""},
		{"C222: the account alone", alice, trusting(testAccount, ""), "", notAllowed(user, "sts:AssumeRole", arnTarget)},
		{"C223: the account and the caller's policy", alice, trusting(testAccount, ""), allow, ""},
		{"the root ARN alone", alice, trusting(arnHere+"root", ""), "", notAllowed(user, "sts:AssumeRole", arnTarget)},
		{"the root ARN and the caller's policy", alice, trusting(arnHere+"root", ""), allow, ""},
		{"everybody", alice, trusting("*", ""), "", ""},
		{"the user, whose policy denies", alice, trusting(user, ""), document("Deny sts:AssumeRole *"), refusal(user, "sts:AssumeRole", arnTarget, "with an explicit deny in an identity-based policy")},
		{"the caller's policy is for another role", alice, trusting(testAccount, ""), document("Allow sts:AssumeRole " + arnHere + "role/target"), notAllowed(user, "sts:AssumeRole", arnTarget)},
		{"a trust policy that denies", alice, strings.Replace(trusting(user, ""), `]}`, `},{"Effect":"Deny","Principal":{"AWS":"`+user+`"},"Action":"sts:*"}]}`, 1), "", "?"},
		{"C224: the caller's role", app, trusting(arnHere+"role/p/app", ""), "", ""},
		{"the session", app, trusting(session, ""), "", ""},
		{"another session of the role", app, trusting(arnSTS+"assumed-role/app/s2", ""), allow, untrusted(session, "sts:AssumeRole", arnTarget)},
		{"who assumed the caller's role", app, trusting(user, ""), allow, untrusted(session, "sts:AssumeRole", arnTarget)},
		{"a session by its account alone", app, trusting(testAccount, ""), "", notAllowed(session, "sts:AssumeRole", arnTarget)},
		{"a session by its account and its policy", app, trusting(testAccount, ""), allow, ""},
		{"C226: a foreign user without a policy", eve, trusting(foreign, ""), "", refusal(foreign, "sts:AssumeRole", arnTarget, "")},
		{"a foreign user with a policy", eve, trusting(foreign, ""), allow, ""},
		{"C227: a foreign account and policy", eve, trusting(testAccount2, ""), allow, ""},
		{"everybody, a foreign user without a policy", eve, trusting("*", ""), "", refusal(foreign, "sts:AssumeRole", arnTarget, "")},
		{"everybody, a foreign user with a policy", eve, trusting("*", ""), allow, ""},
		{"a foreign user with a policy, not trusted", eve, trusting(testAccount, ""), document("Allow * *"), refusal(foreign, "sts:AssumeRole", arnTarget, "")},
	} {
		if strings.HasPrefix(c.name, "a trust policy that denies") {
			c.trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"},{"Effect":"Deny","Principal":{"AWS":"` + user + `"},"Action":"sts:*"}]}`
			c.want = refusal(user, "sts:AssumeRole", arnTarget, "with an explicit deny in the role trust policy")
		}
		x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", c.trust)
		identity := c.identity
		if identity == "" {
			identity = document("Allow s3:* *")
		}
		switch c.by.AccessKeyID {
		case eve.AccessKeyID:
			x.put(other, "eve", "p", identity)
		case app.AccessKeyID:
			x.rolePolicy(x.root, "app", "p", identity)
		default:
			x.put(x.root, "alice", "p", identity)
		}
		if c.want == "" {
			c.want = assumed
		}
		if a := x.call(c.by, "AssumeRole", ps("RoleArn", arnTarget, "RoleSessionName", "s1")); a.String() != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, a, c.want)
		}
	}
	// C230: a role does not trust itself.
	x.rolePolicy(x.root, "app", "p", document("Allow sts:* *"))
	x.wantAssume(untrusted(session, "sts:AssumeRole", arnHere+"role/p/app"), app, arnHere+"role/p/app")
}

// TestAssumeRoleConditions: what a trust policy can ask of the call: C228, C229, and the other keys of docs/spec/evaluation.md 1.4.
func TestAssumeRoleConditions(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	const user = arnHere + "user/bob"
	x.role(x.root, "/p/target", trusting(user, ""), "Tags.member.1.Key", "Team", "Tags.member.1.Value", "red")
	for _, c := range []struct {
		name, condition string
		right, wrong    params
	}{
		{"external id", `{"StringEquals":{"sts:ExternalId":"42"}}`, ps("ExternalId", "42"), ps("ExternalId", "043")},
		{"external id, none", `{"StringEquals":{"sts:ExternalId":"42"}}`, ps("ExternalId", "42"), nil},
		{"no external id", `{"Null":{"sts:ExternalId":"true"}}`, nil, ps("ExternalId", "42")},
		{"session name", `{"StringEquals":{"sts:RoleSessionName":"s1"}}`, nil, nil},
		{"tags of the role", `{"StringEquals":{"aws:ResourceTag/team":"red","iam:ResourceTag/Team":"red"}}`, nil, nil},
		{"who calls", `{"ArnEquals":{"aws:PrincipalArn":"` + user + `"}}`, nil, nil},
		{"second factor", `{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}`, nil, nil},
	} {
		x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trusting(user, c.condition))
		x.wantAssume(assumed, bob, arnTarget, c.right...)
		if c.wrong != nil || strings.HasSuffix(c.name, "none") {
			x.wantAssume(untrusted(user, "sts:AssumeRole", arnTarget), bob, arnTarget, c.wrong...)
		}
	}
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trusting(user, `{"StringEquals":{"sts:RoleSessionName":"${aws:username}"}}`))
	x.ok(bob, "AssumeRole", "RoleArn", arnTarget, "RoleSessionName", "bob")
	x.wantAssume(untrusted(user, "sts:AssumeRole", arnTarget), bob, arnTarget)
}

// TestRoleDurations: docs/spec/wire.md 10.1.
func TestRoleDurations(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.role(x.root, "/p/target", trusting("*", ""))
	const tooLong = "400 ValidationError The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
	const chained = "400 ValidationError The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
	lives := func(want int, by caller, more ...string) {
		t.Helper()
		x.wantLife(want, by, "AssumeRole", append(ps("RoleArn", arnTarget, "RoleSessionName", "s1"), more...)...)
	}
	lives(3600, bob)
	lives(900, bob, "DurationSeconds", "900")
	x.wantAssume(tooLong, bob, arnTarget, "DurationSeconds", "3601")
	x.ok(x.root, "UpdateRole", "RoleName", "target", "MaxSessionDuration", "7200")
	lives(7200, bob, "DurationSeconds", "7200")
	lives(3600, bob)
	x.wantAssume(tooLong, bob, arnTarget, "DurationSeconds", "7201")
	x.wantAssume(tooLong, x.session(bob, "GetSessionToken"), arnTarget, "DurationSeconds", "43200") // no chain
	s := x.assume(bob, arnTarget, "DurationSeconds", "7200")
	lives(3600, s)
	lives(3600, s, "DurationSeconds", "3600")
	x.wantAssume(chained, s, arnTarget, "DurationSeconds", "3601")
	// Whoever may not assume a role does not learn how long it could be had.
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trusting(testAccount, ""))
	x.wantAssume(notAllowed(arnHere+"user/bob", "sts:AssumeRole", arnTarget), bob, arnTarget, "DurationSeconds", "43200")
}
