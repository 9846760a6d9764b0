package policy

// Explanation is how a decision came about: what each layer says, what every statement of it says, and what would have to change.
type Explanation struct {
	// Decision is what Decide answers, always.
	Decision Decision
	// Layers are those that take part, each level of a chain by itself: SCP from the root down, RCP, endpoint, identity, boundary, session,
	// the resource's policy, its ACL. An exempt call has the one layer LayerExempt; a request that could not be evaluated has none.
	Layers []LayerVerdict
	// Missing are the context keys that conditions and variables of statements whose action matches read, and that are absent: in their
	// first spelling, each once, in the order of the layers. A request with other keys might be answered otherwise; no Change says so.
	Missing []string
	// Obstacle says why nothing can be changed: then Layers and Changes are nil.
	Obstacle Obstacle
	// Changes are, for a denial, the fewest changes of policies after which the request is allowed. Each of them is needed. Nil for an Allow.
	Changes []Change

	documents map[*Policy]*Document
}

// Obstacle is why a denial cannot be changed by allowing or denying anything else.
type Obstacle uint8

// The obstacles. The zero value is none.
const (
	ObstacleNone    Obstacle = iota
	ObstacleRequest          // the request is malformed or outside its bounds
	ObstaclePolicy           // a policy cannot be evaluated: whoever keeps it must mend or detach it
)

var obstacleNames = [...]string{"", "the request is malformed or outside its bounds", "a policy cannot be evaluated"}

// String says it in words; "" for none.
func (o Obstacle) String() string {
	if int(o) < len(obstacleNames) {
		return obstacleNames[o]
	}
	return ""
}

// LayerVerdict is what one layer, or one level of a chain, says by itself.
type LayerVerdict struct {
	Layer Layer
	Level int // of LayerSCP and LayerRCP; 0 is the root
	// Effect: DenyExplicit where a Deny applies, else Allow where an Allow does, or where the layer allows without a statement (root's
	// identity, an ACL, an exempt call), else DenyImplicit. An Allow of a resource's policy may reach less far than it must: see Reach.
	Effect     Effect
	Statements []StatementVerdict // all of them, in the order of policies and of their statements
}

// StatementVerdict is what one statement says of the request.
type StatementVerdict struct {
	Policy    *Attached
	Statement int  // its index. Explanation.Statement has its Sid and its place in the text
	Denies    bool // its Effect is Deny
	Applies   bool
	// Failed is the first element that does not match, in the order Action, Resource, Principal, Condition; ElementNone where it applies.
	Failed Element
	// Reach is how far the statement reaches where it applies. Without a Principal it is ReachDirect.
	Reach     Reach
	Condition *ConditionVerdict // of Failed == ElementCondition: the first condition that does not hold
	// Missing are the context keys that its conditions and variables read and that are absent. Nil where its action does not match.
	Missing []string
}

// Element is a part of a statement that must match. A negated one, such as NotAction, goes by the same name.
type Element uint8

// The elements. The zero value is none.
const (
	ElementNone Element = iota
	ElementAction
	ElementResource
	ElementPrincipal
	ElementCondition
)

var elementNames = [...]string{"", "Action", "Resource", "Principal", "Condition"}

// String is the element's name in policies; "" for none.
func (e Element) String() string {
	if int(e) < len(elementNames) {
		return elementNames[e]
	}
	return ""
}

// Reach is how a statement's Principal names the caller, which decides how far a grant is limited (docs/spec/policy-language.md 8.2,
// docs/spec/evaluation.md 5).
type Reach uint8

// The reaches, from the least to the most.
const (
	ReachNone    Reach = iota // the statement does not apply
	ReachAccount              // the caller's account is named: a delegation to its identity policies
	ReachIssuer               // the role of the session, or the user that issued it
	ReachDirect               // the caller itself, or everyone
)

var reachNames = [...]string{"none", "account", "issuer", "direct"}

// String is the reach's name in lower case.
func (r Reach) String() string {
	if int(r) < len(reachNames) {
		return reachNames[r]
	}
	return reachNames[0]
}

// Explain decides again and tells how. It asks every statement once, in every layer, by the same compiled form as Decide, so it takes work
// linear in the text of all policies; what it lists of texts is bounded (ConditionVerdict). It keeps nothing of the request but its strings.
func Explain(s *Sets, r *Request) *Explanation {
	x := explainer{e: &Explanation{Decision: Decide(s, r)}, s: s, r: r}
	switch {
	case !x.q.read(s, r):
		x.e.Obstacle = ObstacleRequest
		return x.e
	case r.Exempt:
		x.e.Layers = []LayerVerdict{{Layer: LayerExempt, Effect: Allow}}
		return x.e
	case !s.readable() || !r.readable():
		x.e.Obstacle = ObstaclePolicy
		return x.e
	}
	x.layers()
	x.e.Missing = x.missing.names
	if x.e.Decision.Effect != Allow {
		x.e.Changes = x.changes()
	}
	return x.e
}

// Statement is the statement of the verdict as its text says it, with its Sid and its place. The policy is decoded when it is first
// asked for, so an Explanation is not for several goroutines at once. v is one of this explanation.
func (e *Explanation) Statement(v *StatementVerdict) *Statement {
	return &e.document(v.Policy.Policy).Statements[v.Statement]
}

func (e *Explanation) document(p *Policy) *Document {
	d := e.documents[p]
	if d == nil {
		if e.documents == nil {
			e.documents = make(map[*Policy]*Document)
		}
		d = p.Document()
		e.documents[p] = d
	}
	return d
}

// explainer fills an explanation.
type explainer struct {
	e       *Explanation
	s       *Sets
	r       *Request
	q       query
	f       findings           // what the layers would say without their denies
	room    []StatementVerdict // for the statements still to ask
	missing keyList
	shown   int // what the lists of values count so far
}

// layers asks what Decide asks, and goes on after a deny.
func (x *explainer) layers() {
	s, r := x.s, x.r
	x.room = make([]StatementVerdict, x.statements())
	if s.Caller.Kind.boundBySCP() && !s.Caller.ServiceLinked {
		for level, set := range s.SCP {
			x.layer(LayerSCP, level, set.Policies()...)
		}
	}
	if !s.Caller.ServiceLinked {
		for level, set := range r.RCP {
			x.layer(LayerRCP, level, set.Policies()...)
		}
	}
	if r.Endpoint != nil {
		x.q.gateway = r.Gateway
		x.layer(LayerEndpoint, 0, r.Endpoint)
		x.q.gateway = false
	}
	if s.Identity != nil || s.Root || !s.Caller.Kind.withoutAccount() {
		v := x.layer(LayerIdentity, 0, s.Identity.Policies()...)
		if s.Root && v.Effect == DenyImplicit {
			v.Effect = Allow
		}
		x.f.identity.allowed = s.Root || v.allows()
	}
	x.f.boundary.allowed = !x.q.boundary
	if x.q.boundary {
		x.f.boundary.allowed = x.layer(LayerBoundary, 0, s.Boundary.Policies()...).allows()
	}
	x.f.session.allowed = true
	if s.Session != nil || s.Caller.Kind == FederatedCaller {
		x.f.session.allowed = x.layer(LayerSession, 0, s.Session.Policies()...).allows()
	}
	x.resource()
}

// resource asks what is on the resource. Without a policy it takes part where one would have to allow.
func (x *explainer) resource() {
	s, r := x.s, x.r
	own := !s.Caller.Kind.withoutAccount() && r.ownedBy(&s.Caller)
	x.f.resource.layer = LayerResource
	switch a := r.ResourcePolicy; {
	case a != nil:
		if a.Policy.kind == Trust {
			x.f.resource.layer = LayerTrust
		}
		if r.PolicyContext != nil {
			x.q.setContext(r.PolicyContext)
		}
		v := x.layer(x.f.resource.layer, 0, a)
		for i := range v.Statements {
			if st := &v.Statements[i]; !st.Denies {
				x.f.resource.join(class(st.Reach))
			}
		}
	case !own || r.NeedsResourcePolicy:
		x.layer(LayerResource, 0)
	}
	if len(r.Grantees) > 0 && !own {
		v := x.layer(LayerACL, 0)
		if granted(r.Grantees, &s.Caller) != classNone {
			v.Effect = Allow
		}
	}
}

// join adds an allow of the class.
func (v *resourceVerdict) join(c class) {
	v.account = v.account || c == classAccount
	v.class = max(v.class, c)
}

// statements is how many there are in all sets.
func (x *explainer) statements() int {
	n := 0
	add := func(policies ...*Attached) {
		for _, a := range policies {
			if a != nil {
				n += a.Policy.Len()
			}
		}
	}
	for _, chain := range [...][]*Set{x.s.SCP, x.r.RCP, {x.s.Identity, x.s.Boundary, x.s.Session}} {
		for _, set := range chain {
			add(set.Policies()...)
		}
	}
	add(x.r.Endpoint, x.r.ResourcePolicy)
	return n
}

// layer asks all statements of the policies. The result is good until the next layer is asked.
func (x *explainer) layer(layer Layer, level int, policies ...*Attached) *LayerVerdict {
	v, n := LayerVerdict{Layer: layer, Level: level}, 0
	for _, a := range policies {
		p := a.Policy
		for i := range p.Len() {
			st := &x.room[n]
			n++
			st.Policy, st.Statement = a, i
			x.statement(st, p)
			switch {
			case !st.Applies:
			case st.Denies:
				v.Effect = DenyExplicit
			case v.Effect == DenyImplicit:
				v.Effect = Allow
			}
		}
	}
	v.Statements, x.room = x.room[:n:n], x.room[n:]
	x.e.Layers = append(x.e.Layers, v)
	return &x.e.Layers[len(x.e.Layers)-1]
}

// allows says whether an Allow applies, whatever a Deny says.
func (v *LayerVerdict) allows() bool {
	for i := range v.Statements {
		if st := &v.Statements[i]; st.Applies && !st.Denies {
			return true
		}
	}
	return false
}
