package authz

import (
	"slices"
	"sync"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// check is a Query while it is decided.
type check struct {
	z *Authorizer
	r state.Reader
	q *Query

	call     product.Call
	caller   *memo        // the Principal; nil if there is none, or not known
	room     *policy.Sets // where the sets stand that nobody remembers; nil: they are the caller's
	request  policy.Request
	owner    string            // account of the resource; "" = unknown, for a caller without account
	owned    *state.Membership // of the owner, once it was asked for; nil if it is in no organization
	asked    bool
	decision policy.Decision
	refusal  string // why the credentials are not for this call at all; "" if they are

	distance Distance // of a denial
	noted    *Record  // of a denial, or of whatever was decided, where all is true
	all      bool
	quiet    bool // nobody asks why it is denied
	// overruled: the policies allow it, and the catalogue does not
	overruled bool
}

var rooms = sync.Pool{New: func() any { return new(policy.Sets) }}

// safely is decide, in which whatever goes wrong becomes a denial that is heard of (docs/spec/evaluation.md 4.2).
func (k *check) safely() {
	defer k.caught()
	k.decide()
	if k.decision.Effect != policy.Allow && !k.quiet || k.all {
		k.distance = k.measure()
		if k.noted == nil {
			k.noted = k.unasked()
		}
	}
	if k.decision.Layer == policy.LayerNone && !k.overruled {
		k.undecided()
	}
}

// caught ends a decision, if need be with a denial.
func (k *check) caught() {
	if p := recover(); p != nil {
		k.decision, k.distance, k.noted = policy.Decision{}, Foreign, k.refusedRecord(notDecided)
		k.panicked(p)
	}
	if k.room != nil {
		*k.room = policy.Sets{}
		rooms.Put(k.room)
		k.room = nil
	}
}

// decide sets the decision, which nothing returns: handing it on costs more than what else is done for it here.
func (k *check) decide() {
	q := k.q
	if !k.who() {
		return
	}
	k.call.Service, k.call.Action, k.call.Resource = product.ServiceOf(q.Action), q.Action, q.Resource // in place, for the same reason
	if k.refusal = k.refused(); k.refusal != "" {
		return
	}
	k.ownedBy()
	k.request.Action, k.request.Resource, k.request.Owner = q.Action, q.Resource, k.owner
	k.request.ResourcePolicy, k.request.NeedsResourcePolicy = q.ResourcePolicy, q.NeedsResourcePolicy || k.call.NeedsPolicy()
	k.request.Grantees, k.request.Endpoint, k.request.Gateway, k.request.Exempt = q.Grantees, q.Endpoint, q.Gateway, k.exempt()
	switch {
	case k.call.PassesRole(): // no policy of a role reaches into another account (docs/spec/evaluation.md 7.1)
		k.request.ResourcePolicy, k.request.Grantees = nil, nil
	case k.rescues():
		k.request.ResourcePolicy = nil
	}
	if levels := k.rcp(); levels != nil && k.call.RCPReaches(q.AWSManaged) {
		k.request.RCP = levels
	}
	if q.own != nil {
		k.decideOwn()
	} else {
		k.decideAsked()
	}
}

// who finds the sets of who asks; false if there is no such caller.
func (k *check) who() bool {
	q := k.q
	service, provider := len(q.Service) > 0, q.Provider != ""
	if q.Principal != nil {
		return !service && !provider && !q.Anonymous && k.principal()
	}
	k.room = rooms.Get().(*policy.Sets)
	switch {
	case service && !provider && !q.Anonymous:
		k.room.Caller = policy.Caller{Kind: policy.ServiceCaller, Names: q.Service}
	case provider && !service && !q.Anonymous:
		k.room.Caller = policy.Caller{Kind: policy.ProviderCaller, Names: []string{q.Provider}}
	case q.Anonymous && !service && !provider:
		k.room.Caller = policy.Caller{Kind: policy.AnonymousCaller}
	default:
		return false
	}
	return true
}

// sets are those of who asks.
func (k *check) sets() *policy.Sets {
	if k.room != nil {
		return k.room
	}
	return &k.caller.sets
}

func (k *check) principal() bool {
	if k.caller == nil { // who asks has not gathered it
		k.caller = k.z.callerOf(k.r, k.q)
	}
	if k.caller == nil {
		return false
	}
	member := k.caller.member
	scp := len(k.q.SCP) > 0 && (member == nil || !member.Management)
	if scp || k.q.Canonical != "" {
		k.room = rooms.Get().(*policy.Sets)
		*k.room = k.caller.sets
		k.room.Caller.Canonical = k.q.Canonical
		if scp {
			k.room.SCP = slices.Concat(k.room.SCP, k.q.SCP) // those of the store first
		}
	}
	return true
}

// ownedBy finds out whose the resource is.
func (k *check) ownedBy() {
	q := k.q
	k.owner = q.Owner
	if k.owner == "" && q.own == nil || k.call.PassesRole() {
		if account := product.AccountOf(q.Resource); product.IsAccount(account) {
			k.owner = account
		}
	}
	if k.caller != nil && (k.owner == "" || k.owner == k.caller.account || q.Resource == "*") {
		k.owner, k.owned, k.asked = k.caller.account, k.caller.member, true
	}
}

// membership is the owner's place in its organization, nil if it is in none.
func (k *check) membership() *state.Membership {
	if !k.asked {
		k.owned, k.asked = k.r.Membership(k.owner), true
	}
	return k.owned
}

// rcp are the levels above the resource (docs/spec/evaluation.md 6.2).
func (k *check) rcp() []*policy.Set {
	switch m := k.membership(); {
	case m == nil:
		return k.q.RCP
	case m.Management:
		return nil
	case len(k.q.RCP) == 0:
		return m.RCP
	default:
		return slices.Concat(m.RCP, k.q.RCP)
	}
}

// reads are the keys that a decision may read.
func (k *check) reads() reads {
	var r reads
	if k.caller != nil {
		r = k.caller.reads
	}
	if k.request.UsesContext() || k.room != nil && k.room.UsesContext() {
		r = readsAll
	}
	return r
}

// decideAsked decides for other programs. Where nothing is read of what they do not give, the context is theirs as it stands.
func (k *check) decideAsked() {
	r := k.reads()
	if r&^readsOthers == 0 {
		k.request.Context = k.q.Context
		k.judge()
	} else {
		k.decideBuilt(r)
	}
}

// decideBuilt is decideAsked where keys of the groups r are read.
func (k *check) decideBuilt(r reads) {
	c := contexts.Get().(*keys)
	defer c.release()
	for i := range k.q.Context {
		if e := &k.q.Context[i]; !Reserved(e.Key) {
			c.entries = append(c.entries, *e)
		}
	}
	c.add(k, r, k.q.Time, k.q.ResourceTags)
	k.request.Context = c.entries
	k.judge()
}

// decideOwn decides for our own operations.
func (k *check) decideOwn() {
	if k.reads() != 0 {
		c := contexts.Get().(*keys)
		defer c.release()
		c.fill(k, k.q.ResourceTags)
		k.request.Context = c.entries
		if k.q.own.policyTags != nil {
			c := contexts.Get().(*keys)
			defer c.release()
			c.fill(k, k.q.own.policyTags)
			k.request.PolicyContext = c.entries
		}
	}
	k.judge()
}

// judge lets the policies decide, and the catalogue deny. A denial is noted as long as its context is there.
func (k *check) judge() {
	d := policy.Decide(k.sets(), &k.request)
	// One by one: what was just written in small parts is not copied as a whole without waiting for it.
	k.decision.Effect, k.decision.Layer, k.decision.Level, k.decision.Policy, k.decision.Statement = d.Effect, d.Layer, d.Level, d.Policy, d.Statement
	if k.decision.Effect == policy.Allow && k.q.own == nil && product.CatalogDenies(k.verdict(), &k.sets().Caller, k.owner) {
		k.decision, k.overruled = policy.Decision{}, true
	}
	if k.decision.Effect != policy.Allow && !k.quiet || k.all {
		k.noted = k.record()
	}
}

// verdict is what the catalogue says of other programs' questions. The targets of our own operations are made by them.
func (k *check) verdict() catalog.Verdict {
	if k.q.own != nil || k.z.catalog == nil {
		return catalog.Known
	}
	return k.z.catalog.Verdict(k.q.Action, k.q.Resource)
}
