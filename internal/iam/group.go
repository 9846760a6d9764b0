package iam

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerGroups(r *service.Registry, s *Service) {
	service.Write(r, iamapi.OpCreateGroup, onNewGroup, s.createGroup)
	service.Read(r, iamapi.OpGetGroup, onGetGroup, getGroup)
	service.Read(r, iamapi.OpListGroups, onListGroups, listGroups)
	service.Write(r, iamapi.OpUpdateGroup, onUpdateGroup, updateGroup)
	service.Write(r, iamapi.OpDeleteGroup, onDeleteGroup, deleteGroup)
}

func onNewGroup(c *service.Call, _ state.Reader, in *iamapi.CreateGroupRequest) ([]authz.Target, error) {
	return one(arn.Group(state.Partition, c.Caller.Account, pathOr(in.Path), *in.GroupName)), nil
}

func onGetGroup(c *service.Call, r state.Reader, in *iamapi.GetGroupRequest) ([]authz.Target, error) {
	return groupTarget(c, r, *in.GroupName)
}

// onListGroups is the groups below the path prefix: docs/spec/evaluation.md 7.2.
func onListGroups(c *service.Call, _ state.Reader, in *iamapi.ListGroupsRequest) ([]authz.Target, error) {
	return one(arn.IAM(state.Partition, c.Caller.Account, "group/"+strings.TrimPrefix(value(in.PathPrefix), "/"))), nil
}

func onUpdateGroup(c *service.Call, r state.Reader, in *iamapi.UpdateGroupRequest) ([]authz.Target, error) {
	targets, err := groupTarget(c, r, *in.GroupName)
	if err != nil {
		return nil, err
	}
	path, name := "/", *in.GroupName
	if g := r.Account(c.Caller.Account).GroupByName(name); g != nil {
		path, name = g.Path, g.Name
	}
	return withNewName(targets, arn.Group, c.Caller.Account, or(in.NewPath, path), or(in.NewGroupName, name)), nil
}

func onDeleteGroup(c *service.Call, r state.Reader, in *iamapi.DeleteGroupRequest) ([]authz.Target, error) {
	return groupTarget(c, r, *in.GroupName)
}

// groupTarget is the group that a name means: its ARN, or for a name without a group the ARN such a group would have at path "/".
func groupTarget(c *service.Call, r state.Reader, name string) ([]authz.Target, error) {
	t, err := holderTarget(c, r, groups, name)
	return []authz.Target{t}, err
}

// withNewName adds what a user or group will be to what it is, if that has another ARN: a rename or move needs permission on both. Tags go
// along, so that permissions by tag hold for both.
func withNewName(targets []authz.Target, arnOf func(partition, account, path, name string) string, account, path, name string) []authz.Target {
	after := authz.Target{ARN: arnOf(state.Partition, account, path, name), Tags: targets[0].Tags}
	if after.ARN == targets[0].ARN {
		return targets
	}
	return append(targets, after)
}

// groupNamed is the group with that name in the caller's account, or NoSuchEntity.
func groupNamed(c *service.Call, r state.Reader, name string) (*state.Account, *state.Group, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, nil, err
	}
	g := a.GroupByName(name)
	if g == nil {
		return nil, nil, noSuchHolder("group", name)
	}
	return a, g, nil
}

func groupTaken(name string) *wire.Error {
	return iamapi.EntityAlreadyExists.New("Group with name %s already exists.", name)
}

func (s *Service) createGroup(c *service.Call, tx *state.Tx, in *iamapi.CreateGroupRequest) (*iamapi.CreateGroupResponse, error) {
	a, err := callersAccount(c, tx)
	if err != nil {
		return nil, err
	}
	if a.GroupByName(*in.GroupName) != nil {
		return nil, groupTaken(*in.GroupName)
	}
	if a.GroupCount() >= s.quotas.GroupsPerAccount {
		return nil, exceeded("GroupsPerAccount", s.quotas.GroupsPerAccount)
	}
	g := &state.Group{}
	g.Id = tx.IDs().UniqueID(keyring.GroupPrefix, a.ID)
	g.Name, g.Path, g.Created = *in.GroupName, pathOr(in.Path), tx.Now().UnixMicro()
	tx.Put(a.Unit(), g)
	return &iamapi.CreateGroupResponse{Group: new(xGroup(a, g))}, nil
}

// getGroup shows a group and a page of its users, in order of name. They are shown as lists show users: without tags and boundary.
func getGroup(c *service.Call, r state.Reader, in *iamapi.GetGroupRequest) (*iamapi.GetGroupResponse, error) {
	a, g, err := groupNamed(c, r, *in.GroupName)
	if err != nil {
		return nil, err
	}
	from, err := after("groupusers", in.Marker)
	if err != nil {
		return nil, err
	}
	users, marker := page("groupusers", in.MaxItems, membersByName(a, g.Id, from), (*state.User).GetName)
	return &iamapi.GetGroupResponse{Group: new(xGroup(a, g)), Users: xUsers(a, users), IsTruncated: new(marker != nil), Marker: marker}, nil
}

func listGroups(c *service.Call, r state.Reader, in *iamapi.ListGroupsRequest) (*iamapi.ListGroupsResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	groups, marker, err := listed("groups", in.PathPrefix, in.Marker, in.MaxItems, a.Groups, (*state.Group).GetPath, (*state.Group).GetName)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListGroupsResponse{Groups: xGroups(a, groups), IsTruncated: new(marker != nil), Marker: marker}, nil
}

func updateGroup(c *service.Call, tx *state.Tx, in *iamapi.UpdateGroupRequest) (*wire.Empty, error) {
	a, g, err := groupNamed(c, tx, *in.GroupName)
	if err != nil {
		return nil, err
	}
	changed := g.Clone()
	changed.Path = or(in.NewPath, g.Path)
	if in.NewGroupName != nil {
		if other := a.GroupByName(*in.NewGroupName); other != nil && other.Id != g.Id {
			return nil, groupTaken(*in.NewGroupName)
		}
		changed.Name = *in.NewGroupName
	}
	if changed.Path != g.Path || changed.Name != g.Name {
		tx.Put(a.Unit(), changed)
	}
	return nil, nil
}

// deleteGroup refuses in the order of docs/spec/wire.md 4.6.
func deleteGroup(c *service.Call, tx *state.Tx, in *iamapi.DeleteGroupRequest) (*wire.Empty, error) {
	a, g, err := groupNamed(c, tx, *in.GroupName)
	if err != nil {
		return nil, err
	}
	for range a.UsersIn(g.Id) {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must remove users from group first.")
	}
	for range a.Attachments(g.Id) {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must detach all policies first.")
	}
	for range a.InlinePolicies(g.Id, "") {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must delete policies first.")
	}
	tx.Delete(a.Unit(), g)
	return nil, nil
}

// xGroup is a group as answers show it.
func xGroup(a *state.Account, g *state.Group) iamapi.Group {
	return iamapi.Group{Path: &g.Path, GroupName: &g.Name, GroupId: &g.Id, Arn: new(g.ARN(a.ID)), CreateDate: xTime(g.Created)}
}

func xGroups(a *state.Account, groups []*state.Group) []iamapi.Group {
	x := make([]iamapi.Group, len(groups))
	for i, g := range groups {
		x[i] = xGroup(a, g)
	}
	return x
}
