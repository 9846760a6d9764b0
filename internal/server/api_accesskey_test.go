package server

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

const badToken = "403 InvalidClientTokenId The security token included in the request is invalid."

func noKey(id string) string {
	return "404 NoSuchEntity The Access Key with id " + id + " cannot be found."
}

// keyAs is an entry of ListAccessKeys; user "" for the root user.
func keyAs(user, id, status string) string {
	if user != "" {
		user = "UserName=" + user + " "
	}
	return "member(" + user + "AccessKeyId=" + id + " Status=" + status + " CreateDate=DATE)"
}

// keys compares the keys that ListAccessKeys shows, ids included.
func (x *apiTest) keys(by caller, user string, want ...string) {
	x.Helper()
	var p params
	if user != "" {
		p = ps("UserName", user)
	}
	a := x.ok(by, "ListAccessKeys", p...)
	var got []string
	for _, m := range a.xml.at("ListAccessKeysResult", "AccessKeyMetadata").children {
		got = append(got, m.at("AccessKeyId").text+" "+m.at("Status").text)
	}
	if g, w := strings.Join(got, ", "), strings.Join(want, ", "); g != w {
		x.Errorf("the keys of %q: %s; want %s", user, g, w)
	}
}

func TestAccessKeysOfUsers(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "Bob")
	x.user(x.root, "eve")
	x.want("AccessKeyMetadata() IsTruncated=false", x.root, "ListAccessKeys", "UserName", "bob")
	a := x.want("AccessKey(UserName=Bob AccessKeyId=AKIA Status=Active SecretAccessKey=SECRET CreateDate=DATE)", x.root, "CreateAccessKey", "UserName", "bob")
	id := a.value("CreateAccessKeyResult", "AccessKey", "AccessKeyId")
	if account, ok := keyring.AccountOfAccessKeyID(id); !ok || account != testAccount {
		t.Errorf("key id %s says account %q", id, account)
	}
	bob := x.key(x.root, "bob")
	x.keys(x.root, "bob", id+" Active", bob.AccessKeyID+" Active")
	x.want("409 LimitExceeded Cannot exceed quota for AccessKeysPerUser: 2", x.root, "CreateAccessKey", "UserName", "bob")

	// Inactive: refused at once, counted still, and back again.
	x.want("", x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Inactive")
	x.want(badToken, bob, "GetCallerIdentity")
	x.want("409 LimitExceeded Cannot exceed quota for AccessKeysPerUser: 2", x.root, "CreateAccessKey", "UserName", "bob")
	x.want("AccessKeyMetadata("+strings.Join([]string{keyAs("Bob", "AKIA", "Active"), keyAs("Bob", "AKIA", "Inactive")}, " ")+") IsTruncated=false", x.root, "ListAccessKeys", "UserName", "bob")
	x.want("", x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Active")
	x.ok(bob, "GetCallerIdentity")

	for _, c := range []struct {
		want, op string
		p        params
	}{
		{noUser("rob"), "CreateAccessKey", ps("UserName", "rob")},
		{badUserName, "CreateAccessKey", ps("UserName", "a b")},
		{noUser("rob"), "ListAccessKeys", ps("UserName", "rob")},
		{invalid("accessKeyId "+notNull, "status "+notNull), "UpdateAccessKey", nil},
		{invalid("status Member must satisfy enum value set"), "UpdateAccessKey", ps("AccessKeyId", bob.AccessKeyID, "Status", "active")},
		{invalid("accessKeyId " + atLeast + "16"), "UpdateAccessKey", ps("AccessKeyId", "AKIA", "Status", "Active")},
		{invalid("accessKeyId " + notOver + "128"), "DeleteAccessKey", ps("AccessKeyId", strings.Repeat("A", 129))},
		{"400 ValidationError The specified value for accessKeyId is invalid. It must contain only alphanumeric characters.", "DeleteAccessKey", ps("AccessKeyId", "AKIA-AAAAAAAAAAAAAAA")},
		{noUser("rob"), "UpdateAccessKey", ps("UserName", "rob", "AccessKeyId", bob.AccessKeyID, "Status", "Active")},
		{noKey("AKIAAAAAAAAAAAAAAAAA"), "UpdateAccessKey", ps("UserName", "bob", "AccessKeyId", "AKIAAAAAAAAAAAAAAAAA", "Status", "Active")},
		{noKey(id), "UpdateAccessKey", ps("UserName", "eve", "AccessKeyId", id, "Status", "Inactive")}, // somebody else's
		{noKey(id), "DeleteAccessKey", ps("UserName", "eve", "AccessKeyId", id)},
		{noKey(id), "DeleteAccessKey", ps("AccessKeyId", id)}, // without a name it would be the root user's
		{noKey(strings.ToLower(id)), "DeleteAccessKey", ps("UserName", "bob", "AccessKeyId", strings.ToLower(id))},
		{noKey(x.root.AccessKeyID), "DeleteAccessKey", ps("UserName", "bob", "AccessKeyId", x.root.AccessKeyID)},
		{invalid("accessKeyId " + notNull), "DeleteAccessKey", ps("UserName", "bob")},
		{badMarker, "ListAccessKeys", ps("UserName", "bob", "Marker", "x")},
	} {
		x.want(c.want, x.root, c.op, c.p...)
	}

	x.want("", x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", id)
	x.want(noKey(id), x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", id)
	third := x.key(x.root, "bob")
	x.keys(x.root, "BOB", bob.AccessKeyID+" Active", third.AccessKeyID+" Active") // by creation
}

// TestAccessKeysOfTheCaller: without UserName the five operations are about who signed (docs/spec/wire.md 8).
func TestAccessKeysOfTheCaller(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	self := "arn:aws:iam::" + testAccount + ":user/team/bob"
	denied := "403 AccessDenied User: " + self + " is not authorized to perform: iam:%s on resource: " + self + " because no identity-based policy allows the iam:%[1]s action"
	for op, p := range map[string]params{
		"CreateAccessKey": nil,
		"ListAccessKeys":  nil,
		"UpdateAccessKey": ps("AccessKeyId", bob.AccessKeyID, "Status", "Inactive"),
		"DeleteAccessKey": ps("AccessKeyId", bob.AccessKeyID),
	} {
		x.want(fmt.Sprintf(denied, op), bob, op, p...)
	}
	x.policy(x.root, "bob", "self", "Allow iam:*AccessKey* "+self)
	a := x.want("AccessKey(UserName=bob AccessKeyId=AKIA Status=Active SecretAccessKey=SECRET CreateDate=DATE)", bob, "CreateAccessKey")
	second := a.value("CreateAccessKeyResult", "AccessKey", "AccessKeyId")
	x.keys(bob, "", bob.AccessKeyID+" Active", second+" Active")
	x.want("", bob, "UpdateAccessKey", "AccessKeyId", second, "Status", "Inactive")
	x.keys(bob, "", bob.AccessKeyID+" Active", second+" Inactive")
	x.want(noKey(x.root.AccessKeyID), bob, "DeleteAccessKey", "AccessKeyId", x.root.AccessKeyID)
	x.want("", bob, "DeleteAccessKey", "AccessKeyId", second)
	x.want("", bob, "DeleteAccessKey", "AccessKeyId", bob.AccessKeyID) // the very key that signs
	x.want(badToken, bob, "GetCallerIdentity")

	root := x.want("AccessKey(AccessKeyId=AKIA Status=Active SecretAccessKey=SECRET CreateDate=DATE)", x.root, "CreateAccessKey")
	rootSecond := root.value("CreateAccessKeyResult", "AccessKey", "AccessKeyId")
	x.want("AccessKeyMetadata("+keyAs("", x.root.AccessKeyID, "Active")+" "+keyAs("", "AKIA", "Active")+") IsTruncated=false", x.root, "ListAccessKeys")
	x.want("409 LimitExceeded Cannot exceed quota for AccessKeysPerUser: 2", x.root, "CreateAccessKey")
	x.want("", x.root, "UpdateAccessKey", "AccessKeyId", rootSecond, "Status", "Inactive")
	x.want("", x.root, "DeleteAccessKey", "AccessKeyId", rootSecond)
	x.keys(x.root, "", x.root.AccessKeyID+" Active")
}

func TestGetAccessKeyLastUsed(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/Bob")
	eve := x.user(x.root, "eve")
	other := x.addAccount(testAccount2)
	x.want("UserName=Bob AccessKeyLastUsed(ServiceName=N/A Region=N/A)", x.root, "GetAccessKeyLastUsed", "AccessKeyId", bob.AccessKeyID)
	x.ok(bob, "GetCallerIdentity")
	x.want("UserName=Bob AccessKeyLastUsed(LastUsedDate=DATE ServiceName=sts Region=us-east-1)", x.root, "GetAccessKeyLastUsed", "AccessKeyId", bob.AccessKeyID)
	second := x.key(x.root, "bob")
	x.call(second, "ListUsers", nil) // refused, but signed
	x.want("UserName=Bob AccessKeyLastUsed(LastUsedDate=DATE ServiceName=iam Region=us-east-1)", x.root, "GetAccessKeyLastUsed", "AccessKeyId", second.AccessKeyID)
	x.want("AccessKeyLastUsed(LastUsedDate=DATE ServiceName=iam Region=us-east-1)", x.root, "GetAccessKeyLastUsed", "AccessKeyId", x.root.AccessKeyID)

	unknown := func(arn, id string) string {
		return "403 AccessDenied User: " + arn + " is not authorized to perform iam:GetAccessKeyLastUsed on resource: access key " + id
	}
	rootARN := "arn:aws:iam::" + testAccount + ":root"
	x.want(unknown(rootARN, "AKIAAAAAAAAAAAAAAAAA"), x.root, "GetAccessKeyLastUsed", "AccessKeyId", "AKIAAAAAAAAAAAAAAAAA")
	x.want(unknown(rootARN, other.AccessKeyID), x.root, "GetAccessKeyLastUsed", "AccessKeyId", other.AccessKeyID) // another account's
	x.want(unknown("arn:aws:iam::"+testAccount2+":root", bob.AccessKeyID), other, "GetAccessKeyLastUsed", "AccessKeyId", bob.AccessKeyID)
	x.want(unknown("arn:aws:iam::"+testAccount+":user/eve", "AKIAAAAAAAAAAAAAAAAA"), eve, "GetAccessKeyLastUsed", "AccessKeyId", "AKIAAAAAAAAAAAAAAAAA")
	x.want("403 AccessDenied User: arn:aws:iam::"+testAccount+":user/eve is not authorized to perform: iam:GetAccessKeyLastUsed on resource: arn:aws:iam::"+testAccount+
		":user/team/Bob because no identity-based policy allows the iam:GetAccessKeyLastUsed action", eve, "GetAccessKeyLastUsed", "AccessKeyId", bob.AccessKeyID)
	x.policy(x.root, "eve", "p", "Allow iam:GetAccessKeyLastUsed arn:aws:iam::"+testAccount+":user/team/*")
	x.want("UserName=Bob AccessKeyLastUsed(LastUsedDate=DATE ServiceName=iam Region=us-east-1)", eve, "GetAccessKeyLastUsed", "AccessKeyId", second.AccessKeyID)
	x.want(invalid("accessKeyId "+notNull), x.root, "GetAccessKeyLastUsed")
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.want(unknown(rootARN, bob.AccessKeyID), x.root, "GetAccessKeyLastUsed", "AccessKeyId", bob.AccessKeyID)
}

func TestGetAccessKeyInfo(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	other := x.addAccount(testAccount2)
	for _, c := range []struct{ id, account string }{
		{bob.AccessKeyID, testAccount},
		{x.root.AccessKeyID, testAccount},        // brought from outside
		{other.AccessKeyID, testAccount2},        // of another account
		{"ASIAQNZGKIQY56JQ7WML", "029608264753"}, // of no account of this store
	} {
		x.want("Account="+c.account, other, "GetAccessKeyInfo", "AccessKeyId", c.id)
	}
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.want("Account="+testAccount, other, "GetAccessKeyInfo", "AccessKeyId", bob.AccessKeyID)
	for _, c := range []struct {
		want string
		p    params
	}{
		{"400 ValidationError Invalid access key id", ps("AccessKeyId", "AKIAIOSFODNN7EXAMPLE")}, // old, without an account
		{"400 ValidationError Invalid access key id", ps("AccessKeyId", "XXXXXXXXXXXXXXXXXXXX")},
		{"400 ValidationError 1 validation error detected: Value null at 'accessKeyId' failed to satisfy constraint: Member must not be null", nil},
		{"400 ValidationError 1 validation error detected: Value 'AKIA' at 'accessKeyId' failed to satisfy constraint: Member must have length greater than or equal to 16", ps("AccessKeyId", "AKIA")},
		{`400 ValidationError 1 validation error detected: Value 'AKIA-AAAAAAAAAAAAAAA' at 'accessKeyId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w]*`, ps("AccessKeyId", "AKIA-AAAAAAAAAAAAAAA")},
	} {
		x.want(c.want, other, "GetAccessKeyInfo", c.p...)
	}
	eve := x.user(x.root, "eve")
	x.want("403 AccessDenied User: arn:aws:iam::"+testAccount+":user/eve is not authorized to perform: sts:GetAccessKeyInfo because no identity-based policy allows the sts:GetAccessKeyInfo action",
		eve, "GetAccessKeyInfo", "AccessKeyId", eve.AccessKeyID)
}

func TestAccessKeyQuota(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	if err := q.Set("AccessKeysPerUser", 5); err != nil {
		t.Fatal(err)
	}
	x := openAPI(t, q)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	var keys []caller
	for range 5 {
		keys = append(keys, x.key(x.root, "bob"))
	}
	x.want("409 LimitExceeded Cannot exceed quota for AccessKeysPerUser: 5", x.root, "CreateAccessKey", "UserName", "bob")

	// Pages go by creation, and on where they were when the key that a marker remembers is gone.
	page := x.ok(x.root, "ListAccessKeys", "UserName", "bob", "MaxItems", "2")
	marker := page.value("ListAccessKeysResult", "Marker")
	if got := page.value("ListAccessKeysResult", "IsTruncated"); got != "true" || marker == "" {
		t.Fatalf("IsTruncated %s, marker %q", got, marker)
	}
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", keys[1].AccessKeyID)
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", keys[2].AccessKeyID)
	sixth := x.key(x.root, "bob")
	rest := x.ok(x.root, "ListAccessKeys", "UserName", "bob", "MaxItems", "1000", "Marker", marker)
	want := strings.Join([]string{keys[3].AccessKeyID, keys[4].AccessKeyID, sixth.AccessKeyID}, " ")
	if got := strings.Join(rest.all("AccessKeyId"), " "); got != want {
		t.Errorf("behind the marker: %s; want %s", got, want)
	}
	// The last key's place is taken by a new one, which is behind it.
	page = x.ok(x.root, "ListAccessKeys", "UserName", "bob", "MaxItems", "3")
	marker = page.value("ListAccessKeysResult", "Marker")
	for _, k := range []caller{keys[4], sixth} {
		x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", k.AccessKeyID)
	}
	seventh := x.key(x.root, "bob")
	if got := x.ok(x.root, "ListAccessKeys", "UserName", "bob", "Marker", marker).all("AccessKeyId"); len(got) != 1 || got[0] != seventh.AccessKeyID {
		t.Errorf("behind the marker: %s; want %s", got, seventh.AccessKeyID)
	}
}
