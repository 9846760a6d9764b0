package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

const (
	badGroupName = "400 ValidationError The specified value for groupName is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
	badNewPath   = "400 ValidationError The specified value for newPath is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters."
)

func noGroup(name string) string {
	return "404 NoSuchEntity The group with name " + name + " cannot be found."
}

// groupAs is a group as answers show it.
func groupAs(path, name string) string {
	return fmt.Sprintf("Path=%s GroupName=%s GroupId=AGPA Arn=arn:aws:iam::%s:group%s%s CreateDate=DATE", path, name, testAccount, path, name)
}

// group makes a group of users. name may have a path in front: /team/crew.
func (x *apiTest) group(by caller, name string, users ...string) {
	x.Helper()
	i := strings.LastIndexByte(name, '/') + 1
	path, name := "/"+strings.TrimPrefix(name[:i], "/"), name[i:]
	x.ok(by, "CreateGroup", "GroupName", name, "Path", path)
	for _, u := range users {
		x.ok(by, "AddUserToGroup", "GroupName", name, "UserName", u)
	}
}

// groupPolicy is policy for a group.
func (x *apiTest) groupPolicy(by caller, group, name string, statements ...string) {
	x.Helper()
	x.ok(by, "PutGroupPolicy", "GroupName", group, "PolicyName", name, "PolicyDocument", document(statements...))
}

func TestCreateGroup(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("Group("+groupAs("/", "Crew")+")", x.root, "CreateGroup", "GroupName", "Crew")
	x.want("Group("+groupAs("/a/b/", "team")+")", x.root, "CreateGroup", append(tags("k", "v"), "GroupName", "team", "Path", "/a/b/")...) // groups have no tags
	x.want("Group("+groupAs("/", strings.Repeat("n", 128))+")", x.root, "CreateGroup", "GroupName", strings.Repeat("n", 128))
	x.ok(x.root, "CreateUser", "UserName", "Crew") // another space of names
	for _, c := range []struct {
		want string
		p    params
	}{
		{invalid("groupName " + notNull), nil},
		{invalid("groupName " + atLeast + "1"), ps("GroupName", "")},
		{invalid("groupName " + notOver + "128"), ps("GroupName", strings.Repeat("!", 129))}, // length before characters
		{badGroupName, ps("GroupName", "a b")},
		{badGroupName, ps("GroupName", "a/b")},
		{badPath, ps("GroupName", "g", "Path", "a")},
		{invalid("path " + notOver + "512"), ps("GroupName", "g", "Path", "/"+strings.Repeat("p", 511)+"/")},
		{"409 EntityAlreadyExists Group with name Crew already exists.", ps("GroupName", "Crew")},
		{"409 EntityAlreadyExists Group with name cREW already exists.", ps("GroupName", "cREW", "Path", "/elsewhere/")},
	} {
		x.want(c.want, x.root, "CreateGroup", c.p...)
	}
}

func TestGetGroup(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.group(x.root, "/t/Crew")
	x.want("Group("+groupAs("/t/", "Crew")+") Users() IsTruncated=false", x.root, "GetGroup", "GroupName", "CREW")
	x.ok(x.root, "CreateUser", append(tags("k", "v"), "UserName", "Bob", "Path", "/p/")...)
	x.ok(x.root, "CreateUser", "UserName", "alice")
	x.ok(x.root, "AddUserToGroup", "GroupName", "crew", "UserName", "bob")
	x.ok(x.root, "AddUserToGroup", "GroupName", "crew", "UserName", "ALICE")
	x.want("Group("+groupAs("/t/", "Crew")+") Users(member("+userAs("/", "alice")+") member("+userAs("/p/", "Bob")+")) IsTruncated=false",
		x.root, "GetGroup", "GroupName", "crew") // without tags, in order of name
	x.want(noGroup("none"), x.root, "GetGroup", "GroupName", "none", "Marker", "forged")
	x.want(badMarker, x.root, "GetGroup", "GroupName", "crew", "Marker", "forged")
	x.want(invalid("groupName "+notNull), x.root, "GetGroup")
	x.want(badGroupName, x.root, "GetGroup", "GroupName", "a b")
	other := x.addAccount(testAccount2)
	x.want(noGroup("Crew"), other, "GetGroup", "GroupName", "Crew")
	x.want("Groups() IsTruncated=false", other, "ListGroups")
	x.want(noUser("Bob"), other, "AddUserToGroup", "GroupName", "Crew", "UserName", "Bob")
}

func TestListGroups(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.want("Groups() IsTruncated=false", x.root, "ListGroups")
	for _, name := range []string{"/my/B", "/my/sub/a", "/other/C", "/myPath/d", "_x"} {
		x.group(x.root, name)
	}
	member := func(path, name string) string { return "member(" + groupAs(path, name) + ")" }
	all := []string{member("/", "_x"), member("/my/sub/", "a"), member("/my/", "B"), member("/other/", "C"), member("/myPath/", "d")}
	for _, c := range []struct {
		prefix string
		want   []string
	}{
		{"/", all}, {"/my", []string{all[1], all[2], all[4]}}, {"/my/", all[1:3]}, {"/my/sub/", all[1:2]}, {"/MY/", nil},
	} {
		x.want("Groups("+strings.Join(c.want, " ")+") IsTruncated=false", x.root, "ListGroups", "PathPrefix", c.prefix)
	}
	x.want("Groups("+strings.Join(all, " ")+") IsTruncated=false", x.root, "ListGroups")
	x.want(badPathPrefix, x.root, "ListGroups", "PathPrefix", "my")
	x.want(badMarker, x.root, "ListGroups", "Marker", "x")
	x.want(invalid("maxItems Member must have value less than or equal to 1000"), x.root, "ListGroups", "MaxItems", "1001")
}

func TestUpdateGroup(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	x.group(x.root, "/a/crew", "bob")
	x.groupPolicy(x.root, "crew", "pol", "Allow s3:Get *")
	x.group(x.root, "taken")
	id := x.ok(x.root, "GetGroup", "GroupName", "crew").value("GetGroupResult", "Group", "GroupId")
	for _, s := range []struct {
		want string
		p    params
		then string // path and name afterwards
	}{
		{"", ps("GroupName", "crew", "NewGroupName", "Gang"), "/a/Gang"},
		{"", ps("GroupName", "gang", "NewGroupName", "GANG"), "/a/GANG"}, // its own name in other letters
		{"", ps("GroupName", "gang", "NewPath", "/b/c/"), "/b/c/GANG"},
		{"", ps("GroupName", "gang"), "/b/c/GANG"},
		{"409 EntityAlreadyExists Group with name tAKEN already exists.", ps("GroupName", "gang", "NewGroupName", "tAKEN", "NewPath", "/x/"), "/b/c/GANG"},
		{noGroup("crew"), ps("GroupName", "crew", "NewGroupName", "taken"), "/b/c/GANG"}, // what is not there, first
		{invalid("groupName " + notNull), ps("NewGroupName", "x"), "/b/c/GANG"},
		{invalid("newGroupName " + notOver + "128"), ps("GroupName", "gang", "NewGroupName", strings.Repeat("n", 129)), "/b/c/GANG"},
		{badNewPath, ps("GroupName", "gang", "NewPath", "b"), "/b/c/GANG"},
		{"", ps("GroupName", "gang", "NewGroupName", "crew", "NewPath", "/"), "/crew"},
	} {
		x.want(s.want, x.root, "UpdateGroup", s.p...)
		i := strings.LastIndexByte(s.then, '/') + 1
		a := x.want("Group("+groupAs(s.then[:i], s.then[i:])+") Users(member("+userAs("/", "bob")+")) IsTruncated=false", x.root, "GetGroup", "GroupName", s.then[i:])
		if got := a.value("GetGroupResult", "Group", "GroupId"); got != id {
			t.Errorf("after %v the id is %s, it was %s", s.p, got, id)
		}
		x.want("Groups(member("+groupAs(s.then[:i], s.then[i:])+")) IsTruncated=false", x.root, "ListGroupsForUser", "UserName", "bob")
		x.want("PolicyNames(member=pol) IsTruncated=false", x.root, "ListGroupPolicies", "GroupName", s.then[i:])
	}
	before := x.revision()
	x.ok(x.root, "UpdateGroup", "GroupName", "crew", "NewGroupName", "crew", "NewPath", "/")
	if after := x.revision(); after != before {
		t.Errorf("a change into what it is wrote: revision %d, before %d", after, before)
	}
	x.ok(x.root, "UpdateGroup", "GroupName", "crew", "NewGroupName", "gang")
	x.group(x.root, "crew") // the name is free, and whoever takes it has nothing of the old one's
	x.want("Group("+groupAs("/", "crew")+") Users() IsTruncated=false", x.root, "GetGroup", "GroupName", "crew")
	x.want("PolicyNames() IsTruncated=false", x.root, "ListGroupPolicies", "GroupName", "crew")
}

// TestDeleteGroup: the conflicts of docs/spec/wire.md 4.6 in their order.
func TestDeleteGroup(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.user(x.root, "bob")
	x.group(x.root, "Crew", "bob")
	x.groupPolicy(x.root, "crew", "p", "Allow s3:Get *")
	x.want(invalid("groupName "+notNull), x.root, "DeleteGroup")
	x.want(noGroup("none"), x.root, "DeleteGroup", "GroupName", "none")
	x.want("409 DeleteConflict Cannot delete entity, must remove users from group first.", x.root, "DeleteGroup", "GroupName", "CREW")
	x.ok(x.root, "RemoveUserFromGroup", "GroupName", "crew", "UserName", "bob")
	id := x.ok(x.root, "GetGroup", "GroupName", "crew").value("GetGroupResult", "Group", "GroupId")
	x.storedAttachment(id, "arn:aws:iam::"+testAccount+":policy/p", false)
	x.want("409 DeleteConflict Cannot delete entity, must detach all policies first.", x.root, "DeleteGroup", "GroupName", "crew")
	unit := state.AccountUnit(testAccount)
	x.must(x.cell.store.Update(t.Context(), []string{unit}, func(tx *state.Tx) error {
		tx.Delete(unit, tx.Account(testAccount).Attachment(id, "arn:aws:iam::"+testAccount+":policy/p"))
		return nil
	}))
	x.want("409 DeleteConflict Cannot delete entity, must delete policies first.", x.root, "DeleteGroup", "GroupName", "crew")
	x.ok(x.root, "DeleteGroupPolicy", "GroupName", "crew", "PolicyName", "p")
	x.want("", x.root, "DeleteGroup", "GroupName", "crew")
	x.want(noGroup("crew"), x.root, "DeleteGroup", "GroupName", "crew")
	x.want("Groups() IsTruncated=false", x.root, "ListGroups")
	x.want("Groups() IsTruncated=false", x.root, "ListGroupsForUser", "UserName", "bob")
}

func TestMembers(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "Bob")
	x.group(x.root, "/t/Crew")
	const add, remove = "AddUserToGroup", "RemoveUserFromGroup"
	groups := func(want ...string) {
		t.Helper()
		x.want("Groups("+strings.Join(want, " ")+") IsTruncated=false", x.root, "ListGroupsForUser", "UserName", "BOB")
	}
	groups()
	x.want("", x.root, add, "GroupName", "crew", "UserName", "bob")
	before := x.revision()
	x.want("", x.root, add, "GroupName", "CREW", "UserName", "BOB")
	if after := x.revision(); after != before {
		t.Errorf("adding a member again wrote: revision %d, before %d", after, before)
	}
	groups("member(" + groupAs("/t/", "Crew") + ")")
	x.group(x.root, "alpha", "bob")
	x.group(x.root, "Beta", "bob")
	groups("member("+groupAs("/", "alpha")+")", "member("+groupAs("/", "Beta")+")", "member("+groupAs("/t/", "Crew")+")")
	for _, c := range []struct {
		want, op string
		p        params
	}{
		{noUser("rob"), add, ps("GroupName", "crew", "UserName", "rob")},
		{noGroup("none"), add, ps("GroupName", "none", "UserName", "bob")},
		{noUser("rob"), add, ps("GroupName", "none", "UserName", "rob")}, // the user is looked for first
		{noUser("rob"), remove, ps("GroupName", "none", "UserName", "rob")},
		{noGroup("none"), remove, ps("GroupName", "none", "UserName", "bob")},
		{invalid("groupName "+notNull, "userName "+notNull), add, nil},
		{invalid("groupName "+notNull, "userName "+notNull), remove, nil},
		{badGroupName, add, ps("GroupName", "a b", "UserName", "bob")},
		{badUserName, remove, ps("GroupName", "crew", "UserName", "a b")},
		{noUser("rob"), "ListGroupsForUser", ps("UserName", "rob", "Marker", "forged")},
		{badMarker, "ListGroupsForUser", ps("UserName", "bob", "Marker", "forged")},
		{invalid("userName " + notNull), "ListGroupsForUser", nil},
	} {
		x.want(c.want, x.root, c.op, c.p...)
	}
	x.want("", x.root, remove, "GroupName", "alpha", "UserName", "bob")
	before = x.revision()
	x.want("", x.root, remove, "GroupName", "alpha", "UserName", "bob") // not a member: done
	if after := x.revision(); after != before {
		t.Errorf("removing who is no member wrote: revision %d, before %d", after, before)
	}
	groups("member("+groupAs("/", "Beta")+")", "member("+groupAs("/t/", "Crew")+")")

	// A user who is in a group cannot be deleted; keys come before groups.
	x.want("409 DeleteConflict Cannot delete entity, must delete access keys first.", x.root, "DeleteUser", "UserName", "bob")
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.want("409 DeleteConflict Cannot delete entity, must remove users from group first.", x.root, "DeleteUser", "UserName", "bob")
	x.ok(x.root, "UpdateUser", "UserName", "bob", "NewUserName", "Robert")
	x.want("Group("+groupAs("/", "Beta")+") Users(member("+userAs("/", "Robert")+")) IsTruncated=false", x.root, "GetGroup", "GroupName", "beta")
	x.ok(x.root, remove, "GroupName", "beta", "UserName", "robert")
	x.ok(x.root, remove, "GroupName", "crew", "UserName", "robert")
	x.want("", x.root, "DeleteUser", "UserName", "robert")
	x.user(x.root, "Robert")
	x.want("Groups() IsTruncated=false", x.root, "ListGroupsForUser", "UserName", "robert")
}

func TestGroupQuotas(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	for _, name := range []string{"GroupsPerAccount", "GroupsPerUser"} {
		if err := q.Set(name, 3-strings.Count(name, "User")); err != nil {
			t.Fatal(err)
		}
	}
	x := openAPI(t, q)
	x.user(x.root, "bob")
	x.user(x.root, "eve")
	x.group(x.root, "a", "bob")
	x.group(x.root, "b", "bob", "eve")
	x.group(x.root, "c", "eve")
	x.want("409 LimitExceeded Cannot exceed quota for GroupsPerAccount: 3", x.root, "CreateGroup", "GroupName", "d")
	x.want("409 EntityAlreadyExists Group with name A already exists.", x.root, "CreateGroup", "GroupName", "A") // existence before quotas
	x.want("409 LimitExceeded Cannot exceed quota for GroupsPerUser: 2", x.root, "AddUserToGroup", "GroupName", "c", "UserName", "bob")
	x.want("", x.root, "AddUserToGroup", "GroupName", "b", "UserName", "bob") // already in
	x.ok(x.root, "RemoveUserFromGroup", "GroupName", "a", "UserName", "bob")
	x.want("", x.root, "AddUserToGroup", "GroupName", "c", "UserName", "bob")
	x.ok(x.root, "DeleteGroup", "GroupName", "a")
	x.group(x.root, "d")
	x.group(x.addAccount(testAccount2), "a") // every account has its own
}

// TestPagesOfLargeGroup: members of a large group are found in another way than those of a small one, and stand in the same order.
func TestPagesOfLargeGroup(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.group(x.root, "crew")
	x.group(x.root, "other")
	var want []string
	for i := range 600 {
		name := fmt.Sprintf("u%03d", i)
		if i%7 == 0 {
			name = strings.ToUpper(name)
		}
		x.ok(x.root, "CreateUser", "UserName", name)
		group := "crew"
		if i%2 == 0 {
			group = "other"
		} else {
			want = append(want, name)
		}
		x.ok(x.root, "AddUserToGroup", "GroupName", group, "UserName", name)
	}
	for _, most := range []int{1, 100, 299, 300, 301} {
		if got := x.pages(x.root, "GetGroup", "UserName", ps("GroupName", "crew"), most, nil); !slices.Equal(got, want) {
			t.Errorf("MaxItems %d:\n got %v\nwant %v", most, got, want)
		}
	}
	got := x.pages(x.root, "GetGroup", "UserName", ps("GroupName", "crew"), 20, func(page int) { // it shrinks, and becomes a small one
		for _, name := range want[20*(page-1) : 20*page] {
			x.ok(x.root, "RemoveUserFromGroup", "GroupName", "crew", "UserName", name)
		}
	})
	if !slices.Equal(got, want) {
		t.Errorf("while its members leave:\n got %v\nwant %v", got, want)
	}
}

func TestPagesOfGroups(t *testing.T) {
	t.Parallel()
	q := iam.DefaultQuotas
	if err := q.Set("GroupsPerUser", 100); err != nil {
		t.Fatal(err)
	}
	x := openAPI(t, q)
	x.ok(x.root, "CreateUser", "UserName", "all")
	x.group(x.root, "everybody", "all")
	var groups, users []string
	for i := range 60 {
		g, u := fmt.Sprintf("g%02d", i), fmt.Sprintf("u%02d", i)
		if i%3 == 0 {
			g, u = strings.ToUpper(g), strings.ToUpper(u)
		}
		x.ok(x.root, "CreateUser", "UserName", u)
		x.ok(x.root, "AddUserToGroup", "GroupName", "everybody", "UserName", u)
		x.group(x.root, []string{"/odd/", "/even/"}[i%2]+g, "all")
		groups, users = append(groups, g), append(users, u)
	}
	for _, c := range []struct {
		op, name string
		p        params
		want     []string
	}{
		{"ListGroups", "GroupName", nil, append([]string{"everybody"}, groups...)},
		{"ListGroupsForUser", "GroupName", ps("UserName", "all"), append([]string{"everybody"}, groups...)},
		{"GetGroup", "UserName", ps("GroupName", "everybody"), append([]string{"all"}, users...)},
	} {
		for _, most := range []int{1, 7, 60, 61, 62, 1000} {
			if got := x.pages(x.root, c.op, c.name, c.p, most, nil); !slices.Equal(got, c.want) {
				t.Errorf("%s, MaxItems %d:\n got %v\nwant %v", c.op, most, got, c.want)
			}
		}
	}
	for i, prefix := range []string{"/odd/", "/even/"} {
		if got := x.pages(x.root, "ListGroups", "GroupName", ps("PathPrefix", prefix), 7, nil); len(got) != 30 || got[0] != groups[i] {
			t.Errorf("below %s: %v; want the 30 from %s on", prefix, got, groups[i])
		}
	}
	got := x.pages(x.root, "GetGroup", "UserName", ps("GroupName", "everybody"), 6, func(page int) { // the marker's user goes
		last := append([]string{"all"}, users...)[6*page-1]
		x.ok(x.root, "RemoveUserFromGroup", "GroupName", "everybody", "UserName", last)
	})
	if !slices.Equal(got, append([]string{"all"}, users...)) {
		t.Errorf("while users leave: %v", got)
	}
	marker := x.ok(x.root, "ListGroups", "MaxItems", "1").value("ListGroupsResult", "Marker")
	x.want(badMarker, x.root, "ListGroupsForUser", "UserName", "all", "Marker", marker)
	x.want(badMarker, x.root, "GetGroup", "GroupName", "everybody", "Marker", marker)
}

// TestGroupPoliciesApplyAtOnce: what a group may, its members may, from the call that adds them to the call that removes them.
func TestGroupPoliciesApplyAtOnce(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	eve := x.user(x.root, "/team/eve")
	x.group(x.root, "Crew", "eve")
	x.group(x.root, "Other")
	denied := "403 AccessDenied User: " + arnHere + "user/team/bob is not authorized to perform: iam:ListUsers on resource: " + arnHere + "user/"
	none, explicit := denied+" because no identity-based policy allows the iam:ListUsers action", denied+" with an explicit deny in an identity-based policy"
	is := func(want string) {
		t.Helper()
		a := x.call(bob, "ListUsers", nil)
		if got := a.String(); want == "" && a.status != 200 || want != "" && got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
	const allowed = ""
	for range 3 {
		is(none)
		x.groupPolicy(x.root, "crew", "p", "Allow iam:ListUsers *")
		is(none) // not a member yet
		x.ok(x.root, "AddUserToGroup", "GroupName", "crew", "UserName", "bob")
		is(allowed)
		x.ok(x.root, "UpdateGroup", "GroupName", "crew", "NewGroupName", "Gang", "NewPath", "/x/")
		is(allowed)
		x.ok(x.root, "UpdateGroup", "GroupName", "gang", "NewGroupName", "Crew", "NewPath", "/")
		x.groupPolicy(x.root, "crew", "p", "Deny iam:ListUsers *")
		is(explicit)
		x.policy(x.root, "bob", "own", "Allow * *")
		is(explicit) // a group's Deny is stronger than the user's own Allow
		x.ok(x.root, "DeleteGroupPolicy", "GroupName", "crew", "PolicyName", "p")
		is(allowed)
		x.policy(x.root, "bob", "own", "Deny iam:ListUsers *")
		x.groupPolicy(x.root, "crew", "p", "Allow * *")
		is(explicit)
		x.ok(x.root, "DeleteUserPolicy", "UserName", "bob", "PolicyName", "own")
		is(allowed)
		x.ok(x.root, "AddUserToGroup", "GroupName", "other", "UserName", "bob")
		x.groupPolicy(x.root, "other", "p", "Deny iam:List* *")
		is(explicit) // of any group
		x.ok(x.root, "ListUsers")
		if a := x.call(eve, "ListUsers", nil); a.status != 200 {
			t.Errorf("who is only in the other group: %s", a)
		}
		x.ok(x.root, "RemoveUserFromGroup", "GroupName", "other", "UserName", "bob")
		x.ok(x.root, "DeleteGroupPolicy", "GroupName", "other", "PolicyName", "p")
		is(allowed)
		x.ok(x.root, "RemoveUserFromGroup", "GroupName", "crew", "UserName", "bob")
		is(none)
		x.ok(x.root, "DeleteGroupPolicy", "GroupName", "crew", "PolicyName", "p")
	}
}
