package server

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

const trustEC2 = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

const badRoleName = "400 ValidationError The specified value for roleName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"

func noRole(name string) string {
	return "404 NoSuchEntity The role with name " + name + " cannot be found."
}

func protected(name string) string {
	return "400 UnmodifiableEntity Cannot perform the operation on the protected role '" + name + "' - this role is only modifiable by AWS"
}

// role makes a role. name may have a path in front.
func (x *apiTest) role(by caller, name, trust string, more ...string) *answer {
	x.Helper()
	path := "/"
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		path, name = name[:i+1], name[i+1:]
	}
	return x.ok(by, "CreateRole", append(more, "RoleName", name, "Path", path, "AssumeRolePolicyDocument", trust)...)
}

// putRole changes the record of a role of the test account, or makes one that the API does not make.
func (x *apiTest) putRole(role *state.Role) {
	x.Helper()
	unit := state.AccountUnit(testAccount)
	x.must(x.cell.store.Update(x.Context(), []string{unit}, func(tx *state.Tx) error { tx.Put(unit, role); return nil }))
}

// roleAs is what every answer shows of a role.
func roleAs(path, name, trust string) string {
	return fmt.Sprintf("Path=%s RoleName=%s RoleId=AROA Arn=arn:aws:iam::%s:role%[1]s%[2]s CreateDate=DATE AssumeRolePolicyDocument=%[4]s",
		path, name, testAccount, encoded(trust))
}

// encoded is a policy document as answers have it (docs/spec/wire.md 1.3).
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

func newRole(name, trust string, more ...string) params {
	return append(ps("RoleName", name, "AssumeRolePolicyDocument", trust), more...)
}

func TestCreateRole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("Role("+roleAs("/", "Job", trustEC2)+")", x.root, "CreateRole", newRole("Job", trustEC2)...)
	// Neither description nor duration are in the answer.
	x.want("Role("+roleAs("/a/b/", "full", trustEC2)+" Tags(member(Key=Team Value=red) member(Key=empty Value())))", x.root, "CreateRole",
		append(tags("Team", "red", "empty", ""), newRole("full", trustEC2, "Path", "/a/b/", "Description", "what it does", "MaxSessionDuration", "43200")...)...)
	x.want("Role("+roleAs("/a/b/", "full", trustEC2)+" Description=what it does MaxSessionDuration=43200 Tags(member(Key=Team Value=red) member(Key=empty Value())) RoleLastUsed())",
		x.root, "GetRole", "RoleName", "full")
	x.want("Role("+roleAs("/", strings.Repeat("n", 64), trustEC2)+")", x.root, "CreateRole", newRole(strings.Repeat("n", 64), trustEC2)...)
	x.user(x.root, "taken") // users and roles are separate
	x.role(x.root, "taken", trustEC2)

	const duplicates = "400 InvalidInput Duplicate tag keys found. Please note that Tag keys are case insensitive."
	duration := "maxSessionDuration Member must have value "
	for _, c := range []struct {
		want string
		p    params
	}{
		{invalid("roleName "+notNull, "assumeRolePolicyDocument "+notNull), nil},
		{invalid("roleName " + atLeast + "1"), newRole("", trustEC2)},
		{invalid("roleName " + notOver + "64"), newRole(strings.Repeat("n", 65), trustEC2)},
		{badRoleName, newRole("a b", trustEC2)},
		{badRoleName, newRole("a/b", trustEC2)},
		{badPath, newRole("r", trustEC2, "Path", "/a")},
		{invalid("assumeRolePolicyDocument " + atLeast + "1"), newRole("r", "")},
		{"400 ValidationError The specified value for assumeRolePolicyDocument is invalid. It must contain only printable ASCII characters.", newRole("r", "{\"\u0100\"}")},
		{invalid("description " + notOver + "1000"), newRole("r", trustEC2, "Description", strings.Repeat("d", 1001))},
		{invalid(duration + "greater than or equal to 3600"), newRole("r", trustEC2, "MaxSessionDuration", "3599")},
		{invalid(duration + "less than or equal to 43200"), newRole("r", trustEC2, "MaxSessionDuration", "43201")},
		{"400 MalformedInput", newRole("r", trustEC2, "MaxSessionDuration", "1h")},
		{invalid("permissionsBoundary " + atLeast + "20"), newRole("r", trustEC2, "PermissionsBoundary", "arn")},
		{"400 ValidationError ARN arn:aws:iam::aaaaaaaaaa is not valid.", newRole("r", trustEC2, "PermissionsBoundary", "arn:aws:iam::aaaaaaaaaa")},
		{"400 InvalidInput ARN arn:aws:iam::111122223333:not_a_policy/invalid is not valid.", newRole("r", trustEC2, "PermissionsBoundary", arnHere+"not_a_policy/invalid")},
		{"404 NoSuchEntity Scope ARN: arn:aws:iam::111122223333:policy/p does not exist or is not attachable.", newRole("r", trustEC2, "PermissionsBoundary", arnHere+"policy/p")},
		{"409 EntityAlreadyExists Role with name Job already exists.", newRole("Job", trustEC2)},
		{"409 EntityAlreadyExists Role with name jOB already exists.", newRole("jOB", trustEC2, "Path", "/elsewhere/")},
		{"400 MalformedPolicyDocument This policy contains invalid Json", newRole("Job", "{")}, // before the name that is taken
		{duplicates, append(tags("k", "1", "k", "2"), newRole("r", trustEC2)...)},
		{duplicates, append(tags("mykey", "1", "MyKey", "2"), newRole("r", trustEC2)...)},
		{"400 InvalidInput Tag keys that begin with aws: are reserved.", append(tags("aws:x", "1"), newRole("r", trustEC2)...)},
		{invalid("tags " + notOver + "50"), append(manyTags(51), newRole("r", trustEC2)...)},
		{"400 InvalidInput Paths that begin with /aws-service-role/ or /aws-reserved/ are reserved.", newRole("AWSServiceRoleForX", trustEC2, "Path", "/aws-service-role/x.amazonaws.com/")},
		{"400 InvalidInput Paths that begin with /aws-service-role/ or /aws-reserved/ are reserved.", newRole("AWSReservedSSO_x", trustEC2, "Path", "/aws-reserved/sso.amazonaws.com/")},
	} {
		x.want(c.want, x.root, "CreateRole", c.p...)
	}
}

func TestGetRole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.role(x.root, "/team/Job", trustEC2)
	for _, name := range []string{"Job", "job", "JOB"} {
		x.want("Role("+roleAs("/team/", "Job", trustEC2)+" MaxSessionDuration=3600 RoleLastUsed())", x.root, "GetRole", "RoleName", name)
	}
	x.want(noRole("absent"), x.root, "GetRole", "RoleName", "absent")
	x.want(badRoleName, x.root, "GetRole", "RoleName", "a b")
	x.want(noRole("Job"), x.addAccount(testAccount2), "GetRole", "RoleName", "Job")

	id := x.ok(x.root, "GetRole", "RoleName", "Job").value("GetRoleResult", "Role", "RoleId")
	x.cell.usage.Seen(testAccount, id, "s3", "eu-central-1", time.Now())
	x.want("Role("+roleAs("/team/", "Job", trustEC2)+" MaxSessionDuration=3600 RoleLastUsed(LastUsedDate=DATE Region=eu-central-1))", x.root, "GetRole", "RoleName", "Job")
	x.want("Roles(member("+roleAs("/team/", "Job", trustEC2)+" MaxSessionDuration=3600)) IsTruncated=false", x.root, "ListRoles")
}

func TestUpdateRole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.role(x.root, "/a/Job", trustEC2)
	shown := func(description, duration string) {
		t.Helper()
		if description != "" {
			description = " Description" + description
		}
		x.want("Role("+roleAs("/a/", "Job", trustEC2)+description+" MaxSessionDuration="+duration+" RoleLastUsed())", x.root, "GetRole", "RoleName", "job")
		x.want("Roles(member("+roleAs("/a/", "Job", trustEC2)+description+" MaxSessionDuration="+duration+")) IsTruncated=false", x.root, "ListRoles")
	}
	shown("", "3600")
	x.want("UpdateRoleResult()", x.root, "UpdateRole", "RoleName", "job", "Description", "one", "MaxSessionDuration", "7200")
	shown("=one", "7200")
	x.want("UpdateRoleResult()", x.root, "UpdateRole", "RoleName", "job")
	shown("=one", "7200")
	x.want("UpdateRoleResult()", x.root, "UpdateRole", "RoleName", "job", "MaxSessionDuration", "3601")
	shown("=one", "3601")
	x.want("Role("+roleAs("/a/", "Job", trustEC2)+" Description=two)", x.root, "UpdateRoleDescription", "RoleName", "job", "Description", "two")
	shown("=two", "3601")
	x.want("UpdateRoleResult()", x.root, "UpdateRole", "RoleName", "job", "Description", "")
	shown("()", "3601") // an empty one is kept
	x.want("Role("+roleAs("/a/", "Job", trustEC2)+" Description())", x.root, "UpdateRoleDescription", "RoleName", "job", "Description", "")

	x.want(noRole("absent"), x.root, "UpdateRole", "RoleName", "absent", "Description", "x")
	x.want(noRole("absent"), x.root, "UpdateRoleDescription", "RoleName", "absent", "Description", "x")
	x.want(invalid("description "+notNull), x.root, "UpdateRoleDescription", "RoleName", "job")
	x.want(invalid("maxSessionDuration Member must have value less than or equal to 43200"), x.root, "UpdateRole", "RoleName", "absent", "MaxSessionDuration", "43201")
}

func TestDeleteRole(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want(noRole("absent"), x.root, "DeleteRole", "RoleName", "absent")
	boundary := x.managedPolicy(x.root, "B", "Allow iam:* *")
	a := x.role(x.root, "/p/Job", trustEC2, append(tags("k", "v"), "PermissionsBoundary", boundary)...)
	id := a.value("CreateRoleResult", "Role", "RoleId")
	unit := state.AccountUnit(testAccount)
	inline := &state.InlinePolicy{InlinePolicy: statepb.InlinePolicy{Owner: id, Name: "p"}}
	attached := &state.Attachment{Attachment: statepb.Attachment{Owner: id, Policy: boundary}}
	put := func(fn func(*state.Tx)) {
		t.Helper()
		x.must(x.cell.store.Update(t.Context(), []string{unit}, func(tx *state.Tx) error { fn(tx); return nil }))
	}
	put(func(tx *state.Tx) {
		tx.Put(unit, inline.WithDocument(x.compiled(document("Allow s3:* *"))))
		tx.Put(unit, attached)
	})
	x.want("409 DeleteConflict Cannot delete entity, must detach all policies first.", x.root, "DeleteRole", "RoleName", "job")
	put(func(tx *state.Tx) { tx.Delete(unit, attached) })
	x.want("409 DeleteConflict Cannot delete entity, must delete policies first.", x.root, "DeleteRole", "RoleName", "job")
	put(func(tx *state.Tx) { tx.Delete(unit, inline) })
	x.want("InstanceProfiles() IsTruncated=false", x.root, "ListInstanceProfilesForRole", "RoleName", "job")
	x.want(badMarker, x.root, "ListInstanceProfilesForRole", "RoleName", "job", "Marker", "x")
	x.want("", x.root, "DeleteRole", "RoleName", "JOB")
	x.want(noRole("job"), x.root, "GetRole", "RoleName", "job")
	x.want(noRole("job"), x.root, "ListInstanceProfilesForRole", "RoleName", "job")
	if b := x.cell.store.View().Account(testAccount).Boundary(id); b != nil {
		t.Error("the boundary of a deleted role is left")
	}
	x.want("Role("+roleAs("/", "Job", trustEC2)+")", x.root, "CreateRole", newRole("Job", trustEC2)...) // with nothing of the old one
}

// TestProtectedRoles: docs/spec/evaluation.md 6.9. Nothing makes such roles yet but a hand in the store.
func TestProtectedRoles(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	for name, path := range map[string]string{"AWSServiceRoleForX": "/aws-service-role/x.amazonaws.com/", "AWSReservedSSO_x": "/aws-reserved/sso.amazonaws.com/"} {
		linked := strings.HasPrefix(path, "/aws-service-role/")
		x.role(x.root, name, trustEC2)
		changed := x.cell.store.View().Account(testAccount).RoleByName(name).Clone()
		changed.Path = path
		x.putRole(changed)
		for _, c := range []struct {
			op     string
			p      params
			linked bool // allowed on service-linked roles
		}{
			{"DeleteRole", nil, false},
			{"UpdateAssumeRolePolicy", ps("PolicyDocument", "{"), false},
			{"PutRolePermissionsBoundary", ps("PermissionsBoundary", arnHere+"policy/absent"), false},
			{"DeleteRolePermissionsBoundary", nil, false},
			{"UpdateRole", ps("Description", "d", "MaxSessionDuration", "3600"), false},
			{"UpdateRole", ps("Description", "d"), true},
			{"UpdateRoleDescription", ps("Description", "d"), true},
			{"TagRole", tags("k", "v"), true},
			{"UntagRole", tagKeys("k"), true},
		} {
			a := x.call(x.root, c.op, append(c.p, "RoleName", name))
			if c.linked && linked {
				if a.status != 200 {
					t.Errorf("%s of %s: %s", c.op, name, a)
				}
			} else if a.String() != protected(name) {
				t.Errorf("%s of %s: %s", c.op, name, a)
			}
		}
		x.ok(x.root, "GetRole", "RoleName", name)
	}
}

func TestListRoles(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	boundary := x.managedPolicy(x.root, "B", "Allow iam:* *")
	x.role(x.root, "/a/b/Two", trustEC2, append(tags("k", "v"), "PermissionsBoundary", boundary, "Description", "d", "MaxSessionDuration", "4000")...)
	x.role(x.root, "/a/one", trustEC2)
	x.role(x.root, "three", trustEC2)
	one := "member(" + roleAs("/a/", "one", trustEC2) + " MaxSessionDuration=3600)"
	two := "member(" + roleAs("/a/b/", "Two", trustEC2) + " Description=d MaxSessionDuration=4000)" // no tags, no boundary, no last use
	three := "member(" + roleAs("/", "three", trustEC2) + " MaxSessionDuration=3600)"
	x.want("Roles("+one+" "+three+" "+two+") IsTruncated=false", x.root, "ListRoles")
	x.want("Roles("+one+" "+two+") IsTruncated=false", x.root, "ListRoles", "PathPrefix", "/a/")
	x.want("Roles("+two+") IsTruncated=false", x.root, "ListRoles", "PathPrefix", "/a/b")
	x.want("Roles() IsTruncated=false", x.root, "ListRoles", "PathPrefix", "/nonexistent-path/")
	x.want(badPathPrefix, x.root, "ListRoles", "PathPrefix", "a/")

	first := x.ok(x.root, "ListRoles", "MaxItems", "1", "PathPrefix", "/a/")
	marker := first.value("ListRolesResult", "Marker")
	if got := first.String(); got != "Roles("+one+") IsTruncated=true Marker="+marker || marker == "" {
		t.Errorf("first page: %s", got)
	}
	x.want("Roles("+two+") IsTruncated=false", x.root, "ListRoles", "MaxItems", "1", "PathPrefix", "/a/", "Marker", marker)
	x.ok(x.root, "DeleteRole", "RoleName", "one") // the place is known by name, not by what stands there
	x.want("Roles("+two+") IsTruncated=false", x.root, "ListRoles", "PathPrefix", "/a/", "Marker", marker)
	x.want(badMarker, x.root, "ListUsers", "Marker", marker)
	x.want(badMarker, x.root, "ListRoles", "Marker", "forged")
}

func TestRoleQuotas(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	q.RolesPerAccount, q.ACLSizePerRole = 2, len(trustEC2)
	x := openAPI(t, q)
	x.want("409 LimitExceeded Cannot exceed quota for ACLSizePerRole: "+fmt.Sprint(len(trustEC2)), x.root, "CreateRole",
		newRole("big", strings.Replace(trustEC2, "ec2", "ec22", 1))...)
	spaced := strings.ReplaceAll(trustEC2, `":`, "\" : \t\r\n") // white space does not count
	x.want("Role("+roleAs("/", "a", spaced)+")", x.root, "CreateRole", newRole("a", spaced)...)
	x.role(x.root, "b", trustEC2)
	x.want("409 LimitExceeded Cannot exceed quota for RolesPerAccount: 2", x.root, "CreateRole", newRole("c", trustEC2)...)
	x.want("409 EntityAlreadyExists Role with name B already exists.", x.root, "CreateRole", newRole("B", trustEC2)...) // before quotas
	x.want("409 LimitExceeded Cannot exceed quota for ACLSizePerRole: "+fmt.Sprint(len(trustEC2)), x.root, "UpdateAssumeRolePolicy",
		"RoleName", "a", "PolicyDocument", strings.Replace(trustEC2, "ec2", "ec22", 1))
	x.ok(x.root, "DeleteRole", "RoleName", "b")
	x.role(x.root, "c", trustEC2)
}

func TestRoleTags(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.role(x.root, "Job", trustEC2)
	list := func(want string) {
		t.Helper()
		x.want(want+" IsTruncated=false", x.root, "ListRoleTags", "RoleName", "JOB")
	}
	on := ps("RoleName", "job")
	list("Tags()")
	x.want("", x.root, "TagRole", append(tags("somekey", "somevalue", "other", ""), on...)...)
	list("Tags(member(Key=other Value()) member(Key=somekey Value=somevalue))")
	x.want("", x.root, "TagRole", append(tags("SomeKey", "new"), on...)...) // the new spelling is kept
	list("Tags(member(Key=SomeKey Value=new) member(Key=other Value()))")
	x.want("Role("+roleAs("/", "Job", trustEC2)+" MaxSessionDuration=3600 Tags(member(Key=SomeKey Value=new) member(Key=other Value())) RoleLastUsed())",
		x.root, "GetRole", on...)
	x.want("", x.root, "UntagRole", append(tagKeys("SOMEKEY", "absent"), on...)...)
	list("Tags(member(Key=other Value()))")

	const duplicates = "400 InvalidInput Duplicate tag keys found. Please note that Tag keys are case insensitive."
	x.want(duplicates, x.root, "TagRole", append(tags("k", "1", "K", "2"), on...)...)
	x.want("400 InvalidInput Tag keys that begin with aws: are reserved.", x.root, "TagRole", append(tags("AWS:k", "1"), on...)...)
	for op, p := range map[string]params{"TagRole": tags("k", "v"), "UntagRole": tagKeys("k"), "ListRoleTags": nil} {
		x.want(noRole("absent"), x.root, op, append(p, "RoleName", "absent")...)
		x.want(badRoleName, x.root, op, append(p, "RoleName", "a b")...)
	}
	x.want(invalid("tags "+notOver+"50"), x.root, "TagRole", append(manyTags(51), "RoleName", "absent")...)
	x.want("409 LimitExceeded The number of tags has reached the maximum limit.", x.root, "TagRole", append(manyTags(50), on...)...)
	list("Tags(member(Key=other Value()))") // all or nothing
	x.ok(x.root, "UntagRole", append(tagKeys("other"), on...)...)
	x.ok(x.root, "TagRole", append(manyTags(50), on...)...)
	page := x.ok(x.root, "ListRoleTags", append(ps("MaxItems", "49"), on...)...)
	marker := page.value("ListRoleTagsResult", "Marker")
	x.want("Tags(member(Key=k49 Value=v)) IsTruncated=false", x.root, "ListRoleTags", append(ps("Marker", marker), on...)...)
	x.user(x.root, "bob")
	x.want(badMarker, x.root, "ListUserTags", "UserName", "bob", "Marker", marker)
}
