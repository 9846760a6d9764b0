package reference

import "github.com/gatehouse-iam/gatehouse/policy"

// reasons is the table of docs/spec/evaluation.md 10.2, without "allows the … action".
var reasons = []struct {
	layer              policy.Layer
	explicit, implicit string
}{
	{policy.LayerIdentity, "with an explicit deny in an identity-based policy", "because no identity-based policy"},
	{policy.LayerBoundary, "with an explicit deny in a permissions boundary", "because no permissions boundary"},
	{policy.LayerSession, "with an explicit deny in a session policy", "because no session policy"},
	{policy.LayerResource, "with an explicit deny in a resource-based policy", "because no resource-based policy"},
	{policy.LayerTrust, "with an explicit deny in the role trust policy", "because no role trust policy"},
	{policy.LayerSCP, "with an explicit deny in a service control policy", "because no service control policy"},
	{policy.LayerRCP, "with an explicit deny in a resource control policy", "because no resource control policy"},
	{policy.LayerEndpoint, "with an explicit deny in a VPC endpoint policy", "because no VPC endpoint policy"},
}

// Reason is docs/spec/evaluation.md 10.2: the end of the denial message, without the policy's ARN. It is "" for an allow, and for a request
// that could not be evaluated.
func Reason(d Decision, action string) string {
	for _, r := range reasons {
		switch {
		case d.Layer != r.layer || d.Effect == policy.Allow:
		case d.Effect == policy.DenyExplicit:
			return r.explicit
		default:
			return r.implicit + " allows the " + action + " action"
		}
	}
	return ""
}
