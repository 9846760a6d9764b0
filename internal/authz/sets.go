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

// memoOf gives what is known of the root user, user or role behind a principal; nil if there is none.
func (z *Authorizer) memoOf(r state.Reader, p *state.Principal) *memo {
	a := r.Account(p.Account)
	if a == nil {
		return nil
	}
	var kind policy.CallerKind
	switch p.Kind {
	case state.RootUser:
		kind = policy.RootCaller
	case state.IAMUser:
		kind = policy.UserCaller
	case state.RoleSession:
		kind = policy.RoleCaller
	case state.FederatedUser:
		kind = policy.UserCaller
		if p.ID == a.ID { // made by the root user
			kind = policy.RootCaller
		}
	default:
		return nil
	}
	id := p.ID
	if kind == policy.RootCaller {
		id = a.ID
	}
	member := r.Membership(a.ID)
	if lasting(a, member) {
		if m := z.memos.find(id, a.ID, kind); m != nil && m.holds(a, member) {
			return m
		}
	}
	m := gather(a, member, id, kind)
	if m != nil && lasting(a, member) {
		// A reader of an older view may come late: what it puts here is found again only by readers of that same state.
		z.memos.put(m)
	}
	return m
}

// gather collects what applies to a root user, user or role, and what conditions can ask of it (docs/spec/evaluation.md 1.2, 2).
func gather(a *state.Account, member *state.Membership, id string, kind policy.CallerKind) *memo {
	m := &memo{id: id, account: a.ID, kind: kind, epoch: a.Epoch, member: member}
	if member != nil {
		m.orgEpoch = member.Epoch
		if !member.Management {
			m.sets.SCP = member.SCP
		}
	}
	found := false
	switch kind {
	case policy.RootCaller:
		m.root(a)
		found = true
	case policy.UserCaller:
		found = m.user(a)
	case policy.RoleCaller:
		found = m.role(a)
	}
	if !found {
		return nil
	}
	m.weigh()
	return m
}

func (m *memo) root(a *state.Account) {
	name := arn.Root(state.Partition, a.ID)
	m.sets.Root = true
	m.sets.Caller = policy.Caller{Kind: policy.RootCaller, Account: a.ID, ARN: name}
	m.keysOf(name, "Account")
	m.own = append(m.own, single("aws:userid", a.ID))
}

func (m *memo) user(a *state.Account) bool {
	u := a.User(m.id)
	if u == nil {
		return false
	}
	name := u.ARN(a.ID)
	m.sets.Caller = policy.Caller{Kind: policy.UserCaller, Account: a.ID, ID: u.Id, ARN: name}
	list := attached(nil, a, u.Id, name)
	for group := range a.GroupsOf(u.Id) {
		list = attached(list, a, group.Id, group.ARN(a.ID))
	}
	m.sets.Identity = policy.NewSet(list...)
	m.bound(a, u.Id)
	m.keysOf(name, "User")
	m.own = append(m.own, single("aws:userid", u.Id), single("aws:username", u.Name))
	m.tagged(u.Tags)
	return true
}

func (m *memo) role(a *state.Account) bool {
	role := a.Role(m.id)
	if role == nil {
		return false
	}
	name := role.ARN(a.ID)
	m.sets.Caller = policy.Caller{
		Kind: policy.RoleCaller, Account: a.ID, ID: role.Id, ARN: name, ServiceLinked: strings.HasPrefix(role.Path, serviceLinkedPath),
	}
	m.sets.Identity = policy.NewSet(attached(nil, a, role.Id, name)...)
	m.bound(a, role.Id)
	m.keysOf(name, "AssumedRole")
	m.tagged(role.Tags)
	return true
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

func (m *memo) bound(a *state.Account, owner string) {
	if b := a.Boundary(owner); b != nil {
		m.sets.Boundary = policy.NewSet(managed(a, b.Policy))
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

// setsOf are the sets of a session or key of the principal behind m. room is where they are made if they are not those of m itself.
func setsOf(r state.Reader, q *Query, m *memo, room *policy.Sets) *policy.Sets {
	p := q.Principal
	limited := q.Session != nil && q.Session.Limited() || len(q.SessionPolicies) > 0
	scp := len(q.SCP) > 0 && (m.member == nil || !m.member.Management)
	if (p.Kind == state.IAMUser || p.Kind == state.RootUser) && !limited && !scp && q.Canonical == "" {
		return &m.sets
	}
	*room = m.sets
	room.Caller.Canonical = q.Canonical
	switch p.Kind {
	case state.RoleSession:
		room.Caller.Session = p.ARN()
	case state.FederatedUser:
		room.Caller.Kind, room.Caller.Session = policy.FederatedCaller, p.ARN()
		if m.kind == policy.RootCaller {
			room.Caller.ARN = ""
		}
	}
	if limited {
		room.Session = policy.NewSet(sessionPolicies(r.Account(m.account), q)...)
	}
	if scp {
		room.SCP = append(room.SCP[:len(room.SCP):len(room.SCP)], q.SCP...)
	}
	return room
}

func sessionPolicies(a *state.Account, q *Query) []*policy.Attached {
	var list []*policy.Attached
	if s := q.Session; s != nil {
		if s.Policy != "" {
			list = append(list, &policy.Attached{Policy: s.Inline, Owner: q.Principal.ARN()})
		}
		for _, name := range s.PolicyARNs {
			list = append(list, managed(a, name))
		}
	}
	return append(list, q.SessionPolicies...)
}
