package iam

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerUserTags(r *service.Registry, s *Service) {
	service.Write(r, iamapi.OpTagUser, onTagUser, s.tagUser)
	service.Write(r, iamapi.OpUntagUser, onUntagUser, untagUser)
	service.Read(r, iamapi.OpListUserTags, onListUserTags, listUserTags)
}

func onTagUser(c *service.Call, r state.Reader, in *iamapi.TagUserRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName, tagKeys(in.Tags)...)
}

func onUntagUser(c *service.Call, r state.Reader, in *iamapi.UntagUserRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName, untagKeys(in.TagKeys)...)
}

func onListUserTags(c *service.Call, r state.Reader, in *iamapi.ListUserTagsRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

func (s *Service) tagUser(c *service.Call, tx *state.Tx, in *iamapi.TagUserRequest) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	changed := u.Clone()
	if changed.Tags, err = identityTags.with(changed.Tags, in.Tags, s.quotas.TagsPerUser); err != nil {
		return nil, err
	}
	tx.Put(a.Unit(), changed)
	return nil, nil
}

func untagUser(c *service.Call, tx *state.Tx, in *iamapi.UntagUserRequest) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	changed := u.Clone()
	changed.Tags = identityTags.without(changed.Tags, in.TagKeys)
	if len(changed.Tags) != len(u.Tags) {
		tx.Put(a.Unit(), changed)
	}
	return nil, nil
}

func listUserTags(c *service.Call, r state.Reader, in *iamapi.ListUserTagsRequest) (*iamapi.ListUserTagsResponse, error) {
	_, u, err := userNamed(c, r, *in.UserName)
	if err != nil {
		return nil, err
	}
	tags, marker, err := identityTags.page("usertags", u.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListUserTagsResponse{Tags: tags, IsTruncated: new(marker != nil), Marker: marker}, nil
}
