package authz

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// gather collects what applies to a root user, user or role, and what conditions can ask of it (docs/spec/evaluation.md 1.2, 2, 6.1); nil if there
// is none with that id.
func gather(a *state.Account, member *state.Membership, id string, kind policy.CallerKind) *memo {
	m := &memo{account: a.ID, kind: kind, epoch: a.Epoch, member: member}
	found := false
	switch kind {
	case policy.RootCaller:
		m.root()
		found = true
	case policy.UserCaller:
		found = m.user(a, id)
	case policy.RoleCaller:
		found = m.role(a, id)
	}
	if !found {
		return nil
	}
	if member != nil {
		m.sets.SCP = member.SCP
	}
	m.reads = readsOfSets(m.sets.Identity, m.sets.Boundary) | readsOfSets(m.sets.SCP...)
	m.weigh()
	return m
}

func (m *memo) root() {
	m.isRoot()
	m.keysOfRoot()
}

func (m *memo) isRoot() {
	m.name = arn.Root(state.Partition, m.account)
	m.sets.Root = true
	m.sets.Caller = policy.Caller{Kind: policy.RootCaller, Account: m.account, ARN: m.name}
}

func (m *memo) user(a *state.Account, id string) bool {
	u := a.User(id)
	if u == nil {
		return false
	}
	m.isUser(u)
	list := attached(nil, a, u.Id, m.name)
	for group := range a.GroupsOf(u.Id) {
		list = attached(list, a, group.Id, group.ARN(a.ID))
	}
	m.sets.Identity = policy.NewSet(list...)
	m.bound(a, u.Id)
	m.keysOfUser(u)
	return true
}

func (m *memo) isUser(u *state.User) {
	m.name = u.ARN(m.account)
	m.sets.Caller = policy.Caller{Kind: policy.UserCaller, Account: m.account, ID: u.Id, ARN: m.name}
	m.record = u
}

func (m *memo) role(a *state.Account, id string) bool {
	role := a.Role(id)
	if role == nil {
		return false
	}
	m.isRole(role)
	m.sets.Identity = policy.NewSet(attached(nil, a, role.Id, m.sets.Caller.ARN)...)
	m.bound(a, role.Id)
	m.keysOfRole(role)
	return true
}

func (m *memo) isRole(role *state.Role) {
	m.sets.Caller = policy.Caller{
		Kind: policy.RoleCaller, Account: m.account, ID: role.Id, ARN: role.ARN(m.account),
		ServiceLinked: strings.HasPrefix(role.Path, product.ServiceLinkedPath),
	}
	m.record = role
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
