package authz

import (
	"sync/atomic"
	"time"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
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

// Authorizer decides for principals of the store, and for others. The zero value is not usable; see New.
type Authorizer struct {
	// Alarm is told of every decision that was denied because it could not be made. It is set before the first decision; nil: nobody
	// is told.
	Alarm func(*Failure)

	catalog  *catalog.Catalog
	memos    table
	moment   atomic.Pointer[moment]
	failures failures
	records  records
}

// New makes an authorizer that remembers nothing yet. Other programs' queries are about the actions of the catalogue; nil: whatever they
// name is an action, on any resource.
func New(c *catalog.Catalog) *Authorizer {
	z := &Authorizer{catalog: c}
	z.memos.init()
	z.records.init(ordinaryBounds)
	return z
}

// Authorize decides whether s may perform action on target, with the policies that r sees. It returns nil if it may, otherwise the denial.
// A principal that r does not know is denied everything. What credentials may not be used for at all is not asked: see package authn.
func (z *Authorizer) Authorize(r state.Reader, s *Subject, action string, target *Target) *Denial {
	if target.Action != "" {
		action = target.Action
	}
	own := ownCheck{environment: s.Environment, keys: target.Keys, policyTags: target.TrustTags}
	q := Query{
		Principal: s.Principal, Session: s.Session, Action: action, Resource: target.ARN, Owner: target.Account, ResourceTags: target.Tags,
		ResourcePolicy: target.Trust, NeedsResourcePolicy: target.MustTrust, own: &own,
	}
	return z.Ask(r, &q).Denial
}

// Decide is docs/spec/evaluation.md 4 for one check, with the policies that r sees. A principal that r does not know is denied everything, and
// so is what cannot be decided, which z.Alarm is told of. It is for who has nobody to tell why: Ask says more of a denial, and costs more.
func (z *Authorizer) Decide(r state.Reader, q *Query) policy.Decision {
	k := check{z: z, r: r, q: q, quiet: true}
	k.safely()
	return k.decision
}

// Ask is Decide with what there is to be said of a denial.
func (z *Authorizer) Ask(r state.Reader, q *Query) Answer {
	k := check{z: z, r: r, q: q}
	return k.answer()
}

func (k *check) answer() Answer {
	k.safely()
	if k.decision.Effect == policy.Allow {
		return Answer{Decision: k.decision}
	}
	return Answer{Decision: k.decision, Denial: k.denial(), Catalog: k.noted.Catalog}
}
