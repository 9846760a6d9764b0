package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

// holders are the kinds of what inline policies belong to, as operations call them.
var holders = []string{"User", "Group", "Role"}

// holderNamed makes a user, group or role.
func (x *apiTest) holderNamed(kind, name string) {
	x.Helper()
	if kind == "Role" {
		x.role(x.root, name, trustEC2)
		return
	}
	x.ok(x.root, "Create"+kind, kind+"Name", name)
}

func noHolder(kind, name string) string {
	return "404 NoSuchEntity The " + strings.ToLower(kind) + " with name " + name + " cannot be found."
}

func TestInlinePolicies(t *testing.T) {
	t.Parallel()
	for _, kind := range holders {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			testInlinePolicies(openAPI(t), kind)
		})
	}
}

func testInlinePolicies(x *apiTest, kind string) {
	put, get, del, list, name := "Put"+kind+"Policy", "Get"+kind+"Policy", "Delete"+kind+"Policy", "List"+kind+"Policies", kind+"Name"
	path := strings.ToLower(kind) + "Name"
	noPolicy := "404 NoSuchEntity The " + strings.ToLower(kind) + " policy with name pol cannot be found."
	x.holderNamed(kind, "Bob")
	for _, other := range holders { // of the same name, and nothing to do with it
		if other != kind {
			x.holderNamed(other, "Bob")
			x.ok(x.root, "Put"+other+"Policy", other+"Name", "bob", "PolicyName", "others", "PolicyDocument", document("Allow iam:* *"))
		}
	}
	x.want("PolicyNames() IsTruncated=false", x.root, list, name, "bob")
	// White space, the order of keys, escapes and characters outside ASCII come back as they were sent, percent-encoded.
	text := "{ \"Statement\" : {\"Resource\":\"arn:aws:s3:::b/tags/arn%3Aaws ~_-.é+\",\r\n\t\"Action\":\"s3:Get*\",\"Effect\":\"Allow\"} ,\"Version\":\"2012-10-17\"}"
	const encoded = "%7B%20%22Statement%22%20%3A%20%7B%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Ab%2Ftags%2Farn%253Aaws%20~_-.%C3%A9%2B%22%2C%0D%0A%09" +
		"%22Action%22%3A%22s3%3AGet%2A%22%2C%22Effect%22%3A%22Allow%22%7D%20%2C%22Version%22%3A%222012-10-17%22%7D"
	x.want("", x.root, put, name, "bob", "PolicyName", "Pol", "PolicyDocument", text)
	x.want(name+"=Bob PolicyName=Pol PolicyDocument="+encoded, x.root, get, name, "BOB", "PolicyName", "Pol")
	x.want(noPolicy, x.root, get, name, "Bob", "PolicyName", "pol") // policies have case

	x.want("", x.root, put, name, "bob", "PolicyName", "Pol", "PolicyDocument", document("Deny iam:* *")) // replaced
	x.want("", x.root, put, name, "bob", "PolicyName", "pol", "PolicyDocument", document("Allow iam:* *"))
	x.want("", x.root, put, name, "bob", "PolicyName", "a+=,.@_-", "PolicyDocument", document("Allow iam:* *"))
	x.want("PolicyNames(member=Pol member=a+=,.@_- member=pol) IsTruncated=false", x.root, list, name, "bob")
	x.want("", x.root, del, name, "bob", "PolicyName", "pol")
	x.want(noPolicy, x.root, del, name, "bob", "PolicyName", "pol")
	x.want("PolicyNames(member=Pol member=a+=,.@_-) IsTruncated=false", x.root, list, name, "bob")

	badPolicyName := "400 ValidationError The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	for _, c := range []struct {
		want, op string
		p        params
	}{
		{badPolicyName, put, ps(name, "bob", "PolicyName", "a b", "PolicyDocument", "{}")},
		{badPolicyName, get, ps(name, "bob", "PolicyName", "a/b")},
		{badPolicyName, del, ps(name, "bob", "PolicyName", "a/b")},
		{invalid("policyName " + notOver + "128"), put, ps(name, "bob", "PolicyName", strings.Repeat("p", 129), "PolicyDocument", "{}")},
		{invalid("policyDocument " + atLeast + "1"), put, ps(name, "bob", "PolicyName", "p", "PolicyDocument", "")},
		{invalid("policyDocument " + notOver + "131072"), put, ps(name, "bob", "PolicyName", "p", "PolicyDocument", strings.Repeat(" ", 131073))},
		{"400 ValidationError The specified value for policyDocument is invalid. It must contain only printable ASCII characters.", put, ps(name, "bob", "PolicyName", "p", "PolicyDocument", "{€}")},
		{"400 MalformedPolicyDocument Syntax errors in policy.", put, ps(name, "bob", "PolicyName", "p", "PolicyDocument", "{")},
		{noHolder(kind, "rob"), put, ps(name, "rob", "PolicyName", "p", "PolicyDocument", "{")}, // before the document
		{noHolder(kind, "rob"), get, ps(name, "rob", "PolicyName", "p")},
		{noHolder(kind, "rob"), del, ps(name, "rob", "PolicyName", "p")},
		{noHolder(kind, "rob"), list, ps(name, "rob", "Marker", "forged")},
		{invalid(path+" "+notNull, "policyName "+notNull, "policyDocument "+notNull), put, nil},
		{invalid(path+" "+notNull, "policyName "+notNull), get, nil},
		{invalid(path+" "+notNull, "policyName "+notNull), del, nil},
		{invalid(path + " " + notNull), list, nil},
		{badMarker, list, ps(name, "bob", "Marker", "x")},
	} {
		x.want(c.want, x.root, c.op, c.p...)
	}
	for _, other := range holders {
		if other != kind {
			x.want("PolicyNames(member=others) IsTruncated=false", x.root, "List"+other+"Policies", other+"Name", "bob")
		}
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

// TestInlinePolicySize: all inline policies of a user, group or role together, white space not counted.
func TestInlinePolicySize(t *testing.T) {
	t.Parallel()
	sized := func(n int) string { // counts n
		const frame = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::"}]}`
		return strings.Replace(frame, ":::", ":::"+strings.Repeat("é", n-len(frame)), 1) // a character of two bytes counts one
	}
	for kind, most := range map[string]int{"User": 2048, "Group": 5120, "Role": 10240} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			x := openAPI(t)
			x.holderNamed(kind, "Bob")
			put := func(want, name, document string) {
				t.Helper()
				x.want(want, x.root, "Put"+kind+"Policy", kind+"Name", "bob", "PolicyName", name, "PolicyDocument", document)
			}
			full := fmt.Sprintf("409 LimitExceeded Maximum policy size of %d bytes exceeded for %s Bob", most, strings.ToLower(kind))
			put(full, "p", sized(most+1))
			put("", "p", sized(most))
			put("", "p", sized(most)+strings.Repeat(" \t\r\n", 1000))
			put(full, "q", sized(200))
			put("", "p", sized(1000)) // the one that is replaced does not count
			put("", "q", sized(most-1000))
			put(full, "q", sized(most-999))
			put(full, "r", sized(200))
			put("400 MalformedPolicyDocument Syntax errors in policy.", "p", strings.Repeat("x", 100_000)) // what it says comes before how long it is
			x.ok(x.root, "Delete"+kind+"Policy", kind+"Name", "bob", "PolicyName", "p")
			put("", "r", sized(1000))
			x.holderNamed(kind, "eve") // what others have does not count
			x.want("", x.root, "Put"+kind+"Policy", kind+"Name", "eve", "PolicyName", "p", "PolicyDocument", sized(most))

			q := iam.DefaultQuotas
			if err := q.Set(kind+"PolicySize", 100_000); err != nil {
				t.Fatal(err)
			}
			x = openAPI(t, q)
			x.holderNamed(kind, "Bob")
			put("", "p", sized(100_000))
			put("409 LimitExceeded Maximum policy size of 100000 bytes exceeded for "+strings.ToLower(kind)+" Bob", "p", sized(100_001))
		})
	}
}

func TestPagesOfInlinePolicies(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	for _, kind := range holders[1:] { // users: TestPagesOfUserPoliciesAndTags
		x.holderNamed(kind, "bob")
		var want []string
		for i := range 12 {
			want = append(want, fmt.Sprintf("p%02d", i))
			x.ok(x.root, "Put"+kind+"Policy", kind+"Name", "bob", "PolicyName", want[i], "PolicyDocument", document("Allow s3:Get *"))
		}
		for _, most := range []int{1, 5, 11, 12, 13} {
			if got := x.pages(x.root, "List"+kind+"Policies", "member", ps(kind+"Name", "bob"), most, nil); !slices.Equal(got, want) {
				t.Errorf("%s, MaxItems %d: %v", kind, most, got)
			}
		}
	}
	marker := x.ok(x.root, "ListGroupPolicies", "GroupName", "bob", "MaxItems", "1").value("ListGroupPoliciesResult", "Marker")
	x.want(badMarker, x.root, "ListRolePolicies", "RoleName", "bob", "Marker", marker)
}

// TestProtectedRolesKeepTheirPolicies: only AWS changes them (docs/spec/wire.md 8, PutRolePolicy).
func TestProtectedRolesKeepTheirPolicies(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.role(x.root, "Linked", trustEC2)
	for _, path := range []string{"/aws-service-role/ec2.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"} {
		linked := x.cell.store.View().Account(testAccount).RoleByName("Linked").Clone()
		linked.Path = path
		x.putRole(linked)
		x.want(protected("Linked"), x.root, "PutRolePolicy", "RoleName", "linked", "PolicyName", "p", "PolicyDocument", "{")
		x.want(protected("Linked"), x.root, "DeleteRolePolicy", "RoleName", "linked", "PolicyName", "p")
		x.want("404 NoSuchEntity The role policy with name p cannot be found.", x.root, "GetRolePolicy", "RoleName", "linked", "PolicyName", "p")
		x.want("PolicyNames() IsTruncated=false", x.root, "ListRolePolicies", "RoleName", "linked")
	}
}
