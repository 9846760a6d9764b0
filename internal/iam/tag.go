package iam

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// tagRules are how the tags of a kind of entity behave (docs/spec/wire.md 4.8, 5.5, 6).
type tagRules struct {
	same      func(a, b string) bool // whether two keys are one tag
	duplicate string                 // what a request is told that gives a tag twice
	compare   func(a, b string) int  // order of keys in lists
}

var (
	// identityTags are those of users and roles: without regard to case.
	identityTags = tagRules{
		same: policy.SameKey, compare: strings.Compare,
		duplicate: "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
	}
	// policyTags are those of managed policies: with regard to case, shorter keys first.
	policyTags = tagRules{
		same:      func(a, b string) bool { return a == b },
		duplicate: "Duplicate tag keys found.",
		compare:   func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) },
	}
)

// read checks the tags of a request.
func (t *tagRules) read(tags []iamapi.Tag) ([]*statepb.Tag, error) {
	var out []*statepb.Tag
	for _, tag := range tags {
		if hasFoldPrefix(*tag.Key, "aws:") { // text not known from AWS
			return nil, iamapi.InvalidInput.New("Tag keys that begin with aws: are reserved.")
		}
		if t.find(out, *tag.Key) >= 0 {
			return nil, iamapi.InvalidInput.New("%s", t.duplicate)
		}
		out = append(out, &statepb.Tag{Key: *tag.Key, Value: *tag.Value})
	}
	return out, nil
}

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func (t *tagRules) find(tags []*statepb.Tag, key string) int {
	return slices.IndexFunc(tags, func(tag *statepb.Tag) bool { return t.same(tag.Key, key) })
}

// with is tags with those of a request merged in: a tag takes the place of the one with its key, whose spelling goes. It changes tags.
func (t *tagRules) with(tags []*statepb.Tag, more []iamapi.Tag, most int) ([]*statepb.Tag, error) {
	checked, err := t.read(more)
	if err != nil {
		return nil, err
	}
	for _, tag := range checked {
		if i := t.find(tags, tag.Key); i >= 0 {
			tags[i] = tag
		} else {
			tags = append(tags, tag)
		}
	}
	if len(tags) > most {
		return nil, iamapi.LimitExceeded.New("The number of tags has reached the maximum limit.")
	}
	return tags, nil
}

// without takes the tags with those keys out. It changes tags.
func (t *tagRules) without(tags []*statepb.Tag, keys []string) []*statepb.Tag {
	return slices.DeleteFunc(tags, func(tag *statepb.Tag) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return t.same(tag.Key, key) })
	})
}

// page is a page of tags, in order of their keys.
func (t *tagRules) page(list string, tags []*statepb.Tag, marker *string, maxItems *int32) ([]iamapi.Tag, *string, error) {
	from, err := after(list, marker)
	if err != nil {
		return nil, nil, err
	}
	sorted := slices.SortedFunc(slices.Values(tags), func(a, b *statepb.Tag) int { return t.compare(a.Key, b.Key) })
	taken, next := page(list, maxItems, slices.Values(t.after(sorted, from)), tagPlace)
	return xTags(taken), next, nil
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

// after are the sorted tags behind the place that a marker remembers. If that tag is gone, and only the beginning of its key is known, the
// tags that may stand behind it are given again rather than left out.
func (t *tagRules) after(sorted []*statepb.Tag, place string) []*statepb.Tag {
	if i := slices.IndexFunc(sorted, func(tag *statepb.Tag) bool { return tagPlace(tag) == place }); i >= 0 {
		return sorted[i+1:]
	}
	beginning := place[:min(len(place), maxPlace)]
	i, _ := slices.BinarySearchFunc(sorted, beginning, func(tag *statepb.Tag, key string) int { return t.compare(tag.Key, key) })
	return sorted[i:]
}

func xTags(tags []*statepb.Tag) []iamapi.Tag {
	x := make([]iamapi.Tag, len(tags))
	for i, t := range tags {
		x[i] = iamapi.Tag{Key: &t.Key, Value: &t.Value}
	}
	return x
}
