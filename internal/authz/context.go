package authz

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// keys builds the context of a check (docs/spec/evaluation.md 1.2 to 1.4). It is made only for policies that read one. Of two entries for
// one key the first counts.
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

// single is a key with one value.
func single(key, value string) policy.Entry { return policy.Entry{Key: key, Values: []string{value}} }

// one adds a key with one value.
func (c *keys) one(key, value string) {
	c.values = append(c.values, value)
	n := len(c.values)
	c.entries = append(c.entries, policy.Entry{Key: key, Values: c.values[n-1 : n : n]})
}

func (c *keys) flag(key string, value bool) { c.one(key, strconv.FormatBool(value)) }

// fill makes the context of a check whose resource has the tags. m is nil for a caller without account, owned the membership of the
// resource's owner.
func (c *keys) fill(q *Query, m *memo, owner string, owned *state.Membership, tags []*statepb.Tag) {
	at := q.Time
	if q.own != nil {
		c.entries = append(c.entries, q.own.keys...) // first, so that what a check says of itself is not hidden
		c.environment(q.own.environment)
		at = q.own.environment.Time
	}
	for i := range q.Context {
		if e := &q.Context[i]; !Reserved(e.Key) {
			c.entries = append(c.entries, *e)
		}
	}
	c.caller(q, m, at)
	c.resource(q, owner, owned, tags)
	c.one("aws:CurrentTime", at.UTC().Format(time.RFC3339))
	c.one("aws:EpochTime", strconv.FormatInt(at.Unix(), 10))
	c.flag("aws:ViaAWSService", false)
}

func (c *keys) caller(q *Query, m *memo, at time.Time) {
	switch {
	case m != nil:
		c.principal(q, m)
		c.sessionKeys(q, at)
	case len(q.Service) > 0:
		c.one("aws:PrincipalType", "Service")
		c.one("aws:userid", q.Service[0])
		c.flag("aws:PrincipalIsAWSService", true)
		c.one("aws:PrincipalServiceName", q.Service[0])
		c.entries = append(c.entries, policy.Entry{Key: "aws:PrincipalServiceNamesList", Values: q.Service, Multi: true})
	case q.Provider != "":
		c.one("aws:FederatedProvider", q.Provider)
	case q.Anonymous:
		c.one("aws:PrincipalType", "Anonymous")
		c.one("aws:PrincipalAccount", "anonymous")
		c.one("aws:userid", "anonymous")
	}
}

func (c *keys) principal(q *Query, m *memo) {
	p := q.Principal
	if p.Kind == state.FederatedUser {
		c.one("aws:PrincipalArn", p.ARN()) // before that of the issuer
		c.one("aws:PrincipalType", "FederatedUser")
	}
	c.entries = append(c.entries, m.keys...)
	if p.Kind == state.RoleSession || p.Kind == state.FederatedUser {
		c.one("aws:userid", p.UserID())
	} else {
		c.entries = append(c.entries, m.own...)
	}
	for i := range m.tags {
		if t := &m.tags[i]; !hasTag(q.Session, t.Key[len(principalTag):]) {
			c.entries = append(c.entries, *t)
		}
	}
	if q.Session != nil {
		for _, t := range q.Session.Tags {
			c.one(principalTag+t.Key, t.Value)
		}
	}
}

const principalTag = "aws:PrincipalTag/"

// hasTag says whether the session's tags hide one of its user or role.
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

func (c *keys) sessionKeys(q *Query, at time.Time) {
	s := q.Session
	if s == nil {
		return
	}
	if !s.Issued.IsZero() { // an asker need not know it
		c.one("aws:TokenIssueTime", s.Issued.UTC().Format(time.RFC3339))
	}
	if q.FederatedProvider == "" {
		factor := !s.MFA.IsZero() && q.Principal.Kind != state.FederatedUser
		c.flag("aws:MultiFactorAuthPresent", factor)
		if factor {
			c.one("aws:MultiFactorAuthAge", strconv.FormatInt(int64(at.Sub(s.MFA)/time.Second), 10))
		}
	} else {
		c.one("aws:FederatedProvider", q.FederatedProvider)
	}
	if s.SourceIdentity != "" {
		c.one("aws:SourceIdentity", s.SourceIdentity)
	}
	if q.AssumedRoot {
		c.flag("aws:AssumedRoot", true)
	}
}

func (c *keys) environment(e *Environment) {
	c.flag("aws:SecureTransport", e.Secure)
	c.one("aws:RequestedRegion", e.Region)
	for _, k := range [...]struct{ key, value string }{{"aws:SourceIp", e.SourceIP}, {"aws:UserAgent", e.UserAgent}, {"aws:referer", e.Referer}} {
		if k.value != "" {
			c.one(k.key, strings.ToValidUTF8(k.value, "\uFFFD")) // no policy can name other bytes, and none of them may end the decision
		}
	}
}

func (c *keys) resource(q *Query, owner string, owned *state.Membership, tags []*statepb.Tag) {
	if owner != "" {
		c.one("aws:ResourceAccount", owner)
	}
	if owned != nil {
		c.one("aws:ResourceOrgID", owned.Organization)
		c.values = append(c.values, owned.Path)
		n := len(c.values)
		c.entries = append(c.entries, policy.Entry{Key: "aws:ResourceOrgPaths", Values: c.values[n-1 : n : n], Multi: true})
	}
	iam := isIAM(q.Resource)
	for _, tag := range tags {
		c.one("aws:ResourceTag/"+tag.Key, tag.Value)
		if iam {
			c.one("iam:ResourceTag/"+tag.Key, tag.Value)
		}
	}
}

// keysOf prepares the keys of a caller of the store that all its sessions have.
func (m *memo) keysOf(name, kind string) {
	m.keys = append(m.keys, single("aws:PrincipalArn", name), single("aws:PrincipalType", kind), single("aws:PrincipalAccount", m.account),
		single("aws:PrincipalIsAWSService", "false"))
	if m.member != nil {
		m.keys = append(m.keys, single("aws:PrincipalOrgID", m.member.Organization),
			policy.Entry{Key: "aws:PrincipalOrgPaths", Values: []string{m.member.Path}, Multi: true})
	}
}

func (m *memo) tagged(tags []*statepb.Tag) {
	for _, t := range tags {
		m.tags = append(m.tags, single(principalTag+t.Key, t.Value))
	}
}

// weigh estimates the bytes that the memo holds for itself.
func (m *memo) weigh() {
	const fixed, perPolicy, perKey = 512, 128, 64
	m.weight = fixed + perPolicy*(len(m.sets.Identity.Policies())+len(m.sets.Boundary.Policies())) + perKey*(len(m.keys)+len(m.own)+len(m.tags))
	for i := range m.tags {
		m.weight += len(m.tags[i].Key)
	}
}
