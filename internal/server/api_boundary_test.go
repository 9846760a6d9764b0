package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func (x *apiTest) compiled(document string) *policy.Policy {
	x.Helper()
	p, err := policy.Load(document, policy.Managed)
	x.must(err)
	return p
}

// managedPolicy makes a managed policy, or gives the one of that name another default version. It returns its ARN.
func (x *apiTest) managedPolicy(by caller, name string, statements ...string) string {
	x.Helper()
	a := x.call(by, "CreatePolicy", ps("PolicyName", name, "PolicyDocument", document(statements...)))
	if a.status == 200 {
		return a.value("CreatePolicyResult", "Policy", "Arn")
	}
	x.ok(by, "CreatePolicyVersion", "PolicyArn", arnHere+"policy/"+name, "PolicyDocument", document(statements...), "SetAsDefault", "true")
	return arnHere + "policy/" + name
}

func boundaryShown(arn string) string {
	return " PermissionsBoundary(PermissionsBoundaryType=Policy PermissionsBoundaryArn=" + arn + ")"
}

// TestPermissionsBoundaries: users and roles alike, but for the shape of the answers.
func TestPermissionsBoundaries(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	one, two := x.managedPolicy(x.root, "One", "Allow iam:* *"), x.managedPolicy(x.root, "Two", "Allow s3:* *")
	foreign := x.managedPolicy(x.addAccount(testAccount2), "Foreign", "Allow iam:* *")

	userIs := func(boundary string) {
		t.Helper()
		x.want("User("+userAs("/", "bob")+boundary+")", x.root, "GetUser", "UserName", "bob")
		x.want("Users(member("+userAs("/", "bob")+")) IsTruncated=false", x.root, "ListUsers")
	}
	roleIs := func(boundary string) {
		t.Helper()
		x.want("Role("+roleAs("/", "job", trustEC2)+" MaxSessionDuration=3600"+boundary+" RoleLastUsed())", x.root, "GetRole", "RoleName", "job")
		x.want("Roles(member("+roleAs("/", "job", trustEC2)+" MaxSessionDuration=3600)) IsTruncated=false", x.root, "ListRoles")
	}
	x.want("User("+userAs("/", "bob")+boundaryShown(one)+")", x.root, "CreateUser", "UserName", "bob", "PermissionsBoundary", one)
	x.want("Role("+roleAs("/", "job", trustEC2)+boundaryShown(one)+")", x.root, "CreateRole", newRole("job", trustEC2, "PermissionsBoundary", one)...)
	const ofService = "arn:aws:iam::aws:policy/aws-service-role/CloudWatchEventsServiceRolePolicy"
	noScope := "404 NoSuchEntity Scope ARN: " + ofService + " does not exist or is not attachable."
	x.want(noScope, x.root, "CreateUser", "UserName", "never", "PermissionsBoundary", ofService)
	x.want(noScope, x.root, "CreateRole", newRole("never", trustEC2, "PermissionsBoundary", ofService)...)
	for _, h := range []struct {
		kind, name string
		is         func(string)
		absent     string
	}{{"User", "bob", userIs, noUser("absent")}, {"Role", "job", roleIs, noRole("absent")}} {
		on := ps(h.kind+"Name", strings.ToUpper(h.name))
		put, drop := "Put"+h.kind+"PermissionsBoundary", "Delete"+h.kind+"PermissionsBoundary"
		h.is(boundaryShown(one))
		x.want("", x.root, put, append(on, "PermissionsBoundary", two)...)
		h.is(boundaryShown(two))
		x.want("", x.root, drop, on...)
		h.is("")
		x.want("", x.root, drop, on...) // none set
		x.want("", x.root, put, append(on, "PermissionsBoundary", one)...)
		x.want("", x.root, put, append(on, "PermissionsBoundary", one)...)
		h.is(boundaryShown(one))
		scope := "404 NoSuchEntity Scope ARN: %s does not exist or is not attachable."
		for _, c := range []struct{ boundary, want string }{
			{"arn", invalid("permissionsBoundary " + atLeast + "20")},
			{"longpolicynamebutnoarn", "400 ValidationError ARN longpolicynamebutnoarn is not valid."},
			{arnHere + "not_a_policy/invalid", "400 InvalidInput ARN " + arnHere + "not_a_policy/invalid is not valid."},
			{arnHere + "policy/nonexistent-policy", fmt.Sprintf(scope, arnHere+"policy/nonexistent-policy")},
			{arnHere + "policy/one", fmt.Sprintf(scope, arnHere+"policy/one")}, // ARNs have case
			{arnHere + "policy/p/One", fmt.Sprintf(scope, arnHere+"policy/p/One")},
			{foreign, fmt.Sprintf(scope, foreign)},
			{"arn:aws:iam::aws:policy/NoSuchPolicyOfAWS", fmt.Sprintf(scope, "arn:aws:iam::aws:policy/NoSuchPolicyOfAWS")},
			{ofService, "400 PolicyNotAttachable Cannot attach a Service Role Policy to a Customer Role."},
		} {
			x.want(c.want, x.root, put, append(on, "PermissionsBoundary", c.boundary)...)
		}
		h.is(boundaryShown(one))
		x.want(h.absent, x.root, put, h.kind+"Name", "absent", "PermissionsBoundary", one)
		x.want(h.absent, x.root, put, h.kind+"Name", "absent", "PermissionsBoundary", arnHere+"policy/absent")
		x.want(h.absent, x.root, drop, h.kind+"Name", "absent")
	}
}

// TestBoundaryLimits: what the identity policies allow counts only as far as the boundary allows it, from the next call on.
func TestBoundaryLimits(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.managedPolicy(x.root, "Reads", "Allow iam:Get* *", "Allow s3:* *")
	bob := x.user(x.root, "bob")
	me := arnHere + "user/bob"
	reads := arnHere + "policy/Reads"
	denied := func(action, reason string) string {
		return "403 AccessDenied User: " + me + " is not authorized to perform: iam:" + action + " on resource: " + me + " " + reason
	}
	tagBob := append(tags("k", "v"), "UserName", "bob")
	x.want(denied("GetUser", "because no identity-based policy allows the iam:GetUser action"), bob, "GetUser")
	x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", reads)
	x.want(denied("GetUser", "because no identity-based policy allows the iam:GetUser action"), bob, "GetUser") // a boundary grants nothing
	x.policy(x.root, "bob", "all", "Allow * *")
	x.ok(bob, "GetUser")
	x.want(denied("TagUser", "because no permissions boundary allows the iam:TagUser action"), bob, "TagUser", tagBob...)

	x.managedPolicy(x.root, "Reads", "Allow * *", "Deny iam:TagUser *") // another default version
	x.want(denied("TagUser", "with an explicit deny in a permissions boundary: "+reads), bob, "TagUser", tagBob...)
	x.ok(bob, "ListUserTags", "UserName", "bob")
	x.ok(x.root, "DeleteUserPermissionsBoundary", "UserName", "bob")
	x.want("", bob, "TagUser", tagBob...)
	// The boundary itself is an action like others: who may take it away is free of it.
	x.ok(bob, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", reads)
	x.want(denied("TagUser", "with an explicit deny in a permissions boundary: "+reads), bob, "TagUser", tagBob...)
	x.ok(bob, "DeleteUserPermissionsBoundary", "UserName", "bob")
	x.want("", bob, "TagUser", tagBob...)
}

// TestBoundaryOfRole: the sessions of a role are limited by its boundary, those there are as well.
func TestBoundaryOfRole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	reads := x.managedPolicy(x.root, "Reads", "Allow iam:Get* *")
	x.role(x.root, "job", trustOf(arnHere+"user/bob"))
	x.ok(x.root, "AttachRolePolicy", "RoleName", "job", "PolicyArn", "arn:aws:iam::aws:policy/AdministratorAccess")
	s := x.assume(bob, arnHere+"role/job")
	who := arnSTS + "assumed-role/job/s1"
	x.ok(s, "ListRoles")
	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "job", "PermissionsBoundary", reads)
	x.want(refusal(who, "iam:ListRoles", arnHere+"role/", "because no permissions boundary allows the iam:ListRoles action"), s, "ListRoles")
	x.ok(s, "GetRole", "RoleName", "job")
	x.managedPolicy(x.root, "Reads", "Allow * *", "Deny iam:ListRoles *")
	x.want(refusal(who, "iam:ListRoles", arnHere+"role/", "with an explicit deny in a permissions boundary: "+reads), s, "ListRoles")
	x.want("409 DeleteConflict Cannot delete a policy attached to entities.", x.root, "DeletePolicy", "PolicyArn", reads)
	x.ok(x.root, "DeleteRolePermissionsBoundary", "RoleName", "job")
	x.ok(s, "ListRoles")
	x.want("Role("+roleAs("/", "job", trustOf(arnHere+"user/bob"))+" MaxSessionDuration=3600 RoleLastUsed(LastUsedDate=DATE Region=us-east-1))", s, "GetRole", "RoleName", "job")
}

// guarded puts a policy that allows everything but what the statement denies.
func (x *apiTest) guarded(user, statement string) {
	x.Helper()
	x.ok(x.root, "PutUserPolicy", "UserName", user, "PolicyName", "guard", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},`+statement+`]}`)
}

// TestDelegationGuard: docs/spec/evaluation.md 13, C253 and C254, and the other operations with iam:PermissionsBoundary.
func TestDelegationGuard(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	pb, free := x.managedPolicy(x.root, "PB", "Allow iam:* *"), x.managedPolicy(x.root, "Free", "Allow * *")
	alice := x.user(x.root, "alice")
	denied := func(op, resource string) string {
		return "403 AccessDenied User: " + arnHere + "user/alice is not authorized to perform: iam:" + op + " on resource: " + arnHere + resource +
			" with an explicit deny in an identity-based policy"
	}
	x.guarded("alice", `{"Effect":"Deny","Action":["iam:CreateUser","iam:CreateRole","iam:Put*PermissionsBoundary"],"Resource":"*","Condition":{"StringNotEquals":{"iam:PermissionsBoundary":"`+pb+`"}}},`+
		`{"Effect":"Deny","Action":"iam:Delete*PermissionsBoundary","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+pb+`"}}}`)
	x.want(denied("CreateUser", "user/bob"), alice, "CreateUser", "UserName", "bob")
	x.want(denied("CreateUser", "user/bob"), alice, "CreateUser", "UserName", "bob", "PermissionsBoundary", free)
	x.want("User("+userAs("/", "bob")+boundaryShown(pb)+")", alice, "CreateUser", "UserName", "bob", "PermissionsBoundary", pb)
	x.want(denied("PutUserPermissionsBoundary", "user/bob"), alice, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", free)
	x.want("", alice, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", pb)
	x.want(denied("DeleteUserPermissionsBoundary", "user/bob"), alice, "DeleteUserPermissionsBoundary", "UserName", "bob")
	x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", free)
	x.want("", alice, "DeleteUserPermissionsBoundary", "UserName", "bob")

	x.want(denied("CreateRole", "role/job"), alice, "CreateRole", newRole("job", trustEC2)...)
	x.want(denied("CreateRole", "role/job"), alice, "CreateRole", newRole("job", trustEC2, "PermissionsBoundary", free)...)
	x.want("Role("+roleAs("/", "job", trustEC2)+boundaryShown(pb)+")", alice, "CreateRole", newRole("job", trustEC2, "PermissionsBoundary", pb)...)
	x.want(denied("PutRolePermissionsBoundary", "role/job"), alice, "PutRolePermissionsBoundary", "RoleName", "job", "PermissionsBoundary", free)
	x.want(denied("DeleteRolePermissionsBoundary", "role/job"), alice, "DeleteRolePermissionsBoundary", "RoleName", "job")
	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "job", "PermissionsBoundary", free)
	x.want("", alice, "DeleteRolePermissionsBoundary", "RoleName", "job")
	x.want("", alice, "DeleteRolePermissionsBoundary", "RoleName", "job") // without one the key is absent, and the Deny silent
}

// TestTagConditions: the tags of the resource and of the request decide, for users and roles.
func TestTagConditions(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	alice := x.user(x.root, "alice")
	for _, h := range []struct{ kind, name string }{{"User", "bob"}, {"Role", "job"}} {
		kind, low := h.kind, strings.ToLower(h.kind)
		on := ps(kind+"Name", h.name)
		create := append(ps("Path", "/"), on...)
		if kind == "Role" {
			create = append(create, "AssumeRolePolicyDocument", trustEC2)
		}
		allow := func(actions, condition string) {
			t.Helper()
			x.ok(x.root, "PutUserPolicy", "UserName", "alice", "PolicyName", "p", "PolicyDocument",
				`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":`+actions+`,"Resource":"`+arnHere+low+`/*","Condition":`+condition+`}}`)
		}
		denied := func(op string) string {
			return "403 AccessDenied User: " + arnHere + "user/alice is not authorized to perform: iam:" + op + " on resource: " + arnHere + low + "/" + h.name +
				" because no identity-based policy allows the iam:" + op + " action"
		}
		// Tags at creation need the permission to tag as well, with the same keys in both checks.
		red := `{"StringEquals":{"aws:RequestTag/team":"red"},"ForAllValues:StringEquals":{"aws:TagKeys":["team","cost"]}}`
		allow(`"iam:Create`+kind+`"`, red)
		x.want(denied("Create"+kind), alice, "Create"+kind, create...)
		x.want(denied("Create"+kind), alice, "Create"+kind, append(tags("team", "blue"), create...)...)
		x.want(denied("Tag"+kind), alice, "Create"+kind, append(tags("team", "red"), create...)...)
		allow(`["iam:Create`+kind+`","iam:Tag`+kind+`"]`, red)
		x.want(denied("Create"+kind), alice, "Create"+kind, append(tags("team", "red", "more", ""), create...)...)
		x.ok(alice, "Create"+kind, append(tags("team", "red", "cost", "1"), create...)...)
		x.want(denied("Tag"+kind), alice, "Tag"+kind, append(tags("cost", "2"), on...)...)
		x.ok(alice, "Tag"+kind, append(tags("team", "red", "cost", "2"), on...)...)

		for _, key := range []string{"aws:ResourceTag/team", "iam:ResourceTag/team"} {
			allow(`"iam:*"`, `{"StringEquals":{"`+key+`":"blue"}}`)
			x.want(denied("Get"+kind), alice, "Get"+kind, on...)
			allow(`"iam:*"`, `{"StringEquals":{"`+key+`":"red"}}`)
			x.ok(alice, "Get"+kind, on...)
			x.ok(alice, "List"+kind+"Tags", on...)
		}
		allow(`"iam:Untag`+kind+`"`, `{"ForAllValues:StringEquals":{"aws:TagKeys":"cost"},"Null":{"aws:TagKeys":"false"}}`)
		x.want(denied("Untag"+kind), alice, "Untag"+kind, append(tagKeys("cost", "team"), on...)...)
		x.ok(alice, "Untag"+kind, append(tagKeys("cost"), on...)...)
	}
}
