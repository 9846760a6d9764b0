package authz

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Denial says what was denied and what decided it. It is an error.
type Denial struct {
	Principal string // ARN
	Action    string
	Resource  string // ARN, or "*"
	Foreign   bool   // the resource is of another account: the caller is not told why
	Decision  policy.Decision
}

// Error is the message that the caller is shown, in AWS's words (docs/spec/evaluation.md 10).
func (d *Denial) Error() string {
	var b strings.Builder
	b.Grow(192)
	b.WriteString("User: ")
	b.WriteString(d.Principal)
	b.WriteString(" is not authorized to perform: ")
	b.WriteString(d.Action)
	if d.Resource != "*" {
		b.WriteString(" on resource: ")
		b.WriteString(d.Resource)
	}
	if d.Foreign {
		return b.String()
	}
	reason := d.Decision.Reason(d.Action)
	if reason == "" { // the request could not be evaluated: nothing allows it
		reason = policy.Decision{Layer: policy.LayerIdentity}.Reason(d.Action)
	}
	b.WriteByte(' ')
	b.WriteString(reason)
	if p := d.Decision.Policy; p != nil && p.ARN != "" {
		b.WriteString(": ")
		b.WriteString(p.ARN)
	}
	return b.String()
}
