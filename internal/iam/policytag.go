package iam

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerPolicyTags(r *service.Registry, s *Service) {
	service.Write(r, iamapi.OpTagPolicy, onTagPolicy, s.tagPolicy)
	service.Write(r, iamapi.OpUntagPolicy, onUntagPolicy, untagPolicy)
	service.Read(r, iamapi.OpListPolicyTags, onListPolicyTags, listPolicyTags)
}

func onTagPolicy(c *service.Call, r state.Reader, in *iamapi.TagPolicyRequest) ([]authz.Target, error) {
	return policyTargetWith(c, r, *in.PolicyArn, tagKeys(in.Tags))
}

func onUntagPolicy(c *service.Call, r state.Reader, in *iamapi.UntagPolicyRequest) ([]authz.Target, error) {
	return policyTargetWith(c, r, *in.PolicyArn, untagKeys(in.TagKeys))
}

func onListPolicyTags(c *service.Call, r state.Reader, in *iamapi.ListPolicyTagsRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

func (s *Service) tagPolicy(c *service.Call, tx *state.Tx, in *iamapi.TagPolicyRequest) (*wire.Empty, error) {
	a, p, err := ownPolicyAt(c, tx, *in.PolicyArn, cannotUpdate)
	if err != nil {
		return nil, err
	}
	changed := p.Clone()
	if changed.Tags, err = policyTags.with(changed.Tags, in.Tags, s.quotas.TagsPerUser); err != nil {
		return nil, err
	}
	tx.Put(a.Unit(), changed)
	return nil, nil
}

func untagPolicy(c *service.Call, tx *state.Tx, in *iamapi.UntagPolicyRequest) (*wire.Empty, error) {
	a, p, err := ownPolicyAt(c, tx, *in.PolicyArn, cannotUpdate)
	if err != nil {
		return nil, err
	}
	changed := p.Clone()
	changed.Tags = policyTags.without(changed.Tags, in.TagKeys)
	if len(changed.Tags) != len(p.Tags) {
		tx.Put(a.Unit(), changed)
	}
	return nil, nil
}

func listPolicyTags(c *service.Call, r state.Reader, in *iamapi.ListPolicyTagsRequest) (*iamapi.ListPolicyTagsResponse, error) {
	p, err := policyAt(c, r, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	var all []*statepb.Tag // AWS's policies have none
	if p.own != nil {
		all = p.own.Tags
	}
	tags, marker, err := policyTags.page("policytags", all, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListPolicyTagsResponse{Tags: tags, IsTruncated: new(marker != nil), Marker: marker}, nil
}
