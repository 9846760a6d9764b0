package policy

// Kind says where a document is kept, which decides its grammar and checks (docs/spec/policy-language.md 1). The zero value is no kind.
type Kind uint8

// The kinds of documents.
const (
	Identity Kind = iota + 1 // inline policy of a user, group or role; Version may be absent or 2008-10-17
	Managed                  // customer managed policy; Version must be 2012-10-17
	Boundary                 // permissions boundary given as text (simulator); a stored one is Managed
	Session                  // session policy given as text to STS
	Trust                    // who may assume a role
	Resource                 // policy of a bucket, key, queue, …
	Endpoint                 // policy of a VPC endpoint
	SCP                      // service control policy
	RCP                      // resource control policy
)

var kindNames = [...]string{"unknown", "identity", "managed", "boundary", "session", "trust", "resource", "endpoint", "SCP", "RCP"}

// String is the kind's name in lower case, as case files write it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return kindNames[0]
}

// hasPrincipal says whether statements of the kind name whom they are about (docs/spec/policy-language.md 1).
func (k Kind) hasPrincipal() bool { return k == Trust || k == Resource || k == Endpoint || k == RCP }

// needsResource says whether statements of the kind must have a Resource or NotResource. Without one they are about what the policy is on.
func (k Kind) needsResource() bool { return k != Trust && k != Resource }

// known says whether k is a kind.
func (k Kind) known() bool { return k >= Identity && k <= RCP }

// Layer names the set of policies that decided (docs/spec/evaluation.md 2). The zero value means that no set was asked, because the
// request could not be evaluated.
type Layer uint8

// The layers.
const (
	LayerNone Layer = iota
	LayerIdentity
	LayerBoundary
	LayerSession
	LayerTrust
	LayerResource
	LayerEndpoint
	LayerSCP
	LayerRCP
	LayerACL    // only of an Allow: the ACL of the resource
	LayerExempt // only of an Allow: the call needs no permission
)

var layerNames = [...]string{"none", "identity", "boundary", "session", "trust", "resource", "endpoint", "SCP", "RCP", "ACL", "exempt"}

// String is the layer's name, as case files write it.
func (l Layer) String() string {
	if int(l) < len(layerNames) {
		return layerNames[l]
	}
	return layerNames[0]
}

// phrases of denial messages, docs/spec/evaluation.md 10.2.
var layerExplicit = [...]string{
	LayerIdentity: "an identity-based policy",
	LayerBoundary: "a permissions boundary",
	LayerSession:  "a session policy",
	LayerTrust:    "the role trust policy",
	LayerResource: "a resource-based policy",
	LayerEndpoint: "a VPC endpoint policy",
	LayerSCP:      "a service control policy",
	LayerRCP:      "a resource control policy",
}

var layerImplicit = [...]string{
	LayerIdentity: "identity-based policy",
	LayerBoundary: "permissions boundary",
	LayerSession:  "session policy",
	LayerTrust:    "role trust policy",
	LayerResource: "resource-based policy",
	LayerEndpoint: "VPC endpoint policy",
	LayerSCP:      "service control policy",
	LayerRCP:      "resource control policy",
}

// Effect is the outcome of a decision. The zero value denies.
type Effect uint8

// The effects of docs/spec/evaluation.md: DENY-I, ALLOW, DENY-E.
const (
	DenyImplicit Effect = iota // nothing allows it
	Allow
	DenyExplicit // a Deny statement matches
)

// String is "DENY-I", "ALLOW" or "DENY-E".
func (e Effect) String() string {
	switch e {
	case Allow:
		return "ALLOW"
	case DenyExplicit:
		return "DENY-E"
	}
	return "DENY-I"
}
