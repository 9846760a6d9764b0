package authz

import (
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// The accounts of docs/spec/evaluation.md 13: A and B are members of o-1, M manages it, X is outside.
const (
	accountA = "111111111111"
	accountB = "222222222222"
	accountM = "000000000000"
	accountX = "999999999999"
)

// world is a store with those accounts. In each a user alice, a role p/app and a service-linked role, each with the permissions of identity.
type world struct {
	t     testing.TB
	store *state.Store
	z     *Authorizer
	org   *statetest.Organization
}

// statement is one of a policy of any kind that has no Principal.
func statement(effect, action, resource string) string {
	return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}`
}

func document(statements ...string) string {
	text := `{"Version":"2012-10-17","Statement":[`
	for i, s := range statements {
		if i > 0 {
			text += ","
		}
		text += s
	}
	return text + "]}"
}

// to is a document of a resource's policy.
func to(effect, principal, action string) string {
	return document(`{"Effect":"` + effect + `","Principal":` + principal + `,"Action":"` + action + `","Resource":"*"}`)
}

func (w *world) load(text string, kind policy.Kind) *policy.Policy {
	w.t.Helper()
	p, err := policy.Load(text, kind)
	if err != nil {
		w.t.Fatalf("%v\n%s", err, text)
	}
	return p
}

func (w *world) put(account string, records ...state.Record) {
	w.t.Helper()
	statetest.Update(w.t, w.store, account, func(tx *state.Tx) {
		for _, r := range records {
			tx.Put(state.AccountUnit(account), r)
		}
	})
}

const (
	aliceID  = "AIDAALICE"
	appID    = "AROAAPP"
	linkedID = "AROALINKED"
)

// newWorld makes it; without identity the principals have no policies.
func newWorld(t testing.TB, identity ...string) *world {
	t.Helper()
	w := &world{t: t, store: statetest.Open(t), z: New(nil)}
	trust := w.load(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+accountA+`"},"Action":"sts:AssumeRole"}}`, policy.Trust)
	for _, account := range []string{accountA, accountB, accountM, accountX} {
		rec := &state.AccountRecord{}
		rec.Id = account
		u := &state.User{}
		u.Id, u.Name, u.Path = aliceID, "alice", "/"
		u.Tags = []*statepb.Tag{{Key: "team", Value: "red"}}
		app, linked := &state.Role{}, &state.Role{}
		app.Id, app.Name, app.Path = appID, "app", "/p/"
		linked.Id, linked.Name, linked.Path = linkedID, "linked", product.ServiceLinkedPath+"x.amazonaws.com/"
		app.SetTrust(trust)
		linked.SetTrust(trust)
		w.put(account, rec, u, app, linked)
		for _, text := range identity {
			for _, id := range []string{aliceID, appID, linkedID} {
				w.put(account, record(id, "inline").WithDocument(w.load(text, policy.Identity)))
			}
		}
	}
	w.org = &statetest.Organization{
		ID: "o-1", Management: accountM, Root: "r-1", Units: map[string]string{"ou-1": "r-1"}, Accounts: map[string]string{accountA: "ou-1", accountB: "r-1"},
		Attached: map[string][]string{},
	}
	return w
}

// organize puts the organization, with those policies beside the ones that allow everything, on the root.
func (w *world) organize(policies ...*state.OrganizationPolicy) {
	w.t.Helper()
	attached := []string{fullSCP, fullRCP}
	for _, p := range policies {
		attached = append(attached, p.Id)
	}
	w.org.Policies, w.org.Attached["r-1"] = policies, attached
	w.org.Put(w.t, w.store)
}

func alice(account string) *state.Principal {
	return &state.Principal{Kind: state.IAMUser, Account: account, ID: aliceID, Path: "/", Name: "alice"}
}

func rootOf(account string) *state.Principal {
	return &state.Principal{Kind: state.RootUser, Account: account, ID: account}
}

func app(account string) *state.Principal {
	return &state.Principal{Kind: state.RoleSession, Account: account, ID: appID, Path: "/p/", Name: "app", Session: "s1"}
}

func linked(account string) *state.Principal {
	return &state.Principal{Kind: state.RoleSession, Account: account, ID: linkedID, Path: product.ServiceLinkedPath + "x.amazonaws.com/", Name: "linked", Session: "s1"}
}

// bucketPolicy is a resource's policy.
func (w *world) bucketPolicy(text string) *policy.Attached {
	return &policy.Attached{Policy: w.load(text, policy.Resource), ARN: "arn:aws:s3:::b"}
}

func (w *world) session(text string) []*policy.Attached {
	return []*policy.Attached{{Policy: w.load(text, policy.Session)}}
}

// decide asks, and sees that the decision alone is the same.
func (w *world) decide(q *Query) Answer {
	w.t.Helper()
	a := w.z.Ask(w.store.View(), q)
	if d := w.z.Decide(w.store.View(), q); d != a.Decision {
		w.t.Errorf("%s on %s by %+v: Decide says %+v, Ask %+v", q.Action, q.Resource, q.Principal, d, a.Decision)
	}
	return a
}

// bound gives a user or role of A a permissions boundary; attach a managed policy.
func (w *world) attach(owner, name, text string, boundary bool) {
	w.t.Helper()
	p, v, at := &state.ManagedPolicy{}, &state.PolicyVersion{Compiled: w.load(text, policy.Managed)}, &state.Attachment{}
	p.Id, p.Name, p.Path, p.DefaultVersion, p.LastVersion = "ANPA"+name, name, "/", 1, 1
	v.Policy, v.Number, v.Document = p.Id, 1, text
	at.Owner, at.Policy, at.Boundary = owner, p.ARN(accountA), boundary
	w.put(accountA, p, v, at)
}
