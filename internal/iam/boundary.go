package iam

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// boundaryKey is the condition key for a permissions boundary: the one a request sets, or else the one there is.
const boundaryKey = "iam:PermissionsBoundary"

func registerBoundaries(r *service.Registry, _ *Service) {
	service.Write(r, iamapi.OpPutUserPermissionsBoundary, onPutUserBoundary, putUserBoundary)
	service.Write(r, iamapi.OpDeleteUserPermissionsBoundary, onDeleteUserBoundary, deleteUserBoundary)
	service.Write(r, iamapi.OpPutRolePermissionsBoundary, onPutRoleBoundary, putRoleBoundary)
	service.Write(r, iamapi.OpDeleteRolePermissionsBoundary, onDeleteRoleBoundary, deleteRoleBoundary)
}

func onPutUserBoundary(c *service.Call, r state.Reader, in *iamapi.PutUserPermissionsBoundaryRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName, single(boundaryKey, *in.PermissionsBoundary))
}

func onDeleteUserBoundary(c *service.Call, r state.Reader, in *iamapi.DeleteUserPermissionsBoundaryRequest) ([]authz.Target, error) {
	t, err := holderTarget(c, r, users, *in.UserName)
	return []authz.Target{t}, err
}

func onPutRoleBoundary(c *service.Call, r state.Reader, in *iamapi.PutRolePermissionsBoundaryRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName, single(boundaryKey, *in.PermissionsBoundary))
}

func onDeleteRoleBoundary(c *service.Call, r state.Reader, in *iamapi.DeleteRolePermissionsBoundaryRequest) ([]authz.Target, error) {
	t, err := holderTarget(c, r, roles, *in.RoleName)
	return []authz.Target{t}, err
}

func putUserBoundary(c *service.Call, tx *state.Tx, in *iamapi.PutUserPermissionsBoundaryRequest) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	if err := boundaryAttachable(a, *in.PermissionsBoundary); err != nil {
		return nil, err
	}
	putBoundary(tx, a, u.Id, *in.PermissionsBoundary)
	return nil, nil
}

func putRoleBoundary(c *service.Call, tx *state.Tx, in *iamapi.PutRolePermissionsBoundaryRequest) (*wire.Empty, error) {
	a, role, err := roleNamed(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := modifiable(role); err != nil {
		return nil, err
	}
	if err := boundaryAttachable(a, *in.PermissionsBoundary); err != nil {
		return nil, err
	}
	putBoundary(tx, a, role.Id, *in.PermissionsBoundary)
	return nil, nil
}

// deleteUserBoundary succeeds where none is set (docs/spec/wire.md 8).
func deleteUserBoundary(c *service.Call, tx *state.Tx, in *iamapi.DeleteUserPermissionsBoundaryRequest) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	dropBoundary(tx, a, u.Id)
	return nil, nil
}

// deleteRoleBoundary succeeds where none is set (docs/spec/wire.md 8).
func deleteRoleBoundary(c *service.Call, tx *state.Tx, in *iamapi.DeleteRolePermissionsBoundaryRequest) (*wire.Empty, error) {
	a, role, err := roleNamed(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := modifiable(role); err != nil {
		return nil, err
	}
	dropBoundary(tx, a, role.Id)
	return nil, nil
}

// boundaryAttachable is boundaryExists for the operations that have an error of their own for the policies of service-linked roles
// (docs/spec/wire.md 8).
func boundaryAttachable(a *state.Account, policyARN string) error {
	if p, ok := findPolicy(a, policyARN); ok && p.ofServiceRole() {
		return onlyForServiceRoles()
	}
	return boundaryExists(a, &policyARN)
}

// boundaryExists says what is wrong with a requested boundary that is not a managed policy of the account or of AWS (docs/spec/wire.md 4.4,
// 4.8), or is one that only service-linked roles can have. Nil is no boundary, and right.
func boundaryExists(a *state.Account, policyARN *string) error {
	if policyARN == nil {
		return nil
	}
	text := *policyARN
	if err := checkPolicyARN(text); err != nil {
		return err
	}
	if p, ok := findPolicy(a, text); ok && !p.ofServiceRole() {
		return nil
	}
	return iamapi.NoSuchEntity.New("Scope ARN: %s does not exist or is not attachable.", text)
}

// putBoundary sets the boundary of a user or role, given by its unique id.
func putBoundary(tx *state.Tx, a *state.Account, owner, policyARN string) {
	b := &state.Attachment{}
	b.Owner, b.Policy, b.Boundary = owner, policyARN, true
	tx.Put(a.Unit(), b)
}

// dropBoundary takes the boundary of a user or role away, if there is one.
func dropBoundary(tx *state.Tx, a *state.Account, owner string) {
	if b := a.Boundary(owner); b != nil {
		tx.Delete(a.Unit(), b)
	}
}

// xBoundary is the boundary of a user or role as answers show it; nil if there is none.
func xBoundary(a *state.Account, owner string) *iamapi.AttachedPermissionsBoundary {
	b := a.Boundary(owner)
	if b == nil {
		return nil
	}
	return &iamapi.AttachedPermissionsBoundary{PermissionsBoundaryType: new("Policy"), PermissionsBoundaryArn: &b.Policy}
}
