package server

import (
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

func noVersion(arn, id string) string {
	return "404 NoSuchEntity Policy " + arn + " version " + id + " does not exist or is not attachable."
}

func TestPolicyVersions(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	arn := x.managed(x.root, "/a/Pol", doc)
	on := func(op string, p ...string) *answer {
		t.Helper()
		return x.ok(x.root, op, append(p, "PolicyArn", arn)...)
	}
	x.want("PolicyVersion(VersionId=v2 IsDefaultVersion=false CreateDate=DATE)", x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", document("Deny iam:* *"))
	x.want("PolicyVersion(VersionId=v3 IsDefaultVersion=true CreateDate=DATE)", x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", doc, "SetAsDefault", "true")
	x.want("Versions(member(VersionId=v3 IsDefaultVersion=true CreateDate=DATE) member(VersionId=v2 IsDefaultVersion=false CreateDate=DATE) member(VersionId=v1 IsDefaultVersion=false CreateDate=DATE)) IsTruncated=false",
		x.root, "ListPolicyVersions", "PolicyArn", arn)
	x.want("PolicyVersion(Document="+encoded(document("Deny iam:* *"))+" VersionId=v2 IsDefaultVersion=false CreateDate=DATE)", x.root, "GetPolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	x.want("", x.root, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	x.want("", x.root, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v2") // again
	x.want("Policy("+policyAs("/a/", "Pol", "v2", 0, 0)+dates+" Tags())", x.root, "GetPolicy", "PolicyArn", arn)
	x.want("409 DeleteConflict Cannot delete the default version of a policy.", x.root, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	x.want("", x.root, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v3")
	x.want(noVersion(arn, "v3"), x.root, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v3")
	on("CreatePolicyVersion", "PolicyDocument", doc) // v4: a number is never given twice
	if got := on("ListPolicyVersions").all("VersionId"); !slices.Equal(got, []string{"v4", "v2", "v1"}) {
		t.Errorf("versions %q", got)
	}
	for most := 1; most <= 4; most++ {
		if got := x.pages(x.root, "ListPolicyVersions", "VersionId", ps("PolicyArn", arn), most, nil); !slices.Equal(got, []string{"v4", "v2", "v1"}) {
			t.Errorf("MaxItems %d: versions %q", most, got)
		}
	}
	x.want(badMarker, x.root, "ListPolicyVersions", "PolicyArn", arn, "Marker", "x")

	absent := arnHere + "policy/absent"
	badID := invalid(`versionId Member must satisfy regular expression pattern: v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)
	for _, op := range []string{"GetPolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"} {
		for _, id := range []string{"v9", "v2.x", "v4294967297", "v4294967298", "v99999999999999999999999"} { // 2³²+2 is not 2
			x.want(noVersion(arn, id), x.root, op, "PolicyArn", arn, "VersionId", id)
		}
		for _, id := range []string{"2", "v0", "V2", "v2 ", "wrong"} {
			x.want(badID, x.root, op, "PolicyArn", arn, "VersionId", id)
		}
		x.want("400 ValidationError ARN longpolicynamebutnoarn is not valid.", x.root, op, "PolicyArn", "longpolicynamebutnoarn", "VersionId", "v1")
		x.want(invalid("policyArn "+notNull, "versionId "+notNull), x.root, op)
	}
	x.want(noVersion(absent, "v1"), x.root, "GetPolicyVersion", "PolicyArn", absent, "VersionId", "v1")
	x.want(noVersion(absent, "v1"), x.root, "SetDefaultPolicyVersion", "PolicyArn", absent, "VersionId", "v1")
	x.want(noPolicy(absent), x.root, "DeletePolicyVersion", "PolicyArn", absent, "VersionId", "v1")
	x.want(noPolicy(absent), x.root, "CreatePolicyVersion", "PolicyArn", absent, "PolicyDocument", "{") // the policy before the document
	x.want("400 MalformedPolicyDocument Syntax errors in policy.", x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", "{")
	x.want(invalid("policyArn "+notNull, "policyDocument "+notNull), x.root, "CreatePolicyVersion")
}

func TestPolicyVersionQuota(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	for _, most := range []int{5, 2} {
		q.VersionsPerPolicy = most
		x := openAPI(t, q)
		arn := x.managed(x.root, "p", doc)
		for range most - 1 {
			x.ok(x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", doc)
		}
		x.want("409 LimitExceeded A managed policy can have up to "+string(rune('0'+most))+" versions. Before you create a new version, you must delete an existing version.",
			x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", doc)
		x.ok(x.root, "DeletePolicyVersion", "PolicyArn", arn, "VersionId", "v2")
		x.ok(x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", doc)
	}
}

// TestDefaultVersionCounts: what a policy allows is what its default version says, from the call after the change on.
func TestDefaultVersionCounts(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	arn := x.managed(x.root, "p", document("Allow iam:GetUser *"))
	x.ok(x.root, "AttachUserPolicy", "UserName", "bob", "PolicyArn", arn)
	denied := "403 AccessDenied User: " + arnHere + "user/bob is not authorized to perform: iam:GetUser on resource: " + arnHere + "user/bob "
	is := func(want string) {
		t.Helper()
		if got := x.call(bob, "GetUser", nil).String(); !strings.HasPrefix(got, want) {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	is("User(")
	x.ok(x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", document("Deny iam:GetUser *"))
	is("User(") // not the default
	x.ok(x.root, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v2")
	is(denied + "with an explicit deny in an identity-based policy: " + arn)
	x.ok(x.root, "CreatePolicyVersion", "PolicyArn", arn, "PolicyDocument", document("Allow s3:Get *"), "SetAsDefault", "true")
	is(denied + "because no identity-based policy allows the iam:GetUser action")
	x.ok(x.root, "SetDefaultPolicyVersion", "PolicyArn", arn, "VersionId", "v1")
	is("User(")
}

func TestPolicyTags(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	arn := x.managed(x.root, "/div/p", doc)
	list := func(want string) {
		t.Helper()
		x.want("Tags("+want+") IsTruncated=false", x.root, "ListPolicyTags", "PolicyArn", arn)
	}
	list("")
	on := func(p ...string) params { return append(p, "PolicyArn", arn) }
	x.want("", x.root, "TagPolicy", on(tags("abc", "1", "b", "2", "z", "3", "a", "4", "A", "5")...)...)
	list("member(Key=A Value=5) member(Key=a Value=4) member(Key=b Value=2) member(Key=z Value=3) member(Key=abc Value=1)") // shorter keys first
	x.want("", x.root, "TagPolicy", on(tags("a", "new")...)...)
	x.want("", x.root, "UntagPolicy", on("TagKeys.member.1", "A", "TagKeys.member.2", "z", "TagKeys.member.3", "Z", "TagKeys.member.4", "absent")...)
	list("member(Key=a Value=new) member(Key=b Value=2) member(Key=abc Value=1)")
	for most := 1; most <= 3; most++ {
		if got := x.pages(x.root, "ListPolicyTags", "Key", on(), most, nil); !slices.Equal(got, []string{"a", "b", "abc"}) {
			t.Errorf("MaxItems %d: keys %q", most, got)
		}
	}
	first := x.ok(x.root, "ListPolicyTags", on("MaxItems", "1")...).value("ListPolicyTagsResult", "Marker")
	x.ok(x.root, "UntagPolicy", on("TagKeys.member.1", "a")...) // the one that the marker remembers
	x.want("Tags(member(Key=b Value=2) member(Key=abc Value=1)) IsTruncated=false", x.root, "ListPolicyTags", on("Marker", first)...)

	absent := arnHere + "policy/absent"
	x.want("400 InvalidInput Duplicate tag keys found.", x.root, "TagPolicy", on(tags("0", "", "0", "")...)...)
	x.want(noPolicy(absent), x.root, "TagPolicy", append(tags("0", "", "0", ""), "PolicyArn", absent)...)
	x.want(noPolicy(absent), x.root, "UntagPolicy", "PolicyArn", absent, "TagKeys.member.1", "k")
	x.want(badMarker, x.root, "ListPolicyTags", on("Marker", "x")...)
	x.want(invalid("policyArn "+notNull, "tags "+notNull), x.root, "TagPolicy")
	x.want(invalid("policyArn "+notNull, "tagKeys "+notNull), x.root, "UntagPolicy")

	var many params
	for i := range 48 {
		many = append(many, string(rune('A'+i%26))+string(rune('a'+i/26)), "v")
	}
	x.ok(x.root, "TagPolicy", on(tags(many...)...)...)
	x.want("409 LimitExceeded The number of tags has reached the maximum limit.", x.root, "TagPolicy", on(tags("more", "v")...)...)
	x.ok(x.root, "TagPolicy", on(tags("b", "again")...)...)
}

// TestPolicyTagsDecide: the tags of a policy are aws:ResourceTag and iam:ResourceTag of what is done to it, those of a request aws:RequestTag.
func TestPolicyTagsDecide(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	arn := x.managed(x.root, "p", doc)
	x.ok(x.root, "TagPolicy", append(tags("team", "a"), "PolicyArn", arn)...)
	statement := func(action, condition string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"` + action + `","Resource":"` + arn + `","Condition":` + condition + `}}`
	}
	allowed := func(want bool, op string, p ...string) {
		t.Helper()
		if a := x.call(bob, op, append(p, "PolicyArn", arn)); (a.code() != "AccessDenied") != want {
			t.Errorf("%s %v: %s; want allowed %t", op, p, a, want)
		}
	}
	for _, key := range []string{"aws:ResourceTag/team", "iam:ResourceTag/team"} {
		for value, want := range map[string]bool{"a": true, "b": false} {
			x.put(x.root, "bob", "p", statement("iam:*", `{"StringEquals":{"`+key+`":"`+value+`"}}`))
			allowed(want, "GetPolicy")
			allowed(want, "ListEntitiesForPolicy")
			allowed(want, "CreatePolicyVersion", "PolicyDocument", "{")
			allowed(want, "UntagPolicy", "TagKeys.member.1", "k")
		}
	}
	x.put(x.root, "bob", "p", statement("iam:TagPolicy", `{"StringEquals":{"aws:RequestTag/team":"a"}}`))
	allowed(true, "TagPolicy", tags("team", "a")...)
	allowed(false, "TagPolicy", tags("team", "b")...)
	x.put(x.root, "bob", "p", statement("iam:*tagPolicy", `{"ForAllValues:StringEquals":{"aws:TagKeys":["team","x"]}}`))
	allowed(true, "UntagPolicy", "TagKeys.member.1", "x")
	allowed(false, "UntagPolicy", "TagKeys.member.1", "x", "TagKeys.member.2", "y")
}
