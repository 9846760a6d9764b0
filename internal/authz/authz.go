package authz

import (
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Subject is who asks, and how.
type Subject struct {
	Principal   *state.Principal
	Session     *session.Session // nil for a long-term key
	Environment *Environment
}

// Environment is what a request says of itself, whoever sent it (docs/spec/evaluation.md 1.3).
type Environment struct {
	Time      time.Time // of receipt; read once for a request
	SourceIP  string    // an address without port, "" if there is none
	UserAgent string    // "" if there was no header
	Referer   string    // "" if there was no header
	Region    string    // of the endpoint
	Secure    bool      // the client used TLS
}

// Target is what an action is aimed at: one check of docs/spec/evaluation.md 4.2.
type Target struct {
	ARN     string // "*" for actions without a resource
	Action  string // "" = that of the operation
	Account string // owner of the resource; "" = the caller's account
	Tags    []*statepb.Tag
	// Keys are the context keys of this check beside those of the caller, the environment and the resource's tags: iam:PolicyARN,
	// aws:RequestTag/…
	Keys []policy.Entry
	// Trust is the trust policy of a role that is to be assumed. MustTrust: without it, or where it is silent, nobody gets in.
	Trust     *policy.Attached
	MustTrust bool
	// TrustTags are what Trust takes for Tags; nil where that is the same.
	TrustTags []*statepb.Tag
}

// Authorizer decides for principals of the store. The zero value is not usable; see New.
type Authorizer struct {
	shards [shardCount]shard
}

const (
	shardCount = 64
	maxMemos   = 4096 // remembered owners of one shard
)

// shard remembers the policy sets of some users and roles.
type shard struct {
	mu    sync.RWMutex
	memos map[string]memo
}

// memo holds a user's or role's sets as they were when the account's epoch was this.
type memo struct {
	account string
	epoch   storage.Rev
	sets    *gathered
}

// New makes an authorizer that remembers nothing yet.
func New() *Authorizer {
	z := &Authorizer{}
	for i := range z.shards {
		z.shards[i].memos = map[string]memo{}
	}
	return z
}

// Authorize decides whether s may perform action on target, with the policies that r sees. It returns nil if it may, otherwise the denial.
// A principal that r does not know is denied everything.
func (z *Authorizer) Authorize(r state.Reader, s *Subject, action string, target *Target) *Denial {
	if target.Action != "" {
		action = target.Action
	}
	denial := func(d policy.Decision) *Denial {
		foreign := target.Account != "" && target.Account != s.Principal.Account
		return &Denial{Principal: s.Principal.ARN(), Action: action, Resource: target.ARN, Foreign: foreign, Decision: d}
	}
	sets, ok := z.setsOf(r, s)
	if !ok {
		return denial(policy.Decision{})
	}
	request := policy.Request{
		Action: action, Resource: target.ARN, Owner: target.Account,
		ResourcePolicy: target.Trust, NeedsResourcePolicy: target.MustTrust,
	}
	trustUses := target.Trust != nil && target.Trust.Policy != nil && target.Trust.Policy.UsesContext()
	if trustUses || sets.UsesContext() {
		c := contexts.Get().(*keys)
		defer c.release()
		c.fill(r, s, target, target.Tags)
		request.Context = c.entries
	}
	if trustUses && target.TrustTags != nil {
		c := contexts.Get().(*keys)
		defer c.release()
		c.fill(r, s, target, target.TrustTags)
		request.PolicyContext = c.entries
	}
	d := policy.Decide(&sets, &request)
	if d.Effect == policy.Allow {
		return nil
	}
	if target.MustTrust && d.Layer == policy.LayerResource { // there is no role to trust anybody, which must not show
		d.Layer = policy.LayerTrust
	}
	return denial(d)
}
