package simulate

import (
	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Result is the outcome for one action (docs/spec/evaluation.md 11.2).
type Result struct {
	Action   string // as given
	Resource string // the resource; of several the ARN format of what the action is on, or "*"
	// Effect is the worst of Checks: an explicit deny of any, else an implicit one, else it is allowed.
	Effect policy.Effect
	// Matched are the statements that led there, of all checks with that Effect, each once.
	Matched []Match
	// Missing are the keys that were missing in the checks on "*".
	Missing []string
	// AllowedByOrganization and AllowedByBoundary say whether SCPs, and the permissions boundary, allow all checks; nil where there is no
	// organization, or no boundary.
	AllowedByOrganization, AllowedByBoundary *bool
	// Details are what the sides of a cross-account decision say by themselves, by the names of docs/spec/evaluation.md 11.2. It is empty and not
	// nil within one account, nil for "*" and where an SCP denied.
	Details map[string]policy.Effect
	Checks  []Check // one for each resource, in their order
}

// Check is the outcome for one action on one resource.
type Check struct {
	Action, Resource string
	Owner            string          // account of the resource that was decided for; "" for one that a caller without account does not know
	Verdict          catalog.Verdict // what the catalogue says of the action and the resource
	// Decision is that of the policies, and of the catalogue: what it does not know, and what is no resource of the action, is an implicit deny
	// of no layer.
	Decision policy.Decision
	// Refusal is why the call is refused whatever policies say: the caller's kind of credentials is not for it, or the resource is reserved.
	// "" if it is not. Of credentials no policy is asked.
	Refusal string
	Matched []Match
	Missing []string
	// AllowedByOrganization, AllowedByBoundary and Details are as in Result.
	AllowedByOrganization, AllowedByBoundary *bool
	Details                                  map[string]policy.Effect
	Explanation                              *policy.Explanation
}

// Match is a statement that matched.
type Match struct {
	SourceID, SourceType string // docs/spec/evaluation.md 11.3
	Layer                policy.Layer
	Policy               *policy.Attached
	Statement            int // its index
	Sid                  string
	Start, End           Position
}

// Position is a place in a policy's text (docs/spec/evaluation.md 11.3): both count from 1, Line by \n, Column by UTF-16 code units.
type Position struct{ Line, Column int }

// The words of AWS for effects.
const (
	Allowed      = "allowed"
	ExplicitDeny = "explicitDeny"
	ImplicitDeny = "implicitDeny"
)

// Word is the effect as AWS's simulator says it.
func Word(e policy.Effect) string {
	switch e {
	case policy.Allow:
		return Allowed
	case policy.DenyExplicit:
		return ExplicitDeny
	}
	return ImplicitDeny
}

// worse orders effects.
func worse(a, b policy.Effect) policy.Effect {
	switch {
	case a == policy.DenyExplicit || b == policy.DenyExplicit:
		return policy.DenyExplicit
	case a == policy.DenyImplicit || b == policy.DenyImplicit:
		return policy.DenyImplicit
	}
	return policy.Allow
}
