package iam

import (
	"cmp"
	"slices"

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

// newPolicyTags checks the tags of a request: keys of policies are unique with regard to case (docs/spec/wire.md 5.5, 4.8).
func newPolicyTags(tags []iamapi.Tag) ([]*statepb.Tag, error) {
	var out []*statepb.Tag
	for _, t := range tags {
		if hasFoldPrefix(*t.Key, "aws:") { // text not known from AWS
			return nil, iamapi.InvalidInput.New("Tag keys that begin with aws: are reserved.")
		}
		if policyTag(out, *t.Key) >= 0 {
			return nil, iamapi.InvalidInput.New("Duplicate tag keys found.")
		}
		out = append(out, &statepb.Tag{Key: *t.Key, Value: *t.Value})
	}
	return out, nil
}

func policyTag(tags []*statepb.Tag, key string) int {
	return slices.IndexFunc(tags, func(t *statepb.Tag) bool { return t.Key == key })
}

func (s *Service) tagPolicy(c *service.Call, tx *state.Tx, in *iamapi.TagPolicyRequest) (*wire.Empty, error) {
	a, p, err := ownPolicyAt(c, tx, *in.PolicyArn, cannotUpdate)
	if err != nil {
		return nil, err
	}
	tags, err := newPolicyTags(in.Tags)
	if err != nil {
		return nil, err
	}
	changed := p.Clone()
	for _, t := range tags {
		if i := policyTag(changed.Tags, t.Key); i >= 0 {
			changed.Tags[i] = t
		} else {
			changed.Tags = append(changed.Tags, t)
		}
	}
	if len(changed.Tags) > s.quotas.TagsPerUser {
		return nil, iamapi.LimitExceeded.New("The number of tags has reached the maximum limit.")
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
	changed.Tags = slices.DeleteFunc(changed.Tags, func(t *statepb.Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
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
	from, err := after("policytags", in.Marker)
	if err != nil {
		return nil, err
	}
	var sorted []*statepb.Tag // AWS's policies have no tags
	if p.own != nil {
		sorted = slices.SortedFunc(slices.Values(p.own.Tags), comparePolicyTags)
	}
	tags, marker := page("policytags", in.MaxItems, slices.Values(policyTagsAfter(sorted, from)), tagPlace)
	return &iamapi.ListPolicyTagsResponse{Tags: xTags(tags), IsTruncated: new(marker != nil), Marker: marker}, nil
}

// comparePolicyTags is AWS's order: shorter keys first, then by byte (docs/spec/wire.md 6).
func comparePolicyTags(a, b *statepb.Tag) int {
	return cmp.Or(cmp.Compare(len(a.Key), len(b.Key)), cmp.Compare(a.Key, b.Key))
}

// policyTagsAfter are the sorted tags behind the place that a marker remembers. If that tag is gone and its key was long, the long keys are
// given again rather than left out.
func policyTagsAfter(sorted []*statepb.Tag, place string) []*statepb.Tag {
	if i := slices.IndexFunc(sorted, func(t *statepb.Tag) bool { return tagPlace(t) == place }); i >= 0 {
		return sorted[i+1:]
	}
	i := slices.IndexFunc(sorted, func(t *statepb.Tag) bool {
		return len(t.Key) > maxPlace || len(place) <= maxPlace && comparePolicyTags(t, &statepb.Tag{Key: place}) > 0
	})
	if i < 0 {
		return nil
	}
	return sorted[i:]
}
