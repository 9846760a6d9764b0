package simulate

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// SourceID is what results call a policy (docs/spec/evaluation.md 11.3): the name of a managed one, the kind and name of its owner and its own
// name for an inline one (user_alice_p), its Name for what was given with the question.
func SourceID(a *policy.Attached) string {
	switch {
	case a.Owner != "":
		if owner, err := arn.Parse(a.Owner); err == nil {
			if kind, _, name, ok := owner.Entity(); ok {
				return kind + "_" + name + "_" + a.Name
			}
		}
		return a.Name
	case a.Name == "":
		return a.ARN[strings.LastIndexByte(a.ARN, '/')+1:]
	}
	return a.Name
}

// The values of SourceType (docs/spec/evaluation.md 11.3, docs/spec/wire.md 9.3).
const (
	identityPolicy = "IAM Policy"
	resourcePolicy = "Resource Policy"
	otherPolicy    = "None"
)

// boundaryPolicy is a name in details only.
const boundaryPolicy = "Permissions Boundary Policy"

func sourceType(l policy.Layer) string {
	switch l {
	case policy.LayerIdentity, policy.LayerBoundary:
		return identityPolicy
	case policy.LayerResource, policy.LayerTrust:
		return resourcePolicy
	}
	return otherPolicy
}
