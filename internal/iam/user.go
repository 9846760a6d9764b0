package iam

import (
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerUsers(r *service.Registry, s *Service) {
	service.Write(r, iamapi.OpCreateUser, onNewUser, s.createUser)
	service.Read(r, iamapi.OpGetUser, onGetUser, getUser)
	service.Read(r, iamapi.OpListUsers, onListUsers, listUsers)
	service.Write(r, iamapi.OpUpdateUser, onUpdateUser, updateUser)
	service.Write(r, iamapi.OpDeleteUser, onDeleteUser, deleteUser)
}

// onNewUser is the user that is to be made, and its tagging: see onNewRole.
func onNewUser(c *service.Call, _ state.Reader, in *iamapi.CreateUserRequest) ([]authz.Target, error) {
	name := arn.User(state.Partition, c.Caller.Account, pathOr(in.Path), *in.UserName)
	return onNew(name, "iam:TagUser", in.Tags, in.PermissionsBoundary), nil
}

func onGetUser(c *service.Call, r state.Reader, in *iamapi.GetUserRequest) ([]authz.Target, error) {
	return userOrCallerTarget(c, r, in.UserName)
}

// onListUsers is the users below the path prefix: docs/spec/evaluation.md 7.2.
func onListUsers(c *service.Call, _ state.Reader, in *iamapi.ListUsersRequest) ([]authz.Target, error) {
	return one(arn.IAM(state.Partition, c.Caller.Account, "user/"+strings.TrimPrefix(value(in.PathPrefix), "/"))), nil
}

func onUpdateUser(c *service.Call, r state.Reader, in *iamapi.UpdateUserRequest) ([]authz.Target, error) {
	targets, err := userTarget(c, r, *in.UserName)
	if err != nil {
		return nil, err
	}
	path, name := "/", *in.UserName
	if u := r.Account(c.Caller.Account).UserByName(name); u != nil {
		path, name = u.Path, u.Name
	}
	return withNewName(targets, arn.User, c.Caller.Account, or(in.NewPath, path), or(in.NewUserName, name)), nil
}

func onDeleteUser(c *service.Call, r state.Reader, in *iamapi.DeleteUserRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

func pathOr(path *string) string { return or(path, "/") }

func (s *Service) createUser(c *service.Call, tx *state.Tx, in *iamapi.CreateUserRequest) (*iamapi.CreateUserResponse, error) {
	a, err := callersAccount(c, tx)
	if err != nil {
		return nil, err
	}
	tags, err := identityTags.read(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := boundaryExists(a, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	if a.UserByName(*in.UserName) != nil {
		return nil, iamapi.EntityAlreadyExists.New("User with name %s already exists.", *in.UserName)
	}
	if a.UserCount() >= s.quotas.UsersPerAccount {
		return nil, exceeded("UsersPerAccount", s.quotas.UsersPerAccount)
	}
	u := &state.User{}
	u.Id = tx.IDs().UniqueID(keyring.UserPrefix, a.ID)
	u.Name, u.Path, u.Created, u.Tags = *in.UserName, pathOr(in.Path), tx.Now().UnixMicro(), tags
	tx.Put(a.Unit(), u)
	if in.PermissionsBoundary != nil {
		putBoundary(tx, a, u.Id, *in.PermissionsBoundary)
	}
	return &iamapi.CreateUserResponse{User: xUser(a, u)}, nil
}

func getUser(c *service.Call, r state.Reader, in *iamapi.GetUserRequest) (*iamapi.GetUserResponse, error) {
	o, err := userOrCaller(c, r, in.UserName)
	if err != nil {
		return nil, err
	}
	if o.user == nil {
		return &iamapi.GetUserResponse{User: xRootUser(o.account)}, nil
	}
	return &iamapi.GetUserResponse{User: xUser(o.account, o.user)}, nil
}

func listUsers(c *service.Call, r state.Reader, in *iamapi.ListUsersRequest) (*iamapi.ListUsersResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	users, marker, err := listed("users", in.PathPrefix, in.Marker, in.MaxItems, a.Users, (*state.User).GetPath, (*state.User).GetName)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListUsersResponse{Users: xUsers(a, users), IsTruncated: new(marker != nil), Marker: marker}, nil
}

func updateUser(c *service.Call, tx *state.Tx, in *iamapi.UpdateUserRequest) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	changed := u.Clone()
	changed.Path = or(in.NewPath, u.Path)
	if in.NewUserName != nil {
		if other := a.UserByName(*in.NewUserName); other != nil && other.Id != u.Id {
			return nil, iamapi.EntityAlreadyExists.New("User with name %s already exists.", *in.NewUserName)
		}
		changed.Name = *in.NewUserName
	}
	if changed.Path != u.Path || changed.Name != u.Name {
		tx.Put(a.Unit(), changed)
	}
	return nil, nil
}

// deleteUser refuses in the order of docs/spec/wire.md 4.6. A permissions boundary does not hold a user, and goes with it.
func deleteUser(c *service.Call, tx *state.Tx, in *iamapi.DeleteUserRequest) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	for range a.Attachments(u.Id) {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must detach all policies first.")
	}
	for range a.InlinePolicies(u.Id, "") {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must delete policies first.")
	}
	for range a.AccessKeys(u.Id) {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must delete access keys first.")
	}
	for range a.GroupsOf(u.Id) {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must remove users from group first.")
	}
	if b := a.Boundary(u.Id); b != nil {
		tx.Delete(a.Unit(), b)
	}
	tx.Delete(a.Unit(), u)
	return nil, nil
}

// xUser is a user as answers about one user show it. Lists leave the tags and the boundary out (docs/spec/wire.md 8, ListUsers).
func xUser(a *state.Account, u *state.User) *iamapi.User {
	s := &shownUser{}
	s.set(a, u)
	x := s.user(u)
	x.PermissionsBoundary, x.Tags = xBoundary(a, u.Id), xTagsIfAny(u.Tags)
	return &x
}

// xUsers are users as lists show them.
func xUsers(a *state.Account, users []*state.User) []iamapi.User {
	x := make([]iamapi.User, len(users))
	shown := make([]shownUser, len(users)) // one allocation for what all of them point to
	for i, u := range users {
		shown[i].set(a, u)
		x[i] = shown[i].user(u)
	}
	return x
}

// shownUser is what an answer says of a user that its record does not hold as such.
type shownUser struct {
	arn     string
	created time.Time
}

func (s *shownUser) set(a *state.Account, u *state.User) {
	s.arn, s.created = u.ARN(a.ID), time.UnixMicro(u.Created).UTC()
}

func (s *shownUser) user(u *state.User) iamapi.User {
	return iamapi.User{Path: &u.Path, UserName: &u.Name, UserId: &u.Id, Arn: &s.arn, CreateDate: &s.created}
}

// xRootUser is the root user as GetUser shows it: its id is the account's, its name the account's alias if there is one.
func xRootUser(a *state.Account) *iamapi.User {
	rec := a.Record()
	x := &iamapi.User{UserId: new(a.ID), Arn: new(arn.Root(state.Partition, a.ID)), CreateDate: xTime(rec.Created)}
	if rec.Alias != "" {
		x.UserName = new(rec.Alias)
	}
	return x
}

func xTime(us int64) *time.Time {
	t := time.UnixMicro(us).UTC()
	return &t
}
