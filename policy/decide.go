package policy

import "slices"

// Decision is the answer, and why. The zero value is an implicit deny of a request that could not be evaluated: malformed,
// outside the bounds, or with an unreadable policy among its sets.
type Decision struct {
	Effect Effect
	Layer  Layer // the set that decided; for DenyImplicit the first one that had to allow and did not
	// Level is the place in Sets.SCP or Request.RCP of the level that denied, where Layer is LayerSCP or LayerRCP; 0 is the root.
	Level int
	// Policy and Statement (an index) name the deciding statement. Policy is nil for an implicit deny and for what no statement allows:
	// root's allow, an ACL, an exempt call.
	Policy    *Attached
	Statement int
}

// Decide is docs/spec/evaluation.md 4.2, and T1 of 4.1. It is a pure function, and allocates nothing but for long
// texts with policy variables. An explicit deny anywhere comes first; of several the one that 10.3 reports, from the root down and in
// attachment and statement order, is named, and so is the first statement that allows.
func Decide(s *Sets, r *Request) Decision {
	var q query
	if s.Identity != nil && len(s.Identity.list) > fewListed {
		q.touched = s.Identity.touch() // so that it comes while the request is read
	}
	if !q.read(s, r) {
		return Decision{}
	}
	if r.Exempt { // before any policy is looked at, so that one that cannot be read does not count either
		return Decision{Effect: Allow, Layer: LayerExempt}
	}
	if !s.readable() || !r.readable() {
		return Decision{}
	}
	f := findings{scpSilent: -1, rcpSilent: -1}
	// Denies are found in the order in which they are reported, so the first one is the answer.
	if len(s.SCP) > 0 && s.Caller.Kind.boundBySCP() && !s.Caller.ServiceLinked {
		if f.scpSilent = f.levels(s.SCP, &q); f.denied {
			return f.deniedAt(LayerSCP)
		}
	}
	if len(r.RCP) > 0 && !s.Caller.ServiceLinked {
		if f.rcpSilent = f.levels(r.RCP, &q); f.denied {
			return f.deniedAt(LayerRCP)
		}
	}
	if r.Endpoint != nil {
		q.gateway = r.Gateway
		if !f.endpoint.add(r.Endpoint, &q) {
			return f.endpoint.as(DenyExplicit, LayerEndpoint)
		}
		q.gateway = false
	}
	if !f.identity.ask(s.Identity, &q) {
		return f.identity.as(DenyExplicit, LayerIdentity)
	}
	if q.boundary && !f.boundary.ask(s.Boundary, &q) {
		return f.boundary.as(DenyExplicit, LayerBoundary)
	}
	if !f.session.ask(s.Session, &q) {
		return f.session.as(DenyExplicit, LayerSession)
	}
	f.resource.layer = LayerResource
	if r.ResourcePolicy != nil {
		if r.PolicyContext != nil {
			q.setContext(r.PolicyContext)
		}
		if !f.resource.add(r.ResourcePolicy, &q) {
			return f.resource.as(DenyExplicit)
		}
	}

	switch { // the guard rails, G1 to G3
	case f.rcpSilent >= 0:
		return Decision{Layer: LayerRCP, Level: f.rcpSilent}
	case f.scpSilent >= 0:
		return Decision{Layer: LayerSCP, Level: f.scpSilent}
	case r.Endpoint != nil && !f.endpoint.allowed:
		return implicit(LayerEndpoint)
	}
	f.boundary.allowed = f.boundary.allowed || !q.boundary
	f.session.allowed = f.session.allowed || s.Session == nil && s.Caller.Kind != FederatedCaller
	if s.Root {
		f.identity = verdict{allowed: true}
	}
	return f.grant(s, r)
}

// bounded says whether a permissions boundary is consulted (docs/spec/evaluation.md 6.3).
func (s *Sets) bounded() bool {
	return s.Boundary != nil && s.Caller.Kind != RootCaller && !s.Caller.ServiceLinked
}

// verdict is what one set says: evalSet of docs/spec/evaluation.md 3.
type verdict struct {
	policy    *Attached // of the first deny, else of the first allow
	statement int32
	allowed   bool
}

// as is the decision that the verdict leads to.
func (v *verdict) as(effect Effect, layer Layer) Decision {
	return Decision{Effect: effect, Layer: layer, Policy: v.policy, Statement: int(v.statement)}
}

// ask asks all policies of the set, which may be nil. It returns false for an explicit deny.
func (v *verdict) ask(s *Set, q *query) bool {
	if s == nil {
		return true
	}
	switch {
	case s.list != nil:
		return v.list(s, q)
	case s.index != nil:
		f := finder{set: s, q: q, deny: noPlace, allow: noPlace, last: noPlace}
		if s.index.find(&f) {
			return v.found(&f)
		}
	}
	for _, a := range s.policies {
		if !v.add(a, q) {
			return false
		}
	}
	return true
}

// found takes what the index found. It returns false for an explicit deny.
func (v *verdict) found(f *finder) bool {
	at := f.deny
	if at == noPlace {
		if at = f.allow; at == noPlace {
			return true
		}
	}
	v.policy, v.statement, v.allowed = f.set.policies[at>>16], int32(at&0xffff), f.deny == noPlace
	return v.allowed
}

// add asks one more policy of the set, where every way to name the caller is as good. It returns false for an explicit deny.
func (v *verdict) add(a *Attached, q *query) bool {
	p := a.Policy
	for i := range p.Len() {
		deny := p.denies(i)
		if p.actionBits(i)&q.actions == 0 || !deny && v.allowed || p.apply(i, q) == classNone {
			continue
		}
		v.policy, v.statement, v.allowed = a, int32(i), !deny
		if deny {
			return false
		}
	}
	return true
}

// resourceVerdict is what the policy of the resource says.
type resourceVerdict struct {
	layer     Layer
	class     class     // of the best allow
	account   bool      // some allow is of classAccount
	statement int32     // of the deny, or of the first allow of the best class
	policy    *Attached // of the same
}

func (v *resourceVerdict) as(effect Effect) Decision {
	return Decision{Effect: effect, Layer: v.layer, Policy: v.policy, Statement: int(v.statement)}
}

// add asks the policy. It returns false for an explicit deny.
func (v *resourceVerdict) add(a *Attached, q *query) bool {
	p := a.Policy
	if p.kind == Trust {
		v.layer = LayerTrust
	}
	for i := range p.Len() {
		deny := p.denies(i)
		if p.actionBits(i)&q.actions == 0 || !deny && v.class == classDirect {
			continue // it is not about the action, or nothing allows more than what was found
		}
		switch c := p.apply(i, q); {
		case c == classNone:
		case deny:
			v.policy, v.statement = a, int32(i)
			return false
		default:
			v.account = v.account || c == classAccount
			if c > v.class {
				v.class, v.policy, v.statement = c, a, int32(i)
			}
		}
	}
	return true
}

// findings are what the sets say when none of them denies explicitly.
type findings struct {
	scpSilent, rcpSilent int // the first level that does not allow, -1 where all do
	endpoint             verdict
	identity             verdict
	boundary, session    verdict // allowed too where they do not exist
	resource             resourceVerdict

	denied bool // by a level of a chain
	level  int
	deny   verdict
}

// levels asks a chain of the organization and returns the first level that does not allow, or -1. It stops at an explicit deny.
func (f *findings) levels(chain []*Set, q *query) int {
	silent := -1
	for i, level := range chain {
		var v verdict
		if !v.ask(level, q) {
			f.denied, f.level, f.deny = true, i, v
			return silent
		}
		if !v.allowed && silent < 0 {
			silent = i
		}
	}
	return silent
}

func (f *findings) deniedAt(layer Layer) Decision {
	d := f.deny.as(DenyExplicit, layer)
	d.Level = f.level
	return d
}

func implicit(layer Layer) Decision { return Decision{Layer: layer} }

// granted is how an ACL names a caller, who is not of the owner's account (docs/spec/evaluation.md 6.5).
func granted(grantees []string, c *Caller) class {
	account := c.Kind.hasAccount()
	switch {
	case len(grantees) == 0:
	case (account || c.Kind == AnonymousCaller) && slices.Contains(grantees, AllUsers), account && slices.Contains(grantees, AuthenticatedUsers):
		return classDirect
	case account && c.Canonical != "" && slices.Contains(grantees, c.Canonical):
		return classAccount
	}
	return classNone
}

// grant is S1 to S3: who may be granted how.
func (f *findings) grant(s *Sets, r *Request) Decision {
	switch {
	case s.Caller.Kind.withoutAccount():
		return f.withoutAccount(granted(r.Grantees, &s.Caller))
	case r.ownedBy(&s.Caller):
		return f.sameAccount(r.NeedsResourcePolicy)
	}
	return f.crossAccount(granted(r.Grantees, &s.Caller))
}

// ownedBy says whether the resource is of the account of a caller that has one. Where there is no resource, it is.
func (r *Request) ownedBy(c *Caller) bool {
	return r.Resource == "*" || r.Owner == "" || r.Owner == c.Account
}

// withoutAccount is S1: only what is on the resource can allow services, providers and anonymous callers.
func (f *findings) withoutAccount(acl class) Decision {
	switch {
	case f.resource.class == classDirect:
		return f.resource.as(Allow)
	case acl == classDirect:
		return Decision{Effect: Allow, Layer: LayerACL}
	}
	return implicit(f.resource.layer)
}

// sameAccount is S2.
func (f *findings) sameAccount(needsResourcePolicy bool) Decision {
	limits := f.boundary.allowed && f.session.allowed
	switch {
	case f.resource.class == classDirect, f.resource.class == classIssuer && limits:
		return f.resource.as(Allow)
	case f.identity.allowed && limits && (!needsResourcePolicy || f.resource.account):
		return f.identity.as(Allow, LayerIdentity)
	case needsResourcePolicy && f.resource.class == classNone:
		return implicit(f.resource.layer)
	}
	return implicit(f.limit())
}

// crossAccount is S3.
func (f *findings) crossAccount(acl class) Decision {
	switch c := max(f.resource.class, acl); {
	case c == classNone, c == classAccount && !f.identity.allowed:
		return implicit(f.resource.layer)
	case f.identity.allowed && f.boundary.allowed && f.session.allowed:
		return f.identity.as(Allow, LayerIdentity)
	}
	return implicit(f.limit())
}

// limit is the first of the caller's sets that does not allow, in the order of docs/spec/evaluation.md 10.3. There is one.
func (f *findings) limit() Layer {
	switch {
	case !f.identity.allowed:
		return LayerIdentity
	case !f.boundary.allowed:
		return LayerBoundary
	}
	return LayerSession
}

// Reason is the end of AWS's denial message (docs/spec/evaluation.md 10.2) for the action that was refused, without the policy's ARN:
// "because no identity-based policy allows the s3:GetObject action". It is "" for an Allow, and for a zero Decision.
func (d Decision) Reason(action string) string {
	switch {
	case d.Layer == LayerNone || int(d.Layer) >= len(layerExplicit):
		return ""
	case d.Effect == DenyExplicit:
		return "with an explicit deny in " + layerExplicit[d.Layer]
	case d.Effect == DenyImplicit:
		return "because no " + layerImplicit[d.Layer] + " allows the " + action + " action"
	}
	return ""
}
