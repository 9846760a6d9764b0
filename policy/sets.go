package policy

// Attached is a policy with its place: what a decision names as its cause. It never changes once a decision may see it.
type Attached struct {
	Policy *Policy
	ARN    string // of a managed policy; "" for an inline one
	Name   string // the policy's name
	Owner  string // ARN of the user, group or role that an inline policy belongs to; "" for a managed one
}

// Set are policies of one layer that apply together: a statement of any of them counts (docs/spec/evaluation.md 3). It never changes,
// so callers, sessions and accounts may share it, and it is cheapest when it is made once and kept. A nil *Set is no set at all, which
// is not the same as a set without policies: a limit that exists and allows nothing.
type Set struct {
	list     []listed // of a small set
	seats    []seat   // of policies; nil in a broken set
	index    *index   // of a larger set. Without list and index, statements are asked in turn
	kinds    uint16   // bit 1<<kind for each kind of policy in it
	context  bool     // a policy reads the request context
	broken   bool     // some policy cannot be evaluated
	policies []*Attached
}

// seat is a policy of a set, copied: asking it takes one place of memory less.
type seat struct {
	policy   Policy
	attached *Attached
}

// NewSet makes a set of policies in attachment order, which is the order in which a decision names them. A nil entry, or one without
// Policy, makes every decision with the set a denial: an unreadable policy might have been a Deny.
func NewSet(policies ...*Attached) *Set {
	s := &Set{policies: policies}
	for _, a := range policies {
		s.take(a)
	}
	if !s.broken {
		s.seats = make([]seat, len(policies))
		for i, a := range policies {
			s.seats[i] = seat{*a.Policy, a}
		}
		s.indexed()
	}
	return s
}

// UnindexedSet is NewSet for a decision or two, for which an index costs more than it saves: each statement is asked in turn, as with Unindexed.
// It keeps the slice, which must not change as long as the set is used.
func UnindexedSet(policies []*Attached) Set {
	ahead(policies)
	s := Set{policies: policies}
	for _, a := range policies {
		s.take(a)
	}
	return s
}

// ahead reads a word of each line of the policies, so that they come from memory together and not one after the other. Nobody needs what it
// returns.
//
//go:noinline
func ahead(policies []*Attached) uint32 {
	touched := uint32(0)
	for _, a := range policies {
		if a != nil && a.Policy != nil {
			touched += a.Policy.statements
		}
	}
	for _, a := range policies {
		if a == nil || a.Policy == nil {
			continue
		}
		p := a.Policy
		for i := 0; i < len(p.code); i += lineWords {
			touched += p.code[i]
		}
		for i := 0; i < len(p.text); i += lineBytes {
			touched += uint32(p.text[i])
		}
	}
	return touched
}

// take notes what kind of policy is in the set.
func (s *Set) take(a *Attached) {
	if a == nil || a.Policy == nil {
		s.broken = true
		return
	}
	s.kinds |= 1 << a.Policy.kind
	s.context = s.context || a.Policy.UsesContext()
}

// Policies are those that NewSet got. The caller must not change the slice. s may be nil.
func (s *Set) Policies() []*Attached {
	if s == nil {
		return nil
	}
	return s.policies
}

// Unindexed is the same set without an index: decisions ask every statement in turn. Their answers are the same; tests compare them.
// What a single policy keeps for itself stays: the bits of its statements' actions leave some out. s may be nil.
func (s *Set) Unindexed() *Set {
	if s == nil {
		return nil
	}
	out := *s
	out.list, out.index = nil, nil
	return &out
}

// UsesContext says whether a decision with the set reads the request context. s may be nil.
func (s *Set) UsesContext() bool { return s != nil && s.context }

// kindSet are the kinds that may stand in a set.
type kindSet uint16

const (
	identityKinds kindSet = 1<<Identity | 1<<Managed | 1<<Boundary | 1<<Session
	scpKinds      kindSet = 1 << SCP
	rcpKinds      kindSet = 1 << RCP
	resourceKinds kindSet = 1<<Trust | 1<<Resource
	endpointKinds kindSet = 1 << Endpoint
)

// readable says whether every policy can be evaluated as the layer that takes these kinds. No set is readable.
func (s *Set) readable(kinds kindSet) bool {
	return s == nil || !s.broken && kindSet(s.kinds)&^kinds == 0
}

// readable says the same of one policy, nil where there is none.
func (a *Attached) readable(kinds kindSet) bool {
	return a == nil || a.Policy != nil && 1<<a.Policy.kind&kinds != 0
}

// Sets are the caller and the policies that apply to it, whatever it asks for (docs/spec/evaluation.md 2).
type Sets struct {
	Caller Caller
	// Identity: inline and attached policies of the user and its groups, or of the role; of a FederatedCaller those of its issuer.
	Identity *Set
	// Root: no identity policy is needed. True for the root user and for the federated users that it made
	// (docs/spec/evaluation.md 2, 6.6).
	Root bool
	// Boundary is the permissions boundary; nil where there is none. It is not consulted for root users and service-linked roles.
	Boundary *Set
	// Session are the session policies; nil where none was passed. A FederatedCaller without them has no identity permissions
	// at all, everybody else is not limited (docs/spec/evaluation.md 5, 6.3).
	Session *Set
	// SCP are the service control policies attached to each level, from the organization's root down to the account. Nil where they
	// do not apply (docs/spec/evaluation.md 6.1); a level that is nil has no policy and so allows nothing. They are not consulted for
	// callers without account and for service-linked roles.
	SCP []*Set
}

// readable says whether every policy can be evaluated as the set it stands in.
func (s *Sets) readable() bool {
	for _, level := range s.SCP {
		if !level.readable(scpKinds) {
			return false
		}
	}
	return s.Identity.readable(identityKinds) && s.Boundary.readable(identityKinds) && s.Session.readable(identityKinds)
}

// UsesContext says whether a decision with these policies reads the request context. The policies of the resource and of the endpoint
// are asked besides: see Request.
func (s *Sets) UsesContext() bool {
	for _, level := range s.SCP {
		if level.UsesContext() {
			return true
		}
	}
	return s.Identity.UsesContext() || s.Boundary.UsesContext() || s.Session.UsesContext()
}
