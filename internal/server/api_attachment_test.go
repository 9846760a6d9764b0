package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

// attachees are the three kinds of what policies are attached to, each with one called Holder at path /div/.
var attachees = []struct{ kind, param string }{{"User", "UserName"}, {"Group", "GroupName"}, {"Role", "RoleName"}}

func (x *apiTest) makeAttachees() {
	x.Helper()
	x.ok(x.root, "CreateUser", "UserName", "Holder", "Path", "/div/")
	x.ok(x.root, "CreateGroup", "GroupName", "Holder", "Path", "/div/")
	x.role(x.root, "/div/Holder", trustEC2)
}

func attachedAs(arns ...string) string {
	var b strings.Builder
	for i, arn := range arns {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "member(PolicyName=%s PolicyArn=%s)", arn[strings.LastIndexByte(arn, '/')+1:], arn)
	}
	return "AttachedPolicies(" + b.String() + ") IsTruncated=false"
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.makeAttachees()
	zoo, pol := x.managed(x.root, "/my/zoo", doc), x.managed(x.root, "Pol", doc)
	for i, h := range attachees {
		attach, detach, list := "Attach"+h.kind+"Policy", "Detach"+h.kind+"Policy", "ListAttached"+h.kind+"Policies"
		on := func(arn string) params { return ps(h.param, "hOLDER", "PolicyArn", arn) }
		listed := func(want string, p ...string) {
			t.Helper()
			x.want(want, x.root, list, append(p, h.param, "holder")...)
		}
		listed(attachedAs())
		x.want("", x.root, attach, on(zoo)...)
		x.want("", x.root, attach, on(arnDenyAll)...)
		x.want("", x.root, attach, on(pol)...)
		x.want("", x.root, attach, on(zoo)...) // again: nothing changes
		listed(attachedAs(zoo, arnDenyAll, pol))
		x.want("", x.root, detach, on(zoo)...)
		x.want("", x.root, attach, on(zoo)...)
		listed(attachedAs(arnDenyAll, pol, zoo)) // in order of attachment
		listed(attachedAs(zoo), "PathPrefix", "/my/")
		x.want("Policy("+policyAs("/my/", "zoo", "v1", i+1, 0)+dates+" Tags())", x.root, "GetPolicy", "PolicyArn", zoo)
		for most := 1; most <= 4; most++ {
			if got := x.pages(x.root, list, "PolicyName", ps(h.param, "holder"), most, nil); !slices.Equal(got, []string{"AWSDenyAll", "Pol", "zoo"}) {
				t.Errorf("%s, MaxItems %d: %q", list, most, got)
			}
		}
		marker := x.ok(x.root, list, h.param, "holder", "MaxItems", "1").value(list+"Result", "Marker")
		x.ok(x.root, detach, on(arnDenyAll)...) // the one that the marker remembers
		listed(attachedAs(pol, zoo), "Marker", marker)

		absent, noHolder := arnHere+"policy/absent", "404 NoSuchEntity The "+strings.ToLower(h.kind)+" with name nobody cannot be found."
		x.want(notAttachable(absent), x.root, attach, on(absent)...)
		x.want(notAttachable(arnHere+"policy/pol"), x.root, attach, on(arnHere+"policy/pol")...)
		x.want(notAttachable("arn:aws:iam::aws:policy/SecurityAudit"), x.root, attach, on("arn:aws:iam::aws:policy/SecurityAudit")...) // not known here
		x.want("400 PolicyNotAttachable Cannot attach a Service Role Policy to a Customer Role.", x.root, attach, on("arn:aws:iam::aws:policy/aws-service-role/CloudWatchEventsServiceRolePolicy")...)
		x.want(noPolicy(absent), x.root, detach, on(absent)...)
		x.want(noPolicy(arnDenyAll), x.root, detach, on(arnDenyAll)...)
		for _, op := range []string{attach, detach} {
			x.want(noHolder, x.root, op, h.param, "nobody", "PolicyArn", absent) // who before what
			x.want("400 ValidationError ARN longpolicynamebutnoarn is not valid.", x.root, op, on("longpolicynamebutnoarn")...)
			x.want("400 InvalidInput ARN "+arnVictim+" is not valid.", x.root, op, on(arnVictim)...)
			x.want(invalid(strings.ToLower(h.kind)+"Name "+notNull, "policyArn "+notNull), x.root, op)
			x.want(invalid("policyArn "+atLeast+"20"), x.root, op, on("short")...)
		}
		x.want(noHolder, x.root, list, h.param, "nobody")
		x.want(badMarker, x.root, list, h.param, "holder", "Marker", "x")
		x.want(invalid(strings.ToLower(h.kind)+"Name "+notNull), x.root, list)
		x.want("409 DeleteConflict Cannot delete entity, must detach all policies first.", x.root, "Delete"+h.kind, h.param, "holder")
	}
	// The policies of another account cannot be attached, nor its attachments counted.
	other := x.addAccount(testAccount2)
	x.ok(other, "CreateUser", "UserName", "eve")
	x.want(notAttachable(pol), other, "AttachUserPolicy", "UserName", "eve", "PolicyArn", pol)
	x.ok(other, "AttachUserPolicy", "UserName", "eve", "PolicyArn", arnDenyAll)
	if got := x.ok(x.root, "GetPolicy", "PolicyArn", arnDenyAll).value("GetPolicyResult", "Policy", "AttachmentCount"); got != "0" {
		t.Errorf("%s attachments of a policy that only another account uses", got)
	}
}

func TestAttachmentQuotas(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	q.PoliciesPerUser, q.PoliciesPerGroup, q.PoliciesPerRole = 1, 2, 3
	x := openAPI(t, q)
	x.makeAttachees()
	for i, h := range attachees {
		for n := range i + 1 {
			x.ok(x.root, "Attach"+h.kind+"Policy", h.param, "Holder", "PolicyArn", []string{arnDenyAll, arnReadOnly, arnAdministrator}[n])
		}
		full := fmt.Sprintf("409 LimitExceeded Cannot exceed quota for PoliciesPer%s: %d", h.kind, i+1)
		x.want(full, x.root, "Attach"+h.kind+"Policy", h.param, "Holder", "PolicyArn", "arn:aws:iam::aws:policy/PowerUserAccess")
		x.want("", x.root, "Attach"+h.kind+"Policy", h.param, "Holder", "PolicyArn", arnDenyAll) // is attached
		x.ok(x.root, "Detach"+h.kind+"Policy", h.param, "Holder", "PolicyArn", arnDenyAll)
		x.ok(x.root, "Attach"+h.kind+"Policy", h.param, "Holder", "PolicyArn", "arn:aws:iam::aws:policy/PowerUserAccess")
	}
	x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "Holder", "PermissionsBoundary", arnDenyAll) // counts nowhere
}

func TestAttachToRolesOfServices(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	for _, path := range []string{"/aws-service-role/s.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"} {
		x.role(x.root, "R", trustEC2)
		role := x.cell.store.View().Account(testAccount).RoleByName("R").Clone()
		role.Path = path
		x.putRole(role)
		for _, op := range []string{"AttachRolePolicy", "DetachRolePolicy"} {
			x.want("400 UnmodifiableEntity Cannot perform the operation on the protected role 'R' - this role is only modifiable by AWS", x.root, op, "RoleName", "r", "PolicyArn", arnDenyAll)
		}
		role = role.Clone()
		role.Path = "/"
		x.putRole(role)
		x.ok(x.root, "DeleteRole", "RoleName", "R")
	}
}

// TestAttachedPoliciesDecide: managed policies count from the call after they are attached, directly and through groups, and a denial says
// which one denied.
func TestAttachedPoliciesDecide(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.group(x.root, "crew", "bob")
	allow, deny := x.managed(x.root, "allow", document("Allow iam:GetUser *")), x.managed(x.root, "/d/deny", document("Deny iam:Get* *"))
	prefix := "403 AccessDenied User: " + arnHere + "user/bob is not authorized to perform: iam:GetUser on resource: " + arnHere + "user/bob "
	none, by := prefix+"because no identity-based policy allows the iam:GetUser action", prefix+"with an explicit deny in an identity-based policy: "
	allowed := "User(" + userAs("/", "bob") + ")"
	is := func(want string) { t.Helper(); x.want(want, bob, "GetUser") }
	for range 2 {
		for _, h := range []params{ps("User", "UserName", "bob"), ps("Group", "GroupName", "crew")} {
			attach := func(arn string) { t.Helper(); x.ok(x.root, "Attach"+h[0]+"Policy", h[1], h[2], "PolicyArn", arn) }
			detach := func(arn string) { t.Helper(); x.ok(x.root, "Detach"+h[0]+"Policy", h[1], h[2], "PolicyArn", arn) }
			is(none)
			attach(allow)
			is(allowed)
			attach(deny)
			is(by + deny)
			detach(deny)
			is(allowed)
			attach(arnDenyAll)
			is(by + arnDenyAll)
			detach(allow)
			is(by + arnDenyAll)
			detach(arnDenyAll)
			is(none)
			attach(arnReadOnly)
			is(allowed)
			detach(arnReadOnly)
		}
	}
	x.ok(x.root, "AttachGroupPolicy", "GroupName", "crew", "PolicyArn", allow)
	is(allowed)
	x.ok(x.root, "RemoveUserFromGroup", "GroupName", "crew", "UserName", "bob")
	is(none)
}

// TestDelegationByPolicyARN: who may attach only certain policies cannot attach others, whatever else it may do; and only to whom has the
// boundary that is asked for.
func TestDelegationByPolicyARN(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.makeAttachees()
	mine, limit := x.managed(x.root, "/delegated/mine", doc), x.managed(x.root, "limit", document("Allow s3:* *"))
	x.put(x.root, "bob", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:Attach*","iam:Detach*"],"Resource":"*","Condition":{"ArnEquals":{"iam:PolicyARN":"`+arnHere+`policy/delegated/*"}}}]}`)
	for _, h := range attachees {
		for _, op := range []string{"Attach", "Detach"} {
			op += h.kind + "Policy"
			x.want("", bob, op, h.param, "holder", "PolicyArn", mine)
			for _, arn := range []string{arnAdministrator, limit, arnHere + "policy/mine", "arn:aws:iam::" + testAccount2 + ":policy/delegated/x"} {
				x.want("403 AccessDenied User: "+arnHere+"user/bob is not authorized to perform: iam:"+op+" on resource: "+arnHere+strings.ToLower(h.kind)+
					"/div/Holder because no identity-based policy allows the iam:"+op+" action", bob, op, h.param, "holder", "PolicyArn", arn)
			}
		}
	}
	x.put(x.root, "bob", "p", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:Attach*","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+limit+`"}}}]}`)
	for _, h := range attachees[:1] {
		if a := x.call(bob, "Attach"+h.kind+"Policy", ps(h.param, "holder", "PolicyArn", mine)); a.code() != "AccessDenied" {
			t.Errorf("without a boundary: %s", a)
		}
		x.ok(x.root, "Put"+h.kind+"PermissionsBoundary", h.param, "holder", "PermissionsBoundary", limit)
		x.want("", bob, "Attach"+h.kind+"Policy", h.param, "holder", "PolicyArn", mine)
	}
}

func TestListEntitiesForPolicy(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.makeAttachees()
	arn := x.managed(x.root, "p", doc)
	list := func(p ...string) []string {
		t.Helper()
		a := x.ok(x.root, "ListEntitiesForPolicy", append(p, "PolicyArn", arn)...)
		var got []string
		for _, h := range attachees {
			for range a.all(h.param) {
				got = append(got, h.kind)
			}
		}
		return got
	}
	is := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	x.want("PolicyGroups() PolicyUsers() PolicyRoles() IsTruncated=false", x.root, "ListEntitiesForPolicy", "PolicyArn", arn)
	for _, h := range attachees {
		x.ok(x.root, "Attach"+h.kind+"Policy", h.param, "Holder", "PolicyArn", arn)
	}
	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "Holder", "PermissionsBoundary", arn)
	x.want("Policy("+policyAs("/", "p", "v1", 3, 1)+dates+" Tags())", x.root, "GetPolicy", "PolicyArn", arn)
	is(list(), "User", "Group", "Role") // each once
	is(list("PolicyUsageFilter", "PermissionsBoundary"), "Role")
	x.ok(x.root, "DetachRolePolicy", "RoleName", "Holder", "PolicyArn", arn)
	is(list("PolicyUsageFilter", "PermissionsPolicy"), "User", "Group")
	is(list(), "User", "Group", "Role")
	is(list("EntityFilter", "User"), "User")
	is(list("EntityFilter", "Group"), "Group")
	is(list("EntityFilter", "Role"), "Role")
	is(list("EntityFilter", "LocalManagedPolicy"))
	is(list("EntityFilter", "AWSManagedPolicy"))
	is(list("PathPrefix", "/div/"), "User", "Group", "Role")
	is(list("PathPrefix", "/else/"))
	x.want("409 DeleteConflict Cannot delete a policy attached to entities.", x.root, "DeletePolicy", "PolicyArn", arn)
	marker, kinds := "", []string(nil)
	for range 3 {
		p := ps("PolicyArn", arn, "MaxItems", "1")
		if marker != "" {
			p = append(p, "Marker", marker)
		}
		a := x.ok(x.root, "ListEntitiesForPolicy", p...)
		marker = a.value("ListEntitiesForPolicyResult", "Marker")
		for _, h := range attachees {
			for range a.all(h.param) {
				kinds = append(kinds, h.kind)
			}
		}
	}
	is(kinds, "Group", "User", "Role")
	if marker != "" {
		t.Errorf("a fourth page after three entities")
	}
	x.want(notAttachable(arnHere+"policy/absent"), x.root, "ListEntitiesForPolicy", "PolicyArn", arnHere+"policy/absent")
	x.want(badMarker, x.root, "ListEntitiesForPolicy", "PolicyArn", arn, "Marker", "x")
	x.want("PolicyGroups() PolicyUsers() PolicyRoles() IsTruncated=false", x.root, "ListEntitiesForPolicy", "PolicyArn", arnDenyAll)
	x.want(invalid("entityFilter Member must satisfy enum value set"), x.root, "ListEntitiesForPolicy", "PolicyArn", arn, "EntityFilter", "x")
}
