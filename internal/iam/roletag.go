package iam

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerRoleTags(r *service.Registry, s *Service) {
	service.Write(r, iamapi.OpTagRole, onTagRole, s.tagRole)
	service.Write(r, iamapi.OpUntagRole, onUntagRole, untagRole)
	service.Read(r, iamapi.OpListRoleTags, onListRoleTags, listRoleTags)
}

func onTagRole(c *service.Call, r state.Reader, in *iamapi.TagRoleRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName, tagKeys(in.Tags)...)
}

func onUntagRole(c *service.Call, r state.Reader, in *iamapi.UntagRoleRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName, untagKeys(in.TagKeys)...)
}

func onListRoleTags(c *service.Call, r state.Reader, in *iamapi.ListRoleTagsRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName)
}

// taggableRole is the role with that name. Service-linked roles may be tagged, those below /aws-reserved/ not (docs/spec/wire.md 8, TagRole).
func taggableRole(c *service.Call, tx *state.Tx, name string) (*state.Account, *state.Role, error) {
	a, role, err := roleNamed(c, tx, name)
	if err != nil {
		return nil, nil, err
	}
	if reserved(role) {
		return nil, nil, unmodifiable(role)
	}
	return a, role, nil
}

func (s *Service) tagRole(c *service.Call, tx *state.Tx, in *iamapi.TagRoleRequest) (*wire.Empty, error) {
	a, role, err := taggableRole(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	changed := role.Clone()
	if changed.Tags, err = identityTags.with(changed.Tags, in.Tags, s.quotas.TagsPerUser); err != nil {
		return nil, err
	}
	tx.Put(a.Unit(), changed)
	return nil, nil
}

func untagRole(c *service.Call, tx *state.Tx, in *iamapi.UntagRoleRequest) (*wire.Empty, error) {
	a, role, err := taggableRole(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	changed := role.Clone()
	changed.Tags = identityTags.without(changed.Tags, in.TagKeys)
	if len(changed.Tags) != len(role.Tags) {
		tx.Put(a.Unit(), changed)
	}
	return nil, nil
}

func listRoleTags(c *service.Call, r state.Reader, in *iamapi.ListRoleTagsRequest) (*iamapi.ListRoleTagsResponse, error) {
	_, role, err := roleNamed(c, r, *in.RoleName)
	if err != nil {
		return nil, err
	}
	tags, marker, err := identityTags.page("roletags", role.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListRoleTagsResponse{Tags: tags, IsTruncated: new(marker != nil), Marker: marker}, nil
}
