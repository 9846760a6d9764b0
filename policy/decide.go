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

// MaxContext is the most entries of a request's context. A request with more is denied.
const MaxContext = 512

// Request is one check: one action on one resource.
type Request struct {
	Action   string // "prefix:Name"
	Resource string // an ARN, or "*" for actions without a resource
	// Owner is the account that the resource belongs to; "" means the caller's own.
	Owner string
	// Context is the request context, in any order. Keys are compared without regard to ASCII case; of two entries for one key the
	// first counts, but among tag keys that differ only by case the exact spelling (docs/spec/policy-language.md 9.1).
	Context []Entry
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

// Decide is docs/spec/evaluation.md 4.2 for the layers of this version. It is a pure function and allocates nothing. An explicit deny
// anywhere comes first; the first one found in attachment and statement order is named, and so is the first allow.
func Decide(s *Sets, r *Request) Decision {
	q, ok := newQuery(r)
	if !ok {
		return Decision{}
	}
	answer := Decision{Layer: LayerIdentity}
	if s.Root {
		answer.Effect = Allow
	}
	denied := false
	for _, a := range s.Identity {
		if a == nil || a.Policy == nil {
			return Decision{}
		}
		if denied {
			continue // still looking for unreadable policies
		}
		p := a.Policy
		for i := range p.statements {
			deny := p.statements[i].deny
			if !deny && answer.Effect == Allow || !p.match(i, &q) {
				continue
			}
			answer = Decision{Effect: Allow, Layer: LayerIdentity, Policy: a, Statement: i}
			if deny {
				answer.Effect, denied = DenyExplicit, true
				break
			}
		}
	}
	return answer
}

// query is a request with what every statement needs to know of it.
type query struct {
	action      string
	colon       int // place of the colon in action
	resource    string
	anyResource bool // resource is "*"
}

// newQuery fails for a request that no rule covers: the action is not prefix:name with both parts, the resource is empty, a text is
// too long or not UTF-8.
func newQuery(r *Request) (query, bool) {
	colon := strings.IndexByte(r.Action, ':')
	if colon <= 0 || colon == len(r.Action)-1 || strings.IndexByte(r.Action[colon+1:], ':') >= 0 ||
		len(r.Action) > MaxAction || r.Resource == "" || len(r.Resource) > MaxResource ||
		!utf8.ValidString(r.Action) || !utf8.ValidString(r.Resource) {
		return query{}, false
	}
	return query{action: r.Action, colon: colon, resource: r.Resource, anyResource: r.Resource == "*"}, true
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
