package authz

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/product"
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
	if cap(c.entries) > keptKeys || cap(c.values) > keptKeys {
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

// fill makes the context of a check of our own whose resource has the tags.
func (c *keys) fill(k *check, tags []*statepb.Tag) {
	own := k.q.own
	c.entries = append(c.entries, own.keys...) // first, so that what a check says of itself is not hidden
	c.environment(own.environment)
	c.add(k, readsAll, own.environment.Time, tags)
}

// add adds the keys of some groups that the store, the query's fields and its time give.
func (c *keys) add(k *check, r reads, at time.Time, tags []*statepb.Tag) {
	if r&readsCaller != 0 {
		c.caller(k, at)
	}
	if r&readsResource != 0 {
		c.resource(k, tags)
	}
	if r&readsDefaults != 0 {
		m := k.z.momentOf(at)
		c.one("aws:CurrentTime", m.current)
		c.one("aws:EpochTime", m.epoch)
		c.flag("aws:ViaAWSService", false)
	}
}

// moment is a second as conditions read it. Most checks of one second are asked in it.
type moment struct {
	unix           int64
	current, epoch string
}

func (z *Authorizer) momentOf(at time.Time) *moment {
	unix := at.Unix()
	if m := z.moment.Load(); m != nil && m.unix == unix {
		return m
	}
	m := &moment{unix, at.UTC().Format(time.RFC3339), strconv.FormatInt(unix, 10)}
	z.moment.Store(m)
	return m
}

var anonymousKeys = []policy.Entry{
	single(principalType, "Anonymous"), single("aws:PrincipalAccount", "anonymous"), single("aws:userid", "anonymous"),
}

func (c *keys) caller(k *check, at time.Time) {
	q := k.q
	switch {
	case k.caller != nil:
		if k.caller.late != nil {
			k.caller.late()
		}
		c.entries = append(c.entries, k.caller.keys...)
		if k.caller.factor() {
			c.one("aws:MultiFactorAuthAge", strconv.FormatInt(int64(at.Sub(k.caller.session.MFA)/time.Second), 10))
		}
	case len(q.Service) > 0:
		c.one(principalType, "Service")
		c.one("aws:userid", q.Service[0])
		c.flag("aws:PrincipalIsAWSService", true)
		c.one("aws:PrincipalServiceName", q.Service[0])
		c.entries = append(c.entries, policy.Entry{Key: "aws:PrincipalServiceNamesList", Values: q.Service, Multi: true})
	case q.Provider != "":
		c.one("aws:FederatedProvider", q.Provider)
	default:
		c.entries = append(c.entries, anonymousKeys...)
	}
}

func (c *keys) resource(k *check, tags []*statepb.Tag) {
	if k.owner != "" {
		c.one("aws:ResourceAccount", k.owner)
	}
	if m := k.membership(); m != nil {
		c.one("aws:ResourceOrgID", m.Organization)
		c.values = append(c.values, m.Path)
		n := len(c.values)
		c.entries = append(c.entries, policy.Entry{Key: "aws:ResourceOrgPaths", Values: c.values[n-1 : n : n], Multi: true})
	}
	if k.call.PassesRole() { // the role's tags are not available for it (docs/spec/evaluation.md 7.1)
		return
	}
	iam := product.NameOf(k.q.Resource).Service == "iam"
	for _, tag := range tags {
		c.one("aws:ResourceTag/"+tag.Key, tag.Value)
		if iam {
			c.one("iam:ResourceTag/"+tag.Key, tag.Value)
		}
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
