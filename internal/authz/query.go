package authz

import (
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
	Session   *session.Session // of the Principal; nil for a long-term key
	Service   []string         // the names of a service that calls for itself
	Provider  string           // an identity provider: its ARN or its built-in domain
	Anonymous bool

	Action   string // "prefix:Name"
	Resource string // an ARN, or "*"
	Owner    string // account of the resource; "" = the caller's
	// Context are the keys that the asker knows: of the network, the request and the service. Keys of the caller and of the resource (docs/spec/evaluation.md
	// 1.2, aws:Resource…) come from the store and the fields of the query, and those of the same name here are left out.
	Context      []policy.Entry
	ResourceTags []*statepb.Tag

	ResourcePolicy *policy.Attached // of the kind Resource or Trust; nil where there is none
	Grantees       []string         // see policy.Request
	Endpoint       *policy.Attached // nil for a call that came through no VPC endpoint
	Gateway        bool             // of Endpoint
	// SCP and RCP are levels that the asker adds to those of the store, which hold besides. Nil where it has none.
	SCP, RCP []*policy.Set
}

// Answer is the outcome of a Query. The zero value denies.
type Answer struct {
	Decision policy.Decision
	Denial   *Denial // nil if and only if the call is allowed
}
