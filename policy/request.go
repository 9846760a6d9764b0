package policy

import "strings"

// Bounds of a request. A request outside them is denied, whatever the policies say.
const (
	MaxAction   = 256  // bytes
	MaxResource = 4096 // bytes
)

// Entry is one key of the request context.
type Entry struct {
	Key    string
	Values []string
	Multi  bool // the key may have several values, even when it has one now
}

// Bounds of a request's context: entries, and bytes of all values, each counted 64 longer than it is, which bounds their number too.
// A request with more is denied, and so is one with a value that is not UTF-8.
const (
	MaxContext     = 512
	MaxContextText = 256 << 10
)

// Request is one check: one action on one resource, with what is known of the resource and of the way the call came.
type Request struct {
	Action   string // "prefix:Name"
	Resource string // an ARN, or "*" for actions without a resource
	// Owner is the account that the resource belongs to; "" means the caller's own.
	Owner string
	// Context is the request context, in any order. Keys are compared without regard to ASCII case; of two entries for one key the
	// first counts, but among tag keys that differ only by case the exact spelling, else the smallest (docs/spec/policy-language.md 9.1).
	// An entry without values is absent. Binary values are base64 text.
	Context []Entry
	// PolicyContext is what ResourcePolicy reads in the place of Context; nil where it reads the same.
	PolicyContext []Entry
	// ResourcePolicy is the policy of the resource, of the kind Trust or Resource; nil where there is none.
	ResourcePolicy *Attached
	// NeedsResourcePolicy: identity policies of the owner's account reach the resource only where its policy lets them, as with
	// roles and KMS keys (docs/spec/evaluation.md 4.2).
	NeedsResourcePolicy bool
	// Grantees are whom an ACL of the resource grants the action: canonical user ids, AllUsers, AuthenticatedUsers. They never count
	// for callers of the owner's account (docs/spec/evaluation.md 6.5).
	Grantees []string
	// RCP are the resource control policies attached to each level above the resource, from the organization's root down to the owner's
	// account. Nil where they do not apply (docs/spec/evaluation.md 6.2). They are not consulted for service-linked roles.
	RCP []*Set
	// Endpoint is the policy of the VPC endpoint that the call came through; nil where it came another way. Gateway says that it
	// is a gateway endpoint, where only "*", and an account for its root user, name anybody (docs/spec/evaluation.md 6.4).
	Endpoint *Attached
	Gateway  bool
	// Exempt says that the call needs no permission, whatever policies say (docs/spec/evaluation.md 4.4).
	Exempt bool
}

// The groups that an ACL can grant an action, as S3 names them.
const (
	AllUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
)

// readable says whether every policy can be evaluated as the layer it stands for.
func (r *Request) readable() bool {
	for _, level := range r.RCP {
		if !level.readable(rcpKinds) {
			return false
		}
	}
	return r.ResourcePolicy.readable(resourceKinds) && r.Endpoint.readable(endpointKinds)
}

// UsesContext says whether the policies of the resource, its account and the endpoint read the request context.
func (r *Request) UsesContext() bool {
	for _, level := range r.RCP {
		if level.UsesContext() {
			return true
		}
	}
	for _, a := range [...]*Attached{r.ResourcePolicy, r.Endpoint} {
		if a != nil && a.Policy != nil && a.Policy.UsesContext() {
			return true
		}
	}
	return false
}

// query is a request with what every statement needs to know of it.
type query struct {
	action      string
	colon       int // place of the colon in action
	actions     actionBits
	resource    string
	anyResource bool // resource is "*"
	boundary    bool // the caller has a permissions boundary
	gateway     bool // the policy being asked is that of a gateway endpoint
	caller      *Caller
	context     []Entry
	keys        keyTable // of context
	searches    int      // in a context that is too long for keys
	large       *largeTable
	touched     uint32 // read ahead, see touch; of no meaning
}

// read fails for a request that no rule covers: the action is not prefix:name with both parts, the resource is empty, a text is
// too long or not UTF-8.
func (q *query) read(s *Sets, r *Request) bool {
	colon := strings.IndexByte(r.Action, ':')
	if colon <= 0 || colon == len(r.Action)-1 || strings.IndexByte(r.Action[colon+1:], ':') >= 0 ||
		len(r.Action) > MaxAction || r.Resource == "" || len(r.Resource) > MaxResource ||
		!validText(r.Action) || !validText(r.Resource) || !validContext(r.Context) || r.PolicyContext != nil && !validContext(r.PolicyContext) {
		return false
	}
	q.action, q.colon, q.actions = r.Action, colon, requestBits(r.Action, colon)
	q.resource, q.anyResource = r.Resource, r.Resource == "*"
	q.context, q.caller, q.boundary = r.Context, &s.Caller, s.bounded()
	return true
}
