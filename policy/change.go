package policy

import "math/bits"

// Change is one part of what would make a denied request allowed.
//
// The parts that Explain names are the fewest of their kinds: every Deny that applies goes, every level and endpoint that must allow and does
// not gets an Allow, and of the ways in which the request may then be granted (docs/spec/evaluation.md 4.2 S1 to S3) the one that takes the fewest
// statements is taken. Where two take as many, that without a change on the resource is taken, for a service-linked role, whose
// policies nobody can change, that with it; on the resource, naming the role or the user goes before naming its session, and that before naming
// everyone, where nothing else names the caller. A policy for a resource that has none is named only where nothing else is enough, because
// its type may have no policies. Limits are never taken away as a whole, ACLs are never changed (a statement of the resource's
// policy is as small), and no change of the request is named.
type Change struct {
	Kind  ChangeKind
	Layer Layer // of a resource without policy LayerResource, LayerTrust where only that can name the caller
	Level int   // of LayerSCP and LayerRCP
	// Policy is the one whose statement goes, or to which one is added; nil where the statement may stand in any policy of the layer, also in
	// a new one. A policy that stands in several layers is named once for each statement that goes.
	Policy    *Attached
	Statement int // of RemoveStatement: its index
	// Text is, of AddStatement, the statement as JSON for a policy of that Version: exactly the action and the resource; in an RCP the
	// statement of RCPFullAWSAccess, for no other can allow. It has a condition only where it trusts an identity provider of many tenants,
	// which is on the tenant; if the request does not say which, there is none, and Validate refuses the policy until it has one.
	Text string
	Side Side
}

// ChangeKind is what is to be done.
type ChangeKind uint8

// The kinds of changes.
const (
	AddStatement ChangeKind = iota + 1
	// RemoveStatement: it is enough to narrow the statement so that it does not apply, or to detach its policy if no Allow of it is needed.
	RemoveStatement
)

var changeNames = [...]string{"", "add statement", "remove statement"}

// String says it in words.
func (k ChangeKind) String() string {
	if int(k) < len(changeNames) {
		return changeNames[k]
	}
	return ""
}

// Side is who can make a change.
type Side uint8

// The sides.
const (
	SideCaller       Side = iota + 1 // the caller's account
	SideService                      // the service whose service-linked role the caller has
	SideSession                      // whoever made the caller's session
	SideResource                     // the account of the resource
	SideEndpoint                     // the owner of the VPC endpoint
	SideOrganization                 // who manages the organization: for LayerSCP the caller's, for LayerRCP the resource's
)

var sideNames = [...]string{
	"", "caller's account", "service of the role", "maker of the session", "resource's account", "owner of the endpoint", "organization's management",
}

// String says it in words.
func (s Side) String() string {
	if int(s) < len(sideNames) {
		return sideNames[s]
	}
	return ""
}

// side is who can change a policy of the layer.
func (c *Caller) side(layer Layer) Side {
	switch layer {
	case LayerSCP, LayerRCP:
		return SideOrganization
	case LayerEndpoint:
		return SideEndpoint
	case LayerSession:
		return SideSession
	case LayerResource, LayerTrust:
		return SideResource
	}
	if c.ServiceLinked {
		return SideService
	}
	return SideCaller
}

// changes are those that a denial needs.
func (x *explainer) changes() []Change {
	out := x.removals()
	for i := range x.e.Layers {
		v := &x.e.Layers[i]
		if (v.Layer == LayerSCP || v.Layer == LayerRCP || v.Layer == LayerEndpoint) && !v.allows() {
			out = append(out, x.addition(v.Layer, v.Level, nil))
		}
	}
	return append(out, x.grants()...)
}

// removals are the denies that apply. What says the same in several layers is one.
func (x *explainer) removals() []Change {
	type place struct {
		policy    Attached
		statement int
	}
	var out []Change
	seen := make(map[place]bool)
	for i := range x.e.Layers {
		v := &x.e.Layers[i]
		for j := range v.Statements {
			st := &v.Statements[j]
			at := place{*st.Policy, st.Statement}
			if !st.Denies || !st.Applies || seen[at] {
				continue
			}
			seen[at] = true
			out = append(out, Change{
				Kind: RemoveStatement, Layer: v.Layer, Level: v.Level, Policy: st.Policy, Statement: st.Statement, Side: x.s.Caller.side(v.Layer),
			})
		}
	}
	return out
}

// grants are the statements without which nothing would allow the request, even if nothing denied it.
func (x *explainer) grants() []Change {
	layer, kind := x.f.resource.layer, Resource
	if x.r.ResourcePolicy == nil && x.s.Caller.Kind == ProviderCaller {
		layer = LayerTrust
	}
	if layer == LayerTrust {
		kind = Trust
	}
	namings := x.s.Caller.namings(kind)
	var way way
	if x.r.ResourcePolicy != nil || x.s.Caller.ServiceLinked || !x.search(nil, &way) {
		x.search(namings, &way)
	}
	var out []Change
	for i, limit := range [...]Layer{LayerIdentity, LayerBoundary, LayerSession} {
		if way.limits>>i&1 != 0 {
			out = append(out, x.addition(limit, 0, nil))
		}
	}
	if way.naming != nil {
		out = append(out, x.addition(layer, 0, way.naming))
	}
	return out
}

// way is one way to grant a request.
type way struct {
	limits uint    // bits of identity, boundary and session: each gets an Allow
	naming *naming // and so does the resource's policy, where it is not nil
	cost   int     // in statements, and in what is preferred where they are as many
}

// search finds the best way with one of the namings, or without. The rules are those of Decide: it is asked what it would say.
func (x *explainer) search(namings []naming, best *way) bool {
	const all = 1<<3 - 1
	found := false
	for i := -1; i < len(namings); i++ {
		for limits := range uint(all + 1) {
			f, w := x.f, way{limits: limits, cost: 2 * bits.OnesCount(limits)}
			f.identity.allowed = f.identity.allowed || limits&1 != 0
			f.boundary.allowed = f.boundary.allowed || limits&2 != 0
			f.session.allowed = f.session.allowed || limits&4 != 0
			if i >= 0 {
				w.naming, w.cost = &namings[i], w.cost+2
				f.resource.join(namings[i].class)
			}
			if x.s.Caller.ServiceLinked && limits&1 != 0 {
				w.cost++
			}
			if (!found || w.cost < best.cost) && f.grant(x.s, x.r).Effect == Allow {
				*best, found = w, true
			}
		}
	}
	return found
}
