package iam

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
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

// newTags checks the tags of a request: keys of users and roles are unique without regard to case (docs/spec/wire.md 5.5, 4.8).
func (s *Service) newTags(tags []iamapi.Tag) ([]*statepb.Tag, error) {
	var out []*statepb.Tag
	for _, t := range tags {
		if hasFoldPrefix(*t.Key, "aws:") { // text not known from AWS
			return nil, iamapi.InvalidInput.New("Tag keys that begin with aws: are reserved.")
		}
		if findTag(out, *t.Key) >= 0 {
			return nil, iamapi.InvalidInput.New("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out = append(out, &statepb.Tag{Key: *t.Key, Value: *t.Value})
	}
	return out, nil
}

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func findTag(tags []*statepb.Tag, key string) int {
	return slices.IndexFunc(tags, func(t *statepb.Tag) bool { return policy.SameKey(t.Key, key) })
}

// withTags is tags with more merged in: a tag takes the place of the one with its key, whose spelling goes. It changes tags.
func (s *Service) withTags(tags, more []*statepb.Tag) ([]*statepb.Tag, error) {
	for _, t := range more {
		if i := findTag(tags, t.Key); i >= 0 {
			tags[i] = t
		} else {
			tags = append(tags, t)
		}
	}
	if len(tags) > s.quotas.TagsPerUser {
		return nil, iamapi.LimitExceeded.New("The number of tags has reached the maximum limit.")
	}
	return tags, nil
}

// withoutTags takes the tags with those keys out, without regard to case. It changes tags.
func withoutTags(tags []*statepb.Tag, keys []string) []*statepb.Tag {
	return slices.DeleteFunc(tags, func(t *statepb.Tag) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return policy.SameKey(t.Key, key) })
	})
}

// tagPage is a page of a user's or role's tags, sorted by key.
func tagPage(list string, tags []*statepb.Tag, marker *string, maxItems *int32) ([]iamapi.Tag, *string, error) {
	from, err := after(list, marker)
	if err != nil {
		return nil, nil, err
	}
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b *statepb.Tag) int { return cmp.Compare(a.Key, b.Key) })
	taken, next := page(list, maxItems, slices.Values(tagsAfter(sorted, from)), tagPlace)
	return xTags(taken), next, nil
}

func (s *Service) tagUser(c *service.Call, tx *state.Tx, in *iamapi.TagUserRequest) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	tags, err := s.newTags(in.Tags)
	if err != nil {
		return nil, err
	}
	changed := u.Clone()
	if changed.Tags, err = s.withTags(changed.Tags, tags); err != nil {
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
	changed.Tags = withoutTags(changed.Tags, in.TagKeys)
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
	tags, marker, err := tagPage("usertags", u.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListUserTagsResponse{Tags: tags, IsTruncated: new(marker != nil), Marker: marker}, nil
}

// maxPlace bounds what a marker remembers of a tag key: 128 characters can be 512 bytes, and a marker has room for 320 characters.
const maxPlace = 192

// tagPlace is what a marker remembers of a tag: its key, of a long key the beginning and a digest.
func tagPlace(t *statepb.Tag) string {
	if len(t.Key) <= maxPlace {
		return t.Key
	}
	sum := sha256.Sum256([]byte(t.Key))
	return t.Key[:maxPlace] + string(sum[:16])
}

// tagsAfter are the sorted tags behind the place that a marker remembers. If that tag is gone, keys with the same long beginning are given
// again rather than left out.
func tagsAfter(sorted []*statepb.Tag, place string) []*statepb.Tag {
	if i := slices.IndexFunc(sorted, func(t *statepb.Tag) bool { return tagPlace(t) == place }); i >= 0 {
		return sorted[i+1:]
	}
	beginning := place
	if len(place) > maxPlace {
		beginning = place[:maxPlace]
	}
	i, _ := slices.BinarySearchFunc(sorted, beginning, func(t *statepb.Tag, key string) int { return cmp.Compare(t.Key, key) })
	return sorted[i:]
}
