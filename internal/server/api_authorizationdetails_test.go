package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// detailed makes an account with one of everything that GetAccountAuthorizationDetails shows.
func (x *apiTest) detailed() (pol string) {
	x.Helper()
	x.ok(x.root, "CreateUser", "UserName", "Plain")
	x.ok(x.root, "CreateUser", append(tags("k", "v"), "UserName", "full", "Path", "/u/")...)
	x.group(x.root, "/g/crew", "full")
	x.group(x.root, "Bees", "full")
	x.role(x.root, "/r/job", trustOf(arnHere+"user/u/full"))
	pol = x.managed(x.root, "/p/Pol", doc)
	x.ok(x.root, "CreatePolicyVersion", "PolicyArn", pol, "PolicyDocument", document("Deny s3:* *"))
	x.managed(x.root, "unused", doc)
	x.policy(x.root, "full", "inline", "Allow s3:* *")
	x.groupPolicy(x.root, "crew", "inline", "Allow s3:* *")
	x.ok(x.root, "AttachUserPolicy", "UserName", "full", "PolicyArn", pol)
	x.ok(x.root, "AttachGroupPolicy", "GroupName", "crew", "PolicyArn", arnReadOnly)
	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "job", "PermissionsBoundary", arnDenyAll)
	return pol
}

func TestAuthorizationDetails(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("UserDetailList() GroupDetailList() RoleDetailList() Policies() IsTruncated=false", x.root, "GetAccountAuthorizationDetails")
	pol := x.detailed()
	inline := "member(PolicyName=inline PolicyDocument=" + encoded(document("Allow s3:* *")) + ")"
	attached := func(arn string) string {
		return "AttachedManagedPolicies(member(PolicyName=" + arn[strings.LastIndexByte(arn, '/')+1:] + " PolicyArn=" + arn + "))"
	}
	version := func(document, id string, isDefault bool) string {
		return fmt.Sprintf("member(Document=%s VersionId=%s IsDefaultVersion=%t CreateDate=DATE)", encoded(document), id, isDefault)
	}
	users := "UserDetailList(member(" + userAs("/u/", "full") + " UserPolicyList(" + inline + ") GroupList(member=Bees member=crew) " + attached(pol) + " Tags(member(Key=k Value=v))) member(" +
		userAs("/", "Plain") + " GroupList() AttachedManagedPolicies() Tags()))"
	groups := "GroupDetailList(member(" + groupAs("/", "Bees") + " GroupPolicyList() AttachedManagedPolicies()) member(" + groupAs("/g/", "crew") + " GroupPolicyList(" + inline + ") " + attached(arnReadOnly) + "))"
	roles := "RoleDetailList(member(" + roleAs("/r/", "job", trustOf(arnHere+"user/u/full")) + " InstanceProfileList() RolePolicyList() AttachedManagedPolicies() PermissionsBoundary(PermissionsBoundaryType=Policy PermissionsBoundaryArn=" +
		arnDenyAll + ") Tags() RoleLastUsed()))"
	local := "member(" + policyAs("/p/", "Pol", "v1", 1, 0) + dates + " PolicyVersionList(" + version(document("Deny s3:* *"), "v2", false) + " " + version(doc, "v1", true) + ")) member(" +
		policyAs("/", "unused", "v1", 0, 0) + dates + " PolicyVersionList(" + version(doc, "v1", true) + "))"
	aws := func(arn, version string, attached, limits int) string {
		document := x.ok(x.root, "GetPolicyVersion", "PolicyArn", arn, "VersionId", version).value("GetPolicyVersionResult", "PolicyVersion", "Document")
		return fmt.Sprintf("member(PolicyName=%s PolicyId=ANPA Arn=%s Path=/ DefaultVersionId=%s AttachmentCount=%d PermissionsBoundaryUsageCount=%d IsAttachable=true"+dates+
			" PolicyVersionList(member(Document=%s VersionId=%[3]s IsDefaultVersion=true CreateDate=DATE)))", arn[strings.LastIndexByte(arn, '/')+1:], arn, version, attached, limits, document)
	}
	used := aws(arnReadOnly, "v4", 1, 0) + " " + aws(arnDenyAll, "v2", 0, 1) // in order of creation; the others are in nobody's use
	const end = " IsTruncated=false"
	x.want(users+" "+groups+" "+roles+" Policies("+local+" "+used+")"+end, x.root, "GetAccountAuthorizationDetails")
	for filter, want := range map[string]string{
		"User":               users + " GroupDetailList() RoleDetailList() Policies()",
		"Group":              "UserDetailList() " + groups + " RoleDetailList() Policies()",
		"Role":               "UserDetailList() GroupDetailList() " + roles + " Policies()",
		"LocalManagedPolicy": "UserDetailList() GroupDetailList() RoleDetailList() Policies(" + local + ")",
		"AWSManagedPolicy":   "UserDetailList() GroupDetailList() RoleDetailList() Policies(" + used + ")",
	} {
		x.want(want+end, x.root, "GetAccountAuthorizationDetails", "Filter.member.1", filter)
	}
	x.want(users+" GroupDetailList() "+roles+" Policies()"+end, x.root, "GetAccountAuthorizationDetails", "Filter.member.1", "Role", "Filter.member.2", "User")
	if a := x.call(x.root, "GetAccountAuthorizationDetails", ps("Filter.member.1", "Users")); a.code() != "ValidationError" {
		t.Errorf("an unknown filter: %s", a)
	}
	x.want(badMarker, x.root, "GetAccountAuthorizationDetails", "Marker", "x")
}

func TestPagesOfAuthorizationDetails(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.detailed()
	arns := func(a *answer) []string {
		var got []string
		for _, list := range []string{"UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"} {
			for _, m := range a.xml.at("GetAccountAuthorizationDetailsResult", list).children {
				got = append(got, m.at("Arn").text)
			}
		}
		return got
	}
	all := arns(x.ok(x.root, "GetAccountAuthorizationDetails"))
	if len(all) != 9 {
		t.Fatalf("%q; want two users, two groups, a role, two policies of the account and two of AWS", all)
	}
	for most := 1; most <= len(all)+1; most++ {
		var got []string
		for marker, pages := "", 0; pages == 0 || marker != ""; pages++ {
			p := ps("MaxItems", fmt.Sprint(most))
			if marker != "" {
				p = append(p, "Marker", marker)
			}
			a := x.ok(x.root, "GetAccountAuthorizationDetails", p...)
			part := arns(a)
			if marker = a.value("GetAccountAuthorizationDetailsResult", "Marker"); marker != "" && len(part) != most || len(part) > most {
				t.Errorf("MaxItems %d: a page of %d", most, len(part))
			}
			got = append(got, part...)
		}
		if !slices.Equal(got, all) {
			t.Errorf("MaxItems %d\n got %q\nwant %q", most, got, all)
		}
	}
}

func TestPoliciesGrantingServiceAccess(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "Bob", "Path", "/u/")
	x.group(x.root, "crew", "Bob")
	x.role(x.root, "job", trustEC2)
	write := func(name, statement string) {
		x.ok(x.root, "PutUserPolicy", "UserName", "Bob", "PolicyName", name, "PolicyDocument", `{"Version":"2012-10-17","Statement":[{"Resource":"*",`+statement+`}]}`)
	}
	write("deny", `"Effect":"Deny","Action":"s3:*"`)
	write("not-s3", `"Effect":"Allow","NotAction":["S3:*","iam:Get*"]`)
	write("not-get", `"Effect":"Allow","NotAction":"s3:Get*"`)
	write("wild", `"Effect":"Allow","Action":["s?:Get*"]`)
	x.groupPolicy(x.root, "crew", "in-group", "Allow S3:List* arn:aws:s3:::b")
	pol := x.managed(x.root, "Pol", document("Allow s3:Get *"))
	x.ok(x.root, "AttachUserPolicy", "UserName", "Bob", "PolicyArn", pol)
	x.ok(x.root, "AttachGroupPolicy", "GroupName", "crew", "PolicyArn", pol) // shown once
	x.ok(x.root, "AttachRolePolicy", "RoleName", "job", "PolicyArn", arnReadOnly)
	x.ok(x.root, "PutRolePermissionsBoundary", "RoleName", "job", "PermissionsBoundary", arnAdministrator) // gives no access

	granting := func(namespace string, policies ...string) string {
		return "member(ServiceNamespace=" + namespace + " Policies(" + strings.Join(policies, " ") + "))"
	}
	answer := func(entries ...string) string {
		return "PoliciesGrantingServiceAccess(" + strings.Join(entries, " ") + ") IsTruncated=false"
	}
	inline := func(kind, entity, name string) string {
		return "member(PolicyName=" + name + " PolicyType=INLINE EntityType=" + kind + " EntityName=" + entity + ")"
	}
	managed := func(arn string) string {
		return "member(PolicyName=" + arn[strings.LastIndexByte(arn, '/')+1:] + " PolicyType=MANAGED PolicyArn=" + arn + ")"
	}
	bob := func(name string) string { return inline("USER", "Bob", name) }
	x.want(answer(granting("s3", bob("not-get"), bob("wild"), managed(pol), inline("GROUP", "crew", "in-group")), granting("iam", bob("not-get"), bob("not-s3")), granting("sqs", bob("not-get"), bob("not-s3"))),
		x.root, "ListPoliciesGrantingServiceAccess", "Arn", arnHere+"user/u/Bob", "ServiceNamespaces.member.1", "s3", "ServiceNamespaces.member.2", "iam", "ServiceNamespaces.member.3", "sqs")
	x.want(answer(granting("s3", inline("GROUP", "crew", "in-group"), managed(pol))), x.root, "ListPoliciesGrantingServiceAccess", "Arn", arnHere+"group/crew", "ServiceNamespaces.member.1", "s3")
	x.want(answer(granting("iam", managed(arnReadOnly)), granting("s3")), x.root, "ListPoliciesGrantingServiceAccess", "Arn", arnHere+"role/job", "ServiceNamespaces.member.1", "iam", "ServiceNamespaces.member.2", "s3")
	for _, c := range []struct{ want, arn string }{
		{"404 NoSuchEntity " + arnHere + "user/Bob cannot be found.", arnHere + "user/Bob"},
		{"404 NoSuchEntity " + arnHere + "user/u/bob cannot be found.", arnHere + "user/u/bob"},
		{"404 NoSuchEntity arn:aws:iam::" + testAccount2 + ":user/u/Bob cannot be found.", "arn:aws:iam::" + testAccount2 + ":user/u/Bob"},
		{"400 InvalidInput ARN " + pol + " is not valid.", pol},
		{"400 ValidationError ARN " + strings.Repeat("x", 20) + " is not valid.", strings.Repeat("x", 20)},
	} {
		x.want(c.want, x.root, "ListPoliciesGrantingServiceAccess", "Arn", c.arn, "ServiceNamespaces.member.1", "s3")
	}
	x.want(badMarker, x.root, "ListPoliciesGrantingServiceAccess", "Arn", arnHere+"role/job", "ServiceNamespaces.member.1", "s3", "Marker", "x")
	x.want(invalid("arn "+notNull, "serviceNamespaces "+notNull), x.root, "ListPoliciesGrantingServiceAccess")
}
