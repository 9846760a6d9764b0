package server

import (
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// The condition keys of IAM's own operations: docs/spec/evaluation.md 1.4; which operation has which, the Service Authorization Reference.

// when puts an inline policy that allows actions on everything under conditions, given as the inside of a JSON object.
func (x *apiTest) when(user, actions, conditions string) {
	x.Helper()
	x.ok(x.root, "PutUserPolicy", "UserName", user, "PolicyName", "p", "PolicyDocument",
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["`+strings.ReplaceAll(actions, " ", `","`)+`"],"Resource":"*","Condition":{`+conditions+`}}]}`)
}

// storedBoundary gives a user or role a boundary, whose policy need not exist: whom it bounds may then do nothing.
func (x *apiTest) storedBoundary(owner, policyARN string) {
	x.Helper()
	x.storedAttachment(owner, policyARN, true)
}

func (x *apiTest) storedAttachment(owner, policyARN string, boundary bool) {
	x.Helper()
	unit := state.AccountUnit(testAccount)
	x.must(x.cell.store.Update(x.Context(), []string{unit}, func(tx *state.Tx) error {
		a := &state.Attachment{}
		a.Owner, a.Policy, a.Boundary = owner, policyARN, boundary
		tx.Put(unit, a)
		return nil
	}))
}

// TestUsersByTag: every operation on a user can be allowed by the user's tags. A rename takes the tags along.
func TestUsersByTag(t *testing.T) {
	t.Parallel()
	n := 0
	for _, e := range enforcedOperations {
		if e.resources[0] != arnVictim || serviceOf(e.op) != "iam" {
			continue
		}
		n++
		t.Run(e.op, func(t *testing.T) {
			t.Parallel()
			x := openEnforced(t)
			for _, key := range []string{"aws:ResourceTag/team", "iam:ResourceTag/TEAM"} {
				x.when("caller", e.action(), `"StringEquals":{"`+key+`":"red"}`)
				x.ok(x.root, "TagUser", append(tags("Team", "blue"), "UserName", "victim")...)
				if got, want := x.try(&e).String(), e.denied(arnVictim, false); got != want {
					t.Errorf("the user is of another team\n got %s\nwant %s", got, want)
				}
				x.ok(x.root, "TagUser", append(tags("Team", "red"), "UserName", "victim")...)
				if key == "aws:ResourceTag/team" {
					continue // the call may change the user: once is enough
				}
				if a := x.try(&e); a.status == 403 || a.status >= 500 {
					t.Errorf("the user is of the team: %s", a)
				}
			}
		})
	}
	if n < 20 {
		t.Errorf("only %d operations on a user were tried", n)
	}
}

// TestTagOnCreate: who makes a user with tags needs iam:TagUser as well, and both know the tags of the request.
func TestTagOnCreate(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	boss := x.user(x.root, "/team/caller")
	denied := func(action, name string) string {
		return (&enforced{op: action}).denied(arnHere+"user/"+name, false)
	}
	red := func(name string, more ...string) params {
		return append(tags(append([]string{"Team", "red"}, more...)...), "UserName", name)
	}
	x.policy(x.root, "caller", "p", "Allow iam:CreateUser *")
	x.want("User("+userAs("/", "plain")+")", boss, "CreateUser", "UserName", "plain")
	x.want(denied("TagUser", "a"), boss, "CreateUser", red("a")...)
	x.policy(x.root, "caller", "p", "Allow iam:TagUser *")
	x.want(denied("CreateUser", "a"), boss, "CreateUser", red("a")...)
	x.policy(x.root, "caller", "p", "Allow iam:CreateUser *", "Allow iam:TagUser "+arnHere+"user/b")
	x.want(denied("TagUser", "a"), boss, "CreateUser", red("a")...)
	x.ok(boss, "CreateUser", red("b")...)

	// Only with a team, and only with these keys.
	x.when("caller", "iam:CreateUser iam:TagUser", `"StringEquals":{"aws:RequestTag/team":["red","blue"]},"ForAllValues:StringEquals":{"aws:TagKeys":["Team","Cost"]}`)
	x.want(denied("CreateUser", "c"), boss, "CreateUser", "UserName", "c")
	x.want(denied("CreateUser", "c"), boss, "CreateUser", append(tags("Team", "green"), "UserName", "c")...)
	x.want(denied("CreateUser", "c"), boss, "CreateUser", red("c", "Else", "x")...)
	x.ok(boss, "CreateUser", red("c", "Cost", "1")...)
	x.want(denied("TagUser", "plain"), boss, "TagUser", append(tags("Team", "green"), "UserName", "plain")...)
	x.want(denied("TagUser", "plain"), boss, "TagUser", red("plain", "Else", "x")...)
	x.want("", boss, "TagUser", red("plain")...)

	x.when("caller", "iam:UntagUser", `"ForAllValues:StringEquals":{"aws:TagKeys":["Cost"]},"Null":{"aws:TagKeys":"false"}`)
	x.want(denied("UntagUser", "c"), boss, "UntagUser", append(tagKeys("Team"), "UserName", "c")...)
	x.want(denied("UntagUser", "c"), boss, "UntagUser", append(tagKeys("Cost", "Team"), "UserName", "c")...)
	x.want(denied("UntagUser", "c"), boss, "UntagUser", "UserName", "c", "TagKeys", "")
	x.want("", boss, "UntagUser", append(tagKeys("Cost"), "UserName", "c")...)
}

// TestTagsOfWhatIsMade: the tags that a user, role or policy will have count as its tags when it is made (docs/spec/evaluation.md 1.3).
func TestTagsOfWhatIsMade(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	boss := x.user(x.root, "/team/caller")
	x.when("caller", "iam:Create* iam:Tag*", `"StringEquals":{"aws:ResourceTag/Team":"red","iam:ResourceTag/team":"red"}`)
	for _, c := range []struct {
		op string
		p  params
	}{
		{"CreateUser", ps("UserName", "new")},
		{"CreateRole", ps("RoleName", "new", "AssumeRolePolicyDocument", trustOf(testAccount))},
		{"CreatePolicy", ps("PolicyName", "new", "PolicyDocument", document("Allow s3:GetObject *"))},
	} {
		for _, wrong := range []params{nil, tags("Team", "green"), tags("Other", "red")} {
			if a := x.call(boss, c.op, append(wrong, c.p...)); a.code() != "AccessDenied" {
				t.Errorf("%s with the tags %v: %s", c.op, wrong, a)
			}
		}
		x.ok(boss, c.op, append(tags("Team", "red"), c.p...)...)
	}
}

// TestNewUsersByBoundary: iam:PermissionsBoundary of CreateUser is the boundary that the request names (docs/spec/evaluation.md 13, C253).
func TestNewUsersByBoundary(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	boss := x.user(x.root, "/team/caller")
	const bound, other = "arn:aws:iam::" + testAccount + ":policy/bound", "arn:aws:iam::" + testAccount + ":policy/other"
	x.when("caller", "iam:CreateUser", `"StringEquals":{"iam:PermissionsBoundary":"`+bound+`"}`)
	denied := (&enforced{op: "CreateUser"}).denied(arnHere+"user/new", false)
	x.want(denied, boss, "CreateUser", "UserName", "new")
	x.want(denied, boss, "CreateUser", "UserName", "new", "PermissionsBoundary", other)
	if a := x.call(boss, "CreateUser", ps("UserName", "new", "PermissionsBoundary", bound)); a.status == 403 {
		t.Errorf("with the boundary that is asked for: %s", a)
	}
}

// TestInlinePoliciesByBoundary: what changes an inline policy knows the boundary of the user or role; what reads one does not.
func TestInlinePoliciesByBoundary(t *testing.T) {
	t.Parallel()
	const bound = "arn:aws:iam::" + testAccount + ":policy/bound"
	x := openAPI(t)
	boss := x.user(x.root, "/team/caller")
	ids := map[string]string{"Role": x.role(x.root, "ward", trustEC2, tags("Team", "red")...).value("CreateRoleResult", "Role", "RoleId")}
	ids["User"] = x.ok(x.root, "CreateUser", append(tags("Team", "red"), "UserName", "ward")...).value("CreateUserResult", "User", "UserId")
	for kind, id := range ids {
		name := kind + "Name"
		calls := []struct {
			op     string
			p      params
			writes bool
		}{
			{"Put" + kind + "Policy", ps(name, "ward", "PolicyName", "p", "PolicyDocument", document("Allow s3:Get *")), true},
			{"Get" + kind + "Policy", ps(name, "ward", "PolicyName", "p"), false},
			{"List" + kind + "Policies", ps(name, "ward"), false},
			{"Delete" + kind + "Policy", ps(name, "ward", "PolicyName", "p"), true},
		}
		try := func(what, condition string, allowed func(writes bool) bool) {
			t.Helper()
			x.when("caller", "iam:*", condition)
			for _, c := range calls {
				if a := x.call(boss, c.op, c.p); (a.status == 200) != allowed(c.writes) || a.status != 200 && a.status != 403 {
					t.Errorf("%s %s: %s; want allowed %t", what, c.op, a, allowed(c.writes))
				}
				if c.op == calls[0].op {
					x.ok(x.root, c.op, c.p...) // so that the others find it
				}
			}
		}
		bounded, never, always := `"StringEquals":{"iam:PermissionsBoundary":"`+bound+`"}`, func(bool) bool { return false }, func(bool) bool { return true }
		try("without a boundary", bounded, never)
		x.storedBoundary(id, bound)
		try("with the boundary", bounded, func(writes bool) bool { return writes })
		try("with the boundary in other letters", `"StringEquals":{"iam:PermissionsBoundary":"`+strings.ToUpper(bound)+`"}`, never)
		try("by tag", `"StringEquals":{"aws:ResourceTag/Team":"red"}`, always)
		try("by another tag", `"StringEquals":{"iam:ResourceTag/Team":"blue"}`, never)
	}
}

// TestGroupsHaveNoTags: a condition on a tag of the resource never holds for a group, whoever is put into it.
func TestGroupsHaveNoTags(t *testing.T) {
	t.Parallel()
	n := 0
	for _, e := range enforcedOperations {
		if e.resources[0] != arnCrew {
			continue
		}
		n++
		t.Run(e.op, func(t *testing.T) {
			t.Parallel()
			x := openEnforced(t)
			x.ok(x.root, "TagUser", append(tags("Team", "red"), "UserName", "victim")...)
			x.when("caller", e.action(), `"StringEquals":{"aws:ResourceTag/Team":"red"}`)
			if got, want := x.try(&e).String(), e.denied(arnCrew, false); got != want {
				t.Errorf("got %s\nwant %s", got, want)
			}
			x.when("caller", e.action(), `"Null":{"aws:ResourceTag/Team":"true","iam:PermissionsBoundary":"true"}`)
			if a := x.try(&e); a.status == 403 || a.status >= 500 {
				t.Errorf("where no tag is asked for: %s", a)
			}
		})
	}
	if n < 10 {
		t.Errorf("only %d operations on a group were tried", n)
	}
}

// TestDeletedUserLeavesNoBoundary: a boundary does not hold a user, and its record goes with it.
func TestDeletedUserLeavesNoBoundary(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	const bound = "arn:aws:iam::" + testAccount + ":policy/bound"
	id := x.ok(x.root, "CreateUser", "UserName", "bob").value("CreateUserResult", "User", "UserId")
	x.storedBoundary(id, bound)
	x.storedAttachment(id, bound, false)
	x.policy(x.root, "bob", "p", "Allow s3:Get *")
	x.want("409 DeleteConflict Cannot delete entity, must detach all policies first.", x.root, "DeleteUser", "UserName", "bob") // before the inline ones
	unit := state.AccountUnit(testAccount)
	x.must(x.cell.store.Update(t.Context(), []string{unit}, func(tx *state.Tx) error {
		tx.Delete(unit, tx.Account(testAccount).Attachment(id, bound))
		return nil
	}))
	x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "p")
	x.want("", x.root, "DeleteUser", "UserName", "bob")
	if b := x.cell.store.View().Account(testAccount).Boundary(id); b != nil {
		t.Errorf("the user is gone, and its boundary stands: %v", b)
	}
}
