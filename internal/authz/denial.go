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
	Far       Distance
	Decision  policy.Decision
}

// Distance is how far the resource's account is from the caller: who stands far is told less (docs/spec/evaluation.md 10.2).
type Distance uint8

// The distances.
const (
	SameAccount      Distance = iota
	SameOrganization          // another account of the caller's organization
	Unaffiliated              // the caller has no account
	Foreign                   // another account, and no organization in common
)

// denial describes a decision that is not Allow.
func (k *check) denial(d policy.Decision) *Denial {
	q := k.q
	n := &Denial{Action: q.Action, Resource: q.Resource, Decision: d}
	switch {
	case q.Principal != nil:
		n.Principal = q.Principal.ARN()
		n.Far = k.distance()
	case len(q.Service) > 0:
		n.Principal, n.Far = q.Service[0], Unaffiliated
	case q.Provider != "":
		n.Principal, n.Far = q.Provider, Unaffiliated
	default:
		n.Principal, n.Far = "anonymous", Unaffiliated
	}
	return n
}

func (k *check) distance() Distance {
	if k.m == nil { // there is no such principal
		if k.q.Owner == "" || k.q.Owner == k.q.Principal.Account {
			return SameAccount
		}
		return Foreign
	}
	switch {
	case k.owner == k.m.account:
		return SameAccount
	case k.owned != nil && k.m.member != nil && k.owned.Organization == k.m.member.Organization:
		return SameOrganization
	}
	return Foreign
}

// Error is the message that the caller is shown, in AWS's words (docs/spec/evaluation.md 10).
func (d *Denial) Error() string {
	s3 := policy.SameKey(prefixOf(d.Action), "s3")
	if s3 && d.Far == Foreign {
		return "Access Denied"
	}
	var b strings.Builder
	b.Grow(192)
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
	if d.Far == Foreign || s3 && d.Far == SameOrganization && d.Decision.Layer == policy.LayerEndpoint {
		return b.String()
	}
	reason := d.Decision.Reason(d.Action)
	if reason == "" { // the request could not be evaluated: nothing allows it
		reason = policy.Decision{Layer: policy.LayerIdentity}.Reason(d.Action)
	}
	b.WriteByte(' ')
	b.WriteString(reason)
	if p := d.Decision.Policy; p != nil && p.ARN != "" && d.Far <= SameOrganization {
		b.WriteString(": ")
		b.WriteString(p.ARN)
	}
	return b.String()
}
