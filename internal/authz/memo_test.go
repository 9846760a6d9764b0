package authz

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestMemoHolds: for its own state only. An organization changes without the account, which an account joins and leaves without a change of its own.
func TestMemoHolds(t *testing.T) {
	t.Parallel()
	member := func(epoch storage.Rev, organization string) *state.Membership {
		return &state.Membership{Organization: organization, Epoch: epoch}
	}
	one := member(3, "o-1")
	for _, c := range []struct {
		name        string
		then, now   *state.Membership
		epoch       storage.Rev
		want        bool
		transaction bool // now has changes of its own
	}{
		{"no organization", nil, nil, 7, true, false},
		{"another state of the account", nil, nil, 8, false, false},
		{"the same place", one, one, 7, true, false},
		{"the same place, derived again", one, member(3, "o-1"), 7, true, false},
		{"another state of the organization", one, member(4, "o-1"), 7, false, false},
		{"another organization", one, member(3, "o-2"), 7, false, false},
		{"joined", nil, one, 7, false, false},
		{"left", one, nil, 7, false, false},
		{"another state of both", one, member(4, "o-1"), 8, false, false},
		{"a changed organization", one, member(0, "o-1"), 7, false, true},
		{"a changed account", nil, nil, 0, false, true},
		{"a changed account in an organization", one, one, 0, false, true},
	} {
		m := &memo{epoch: 7, member: c.then} // of a root user, who is in every state of an account
		now := &state.Account{Epoch: c.epoch}
		if got := m.holds(now, c.now, 0); got != c.want {
			t.Errorf("%s: holds %t; want %t", c.name, got, c.want)
		}
		if got := lasting(now, c.now); got == c.transaction {
			t.Errorf("%s: can be known again: %t", c.name, got)
		}
	}
}

// TestMemoIsOfARevision: what was seen to hold in a revision needs no look-up there, and its user is there in all later ones of the same epoch.
func TestMemoIsOfARevision(t *testing.T) {
	t.Parallel()
	view := people(t).(*state.View)
	a := view.Account(ownAccount)
	z := New(nil)
	bob := Query{Principal: &state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "AIDABOB", Path: "/team/", Name: "bob"}}
	m := z.callerOf(view, &bob)
	if m == nil || !m.current(view.Rev()) || m.current(view.Rev()-1) || m.current(view.Rev()+1) || (&memo{}).current(0) {
		t.Fatalf("what was gathered from revision %d is %+v", view.Rev(), m)
	}
	gone := &state.User{}
	gone.Id = "AIDABOB" // made again
	for _, c := range []struct {
		name      string
		record    any
		seen, rev storage.Rev
		want      bool
	}{
		{"there, an earlier revision", m.record, 9, 8, true},
		{"there, never seen", m.record, 0, 8, true},
		{"a role, never seen", a.Role("AROAAPP"), 0, 8, true},
		{"there, a transaction", m.record, 9, 0, true},
		{"not there, never seen", gone, 0, 8, false},
		{"not there, an earlier revision", gone, 9, 8, false},
		{"not there, a transaction", gone, 9, 0, false},
		{"the same revision", gone, 9, 9, true},
		{"a later revision", gone, 9, 10, true},
		{"a root user", nil, 9, 8, true},
	} {
		m := &memo{epoch: a.Epoch, record: c.record}
		m.seen.Store(int64(c.seen))
		if got := m.holds(a, nil, c.rev); got != c.want {
			t.Errorf("%s: holds %t; want %t", c.name, got, c.want)
		}
	}
	role := &state.Role{}
	role.Id = "AIDABOB" // of a user
	if (&memo{record: role}).inside(a) {
		t.Error("a role that is not there is")
	}

	other := &memo{epoch: a.Epoch + 1}
	other.seen.Store(1)
	if other.holds(a, nil, view.Rev()) {
		t.Error("a memo of another epoch holds")
	}
	m.seen.Store(1)
	if z.callerOf(view, &bob) != m || !m.current(view.Rev()) {
		t.Error("a memo that holds is not known to hold afterwards")
	}
}

// TestNewPrincipals: a new user or role is no new epoch of its account. Whoever reads the state before it learns nothing of it all the same, even where its
// policies were there before it, and nothing of one that a transaction made and gave up.
func TestNewPrincipals(t *testing.T) {
	t.Parallel()
	s := open(t)
	z := New(nil)
	put(t, s, func(tx *state.Tx) {
		putPolicy(t, tx, "U3", "a", "Allow", "*")
		putPolicy(t, tx, "R3", "a", "Allow", "*")
	})
	newRole := func(tx *state.Tx) {
		trust, err := policy.Load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`, policy.Trust)
		if err != nil {
			t.Error(err)
			return
		}
		r := &state.Role{}
		r.Id, r.Name, r.Path = "R3", "new", "/"
		r.SetTrust(trust)
		tx.Put(state.AccountUnit(ownAccount), r)
	}
	user := state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "U3", Path: "/", Name: "new"}
	role := state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: "R3", Path: "/", Name: "new", Session: "s"}
	before := s.View()
	check := func(when string, r state.Reader, want bool) {
		t.Helper()
		for _, p := range []state.Principal{user, role} {
			token := &session.Session{Claims: session.Claims{AccessKeyID: "ASIA" + p.ID}}
			for _, held := range []*session.Session{nil, token} {
				if d := z.Authorize(r, &Subject{Principal: &p, Session: held, Environment: &Environment{}}, "iam:GetUser", &target); (d == nil) != want {
					t.Errorf("%s: %s (a session: %t): allowed %t; want %t", when, p.ID, held != nil, d == nil, want)
				}
			}
		}
	}
	gaveUp := errors.New("given up")
	for range 2 {
		err := s.Update(t.Context(), []string{state.AccountUnit(ownAccount)}, func(tx *state.Tx) error {
			check("before they are made", tx, false)
			putUser(tx, "U3", "new")
			newRole(tx)
			check("in the transaction", tx, true)
			return gaveUp
		})
		if !errors.Is(err, gaveUp) {
			t.Fatal(err)
		}
		check("given up", s.View(), false)
	}
	put(t, s, func(tx *state.Tx) { putUser(tx, "U3", "new"); newRole(tx) })
	if before.Account(ownAccount).Epoch != s.View().Account(ownAccount).Epoch {
		t.Error("a new user is a new epoch: this test shows nothing")
	}
	for range 2 {
		check("made", s.View(), true)
		check("before", before, false)
	}
}

func TestMemoKeys(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", maxKey)
	for _, id := range []string{"A", "AIDAALICE", long[1:], long} {
		if k := newKey(id); !k.is(id) || k.is(id+"x") || k.is(id[1:]) {
			t.Errorf("%q is not itself, or another", id)
		}
	}
	for _, id := range []string{"", long + "k", long + long} {
		if k := newKey(id); k != (key{}) {
			t.Errorf("%q is the key %+v", id, k)
		}
	}
}

// TestWhatIsRemembered: the same principal and the same session in the same state are gathered once.
func TestWhatIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	w.org.Accounts = map[string]string{accountA: "r-1"} // and X is in none
	w.organize()
	token := func(id string) *session.Session { return &session.Session{Claims: session.Claims{AccessKeyID: id}} }
	a, x, role, root := token("ASIAA"), token("ASIAX"), token("ASIAR"), token("ASIAROOT")
	federated := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"}
	for name, c := range map[string]struct {
		query Query
		want  bool
	}{
		"user":                           {Query{Principal: alice(accountA)}, true},
		"user outside":                   {Query{Principal: alice(accountX)}, true},
		"root":                           {Query{Principal: rootOf(accountA)}, true},
		"session of a user":              {Query{Principal: alice(accountA), Session: a}, true},
		"session of a user outside":      {Query{Principal: alice(accountX), Session: x}, true},
		"session of root":                {Query{Principal: rootOf(accountA), Session: root}, true},
		"role":                           {Query{Principal: app(accountA), Session: role}, true},
		"federated":                      {Query{Principal: federated, Session: token("ASIAF")}, true},
		"role without a token":           {Query{Principal: app(accountA)}, false},
		"session without a key":          {Query{Principal: alice(accountA), Session: token("")}, false},
		"session with the asker's limit": {Query{Principal: app(accountA), Session: role, SessionPolicies: w.session(document(statement("Allow", "s3:*", "*")))}, false},
	} {
		z, view := New(nil), w.store.View()
		first := z.callerOf(view, &c.query)
		if again := z.callerOf(view, &c.query); first == nil || (first == again) != c.want {
			t.Errorf("%s: remembered: %t; want %t", name, first == again, c.want)
		}
		rec := &state.AccountRecord{}
		rec.Id = accountM
		w.put(accountM, rec) // another revision, which is the same to the caller
		if again := z.callerOf(w.store.View(), &c.query); (first == again) != c.want {
			t.Errorf("%s: remembered in another revision: %t; want %t", name, first == again, c.want)
		}
	}
}

// TestMemosOfNeighbours: what is remembered of one caller is not another's, even where ids, keys and tokens are equal.
func TestMemosOfNeighbours(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	token := &session.Session{Claims: session.Claims{AccessKeyID: "ASIA1"}}
	named := &session.Session{Claims: session.Claims{AccessKeyID: aliceID, SourceIdentity: "carol"}} // with the key that is a user's id
	limit := document(statement("Allow", "sqs:*", "*"))
	roleCalled := func(name string) *state.Principal {
		p := app(accountA)
		p.Session = name
		return p
	}
	federated := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice"}
	byRoot := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: accountA}
	queries := []Query{
		{Principal: alice(accountA)},
		{Principal: alice(accountA), Session: token},
		{Principal: alice(accountA), Session: named},
		{Principal: alice(accountB)},
		{Principal: alice(accountB), Session: token},
		{Principal: &state.Principal{Kind: state.RoleSession, Account: accountA, ID: linkedID, Path: "/", Name: "linked", Session: "s1"}, Session: token},
		{Principal: federated, Session: token},
		{Principal: byRoot, Session: token},
		{Principal: rootOf(accountA), Session: token},
		{Principal: rootOf(accountA), Session: token, AssumedRoot: true},
		{Principal: roleCalled("s1"), Session: token},
		{Principal: roleCalled("s2"), Session: token},
		{Principal: roleCalled("s1"), Session: token, FederatedProvider: "accounts.google.com"},
		{Principal: roleCalled("s1"), Session: token, SessionPolicies: w.session(limit)},
		{Principal: roleCalled("s1"), Session: &session.Session{Claims: session.Claims{AccessKeyID: "ASIA1", Policy: limit}, Inline: w.load(limit, policy.Session)}},
	}
	view := w.store.View()
	said := func(m *memo) map[string]string {
		out := shown(&keys{entries: m.keys})
		out["name"], out["session"] = m.name, m.sets.Caller.Session
		if m.sets.Session != nil {
			out["limited"] = m.sets.Session.Policies()[0].Policy.Text()
		}
		if m.sets.Caller.Kind == policy.FederatedCaller {
			out["federated"] = ""
		}
		return out
	}
	for i := range queries {
		for j := range queries {
			z := New(nil)
			z.callerOf(view, &queries[i])
			compare(t, strings.Join([]string{queries[j].Principal.ARN(), "after", queries[i].Principal.ARN()}, " "),
				said(z.callerOf(view, &queries[j])), said(New(nil).callerOf(view, &queries[j])))
		}
	}
}

// TestMemosOfOneCommit: accounts that one commit changed have the same epoch, and their principals are told apart all the same.
func TestMemosOfOneCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	units := []string{state.AccountUnit(accountA), state.AccountUnit(accountB)}
	err := w.store.Update(t.Context(), units, func(tx *state.Tx) error {
		for unit, team := range map[string]string{units[0]: "blue", units[1]: "green"} {
			u := &state.User{}
			u.Id, u.Name, u.Path = aliceID, "alice", "/"
			u.Tags = []*statepb.Tag{{Key: "team", Value: team}}
			tx.Put(unit, u)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for account, team := range map[string]string{accountA: "blue", accountB: "green"} {
			m := w.z.callerOf(w.store.View(), &Query{Principal: alice(account)})
			if got := shown(&keys{entries: m.keys})["aws:PrincipalTag/team"]; got != team || m.account != account {
				t.Errorf("%s: team %s of %s; want %s", account, got, m.account, team)
			}
		}
	}
}

// TestMemosOfTransactions: one changed state of a transaction is not taken for another, of its own or of another transaction, with nothing asked between them.
func TestMemosOfTransactions(t *testing.T) {
	t.Parallel()
	s := open(t)
	z := New(nil)
	gaveUp := errors.New("given up")
	for _, effects := range [][]string{{"Allow", "Deny", "Allow"}, {"Deny", "Allow"}} {
		err := s.Update(t.Context(), []string{state.AccountUnit(ownAccount)}, func(tx *state.Tx) error {
			for _, effect := range effects {
				putPolicy(t, tx, "U1", "a", effect, "*")
				want := map[string]string{"Allow": allowed, "Deny": explicit}[effect]
				if got := ask(z, tx, bob); got != want {
					t.Errorf("after %s: %q; want %q", effect, got, want)
				}
			}
			return gaveUp
		})
		if !errors.Is(err, gaveUp) {
			t.Fatal(err)
		}
	}
	if got := ask(z, s.View(), bob); got != implicit {
		t.Errorf("after the transactions: %q", got)
	}
}

// TestMemosWeigh: what a memo holds for itself, so that a shard knows when it is full.
func TestMemosWeigh(t *testing.T) {
	t.Parallel()
	two := document(statement("Allow", "s3:*", "*"), statement("Allow", "sqs:*", "*"))
	w := newWorld(t)
	weight := func(q *Query) int { return New(nil).callerOf(w.store.View(), q).weight }
	bare := weight(&Query{Principal: alice(accountA)})
	keyed := 0
	for _, e := range New(nil).callerOf(w.store.View(), &Query{Principal: alice(accountA)}).keys {
		keyed += 64 + len(e.Key)
	}
	if bare != 512+keyed {
		t.Errorf("a user without policies weighs %d, its keys %d", bare, keyed)
	}
	token := func(c session.Claims) *Query {
		s := &session.Session{Claims: c}
		if c.Policy != "" {
			s.Inline = w.load(c.Policy, policy.Session)
		}
		return &Query{Principal: alice(accountA), Session: s}
	}
	plain := weight(token(session.Claims{}))
	for _, c := range []struct {
		name   string
		claims session.Claims
		more   int
	}{
		{"an inline policy of two statements", session.Claims{Policy: two}, len(two) + 128 + 2*32},
		{"a managed policy of one statement", session.Claims{PolicyARNs: []string{adminARN}}, 128 + 32},
		{"a policy that is gone", session.Claims{PolicyARNs: []string{"arn:aws:iam::aws:policy/Gone"}}, 128},
		{"a tag", session.Claims{Tags: []session.Tag{{Key: "k", Value: "v"}}}, 64 + 64 + len("aws:PrincipalTag/k")},
		{"a time", session.Claims{Issued: time.Unix(1, 0)}, 64 + len("aws:TokenIssueTime")},
	} {
		if got := weight(token(c.claims)) - plain; got != c.more {
			t.Errorf("%s weighs %d; want %d", c.name, got, c.more)
		}
	}
	w.put(accountA, record(aliceID, "p").WithDocument(w.load(two, policy.Identity)))
	w.attach(aliceID, "B", two, true)
	if got := weight(&Query{Principal: alice(accountA)}) - bare; got != 2*(128+2*32) {
		t.Errorf("two policies weigh %d", got)
	}
	if got := weight(token(session.Claims{})); got != plain {
		t.Errorf("a session weighs %d with the policies of its user, %d without", got, plain)
	}
	if e := paths("k", &state.Membership{}); len(e.Values) > 0 {
		t.Errorf("a place that cannot be told is %q", e.Values)
	}
}
