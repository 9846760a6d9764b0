package authz

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Denial says what was denied and what decided it. It is an error.
type Denial struct {
	Principal string // as messages name the caller: an ARN, the name of a service, "anonymous"
	Action    string
	Resource  string // ARN, or "*"
	Distance  Distance
	Decision  policy.Decision
	Text      string // the whole message, where it is not made of the rest
	Record    *Record
}

// Distance is how far the account of the resource is from the caller: who stands far is told less (docs/spec/evaluation.md 10.2).
type Distance uint8

// The distances.
const (
	SameAccount      Distance = iota
	SameOrganization          // another account of the caller's organization
	NoAccount                 // the caller has none
	Foreign                   // another account, and no organization in common
)

// denial describes a decision that is not Allow.
func (k *check) denial() *Denial {
	d := k.decision
	n := &Denial{Principal: k.name(), Action: k.q.Action, Resource: k.q.Resource, Distance: k.distance, Decision: d, Text: k.refusal, Record: k.noted}
	if k.q.Provider != "" && (k.call.Is("sts:AssumeRoleWithSAML") || k.call.Is("sts:AssumeRoleWithWebIdentity")) {
		n.Text = "Not authorized to perform " + k.q.Action
	}
	if d.Layer == policy.LayerResource && k.request.NeedsResourcePolicy && k.call.Service == "sts" {
		n.Decision.Layer = policy.LayerTrust // there is no role to trust anybody, which must not show
	}
	return n
}

// name is the caller as messages print it.
func (k *check) name() string {
	switch q := k.q; {
	case k.caller != nil:
		return k.caller.name
	case q.Principal != nil:
		return q.Principal.ARN()
	case len(q.Service) > 0:
		return q.Service[0]
	case q.Provider != "":
		return q.Provider
	}
	return "anonymous"
}

// measure finds out how far the resource is.
func (k *check) measure() Distance {
	account, owner := "", k.owner
	switch {
	case k.caller != nil:
		account = k.caller.account
	case k.q.Principal != nil: // there is no such principal
		account, owner = k.q.Principal.Account, k.q.Owner
	default:
		return NoAccount
	}
	if owner == "" || owner == account {
		return SameAccount
	}
	if k.caller != nil && k.caller.member != nil {
		if o := k.membership(); o != nil && o.Organization == k.caller.member.Organization {
			return SameOrganization
		}
	}
	return Foreign
}

// withARN are the layers whose policies messages name (docs/spec/evaluation.md 10.2).
const withARN = 1<<policy.LayerIdentity | 1<<policy.LayerBoundary | 1<<policy.LayerSession | 1<<policy.LayerSCP | 1<<policy.LayerRCP

// Error is the message that the caller is shown, in AWS's words (docs/spec/evaluation.md 10).
func (d *Denial) Error() string {
	service, _, _ := strings.Cut(d.Action, ":")
	s3 := policy.SameKey(service, "s3")
	switch {
	case d.Text != "":
		return d.Text
	case s3 && d.Distance == Foreign:
		return "Access Denied"
	}
	var b strings.Builder
	b.Grow(256)
	b.WriteString("User: ")
	b.WriteString(d.Principal)
	b.WriteString(" is not authorized to perform: ")
	b.WriteString(d.Action)
	if d.Resource != "*" {
		b.WriteString(" on resource: ")
		if s3 {
			b.WriteByte('"')
		}
		b.WriteString(d.Resource)
		if s3 {
			b.WriteByte('"')
		}
	}
	if reason := d.reason(service); reason != "" {
		b.WriteByte(' ')
		b.WriteString(reason)
		if p := d.Decision.Policy; p != nil && p.ARN != "" && withARN>>d.Decision.Layer&1 != 0 && d.Distance <= SameOrganization {
			b.WriteString(": ")
			b.WriteString(p.ARN)
		}
	}
	return b.String()
}

// reason is docs/spec/evaluation.md 10.2; "" where the caller is told none.
func (d *Denial) reason(service string) string {
	layer := d.Decision.Layer
	far := d.Distance == SameOrganization || d.Distance == Foreign
	switch {
	case far && layer == policy.LayerResource && policy.SameKey(service, "kms"):
		return "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
	case d.Distance == Foreign, far && layer == policy.LayerEndpoint && policy.SameKey(service, "s3"):
		return ""
	case layer == policy.LayerNone: // it could not be decided: nothing allows it
		layer = policy.LayerIdentity
	}
	return policy.Decision{Effect: d.Decision.Effect, Layer: layer}.Reason(d.Action)
}
