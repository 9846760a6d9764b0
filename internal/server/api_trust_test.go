package server

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// trustIn is a trust policy with this Principal.
func trustIn(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal + `,"Action":"sts:AssumeRole"}]}`
}

func trustOf(arn string) string { return trustIn(`{"AWS":"` + arn + `"}`) }

// trustShown is the trust policy of a role as GetRole shows it, decoded.
func (x *apiTest) trustShown(by caller, role string) string {
	x.Helper()
	a := x.ok(by, "GetRole", "RoleName", role)
	shown, err := url.PathUnescape(a.value("GetRoleResult", "Role", "AssumeRolePolicyDocument"))
	x.must(err)
	return shown
}

func (x *apiTest) wantTrust(by caller, role, want string) {
	x.Helper()
	if got := x.trustShown(by, role); got != want {
		x.Errorf("trust of %s\n got %s\nwant %s", role, got, want)
	}
}

// stored is the trust policy of a role of the test account as the store has it.
func (x *apiTest) stored(role string) string {
	return x.cell.store.View().Account(testAccount).RoleByName(role).Trust
}

func malformedTrust(text string) string { return "400 MalformedPolicyDocument " + text }

func badPrincipal(kind, v string) string {
	return malformedTrust(`Invalid principal in policy: "` + kind + `":"` + v + `"`)
}

func TestUpdateAssumeRolePolicy(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.role(x.root, "job", trustEC2)
	x.user(x.root, "/team/Bob")
	x.role(x.root, "/team/Other", trustEC2)
	bob, other := arnHere+"user/team/Bob", arnHere+"role/team/Other"
	strangers := "arn:aws:iam::999988887777:"

	for _, accepted := range []string{
		trustIn(`{"Service":["ec2.amazonaws.com"]}`),
		trustIn(`{"Service":["ec2.amazonaws.com","delivery.logs.amazonaws.com"],"AWS":"*"}`),
		trustIn(`{"AWS":"` + testAccount + `"}`), // stays a number
		trustIn(`{"AWS":["999988887777","` + strangers + `root"]}`),
		trustOf(bob), trustOf(other),
		trustOf(arnHere + "role/job"), // the role itself, which exists by now
		trustIn(`{"AWS":["` + bob + `", "` + bob + `" ,"` + other + `"]}`),
		trustOf("arn:aws:sts::" + testAccount + ":assumed-role/Absent/session"),
		trustOf("arn:aws:sts::999988887777:federated-user/name"),
		`{ "Version" : "2008-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":"\u0061rn:aws:iam::999988887777:root"},"Action":["sts:Assume*", "sts:TagSession"]}}` + "\r\n\t ",
		trustIn(`{"Federated":"arn:aws:iam::` + testAccount + `:saml-provider/none-yet"}`),
		`{"Statement":[{"Effect":"Allow","Principal":{"Federated":"accounts.google.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`,
		trustEC2,
	} {
		x.want("", x.root, "UpdateAssumeRolePolicy", "RoleName", "JOB", "PolicyDocument", accepted)
		x.wantTrust(x.root, "job", accepted)
	}

	for _, c := range []struct{ document, want string }{
		{"not valid json", malformedTrust("This policy contains invalid Json")},
		{strings.Replace(trustEC2, "sts:AssumeRole", "sts:InvalidAction", 1), malformedTrust("AssumeRole policy may only specify STS AssumeRole actions.")},
		{strings.Replace(trustEC2, `"Action"`, `"Resource":"arn:aws:s3:::example_bucket","Action"`, 1), malformedTrust("Has prohibited field Resource")},
		{trustIn(`"*"`), malformedTrust("Principal must be a JSON object.")},
		{trustIn(`{"Group":"x"}`), malformedTrust(`Invalid principal in policy: "Group"`)},
		{trustOf(arnHere + "user/team/Nobody"), badPrincipal("AWS", arnHere+"user/team/Nobody")},
		{trustOf(arnHere + "user/Bob"), badPrincipal("AWS", arnHere+"user/Bob")},           // the path counts
		{trustOf(arnHere + "user/team/bob"), badPrincipal("AWS", arnHere+"user/team/bob")}, // and the case
		{trustOf(arnHere + "role/team/Bob"), badPrincipal("AWS", arnHere+"role/team/Bob")},
		{trustOf(arnHere + "group/x"), badPrincipal("AWS", arnHere+"group/x")},
		{trustOf(arnHere + "user/team/*"), badPrincipal("AWS", arnHere+"user/team/*")},
		{trustOf(strangers + "user/bob"), badPrincipal("AWS", strangers+"user/bob")},
		{trustOf(strangers + "role/bob"), badPrincipal("AWS", strangers+"role/bob")},
		{trustOf("99998888777"), badPrincipal("AWS", "99998888777")},
		{trustOf("bob"), badPrincipal("AWS", "bob")},
		{trustOf("arn:aws-cn:iam::" + testAccount + ":root"), badPrincipal("AWS", "arn:aws-cn:iam::"+testAccount+":root")},
		{trustOf("arn:aws-cn:iam::" + testAccount + ":user/team/Bob"), badPrincipal("AWS", "arn:aws-cn:iam::"+testAccount+":user/team/Bob")},
		{trustOf("AIDAQQQQQQQQQQQQQQQQQ"), badPrincipal("AWS", "AIDAQQQQQQQQQQQQQQQQQ")},
		{trustIn(`{"Service":"amazonaws.com"}`), badPrincipal("SERVICE", "amazonaws.com")},
		{trustIn(`{"Service":"ec2.example.com"}`), badPrincipal("SERVICE", "ec2.example.com")},
		{trustIn(`{"Service":"ec2"}`), badPrincipal("SERVICE", "ec2")},
		{trustIn(`{"Service":"EC2.amazonaws.com"}`), badPrincipal("SERVICE", "EC2.amazonaws.com")},
		{trustIn(`{"Federated":"example.com/x"}`), malformedTrust("Federated principals must be valid domain names or SAML metadata ARNs")},
		{trustIn(`{"Federated":"arn:aws-cn:iam::111122223333:saml-provider/x"}`), badPrincipal("FEDERATED", "arn:aws-cn:iam::111122223333:saml-provider/x")},
	} {
		x.want(c.want, x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", c.document)
		x.want(c.want, x.root, "CreateRole", newRole("never", c.document)...)
		x.want(noRole("absent"), x.root, "UpdateAssumeRolePolicy", "RoleName", "absent", "PolicyDocument", c.document) // the role comes first
	}
	x.wantTrust(x.root, "job", trustEC2)
	x.want(badPrincipal("AWS", arnHere+"role/self"), x.root, "CreateRole", newRole("self", trustOf(arnHere+"role/self"))...) // not there yet
	x.want("400 ValidationError The specified value for policyDocument is invalid. It must contain only printable ASCII characters.",
		x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", "\u0100")
	x.want(invalid("policyDocument "+notNull), x.root, "UpdateAssumeRolePolicy", "RoleName", "job")
	x.want(invalid("roleName "+notOver+"64"), x.root, "UpdateAssumeRolePolicy", "RoleName", strings.Repeat("r", 65), "PolicyDocument", "{")
}

// TestTrustFollowsPrincipals: docs/spec/policy-language.md 8.4.
func TestTrustFollowsPrincipals(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	foreign := x.addAccount(testAccount2)
	x.ok(x.root, "CreateUser", "UserName", "bob", "Path", "/team/")
	x.role(x.root, "/team/op", trustEC2)
	x.ok(foreign, "CreateUser", "UserName", "eve")
	bob := x.ok(x.root, "GetUser", "UserName", "bob").value("GetUserResult", "User", "UserId")
	op := x.ok(x.root, "GetRole", "RoleName", "op").value("GetRoleResult", "Role", "RoleId")
	eve := x.ok(foreign, "GetUser", "UserName", "eve").value("GetUserResult", "User", "UserId")

	// All bytes but those of the names stay, spaces and doubled values too.
	document := func(bob, op, eve string) string {
		return `{"Version":"2012-10-17", "Statement":[ {"Principal":{"AWS":["` + bob + `", "` + testAccount + `","` + op + `","` + eve + `" , "` + bob + `"]},` +
			"\n\t" + `"Action":"sts:AssumeRole","Effect":"Allow","Condition":{"ArnLike":{"aws:PrincipalArn":"` + arnHere + `user/team/bob"}}}]}`
	}
	arnEve := "arn:aws:iam::" + testAccount2 + ":user/eve"
	sent := document(arnHere+"user/team/bob", arnHere+"role/team/op", arnEve)
	made := x.role(x.root, "job", sent)
	if got := made.value("CreateRoleResult", "Role", "AssumeRolePolicyDocument"); got != encoded(sent) {
		t.Errorf("CreateRole answers %s", got)
	}
	if got, want := x.stored("job"), document(bob, op, eve); got != want {
		t.Errorf("stored\n got %s\nwant %s", got, want)
	}
	shown := func(want string) {
		t.Helper()
		x.wantTrust(x.root, "job", want)
		list := x.ok(x.root, "ListRoles", "PathPrefix", "/")
		if got := list.all("AssumeRolePolicyDocument"); got[0] != encoded(want) {
			t.Errorf("ListRoles shows %s", got)
		}
		described := x.ok(x.root, "UpdateRoleDescription", "RoleName", "job", "Description", "d")
		if got := described.value("UpdateRoleDescriptionResult", "Role", "AssumeRolePolicyDocument"); got != encoded(want) {
			t.Errorf("UpdateRoleDescription shows %s", got)
		}
	}
	shown(sent)
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewUserName", "robert", "NewPath", "/")
	x.ok(foreign, "UpdateUser", "UserName", "eve", "NewPath", "/x/")
	arnEve = "arn:aws:iam::" + testAccount2 + ":user/x/eve"
	shown(document(arnHere+"user/robert", arnHere+"role/team/op", arnEve))
	// What is shown can be sent again.
	x.want("", x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", x.trustShown(x.root, "job"))
	shown(document(arnHere+"user/robert", arnHere+"role/team/op", arnEve))

	x.ok(x.root, "DeleteUser", "UserName", "robert")
	x.ok(x.root, "DeleteRole", "RoleName", "op")
	x.ok(foreign, "DeleteUser", "UserName", "eve")
	shown(document(bob, op, eve))
	x.ok(x.root, "CreateUser", "UserName", "robert")
	x.role(x.root, "/team/op", trustEC2)
	x.ok(foreign, "CreateUser", "UserName", "eve", "Path", "/x/")
	shown(document(bob, op, eve)) // others of the same names are not who was trusted
	x.want(badPrincipal("AWS", bob), x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", x.trustShown(x.root, "job"))

	// The id of somebody who exists may be sent, and is shown as the ARN.
	again := x.ok(x.root, "GetUser", "UserName", "robert").value("GetUserResult", "User", "UserId")
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", trustOf(again))
	x.wantTrust(x.root, "job", trustOf(arnHere+"user/robert"))
	// A role may trust itself once it exists, and keeps its id when it is gone.
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", trustOf(arnHere+"role/job"))
	x.wantTrust(x.root, "job", trustOf(arnHere+"role/job"))
	if stored := x.stored("job"); !strings.Contains(stored, `"AROA`) {
		t.Errorf("stored %s", stored)
	}
}

// TestTrustedUsers: trust is in the user that had the name when the policy was written, not in the name; a condition on the name is.
func TestTrustedUsers(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.role(x.root, "job", trustOf(arnHere+"user/bob"))
	x.role(x.root, "named", trusting(testAccount, `{"ArnEquals":{"aws:PrincipalArn":"`+arnHere+`user/bob"}}`))
	job, named := arnHere+"role/job", arnHere+"role/named"
	x.assume(bob, job)
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewUserName", "robert", "NewPath", "/team/")
	x.assume(bob, job)
	x.wantTrust(x.root, "job", trustOf(arnHere+"user/team/robert"))
	x.ok(x.root, "DeleteAccessKey", "UserName", "robert", "AccessKeyId", bob.AccessKeyID)
	x.ok(x.root, "DeleteUser", "UserName", "robert")

	other := x.user(x.root, "/team/robert")
	x.wantAssume(untrusted(arnHere+"user/team/robert", "sts:AssumeRole", job), other, job)
	again := x.user(x.root, "bob")
	x.wantAssume(untrusted(arnHere+"user/bob", "sts:AssumeRole", job), again, job)
	x.policy(x.root, "bob", "p", "Allow sts:AssumeRole *") // the account delegates to its policies
	x.assume(again, named)
	x.wantAssume(untrusted(arnHere+"user/bob", "sts:AssumeRole", job), again, job)

	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", trustOf(arnHere+"user/bob")) // from the next call on
	x.assume(again, job)
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", trustEC2)
	x.wantAssume(untrusted(arnHere+"user/bob", "sts:AssumeRole", job), again, job)
}

// TestTrustBesideRenames: a document is read before its transaction. Whoever comes, goes or moves meanwhile, the stored document names the
// user that had the name when the role was written.
func TestTrustBesideRenames(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.quiet = true
	x.role(x.root, "job", trustEC2)
	x.ok(x.root, "CreateUser", "UserName", "a")
	ids := map[string]bool{x.ok(x.root, "GetUser", "UserName", "a").value("GetUserResult", "User", "UserId"): true}
	var group sync.WaitGroup
	done := make(chan struct{})
	group.Go(func() {
		defer close(done)
		for range 40 {
			x.ok(x.root, "DeleteUser", "UserName", "a")
			made := x.ok(x.root, "CreateUser", "UserName", "a")
			ids[made.value("CreateUserResult", "User", "UserId")] = true
		}
	})
	updated, refused := 0, 0
	for busy := true; busy; {
		select {
		case <-done:
			busy = false
		default:
		}
		switch got := x.call(x.root, "UpdateAssumeRolePolicy", ps("RoleName", "job", "PolicyDocument", trustOf(arnHere+"user/a"))); got.String() {
		case "":
			updated++
		case badPrincipal("AWS", arnHere+"user/a"), "400 Throttling Rate exceeded":
			refused++
		default:
			t.Fatal(got)
		}
	}
	group.Wait()
	if updated == 0 {
		t.Errorf("no update of %d succeeded", refused)
	}
	x.ok(x.root, "UpdateAssumeRolePolicy", "RoleName", "job", "PolicyDocument", trustOf(arnHere+"user/a"))
	stored := x.stored("job")
	last := x.ok(x.root, "GetUser", "UserName", "a").value("GetUserResult", "User", "UserId")
	if stored != trustOf(last) || !ids[last] {
		t.Errorf("stored %s; the user is %s", stored, last)
	}
}

// TestManyPrincipals: a document with as many principals as the quota holds is read, stored and shown; they may be in many accounts.
func TestManyPrincipals(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	var arns []string
	for i := range 40 {
		name := fmt.Sprintf("u%02d", i)
		x.ok(x.root, "CreateUser", "UserName", name)
		arns = append(arns, `"`+arnHere+`user/`+name+`"`)
	}
	document := trustIn(`{"AWS":[` + strings.Join(arns, ",") + `]}`)
	x.role(x.root, "job", document)
	x.wantTrust(x.root, "job", document)
	role := x.cell.store.View().Account(testAccount).RoleByName("job")
	if strings.Contains(role.Trust, "user/u") || role.CompiledTrust.Text() != role.Trust {
		t.Errorf("stored %s", role.Trust)
	}
}
