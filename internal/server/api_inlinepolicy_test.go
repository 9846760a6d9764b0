package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

func TestUserPolicies(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "Bob")
	// White space, the order of keys, escapes and characters outside ASCII come back as they were sent, percent-encoded.
	text := "{ \"Statement\" : {\"Resource\":\"arn:aws:s3:::b/tags/arn%3Aaws ~_-.é+\",\r\n\t\"Action\":\"s3:Get*\",\"Effect\":\"Allow\"} ,\"Version\":\"2012-10-17\"}"
	const encoded = "%7B%20%22Statement%22%20%3A%20%7B%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Ab%2Ftags%2Farn%253Aaws%20~_-.%C3%A9%2B%22%2C%0D%0A%09" +
		"%22Action%22%3A%22s3%3AGet%2A%22%2C%22Effect%22%3A%22Allow%22%7D%20%2C%22Version%22%3A%222012-10-17%22%7D"
	x.want("", x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "Pol", "PolicyDocument", text)
	x.want("UserName=Bob PolicyName=Pol PolicyDocument="+encoded, x.root, "GetUserPolicy", "UserName", "BOB", "PolicyName", "Pol")
	x.want("404 NoSuchEntity The user policy with name pol cannot be found.", x.root, "GetUserPolicy", "UserName", "Bob", "PolicyName", "pol") // policies have case

	x.want("", x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "Pol", "PolicyDocument", document("Deny iam:* *")) // replaced
	x.want("", x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "pol", "PolicyDocument", document("Allow iam:* *"))
	x.want("", x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "a+=,.@_-", "PolicyDocument", document("Allow iam:* *"))
	x.want("PolicyNames(member=Pol member=a+=,.@_- member=pol) IsTruncated=false", x.root, "ListUserPolicies", "UserName", "bob")
	x.want("", x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "pol")
	x.want("404 NoSuchEntity The user policy with name pol cannot be found.", x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "pol")
	x.want("PolicyNames(member=Pol member=a+=,.@_-) IsTruncated=false", x.root, "ListUserPolicies", "UserName", "bob")

	badPolicyName := "400 ValidationError The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	for _, c := range []struct {
		want, op string
		p        params
	}{
		{invalid("userName "+notNull, "policyName "+notNull, "policyDocument "+notNull), "PutUserPolicy", nil},
		{badPolicyName, "PutUserPolicy", ps("UserName", "bob", "PolicyName", "a b", "PolicyDocument", "{}")},
		{badPolicyName, "GetUserPolicy", ps("UserName", "bob", "PolicyName", "a/b")},
		{badPolicyName, "DeleteUserPolicy", ps("UserName", "bob", "PolicyName", "a/b")},
		{invalid("policyName " + notOver + "128"), "PutUserPolicy", ps("UserName", "bob", "PolicyName", strings.Repeat("p", 129), "PolicyDocument", "{}")},
		{invalid("policyDocument " + atLeast + "1"), "PutUserPolicy", ps("UserName", "bob", "PolicyName", "p", "PolicyDocument", "")},
		{invalid("policyDocument " + notOver + "131072"), "PutUserPolicy", ps("UserName", "bob", "PolicyName", "p", "PolicyDocument", strings.Repeat(" ", 131073))},
		{"400 ValidationError The specified value for policyDocument is invalid. It must contain only printable ASCII characters.", "PutUserPolicy", ps("UserName", "bob", "PolicyName", "p", "PolicyDocument", "{€}")},
		{noUser("rob"), "PutUserPolicy", ps("UserName", "rob", "PolicyName", "p", "PolicyDocument", "{")},
		{noUser("rob"), "GetUserPolicy", ps("UserName", "rob", "PolicyName", "p")},
		{noUser("rob"), "DeleteUserPolicy", ps("UserName", "rob", "PolicyName", "p")},
		{noUser("rob"), "ListUserPolicies", ps("UserName", "rob")},
		{invalid("userName "+notNull, "policyName "+notNull), "GetUserPolicy", nil},
		{invalid("userName "+notNull, "policyName "+notNull), "DeleteUserPolicy", nil},
		{invalid("userName " + notNull), "ListUserPolicies", nil},
		{badMarker, "ListUserPolicies", ps("UserName", "bob", "Marker", "x")},
	} {
		x.want(c.want, x.root, c.op, c.p...)
	}
}

// TestMalformedPolicies: every text of docs/spec/wire.md 7.1 over the wire. What package policy finds in which order, its own tests say.
func TestMalformedPolicies(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	statement := func(inner string) string { return `{"Version":"2012-10-17","Statement":[{` + inner + `}]}` }
	for _, c := range []struct{ document, want string }{
		{`{`, "Syntax errors in policy."},
		{`[]`, "Syntax errors in policy."},
		{`{"Version":"2012-10-17","Statement":[],"Statement":[]}`, "Syntax errors in policy."},
		{`{"Version":"2013-01-01","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "Syntax errors in policy."},
		{statement(`"Effect":"Maybe","Action":"s3:*","Resource":"*"`), "Syntax errors in policy."},
		{statement(`"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"`), "Syntax errors in policy."},
		{statement(`"Effect":"Allow","Action":"s3:*","Resource":"*","Else":"*"`), "Syntax errors in policy."},
		{statement(`"Effect":"Allow","Resource":"*"`), "Policy statement must contain actions."},
		{statement(`"Effect":"Allow","Action":[],"Resource":"*"`), "Policy statement must contain actions."},
		{statement(`"Effect":"Allow","Action":"s3:*"`), "Policy statement must contain resources."},
		{statement(`"Effect":"Allow","Action":"s3:*","Resource":[]`), "Policy statement must contain resources."},
		{statement(`"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"`), "Policy document should not specify a principal."},
		{`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`,
			"Statement IDs (SID) in a single policy must be unique."},
		{statement(`"Effect":"Allow","Action":"GetUser","Resource":"*"`), "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."},
		{statement(`"Effect":"Allow","Action":"s3:Get:x","Resource":"*"`), "Actions/Condition can contain only one colon."},
		{statement(`"Effect":"Allow","Action":"s_3:Get","Resource":"*"`), "Vendor s_3 is not valid"},
		{statement(`"Effect":"Allow","Action":"s3:*","Resource":"bucket"`), `Resource bucket must be in ARN format or "*".`},
		{statement(`"Effect":"Allow","Action":"s3:*","Resource":"arn:moon:s3:::b"`), `Partition "moon" is not valid for resource "arn:moon:s3:::b".`},
		{statement(`"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam:us-east-1:111122223333:user/a"`), "IAM resource arn:aws:iam:us-east-1:111122223333:user/a cannot contain region information."},
		{statement(`"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:bob"`),
			`IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`},
	} {
		x.want("400 MalformedPolicyDocument "+c.want, x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", c.document)
	}
	x.want("PolicyNames() IsTruncated=false", x.root, "ListUserPolicies", "UserName", "bob")
}

// TestUserPolicySize: all inline policies of a user together, white space not counted.
func TestUserPolicySize(t *testing.T) {
	t.Parallel()
	sized := func(n int) string { // counts n
		const frame = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::"}]}`
		return strings.Replace(frame, ":::", ":::"+strings.Repeat("é", n-len(frame)), 1) // a character of two bytes counts one
	}
	const full = "409 LimitExceeded Maximum policy size of 2048 bytes exceeded for user Bob"
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "Bob")
	put := func(want, name, document string) {
		t.Helper()
		x.want(want, x.root, "PutUserPolicy", "UserName", "bob", "PolicyName", name, "PolicyDocument", document)
	}
	put(full, "p", sized(2049))
	put("", "p", sized(2048))
	put("", "p", sized(2048)+strings.Repeat(" \t\r\n", 1000))
	put(full, "q", sized(200))
	put("", "p", sized(1000)) // the one that is replaced does not count
	put("", "q", sized(1048))
	put(full, "q", sized(1049))
	put(full, "r", sized(200))
	put("400 MalformedPolicyDocument Syntax errors in policy.", "p", strings.Repeat("x", 100_000)) // what it says comes before how long it is
	x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "p")
	put("", "r", sized(1000))
	x.ok(x.root, "CreateUser", "UserName", "eve") // another user's do not count
	x.want("", x.root, "PutUserPolicy", "UserName", "eve", "PolicyName", "p", "PolicyDocument", sized(2048))

	q := iam.DefaultQuotas
	if err := q.Set("UserPolicySize", 100_000); err != nil {
		t.Fatal(err)
	}
	big := openAPI(t, q)
	big.ok(big.root, "CreateUser", "UserName", "bob")
	big.want("", big.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", sized(100_000))
	big.want("409 LimitExceeded Maximum policy size of 100000 bytes exceeded for user bob", big.root, "PutUserPolicy", "UserName", "bob", "PolicyName", "p", "PolicyDocument", sized(100_001))
}

func TestAccountAlias(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	list := func(by caller, want string) {
		t.Helper()
		x.want("AccountAliases("+want+") IsTruncated=false", by, "ListAccountAliases")
	}
	const bad = "400 ValidationError The specified value for accountAlias is invalid. It must contain only digits, lowercase letters, and hyphens (-), but cannot begin or end with a hyphen."
	const digits = "400 ValidationError The specified value for accountAlias is invalid. It must not be 12 digits, as account ids are."
	list(x.root, "")
	x.want("404 NoSuchEntity The account alias acme cannot be found.", x.root, "DeleteAccountAlias", "AccountAlias", "acme")
	x.want("", x.root, "CreateAccountAlias", "AccountAlias", "acme")
	list(x.root, "member=acme")
	list(other, "")
	x.want("409 EntityAlreadyExists The account alias acme already exists.", other, "CreateAccountAlias", "AccountAlias", "acme")
	x.want("404 NoSuchEntity The account alias acme cannot be found.", other, "DeleteAccountAlias", "AccountAlias", "acme") // not its own
	before := x.revision()
	x.want("", x.root, "CreateAccountAlias", "AccountAlias", "acme")
	if after := x.revision(); after != before {
		t.Errorf("giving an alias again wrote: revision %d, before %d", after, before)
	}
	x.want("", x.root, "CreateAccountAlias", "AccountAlias", "0-9a") // replaces
	list(x.root, "member=0-9a")
	x.want("", other, "CreateAccountAlias", "AccountAlias", "acme") // which is free now
	list(other, "member=acme")
	x.want("404 NoSuchEntity The account alias acme cannot be found.", x.root, "DeleteAccountAlias", "AccountAlias", "acme")
	x.want("", x.root, "DeleteAccountAlias", "AccountAlias", "0-9a")
	list(x.root, "")
	x.want("404 NoSuchEntity The account alias 0-9a cannot be found.", x.root, "DeleteAccountAlias", "AccountAlias", "0-9a")
	for _, c := range []struct{ want, alias string }{
		{bad, "Acme"}, {bad, "-acme"}, {bad, "acme-"}, {bad, "ac--me"}, {bad, "ac_me"}, {bad, "äcme"},
		{invalid("accountAlias " + atLeast + "3"), "ab"},
		{invalid("accountAlias " + notOver + "63"), strings.Repeat("a", 64)},
		{digits, "123456789012"},
	} {
		x.want(c.want, x.root, "CreateAccountAlias", "AccountAlias", c.alias)
	}
	x.want(invalid("accountAlias "+notNull), x.root, "CreateAccountAlias")
	x.want(invalid("accountAlias "+notNull), x.root, "DeleteAccountAlias")
	x.want(bad, x.root, "DeleteAccountAlias", "AccountAlias", "A B")
	x.want("", x.root, "CreateAccountAlias", "AccountAlias", strings.Repeat("a", 63))
	x.want("", x.root, "CreateAccountAlias", "AccountAlias", "12345678901")
}

func TestGetAccountSummary(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	want := map[string]int{
		"UsersQuota": 5000, "GroupsQuota": 300, "RolesQuota": 1000, "PoliciesQuota": 1500, "InstanceProfilesQuota": 1000, "ServerCertificatesQuota": 20,
		"UserPolicySizeQuota": 2048, "GroupPolicySizeQuota": 5120, "RolePolicySizeQuota": 10240, "AssumeRolePolicySizeQuota": 2048, "PolicySizeQuota": 6144,
		"GroupsPerUserQuota": 10, "SigningCertificatesPerUserQuota": 2, "AccessKeysPerUserQuota": 2, "AttachedPoliciesPerUserQuota": 10,
		"AttachedPoliciesPerGroupQuota": 10, "AttachedPoliciesPerRoleQuota": 10, "VersionsPerPolicyQuota": 5, "PolicyVersionsInUseQuota": 10000,
		"GlobalEndpointTokenVersion": 1,
		"Users":                      0, "Groups": 0, "Roles": 0, "Policies": 0, "InstanceProfiles": 0, "ServerCertificates": 0, "Providers": 0,
		"MFADevices": 0, "MFADevicesInUse": 0, "PolicyVersionsInUse": 0,
		"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 1, "AccountPasswordPresent": 0, "AccountSigningCertificatesPresent": 0,
	}
	check := func(by caller) {
		t.Helper()
		a := x.ok(by, "GetAccountSummary")
		entries := a.xml.at("GetAccountSummaryResult", "SummaryMap").children
		if len(entries) != len(want) || len(want) != 34 {
			t.Errorf("%d entries; want %d", len(entries), len(want))
		}
		for _, e := range entries {
			key, value := e.at("key").text, e.at("value").text
			if n, ok := want[key]; !ok || fmt.Sprint(n) != value {
				t.Errorf("%s is %s; want %d", key, value, n)
			}
		}
	}
	check(x.root)
	bob := x.user(x.root, "bob")
	x.user(x.root, "eve")
	x.policy(x.root, "bob", "p", "Allow iam:GetAccountSummary *")
	want["Users"] = 2
	check(bob)
	x.ok(x.root, "DeleteAccessKey", "AccessKeyId", x.root.AccessKeyID)
	want["AccountAccessKeysPresent"] = 0
	check(bob)
	x.must(x.cell.store.Update(t.Context(), []string{state.AccountUnit(testAccount)}, func(tx *state.Tx) error {
		rec := tx.Account(testAccount).Record().Clone()
		rec.RootPassword = "hash"
		tx.Put(state.AccountUnit(testAccount), rec)
		return nil
	}))
	want["AccountPasswordPresent"] = 1
	check(bob)
}
