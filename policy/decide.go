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

// Sets are the policies that apply to one caller (docs/spec/evaluation.md 2). Only what this version evaluates has a field.
// A nil entry, or one without Policy, denies every request: an unreadable policy might have been a Deny.
type Sets struct {
	// Identity: inline and attached policies of the user and its groups, or of the role, in attachment order.
	Identity []*Attached
	// Root: the caller is the account's root user, who needs no identity policy (docs/spec/evaluation.md 6.6).
	Root bool
}

// Entry is one key of the request context.
type Entry struct {
	Key    string
	Values []string
	Multi  bool // the key may have several values, even when it has one now
}

// Request is one check: one action on one resource.
type Request struct {
	Action   string // "prefix:Name"
	Resource string // an ARN, or "*" for actions without a resource
	// Context is reserved: no policy that reads it compiles yet.
	Context []Entry
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
