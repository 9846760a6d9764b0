package server

import (
	"strings"
	"testing"
)

// TestTagsAreWhatPoliciesTakeThemFor: two keys are one tag exactly where they are one condition key to a policy (docs/spec/policy-language.md
// 9.1). Letters that only Unicode takes for cases of "s" and "k" would otherwise put a tag aside whose key the call does not name, past every
// policy that guards aws:RequestTag/class.
func TestTagsAreWhatPoliciesTakeThemFor(t *testing.T) {
	t.Parallel()
	const (
		long    = "cla\u017f\u017f" // long s
		user    = arnHere + "user/bob"
		guarded = `,{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:TagSession","Condition":{"Null":{"aws:RequestTag/class":"false"}}}]}`
		secret  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:*","sts:*"],"Resource":"*"},
			{"Effect":"Deny","Action":"iam:GetUser","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/class":"secret"}}},
			{"Effect":"Deny","Action":"iam:TagUser","Resource":"*","Condition":{"Null":{"aws:RequestTag/class":"false"}}},
			{"Effect":"Deny","Action":"iam:UntagUser","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:TagKeys":["class","Class","CLASS"]}}}]}`
		denied = "with an explicit deny in an identity-based policy"
	)
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	trust := trusting(user, "", "sts:TagSession")
	x.role(x.root, "/p/target", trust[:len(trust)-2]+guarded, tags("class", "secret")...)
	x.rolePolicy(x.root, "target", "p", secret)
	closed := refusal(arnSession, "iam:GetUser", user, denied)
	x.want(closed, x.assume(bob, arnTarget), "GetUser", "UserName", "bob")
	x.wantAssume(refusal(user, "sts:TagSession", arnTarget, "with an explicit deny in the role trust policy"), bob, arnTarget, tags("CLASS", "open")...)
	s := x.assume(bob, arnTarget, append(tags(long, "open"), "TransitiveTagKeys.member.1", long)...)
	x.want(closed, s, "GetUser", "UserName", "bob")

	// Handed on, it is none of the tags of the next role either.
	const second = arnHere + "role/second"
	x.role(x.root, "second", trusting(arnTarget, `{"StringEquals":{"aws:ResourceTag/class":"open"}}`, "sts:TagSession"), tags("class", "secret")...)
	x.wantAssume(untrusted(arnSession, "sts:AssumeRole", second), s, second)

	// Nor does it take the place of a user's tag.
	x.put(x.root, "bob", "p", secret)
	x.ok(x.root, "TagUser", append(tags("class", "secret"), "UserName", "bob")...)
	who := refusal(user, "iam:GetUser", user, denied)
	x.want(who, bob, "GetUser", "UserName", "bob")
	x.want(refusal(user, "iam:TagUser", user, denied), bob, "TagUser", append(tags("CLASS", "open"), "UserName", "bob")...)
	x.ok(bob, "TagUser", append(tags(long, "open"), "UserName", "bob")...)
	x.want(who, bob, "GetUser", "UserName", "bob")
	x.ok(bob, "UntagUser", append(tagKeys(long), "UserName", "bob")...)
	x.want(who, bob, "GetUser", "UserName", "bob")
	x.want("Tags(member(Key=class Value=secret)) IsTruncated=false", x.root, "ListUserTags", "UserName", "bob")
}

// TestRolesByTheirOwnTags: inherited tags count for those of the role to its trust policy alone (docs/spec/evaluation.md 1.4). A policy of the
// caller that lets it assume the roles of its own project asks for the role's real project: otherwise each role with such a tag were its own.
func TestRolesByTheirOwnTags(t *testing.T) {
	t.Parallel()
	const blue = arnHere + "role/blue"
	own := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*","Condition":{"StringEquals":{"KEY/project":"${aws:PrincipalTag/project}"}}}}`
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.role(x.root, "/p/target", trusting(arnHere+"user/bob", "", "sts:TagSession"))
	x.role(x.root, "blue", trusting(testAccount, "", "sts:TagSession"), tags("Project", "blue")...)
	x.role(x.root, "red", trusting(testAccount, `{"StringEquals":{"aws:ResourceTag/project":"red"}}`, "sts:TagSession"), tags("Project", "red")...)
	s := x.assume(bob, arnTarget, append(tags("project", "red"), "TransitiveTagKeys.member.1", "project")...)
	for _, key := range []string{"aws:ResourceTag", "iam:ResourceTag"} {
		x.rolePolicy(x.root, "target", "p", strings.Replace(own, "KEY", key, 1))
		x.wantAssume(notAllowed(arnSession, "sts:AssumeRole", blue), s, blue)
		x.assume(s, arnHere+"role/red")
	}
	// So do its boundary and its session policies.
	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "target", "PermissionsBoundary",
		x.ok(x.root, "CreatePolicy", "PolicyName", "Own", "PolicyDocument", strings.Replace(own, "KEY", "aws:ResourceTag", 1)).value("CreatePolicyResult", "Policy", "Arn"))
	x.rolePolicy(x.root, "target", "p", document("Allow sts:* *"))
	x.wantAssume(refusal(arnSession, "sts:AssumeRole", blue, "because no permissions boundary allows the sts:AssumeRole action"), s, blue)
	x.ok(x.root, "DeleteRolePermissionsBoundary", "RoleName", "target")
	x.assume(s, blue)
	limited := x.assume(bob, arnTarget, append(tags("project", "red"), "TransitiveTagKeys.member.1", "project", "Policy", strings.Replace(own, "KEY", "aws:ResourceTag", 1))...)
	x.wantAssume(refusal(arnSession, "sts:AssumeRole", blue, "because no session policy allows the sts:AssumeRole action"), limited, blue)
	// To the trust policy the role is of the caller's project.
	x.ok(x.root, "TagRole", append(tags("project", "green"), "RoleName", "red")...)
	x.assume(s, arnHere+"role/red")
}
