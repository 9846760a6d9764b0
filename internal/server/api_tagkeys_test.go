package server

import "testing"

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
