package iam

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// defaultSessionSeconds is a role's longest session if nothing else is asked for (docs/spec/wire.md 8, CreateRole).
const defaultSessionSeconds = 3600

func registerRoles(r *service.Registry, s *Service) {
	service.WritePrepared(r, iamapi.OpCreateRole, onNewRole, prepareNewRole, s.createRole)
	service.Read(r, iamapi.OpGetRole, onGetRole, getRole)
	service.Read(r, iamapi.OpListRoles, onListRoles, listRoles)
	service.Write(r, iamapi.OpUpdateRole, onUpdateRole, updateRole)
	service.Write(r, iamapi.OpUpdateRoleDescription, onUpdateRoleDescription, updateRoleDescription)
	service.Write(r, iamapi.OpDeleteRole, onDeleteRole, deleteRole)
	service.Read(r, iamapi.OpListInstanceProfilesForRole, onListInstanceProfilesForRole, listInstanceProfilesForRole)
}

// onNewRole is the role that is to be made, and with tags also their putting: AWS asks for iam:TagRole beside iam:CreateRole (its denials of
// CreateRole that name iam:TagRole are public).
func onNewRole(c *service.Call, _ state.Reader, in *iamapi.CreateRoleRequest) ([]authz.Target, error) {
	name := arn.Role(state.Partition, c.Caller.Account, pathOr(in.Path), *in.RoleName)
	return onNew(name, "iam:TagRole", in.Tags, in.PermissionsBoundary), nil
}

func onGetRole(c *service.Call, r state.Reader, in *iamapi.GetRoleRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName)
}

// onListRoles is the roles below the path prefix: docs/spec/evaluation.md 7.2.
func onListRoles(c *service.Call, _ state.Reader, in *iamapi.ListRolesRequest) ([]authz.Target, error) {
	return one(arn.IAM(state.Partition, c.Caller.Account, "role/"+strings.TrimPrefix(value(in.PathPrefix), "/"))), nil
}

func onUpdateRole(c *service.Call, r state.Reader, in *iamapi.UpdateRoleRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName)
}

func onUpdateRoleDescription(c *service.Call, r state.Reader, in *iamapi.UpdateRoleDescriptionRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName)
}

func onDeleteRole(c *service.Call, r state.Reader, in *iamapi.DeleteRoleRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName)
}

func onListInstanceProfilesForRole(c *service.Call, r state.Reader, in *iamapi.ListInstanceProfilesForRoleRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName)
}

func roleTarget(c *service.Call, r state.Reader, name string, keys ...policy.Entry) ([]authz.Target, error) {
	return holderAlone(c, r, roles, name, keys...)
}

// roleNamed is the role with that name in the caller's account, or NoSuchEntity.
func roleNamed(c *service.Call, r state.Reader, name string) (*state.Account, *state.Role, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, nil, err
	}
	role := a.RoleByName(name)
	if role == nil {
		return nil, nil, noSuchHolder("role", name)
	}
	return a, role, nil
}

func serviceLinked(r *state.Role) bool { return strings.HasPrefix(r.Path, product.ServiceLinkedPath) }

func reserved(r *state.Role) bool { return strings.HasPrefix(r.Path, product.ReservedPath) }

// modifiable refuses to change a role that belongs to AWS's services, whatever policies say.
func modifiable(r *state.Role) error {
	if serviceLinked(r) || reserved(r) {
		return unmodifiable(r)
	}
	return nil
}

func unmodifiable(r *state.Role) *wire.Error {
	return iamapi.UnmodifiableEntity.New("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
}

func prepareNewRole(_ *service.Call, v *state.View, in *iamapi.CreateRoleRequest) (trustDocument, error) {
	return readTrust(v, *in.AssumeRolePolicyDocument), nil
}

// createRole looks at what was sent before it asks whether the name is free, as createUser does. The order is not known from AWS.
func (s *Service) createRole(c *service.Call, tx *state.Tx, in *iamapi.CreateRoleRequest, trust trustDocument) (*iamapi.CreateRoleResponse, error) {
	a, err := callersAccount(c, tx)
	if err != nil {
		return nil, err
	}
	path := pathOr(in.Path)
	if strings.HasPrefix(path, product.ServiceLinkedPath) || strings.HasPrefix(path, product.ReservedPath) { // text not known from AWS
		return nil, iamapi.InvalidInput.New("Paths that begin with %s or %s are reserved.", product.ServiceLinkedPath, product.ReservedPath)
	}
	tags, err := identityTags.read(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := trust.check(tx); err != nil {
		return nil, err
	}
	if err := boundaryExists(a, in.PermissionsBoundary); err != nil {
		return nil, err
	}
	if a.RoleByName(*in.RoleName) != nil {
		return nil, iamapi.EntityAlreadyExists.New("Role with name %s already exists.", *in.RoleName)
	}
	if a.RoleCount() >= s.quotas.RolesPerAccount {
		return nil, exceeded("RolesPerAccount", s.quotas.RolesPerAccount)
	}
	if err := s.trustFits(*in.AssumeRolePolicyDocument); err != nil {
		return nil, err
	}
	role := &state.Role{}
	role.Id = tx.IDs().UniqueID(keyring.RolePrefix, a.ID)
	role.Name, role.Path, role.Created, role.Tags = *in.RoleName, path, tx.Now().UnixMicro(), tags
	role.Description, role.MaxSessionSeconds = in.Description, defaultSessionSeconds
	if in.MaxSessionDuration != nil {
		role.MaxSessionSeconds = *in.MaxSessionDuration
	}
	role.SetTrust(trust.compiled)
	tx.Put(a.Unit(), role)
	if in.PermissionsBoundary != nil {
		putBoundary(tx, a, role.Id, *in.PermissionsBoundary)
	}
	return &iamapi.CreateRoleResponse{Role: xNewRole(tx, a, role)}, nil
}

func getRole(c *service.Call, r state.Reader, in *iamapi.GetRoleRequest) (*iamapi.GetRoleResponse, error) {
	a, role, err := roleNamed(c, r, *in.RoleName)
	if err != nil {
		return nil, err
	}
	x := xNewRole(r, a, role)
	x.Description, x.MaxSessionDuration, x.RoleLastUsed = role.Description, &role.MaxSessionSeconds, xRoleLastUsed(c, role)
	return &iamapi.GetRoleResponse{Role: x}, nil
}

func listRoles(c *service.Call, r state.Reader, in *iamapi.ListRolesRequest) (*iamapi.ListRolesResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	roles, marker, err := listed("roles", in.PathPrefix, in.Marker, in.MaxItems, a.Roles, (*state.Role).GetPath, (*state.Role).GetName)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListRolesResponse{Roles: make([]iamapi.Role, len(roles)), IsTruncated: new(marker != nil), Marker: marker}
	for i, role := range roles {
		x := xRole(r, a, role)
		x.Description, x.MaxSessionDuration = role.Description, &role.MaxSessionSeconds
		out.Roles[i] = *x
	}
	return out, nil
}

func updateRole(c *service.Call, tx *state.Tx, in *iamapi.UpdateRoleRequest) (*iamapi.UpdateRoleResponse, error) {
	a, role, err := roleNamed(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	if reserved(role) || serviceLinked(role) && in.MaxSessionDuration != nil {
		return nil, unmodifiable(role)
	}
	changed := role.Clone()
	if in.Description != nil {
		changed.Description = in.Description
	}
	if in.MaxSessionDuration != nil {
		changed.MaxSessionSeconds = *in.MaxSessionDuration
	}
	if in.Description != nil || in.MaxSessionDuration != nil {
		tx.Put(a.Unit(), changed)
	}
	return &iamapi.UpdateRoleResponse{}, nil
}

func updateRoleDescription(c *service.Call, tx *state.Tx, in *iamapi.UpdateRoleDescriptionRequest) (*iamapi.UpdateRoleDescriptionResponse, error) {
	a, role, err := roleNamed(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	if reserved(role) {
		return nil, unmodifiable(role)
	}
	changed := role.Clone()
	changed.Description = in.Description
	tx.Put(a.Unit(), changed)
	x := xNewRole(tx, a, changed)
	x.Description = changed.Description
	return &iamapi.UpdateRoleDescriptionResponse{Role: x}, nil
}

// deleteRole refuses in the order of docs/spec/wire.md 4.6. The boundary goes with the role; trust policies that name the role keep its id.
func deleteRole(c *service.Call, tx *state.Tx, in *iamapi.DeleteRoleRequest) (*wire.Empty, error) {
	a, role, err := roleNamed(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := modifiable(role); err != nil {
		return nil, err
	}
	for range a.Attachments(role.Id) {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must detach all policies first.")
	}
	for range a.InlinePolicies(role.Id, "") {
		return nil, iamapi.DeleteConflict.New("Cannot delete entity, must delete policies first.")
	}
	dropBoundary(tx, a, role.Id)
	tx.Delete(a.Unit(), role)
	return nil, nil
}

// listInstanceProfilesForRole answers for a store that cannot hold instance profiles yet: a role is in none. Terraform asks before it
// deletes a role.
func listInstanceProfilesForRole(c *service.Call, r state.Reader, in *iamapi.ListInstanceProfilesForRoleRequest) (*iamapi.ListInstanceProfilesForRoleResponse, error) {
	if _, _, err := roleNamed(c, r, *in.RoleName); err != nil {
		return nil, err
	}
	if _, err := after("instanceprofiles", in.Marker); err != nil {
		return nil, err
	}
	return &iamapi.ListInstanceProfilesForRoleResponse{InstanceProfiles: []iamapi.InstanceProfile{}, IsTruncated: new(false)}, nil
}

// xRole is what every answer shows of a role. What an answer shows beside it differs: docs/spec/wire.md 8.
func xRole(r state.Reader, a *state.Account, role *state.Role) *iamapi.Role {
	return &iamapi.Role{
		Path: &role.Path, RoleName: &role.Name, RoleId: &role.Id, Arn: new(role.ARN(a.ID)), CreateDate: xTime(role.Created),
		AssumeRolePolicyDocument: new(shownTrust(r, role)),
	}
}

// xNewRole is xRole with the boundary and the tags, where there are any.
func xNewRole(r state.Reader, a *state.Account, role *state.Role) *iamapi.Role {
	x := xRole(r, a, role)
	x.PermissionsBoundary = xBoundary(a, role.Id)
	x.Tags = xTagsIfAny(role.Tags)
	return x
}

// xTagsIfAny is nil, which answers leave out, where there are no tags.
func xTagsIfAny(tags []*statepb.Tag) []iamapi.Tag {
	if len(tags) == 0 {
		return nil
	}
	return xTags(tags)
}

// xRoleLastUsed is when a session of the role last signed a call: an empty element if none ever did.
func xRoleLastUsed(c *service.Call, role *state.Role) *iamapi.RoleLastUsed {
	use, ok := c.Usage.LastUse(role.Id)
	if !ok {
		return &iamapi.RoleLastUsed{}
	}
	return &iamapi.RoleLastUsed{LastUsedDate: &use.At, Region: &use.Region}
}
