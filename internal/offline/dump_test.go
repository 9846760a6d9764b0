package offline

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// account is a dump with everything that is read. Documents come in the three forms there are.
const account = `{
 "UserDetailList": [
  {"Path": "/", "UserName": "alice", "UserId": "AIDAALICE", "Arn": "arn:aws:iam::111111111111:user/alice", "GroupList": ["ops"],
   "UserPolicyList": [{"PolicyName": "object", "PolicyDocument": {"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}},
    {"PolicyName": "encoded", "PolicyDocument": "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22s3%3AListBucket%22%2C%22Resource%22%3A%22arn%3Aaws%3As3%3A%3A%3Aa%2520b%22%7D%7D"},
    {"PolicyName": "text", "PolicyDocument": "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"s3:PutObject\",\"Resource\":\"*\"}}"}],
   "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": "arn:aws:iam::111111111111:policy/own"}, {"PolicyName": "ReadOnly", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}],
   "PermissionsBoundary": {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": "arn:aws:iam::111111111111:policy/own"},
   "Tags": [{"Key": "team", "Value": "red"}]},
  {"UserName": "bob", "Arn": "arn:aws:iam::111111111111:user/bob"}
 ],
 "GroupDetailList": [{"GroupName": "ops", "Arn": "arn:aws:iam::111111111111:group/ops",
   "GroupPolicyList": [{"PolicyName": "g", "PolicyDocument": {"Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}}]}],
 "RoleDetailList": [{"Path": "/p/", "RoleName": "app", "RoleId": "AROAAPP", "Arn": "arn:aws:iam::111111111111:role/p/app", "RolePolicyList": [], "AttachedManagedPolicies": [],
   "AssumeRolePolicyDocument": {"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ec2.amazonaws.com"}}}}],
 "Policies": [{"PolicyName": "own", "Arn": "arn:aws:iam::111111111111:policy/own", "DefaultVersionId": "v2", "PolicyVersionList": [
   {"VersionId": "v1", "IsDefaultVersion": false, "Document": {"Statement": []}},
   {"VersionId": "v2", "IsDefaultVersion": true, "Document": {"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sqs:*","Resource":"*"}}}]}],
 "IsTruncated": false, "Something": {"new": [1, 2, {"x": null}]}
}`

func TestDump(t *testing.T) {
	t.Parallel()
	d, err := ReadDump("dump.json", account)
	if err != nil {
		t.Fatal(err)
	}
	p, err := d.Principal("arn:aws:iam::111111111111:user/alice")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range p.Identity {
		names = append(names, policyName(a)+"="+strings.Join(a.Policy.Document().Statements[0].Actions, ","))
	}
	const alice = " of arn:aws:iam::111111111111:user/alice="
	want := "object" + alice + "s3:GetObject|encoded" + alice + "s3:ListBucket|text" + alice + "s3:PutObject|own=sqs:*|AdministratorAccess=*|" +
		"g of arn:aws:iam::111111111111:group/ops=ec2:*"
	if got := strings.Join(names, "|"); got != want {
		t.Errorf("policies\n%s, want\n%s", got, want)
	}
	if got := p.Identity[1].Policy.Document().Statements[0].Resources[0]; got != "arn:aws:s3:::a%20b" { // one level of encoding is the API's
		t.Errorf("the encoded document has the resource %s", got)
	}
	if p.ID != "AIDAALICE" || p.Boundary.Name != "own" || len(p.Tags) != 1 || p.Tags[0] != (Tag{"team", "red"}) {
		t.Errorf("alice: %+v", p)
	}
	session, err := d.Principal("arn:aws:sts::111111111111:assumed-role/app/job")
	if err != nil {
		t.Fatal(err)
	}
	c, err := session.caller()
	if err != nil || c.ARN != "arn:aws:iam::111111111111:role/p/app" || c.Session != "arn:aws:sts::111111111111:assumed-role/app/job" || c.ID != "AROAAPP" {
		t.Errorf("the session: %+v %v", c, err)
	}
	trust, err := d.Trust("arn:aws:iam::111111111111:role/p/app")
	if err != nil || trust.Owner != "arn:aws:iam::111111111111:role/p/app" {
		t.Errorf("trust: %+v %v", trust, err)
	}
	if trust, err := d.Trust("arn:aws:iam::111111111111:role/other"); trust != nil || err != nil {
		t.Errorf("trust of no role: %v %v", trust, err)
	}
	if got := d.locate(p.Identity[0].Policy, Position{1, 38}); got != "dump.json:4:103" {
		t.Errorf("a place in the dump: %s", got)
	}
	if got := d.locate(p.Identity[1].Policy, Position{1, 38}); got != "" {
		t.Errorf("a place in an encoded document: %s", got)
	}
}

// What the dump says is what decides: a question of a principal sees inline, attached and group policies, boundary and tags.
func TestDumpDecides(t *testing.T) {
	t.Parallel()
	d, err := ReadDump("dump.json", account)
	if err != nil {
		t.Fatal(err)
	}
	a := &Asker{Dump: d}
	for action, want := range map[string]policy.Effect{"sqs:CreateQueue": policy.Allow, "s3:ListAllMyBuckets": policy.DenyImplicit} {
		answer, err := a.Ask(&Question{Principal: "arn:aws:iam::111111111111:user/alice", Action: action, Resource: "*"})
		if err != nil || answer.Decision.Effect != want {
			t.Errorf("%s: %v %v", action, answer.Decision.Effect, err)
		}
	}
	answer, err := a.Ask(&Question{Principal: "arn:aws:iam::111111111111:root", Action: "s3:ListAllMyBuckets", Resource: "*"})
	if err != nil || answer.Decision.Effect != policy.Allow {
		t.Errorf("root: %v %v", answer, err)
	}
}

func TestDumpFaults(t *testing.T) {
	t.Parallel()
	user := func(members string) string {
		return `{"UserDetailList":[{"Arn":"arn:aws:iam::111111111111:user/alice"` + members + `}]}`
	}
	const doc = `{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`
	tests := []struct{ name, text, want string }{
		{"empty", ``, "dump.json:1:1: the text ends where an object is expected"},
		{"list", `[]`, "dump.json:1:1: an object is expected, not '['"},
		{"other", `{"Users":[]}`, "dump.json:1:1: this is no answer of get-account-authorization-details: it has none of"},
		{"page", `{"UserDetailList":[],"IsTruncated":true}`, "one page of several"},
		{"second value", "{\"UserDetailList\":[]}\n{}", "dump.json:2:1: text after the end"},
		{"list twice", `{"UserDetailList":[],"UserDetailList":[]}`, "dump.json:1:22: member UserDetailList stands there twice"},
		{"no list", `{"UserDetailList":{}}`, "dump.json:1:19: a list is expected"},
		{"no object", `{"UserDetailList":[1]}`, "dump.json:1:20: an object is expected"},
		{"no ARN", `{"UserDetailList":[{}]}`, "dump.json:1:20: an entry of UserDetailList without Arn"},
		{"ARN twice", `{"UserDetailList":[{"Arn":"a","Arn":"b"}]}`, "dump.json:1:31: member Arn stands there twice"},
		{"user twice", `{"UserDetailList":[{"Arn":"a"},{"Arn":"a"}]}`, "dump.json:1:32: a is in UserDetailList twice: first at 1:20"},
		{"group twice", `{"GroupDetailList":[{"GroupName":"a"},{"GroupName":"a"}]}`, "a is in GroupDetailList twice"},
		{"role name twice", `{"RoleDetailList":[{"Arn":"a","RoleName":"r"},{"Arn":"b","RoleName":"r"}]}`, "two roles have the name r: the other is a"},
		{"nobody", `{"UserDetailList":[]}`, "dump.json has no user or role arn:aws:iam::111111111111:user/alice (users: 0, roles: 0)"},
		{"no group", user(`,"GroupList":["ops"]`), "is in group ops, but the dump does not have that group"},
		{"no policy", user(`,"AttachedManagedPolicies":[{"PolicyArn":"arn:aws:iam::111111111111:policy/x"}]`), "policy arn:aws:iam::111111111111:policy/x is attached, but the dump does not have it"},
		{"no AWS policy", user(`,"AttachedManagedPolicies":[{"PolicyArn":"arn:aws:iam::aws:policy/NoSuch"}]`), "is attached, but the dump does not have it"},
		{"no boundary", user(`,"PermissionsBoundary":{"PermissionsBoundaryArn":"arn:aws:iam::111111111111:policy/x"}`), "permissions boundary of arn:aws:iam::111111111111:user/alice"},
		{"boundary of what", user(`,"PermissionsBoundary":{}`), "a permissions boundary without PermissionsBoundaryArn"},
		{"attached what", user(`,"AttachedManagedPolicies":[{}]`), "an attached policy without PolicyArn"},
		{"inline without text", user(`,"UserPolicyList":[{"PolicyName":"p"}]`), "an inline policy without PolicyName or PolicyDocument"},
		{"inline twice", user(`,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":` + doc + `},{"PolicyName":"p","PolicyDocument":` + doc + `}]`), "has two policies with the name p"},
		{"document of what", user(`,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":7}]`), "a policy document, as an object or a string, is expected, not '7'"},
		{"encoding", user(`,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":"%7B%2"}]`), "a policy document in broken percent encoding"},
		{"bad document", user(`,"UserPolicyList":[{"PolicyName":"p","PolicyDocument":{"Statement":[{"Effect":"Allow"}],"X":1}}]`), "dump.json:1:153: policy p of arn:aws:iam::111111111111:user/alice: MalformedPolicyDocument"},
		{"tag", user(`,"Tags":[{"Value":"x"}]`), "a tag without Key"},
		{"version", user(`,"AttachedManagedPolicies":[{"PolicyArn":"p"}]`)[:len(user(`,"AttachedManagedPolicies":[{"PolicyArn":"p"}]`))-1] +
			`,"Policies":[{"Arn":"p","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":false,"Document":` + doc + `}]}]}`, "policy p has no default version"},
		{"two defaults", user(`,"AttachedManagedPolicies":[{"PolicyArn":"p"}]`)[:len(user(`,"AttachedManagedPolicies":[{"PolicyArn":"p"}]`))-1] +
			`,"Policies":[{"Arn":"p","PolicyVersionList":[{"IsDefaultVersion":true,"Document":` + doc + `},{"IsDefaultVersion":true,"Document":` + doc + `}]}]}`, "policy p has two default versions"},
		{"other default", user(`,"AttachedManagedPolicies":[{"PolicyArn":"p"}]`)[:len(user(`,"AttachedManagedPolicies":[{"PolicyArn":"p"}]`))-1] +
			`,"Policies":[{"Arn":"p","DefaultVersionId":"v2","PolicyVersionList":[{"VersionId":"v1","IsDefaultVersion":true,"Document":` + doc + `}]}]}`,
			"DefaultVersionId is v2, but version v1 is marked"},
		{"no ARN asked", `{"UserDetailList":[]}`, "has no user or role"},
	}
	for _, tt := range tests {
		d, err := ReadDump("dump.json", tt.text)
		if err == nil {
			_, err = d.Principal("arn:aws:iam::111111111111:user/alice")
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	d, err := ReadDump("dump.json", account)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"alice": `principal "alice" is no ARN`, "arn:aws:sts::111111111111:assumed-role/none/job": "has no user or role",
		"arn:aws:iam::111111111111:group/ops": "a group is not a principal: instead of arn:aws:iam::111111111111:group/ops name a member, who has its policies too " +
			"(such as arn:aws:iam::111111111111:user/alice)",
		"arn:aws:iam::222222222222:group/ops":    "name a member, who has its policies too (dump.json has no member of it)",
		"arn:aws:iam::111111111111:group/others": "name a member, who has its policies too (dump.json has no member of it)",
		"arn:aws:s3::111111111111:group/ops":     "has no user or role",
	} {
		if _, err := d.Principal(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
	if _, err := ReadDump("d", strings.Repeat(" ", MaxDump+1)); err == nil || err.Error() != fmt.Sprintf("d is larger than %d bytes", MaxDump) {
		t.Errorf("a dump that is too large: %v", err)
	}
}

// Thousands of checks of one principal do not read its entry thousands of times, which may be as large as the dump.
func TestDumpReadsOnce(t *testing.T) {
	t.Parallel()
	d, err := ReadDump("dump.json", account)
	if err != nil {
		t.Fatal(err)
	}
	const alice, app = "arn:aws:iam::111111111111:user/alice", "arn:aws:iam::111111111111:role/p/app"
	user, err := d.Principal(alice)
	if again, other := d.Principal(alice); err != nil || other != nil || again != user {
		t.Errorf("%s: %v, %v", alice, err, other)
	}
	trust, err := d.Trust(app)
	if again, other := d.Trust(app); err != nil || other != nil || again != trust || trust == nil {
		t.Errorf("%s: %v, %v", app, err, other)
	}
	if none, err := d.Trust(alice); none != nil || err != nil {
		t.Errorf("a user's: %v, %v", none, err)
	}
}
