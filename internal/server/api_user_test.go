package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
)

const (
	badUserName   = "400 ValidationError The specified value for userName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	badPath       = "400 ValidationError The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."
	badPathPrefix = "400 ValidationError The specified value for pathPrefix is invalid. It must begin with the / character and contain only alphanumeric characters and/or / characters."
	badMarker     = "400 ValidationError Invalid Marker."
)

func noUser(name string) string {
	return "404 NoSuchEntity The user with name " + name + " cannot be found."
}

// invalid is the error of broken constraints (docs/spec/wire.md 3).
func invalid(items ...string) string {
	for i, item := range items {
		path, text, _ := strings.Cut(item, " ")
		items[i] = "Value at '" + path + "' failed to satisfy constraint: " + text
	}
	frame := "400 ValidationError 1 validation error detected: "
	if len(items) > 1 {
		frame = fmt.Sprintf("400 ValidationError %d validation errors detected: ", len(items))
	}
	return frame + strings.Join(items, "; ")
}

const (
	notNull = "Member must not be null"
	notOver = "Member must have length less than or equal to "
	atLeast = "Member must have length greater than or equal to "
)

// userAs is a user as answers show it.
func userAs(path, name string) string {
	return fmt.Sprintf("Path=%s UserName=%s UserId=AIDA Arn=arn:aws:iam::%s:user%s%s CreateDate=DATE", path, name, testAccount, path, name)
}

func tags(pairs ...string) params {
	var p params
	for i := 0; i < len(pairs); i += 2 {
		p = append(p, fmt.Sprintf("Tags.member.%d.Key", i/2+1), pairs[i], fmt.Sprintf("Tags.member.%d.Value", i/2+1), pairs[i+1])
	}
	return p
}

func tagKeys(keys ...string) params {
	var p params
	for i, k := range keys {
		p = append(p, fmt.Sprintf("TagKeys.member.%d", i+1), k)
	}
	return p
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("User("+userAs("/", "Bob")+")", x.root, "CreateUser", "UserName", "Bob")
	x.want("User("+userAs("/a/b/", "eve")+" Tags(member(Key=Team Value=red) member(Key=empty Value())))", x.root, "CreateUser",
		append(tags("Team", "red", "empty", ""), "UserName", "eve", "Path", "/a/b/")...)
	x.want("User("+userAs("/", "all+=,.@_-1")+")", x.root, "CreateUser", "UserName", "all+=,.@_-1")
	x.want("User("+userAs("/", strings.Repeat("n", 64))+")", x.root, "CreateUser", "UserName", strings.Repeat("n", 64))
	x.want("User("+userAs("/!~"+strings.Repeat("p", 508)+"/", "far")+")", x.root, "CreateUser", "UserName", "far", "Path", "/!~"+strings.Repeat("p", 508)+"/")

	for _, c := range []struct {
		want string
		p    params
	}{
		{invalid("userName " + notNull), nil},
		{invalid("userName " + atLeast + "1"), ps("UserName", "")},
		{invalid("userName " + notOver + "64"), ps("UserName", strings.Repeat("n", 65))},
		{invalid("userName " + notOver + "64"), ps("UserName", strings.Repeat("!", 65))}, // length before characters
		{badUserName, ps("UserName", "a b")},
		{badUserName, ps("UserName", "ü")},
		{badUserName, ps("UserName", "bob\n")},
		{badUserName, ps("UserName", "a/b")},
		{badUserName, ps("UserName", "*")},
		{badPath, ps("UserName", "u", "Path", "a")},
		{badPath, ps("UserName", "u", "Path", "/a")},
		{badPath, ps("UserName", "u", "Path", "a/")},
		{badPath, ps("UserName", "u", "Path", "/a b/")},
		{badPath, ps("UserName", "u", "Path", "/ä/")},
		{invalid("path " + notOver + "512"), ps("UserName", "u", "Path", "/"+strings.Repeat("p", 511)+"/")},
		{invalid("path "+notOver+"512", "userName "+notOver+"64"), ps("UserName", strings.Repeat("n", 65), "Path", "/"+strings.Repeat("p", 511)+"/")},
		{invalid("permissionsBoundary " + atLeast + "20"), ps("UserName", "u", "PermissionsBoundary", "arn")},
		{"400 ValidationError ARN arn:aws:iam::aaaaaaaaaa is not valid.", ps("UserName", "u", "PermissionsBoundary", "arn:aws:iam::aaaaaaaaaa")},
		{"400 InvalidInput ARN arn:aws:iam::111122223333:user/bob is not valid.", ps("UserName", "u", "PermissionsBoundary", "arn:aws:iam::111122223333:user/bob")},
		{"400 InvalidInput ARN arn:aws:s3:::policy/x123456789 is not valid.", ps("UserName", "u", "PermissionsBoundary", "arn:aws:s3:::policy/x123456789")},
		{"404 NoSuchEntity Scope ARN: arn:aws:iam::111122223333:policy/p does not exist or is not attachable.", ps("UserName", "u", "PermissionsBoundary", "arn:aws:iam::111122223333:policy/p")},
		{"409 EntityAlreadyExists User with name Bob already exists.", ps("UserName", "Bob")},
		{"409 EntityAlreadyExists User with name bOB already exists.", ps("UserName", "bOB", "Path", "/elsewhere/")},
		{"400 InvalidInput Duplicate tag keys found. Please note that Tag keys are case insensitive.", append(tags("k", "1", "k", "2"), "UserName", "u")},
		{"400 InvalidInput Duplicate tag keys found. Please note that Tag keys are case insensitive.", append(tags("Key", "1", "x", "", "kEY", "2"), "UserName", "u")},
		{"400 InvalidInput Tag keys that begin with aws: are reserved.", append(tags("AwS:x", "1"), "UserName", "u")},
		{invalid("tags.1.member.key "+atLeast+"1", `tags.1.member.key Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`), append(tags("", "1"), "UserName", "u")},
		{invalid("tags.2.member.key " + notOver + "128"), append(tags("a", "1", strings.Repeat("k", 129), "1"), "UserName", "u")},
		{invalid("tags.1.member.value " + notOver + "256"), append(tags("a", strings.Repeat("v", 257)), "UserName", "u")},
		{invalid(`tags.1.member.key Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`), append(tags("a!", "1"), "UserName", "u")},
		{invalid("tags.1.member.value " + notNull), ps("UserName", "u", "Tags.member.1.Key", "k")},
		{invalid("tags.1.member.key " + notNull), ps("UserName", "u", "Tags.member.1.Value", "k")},
		{invalid("tags " + notOver + "50"), append(manyTags(51), "UserName", "u")},
		{invalid("userName "+notNull, "tags.1.member.value "+notNull), ps("Tags.member.1.Key", "k")},
	} {
		x.want(c.want, x.root, "CreateUser", c.p...)
	}
	x.want("User("+userAs("/", "fifty")+" Tags("+manyTagsShown(50)+"))", x.root, "CreateUser", append(manyTags(50), "UserName", "fifty")...)
	x.want("User("+userAs("/", "none")+")", x.root, "CreateUser", "UserName", "none", "Tags", "") // an empty list, as SDKs send it
	x.want("User("+userAs("/", "case")+")", x.root, "CreateUser", "UserName", "case", "username", "ignored", "Nonsense.member.1", "x")
}

func manyTags(n int) params {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("k%02d", i), "v")
	}
	return tags(pairs...)
}

func manyTagsShown(n int) string {
	var s []string
	for i := range n {
		s = append(s, fmt.Sprintf("member(Key=k%02d Value=v)", i))
	}
	return strings.Join(s, " ")
}

// TestOrderOfChecks: constraints, then authorization, then what exists, then what it holds (docs/spec/wire.md 1.8).
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	mallory := x.user(x.root, "mallory")
	denied := func(action, resource string) string {
		return fmt.Sprintf("403 AccessDenied User: arn:aws:iam::%s:user/mallory is not authorized to perform: iam:%s on resource: arn:aws:iam::%[1]s:%[3]s because no identity-based policy allows the iam:%[2]s action",
			testAccount, action, resource)
	}
	garbage := ps("UserName", "absent", "PolicyName", "p", "PolicyDocument", "{")
	x.want(badUserName, mallory, "CreateUser", "UserName", "a b")
	x.want(denied("CreateUser", "user/mallory"), mallory, "CreateUser", "UserName", "mallory") // not that the name is taken
	x.want(denied("GetUser", "user/absent"), mallory, "GetUser", "UserName", "absent")         // not that there is none
	x.want(denied("PutUserPolicy", "user/absent"), mallory, "PutUserPolicy", garbage...)
	x.want(denied("TagUser", "user/absent"), mallory, "TagUser", append(tags("k", "", "K", ""), "UserName", "absent")...)
	x.want(denied("ListUsers", "user/"), mallory, "ListUsers", "Marker", "forged")
	x.want(noUser("absent"), x.root, "PutUserPolicy", garbage...) // before the document
	x.want(noUser("absent"), x.root, "TagUser", append(tags("k", "", "K", ""), "UserName", "absent")...)
	x.want(noUser("absent"), x.root, "ListUserTags", "UserName", "absent", "Marker", "forged")
	x.want(invalid("tags "+notOver+"50"), x.root, "TagUser", append(manyTags(51), "UserName", "absent")...)
	x.want("400 MalformedInput", x.root, "ListUsers", "MaxItems", "abc", "PathPrefix", "broken") // cannot be read at all
	x.want(invalid("maxItems Member must have value greater than or equal to 1"), mallory, "ListUsers", "MaxItems", "0")
	x.want("400 ValidationError The specified value for accountAlias is invalid. It must not be 12 digits, as account ids are.", mallory, "CreateAccountAlias", "AccountAlias", "123456789012")
}

func TestGetUser(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/Bob")
	x.policy(x.root, "bob", "p", "Allow iam:GetUser *")
	shown := "User(" + userAs("/team/", "Bob") + ")"
	for _, name := range []string{"Bob", "bob", "BOB"} { // found without regard to case, shown as stored
		x.want(shown, x.root, "GetUser", "UserName", name)
	}
	x.want(shown, bob, "GetUser") // a user without a name means itself
	x.want(noUser("nobody"), bob, "GetUser", "UserName", "nobody")
	x.want("User(UserId="+testAccount+" Arn=arn:aws:iam::"+testAccount+":root CreateDate=DATE)", x.root, "GetUser")
	x.ok(x.root, "CreateAccountAlias", "AccountAlias", "acme")
	x.want("User(UserName=acme UserId="+testAccount+" Arn=arn:aws:iam::"+testAccount+":root CreateDate=DATE)", x.root, "GetUser")
	x.want(noUser("acme"), x.root, "GetUser", "UserName", "acme")
	x.want(invalid("userName "+notOver+"128"), x.root, "GetUser", "UserName", strings.Repeat("n", 129))
	x.want(noUser(strings.Repeat("n", 128)), x.root, "GetUser", "UserName", strings.Repeat("n", 128))
	x.want(badUserName, x.root, "GetUser", "UserName", "a b")
	x.want(invalid("userName "+atLeast+"1"), x.root, "GetUser", "UserName", "")

	other := x.addAccount(testAccount2) // the same name is somebody else there
	x.want(noUser("Bob"), other, "GetUser", "UserName", "Bob")
	x.want("Users() IsTruncated=false", other, "ListUsers")
}

func TestUpdateUser(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/a/bob")
	x.ok(x.root, "TagUser", append(tags("k", "v"), "UserName", "bob")...)
	x.policy(x.root, "bob", "pol", "Allow iam:* *")
	x.user(x.root, "alice")
	id := x.ok(x.root, "GetUser", "UserName", "bob").value("GetUserResult", "User", "UserId")
	created := x.ok(x.root, "GetUser", "UserName", "bob").value("GetUserResult", "User", "CreateDate")

	steps := []struct {
		want string
		p    params
		then string // path and name afterwards
	}{
		{"", ps("UserName", "bob", "NewUserName", "Robert"), "/a/Robert"},
		{"", ps("UserName", "robert", "NewUserName", "ROBERT"), "/a/ROBERT"}, // its own name in other letters
		{"", ps("UserName", "robert", "NewPath", "/b/c/"), "/b/c/ROBERT"},
		{"", ps("UserName", "robert"), "/b/c/ROBERT"},
		{"", ps("UserName", "robert", "NewUserName", "ROBERT", "NewPath", "/b/c/"), "/b/c/ROBERT"},
		{"409 EntityAlreadyExists User with name aLICE already exists.", ps("UserName", "robert", "NewUserName", "aLICE", "NewPath", "/x/"), "/b/c/ROBERT"},
		{noUser("bob"), ps("UserName", "bob", "NewUserName", "x"), "/b/c/ROBERT"},
		{invalid("userName " + notNull), ps("NewUserName", "x"), "/b/c/ROBERT"},
		{"400 ValidationError The specified value for newUserName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-",
			ps("UserName", "robert", "NewUserName", "x y"), "/b/c/ROBERT"},
		{invalid("newUserName " + notOver + "64"), ps("UserName", "robert", "NewUserName", strings.Repeat("n", 65)), "/b/c/ROBERT"},
		{"400 ValidationError The specified value for newPath is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
			ps("UserName", "robert", "NewPath", "b"), "/b/c/ROBERT"},
		{"", ps("UserName", "robert", "NewUserName", "bob", "NewPath", "/"), "/bob"},
	}
	for _, s := range steps {
		x.want(s.want, x.root, "UpdateUser", s.p...)
		i := strings.LastIndexByte(s.then, '/') + 1
		path, name := s.then[:i], s.then[i:]
		a := x.want("User("+userAs(path, name)+" Tags(member(Key=k Value=v)))", bob, "GetUser")
		if got := a.value("GetUserResult", "User", "UserId"); got != id {
			t.Errorf("after %v the id is %s, it was %s", s.p, got, id)
		}
		if got := a.value("GetUserResult", "User", "CreateDate"); got != created {
			t.Errorf("after %v the creation date is %s, it was %s", s.p, got, created)
		}
		x.want("PolicyNames(member=pol) IsTruncated=false", x.root, "ListUserPolicies", "UserName", name)
		x.want("AccessKeyMetadata(member(UserName="+name+" AccessKeyId=AKIA Status=Active CreateDate=DATE)) IsTruncated=false", x.root, "ListAccessKeys", "UserName", name)
		x.want(fmt.Sprintf("UserId=AIDA Account=%s Arn=arn:aws:iam::%[1]s:user%s%s", testAccount, path, name), bob, "GetCallerIdentity")
	}
	// The name that was given up is free, and its new owner has nothing of the old one's.
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewUserName", "rob")
	x.want("User("+userAs("/", "bob")+")", x.root, "CreateUser", "UserName", "bob")
	x.want("PolicyNames() IsTruncated=false", x.root, "ListUserPolicies", "UserName", "bob")
	x.want("AccessKeyMetadata() IsTruncated=false", x.root, "ListAccessKeys", "UserName", "bob")
}

func TestUpdateUserWithoutChangeWritesNothing(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.ok(x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Inactive")
	before := x.revision()
	x.ok(x.root, "UpdateUser", "UserName", "bob")
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewUserName", "bob", "NewPath", "/")
	x.ok(x.root, "UntagUser", append(tagKeys("absent"), "UserName", "bob")...)
	x.ok(x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Inactive")
	x.ok(x.root, "DeleteUserPermissionsBoundary", "UserName", "bob")
	if after := x.revision(); after != before {
		t.Errorf("revision %d after calls without effect, before them %d", after, before)
	}
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.ok(x.root, "TagUser", append(tags("k", "v"), "UserName", "bob")...)
	x.policy(x.root, "bob", "p1", "Allow iam:* *")
	x.policy(x.root, "bob", "p2", "Allow iam:* *")
	x.want(invalid("userName "+notNull), x.root, "DeleteUser")
	x.want(noUser("rob"), x.root, "DeleteUser", "UserName", "rob")
	const policies = "409 DeleteConflict Cannot delete entity, must delete policies first."
	x.want(policies, x.root, "DeleteUser", "UserName", "BOB")
	x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "p2")
	x.want(policies, bob, "DeleteUser", "UserName", "bob") // before the keys
	x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "p1")
	const keys = "409 DeleteConflict Cannot delete entity, must delete access keys first."
	x.want(keys, x.root, "DeleteUser", "UserName", "bob")
	x.ok(x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID, "Status", "Inactive")
	x.want(keys, x.root, "DeleteUser", "UserName", "bob") // inactive ones too
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.want("", x.root, "DeleteUser", "UserName", "bob") // tags do not hold it
	x.want(noUser("bob"), x.root, "DeleteUser", "UserName", "bob")
	x.want(noUser("bob"), x.root, "GetUser", "UserName", "bob")
	x.want("User("+userAs("/", "bob")+")", x.root, "CreateUser", "UserName", "bob")
	x.want("Tags() IsTruncated=false", x.root, "ListUserTags", "UserName", "bob")
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("Users() IsTruncated=false", x.root, "ListUsers")
	for _, name := range []string{"/my/B", "/my/sub/a", "/", "/other/C", "/myPath/d", "/_x"} {
		if i := strings.LastIndexByte(name, '/'); name != "/" {
			x.ok(x.root, "CreateUser", append(tags("k", "v"), "Path", name[:i+1], "UserName", name[i+1:])...)
		}
	}
	member := func(path, name string) string { return "member(" + userAs(path, name) + ")" } // no tags
	all := []string{member("/", "_x"), member("/my/sub/", "a"), member("/my/", "B"), member("/other/", "C"), member("/myPath/", "d")}
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"/", all},
		{"/my", []string{all[1], all[2], all[4]}},
		{"/my/", []string{all[1], all[2]}},
		{"/my/sub/", all[1:2]},
		{"/MY/", nil}, // paths have case
		{"/absent/", nil},
	} {
		want := "Users(" + strings.Join(c.want, " ") + ") IsTruncated=false"
		x.want(want, x.root, "ListUsers", "PathPrefix", c.prefix)
	}
	x.want("Users("+strings.Join(all, " ")+") IsTruncated=false", x.root, "ListUsers")
	for _, c := range []struct {
		want string
		p    params
	}{
		{badPathPrefix, ps("PathPrefix", "my/")},
		{invalid("pathPrefix " + notOver + "512"), ps("PathPrefix", "/"+strings.Repeat("p", 512))},
		{invalid("pathPrefix " + atLeast + "1"), ps("PathPrefix", "")},
		{invalid("maxItems Member must have value greater than or equal to 1"), ps("MaxItems", "0")},
		{invalid("maxItems Member must have value greater than or equal to 1"), ps("MaxItems", "-5")},
		{invalid("maxItems Member must have value less than or equal to 1000"), ps("MaxItems", "1001")},
		{"400 MalformedInput", ps("MaxItems", "abc")},
		{"400 MalformedInput", ps("MaxItems", "")},
		{"400 MalformedInput", ps("MaxItems", "99999999999999999999")},
		{invalid("marker " + atLeast + "1"), ps("Marker", "")},
		{invalid("marker " + notOver + "320"), ps("Marker", strings.Repeat("m", 321))},
		{badMarker, ps("Marker", "m\tm")},
		{badMarker, ps("Marker", "€")},
	} {
		x.want(c.want, x.root, "ListUsers", c.p...)
	}
}

func TestUserTags(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	list := func(want string) {
		t.Helper()
		x.want("Tags("+want+") IsTruncated=false", x.root, "ListUserTags", "UserName", "BOB")
	}
	list("")
	x.want("", x.root, "TagUser", append(tags("Team", "red", "Environment", "prod", "empty", ""), "UserName", "bob")...)
	list("member(Key=Environment Value=prod) member(Key=Team Value=red) member(Key=empty Value())") // by key, capitals first
	x.want("", x.root, "TagUser", append(tags("tEAM", "blue", "new", "n"), "UserName", "bob")...)   // the new spelling stays
	list("member(Key=Environment Value=prod) member(Key=empty Value()) member(Key=new Value=n) member(Key=tEAM Value=blue)")
	x.want("User("+userAs("/", "bob")+" Tags(member(Key=tEAM Value=blue) member(Key=Environment Value=prod) member(Key=empty Value()) member(Key=new Value=n)))", x.root, "GetUser", "UserName", "bob")
	x.want("", x.root, "UntagUser", append(tagKeys("NEW", "absent", "empty", "aws:x"), "UserName", "bob")...)
	list("member(Key=Environment Value=prod) member(Key=tEAM Value=blue)")
	x.want("", x.root, "TagUser", "UserName", "bob", "Tags", "")
	x.want("", x.root, "UntagUser", "UserName", "bob", "TagKeys", "")
	list("member(Key=Environment Value=prod) member(Key=tEAM Value=blue)")

	const duplicate = "400 InvalidInput Duplicate tag keys found. Please note that Tag keys are case insensitive."
	const elementTexts = `Member must satisfy constraint: [Member must have length less than or equal to 128, Member must have length greater than or equal to 1, ` +
		`Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+, Member must not be null]`
	for _, c := range []struct {
		want, op string
		p        params
	}{
		{duplicate, "TagUser", append(tags("new", "1", "NEW", "2"), "UserName", "bob")},
		{"400 InvalidInput Tag keys that begin with aws: are reserved.", "TagUser", append(tags("ok", "1", "aws:cloudformation:stack", "2"), "UserName", "bob")},
		{invalid("tags " + notNull), "TagUser", ps("UserName", "bob")},
		{invalid("userName " + notNull), "TagUser", tags("k", "v")},
		{invalid("tags " + notOver + "50"), "TagUser", append(manyTags(51), "UserName", "bob")},
		{"409 LimitExceeded The number of tags has reached the maximum limit.", "TagUser", append(manyTags(49), "UserName", "bob")},
		{noUser("rob"), "TagUser", append(tags("k", "v"), "UserName", "rob")},
		{invalid("tagKeys " + notNull), "UntagUser", ps("UserName", "bob")},
		{invalid("tagKeys " + notOver + "50"), "UntagUser", append(tagKeys(slices.Repeat([]string{"k"}, 51)...), "UserName", "bob")},
		{invalid("tagKeys " + elementTexts), "UntagUser", append(tagKeys("ok", strings.Repeat("k", 129)), "UserName", "bob")},
		{invalid("tagKeys " + elementTexts), "UntagUser", append(tagKeys("!"), "UserName", "bob")},
		{noUser("rob"), "UntagUser", append(tagKeys("k"), "UserName", "rob")},
		{noUser("rob"), "ListUserTags", ps("UserName", "rob")},
		{invalid("userName " + notNull), "ListUserTags", nil},
		{badMarker, "ListUserTags", ps("UserName", "bob", "Marker", "x")},
	} {
		x.want(c.want, x.root, c.op, c.p...)
	}
	list("member(Key=Environment Value=prod) member(Key=tEAM Value=blue)") // all or nothing
	x.want("", x.root, "TagUser", append(manyTags(48), "UserName", "bob")...)
	x.want("", x.root, "TagUser", append(tags("environment", "dev"), "UserName", "bob")...) // full, but this one is there
	x.want("409 LimitExceeded The number of tags has reached the maximum limit.", x.root, "TagUser", append(tags("one", "more"), "UserName", "bob")...)
}

func TestUserBoundary(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	const put, del = "PutUserPermissionsBoundary", "DeleteUserPermissionsBoundary"
	const absent = "arn:aws:iam::111122223333:policy/absent"
	for _, c := range []struct {
		want, op string
		p        params
	}{
		{noUser("rob"), put, ps("UserName", "rob", "PermissionsBoundary", "not an arn at all, but long")},
		{"400 ValidationError ARN not an arn at all, but long is not valid.", put, ps("UserName", "bob", "PermissionsBoundary", "not an arn at all, but long")},
		{"400 InvalidInput ARN arn:aws:iam::111122223333:not_a_policy/invalid is not valid.", put, ps("UserName", "bob", "PermissionsBoundary", "arn:aws:iam::111122223333:not_a_policy/invalid")},
		{"404 NoSuchEntity Scope ARN: " + absent + " does not exist or is not attachable.", put, ps("UserName", "bob", "PermissionsBoundary", absent)},
		{invalid("userName "+notNull, "permissionsBoundary "+notNull), put, nil},
		{invalid("permissionsBoundary " + notOver + "2048"), put, ps("UserName", "bob", "PermissionsBoundary", "arn:aws:iam::111122223333:policy/"+strings.Repeat("x", 2048))},
		{"", del, ps("UserName", "bob")},
		{noUser("rob"), del, ps("UserName", "rob")},
		{invalid("userName " + notNull), del, nil},
	} {
		x.want(c.want, x.root, c.op, c.p...)
	}
	x.want("User("+userAs("/", "bob")+")", x.root, "GetUser", "UserName", "bob")
}

func TestListGroupsForUser(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	x.want("Groups() IsTruncated=false", x.root, "ListGroupsForUser", "UserName", "bob", "MaxItems", "1")
	x.want(noUser("rob"), x.root, "ListGroupsForUser", "UserName", "rob")
	x.want(invalid("userName "+notNull), x.root, "ListGroupsForUser")
	x.want(badMarker, x.root, "ListGroupsForUser", "UserName", "bob", "Marker", "x")
}

func TestUserQuota(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	if err := q.Set("UsersPerAccount", 2); err != nil {
		t.Fatal(err)
	}
	x := openAPI(t, q)
	x.ok(x.root, "CreateUser", "UserName", "a")
	x.ok(x.root, "CreateUser", "UserName", "b")
	x.want("409 LimitExceeded Cannot exceed quota for UsersPerAccount: 2", x.root, "CreateUser", "UserName", "c")
	x.want("409 EntityAlreadyExists User with name A already exists.", x.root, "CreateUser", "UserName", "A") // existence before quotas
	other := x.addAccount(testAccount2)
	x.ok(other, "CreateUser", "UserName", "c") // every account has its own
	x.ok(x.root, "DeleteUser", "UserName", "a")
	x.ok(x.root, "CreateUser", "UserName", "c")
}
