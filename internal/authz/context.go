package authz

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// keys builds the context of a check (docs/spec/evaluation.md 1.2 to 1.4). It is made only for policies that read one.
type keys struct {
	entries []policy.Entry
	values  []string // what single values stand in
}

const (
	expectedKeys = 48 // of a check that is not about many tags
	keptKeys     = 4 * expectedKeys
)

var contexts = sync.Pool{New: func() any {
	return &keys{entries: make([]policy.Entry, 0, expectedKeys), values: make([]string, 0, expectedKeys)}
}}

func (c *keys) release() {
	if cap(c.entries) > keptKeys {
		return
	}
	clear(c.entries)
	clear(c.values)
	c.entries, c.values = c.entries[:0], c.values[:0]
	contexts.Put(c)
}

// one adds a key with one value.
func (c *keys) one(key, value string) {
	c.values = append(c.values, value)
	n := len(c.values)
	c.entries = append(c.entries, policy.Entry{Key: key, Values: c.values[n-1 : n : n]})
}

func (c *keys) flag(key string, value bool) { c.one(key, strconv.FormatBool(value)) }

// fill makes the context of a target whose resource has the tags.
func (c *keys) fill(r state.Reader, s *Subject, t *Target, tags []*statepb.Tag) {
	c.entries = append(c.entries, t.Keys...) // first, so that what a check says of itself is not hidden
	c.principal(s)
	c.principalTags(r.Account(s.Principal.Account), s)
	c.sessionKeys(s)
	c.environment(s.Environment)
	owner := t.Account
	if owner == "" {
		owner = s.Principal.Account
	}
	c.one("aws:ResourceAccount", owner)
	for _, tag := range tags {
		c.one("aws:ResourceTag/"+tag.Key, tag.Value)
		c.one("iam:ResourceTag/"+tag.Key, tag.Value)
	}
}

func (c *keys) principal(s *Subject) {
	p := s.Principal
	kind := ""
	switch p.Kind {
	case state.RootUser:
		kind = "Account"
		c.one("aws:PrincipalArn", arn.Root(state.Partition, p.Account))
	case state.IAMUser:
		kind = "User"
		c.one("aws:PrincipalArn", p.ARN())
		c.one("aws:username", p.Name)
	case state.RoleSession:
		kind = "AssumedRole"
		c.one("aws:PrincipalArn", arn.Role(state.Partition, p.Account, p.Path, p.Name))
	case state.FederatedUser:
		kind = "FederatedUser"
		c.one("aws:PrincipalArn", p.ARN())
	}
	c.one("aws:PrincipalType", kind)
	c.one("aws:PrincipalAccount", p.Account)
	c.one("aws:userid", p.UserID())
	c.flag("aws:PrincipalIsAWSService", false)
	c.flag("aws:ViaAWSService", false)
}

// principalTags are the tags of the user or role, overlaid by the session's without regard to case.
func (c *keys) principalTags(a *state.Account, s *Subject) {
	var tags []*statepb.Tag
	switch s.Principal.Kind {
	case state.IAMUser, state.FederatedUser:
		if u := a.User(s.Principal.ID); u != nil {
			tags = u.Tags
		}
	case state.RoleSession:
		if r := a.Role(s.Principal.ID); r != nil {
			tags = r.Tags
		}
	}
	for _, t := range tags {
		if !s.hasTag(t.Key) {
			c.one("aws:PrincipalTag/"+t.Key, t.Value)
		}
	}
	if s.Session != nil {
		for _, t := range s.Session.Tags {
			c.one("aws:PrincipalTag/"+t.Key, t.Value)
		}
	}
}

func (s *Subject) hasTag(key string) bool {
	if s.Session == nil {
		return false
	}
	for _, t := range s.Session.Tags {
		if policy.SameKey(t.Key, key) {
			return true
		}
	}
	return false
}

func (c *keys) sessionKeys(s *Subject) {
	if s.Session == nil {
		return
	}
	c.one("aws:TokenIssueTime", s.Session.Issued.UTC().Format(time.RFC3339))
	factor := !s.Session.MFA.IsZero() && s.Principal.Kind != state.FederatedUser
	c.flag("aws:MultiFactorAuthPresent", factor)
	if factor {
		c.one("aws:MultiFactorAuthAge", strconv.FormatInt(int64(s.Environment.Time.Sub(s.Session.MFA)/time.Second), 10))
	}
	if s.Session.SourceIdentity != "" {
		c.one("aws:SourceIdentity", s.Session.SourceIdentity)
	}
}

func (c *keys) environment(e *Environment) {
	c.one("aws:CurrentTime", e.Time.UTC().Format(time.RFC3339))
	c.one("aws:EpochTime", strconv.FormatInt(e.Time.Unix(), 10))
	c.flag("aws:SecureTransport", e.Secure)
	c.one("aws:RequestedRegion", e.Region)
	for _, k := range [...]struct{ key, value string }{{"aws:SourceIp", e.SourceIP}, {"aws:UserAgent", e.UserAgent}, {"aws:referer", e.Referer}} {
		if k.value != "" {
			c.one(k.key, strings.ToValidUTF8(k.value, "\uFFFD")) // no policy can name other bytes, and none of them may end the decision
		}
	}
}
