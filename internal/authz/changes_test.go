package authz

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// changer changes everything that permissions come from, one commit at a time.
type changer struct {
	*world
	rnd      *rand.Rand
	versions uint32
}

const (
	groupID  = "AGPAGROUP"
	secondID = "AGPASECOND"
)

func newChanger(t *testing.T, seed uint64) *changer {
	w := newWorld(t)
	for _, id := range []string{groupID, secondID} {
		g := &state.Group{}
		g.Id, g.Name, g.Path = id, "g"+id, "/"
		w.put(accountA, g)
	}
	w.attach(groupID, "managed", document(statement("Allow", "s3:*", "*")), false)
	w.attach(appID, "bound", document(statement("Allow", "*", "*")), true)
	w.organize(statetest.SCP(t, "p-1", "P1", document(statement("Allow", "*", "*"))))
	return &changer{world: w, rnd: rand.New(rand.NewPCG(seed, 0)), versions: 1}
}

// some is a document that decides some of the actions that are asked about.
func (c *changer) some() string {
	actions := []string{"s3:GetObject", "s3:Put*", "s3:*", "sqs:*", "*"}
	pick := func() string { return actions[c.rnd.IntN(len(actions))] }
	statements := []string{statement("Allow", pick(), "*")}
	switch c.rnd.IntN(4) {
	case 0:
		statements = append(statements, statement("Deny", pick(), "*"))
	case 1:
		statements = append(statements, `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"blue"}}}`)
	}
	return document(statements...)
}

// in changes a unit: with removes says how often the record goes instead of coming.
func (c *changer) in(unit string, r state.Record, removes float64) {
	gone := c.rnd.Float64() < removes
	err := c.store.Update(c.t.Context(), []string{unit}, func(tx *state.Tx) error {
		if gone {
			tx.Delete(unit, r)
		} else {
			tx.Put(unit, r)
		}
		return nil
	})
	if err != nil {
		c.t.Error(err)
	}
}

func (c *changer) change() {
	account, org := state.AccountUnit(accountA), state.OrganizationUnit("o-1")
	one := func(ids ...string) string { return ids[c.rnd.IntN(len(ids))] }
	switch c.rnd.IntN(9) {
	case 0:
		c.in(account, record(one(aliceID, appID, groupID), one("p", "q")).WithDocument(c.load(c.some(), policy.Identity)), .4)
	case 1:
		at := &state.Attachment{}
		at.Owner, at.Policy = one(aliceID, groupID, secondID), "arn:aws:iam::"+accountA+":policy/managed"
		c.in(account, at, .5)
	case 2:
		at := &state.Attachment{}
		at.Owner, at.Policy, at.Boundary = one(aliceID, appID), "arn:aws:iam::"+accountA+":policy/bound", true
		c.in(account, at, .5)
	case 3:
		c.in(account, state.NewMember(aliceID, one(groupID, secondID)), .5)
	case 4:
		c.version(one("managed", "bound"))
	case 5:
		u := &state.User{}
		u.Id, u.Name, u.Path = aliceID, "alice", "/"
		u.Tags = []*statepb.Tag{{Key: "team", Value: one("red", "blue")}}
		c.in(account, u, 0)
	case 6:
		c.in(org, statetest.SCP(c.t, "p-1", "P1", c.some()), 0)
	case 7:
		c.in(org, state.NewOrganizationAttachment(one("r-1", "ou-1", accountA), one("p-1", fullSCP), uint32(c.rnd.IntN(5)+1)), .4)
	case 8:
		c.in(org, state.NewOrganizationAccount(accountA, one("r-1", "ou-1")), 0)
	}
}

// version gives a managed policy another version, which is its default at once.
func (c *changer) version(of string) {
	c.versions++
	text := c.some()
	v := &state.PolicyVersion{Compiled: c.load(text, policy.Managed)}
	v.Policy, v.Number, v.Document = "ANPA"+of, c.versions, text
	p := &state.ManagedPolicy{}
	p.Id, p.Name, p.Path, p.DefaultVersion, p.LastVersion = v.Policy, of, "/", c.versions, c.versions
	c.put(accountA, v, p)
}

// asked is one question about one revision.
type asked struct {
	rev   storage.Rev
	query int
}

// answered is all that an answer says.
type answered struct {
	effect    policy.Effect
	layer     policy.Layer
	level     int
	policy    string
	text      string // of the policy
	statement int
	message   string
}

func answeredAs(a Answer) answered {
	d := a.Decision
	out := answered{effect: d.Effect, layer: d.Layer, level: d.Level, statement: d.Statement}
	if d.Policy != nil {
		out.policy, out.text = d.Policy.ARN+" "+d.Policy.Name+" "+d.Policy.Owner, d.Policy.Policy.Text()
	}
	if a.Denial != nil {
		out.message = a.Denial.Error()
	}
	return out
}

// TestAnswersOfChangingStates: while groups, versions, boundaries, attachments, tags, SCPs and the organization's tree change, readers that share
// an authorizer see no answer but the one that the state they read gives to an authorizer that never saw another.
func TestAnswersOfChangingStates(t *testing.T) {
	t.Parallel()
	const readers, changes = 8, 150
	c := newChanger(t, 1)
	limit := c.load(document(statement("Allow", "s3:*", "*")), policy.Session)
	temporary := func(kind state.PrincipalKind, key string) *session.Session {
		s := &session.Session{Claims: session.Claims{Kind: kind, Account: accountA, AccessKeyID: key}}
		if kind != state.IAMUser {
			s.Policy, s.Inline = limit.Text(), limit
			s.PolicyARNs = []string{"arn:aws:iam::" + accountA + ":policy/managed"}
		}
		return s
	}
	federated := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"}
	var queries []Query
	for _, who := range []Query{
		{Principal: alice(accountA)},
		{Principal: alice(accountA), Session: temporary(state.IAMUser, "ASIAUSER")},
		{Principal: app(accountA), Session: &session.Session{Claims: session.Claims{AccessKeyID: "ASIAROLE"}}},
		{Principal: app(accountA), Session: temporary(state.RoleSession, "ASIALIMITED")},
		{Principal: federated, Session: temporary(state.FederatedUser, "ASIAFED")},
		{Principal: rootOf(accountA)},
	} {
		for _, action := range []string{"s3:GetObject", "s3:PutObject", "sqs:SendMessage"} {
			who.Action, who.Resource, who.Owner = action, "arn:aws:s3:::b/k", accountA
			queries = append(queries, who)
		}
	}

	var (
		views   sync.Map // revision → *state.View
		ended   atomic.Bool
		decided atomic.Uint64 // the last revision that somebody decided with
		running sync.WaitGroup
		seen    [readers]map[asked]answered
	)
	for i := range readers {
		seen[i] = map[asked]answered{}
		running.Go(func() {
			for rnd := rand.New(rand.NewPCG(uint64(i), 1)); !ended.Load(); {
				v := c.store.View()
				views.LoadOrStore(v.Rev(), v)
				for range 4 {
					n := rnd.IntN(len(queries))
					got := answeredAs(c.z.Ask(v, &queries[n]))
					at := asked{v.Rev(), n}
					if before, ok := seen[i][at]; ok && before != got {
						t.Errorf("revision %d, query %d:\n was %+v\n now %+v", at.rev, n, before, got)
						return
					}
					seen[i][at] = got
				}
				if rev := uint64(v.Rev()); rev > decided.Load() {
					decided.Store(rev)
				}
				runtime.Gosched() // the writer has one processor of many, and they may be few
			}
		})
	}
	for i := range changes {
		c.change()
		for i%3 > 0 && decided.Load() < uint64(c.store.View().Rev()) && !t.Failed() { // most states are decided with, not all
			runtime.Gosched()
		}
	}
	ended.Store(true)
	running.Wait()

	want := map[asked]answered{}
	kinds := map[answered]bool{}
	for i := range seen {
		for at, got := range seen[i] {
			expected, ok := want[at]
			if !ok {
				v, _ := views.Load(at.rev)
				expected = answeredAs(New(nil).Ask(v.(*state.View), &queries[at.query]))
				want[at] = expected
			}
			if got != expected {
				t.Fatalf("revision %d, %s of %s:\n got %+v\nwant %+v", at.rev, queries[at.query].Action, queries[at.query].Principal.ARN(), got, expected)
			}
			kinds[got] = true
		}
	}
	revisions := 0
	views.Range(func(any, any) bool { revisions++; return true })
	if revisions < changes/2 || len(kinds) < 20 {
		t.Errorf("only %d revisions and %d different answers were seen", revisions, len(kinds))
	}
	t.Logf("%d questions about %d revisions, %d different answers", len(want), revisions, len(kinds))
}
