package iam

import (
	"slices"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// holder is what policies belong to: a user, a group or a role.
type holder struct {
	account *state.Account
	kind    string // "user", "group" or "role"
	id      string // unique id
	name    string // as stored
	arn     string
	tags    []*statepb.Tag // groups have none
}

// kindOfHolder finds holders of one kind by name, without regard to case; false if there is none of that name.
type kindOfHolder func(a *state.Account, name string) (holder, bool)

func users(a *state.Account, name string) (holder, bool) {
	u := a.UserByName(name)
	if u == nil {
		return holder{kind: "user"}, false
	}
	return holder{a, "user", u.Id, u.Name, u.ARN(a.ID), u.Tags}, true
}

func groups(a *state.Account, name string) (holder, bool) {
	g := a.GroupByName(name)
	if g == nil {
		return holder{kind: "group"}, false
	}
	return holder{a, "group", g.Id, g.Name, g.ARN(a.ID), nil}, true
}

func roles(a *state.Account, name string) (holder, bool) {
	r := a.RoleByName(name)
	if r == nil {
		return holder{kind: "role"}, false
	}
	return holder{a, "role", r.Id, r.Name, r.ARN(a.ID), r.Tags}, true
}

// holderNamed is the holder with that name in the caller's account, or NoSuchEntity.
func holderNamed(c *service.Call, r state.Reader, of kindOfHolder, name string) (holder, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return holder{}, err
	}
	h, ok := of(a, name)
	if !ok {
		return holder{}, noSuchHolder(h.kind, name)
	}
	return h, nil
}

func noSuchHolder(kind, name string) *wire.Error {
	return iamapi.NoSuchEntity.New("The %s with name %s cannot be found.", kind, name)
}

// holderAlone is what a name means to policies: the holder's ARN and tags; for a name without holder the ARN it would have at path "/".
func holderAlone(c *service.Call, r state.Reader, of kindOfHolder, name string, keys ...policy.Entry) ([]authz.Target, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	h, _ := of(a, name)
	return []authz.Target{h.target(a, name, keys)}, nil
}

// holderTarget is holderAlone for what changes the holder's policies, which knows its permissions boundary.
func holderTarget(c *service.Call, r state.Reader, of kindOfHolder, name string) (authz.Target, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return authz.Target{}, err
	}
	h, ok := of(a, name)
	if !ok {
		return h.target(a, name, nil), nil
	}
	var keys []policy.Entry
	if b := a.Boundary(h.id); b != nil {
		keys = append(keys, single(boundaryKey, b.Policy))
	}
	return h.target(a, name, keys), nil
}

// target takes a holder that was not found, too: of that only the kind is known.
func (h *holder) target(a *state.Account, name string, keys []policy.Entry) authz.Target {
	if h.account == nil {
		return authz.Target{ARN: arn.IAM(state.Partition, a.ID, h.kind+"/"+name), Keys: keys}
	}
	return authz.Target{ARN: h.arn, Tags: h.tags, Keys: keys}
}

// onNew is a user, role or policy that is to be made, and the tagging of it. The tags it will have count as its tags (docs/spec/evaluation.md
// 1.3, aws:ResourceTag).
func onNew(arn, tagAction string, tags []iamapi.Tag, boundary *string) []authz.Target {
	keys := tagKeys(tags)
	made := authz.Target{ARN: arn, Keys: keys, Tags: tagsOf(tags)}
	if boundary != nil {
		made.Keys = append(slices.Clip(keys), single(boundaryKey, *boundary))
	}
	if len(tags) == 0 {
		return []authz.Target{made}
	}
	return []authz.Target{made, {ARN: arn, Action: tagAction, Keys: keys, Tags: made.Tags}}
}

// single is a context key with one value.
func single(key, value string) policy.Entry { return policy.Entry{Key: key, Values: []string{value}} }

// tagKeys are the context keys of a request that puts tags: aws:RequestTag/… for each, and aws:TagKeys. None for a request without tags.
func tagKeys(tags []iamapi.Tag) []policy.Entry {
	if len(tags) == 0 {
		return nil
	}
	entries := make([]policy.Entry, 0, len(tags)+1)
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = value(t.Key)
		entries = append(entries, single("aws:RequestTag/"+names[i], value(t.Value)))
	}
	return append(entries, untagKeys(names)...)
}

// tagsOf are the tags of a request as a record has them, not checked.
func tagsOf(tags []iamapi.Tag) []*statepb.Tag {
	out := make([]*statepb.Tag, len(tags))
	for i, t := range tags {
		out[i] = &statepb.Tag{Key: value(t.Key), Value: value(t.Value)}
	}
	return out
}

// untagKeys are the context keys of a request that takes tags away. None for a request that names no tag.
func untagKeys(names []string) []policy.Entry {
	if len(names) == 0 {
		return nil
	}
	return []policy.Entry{{Key: "aws:TagKeys", Values: names, Multi: true}}
}
