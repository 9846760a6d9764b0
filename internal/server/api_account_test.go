package server

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

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
	x.policy(x.root, "bob", "p", "Allow iam:* *")
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

	// What stands in the store, whoever made it. Of the policies one is attached, one a boundary, one attached twice over, and one not used.
	x.group(bob, "crew", "bob")
	role := x.role(bob, "role", trustEC2).value("CreateRoleResult", "Role", "RoleId")
	crew := x.ok(bob, "GetGroup", "GroupName", "crew").value("GetGroupResult", "Group", "GroupId")
	for name, versions := range map[string]int{"attached": 2, "bounds": 3, "both": 1, "idle": 5} {
		x.storedPolicy(name, versions)
	}
	const own = "arn:aws:iam::" + testAccount + ":policy/"
	x.storedAttachment(crew, own+"attached", false)
	x.storedAttachment(crew, own+"both", false)
	x.storedAttachment(role, own+"both", false)
	x.storedAttachment(role, arnAdministrator, false)
	x.storedBoundary(role, own+"bounds")
	want["Groups"], want["Roles"], want["Policies"], want["PolicyVersionsInUse"] = 1, 1, 4, 2+3+1+1
	check(bob)
}

// storedPolicy puts a managed policy with some versions into the store.
func (x *apiTest) storedPolicy(name string, versions int) {
	x.Helper()
	compiled, err := policy.Load(document("Allow s3:Get *"), policy.Managed)
	x.must(err)
	unit := state.AccountUnit(testAccount)
	x.must(x.cell.store.Update(x.Context(), []string{unit}, func(tx *state.Tx) error {
		p := &state.ManagedPolicy{}
		p.Id, p.Name, p.Path = tx.IDs().UniqueID(keyring.PolicyPrefix, testAccount), name, "/"
		p.DefaultVersion, p.LastVersion = 1, uint32(versions)
		tx.Put(unit, p)
		for n := range versions {
			v := &state.PolicyVersion{Compiled: compiled}
			v.Policy, v.Number, v.Document = p.Id, uint32(n+1), compiled.Text()
			tx.Put(unit, v)
		}
		return nil
	}))
}

// TestQuotasInSummary: the summary says what the account's quotas are, not what they are by default.
func TestQuotasInSummary(t *testing.T) {
	t.Parallel()
	quotas := map[string]string{ // in the summary, and as LimitExceeded names it
		"UsersQuota": "UsersPerAccount", "GroupsQuota": "GroupsPerAccount", "RolesQuota": "RolesPerAccount", "PoliciesQuota": "PoliciesPerAccount",
		"UserPolicySizeQuota": "UserPolicySize", "GroupPolicySizeQuota": "GroupPolicySize", "RolePolicySizeQuota": "RolePolicySize",
		"AssumeRolePolicySizeQuota": "ACLSizePerRole", "PolicySizeQuota": "PolicySize", "GroupsPerUserQuota": "GroupsPerUser",
		"AccessKeysPerUserQuota": "AccessKeysPerUser", "AttachedPoliciesPerUserQuota": "PoliciesPerUser",
		"AttachedPoliciesPerGroupQuota": "PoliciesPerGroup", "AttachedPoliciesPerRoleQuota": "PoliciesPerRole",
		"VersionsPerPolicyQuota": "VersionsPerPolicy",
	}
	q, n, want := iam.DefaultQuotas, 100_000, map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(quotas)) {
		n++
		if err := q.Set(quotas[key], n); err != nil {
			t.Fatal(err)
		}
		want[key] = strconv.Itoa(n)
	}
	x := openAPI(t, q)
	for _, e := range x.ok(x.root, "GetAccountSummary").xml.at("GetAccountSummaryResult", "SummaryMap").children {
		key, value := e.at("key").text, e.at("value").text
		if w, ok := want[key]; ok && value != w {
			t.Errorf("%s is %s; want %s", key, value, w)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("the summary lacks %v", want)
	}
}
