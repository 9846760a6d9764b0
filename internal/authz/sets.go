package authz

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// serviceLinkedPath begins the path of service-linked roles (docs/spec/evaluation.md 6.9).
const serviceLinkedPath = "/aws-service-role/"

// gathered are the sets of a user or role, whatever session uses them.
type gathered struct{ policy.Sets }

// setsOf gives the policies that apply to s (docs/spec/evaluation.md 2); false if there is no such principal.
func (z *Authorizer) setsOf(r state.Reader, s *Subject) (policy.Sets, bool) {
	p := s.Principal
	a := r.Account(p.Account)
	if a == nil {
		return policy.Sets{}, false
	}
	var sets policy.Sets
	switch p.Kind {
	case state.RootUser:
		sets = policy.Sets{Root: true, Caller: policy.Caller{Kind: policy.RootCaller, Account: a.ID, ARN: arn.Root(state.Partition, a.ID)}}
	case state.FederatedUser:
		if p.ID == a.ID { // made by the root user
			sets.Root = true
		} else {
			g := z.gatheredOf(a, p.ID, true)
			if g == nil {
				return policy.Sets{}, false
			}
			sets = g.Sets
		}
		sets.Caller.Kind, sets.Caller.Account, sets.Caller.Session = policy.FederatedCaller, a.ID, p.ARN()
	case state.IAMUser, state.RoleSession:
		g := z.gatheredOf(a, p.ID, p.Kind == state.IAMUser)
		if g == nil {
			return policy.Sets{}, false
		}
		sets = g.Sets
		if p.Kind == state.RoleSession {
			sets.Caller.Session = p.ARN()
		}
	default:
		return policy.Sets{}, false
	}
	if s.Session != nil && s.Session.Limited() {
		sets.Session = policy.NewSet(sessionPolicies(a, s)...)
	}
	return sets, true
}

func sessionPolicies(a *state.Account, s *Subject) []*policy.Attached {
	var list []*policy.Attached
	if s.Session.Policy != "" {
		list = append(list, &policy.Attached{Policy: s.Session.Inline, Owner: s.Principal.ARN()})
	}
	for _, arn := range s.Session.PolicyARNs {
		list = append(list, managed(a, arn))
	}
	return list
}

// gatheredOf gives the sets of a user or role with that unique id, nil if there is none.
func (z *Authorizer) gatheredOf(a *state.Account, id string, user bool) *gathered {
	s := &z.shards[shardOf(id)]
	if a.Epoch != 0 {
		s.mu.RLock()
		m, ok := s.memos[id]
		s.mu.RUnlock()
		if ok && m.epoch == a.Epoch && m.account == a.ID && user == (m.sets.Caller.Kind == policy.UserCaller) {
			return m.sets
		}
	}
	var g *gathered
	if user {
		g = gatherUser(a, id)
	} else {
		g = gatherRole(a, id)
	}
	if g != nil && a.Epoch != 0 {
		s.mu.Lock()
		if len(s.memos) >= maxMemos {
			clear(s.memos)
		}
		// A reader of an older view may come late: what it puts here is found again only by readers of that same epoch.
		s.memos[id] = memo{a.ID, a.Epoch, g}
		s.mu.Unlock()
	}
	return g
}

func gatherUser(a *state.Account, id string) *gathered {
	u := a.User(id)
	if u == nil {
		return nil
	}
	g := &gathered{}
	g.Caller = policy.Caller{Kind: policy.UserCaller, Account: a.ID, ID: id, ARN: u.ARN(a.ID)}
	list := attached(nil, a, id, g.Caller.ARN)
	for group := range a.GroupsOf(id) {
		list = attached(list, a, group.Id, group.ARN(a.ID))
	}
	g.Identity = policy.NewSet(list...)
	g.bound(a, id)
	return g
}

func gatherRole(a *state.Account, id string) *gathered {
	role := a.Role(id)
	if role == nil {
		return nil
	}
	g := &gathered{}
	g.Caller = policy.Caller{
		Kind: policy.RoleCaller, Account: a.ID, ID: id, ARN: role.ARN(a.ID), ServiceLinked: strings.HasPrefix(role.Path, serviceLinkedPath),
	}
	g.Identity = policy.NewSet(attached(nil, a, id, g.Caller.ARN)...)
	g.bound(a, id)
	return g
}

// attached adds the policies of one user, group or role to the list.
func attached(list []*policy.Attached, a *state.Account, owner, ownerARN string) []*policy.Attached {
	for p := range a.InlinePolicies(owner, "") {
		list = append(list, &policy.Attached{Policy: p.Compiled, Name: p.Name, Owner: ownerARN})
	}
	for t := range a.Attachments(owner) {
		list = append(list, managed(a, t.Policy))
	}
	return list
}

func (g *gathered) bound(a *state.Account, owner string) {
	if b := a.Boundary(owner); b != nil {
		g.Boundary = policy.NewSet(managed(a, b.Policy))
	}
}

// managed is the default version of a managed policy. One that is not there has no compiled form, and so denies everything: it may have
// been a Deny.
func managed(a *state.Account, policyARN string) *policy.Attached {
	at := &policy.Attached{ARN: policyARN}
	if awspolicy.Is(policyARN) {
		at.Policy = awspolicy.Compiled(policyARN)
	} else if p := a.ManagedPolicyByARN(policyARN); p != nil {
		at.Name = p.Name
		if v := a.PolicyVersion(p.Id, p.DefaultVersion); v != nil {
			at.Policy = v.Compiled
		}
	}
	return at
}

func shardOf(id string) uint32 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return (h ^ h>>16) % shardCount
}
