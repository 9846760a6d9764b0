package sts

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// newTags are the session tags of a call: docs/spec/wire.md 10.3. inherited are the transitive tags of the calling session.
func newTags(tags []stsapi.Tag, transitive []string, inherited []session.Tag) ([]session.Tag, error) {
	var out []session.Tag
	for _, t := range tags {
		if hasFoldPrefix(*t.Key, "aws:") { // text not known from AWS
			return nil, wire.InvalidParameterValue.New("Tag keys that begin with aws: are reserved.")
		}
		if findTag(out, *t.Key) >= 0 {
			return nil, wire.InvalidParameterValue.New("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		out = append(out, session.Tag{Key: *t.Key, Value: *t.Value})
	}
	for _, key := range transitive {
		i := findTag(out, key)
		if i < 0 {
			return nil, wire.InvalidParameterValue.New("The specified transitive tag key must be included in the requested tags.")
		}
		out[i].Transitive = true
	}
	for _, t := range out {
		if findTag(inherited, t.Key) >= 0 {
			return nil, wire.InvalidParameterValue.New("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	return out, nil
}

// inheritedTags are the tags that a session hands on to those it assumes. Only role sessions have them.
func inheritedTags(s *session.Session) []session.Tag {
	if s == nil {
		return nil
	}
	var out []session.Tag
	for _, t := range s.Tags {
		if t.Transitive {
			out = append(out, t)
		}
	}
	return out
}

func findTag(tags []session.Tag, key string) int {
	return slices.IndexFunc(tags, func(t session.Tag) bool { return policy.SameKey(t.Key, key) })
}

func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// requestTagKeys are the context keys of tags that a call passes (docs/spec/evaluation.md 1.3).
func requestTagKeys(keys []policy.Entry, tags []session.Tag) []policy.Entry {
	if len(tags) == 0 {
		return keys
	}
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.Key
		keys = append(keys, policy.Entry{Key: "aws:RequestTag/" + t.Key, Values: []string{t.Value}})
	}
	return append(keys, policy.Entry{Key: "aws:TagKeys", Values: names, Multi: true})
}

func one(key, value string) policy.Entry { return policy.Entry{Key: key, Values: []string{value}} }
