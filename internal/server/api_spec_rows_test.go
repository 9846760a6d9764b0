package server

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// specRows are the rows of docs/spec/evaluation.md 13, "Calls with several checks" and "Messages", that this version's own API can express.
// Where a row is about an object of S3, GetUser on bob stands for GetObject: same account, one check.
var specRows = []struct {
	id  string
	run func(*specRow)
}{
	{"M06", func(x *specRow) {
		x.role(x.root, "/p/target", trusting(arnBob, ""))
		x.wantAssume(untrusted(arnBob, "sts:TagSession", arnTarget), x.bob, arnTarget, tags("team", "x")...)
	}},
	{"M07", func(x *specRow) {
		x.role(x.root, "/p/target", trustTeam)
		x.assume(x.bob, arnTarget, tags("team", "x")...)
	}},
	{"M08", func(x *specRow) {
		x.role(x.root, "/p/target", trustTeam)
		x.wantAssume(untrusted(arnBob, "sts:TagSession", arnTarget), x.bob, arnTarget, tags("team", "x", "cost", "1")...)
	}},
	{"M09", func(x *specRow) {
		x.role(x.root, "/p/target", trusting(arnBob, "", "sts:TagSession"))
		x.role(x.root, "next", trusting(arnTarget, ""))
		s := x.assume(x.bob, arnTarget, append(tags("team", "x"), "TransitiveTagKeys.member.1", "team")...)
		x.wantAssume(untrusted(arnSession, "sts:TagSession", arnHere+"role/next"), s, arnHere+"role/next")
		x.assume(x.assume(x.bob, arnTarget, tags("team", "x")...), arnHere+"role/next") // tags that end with their session are no reason
	}},
	{"M10", func(x *specRow) {
		other := x.addAccount(testAccount2)
		const target = "arn:aws:iam::" + testAccount2 + ":role/target"
		x.role(other, "target", trusting(arnBob, "", "sts:SetSourceIdentity"))
		x.policy(x.root, "bob", "p", "Allow sts:AssumeRole *")
		x.wantAssume(refusal(arnBob, "sts:SetSourceIdentity", target, ""), x.bob, target, "SourceIdentity", "bob")
		x.assume(x.bob, target)
		x.policy(x.root, "bob", "p", "Allow sts:AssumeRole *", "Allow sts:SetSourceIdentity "+target)
		x.assume(x.bob, target, "SourceIdentity", "bob")
	}},
	{"M11", func(x *specRow) {
		one, two := x.managedPolicy(x.root, "PB1", "Allow s3:* *"), x.managedPolicy(x.root, "PB2", "Allow s3:* *")
		x.when("bob", "iam:CreateUser", `"StringEquals":{"iam:PermissionsBoundary":"`+one+`"}`)
		x.want(notAllowed(arnBob, "iam:CreateUser", arnHere+"user/new"), x.bob, "CreateUser", "UserName", "new", "PermissionsBoundary", two)
		x.ok(x.bob, "CreateUser", "UserName", "new", "PermissionsBoundary", one)
	}},
	{"M14", func(x *specRow) {
		everything := document("Allow * *")
		x.put(x.root, "bob", "p", everything)
		x.want(badToken, x.session(x.bob, "GetFederationToken", "Name", "fed", "Policy", everything), "ListUsers")
	}},
	{"M15", func(x *specRow) {
		x.role(x.root, "R", trustEC2)
		role := x.cell.store.View().Account(testAccount).RoleByName("R").Clone()
		role.Path = "/aws-reserved/sso.amazonaws.com/"
		x.putRole(role)
		x.want(notAllowed(arnBob, "iam:DetachRolePolicy", arnHere+"role/aws-reserved/sso.amazonaws.com/R"), x.bob, "DetachRolePolicy", "RoleName", "R", "PolicyArn", arnAdministrator)
		x.policy(x.root, "bob", "p", "Allow iam:* *")
		x.want("400 UnmodifiableEntity Cannot perform the operation on the protected role 'R' - this role is only modifiable by AWS",
			x.bob, "DetachRolePolicy", "RoleName", "R", "PolicyArn", arnAdministrator)
	}},
	{"E01", func(x *specRow) {
		x.cannotGetBob(x.bob, arnBob, "because no identity-based policy allows the iam:GetUser action")
	}},
	{"E02", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow * *")
		x.ok(x.root, "AttachUserPolicy", "UserName", "bob", "PolicyArn", x.managedPolicy(x.root, "DenyX", "Deny iam:GetUser *"))
		x.cannotGetBob(x.bob, arnBob, "with an explicit deny in an identity-based policy: arn:aws:iam::"+testAccount+":policy/DenyX")
	}},
	{"E03", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow * *", "Deny iam:GetUser *")
		x.cannotGetBob(x.bob, arnBob, "with an explicit deny in an identity-based policy")
	}},
	{"E04", func(x *specRow) {
		x.policy(x.root, "bob", "p", "Allow * *")
		x.ok(x.root, "PutUserPermissionsBoundary", "UserName", "bob", "PermissionsBoundary", x.managedPolicy(x.root, "PB", "Allow s3:* *"))
		x.cannotGetBob(x.bob, arnBob, "because no permissions boundary allows the iam:GetUser action")
	}},
	{"E05", func(x *specRow) {
		x.role(x.root, "/p/target", trusting(arnBob, ""))
		x.rolePolicy(x.root, "target", "p", document("Allow * *"))
		x.cannotGetBob(x.assume(x.bob, arnTarget, "Policy", document("Allow s3:* *")), arnSession, "because no session policy allows the iam:GetUser action")
	}},
	{"E11", func(x *specRow) {
		x.role(x.root, "/p/target", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*"}}`)
		x.wantAssume(refusal(arnBob, "sts:AssumeRole", arnTarget, "with an explicit deny in the role trust policy"), x.bob, arnTarget)
		x.policy(x.root, "bob", "p", "Deny sts:AssumeRole *")
		x.wantAssume(refusal(arnBob, "sts:AssumeRole", arnTarget, "with an explicit deny in an identity-based policy"), x.bob, arnTarget)
	}},
	{"E13", func(x *specRow) { // whatever the cause
		eve := x.user(x.addAccount(testAccount2), "eve")
		who := "arn:aws:iam::" + testAccount2 + ":user/eve"
		none := refusal(who, "sts:AssumeRole", arnTarget, "")
		x.role(x.root, "/p/target", trusting(testAccount2, ""))
		x.wantAssume(none, eve, arnTarget)
		x.put(rootKeyOf(testAccount2), "eve", "p", document("Deny sts:AssumeRole *"))
		x.wantAssume(none, eve, arnTarget)
		x.put(rootKeyOf(testAccount2), "eve", "p", document("Allow sts:AssumeRole *"))
		x.assume(eve, arnTarget)
		x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "target", "PolicyDocument", trusting(testAccount, ""))
		x.wantAssume(none, eve, arnTarget)
	}},
	{"E15", func(x *specRow) {
		x.role(x.root, "/p/target", trustEC2)
		x.policy(x.root, "bob", "p", "Allow * *")
		x.wantAssume(refusal(arnBob, "sts:AssumeRole", arnTarget, "because no role trust policy allows the sts:AssumeRole action"), x.bob, arnTarget)
	}},
}

// notExpressible are the other rows, and what this version's API does not have to express them. TestMessages of package authz has them all.
var notExpressible = map[string]string{
	"E06": "organizations", "E07": "organizations", "E08": "organizations", "E09": "organizations", "E10": "organizations", "E12": "organizations",
}

const arnBob = arnHere + "user/bob"

// trustTeam lets bob in, with the tag team and no other.
const trustTeam = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + arnBob + `"},"Action":"sts:AssumeRole"},
	{"Effect":"Allow","Principal":{"AWS":"` + arnBob + `"},"Action":"sts:TagSession","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}]}`

// specRow is a cell for one row, with a user that has no policies.
type specRow struct {
	*apiTest
	bob caller
}

func (x *specRow) cannotGetBob(by caller, who, reason string) {
	x.Helper()
	x.want(refusal(who, "iam:GetUser", arnBob, reason), by, "GetUser", "UserName", "bob")
}

func TestSpecRows(t *testing.T) {
	t.Parallel()
	for _, row := range slices.Concat(specRows, askedRows) {
		t.Run(row.id, func(t *testing.T) {
			t.Parallel()
			x := &specRow{apiTest: openAPI(t)}
			x.bob = x.user(x.root, "bob")
			row.run(x)
		})
	}
}

// TestSpecRowsAreComplete: a row that is added to the specification is run here, or it says why not.
func TestSpecRowsAreComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/spec/evaluation.md")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([ME]\d\d) \|`).FindAllSubmatch(text, -1) {
		want = append(want, string(m[1]))
	}
	for _, row := range slices.Concat(specRows, askedRows) {
		got = append(got, row.id)
	}
	for id := range notExpressible {
		got = append(got, id)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("rows here\n%q\nin docs/spec/evaluation.md\n%q", got, want)
	}
}
