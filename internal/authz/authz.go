package authz

import (
	"time"

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
	memos memos
}

// New makes an authorizer that remembers nothing yet.
func New() *Authorizer {
	z := &Authorizer{}
	z.memos.init()
	return z
}

// Authorize decides whether s may perform action on target, with the policies that r sees. It returns nil if it may, otherwise the denial.
// A principal that r does not know is denied everything.
func (z *Authorizer) Authorize(r state.Reader, s *Subject, action string, target *Target) *Denial {
	if target.Action != "" {
		action = target.Action
	}
	own := ownCheck{environment: s.Environment, keys: target.Keys, policyTags: target.TrustTags}
	q := Query{
		Principal: s.Principal, Session: s.Session, Action: action, Resource: target.ARN, Owner: target.Account, ResourceTags: target.Tags,
		ResourcePolicy: target.Trust, NeedsResourcePolicy: target.MustTrust, own: &own,
	}
	return z.Decide(r, &q).Denial
}

// Decide is docs/spec/evaluation.md 4 for one check, with the policies that r sees. A principal that r does not know is denied everything.
func (z *Authorizer) Decide(r state.Reader, q *Query) Answer {
	k := check{q: q, on: name(q.Resource)}
	d := k.decide(z, r)
	if d.Effect == policy.Allow {
		return Answer{Decision: d}
	}
	return Answer{d, k.denial(d)}
}

// check is a Query while it is decided.
type check struct {
	q     *Query
	on    named
	m     *memo             // of the Principal; nil if there is none
	owner string            // account of the resource; "" = unknown, for a caller without account
	owned *state.Membership // of the owner; nil if it is in no organization
}

func (k *check) decide(z *Authorizer, r state.Reader) policy.Decision {
	q := k.q
	var room policy.Sets
	sets := &room
	switch {
	case q.Principal != nil:
		if k.m = z.memoOf(r, q.Principal); k.m == nil {
			return policy.Decision{}
		}
		sets = setsOf(r, q, k.m, &room)
	case len(q.Service) > 0:
		room.Caller = policy.Caller{Kind: policy.ServiceCaller, Names: q.Service}
	case q.Provider != "":
		room.Caller = policy.Caller{Kind: policy.ProviderCaller, Names: []string{q.Provider}}
	case q.Anonymous:
		room.Caller = policy.Caller{Kind: policy.AnonymousCaller}
	default:
		return policy.Decision{}
	}
	k.ownedBy(r)
	request := policy.Request{
		Action: q.Action, Resource: q.Resource, Owner: k.owner, Context: q.Context, ResourcePolicy: q.ResourcePolicy,
		NeedsResourcePolicy: q.NeedsResourcePolicy || needsPolicy(q.Action, k.on), Grantees: q.Grantees, Endpoint: q.Endpoint, Gateway: q.Gateway,
		Exempt: exempt(q),
	}
	switch {
	case policy.SameKey(q.Action, passRole): // no policy of a role reaches into another account (7.1)
		request.ResourcePolicy, request.Grantees = nil, nil
	case rescued(q.Action, sets.Caller.Kind == policy.RootCaller && k.owner == sets.Caller.Account):
		request.ResourcePolicy = nil
	}
	if rcpReaches(q, k.on) {
		request.RCP = k.rcp()
	}
	if sets.UsesContext() || request.UsesContext() {
		c := contexts.Get().(*keys)
		defer c.release()
		c.fill(q, k.m, k.owner, k.owned, q.ResourceTags)
		request.Context = c.entries
		if q.own != nil && q.own.policyTags != nil {
			c := contexts.Get().(*keys)
			defer c.release()
			c.fill(q, k.m, k.owner, k.owned, q.own.policyTags)
			request.PolicyContext = c.entries
		}
	}
	d := policy.Decide(sets, &request)
	if d.Layer == policy.LayerResource && d.Effect == policy.DenyImplicit && request.NeedsResourcePolicy && policy.SameKey(prefixOf(q.Action), "sts") {
		d.Layer = policy.LayerTrust // there is no role to trust anybody, which must not show
	}
	return d
}

// ownedBy finds out whose the resource is.
func (k *check) ownedBy(r state.Reader) {
	k.owner = k.q.Owner
	if (k.owner == "" && k.q.own == nil || policy.SameKey(k.q.Action, passRole)) && isAccount(k.on.account) {
		k.owner = k.on.account
	}
	if k.m != nil && (k.owner == "" || k.q.Resource == "*") {
		k.owner = k.m.account
	}
	switch {
	case k.m != nil && k.owner == k.m.account:
		k.owned = k.m.member
	case k.owner != "":
		k.owned = r.Membership(k.owner)
	}
}

// isAccount says whether the account of an ARN is an account's id: AWS managed policies have "aws" there.
func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// rcp are the levels above the resource (docs/spec/evaluation.md 6.2).
func (k *check) rcp() []*policy.Set {
	switch {
	case k.owned == nil:
		return k.q.RCP
	case k.owned.Management:
		return nil
	case len(k.q.RCP) == 0:
		return k.owned.RCP
	}
	return append(k.owned.RCP[:len(k.owned.RCP):len(k.owned.RCP)], k.q.RCP...)
}
