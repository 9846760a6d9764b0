package authz

import (
	"sync/atomic"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// memo is what is known of a caller of the store: of a root user, user or role in one state of its account and its organization, or of a
// session of one. It never changes but for seen.
type memo struct {
	// What finding it reads stands first and together: a look-up of one among many thousands is as long as the memory it has to wait for.
	id      key               // unique id of the user or role, account id of a root user, access key id of a session
	kind    policy.CallerKind // RootCaller, UserCaller or RoleCaller: what the memo, or its principal, is of
	reads   reads             // of the policies in sets
	account string
	seen    atomic.Int64      // of a principal: revision of a view that it was found to hold in, which says all about that one; 0 for none
	member  *state.Membership // nil for an account in no organization
	of      *memo             // of a session: its user or role, or root user; nil for those

	sets   policy.Sets
	epoch  storage.Rev    // of the account
	record any            // *state.User or *state.Role that it was made of; nil for a root user
	weight int            // its bytes, about
	name   string         // as messages print the caller; "" for a role, which never calls
	keys   []policy.Entry // docs/spec/evaluation.md 1.2: those that are the same in every request
	shared int            // so many of the keys are those of every session of the user or role
	tags   []policy.Entry // those of the keys that are tags of the user or role
	late   func()         // of a caller that nobody remembers: makes keys, if they are asked for; nil once they are there

	// Of a session:
	session *session.Session
	called  string // the session's name
	made    madeBy
}

// key is an id without the memory that a string refers to. The zero value is no id.
type key struct {
	n    uint8
	text [maxKey]byte
}

// maxKey is longer than unique ids, access key ids and account ids are. What has a longer one is not remembered.
const maxKey = 23

func newKey(id string) (k key) {
	if len(id) <= maxKey {
		k.n = uint8(copy(k.text[:], id))
	}
	return k
}

// is compares the key with an id, which is not empty.
func (k *key) is(id string) bool { return string(k.text[:k.n]) == id }

// madeBy is what an asker says of how a session was made.
type madeBy struct {
	provider    string
	assumedRoot bool
}

// revision is that of the view; 0 for a transaction, which may see what its revision does not have.
func revision(r state.Reader) storage.Rev {
	if v, ok := r.(*state.View); ok {
		return v.Rev()
	}
	return 0
}

// current says whether the memo of a principal was found to hold in the view of that revision. Nothing has to be looked up for that.
func (m *memo) current(rev storage.Rev) bool { return rev != 0 && storage.Rev(m.seen.Load()) == rev }

// holds says whether the memo of a principal is of that state, which has the revision, or none.
func (m *memo) holds(a *state.Account, member *state.Membership, rev storage.Rev) bool {
	switch {
	case m.epoch != a.Epoch:
		return false
	case m.member == member:
	case m.member == nil || member == nil:
		return false
	case m.member.Epoch != member.Epoch || m.member.Organization != member.Organization:
		return false
	}
	// A new user or role is no new epoch. Who was there in some revision is there in all later ones of the epoch, but not in the earlier ones.
	seen := storage.Rev(m.seen.Load())
	return seen != 0 && seen <= rev || m.inside(a)
}

// inside says whether the account has the user or role of the memo.
func (m *memo) inside(a *state.Account) bool {
	switch r := m.record.(type) {
	case *state.User:
		return a.User(r.Id) == r
	case *state.Role:
		return a.Role(r.Id) == r
	}
	return true
}

// lasting says whether the state can be known again: a transaction with changes of its own has no epoch.
func lasting(a *state.Account, member *state.Membership) bool {
	return a.Epoch != 0 && (member == nil || member.Epoch != 0)
}

// callerOf gives what is known of the query's principal in the reader's state; nil if that has no such principal.
func (z *Authorizer) callerOf(r state.Reader, q *Query) *memo {
	p := q.Principal
	id, kind := p.ID, policy.UserCaller
	switch p.Kind {
	case state.RootUser:
		id, kind = p.Account, policy.RootCaller
	case state.IAMUser:
	case state.RoleSession:
		kind = policy.RoleCaller
	case state.FederatedUser:
		if p.ID == p.Account { // made by the root user
			kind = policy.RootCaller
		}
	default:
		return nil
	}
	rev := revision(r)
	if q.Session == nil && len(q.SessionPolicies) == 0 && (p.Kind == state.IAMUser || p.Kind == state.RootUser) {
		m, _ := z.principalOf(r, rev, p.Account, id, kind)
		return m
	}
	return z.sessionOf(r, rev, q, id, kind)
}

// principalOf gives what is known of a principal, and whether that lasts.
func (z *Authorizer) principalOf(r state.Reader, rev storage.Rev, account, id string, kind policy.CallerKind) (m *memo, last bool) {
	m = z.memos.find(id)
	if m != nil && !m.isPrincipal(account, kind) {
		m = nil
	}
	if m != nil && m.current(rev) {
		return m, true
	}
	return z.derive(r, rev, m, account, id, kind)
}

// derive is principalOf where nothing is known of the reader's revision, and m, or nil, of another one.
func (z *Authorizer) derive(r state.Reader, rev storage.Rev, m *memo, account, id string, kind policy.CallerKind) (*memo, bool) {
	a := r.Account(account)
	if a == nil {
		return nil, false
	}
	member := r.Membership(account)
	last := lasting(a, member)
	if last && m != nil && m.holds(a, member, rev) {
		if rev != 0 {
			m.seen.Store(int64(rev))
		}
		return m, true
	}
	if m = gather(a, member, id, kind); m != nil && last {
		// A reader of an older view may come late: what it puts here is found again only by readers of that same state.
		m.seen.Store(int64(rev))
		z.memos.put(id, m)
	}
	return m, last
}

// isPrincipal says whether the memo is of a principal, not a session, of that account and kind.
func (m *memo) isPrincipal(account string, kind policy.CallerKind) bool {
	return m.of == nil && m.kind == kind && m.account == account
}

// sessionOf gives what is known of the query's session of a principal.
func (z *Authorizer) sessionOf(r state.Reader, rev storage.Rev, q *Query, id string, kind policy.CallerKind) *memo {
	made := madeBy{q.FederatedProvider, q.AssumedRoot}
	var s *memo
	known := q.Session != nil && len(q.SessionPolicies) == 0
	if known {
		// Sessions never change, so that the same one says the same. What is no session's has none.
		s = z.memos.find(q.Session.AccessKeyID)
		if s != nil && (s.session != q.Session || s.called != q.Principal.Session || s.made != made || !s.isOf(q.Principal.Kind)) {
			s = nil
		}
		if s != nil && s.of.current(rev) && s.of.isPrincipal(q.Principal.Account, kind) && s.of.id.is(id) {
			return s
		}
	}
	m, last := z.principalOf(r, rev, q.Principal.Account, id, kind)
	switch {
	case m == nil:
		return nil
	case s != nil && s.of == m:
		return s
	}
	s = m.under(r.Account(m.account), q, made)
	if known && last {
		z.memos.put(q.Session.AccessKeyID, s)
	}
	return s
}

// isOf says whether the memo of a session is of that kind of principal.
func (m *memo) isOf(kind state.PrincipalKind) bool {
	return (kind == state.FederatedUser) == (m.sets.Caller.Kind == policy.FederatedCaller)
}

// under is a session of m.
func (m *memo) under(a *state.Account, q *Query, made madeBy) *memo {
	s := &memo{}
	m.begin(s, q, made)
	if list := sessionPolicies(a, q, s.name); list != nil {
		s.sets.Session = policy.NewSet(list...)
		s.reads |= readsOfSets(s.sets.Session)
	}
	s.keys = sessionKeys(m, s, q)
	s.weigh()
	return s
}

// begin makes s a session of m, but for its keys and its own policies.
func (m *memo) begin(s *memo, q *Query, made madeBy) {
	*s = memo{
		account: m.account, sets: m.sets, reads: m.reads, name: m.name,
		kind: m.kind, epoch: m.epoch, member: m.member,
		of: m, session: q.Session, called: q.Principal.Session, made: made,
	}
	switch {
	case q.Principal.Kind == state.FederatedUser:
		s.name = arn.FederatedUser(state.Partition, m.account, s.called)
		s.sets.Caller.Kind, s.sets.Caller.Session = policy.FederatedCaller, s.name
		if m.kind == policy.RootCaller {
			s.sets.Caller.ARN = ""
		}
	case m.kind == policy.RoleCaller:
		s.name = q.Principal.ARN()
		s.sets.Caller.Session = s.name
	case made.assumedRoot:
		s.name = arn.AssumedRoot(state.Partition, m.account)
	}
}

// sessionPolicies are those of docs/spec/evaluation.md 2, SP; nil where none was passed.
func sessionPolicies(a *state.Account, q *Query, owner string) []*policy.Attached {
	var list []*policy.Attached
	if s := q.Session; s != nil {
		if s.Policy != "" {
			list = append(list, &policy.Attached{Policy: s.Inline, Owner: owner})
		}
		for _, name := range s.PolicyARNs {
			list = append(list, managed(a, name))
		}
	}
	return append(list, q.SessionPolicies...)
}

// weigh estimates the bytes that the memo holds for itself. Policies are shared with the state, but not what finds their statements.
func (m *memo) weigh() {
	const fixed, perPolicy, perStatement, perKey = 512, 128, 32, 64
	m.weight = fixed + perKey*len(m.keys)
	for i := range m.keys {
		m.weight += len(m.keys[i].Key)
	}
	sets := [...]*policy.Set{m.sets.Identity, m.sets.Boundary, m.sets.Session}
	if m.of != nil {
		sets[0], sets[1] = nil, nil
		if m.session != nil {
			m.weight += len(m.session.Policy) + perKey*len(m.session.Tags)
		}
	}
	for _, s := range sets {
		for _, a := range s.Policies() {
			m.weight += perPolicy
			if a != nil && a.Policy != nil {
				m.weight += perStatement * a.Policy.Len()
			}
		}
	}
}
