package authz

import (
	"github.com/gatehouse-iam/gatehouse/policy"
)

// gatherer collects what is known of a candidate, as gather does, but in memory that it uses again for the next: an inquiry asks everybody, most
// of whom nobody else asks about, so that what is remembered of callers is neither added to nor driven out. It is for one goroutine; the zero
// value is ready.
type gatherer struct {
	w      *search
	names  keyNames                      // that policies read in statements about an action: see readsKeys
	known  keyCache                      // of condition keys
	scp    reads                         // of the organization's policies above the account
	groups map[string][]*policy.Attached // of groups, by id
	shared map[string]*policy.Attached   // managed ones, by ARN
	reads  map[*policy.Attached]reads    // of those in groups and shared
	late   func()                        // makeKeys

	// Of the candidate:
	c                  *candidate
	own, session       memo
	identity, boundary policy.Set
	list, limit        []*policy.Attached // of those
	inline             []policy.Attached  // its own ones, which are in the list first
}

func (g *gatherer) begin(w *search) {
	g.w, g.names = w, keyNames{}
	g.groups, g.shared, g.reads = map[string][]*policy.Attached{}, map[string]*policy.Attached{}, map[*policy.Attached]reads{}
	if w.member != nil {
		g.scp = readsOfSets(w.member.SCP...)
	}
	g.late = g.makeKeys
}

// of is the memo of a candidate, good until the next.
func (g *gatherer) of(w *search, c *candidate) *memo {
	if g.w == nil {
		g.begin(w)
	}
	g.c, g.list, g.limit, g.inline = c, g.list[:0], g.limit[:0], g.inline[:0]
	m := &g.own
	*m = memo{account: w.account.ID, kind: policy.RootCaller, epoch: w.account.Epoch, member: w.member, keys: m.keys[:0], late: g.late}
	if w.member != nil {
		m.sets.SCP = w.member.SCP
	}
	switch {
	case c.user != nil:
		m.kind = policy.UserCaller
		m.isUser(c.user)
		g.attached(c.user.Id, m.name)
		for member := range w.account.MembershipsOf(c.user.Id) {
			g.list = append(g.list, g.group(member.Group)...)
		}
	case c.role != nil:
		m.kind = policy.RoleCaller
		m.isRole(c.role)
		g.attached(c.role.Id, m.sets.Caller.ARN)
	default:
		m.isRoot()
		m.reads = g.scp
		return m
	}
	g.identity = policy.UnindexedSet(g.list)
	m.sets.Identity = &g.identity
	if len(g.limit) > 0 {
		g.boundary = policy.UnindexedSet(g.limit)
		m.sets.Boundary = &g.boundary
	}
	m.reads = g.readsOf()
	if c.role == nil {
		return m
	}
	q := Query{Principal: &c.principal, Session: c.session}
	m.begin(&g.session, &q, madeBy{})
	g.session.late = g.late
	return &g.session
}

// attached is the function of that name, for the candidate, with its boundary.
func (g *gatherer) attached(owner, name string) {
	for p := range g.w.account.InlinePolicies(owner, "") {
		g.inline = append(g.inline, policy.Attached{Policy: p.Compiled, Name: p.Name, Owner: name})
	}
	for i := range g.inline {
		g.list = append(g.list, &g.inline[i])
	}
	for t := range g.w.account.AttachmentsAndBoundary(owner) {
		if t.Boundary {
			g.limit = append(g.limit, g.managed(t.Policy))
		} else {
			g.list = append(g.list, g.managed(t.Policy))
		}
	}
}

// group are the policies of a group; none of one that is not there.
func (g *gatherer) group(id string) []*policy.Attached {
	list, ok := g.groups[id]
	if !ok {
		if group := g.w.account.Group(id); group != nil {
			list = attached(nil, g.w.account, id, group.ARN(g.w.account.ID))
		}
		for _, at := range list {
			g.reads[at] = readsOfPolicy(at)
		}
		g.groups[id] = list
	}
	return list
}

func (g *gatherer) managed(policyARN string) *policy.Attached {
	at, ok := g.shared[policyARN]
	if !ok {
		at = managed(g.w.account, policyARN)
		g.shared[policyARN], g.reads[at] = at, readsOfPolicy(at)
	}
	return at
}

// readsOf are the groups of the keys that decisions about the candidate may read.
func (g *gatherer) readsOf() reads {
	r := g.scp
	for i := range g.inline {
		for key := range g.inline[i].Policy.ContextKeys() { // the store has it compiled
			r |= g.known.readsOf(key)
		}
	}
	for _, at := range g.list[len(g.inline):] {
		r |= g.reads[at]
	}
	for _, at := range g.limit {
		r |= g.reads[at]
	}
	return r
}

// readsKeys notes which keys the candidate's policies read in statements about the action.
func (g *gatherer) readsKeys(action *policy.ActionSearch) { g.names.ofCaller(action, &g.own) }

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

// keyCache are the groups of some keys: most policies read what others do.
type keyCache [64]struct {
	key   string
	reads reads
}

func (c *keyCache) readsOf(key string) reads {
	e := &c[(len(key)+int(key[len(key)-1])<<2)%len(c)]
	if e.key != key {
		e.key, e.reads = key, readsOf(key)
	}
	return e.reads
}
