package iam

import (
	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerUserBoundary(r *service.Registry) {
	service.Write(r, iamapi.OpPutUserPermissionsBoundary, onPutUserBoundary, putUserBoundary)
	service.Write(r, iamapi.OpDeleteUserPermissionsBoundary, onDeleteUserBoundary, deleteUserBoundary)
}

func onPutUserBoundary(c *service.Call, r state.Reader, in *iamapi.PutUserPermissionsBoundaryRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

func onDeleteUserBoundary(c *service.Call, r state.Reader, in *iamapi.DeleteUserPermissionsBoundaryRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

// putUserBoundary always ends in an error: a boundary is a managed policy, and the store cannot hold one yet, so none exists.
func putUserBoundary(c *service.Call, tx *state.Tx, in *iamapi.PutUserPermissionsBoundaryRequest) (*wire.Empty, error) {
	if _, _, err := userNamed(c, tx, *in.UserName); err != nil {
		return nil, err
	}
	return nil, noBoundaryPolicy(*in.PermissionsBoundary)
}

// deleteUserBoundary succeeds where none is set (docs/spec/wire.md 8), and none can be.
func deleteUserBoundary(c *service.Call, tx *state.Tx, in *iamapi.DeleteUserPermissionsBoundaryRequest) (*wire.Empty, error) {
	_, _, err := userNamed(c, tx, *in.UserName)
	return nil, err
}

// noBoundaryPolicy says what is wrong with a boundary that is not a managed policy of the store (docs/spec/wire.md 4.4, 4.8).
func noBoundaryPolicy(text string) *wire.Error {
	parsed, err := arn.Parse(text)
	if err != nil {
		return wire.ValidationError.New("ARN %s is not valid.", text)
	}
	if kind, _, _, ok := parsed.Entity(); !ok || kind != "policy" || parsed.Service != "iam" {
		return iamapi.InvalidInput.New("ARN %s is not valid.", text)
	}
	return iamapi.NoSuchEntity.New("Scope ARN: %s does not exist or is not attachable.", text)
}
