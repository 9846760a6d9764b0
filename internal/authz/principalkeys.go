package authz

import (
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	principalTag  = "aws:PrincipalTag/"
	principalArn  = "aws:PrincipalArn"
	principalType = "aws:PrincipalType"
)

// single is a key with one value.
func single(key, value string) policy.Entry { return policy.Entry{Key: key, Values: []string{value}} }

// keysOf prepares the keys of docs/spec/evaluation.md 1.2 for a principal: those of all its sessions, its own, its tags.
func (m *memo) keysOf(name, kind string, tags []*statepb.Tag, own ...policy.Entry) {
	m.keys = append(m.keys, single("aws:PrincipalAccount", m.account), single("aws:PrincipalIsAWSService", "false"))
	if m.member != nil {
		m.keys = append(m.keys, single("aws:PrincipalOrgID", m.member.Organization), paths("aws:PrincipalOrgPaths", m.member))
	}
	m.shared = len(m.keys)
	m.keys = append(m.keys, single(principalArn, name), single(principalType, kind))
	m.keys = append(m.keys, own...)
	first := len(m.keys)
	for _, t := range tags {
		m.keys = append(m.keys, single(principalTag+t.Key, t.Value))
	}
	m.tags = m.keys[first:]
}

func (m *memo) keysOfRoot() { m.keysOf(m.name, "Account", nil, single("aws:userid", m.account)) }

func (m *memo) keysOfUser(u *state.User) {
	m.keysOf(m.name, "User", u.Tags, single("aws:userid", u.Id), single("aws:username", u.Name))
}

func (m *memo) keysOfRole(role *state.Role) { m.keysOf(m.sets.Caller.ARN, "AssumedRole", role.Tags) }

// paths is a key for where an account is in its organization; absent where that cannot be told.
func paths(key string, m *state.Membership) policy.Entry {
	e := policy.Entry{Key: key, Multi: true}
	if m.Path != "" {
		e.Values = []string{m.Path}
	}
	return e
}

// sessionKeys prepares those of s, a session of m.
func sessionKeys(m, s *memo, q *Query) []policy.Entry {
	var keys []policy.Entry
	federated := s.sets.Caller.Kind == policy.FederatedCaller
	if federated {
		keys = append(keys, m.keys[:m.shared]...)
		keys = append(keys, single(principalArn, s.name), single(principalType, "FederatedUser"))
	} else {
		keys = append(keys, m.keys[:len(m.keys)-len(m.tags)]...)
	}
	if federated || m.kind == policy.RoleCaller {
		keys = append(keys, single("aws:userid", q.Principal.UserID()))
	}
	for _, t := range m.tags {
		if !hasTag(q.Session, t.Key[len(principalTag):]) {
			keys = append(keys, t)
		}
	}
	if s.made.provider != "" {
		keys = append(keys, single("aws:FederatedProvider", s.made.provider))
	}
	if s.made.assumedRoot {
		keys = append(keys, single("aws:AssumedRoot", "true"))
	}
	if q.Session == nil {
		return keys
	}
	for _, t := range q.Session.Tags {
		keys = append(keys, single(principalTag+t.Key, t.Value))
	}
	if !q.Session.Issued.IsZero() {
		keys = append(keys, single("aws:TokenIssueTime", q.Session.Issued.UTC().Format(time.RFC3339)))
	}
	if s.made.provider == "" { // the sessions of identity providers do not know of a second factor
		factor := "false"
		if s.factor() {
			factor = "true"
		}
		keys = append(keys, single("aws:MultiFactorAuthPresent", factor))
	}
	if q.Session.SourceIdentity != "" {
		keys = append(keys, single("aws:SourceIdentity", q.Session.SourceIdentity))
	}
	return keys
}

// factor says whether the session was made with a second factor, and conditions can see it.
func (m *memo) factor() bool {
	return m.session != nil && !m.session.MFA.IsZero() && m.made.provider == "" && m.sets.Caller.Kind != policy.FederatedCaller
}

// hasTag says whether the session's tags hide one of its user or role: without regard to case.
func hasTag(s *session.Session, key string) bool {
	if s == nil {
		return false
	}
	for _, t := range s.Tags {
		if policy.SameKey(t.Key, key) {
			return true
		}
	}
	return false
}
