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

// Decide is docs/spec/evaluation.md 4.2, for a call that is not exempt (4.4). It is a pure function, and allocates nothing but for long
// texts with policy variables. An explicit deny anywhere comes first; of several the one that 10.3 reports, from the root down and in
// attachment and statement order, is named, and so is the first statement that allows.
func Decide(s *Sets, r *Request) Decision {
	q, ok := newQuery(s, r)
	if !ok || !s.readable() || !r.readable() {
		return Decision{}
	}
	if r.Exempt {
		return Decision{Effect: Allow, Layer: LayerExempt}
	}
	f := findings{scpSilent: -1, rcpSilent: -1}
	// Denies are found in the order in which they are reported, so the first one is the answer.
	if s.Caller.Kind.boundBySCP() && !s.Caller.ServiceLinked {
		if f.scpSilent, ok = f.levels(LayerSCP, s.SCP, &q); !ok {
			return f.denied
		}
	}
	if !s.Caller.ServiceLinked {
		if f.rcpSilent, ok = f.levels(LayerRCP, r.RCP, &q); !ok {
			return f.denied
		}
	}
	if r.Endpoint != nil {
		q.gateway = r.Gateway
		if !f.endpoint.add(LayerEndpoint, r.Endpoint, &q) {
			return f.endpoint.decision
		}
		q.gateway = false
	}
	if !f.identity.ask(LayerIdentity, s.Identity, &q) {
		return f.identity.decision
	}
	if q.boundary && !f.boundary.ask(LayerBoundary, s.Boundary, &q) {
		return f.boundary.decision
	}
	if !f.session.ask(LayerSession, s.Session, &q) {
		return f.session.decision
	}
	if r.PolicyContext != nil {
		q.context = r.PolicyContext
	}
	if !f.resource.add(r.ResourcePolicy, &q) {
		return f.resource.decision
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
		f.identity = verdict{allowed: true, decision: Decision{Effect: Allow, Layer: LayerIdentity}}
	}
	switch {
	case !s.Caller.Kind.hasAccount() && s.Caller.Kind != 0:
		return f.withoutAccount(granted(r.Grantees, &s.Caller))
	case q.anyResource || r.Owner == "" || r.Owner == s.Caller.Account:
		return f.sameAccount(r.NeedsResourcePolicy)
	}
	return f.crossAccount(granted(r.Grantees, &s.Caller))
}

// bounded says whether a permissions boundary is consulted (docs/spec/evaluation.md 6.3).
func (s *Sets) bounded() bool {
	return s.Boundary != nil && s.Caller.Kind != RootCaller && !s.Caller.ServiceLinked
}

// verdict is what one set says: evalSet of docs/spec/evaluation.md 3.
type verdict struct {
	allowed  bool
	decision Decision // the first deny, else the first allow
}

// ask asks all policies of the set, which may be nil. It returns false for an explicit deny.
func (v *verdict) ask(layer Layer, s *Set, q *query) bool {
	if s == nil {
		return true
	}
	if s.index != nil {
		f := finder{set: s, q: q, deny: noPlace, allow: noPlace, last: noPlace}
		if s.index.find(&f) {
			return v.found(layer, &f)
		}
	}
	for _, a := range s.policies {
		if !v.add(layer, a, q) {
			return false
		}
	}
	return true
}

// found takes what the index found. It returns false for an explicit deny.
func (v *verdict) found(layer Layer, f *finder) bool {
	effect, at := DenyExplicit, f.deny
	if f.deny == noPlace {
		effect, at = Allow, f.allow
		if f.allow == noPlace {
			return true
		}
	}
	v.allowed = effect == Allow
	v.decision = Decision{Effect: effect, Layer: layer, Policy: f.set.policies[at>>16], Statement: int(at & 0xffff)}
	return v.allowed
}

// add asks one more policy of the set, where every way to name the caller is as good. It returns false for an explicit deny.
func (v *verdict) add(layer Layer, a *Attached, q *query) bool {
	p := a.Policy
	for i := range p.statements {
		deny := p.statements[i].has(flagDeny)
		if !deny && v.allowed || p.apply(i, q) == classNone {
			continue
		}
		if deny {
			v.decision = Decision{Effect: DenyExplicit, Layer: layer, Policy: a, Statement: i}
			return false
		}
		v.allowed, v.decision = true, Decision{Effect: Allow, Layer: layer, Policy: a, Statement: i}
	}
	return true
}

// resourceVerdict is what the policy of the resource says.
type resourceVerdict struct {
	layer    Layer
	decision Decision // the deny, or the first allow of the best class
	class    class    // of the best allow
	account  bool     // some allow is of classAccount
}

// add asks the policy, nil where there is none. It returns false for an explicit deny.
func (v *resourceVerdict) add(a *Attached, q *query) bool {
	v.layer = LayerResource
	if a == nil {
		return true
	}
	p := a.Policy
	if p.kind == Trust {
		v.layer = LayerTrust
	}
	for i := range p.statements {
		deny := p.statements[i].has(flagDeny)
		if !deny && v.class == classDirect {
			continue // nothing allows more than that
		}
		switch c := p.apply(i, q); {
		case c == classNone:
		case deny:
			v.decision = Decision{Effect: DenyExplicit, Layer: v.layer, Policy: a, Statement: i}
			return false
		default:
			v.account = v.account || c == classAccount
			if c > v.class {
				v.class, v.decision = c, Decision{Effect: Allow, Layer: v.layer, Policy: a, Statement: i}
			}
		}
	}
	return true
}

// findings are what the sets say when none of them denies explicitly.
type findings struct {
	denied               Decision // by a level of a chain
	scpSilent, rcpSilent int      // the first level that does not allow, -1 where all do
	endpoint             verdict
	identity             verdict
	boundary, session    verdict // allowed too where they do not exist
	resource             resourceVerdict
}

// levels asks a chain of the organization. silent is the first level that does not allow, or -1. It returns false for an explicit deny.
func (f *findings) levels(layer Layer, chain []*Set, q *query) (silent int, ok bool) {
	silent = -1
	for i, level := range chain {
		var v verdict
		if !v.ask(layer, level, q) {
			f.denied = v.decision
			f.denied.Level = i
			return silent, false
		}
		if !v.allowed && silent < 0 {
			silent = i
		}
	}
	return silent, true
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

// withoutAccount is S1: only what is on the resource can allow services, providers and anonymous callers.
func (f *findings) withoutAccount(acl class) Decision {
	switch {
	case f.resource.class == classDirect:
		return f.resource.decision
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
		return f.resource.decision
	case f.identity.allowed && limits && (!needsResourcePolicy || f.resource.account):
		return f.identity.decision
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
		return f.identity.decision
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
