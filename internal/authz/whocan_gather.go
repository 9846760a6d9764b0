package authz

import (
	"slices"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// gatherer collects what one decision about one action needs to know of a candidate, as gather does, but in memory that it uses again for
// the next: an inquiry asks everybody, most of whom nobody else asks about, so that what is remembered of callers is neither added to nor driven
// out. Policies without a statement about the action are left out, those of groups and managed ones are looked at once. It is for one goroutine; the
// zero value is ready.
type gatherer struct {
	w      *search
	action *policy.ActionSearch
	keys   *policy.KeyTable // of the policies' statements about the action
	scp    reads            // of the organization's policies above the account
	whole  bool             // what the check reads depends on whether any policy reads a context: see (*check).reads
	groups map[string][]appraised
	shared map[string]appraised // managed policies, by ARN
	late   func()               // makeKeys

	// Of the candidate:
	c                  *candidate
	own, session       memo
	reads              reads
	identity, boundary policy.Set
	list, limit        []*policy.Attached // of those
	inline             []policy.Attached
	records            []*state.InlinePolicy
	compiled           []*policy.Policy // of the records
	touched            uint32           // read ahead; of no meaning
}

// appraised is a policy with what the gatherer has to know of it.
type appraised struct {
	attached *policy.Attached
	about    bool // a statement may be about the action, or the policy cannot be read
	reads    reads
}

func (g *gatherer) begin(w *search, action *policy.ActionSearch) {
	g.w, g.action = w, action
	g.keys = policy.NewKeyTable(func(key string) uint8 { return uint8(readsOf(key)) })
	g.groups, g.shared = map[string][]appraised{}, map[string]appraised{}
	if w.member != nil {
		g.scp = readsOfSets(w.member.SCP...)
	}
	g.whole = w.q.Check.Canonical != "" || len(w.q.Check.SCP) > 0
	g.late = g.makeKeys
}

// of is the memo of a candidate, good until the next. It is of this inquiry only, and not complete: see gatherer.
func (g *gatherer) of(w *search, action *policy.ActionSearch, c *candidate) *memo {
	if g.w == nil {
		g.begin(w, action)
	}
	g.c, g.reads = c, g.scp
	g.list, g.limit, g.inline = g.list[:0], g.limit[:0], g.inline[:0]
	m := &g.own
	*m = memo{account: w.account.ID, kind: policy.RootCaller, epoch: w.account.Epoch, member: w.member, keys: m.keys[:0], late: g.late}
	if w.member != nil {
		m.sets.SCP = w.member.SCP
	}
	switch {
	case c.user != nil:
		m.kind = policy.UserCaller
		m.isUser(c.user)
		g.policies(c.user.Id, m.name)
		for group := range w.account.GroupsOf(c.user.Id) {
			g.group(group)
		}
		g.own.sets.Boundary = g.bound(c.user.Id)
	case c.role != nil:
		m.kind = policy.RoleCaller
		m.isRole(c.role)
		g.policies(c.role.Id, m.sets.Caller.ARN)
		g.own.sets.Boundary = g.bound(c.role.Id)
	default:
		m.isRoot()
		m.reads = g.reads
		return m
	}
	g.identity = policy.SetOnce(g.list)
	m.sets.Identity, m.reads = &g.identity, g.reads
	if c.role == nil {
		return m
	}
	q := Query{Principal: &c.principal, Session: c.session}
	m.begin(&g.session, &q, madeBy{})
	g.session.late = g.late
	return &g.session
}

// policies takes those of one user, group or role, in the order of attached.
func (g *gatherer) policies(owner, name string) {
	a := g.w.account
	g.records, g.compiled = slices.AppendSeq(g.records[:0], a.InlinePolicies(owner, "")), g.compiled[:0]
	for _, r := range g.records {
		g.compiled = append(g.compiled, r.Compiled)
	}
	g.touched += policy.Ahead(g.compiled)
	for i, r := range g.records {
		p := g.appraise(g.compiled[i])
		g.reads |= p.reads
		if p.about {
			g.inline = append(g.inline, policy.Attached{Policy: r.Compiled, Name: r.Name, Owner: name})
			g.list = append(g.list, &g.inline[len(g.inline)-1])
		}
	}
	for t := range a.Attachments(owner) {
		g.take(g.managed(t.Policy))
	}
}

// take adds one that is kept.
func (g *gatherer) take(p appraised) {
	g.reads |= p.reads
	if p.about {
		g.list = append(g.list, p.attached)
	}
}

func (g *gatherer) appraise(p *policy.Policy) (out appraised) {
	if p == nil {
		return appraised{about: true}
	}
	about, groups := g.action.Survey(p, g.keys)
	out.about, out.reads = about, reads(groups)
	if g.whole && p.UsesContext() {
		out.reads = readsAll
	}
	return out
}

// group takes the policies of a group.
func (g *gatherer) group(group *state.Group) {
	list, ok := g.groups[group.Id]
	if !ok {
		for _, at := range attached(nil, g.w.account, group.Id, group.ARN(g.w.account.ID)) {
			p := g.appraise(at.Policy)
			p.attached = at
			list = append(list, p)
		}
		g.groups[group.Id] = list
	}
	for _, p := range list {
		g.take(p)
	}
}

func (g *gatherer) managed(policyARN string) appraised {
	p, ok := g.shared[policyARN]
	if !ok {
		at := managed(g.w.account, policyARN)
		p = g.appraise(at.Policy)
		p.attached = at
		g.shared[policyARN] = p
	}
	return p
}

func (g *gatherer) bound(owner string) *policy.Set {
	b := g.w.account.Boundary(owner)
	if b == nil {
		return nil
	}
	p := g.managed(b.Policy)
	g.reads |= p.reads
	if p.about {
		g.limit = append(g.limit, p.attached)
	}
	g.boundary = policy.SetOnce(g.limit)
	return &g.boundary
}

// readsKeys notes which keys the candidate's policies read.
func (g *gatherer) readsKeys() {
	for _, list := range [...][]*policy.Attached{g.list, g.limit} {
		for _, at := range list {
			if at.Policy != nil {
				g.action.Mark(at.Policy, g.keys)
			}
		}
	}
}

// makeKeys makes the keys of the candidate.
func (g *gatherer) makeKeys() {
	m := &g.own
	m.late, g.session.late = nil, nil
	switch {
	case g.c.user != nil:
		m.keysOfUser(g.c.user)
	case g.c.role != nil:
		m.keysOfRole(g.c.role)
		q := Query{Principal: &g.c.principal, Session: g.c.session}
		g.session.keys = sessionKeys(m, &g.session, &q)
	default:
		m.keysOfRoot()
	}
}
