package reference

import "github.com/gatehouse-iam/gatehouse/policy"

// Reason is docs/spec/evaluation.md 10.2 for the layers of this package: the end of the denial message, without the policy's ARN.
func Reason(d Decision, action string) string {
	if d.Effect == policy.Allow {
		return ""
	}
	because := " allows the " + action + " action"
	switch d.Layer {
	case policy.LayerIdentity:
		if d.Effect == policy.DenyExplicit {
			return "with an explicit deny in an identity-based policy"
		}
		return "because no identity-based policy" + because
	case policy.LayerBoundary:
		if d.Effect == policy.DenyExplicit {
			return "with an explicit deny in a permissions boundary"
		}
		return "because no permissions boundary" + because
	case policy.LayerSession:
		if d.Effect == policy.DenyExplicit {
			return "with an explicit deny in a session policy"
		}
		return "because no session policy" + because
	case policy.LayerResource:
		if d.Effect == policy.DenyExplicit {
			return "with an explicit deny in a resource-based policy"
		}
		return "because no resource-based policy" + because
	case policy.LayerTrust:
		if d.Effect == policy.DenyExplicit {
			return "with an explicit deny in the role trust policy"
		}
		return "because no role trust policy" + because
	}
	return "" // a request that could not be evaluated
}
