package server

import (
	"strings"
	"testing"
)

// TestNobodyLeavesWhatIsOpen: a rename or move needs permission for what the user or group becomes too, so that neither a permission on oneself
// nor one outside of a path reaches further (docs/spec/evaluation.md 7.2).
func TestNobodyLeavesWhatIsOpen(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.user(x.root, "/adm/carl")
	x.ok(x.root, "CreateGroup", "GroupName", "Admins", "Path", "/adm/")
	x.ok(x.root, "CreateGroup", "GroupName", "crew")
	const me = arnHere + "user/bob"
	update := func(resource string) string { return notAllowed(me, "iam:UpdateUser", resource) }
	x.put(x.root, "bob", "p", document("Allow iam:UpdateUser "+arnHere+"user/${aws:username}"))
	x.want(update(arnHere+"user/admin"), bob, "UpdateUser", "UserName", "bob", "NewUserName", "admin")
	x.want(update(arnHere+"user/Bob"), bob, "UpdateUser", "UserName", "bob", "NewUserName", "Bob")
	x.want(update(arnHere+"user/adm/bob"), bob, "UpdateUser", "UserName", "BOB", "NewPath", "/adm/")
	x.want("", bob, "UpdateUser", "UserName", "bob", "NewUserName", "bob")

	x.policy(x.root, "bob", "p", "Allow iam:* *", "Deny iam:* "+arnHere+"user/adm/*", "Deny iam:* "+arnHere+"group/adm/*")
	closed := func(action, resource string) string {
		return refusal(me, "iam:"+action, arnHere+resource, "with an explicit deny in an identity-based policy")
	}
	x.want(closed("UpdateUser", "user/adm/bob"), bob, "UpdateUser", "UserName", "bob", "NewPath", "/adm/")
	x.want(closed("UpdateUser", "user/adm/carl"), bob, "UpdateUser", "UserName", "CARL", "NewPath", "/")
	x.want(closed("CreateUser", "user/adm/new"), bob, "CreateUser", "UserName", "new", "Path", "/adm/")
	x.want(closed("UpdateGroup", "group/adm/Admins"), bob, "UpdateGroup", "GroupName", "ADMINS", "NewPath", "/")
	x.want(closed("UpdateGroup", "group/adm/crew"), bob, "UpdateGroup", "GroupName", "crew", "NewPath", "/adm/")
	x.want(closed("AddUserToGroup", "group/adm/Admins"), bob, "AddUserToGroup", "GroupName", "admins", "UserName", "bob")
	x.want(closed("AttachGroupPolicy", "group/adm/Admins"), bob, "AttachGroupPolicy", "GroupName", "admins", "PolicyArn", arnAdministrator)
}

// TestPoliciesHaveOneSpelling: no other text than a policy's ARN reaches it, past policies that guard that ARN as a resource or as iam:PolicyARN.
func TestPoliciesHaveOneSpelling(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow * *")
	own := x.managedPolicy(x.root, "Guarded", "Allow * *")
	for _, text := range []string{
		strings.ToLower(own), strings.Replace(own, "/G", "//G", 1), strings.Replace(own, "/G", "/x/G", 1), strings.Replace(own, "iam::", "iam:us-east-1:", 1),
		strings.Replace(own, "aws", "aws-cn", 1), strings.Replace(own, testAccount, "", 1), strings.Replace(own, testAccount, testAccount2, 1), " " + own, own + " ",
		strings.ToLower(arnAdministrator), strings.Replace(arnAdministrator, ":aws:policy", ":AWS:policy", 1), strings.Replace(arnAdministrator, ":aws:policy", "::policy", 1),
	} {
		for _, call := range []struct {
			op string
			p  params
		}{
			{"AttachUserPolicy", ps("UserName", "bob", "PolicyArn", text)}, {"PutUserPermissionsBoundary", ps("UserName", "bob", "PermissionsBoundary", text)},
			{"SetDefaultPolicyVersion", ps("PolicyArn", text, "VersionId", "v1")}, {"DeletePolicy", ps("PolicyArn", text)},
			{"TagPolicy", append(tags("k", "v"), "PolicyArn", text)}, {"GetPolicy", ps("PolicyArn", text)},
			{"GetFederationToken", ps("Name", "fed", "PolicyArns.member.1.arn", text)},
		} {
			if a := x.call(bob, call.op, call.p); a.status < 400 || a.status >= 500 {
				t.Errorf("%s %q: %s", call.op, text, a)
			}
		}
	}
}

// TestRolesOfOtherAccounts: a role of another account that is trusted by name needs its own account's permission, within its session's limits,
// and one made anew under the name is another role (docs/spec/evaluation.md 5, docs/spec/policy-language.md 8.4).
func TestRolesOfOtherAccounts(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	eve := x.user(other, "eve")
	x.put(other, "eve", "p", document("Allow sts:* *"))
	const foreign = "arn:aws:iam::" + testAccount2 + ":role/xr"
	denied := refusal("arn:aws:sts::"+testAccount2+":assumed-role/xr/s1", "sts:AssumeRole", arnTarget, "")
	x.role(other, "xr", trusting(testAccount2, ""))
	x.role(x.root, "/p/target", trusting(foreign, ""))
	s := x.assume(eve, foreign)
	x.wantAssume(denied, s, arnTarget)
	x.rolePolicy(other, "xr", "p", document("Allow sts:* *"))
	x.assume(s, arnTarget)
	x.wantAssume(denied, x.assume(eve, foreign, "Policy", document("Allow s3:* *")), arnTarget)
	x.assume(x.assume(eve, foreign, "Policy", document("Allow sts:AssumeRole *")), arnTarget)
	x.wantAssume(refusal("arn:aws:iam::"+testAccount2+":user/eve", "sts:AssumeRole", arnTarget, ""), eve, arnTarget)

	bound := "arn:aws:iam::" + testAccount2 + ":policy/Bound"
	x.ok(other, "CreatePolicy", "PolicyName", "Bound", "PolicyDocument", document("Allow s3:* *"))
	x.ok(other, "PutRolePermissionsBoundary", "RoleName", "xr", "PermissionsBoundary", bound)
	x.wantAssume(denied, s, arnTarget)
	x.ok(other, "DeleteRolePermissionsBoundary", "RoleName", "xr")
	x.assume(s, arnTarget)

	x.ok(other, "DeleteRolePolicy", "RoleName", "xr", "PolicyName", "p")
	x.ok(other, "DeleteRole", "RoleName", "xr")
	x.want(badToken, s, "GetCallerIdentity")
	x.role(other, "xr", trusting(testAccount2, ""))
	x.rolePolicy(other, "xr", "p", document("Allow sts:* *"))
	x.want(badToken, s, "GetCallerIdentity")
	x.wantAssume(denied, x.assume(eve, foreign), arnTarget)
}
