package authz

import (
	"time"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Query is one check that another program asks for (docs/spec/evaluation.md 4). What the store knows of the caller comes from the store; what
// only the asker can know, it gives.
type Query struct {
	// Who asks: exactly one of Principal, Service, Provider and Anonymous.
	Principal *state.Principal // of the store
	Session   *session.Session // of the Principal; nil for a long-term key. Without Issued, when it was made is not known
	Service   []string         // the names of a service that calls for itself, the one it goes by first
	Provider  string           // an identity provider: its ARN or its built-in domain
	Anonymous bool
	// SessionPolicies are session policies that the Principal has beside those of the Session.
	SessionPolicies []*policy.Attached
	// Canonical is the canonical user id that the Principal's account has for the asker, "" if none: the store knows no such ids.
	Canonical string
	// FederatedProvider is the identity provider that a role session was made with: its ARN or its built-in domain; "" for all others.
	FederatedProvider string
	// AssumedRoot: the Session is one of AssumeRoot, the Principal the root user of the account it was made for.
	AssumedRoot bool

	Action   string // "prefix:Name"
	Resource string // an ARN, or "*"
	Owner    string // account of the resource; "" = the one that the ARN names, else the caller's
	// Context are the keys that the asker knows: of the network, the request and the service. What Reserved names comes from the store and the
	// fields of the query, and is left out here. An entry without values says that the key is absent, even where it has a default.
	Context      []policy.Entry
	ResourceTags []*statepb.Tag
	Time         time.Time // of the check: aws:CurrentTime and aws:EpochTime, where Context has none, and what aws:MultiFactorAuthAge counts to

	ResourcePolicy *policy.Attached // of the kind Resource or Trust; nil where there is none
	// NeedsResourcePolicy: the resource is of a type that only its policy opens. KMS keys and roles that are assumed are known to be.
	NeedsResourcePolicy bool
	AWSManaged          bool             // the resource is a KMS key that AWS manages: no RCP reaches it (docs/spec/evaluation.md 6.2)
	Grantees            []string         // see policy.Request
	Endpoint            *policy.Attached // nil for a call that came through no VPC endpoint
	Gateway             bool             // of Endpoint
	// SCP and RCP are levels that the asker adds to those of the store, which hold besides. Nil where it has none.
	SCP, RCP []*policy.Set

	own *ownCheck // of our own operations; nil for other programs' queries
}

// ownCheck is what only Gatehouse says of a check, being itself the service that is asked.
type ownCheck struct {
	environment *Environment
	keys        []policy.Entry // before everything else, whatever their names
	policyTags  []*statepb.Tag // what the resource's policy reads for ResourceTags; nil where that is the same
}

// Answer is the outcome of a Query. The zero value denies.
type Answer struct {
	Decision policy.Decision
	Denial   *Denial // nil if and only if the call is allowed
	// Catalog is what the catalogue says of the action and the resource that another program asked about. What it does not know is denied
	// (docs/spec/evaluation.md 7, items 7 and 8): by no layer, where the policies allow it.
	Catalog catalog.Verdict
}
