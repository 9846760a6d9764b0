package iam

import (
	"iter"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerGroupMembers(r *service.Registry, s *Service) {
	service.Write(r, iamapi.OpAddUserToGroup, onAddUserToGroup, s.addUserToGroup)
	service.Write(r, iamapi.OpRemoveUserFromGroup, onRemoveUserFromGroup, removeUserFromGroup)
	service.Read(r, iamapi.OpListGroupsForUser, onListGroupsForUser, listGroupsForUser)
}

func onAddUserToGroup(c *service.Call, r state.Reader, in *iamapi.AddUserToGroupRequest) ([]authz.Target, error) {
	return groupTarget(c, r, *in.GroupName)
}

func onRemoveUserFromGroup(c *service.Call, r state.Reader, in *iamapi.RemoveUserFromGroupRequest) ([]authz.Target, error) {
	return groupTarget(c, r, *in.GroupName)
}

func onListGroupsForUser(c *service.Call, r state.Reader, in *iamapi.ListGroupsForUserRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

// userAndGroup finds both, the user first (docs/spec/wire.md 8, RemoveUserFromGroup).
func userAndGroup(c *service.Call, r state.Reader, user, group string) (*state.Account, *state.User, *state.Group, error) {
	if _, _, err := userNamed(c, r, user); err != nil {
		return nil, nil, nil, err
	}
	a, g, err := groupNamed(c, r, group)
	if err != nil {
		return nil, nil, nil, err
	}
	return a, a.UserByName(user), g, nil
}

func (s *Service) addUserToGroup(c *service.Call, tx *state.Tx, in *iamapi.AddUserToGroupRequest) (*wire.Empty, error) {
	a, u, g, err := userAndGroup(c, tx, *in.UserName, *in.GroupName)
	if err != nil || a.IsMember(u.Id, g.Id) {
		return nil, err
	}
	n := 0
	for range a.GroupsOf(u.Id) {
		n++
	}
	if n >= s.quotas.GroupsPerUser {
		return nil, exceeded("GroupsPerUser", s.quotas.GroupsPerUser)
	}
	tx.Put(a.Unit(), state.NewMember(u.Id, g.Id))
	return nil, nil
}

// removeUserFromGroup succeeds for a user who is not in the group.
func removeUserFromGroup(c *service.Call, tx *state.Tx, in *iamapi.RemoveUserFromGroupRequest) (*wire.Empty, error) {
	a, u, g, err := userAndGroup(c, tx, *in.UserName, *in.GroupName)
	if err != nil {
		return nil, err
	}
	if a.IsMember(u.Id, g.Id) {
		tx.Delete(a.Unit(), state.NewMember(u.Id, g.Id))
	}
	return nil, nil
}

func listGroupsForUser(c *service.Call, r state.Reader, in *iamapi.ListGroupsForUserRequest) (*iamapi.ListGroupsForUserResponse, error) {
	a, u, err := userNamed(c, r, *in.UserName)
	if err != nil {
		return nil, err
	}
	from, err := after("usergroups", in.Marker)
	if err != nil {
		return nil, err
	}
	groups, marker := page("usergroups", in.MaxItems, byName(a.GroupsOf(u.Id), from, (*state.Group).GetName), (*state.Group).GetName)
	return &iamapi.ListGroupsForUserResponse{Groups: xGroups(a, groups), IsTruncated: new(marker != nil), Marker: marker}, nil
}

// fewMembers bounds what is sorted for one page.
const fewMembers = 256

// membersByName walks the users of a group in order of name, without regard to case, beginning behind the name after ("" = all). Of a large
// group all users of the account are walked instead, which stand in that order: many of them are members.
func membersByName(a *state.Account, group, after string) iter.Seq[*state.User] {
	var few []*state.User
	for u := range a.UsersIn(group) {
		if few = append(few, u); len(few) > fewMembers {
			return filter(a.Users(after), func(u *state.User) bool { return a.IsMember(u.Id, group) })
		}
	}
	return byName(slices.Values(few), after, (*state.User).GetName)
}

// byName orders records that are kept in order of their ids by name, without regard to case, and leaves out those up to the name after.
func byName[T any](records iter.Seq[T], after string, name func(T) string) iter.Seq[T] {
	after = strings.ToLower(after)
	type named struct {
		name   string
		record T
	}
	var behind []named
	for r := range records {
		if n := strings.ToLower(name(r)); n > after {
			behind = append(behind, named{n, r})
		}
	}
	slices.SortFunc(behind, func(a, b named) int { return strings.Compare(a.name, b.name) })
	return func(yield func(T) bool) {
		for _, b := range behind {
			if !yield(b.record) {
				return
			}
		}
	}
}
