package server

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

const (
	arnHere   = "arn:aws:iam::" + testAccount + ":"
	arnCaller = arnHere + "user/team/caller"
	arnVictim = arnHere + "user/div/Victim"
	arnCrew   = arnHere + "group/div/Crew"
	arnJob    = arnHere + "role/div/Job"

	arnAdministrator = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// enforced is one operation: with which parameters, on which resources. The user caller (path /team/) calls it; there is a user Victim
// (path /div/) with the inline policy vp and the access key VICTIMKEY, the group Crew (path /div/) of Victim with the policy gp, and the role
// Job (path /div/).
type enforced struct {
	op        string
	p         params
	resources []string // in the order of the checks; "*": an action without a resource
	wrong     []string // resources that look alike
}

func victim(op string, p ...string) enforced {
	return enforced{op, append(ps("UserName", "victim"), p...), []string{arnVictim}, []string{
		arnHere + "user/div/victim", arnHere + "user/Victim", arnHere + "user/div/Victimx", arnHere + "user/div/Victi", arnHere + "user/div/",
		arnHere + "group/div/Victim", "arn:aws:iam::" + testAccount2 + ":user/div/Victim", "arn:aws:sts::" + testAccount + ":user/div/Victim",
		arnHere + "user/di?/Victi?x", arnHere + "user/*x", arnCaller,
	}}
}

// crew is an operation on the group Crew.
func crew(op string, p ...string) enforced {
	return enforced{op, append(ps("GroupName", "crew"), p...), []string{arnCrew}, []string{
		arnHere + "group/div/crew", arnHere + "group/Crew", arnHere + "group/div/Crewx", arnHere + "user/div/Crew", arnVictim, arnHere + "user/*",
	}}
}

// job is an operation on the role Job.
func job(op string, p ...string) enforced {
	return enforced{op, append(ps("RoleName", "JOB"), p...), []string{arnJob}, []string{
		arnHere + "role/div/JOB", arnHere + "role/Job", arnHere + "role/div/Jobx", arnHere + "role/div/Jo", arnHere + "role/div/",
		arnHere + "user/div/Job", "arn:aws:iam::" + testAccount2 + ":role/div/Job", "arn:aws:sts::" + testAccount + ":assumed-role/Job/*",
	}}
}

func self(op string, p ...string) enforced {
	return enforced{op, p, []string{arnCaller}, []string{arnVictim, arnHere + "user/caller", arnHere + "user/team/Caller", arnHere + "root", arnHere + "user/"}}
}

func nothing(op string, p ...string) enforced {
	return enforced{op, p, []string{"*"}, []string{arnCaller, arnHere + "*", "arn:aws:iam::*:*"}}
}

// onPolicy is an operation on a policy of the account, there or not.
func onPolicy(op string, p ...string) enforced {
	const arn = arnHere + "policy/div/Pol"
	return enforced{op, append(ps("PolicyArn", arn), p...), []string{arn}, []string{
		arnHere + "policy/div/pol", arnHere + "policy/Pol", arnHere + "policy/div/Polx", arnHere + "policy/", arnHere + "user/div/Pol",
		"arn:aws:iam::" + testAccount2 + ":policy/div/Pol", "arn:aws:iam::aws:policy/div/Pol",
	}}
}

// onSource is an operation on the user, group or role of an ARN, there or not.
func onSource(op, arn string, p ...string) enforced {
	return enforced{op, append(ps("PolicySourceArn", arn), p...), []string{arn}, []string{
		arn + "x", strings.ToLower(arn) + "/", arnHere + "policy/div/Victim", arnCaller, "arn:aws:iam::" + testAccount2 + ":*",
	}}
}

// named is an operation on a group or role that is not there.
func named(op, kind string, p ...string) enforced {
	return enforced{op, append(ps(strings.ToUpper(kind[:1])+kind[1:]+"Name", "absent"), p...), []string{arnHere + kind + "/absent"}, []string{
		arnHere + kind + "/Absent", arnHere + kind + "/", arnHere + "user/absent", arnHere + "policy/absent", arnAdministrator,
	}}
}

var enforcedOperations = []enforced{
	{"CreateUser", ps("UserName", "new"), []string{arnHere + "user/new"}, []string{arnHere + "user/New", arnHere + "user/x/new", arnHere + "user/"}},
	{"CreateUser", ps("UserName", "new", "Path", "/p/"), []string{arnHere + "user/p/new"}, []string{arnHere + "user/new", arnHere + "user/p/"}},
	victim("GetUser"), self("GetUser"),
	{"ListUsers", nil, []string{arnHere + "user/"}, []string{arnHere + "user/x", arnHere + "group/", arnCaller}},
	{"ListUsers", ps("PathPrefix", "/div/"), []string{arnHere + "user/div/"}, []string{arnHere + "user/", arnHere + "user/div/x*", arnHere + "user//div/"}},
	{"ListUsers", ps("PathPrefix", "/"), []string{arnHere + "user/"}, []string{arnHere + "user//"}},
	victim("UpdateUser"),
	{"UpdateUser", ps("UserName", "victim", "NewUserName", "w"), []string{arnVictim, arnHere + "user/div/w"}, []string{arnHere + "user/w"}},
	{"UpdateUser", ps("UserName", "victim", "NewPath", "/x/"), []string{arnVictim, arnHere + "user/x/Victim"}, []string{arnHere + "user/x/victim"}},
	{"UpdateUser", ps("UserName", "victim", "NewPath", "/x/", "NewUserName", "w"), []string{arnVictim, arnHere + "user/x/w"}, []string{arnHere + "user/x/Victim"}},
	{"UpdateUser", ps("UserName", "victim", "NewUserName", "VICTIM"), []string{arnVictim, arnHere + "user/div/VICTIM"}, []string{arnHere + "user/div/victim"}},
	victim("DeleteUser"), victim("ListGroupsForUser"),
	victim("TagUser", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"), victim("UntagUser", "TagKeys.member.1", "k"), victim("ListUserTags"),
	victim("PutUserPermissionsBoundary", "PermissionsBoundary", "arn:aws:iam::111122223333:policy/p"), victim("DeleteUserPermissionsBoundary"),
	victim("PutUserPolicy", "PolicyName", "p", "PolicyDocument", "{}"), victim("GetUserPolicy", "PolicyName", "vp"),
	victim("DeleteUserPolicy", "PolicyName", "vp"), victim("ListUserPolicies"),
	job("PutRolePolicy", "PolicyName", "p", "PolicyDocument", "{}"), job("GetRolePolicy", "PolicyName", "rp"),
	job("DeleteRolePolicy", "PolicyName", "rp"), job("ListRolePolicies"),

	{"CreateGroup", ps("GroupName", "new"), []string{arnHere + "group/new"}, []string{arnHere + "group/New", arnHere + "group/x/new", arnHere + "user/new"}},
	{"CreateGroup", ps("GroupName", "new", "Path", "/p/"), []string{arnHere + "group/p/new"}, []string{arnHere + "group/new", arnHere + "group/p/"}},
	{"ListGroups", nil, []string{arnHere + "group/"}, []string{arnHere + "group/x", arnHere + "user/", arnCrew}},
	{"ListGroups", ps("PathPrefix", "/div/"), []string{arnHere + "group/div/"}, []string{arnHere + "group/", arnHere + "group//div/", arnCrew}},
	crew("UpdateGroup"),
	{"UpdateGroup", ps("GroupName", "crew", "NewGroupName", "w"), []string{arnCrew, arnHere + "group/div/w"}, []string{arnHere + "group/w"}},
	{"UpdateGroup", ps("GroupName", "crew", "NewPath", "/x/"), []string{arnCrew, arnHere + "group/x/Crew"}, []string{arnHere + "group/x/crew"}},
	{"UpdateGroup", ps("GroupName", "crew", "NewPath", "/", "NewGroupName", "w"), []string{arnCrew, arnHere + "group/w"}, []string{arnHere + "group/Crew"}},
	{"UpdateGroup", ps("GroupName", "crew", "NewGroupName", "CREW"), []string{arnCrew, arnHere + "group/div/CREW"}, []string{arnHere + "group/div/crew"}},
	{"UpdateGroup", ps("GroupName", "none", "NewGroupName", "w"), []string{arnHere + "group/none", arnHere + "group/w"}, []string{arnHere + "group/div/none"}},
	crew("GetGroup"), crew("DeleteGroup"), crew("AddUserToGroup", "UserName", "victim"), crew("RemoveUserFromGroup", "UserName", "victim"),
	crew("PutGroupPolicy", "PolicyName", "p", "PolicyDocument", "{}"), crew("GetGroupPolicy", "PolicyName", "gp"),
	crew("DeleteGroupPolicy", "PolicyName", "gp"), crew("ListGroupPolicies"),

	victim("CreateAccessKey"), self("CreateAccessKey"), victim("ListAccessKeys"), self("ListAccessKeys"),
	victim("UpdateAccessKey", "AccessKeyId", "VICTIMKEY", "Status", "Inactive"), self("UpdateAccessKey", "AccessKeyId", "CALLERKEY", "Status", "Inactive"),
	victim("DeleteAccessKey", "AccessKeyId", "VICTIMKEY"), self("DeleteAccessKey", "AccessKeyId", "CALLERKEY"),
	{"GetAccessKeyLastUsed", ps("AccessKeyId", "VICTIMKEY"), []string{arnVictim}, []string{arnCaller}},
	{"GetAccessKeyLastUsed", ps("AccessKeyId", "ROOTKEY"+testAccount), []string{arnHere + "root"}, []string{arnHere + "user/*", arnCaller}},
	{"CreatePolicy", ps("PolicyName", "new", "PolicyDocument", "{}"), []string{arnHere + "policy/new"}, []string{arnHere + "policy/New", arnHere + "user/new", arnHere + "policy/"}},
	{"CreatePolicy", ps("PolicyName", "new", "Path", "/p/", "PolicyDocument", "{}"), []string{arnHere + "policy/p/new"}, []string{arnHere + "policy/new"}},
	onPolicy("GetPolicy"), onPolicy("DeletePolicy"), onPolicy("ListPolicyVersions"), onPolicy("ListPolicyTags"), onPolicy("ListEntitiesForPolicy"),
	onPolicy("CreatePolicyVersion", "PolicyDocument", "{}"), onPolicy("GetPolicyVersion", "VersionId", "v1"),
	onPolicy("DeletePolicyVersion", "VersionId", "v1"), onPolicy("SetDefaultPolicyVersion", "VersionId", "v1"),
	onPolicy("TagPolicy", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"), onPolicy("UntagPolicy", "TagKeys.member.1", "k"),
	{"GetPolicy", ps("PolicyArn", arnAdministrator), []string{arnAdministrator}, []string{arnHere + "policy/AdministratorAccess", "arn:aws:iam::aws:policy/x*"}},
	{"ListPolicies", nil, []string{arnHere + "policy/"}, []string{arnHere + "policy/x", arnHere + "user/", arnCaller}},
	{"ListPolicies", ps("PathPrefix", "/div/"), []string{arnHere + "policy/div/"}, []string{arnHere + "policy/", arnHere + "policy//div/"}},
	{"ListPoliciesGrantingServiceAccess", ps("Arn", arnVictim, "ServiceNamespaces.member.1", "s3"), []string{arnVictim}, []string{arnHere + "user/Victim", arnCaller}},
	{"ListPoliciesGrantingServiceAccess", ps("Arn", arnHere+"role/r", "ServiceNamespaces.member.1", "s3"), []string{arnHere + "role/r"}, []string{arnHere + "user/r"}},
	victim("AttachUserPolicy", "PolicyArn", arnAdministrator), victim("DetachUserPolicy", "PolicyArn", arnAdministrator), victim("ListAttachedUserPolicies"),
	named("AttachGroupPolicy", "group", "PolicyArn", arnAdministrator), named("DetachGroupPolicy", "group", "PolicyArn", arnAdministrator), named("ListAttachedGroupPolicies", "group"),
	named("AttachRolePolicy", "role", "PolicyArn", arnAdministrator), named("DetachRolePolicy", "role", "PolicyArn", arnAdministrator), named("ListAttachedRolePolicies", "role"),
	nothing("GetAccountAuthorizationDetails"),
	nothing("SimulateCustomPolicy", "PolicyInputList.member.1", "{}", "ActionNames.member.1", "s3:GetObject"),
	nothing("GetContextKeysForCustomPolicy", "PolicyInputList.member.1", "{}"),
	onSource("SimulatePrincipalPolicy", arnVictim, "ActionNames.member.1", "s3:GetObject"), onSource("GetContextKeysForPrincipalPolicy", arnVictim),
	onSource("SimulatePrincipalPolicy", arnCrew, "ActionNames.member.1", "s3:GetObject"), onSource("GetContextKeysForPrincipalPolicy", arnJob),
	onSource("SimulatePrincipalPolicy", arnHere+"role/absent", "ActionNames.member.1", "s3:GetObject"),
	{"CreateRole", ps("RoleName", "New", "AssumeRolePolicyDocument", trustEC2), []string{arnHere + "role/New"}, []string{arnHere + "role/new", arnHere + "user/New"}},
	{"CreateRole", ps("RoleName", "new", "Path", "/p/", "AssumeRolePolicyDocument", "{"), []string{arnHere + "role/p/new"}, []string{arnHere + "role/new", arnHere + "role/p/"}},
	job("GetRole"), job("UpdateRole", "MaxSessionDuration", "7200"), job("UpdateRoleDescription", "Description", "d"), job("DeleteRole"),
	job("ListInstanceProfilesForRole"), job("UpdateAssumeRolePolicy", "PolicyDocument", trustEC2),
	{"ListRoles", nil, []string{arnHere + "role/"}, []string{arnHere + "role/x", arnHere + "user/", arnJob}},
	{"ListRoles", ps("PathPrefix", "/div/"), []string{arnHere + "role/div/"}, []string{arnHere + "role/", arnHere + "role/div/x*"}},
	job("PutRolePermissionsBoundary", "PermissionsBoundary", "arn:aws:iam::111122223333:policy/p"), job("DeleteRolePermissionsBoundary"),
	job("TagRole", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"), job("UntagRole", "TagKeys.member.1", "k"), job("ListRoleTags"),
	nothing("CreateAccountAlias", "AccountAlias", "acme"), nothing("DeleteAccountAlias", "AccountAlias", "acme"), nothing("ListAccountAliases"),
	nothing("GetAccountSummary"), nothing("DecodeAuthorizationMessage", "EncodedMessage", "x"), nothing("GetAccessKeyInfo", "AccessKeyId", "VICTIMKEY"),
	{"GetFederationToken", ps("Name", "fed"), []string{"arn:aws:sts::" + testAccount + ":federated-user/fed"}, []string{
		"arn:aws:sts::" + testAccount + ":federated-user/Fed", "arn:aws:sts::" + testAccount + ":federated-user/fedx", arnHere + "federated-user/fed",
		"arn:aws:sts::" + testAccount2 + ":federated-user/fed", arnCaller}},
}

// enforcedTest is a server with the two users of enforced.
type enforcedTest struct {
	*apiTest
	by   caller
	keys *strings.Replacer
}

func openEnforced(t *testing.T) *enforcedTest {
	x := openAPI(t)
	by := x.user(x.root, "/team/caller")
	v := x.user(x.root, "/div/Victim")
	x.policy(x.root, "Victim", "vp", "Allow s3:Get *")
	x.group(x.root, "/div/Crew", "victim")
	x.groupPolicy(x.root, "crew", "gp", "Allow s3:Get *")
	x.role(x.root, "/div/Job", trustEC2)
	return &enforcedTest{x, by, strings.NewReplacer("VICTIMKEY", v.AccessKeyID, "CALLERKEY", by.AccessKeyID)}
}

func (x *enforcedTest) try(e *enforced) *answer {
	x.Helper()
	p := make(params, len(e.p))
	for i := range p {
		p[i] = x.keys.Replace(e.p[i])
	}
	return x.call(x.by, e.op, p)
}

func (e *enforced) action() string { return serviceOf(e.op) + ":" + e.op }

// denied is AWS's message (docs/spec/evaluation.md 10).
func (e *enforced) denied(resource string, explicit bool) string {
	s := "403 AccessDenied User: " + arnCaller + " is not authorized to perform: " + e.action()
	if resource != "*" {
		s += " on resource: " + resource
	}
	if explicit {
		return s + " with an explicit deny in an identity-based policy"
	}
	return s + " because no identity-based policy allows the " + e.action() + " action"
}

func (e *enforced) statements(effect string, resources []string) []string {
	var s []string
	for _, r := range resources {
		s = append(s, effect+" "+e.action()+" "+r)
	}
	return s
}

// TestEveryOperationIsEnforced calls every operation without a policy, with an Allow on something else, with a Deny beside an Allow, and
// with exactly the Allow that it needs.
func TestEveryOperationIsEnforced(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{
		"sts:GetCallerIdentity": true, "sts:GetSessionToken": true, // TestCallerIdentityNeedsNoPermission, TestSessionTokenNeedsNoPermission
		"sts:AssumeRole":      true, // TestWhoMayAssumeARole
		"gatehouse:Authorize": true, // TestWhoMayAuthorize
		"gatehouse:Explain":   true, // TestWhoMayExplain
		"gatehouse:WhoCan":    true, // TestWhoCanIsRefused
	}
	for _, e := range enforcedOperations {
		tested[e.action()] = true
	}
	for _, op := range Operations() {
		if !tested[op.Action()] {
			t.Errorf("%s is served, and no case here tries it without permission", op.Action())
		}
	}
	for i, e := range enforcedOperations {
		t.Run(fmt.Sprintf("%s/%d", e.op, i), func(t *testing.T) {
			t.Parallel()
			x := openEnforced(t)
			check := func(what, want string) {
				t.Helper()
				if got := x.try(&e).String(); got != want {
					t.Errorf("%s\n got %s\nwant %s", what, got, want)
				}
			}
			check("without a policy", e.denied(e.resources[0], false))
			for _, wrong := range e.wrong {
				x.policy(x.root, "caller", "p", e.statements("Allow", append([]string{wrong}, e.resources[1:]...))...)
				check("allowed on "+wrong+" only", e.denied(e.resources[0], false))
			}
			if len(e.resources) == 2 { // both are needed
				x.policy(x.root, "caller", "p", e.statements("Allow", e.resources[:1])...)
				check("allowed on the first resource only", e.denied(e.resources[1], false))
				for _, wrong := range e.wrong {
					x.policy(x.root, "caller", "p", e.statements("Allow", []string{e.resources[0], wrong})...)
					check("allowed on the first resource and "+wrong, e.denied(e.resources[1], false))
				}
				x.policy(x.root, "caller", "p", "Allow * *", "Deny "+e.action()+" "+e.resources[1])
				check("denied on the second resource", e.denied(e.resources[1], true))
			}
			x.policy(x.root, "caller", "p", "Allow "+e.action()+"x *", "Allow "+serviceOf(e.op)+":x"+e.op+" *", "Allow s3:* *", "Allow sts"+e.action()+" *")
			check("allowed other actions", e.denied(e.resources[0], false))
			x.policy(x.root, "caller", "p", "Allow * *", "Deny "+e.action()+" "+e.resources[0])
			check("denied beside an allow of everything", e.denied(e.resources[0], true))
			x.policy(x.root, "caller", "p", "Deny "+strings.ToUpper(e.action())+" *")
			x.policy(x.root, "caller", "q", "Allow * *")
			check("denied by another policy, in capitals", e.denied(e.resources[0], true))
			x.ok(x.root, "DeleteUserPolicy", "UserName", "caller", "PolicyName", "q")
			x.policy(x.root, "caller", "p", e.statements("Allow", e.resources)...)
			if a := x.try(&e); a.status == 403 || a.status >= 500 {
				t.Errorf("allowed on exactly what it needs: %s", a)
			}
		})
	}
}

func TestEnforcedByWildcards(t *testing.T) {
	t.Parallel()
	x := openEnforced(t)
	get := &enforced{op: "GetUser", p: ps("UserName", "victim"), resources: []string{arnVictim}}
	for _, c := range []struct {
		statements []string
		allowed    bool
	}{
		{[]string{"Allow iam:GetUser " + arnHere + "user/div/*"}, true},
		{[]string{"Allow iam:Get* " + arnHere + "user/*"}, true},
		{[]string{"Allow IAM:getuser *"}, true}, // actions have no case
		{[]string{"Allow iam:Get?ser " + arnHere + "user/di?/Victi?"}, true},
		{[]string{"Allow * *"}, true},
		{[]string{"Allow iam:GetUser " + arnHere + "*"}, true},
		{[]string{"Allow iam:GetUser arn:aws:iam::*:user/div/Victim"}, true},
		{[]string{"Allow iam:GetUser arn:*:iam::111122223333:user/div/Victim"}, true},
		{[]string{"Allow iam:Get " + arnVictim}, false},
		{[]string{"Allow iam:GetUser? " + arnVictim}, false},
		{[]string{"Allow iam:*User " + arnVictim, "Deny iam:*et* " + arnHere + "user/div/*"}, false},
		{[]string{"Deny * *", "Allow iam:GetUser " + arnVictim}, false},
		{[]string{"Allow iam:GetUser " + arnVictim, "Deny iam:GetUser " + arnHere + "user/div/victim"}, true}, // resources have case
	} {
		x.policy(x.root, "caller", "p", c.statements...)
		if a := x.try(get); (a.status == 200) != c.allowed {
			t.Errorf("%q: %s; want allowed %t", c.statements, a, c.allowed)
		}
	}
	put := func(document string) {
		t.Helper()
		x.ok(x.root, "PutUserPolicy", "UserName", "caller", "PolicyName", "p", "PolicyDocument", document)
	}
	put(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":["iam:Delete*","iam:Put*"],"NotResource":["` + arnCaller + `"]}}`)
	if a := x.try(get); a.status != 200 {
		t.Errorf("allowed by NotAction and NotResource: %s", a)
	}
	x.want(fmt.Sprintf("403 AccessDenied User: %s is not authorized to perform: iam:GetUser on resource: %[1]s because no identity-based policy allows the iam:GetUser action", arnCaller), x.by, "GetUser")
	put(`{"Statement":[{"Effect":"Deny","NotAction":"iam:ListUsers","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]}`)
	if got, want := x.try(get).String(), get.denied(arnVictim, true); got != want {
		t.Errorf("denied by NotAction\n got %s\nwant %s", got, want)
	}
	x.ok(x.by, "ListUsers")
}

// TestCallerIdentityNeedsNoPermission: docs/spec/evaluation.md 4.4.
func TestCallerIdentityNeedsNoPermission(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/a/b/Bob")
	want := "UserId=AIDA Account=" + testAccount + " Arn=" + arnHere + "user/a/b/Bob"
	x.want(want, bob, "GetCallerIdentity")
	x.policy(x.root, "bob", "p", "Deny * *", "Deny sts:GetCallerIdentity *")
	x.want(want, bob, "GetCallerIdentity")
	x.want("UserId="+testAccount+" Account="+testAccount+" Arn="+arnHere+"root", x.root, "GetCallerIdentity")
	x.want("403 AccessDenied User: "+arnHere+"user/a/b/Bob is not authorized to perform: sts:GetAccessKeyInfo with an explicit deny in an identity-based policy",
		bob, "GetAccessKeyInfo", "AccessKeyId", bob.AccessKeyID)
}

// TestUsersOfOtherAccounts: names are those of the caller's account, whatever its policies allow.
func TestUsersOfOtherAccounts(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	bob := x.user(x.root, "bob")
	eve := x.user(other, "eve")
	x.policy(other, "eve", "p", "Allow * *")
	for _, by := range []caller{other, eve} {
		for _, e := range enforcedOperations {
			if len(e.p) < 2 || e.p[0] != "UserName" || e.op == "CreateUser" {
				continue
			}
			p := append(params{}, e.p...)
			p[1] = "bob"
			for i := range p {
				p[i] = strings.Replace(p[i], "VICTIMKEY", bob.AccessKeyID, 1)
			}
			x.want(noUser("bob"), by, e.op, p...)
		}
	}
	x.want("Users(member("+strings.ReplaceAll(userAs("/", "eve"), testAccount, testAccount2)+")) IsTruncated=false", eve, "ListUsers")
}

// TestChangesTakeEffectAtOnce: the call after a change is decided by it.
func TestChangesTakeEffectAtOnce(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	arn := arnHere + "user/team/bob"
	denied := "403 AccessDenied User: " + arn + " is not authorized to perform: iam:ListUserTags on resource: " + arn
	none := denied + " because no identity-based policy allows the iam:ListUserTags action"
	explicit := denied + " with an explicit deny in an identity-based policy"
	const allowed = "Tags() IsTruncated=false"
	is := func(want string) {
		t.Helper()
		x.want(want, bob, "ListUserTags", "UserName", "bob")
	}
	for range 3 {
		is(none)
		x.policy(x.root, "bob", "p", "Allow iam:ListUserTags "+arn)
		is(allowed)
		x.policy(x.root, "bob", "q", "Deny iam:* *")
		is(explicit)
		x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "q")
		is(allowed)
		x.policy(x.root, "bob", "p", "Deny iam:ListUserTags "+arn) // replaced
		is(explicit)
		x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "p")
	}
	// A policy is about the ARN that the user has now.
	x.policy(x.root, "bob", "p", "Allow iam:ListUserTags "+arn)
	is(allowed)
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewPath", "/else/")
	x.want("403 AccessDenied User: "+arnHere+"user/else/bob is not authorized to perform: iam:ListUserTags on resource: "+arnHere+
		"user/else/bob because no identity-based policy allows the iam:ListUserTags action", bob, "ListUserTags", "UserName", "bob")
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewPath", "/team/")
	is(allowed)

	second := x.key(x.root, "bob")
	x.ok(x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Inactive")
	is(badToken)
	x.want(allowed, second, "ListUserTags", "UserName", "bob")
	x.ok(x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Active")
	is(allowed)
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	is(badToken)

	// A user made again under the old name has neither its keys nor its policies.
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", second.AccessKeyID)
	x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "p")
	x.ok(x.root, "DeleteUser", "UserName", "bob")
	again := x.user(x.root, "/team/bob")
	x.want(badToken, second, "GetCallerIdentity")
	x.want(none, again, "ListUserTags", "UserName", "bob")
}

// TestDecisionsBesidePolicyChanges: while policies change, every answer is that of some state there was. The user always has either the
// Allow alone, or a Deny beside it; a memo mixed of two states would show the implicit denial.
func TestDecisionsBesidePolicyChanges(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.quiet = true
	bob := x.user(x.root, "bob")
	x.policy(x.root, "bob", "allow", "Allow iam:GetUser *")
	explicit := "403 AccessDenied User: " + arnHere + "user/bob is not authorized to perform: iam:GetUser on resource: " + arnHere + "user/bob with an explicit deny in an identity-based policy"
	allowed := "User(" + userAs("/", "bob") + ")"

	var done atomic.Bool
	var readers sync.WaitGroup
	var seen [2]atomic.Int64
	for range 3 {
		readers.Go(func() {
			for !done.Load() {
				switch got := x.call(bob, "GetUser", nil).String(); got {
				case allowed:
					seen[0].Add(1)
				case explicit:
					seen[1].Add(1)
				default:
					t.Errorf("an answer that no state gives: %s", got)
					return
				}
			}
		})
	}
	for range 60 {
		x.policy(x.root, "bob", "deny", "Deny iam:GetUser *")
		x.want(explicit, bob, "GetUser") // read your writes, whoever reads beside
		x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "deny")
		x.want(allowed, bob, "GetUser")
	}
	done.Store(true)
	readers.Wait()
	if seen[0].Load() == 0 || seen[1].Load() == 0 {
		t.Errorf("allowed %d times, denied %d times: the readers did not run beside the changes", seen[0].Load(), seen[1].Load())
	}
}

// TestWritersDecideOnPendingState: a write is decided by the writes before it in its unit, durable or not. Two users take each other's
// permission away, at once: one of them is too late, always.
func TestWritersDecideOnPendingState(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.quiet = true
	a, b := x.user(x.root, "a"), x.user(x.root, "b")
	for round := range 25 {
		x.policy(x.root, "a", "p", "Allow iam:DeleteUserPolicy "+arnHere+"user/b")
		x.policy(x.root, "b", "p", "Allow iam:DeleteUserPolicy "+arnHere+"user/a")
		var group sync.WaitGroup
		codes := make([]string, 2)
		for i, c := range []struct {
			by     caller
			victim string
		}{{a, "b"}, {b, "a"}} {
			group.Go(func() {
				codes[i] = x.call(c.by, "DeleteUserPolicy", ps("UserName", c.victim, "PolicyName", "p")).code()
			})
		}
		group.Wait()
		if codes[0] == codes[1] || codes[0] != "" && codes[1] != "" || codes[0]+codes[1] != wire.AccessDenied.Code {
			t.Fatalf("round %d: %q; want one success and one AccessDenied", round, codes)
		}
		for _, user := range []string{"a", "b"} {
			x.call(x.root, "DeleteUserPolicy", ps("UserName", user, "PolicyName", "p"))
		}
	}
}
