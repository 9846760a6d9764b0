package policy

import (
	"strings"
	"unicode/utf8"
)

// Bounds of a request. A request outside them is denied, whatever the policies say.
const (
	MaxAction   = 256  // bytes
	MaxResource = 4096 // bytes
)

// Attached is a policy with its place: what a decision names as its cause. It never changes once a decision may see it.
type Attached struct {
	Policy *Policy
	ARN    string // of a managed policy; "" for an inline one
	Name   string // the policy's name
	Owner  string // ARN of the user, group or role that an inline policy belongs to; "" for a managed one
}

// CallerKind is what kind of identity asks (docs/spec/policy-language.md 8.2). The zero value is nobody that a Principal can name.
type CallerKind uint8

// The kinds of callers.
const (
	RootCaller      CallerKind = iota + 1 // the root user of an account
	UserCaller                            // an IAM user, with its own key or with GetSessionToken credentials
	RoleCaller                            // a session of a role
	FederatedCaller                       // a GetFederationToken session
	ServiceCaller                         // a service that calls for itself
	ProviderCaller                        // an identity provider, in the unsigned AssumeRoleWith… calls only
	AnonymousCaller                       // an unsigned request
)

// Caller is who asks, as Principal and NotPrincipal elements see it.
type Caller struct {
	Kind    CallerKind
	Account string // "" for services, providers and anonymous callers
	// ID and ARN are those of the user or the role; of a FederatedCaller those of the user that issued the session, "" where root did.
	ID, ARN   string
	Session   string   // RoleCaller and FederatedCaller: the ARN of the session
	Names     []string // ServiceCaller: the names of the service; ProviderCaller: the provider
	Canonical string   // canonical user id of the account, "" where there is none
}

// Sets are the caller and the policies that apply to it (docs/spec/evaluation.md 2). Only what this version evaluates has a field.
// A nil entry of a list, or one without Policy, denies every request: an unreadable policy might have been a Deny.
type Sets struct {
	Caller Caller
	// Identity: inline and attached policies of the user and its groups, or of the role, in attachment order.
	Identity []*Attached
	// Root: no identity policy is needed. True for the root user and for the federated users that it made
	// (docs/spec/evaluation.md 2, 6.6).
	Root bool
	// Boundary is the permissions boundary; nil where there is none.
	Boundary *Attached
	// Session are the session policies, ORed. They limit the caller if there is one, or if SessionLimited is true: a federated user
	// without a session policy has no identity permissions at all (docs/spec/evaluation.md 5, 6.3).
	Session        []*Attached
	SessionLimited bool
}

// Entry is one key of the request context.
type Entry struct {
	Key    string
	Values []string
	Multi  bool // the key may have several values, even when it has one now
}

// Bounds of a request's context: entries, and bytes of all values, each counted 64 longer than it is, which bounds their number too.
// A request with more is denied, and so is one with a value that is not UTF-8.
const (
	MaxContext     = 512
	MaxContextText = 256 << 10
)

// Request is one check: one action on one resource.
type Request struct {
	Action   string // "prefix:Name"
	Resource string // an ARN, or "*" for actions without a resource
	// Owner is the account that the resource belongs to; "" means the caller's own.
	Owner string
	// Context is the request context, in any order. Keys are compared without regard to ASCII case; of two entries for one key the
	// first counts, but among tag keys that differ only by case the exact spelling, else the smallest (docs/spec/policy-language.md 9.1).
	// An entry without values is absent. Binary values are base64 text.
	Context []Entry
	// PolicyContext is what ResourcePolicy reads in the place of Context; nil where it reads the same.
	PolicyContext []Entry
	// ResourcePolicy is the policy of the resource, of the kind Trust or Resource; nil where there is none.
	ResourcePolicy *Attached
	// NeedsResourcePolicy: identity policies of the owner's account reach the resource only where its policy lets them, as with
	// roles and KMS keys (docs/spec/evaluation.md 4.2).
	NeedsResourcePolicy bool
}

// Decision is the answer, and why. The zero value is an implicit deny of a request that could not be evaluated: malformed,
// outside the bounds, or with an unreadable policy among its sets.
type Decision struct {
	Effect Effect
	Layer  Layer // the set that decided; for DenyImplicit the first one that had to allow and did not
	// Policy and Statement (an index) name the deciding statement. Policy is nil for an implicit deny and for root's allow.
	Policy    *Attached
	Statement int
}

// Decide is docs/spec/evaluation.md 4.2 for the layers of this version. It is a pure function, and allocates nothing but for long
// texts with policy variables. An explicit deny anywhere comes first; of several the one that 10.3 reports, in attachment and
// statement order, is named, and so is the first statement that allows.
func Decide(s *Sets, r *Request) Decision {
	q, ok := newQuery(s, r)
	if !ok || !s.readable() || !readable(r.ResourcePolicy, false) {
		return Decision{}
	}
	var f findings
	for _, a := range s.Identity {
		if !f.identity.add(LayerIdentity, a, &q) {
			return f.identity.decision
		}
	}
	if s.Boundary != nil && !f.boundary.add(LayerBoundary, s.Boundary, &q) {
		return f.boundary.decision
	}
	for _, a := range s.Session {
		if !f.session.add(LayerSession, a, &q) {
			return f.session.decision
		}
	}
	if r.PolicyContext != nil {
		q.context = r.PolicyContext
	}
	if !f.resource.add(r.ResourcePolicy, &q) {
		return f.resource.decision
	}
	f.boundary.allowed = f.boundary.allowed || s.Boundary == nil
	f.session.allowed = f.session.allowed || len(s.Session) == 0 && !s.SessionLimited
	if s.Root {
		f.identity = verdict{allowed: true, decision: Decision{Effect: Allow, Layer: LayerIdentity}}
	}
	switch {
	case s.Caller.Kind == AnonymousCaller || s.Caller.Kind == ServiceCaller || s.Caller.Kind == ProviderCaller:
		return f.withoutAccount()
	case q.anyResource || r.Owner == "" || r.Owner == s.Caller.Account:
		return f.sameAccount(r.NeedsResourcePolicy)
	}
	return f.crossAccount()
}

// readable says whether every policy can be evaluated as the set it stands in.
func (s *Sets) readable() bool {
	if !readable(s.Boundary, true) {
		return false
	}
	for _, list := range [...][]*Attached{s.Identity, s.Session} {
		for _, a := range list {
			if a == nil || !readable(a, true) {
				return false
			}
		}
	}
	return true
}

// readable takes nil for a policy that does not exist. identity says that the policy has no Principal.
func readable(a *Attached, identity bool) bool {
	return a == nil || a.Policy != nil && a.Policy.kind.identityGrammar() == identity
}

// UsesContext says whether a decision with these policies reads the request context. The policy of the resource is asked besides.
func (s *Sets) UsesContext() bool {
	for _, list := range [...][]*Attached{s.Identity, s.Session, {s.Boundary}} {
		for _, a := range list {
			if a != nil && a.Policy != nil && a.Policy.UsesContext() {
				return true
			}
		}
	}
	return false
}

// verdict is what one set says: evalSet of docs/spec/evaluation.md 3.
type verdict struct {
	allowed  bool
	decision Decision // the first deny, else the first allow
}

// add asks one more policy of the set, which has no Principal. It returns false for an explicit deny.
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
	identity          verdict
	boundary, session verdict // allowed too where they do not exist
	resource          resourceVerdict
}

func implicit(layer Layer) Decision { return Decision{Layer: layer} }

// withoutAccount is S1: only the policy of the resource can allow services, providers and anonymous callers.
func (f *findings) withoutAccount() Decision {
	if f.resource.class == classDirect {
		return f.resource.decision
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
func (f *findings) crossAccount() Decision {
	switch c := f.resource.class; {
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

// query is a request with what every statement needs to know of it.
type query struct {
	action      string
	colon       int // place of the colon in action
	resource    string
	anyResource bool // resource is "*"
	context     []Entry
	caller      *Caller
	boundary    bool // the caller has a permissions boundary
}

// newQuery fails for a request that no rule covers: the action is not prefix:name with both parts, the resource is empty, a text is
// too long or not UTF-8.
func newQuery(s *Sets, r *Request) (query, bool) {
	colon := strings.IndexByte(r.Action, ':')
	if colon <= 0 || colon == len(r.Action)-1 || strings.IndexByte(r.Action[colon+1:], ':') >= 0 ||
		len(r.Action) > MaxAction || r.Resource == "" || len(r.Resource) > MaxResource ||
		!utf8.ValidString(r.Action) || !utf8.ValidString(r.Resource) || !validContext(r.Context) || !validContext(r.PolicyContext) {
		return query{}, false
	}
	return query{
		action: r.Action, colon: colon, resource: r.Resource, anyResource: r.Resource == "*",
		context: r.Context, caller: &s.Caller, boundary: s.Boundary != nil,
	}, true
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
