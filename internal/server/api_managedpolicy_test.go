package server

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

const (
	doc         = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}`
	encodedDoc  = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22iam%3AListUsers%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D"
	arnDenyAll  = "arn:aws:iam::aws:policy/AWSDenyAll"
	arnReadOnly = "arn:aws:iam::aws:policy/IAMReadOnlyAccess"
)

func noPolicy(arn string) string { return "404 NoSuchEntity Policy " + arn + " was not found." }

func notAttachable(arn string) string {
	return "404 NoSuchEntity Policy " + arn + " does not exist or is not attachable."
}

// policyAs is a customer managed policy as answers show it, before its description and tags.
func policyAs(path, name, version string, attached, limits int) string {
	return fmt.Sprintf("PolicyName=%s PolicyId=ANPA Arn=%spolicy%s%s Path=%s DefaultVersionId=%s AttachmentCount=%d PermissionsBoundaryUsageCount=%d IsAttachable=true",
		name, arnHere, path, name, path, version, attached, limits)
}

const dates = " CreateDate=DATE UpdateDate=DATE"

// managed makes a managed policy and gives its ARN. name may have a path in front: /team/pol.
func (x *apiTest) managed(by caller, name, document string) string {
	x.Helper()
	i := strings.LastIndexByte(name, '/') + 1
	a := x.ok(by, "CreatePolicy", "PolicyName", name[i:], "Path", "/"+strings.TrimPrefix(name[:i], "/"), "PolicyDocument", document)
	return a.value("CreatePolicyResult", "Policy", "Arn")
}

func TestCreatePolicy(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("Policy("+policyAs("/", "Pol", "v1", 0, 0)+dates+")", x.root, "CreatePolicy", "PolicyName", "Pol", "PolicyDocument", doc, "Description", "what for")
	x.want("Policy("+policyAs("/", "Pol", "v1", 0, 0)+" Description=what for"+dates+" Tags())", x.root, "GetPolicy", "PolicyArn", arnHere+"policy/Pol")
	x.want("Policy("+policyAs("/a/b/", "q", "v1", 0, 0)+dates+" Tags(member(Key=z Value=1) member(Key=Z Value())))",
		x.root, "CreatePolicy", "PolicyName", "q", "Path", "/a/b/", "PolicyDocument", doc, "Tags.member.1.Key", "z", "Tags.member.1.Value", "1", "Tags.member.2.Key", "Z", "Tags.member.2.Value", "")
	x.want("Policy("+policyAs("/a/b/", "q", "v1", 0, 0)+dates+" Tags(member(Key=z Value=1) member(Key=Z Value())))", x.root, "GetPolicy", "PolicyArn", arnHere+"policy/a/b/q")
	x.want("PolicyVersion(Document="+encodedDoc+" VersionId=v1 IsDefaultVersion=true CreateDate=DATE)", x.root, "GetPolicyVersion", "PolicyArn", arnHere+"policy/Pol", "VersionId", "v1")

	badName := "400 ValidationError The specified value for policyName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	for _, c := range []struct {
		want string
		p    params
	}{
		{invalid("policyName "+notNull, "policyDocument "+notNull), nil},
		{invalid("policyName " + notOver + "128"), ps("PolicyName", strings.Repeat("p", 129), "PolicyDocument", doc)},
		{badName, ps("PolicyName", "a/b", "PolicyDocument", doc)},
		{badPath, ps("PolicyName", "p", "Path", "a", "PolicyDocument", doc)},
		{invalid("description " + notOver + "1000"), ps("PolicyName", "p", "PolicyDocument", doc, "Description", strings.Repeat("d", 1001))},
		{invalid("policyDocument " + atLeast + "1"), ps("PolicyName", "p", "PolicyDocument", "")},
		{"409 EntityAlreadyExists A policy called pOL already exists. Duplicate names are not allowed.", ps("PolicyName", "pOL", "Path", "/else/", "PolicyDocument", doc)},
		{"400 MalformedPolicyDocument Syntax errors in policy.", ps("PolicyName", "Pol", "PolicyDocument", "{")}, // before the name
		{"400 MalformedPolicyDocument Policy document must be version 2012-10-17 or greater.", ps("PolicyName", "p", "PolicyDocument", strings.Replace(doc, "2012-10-17", "2008-10-17", 1))},
		{"400 InvalidInput Duplicate tag keys found.", append(tags("a", "1", "a", "2"), "PolicyName", "p", "PolicyDocument", doc)},
		{"400 InvalidInput Tag keys that begin with aws: are reserved.", append(tags("Aws:a", "1"), "PolicyName", "p", "PolicyDocument", doc)},
	} {
		x.want(c.want, x.root, "CreatePolicy", c.p...)
	}
	// Policies of other accounts are others, whatever they are called.
	other := x.addAccount(testAccount2)
	x.want(noPolicy(arnHere+"policy/Pol"), other, "GetPolicy", "PolicyArn", arnHere+"policy/Pol")
	x.ok(other, "CreatePolicy", "PolicyName", "Pol", "PolicyDocument", doc)
}

func TestGetPolicyRefuses(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.managed(x.root, "/div/Pol", doc)
	for _, op := range []string{"GetPolicy", "DeletePolicy", "ListPolicyVersions", "ListPolicyTags"} {
		for _, arn := range []string{arnHere + "policy/Pol", arnHere + "policy/div/pol", arnHere + "policy/div/Polx", "arn:aws-cn:iam::" + testAccount + ":policy/div/Pol"} {
			x.want(noPolicy(arn), x.root, op, "PolicyArn", arn)
		}
		x.want("400 ValidationError ARN longpolicynamebutnoarn is not valid.", x.root, op, "PolicyArn", "longpolicynamebutnoarn")
		x.want("400 InvalidInput ARN "+arnHere+"user/div/Pol is not valid.", x.root, op, "PolicyArn", arnHere+"user/div/Pol")
		x.want(invalid("policyArn "+atLeast+"20"), x.root, op, "PolicyArn", "arn:aws:iam::aws:p")
		x.want(invalid("policyArn "+notNull), x.root, op)
	}
	x.want(noPolicy("arn:aws:iam::aws:policy/NoSuchPolicy"), x.root, "GetPolicy", "PolicyArn", "arn:aws:iam::aws:policy/NoSuchPolicy")
}

func TestAWSManagedPolicies(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("Policy(PolicyName=IAMUserChangePassword PolicyId=ANPA Arn=arn:aws:iam::aws:policy/IAMUserChangePassword Path=/ DefaultVersionId=v5 AttachmentCount=0 PermissionsBoundaryUsageCount=0 IsAttachable=true"+
		" Description=Provides the ability for an IAM user to change their own password."+dates+" Tags())", x.root, "GetPolicy", "PolicyArn", "arn:aws:iam::aws:policy/IAMUserChangePassword")
	x.want("Versions(member(VersionId=v5 IsDefaultVersion=true CreateDate=DATE)) IsTruncated=false", x.root, "ListPolicyVersions", "PolicyArn", "arn:aws:iam::aws:policy/IAMUserChangePassword")
	x.want("Tags() IsTruncated=false", x.root, "ListPolicyTags", "PolicyArn", arnDenyAll)
	x.want("404 NoSuchEntity Policy "+arnDenyAll+" version v1 does not exist or is not attachable.", x.root, "GetPolicyVersion", "PolicyArn", arnDenyAll, "VersionId", "v1")
	const (
		noDelete = "403 AccessDenied Cannot delete policies outside your own account."
		noUpdate = "403 AccessDenied Cannot update policies outside your own account."
	)
	bob := x.user(x.root, "bob")
	for _, arn := range []string{arnDenyAll, "arn:aws:iam::aws:policy/NotKnownHere", "arn:aws:iam::" + testAccount2 + ":policy/p"} {
		for _, c := range []struct {
			want, op string
			p        params
		}{
			{noDelete, "DeletePolicy", nil},
			{"403 AccessDenied Cannot delete policy versions for policies outside your own account.", "DeletePolicyVersion", ps("VersionId", "v77")},
			{noUpdate, "SetDefaultPolicyVersion", ps("VersionId", "v77")},
			{noUpdate, "CreatePolicyVersion", ps("PolicyDocument", "{")},
			{noUpdate, "TagPolicy", tags("k", "v")},
			{noUpdate, "UntagPolicy", ps("TagKeys.member.1", "k")},
		} {
			p := append(ps("PolicyArn", arn), c.p...)
			x.want(c.want, x.root, c.op, p...)
			x.want("403 AccessDenied User: "+arnHere+"user/bob is not authorized to perform: iam:"+c.op+" on resource: "+arn+
				" because no identity-based policy allows the iam:"+c.op+" action", bob, c.op, p...) // the normal decision comes first
		}
	}
}

func TestDeletePolicy(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	arn := x.managed(x.root, "p", doc)
	x.ok(x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", doc)
	x.ok(x.root, "AttachUserPolicy", "UserName", "bob", "PolicyArn", arn)
	x.want("409 DeleteConflict Cannot delete a policy attached to entities.", x.root, "DeletePolicy", "PolicyArn", arn)
	x.want("409 DeleteConflict Cannot delete entity, must detach all policies first.", x.root, "DeleteUser", "UserName", "bob")
	x.ok(x.root, "DetachUserPolicy", "UserName", "bob", "PolicyArn", arn)
	x.want("409 DeleteConflict This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
		x.root, "DeletePolicy", "PolicyArn", arn)
	x.ok(x.root, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	first := x.ok(x.root, "GetPolicy", "PolicyArn", arn).value("GetPolicyResult", "Policy", "PolicyId")
	x.want("", x.root, "DeletePolicy", "PolicyArn", arn)
	x.want(noPolicy(arn), x.root, "DeletePolicy", "PolicyArn", arn)
	x.managed(x.root, "p", document("Deny iam:* *"))
	again := x.ok(x.root, "GetPolicy", "PolicyArn", arn).value("GetPolicyResult", "Policy", "PolicyId")
	if first == again {
		t.Errorf("a policy made again has the id %s of the first", again)
	}
	x.want("Versions(member(VersionId=v1 IsDefaultVersion=true CreateDate=DATE)) IsTruncated=false", x.root, "ListPolicyVersions", "PolicyArn", arn)
	x.ok(x.root, "DeleteUser", "UserName", "bob")
}

func TestListPolicies(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("Policies() IsTruncated=false", x.root, "ListPolicies", "Scope", "Local")
	x.managed(x.root, "zoo", doc)
	x.managed(x.root, "/my/Alpha", doc)
	beta := x.managed(x.root, "/myPath/beta", doc)
	names := func(p ...string) []string {
		t.Helper()
		return x.ok(x.root, "ListPolicies", append(p, "MaxItems", "1000")...).all("PolicyName")
	}
	is := func(got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	is(names("Scope", "Local"), "Alpha", "beta", "zoo")
	is(names("Scope", "Local", "PathPrefix", "/"), "Alpha", "beta", "zoo")
	is(names("Scope", "Local", "PathPrefix", "/my/"), "Alpha")
	aws := names("Scope", "AWS")
	is(aws[:2], "AdministratorAccess", "PowerUserAccess") // of AWS's own in order of creation
	is(names(), append([]string{"Alpha", "beta", "zoo"}, aws...)...)
	is(names("Scope", "All"), names()...)
	if below := names("Scope", "AWS", "PathPrefix", "/service-role/"); len(below) == 0 || !slices.Contains(below, "AWSLambdaBasicExecutionRole") || slices.Contains(below, "PowerUserAccess") {
		t.Errorf("below /service-role/: %q", below)
	}
	is(names("OnlyAttached", "true"))
	x.ok(x.root, "CreateUser", "UserName", "bob")
	x.ok(x.root, "AttachUserPolicy", "UserName", "bob", "PolicyArn", beta)
	x.ok(x.root, "AttachUserPolicy", "UserName", "bob", "PolicyArn", arnDenyAll)
	is(names("OnlyAttached", "true"), "beta", "AWSDenyAll")
	is(names("PolicyUsageFilter", "PermissionsPolicy"), "beta", "AWSDenyAll")
	is(names("PolicyUsageFilter", "PermissionsBoundary"))
	x.want("Policies(member("+policyAs("/myPath/", "beta", "v1", 1, 0)+dates+")) IsTruncated=false", x.root, "ListPolicies", "Scope", "Local", "OnlyAttached", "true") // no description, no tags
	for _, most := range []int{1, 2, 3, 7, 25, 26, 27, 1000} {
		if got := x.pages(x.root, "ListPolicies", "PolicyName", nil, most, nil); !slices.Equal(got, names()) {
			t.Errorf("MaxItems %d: %d policies, want %d", most, len(got), len(names()))
		}
	}
	x.want(badMarker, x.root, "ListPolicies", "Marker", "x")
	x.want(invalid("scope Member must satisfy enum value set"), x.root, "ListPolicies", "Scope", "Mine")
	x.want(invalid("policyUsageFilter Member must satisfy enum value set"), x.root, "ListPolicies", "PolicyUsageFilter", "x")
}

func TestPolicyQuotas(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	q.PoliciesPerAccount, q.PolicySize = 2, 300
	x := openAPI(t, q)
	sized := func(n int) string { // counts n
		const frame = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get","Resource":"arn:aws:s3:::"}]}`
		return strings.Replace(frame, ":::", ":::"+strings.Repeat("b", n-len(frame)), 1)
	}
	const tooLong = "409 LimitExceeded Cannot exceed quota for PolicySize: 300"
	x.want(tooLong, x.root, "CreatePolicy", "PolicyName", "a", "PolicyDocument", sized(301))
	arn := x.managed(x.root, "a", sized(300)+strings.Repeat(" \n", 500)) // white space does not count
	x.want(tooLong, x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", sized(301))
	x.ok(x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", sized(300))
	x.managed(x.root, "b", doc)
	x.want("409 LimitExceeded Cannot exceed quota for PoliciesPerAccount: 2", x.root, "CreatePolicy", "PolicyName", "c", "PolicyDocument", doc)
	x.ok(x.root, "DeletePolicy", "PolicyArn", arnHere+"policy/b")
	x.managed(x.root, "c", doc)
}

// TestRecordedDocuments sends every document that was recorded on AWS (policy/testdata/recorded) and compares the outcome.
func TestRecordedDocuments(t *testing.T) {
	t.Parallel()
	read := func(name string, into any) {
		raw, err := os.ReadFile("../../policy/testdata/recorded/" + name)
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var documents struct {
		Cases map[string]struct{ Document, Outcome string }
	}
	var answers map[string]struct {
		Content struct {
			Error struct {
				Error struct{ Code, Message string }
			}
			Response json.RawMessage
		} `json:"recorded-content"`
	}
	read("policy_documents.json", &documents)
	read("test_iam_policies.snapshot.json", &answers)
	x := openAPI(t)
	count := map[string]int{}
	for name, c := range documents.Cases {
		recorded := answers[name].Content
		want := "Policy(" + policyAs("/", "p", "v1", 0, 0) + dates + ")"
		if e := recorded.Error.Error; e.Code != "" {
			want = "400 " + e.Code + " " + strings.NewReplacer("<partition>", "aws", "<region>", "us-east-1").Replace(e.Message)
		} else if recorded.Response == nil {
			t.Errorf("%s: no recorded answer", name)
		}
		count[c.Outcome]++
		x.want(want, x.root, "CreatePolicy", "PolicyName", "p", "PolicyDocument", c.Document)
		if c.Outcome == "success" {
			x.ok(x.root, "DeletePolicy", "PolicyArn", arnHere+"policy/p")
		}
	}
	if count["success"] != 51 || count["MalformedPolicyDocument"] != 78 || len(count) != 2 {
		t.Errorf("%v documents; want 51 valid and 78 malformed ones", count)
	}
}

// TestTagsOnCreateNeedTagPolicy: AWS asks for iam:TagPolicy too when a policy is made with tags, on the same resource, with the same keys.
func TestTagsOnCreateNeedTagPolicy(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	make := func(want string, pairs ...string) {
		t.Helper()
		x.want(want, bob, "CreatePolicy", append(ps("PolicyName", "p", "PolicyDocument", doc), pairs...)...)
	}
	denied := func(action string) string {
		return "403 AccessDenied User: " + arnHere + "user/bob is not authorized to perform: iam:" + action + " on resource: " + arnHere + "policy/p because no identity-based policy allows the iam:" + action + " action"
	}
	x.policy(x.root, "bob", "p", "Allow iam:TagPolicy "+arnHere+"policy/p")
	make(denied("CreatePolicy"), tags("team", "a")...)
	x.policy(x.root, "bob", "p", "Allow iam:CreatePolicy "+arnHere+"policy/p")
	make(denied("TagPolicy"), tags("team", "a")...)
	x.put(x.root, "bob", "q", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:TagPolicy","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"a"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}}}`)
	make(denied("TagPolicy"), tags("team", "b")...)
	make(denied("TagPolicy"), tags("team", "a", "more", "x")...)
	make("Policy("+policyAs("/", "p", "v1", 0, 0)+dates+" Tags(member(Key=team Value=a)))", tags("team", "a")...)
	x.ok(x.root, "DeletePolicy", "PolicyArn", arnHere+"policy/p")
	make("Policy(" + policyAs("/", "p", "v1", 0, 0) + dates + ")")
}
