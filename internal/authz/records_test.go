package authz

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// scramble changes every byte that an asker still has in its hands, as a server does that uses its memory again.
func scramble(q *Query) {
	for i := range q.Context {
		for j := range q.Context[i].Values {
			q.Context[i].Values[j] = "scrambled"
		}
		q.Context[i] = policy.Entry{Key: "scrambled"}
	}
	for i := range q.Grantees {
		q.Grantees[i] = "scrambled"
	}
	for i := range q.Service {
		q.Service[i] = "scrambled"
	}
	for _, t := range q.ResourceTags {
		t.Key, t.Value = "scrambled", "scrambled"
	}
	if q.Principal != nil {
		*q.Principal = state.Principal{}
	}
}

// TestRecords: a denial can be decided again, with the same outcome, whatever became of the request, its memory and the store.
func TestRecords(t *testing.T) {
	t.Parallel()
	when := func(effect, key, value string) string {
		return `{"Effect":"` + effect + `","Action":"*","Resource":"*","Condition":{"StringEquals":{"` + key + `":"` + value + `"}}}`
	}
	everything := statement("Allow", "*", "*")
	at := time.Unix(1795262400, 0).UTC()
	for _, c := range []struct {
		name     string
		identity string
		query    func(w *world, q *Query)
	}{
		{"implicit", document(statement("Allow", "sqs:*", "*")), nil},
		{"explicit, by what the asker says", document(everything, when("Deny", "s3:prefix", "home")), nil},
		{"explicit, by what the store says", document(everything, when("Deny", "aws:PrincipalTag/team", "red")), nil},
		{"explicit, by the time", document(everything, when("Deny", "aws:EpochTime", "1795262400")), nil},
		{"explicit, by a tag of the resource", document(everything, when("Deny", "aws:ResourceTag/stage", "prod")), nil},
		{"explicit, by the owner", document(everything, when("Deny", "aws:ResourceOrgID", "o-1")), nil},
		{"of a service", "", func(_ *world, q *Query) { q.Principal, q.Service = nil, []string{"x.amazonaws.com"} }},
		{"of a service, by its name", "", func(w *world, q *Query) {
			q.Principal, q.Service = nil, []string{"x.amazonaws.com"}
			q.ResourcePolicy = w.bucketPolicy(to("Deny", `{"Service":"x.amazonaws.com"}`, "*"))
		}},
		{"of another account, by its canonical id", document(everything), func(w *world, q *Query) {
			q.Principal, q.Canonical = alice(accountB), strings.Repeat("ab", 32)
			q.ResourcePolicy = w.bucketPolicy(to("Deny", `{"CanonicalUser":"`+strings.Repeat("ab", 32)+`"}`, "*"))
		}},
		{"by an ACL of others", document(statement("Allow", "sqs:*", "*")), func(_ *world, q *Query) {
			q.Principal, q.Grantees = alice(accountB), []string{policy.AllUsers}
		}},
		{"by SCPs of the asker", document(everything), func(w *world, q *Query) {
			q.SCP = []*policy.Set{policy.NewSet(&policy.Attached{Policy: w.load(document(statement("Deny", "*", "*")), policy.SCP), Name: "asked"})}
		}},
		{"by the resource's policy, and what the asker says", document(everything), func(w *world, q *Query) {
			q.ResourcePolicy = w.bucketPolicy(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"home"}}}}`)
		}},
		{"by an endpoint", document(everything), func(w *world, q *Query) {
			q.Endpoint, q.Gateway = &policy.Attached{Policy: w.load(to("Deny", `"*"`, "*"), policy.Endpoint)}, true
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var identity []string
			if c.identity != "" {
				identity = append(identity, c.identity)
			}
			w := newWorld(t, identity...)
			w.organize()
			q := Query{
				Principal: alice(accountA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: accountA, Time: at,
				Context:      []policy.Entry{single("s3:prefix", "home"), {Key: "aws:TagKeys", Values: []string{"a", "b"}, Multi: true}},
				ResourceTags: []*statepb.Tag{{Key: "stage", Value: "prod"}},
			}
			if c.query != nil {
				c.query(w, &q)
			}
			revision := w.store.View().Rev()
			a := w.decide(&q)
			if a.Denial == nil || a.Denial.Record == nil {
				t.Fatalf("not a denial with its record: %+v", a)
			}
			n := a.Denial.Record
			scramble(&q)
			statetest.Update(t, w.store, accountA, func(tx *state.Tx) {
				u := &state.User{}
				u.Id = aliceID
				tx.Delete(state.AccountUnit(accountA), u)
			})
			for range 20 { // what is pooled is used by others
				w.decide(&Query{
					Principal: app(accountA), Action: "ec2:RunInstances", Resource: "*", Time: at.Add(time.Hour),
					Context: []policy.Entry{single("s3:prefix", "other"), single("aws:UserAgent", "other")},
				})
			}
			if d := policy.Decide(&n.Sets, &n.Request); d != a.Decision {
				t.Errorf("decided again: %+v, at first %+v", d, a.Decision)
			}
			if n.Request.Action != "s3:GetObject" || n.Request.Resource != "arn:aws:s3:::b/k" || n.Request.Owner != accountA || n.Refusal != "" || !n.Asked ||
				n.Time != at || n.Revision != revision {
				t.Errorf("the record says %+v", n)
			}
			if c.name[:2] != "of" && (n.Principal == nil || n.Principal.Name != "alice") {
				t.Errorf("the record is of %+v", n.Principal)
			}
		})
	}
}

// TestRecordsOfOwnChecks: likewise of our own operations, whose trust policies may read other tags than the rest.
func TestRecordsOfOwnChecks(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	at := time.Unix(1795262400, 0)
	trust := w.load(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:*","Condition":{"StringEquals":{"aws:ResourceTag/a":"2"}}}}`, policy.Trust)
	target := Target{
		ARN: "arn:aws:iam::111111111111:role/p/app", Action: "sts:AssumeRole", Tags: []*statepb.Tag{{Key: "a", Value: "1"}},
		TrustTags: []*statepb.Tag{{Key: "a", Value: "2"}}, Trust: &policy.Attached{Policy: trust}, MustTrust: true,
		Keys: []policy.Entry{single("sts:ExternalId", "42")},
	}
	d := w.z.Authorize(w.store.View(), &Subject{Principal: alice(accountA), Environment: &Environment{Time: at, SourceIP: "192.0.2.1"}}, "", &target)
	if d == nil || d.Decision.Effect != policy.DenyExplicit || d.Decision.Layer != policy.LayerTrust {
		t.Fatalf("%+v", d)
	}
	n := d.Record
	if again := policy.Decide(&n.Sets, &n.Request); again != d.Decision || n.Time != at || n.Asked {
		t.Errorf("decided again: %+v, at first %+v; at %v", again, d.Decision, n.Time)
	}
	want := map[string]string{"sts:ExternalId": "42", "aws:SourceIp": "192.0.2.1", "aws:ResourceTag/a": "1", "aws:username": "alice"}
	for _, e := range n.Request.Context {
		if v, ok := want[e.Key]; ok && slices.Equal(e.Values, []string{v}) {
			delete(want, e.Key)
		}
	}
	if len(want) > 0 {
		t.Errorf("the context of the record lacks %v: %v", want, n.Request.Context)
	}
}

// TestRecordsOfRefusals: where no policy was asked, the record says why.
func TestRecordsOfRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t, document(statement("Allow", "*", "*")))
	gone := alice(accountA)
	gone.ID = "AIDAGONE"
	federated := &state.Principal{Kind: state.FederatedUser, Account: accountA, ID: aliceID, Path: "/", Name: "alice", Session: "fed"}
	for _, c := range []struct {
		name string
		q    Query
		r    state.Reader
		want string
	}{
		{"gone", Query{Principal: gone, Action: "s3:GetObject"}, w.store.View(), noPrincipal},
		{"nobody", Query{Action: "s3:GetObject"}, w.store.View(), noPrincipal},
		{"credentials", Query{Principal: federated, Action: "iam:ListUsers"}, w.store.View(), "The security token included in the request is invalid"},
		{"a panic", Query{Principal: alice(accountA), Action: "s3:GetObject"}, broken{w.store.View(), accountA, ""}, notDecided},
	} {
		c.q.Resource, c.q.Owner = "arn:aws:s3:::b/k", accountA
		a := w.z.Ask(c.r, &c.q)
		if a.Denial == nil || a.Denial.Record == nil {
			t.Errorf("%s: %+v", c.name, a)
			continue
		}
		n := a.Denial.Record
		if n.Refusal != c.want || n.Request.Action != c.q.Action || n.Request.Resource != c.q.Resource || n.Sets.Identity != nil ||
			(n.Revision == 0) != (c.want == notDecided) {
			t.Errorf("%s: %+v, want %q", c.name, n, c.want)
		}
	}
}

// denialOf is a denial whose record refers to the sets.
func denialOf(sets ...*policy.Set) *Denial {
	return &Denial{Record: &Record{Sets: policy.Sets{SCP: sets}}}
}

func (z *Authorizer) kept(account string, ids ...string) string {
	out := ""
	for _, id := range ids {
		if z.Kept(account, id) != nil {
			out += id
		}
	}
	return out
}

// balanced checks that what is counted is what is there.
func (z *records) balanced(t *testing.T) {
	t.Helper()
	bytes, number := 0, 0
	for account, s := range z.accounts {
		sets, sum := map[*policy.Set]int{}, 0
		for e := s.order.Front(); e != nil; e = e.Next() {
			k := e.Value.(*kept)
			sum += k.weight
			for _, set := range k.sets {
				sets[set]++
			}
			if z.byID[k.id] != k {
				t.Errorf("%s of %s is not found by its id", k.id, account)
			}
		}
		for set, n := range sets {
			sum += weightOfSet(set)
			if s.sets[set] == nil || s.sets[set].references != n {
				t.Errorf("a set of %s has %d references: %+v", account, n, s.sets[set])
			}
		}
		if len(s.sets) != len(sets) || s.bytes != sum || s.order.Len() == 0 {
			t.Errorf("%s: %d sets, %d bytes, %d denials; counted %d sets, %d bytes", account, len(sets), sum, s.order.Len(), len(s.sets), s.bytes)
		}
		bytes, number = bytes+sum, number+s.order.Len()
	}
	if bytes != z.bytes || number != z.order.Len() || number != len(z.byID) {
		t.Errorf("%d bytes of %d denials; counted %d of %d, %d ids", bytes, number, z.bytes, z.order.Len(), len(z.byID))
	}
}

// TestKeptDenials: by account and id, the newest ones; a busy account drives out its own, and those of others only when all is full.
func TestKeptDenials(t *testing.T) {
	t.Parallel()
	z := New(nil)
	z.records.bounds = bounds{denials: 4, bytes: 1 << 30, ofAccount: 2, bytesOfAccount: 1 << 30}
	d := denialOf()
	for i, step := range []struct {
		account, id string
		a, b, c     string // what is kept afterwards
	}{
		{"A", "1", "1", "", ""},
		{"A", "2", "12", "", ""},
		{"A", "2", "12", "", ""}, // an id that is there
		{"B", "3", "12", "3", ""},
		{"A", "4", "24", "3", ""},
		{"A", "5", "45", "3", ""},
		{"B", "6", "45", "36", ""},
		{"C", "7", "45", "6", "7"}, // the oldest of all
		{"C", "8", "5", "6", "78"},
		{"C", "9", "5", "6", "89"},
	} {
		z.Keep(step.account, step.id, d)
		all := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}
		if a, b, c := z.kept("A", all...), z.kept("B", all...), z.kept("C", all...); a != step.a || b != step.b || c != step.c {
			t.Errorf("step %d: kept %q %q %q, want %q %q %q", i, a, b, c, step.a, step.b, step.c)
		}
		z.records.balanced(t)
	}
	if z.Kept("A", "5") != d || z.Kept("A", "") != nil {
		t.Error("it is not what was kept")
	}
	z.Keep("A", "10", &Denial{})
	if z.Kept("A", "10") != nil {
		t.Error("a denial without its record is kept")
	}
}

// TestKeptBytes: a set counts once for an account, and as long as a denial refers to it.
func TestKeptBytes(t *testing.T) {
	t.Parallel()
	text := document(statement("Allow", "s3:*", strings.Repeat("x", 2000)))
	text = strings.Replace(text, `"xxx`, `"arn:aws:s3:::xxx`, 1)
	load := func() *policy.Set { return policy.NewSet(&policy.Attached{Policy: load(t, text, policy.SCP)}, nil) }
	one, two := load(), load()
	weight := weightOfSet(one)
	if weight < textWeight*len(text) {
		t.Fatalf("a set of %d bytes of text weighs %d", len(text), weight)
	}
	z := New(nil)
	z.records.bounds = bounds{denials: 100, bytes: 6 * weight, ofAccount: 100, bytesOfAccount: 2*weight + 5*denialOf().weight()}
	for i := range 5 {
		z.Keep("A", fmt.Sprint(i), denialOf(one))
	}
	if got := z.kept("A", "0", "1", "2", "3", "4"); got != "01234" {
		t.Errorf("denials with one set: %s are kept", got)
	}
	z.records.balanced(t)
	z.Keep("A", "5", denialOf(one, two)) // one denial too many
	if got := z.kept("A", "0", "1", "2", "3", "4", "5"); got != "12345" {
		t.Errorf("with a second set: %s are kept", got)
	}
	z.records.balanced(t)
	z.Keep("A", "6", denialOf(load())) // has room where the first set is not referred to any more
	if got := z.kept("A", "1", "2", "3", "4", "5", "6"); got != "6" {
		t.Errorf("with a third set: %s are kept", got)
	}
	z.records.balanced(t)
	z.Keep("A", "7", denialOf(load(), load(), load()))
	if got := z.kept("A", "6", "7"); got != "" || z.records.bytes != 0 || len(z.records.accounts) != 0 {
		t.Errorf("one that is larger than the room: %q are kept, %d bytes", got, z.records.bytes)
	}
	z.records.bounds.bytes = 3 * denialOf().weight() // exactly
	for i := range 4 {
		z.Keep(fmt.Sprint("A", i), fmt.Sprint("a", i), denialOf())
		if n := len(z.records.byID); n != min(i+1, 3) {
			t.Errorf("%d denials are kept in room for 3 after %d", n, i+1)
		}
	}
	z = New(nil)
	z.records.bounds = bounds{denials: 100, bytes: 6 * weight, ofAccount: 100, bytesOfAccount: 6 * weight}
	for i := range 8 { // all accounts together
		z.Keep(fmt.Sprint("account", i), fmt.Sprint(i), denialOf(one))
		z.records.balanced(t)
	}
	if n := len(z.records.byID); n != 5 || z.Kept("account3", "3") == nil || z.Kept("account2", "2") != nil {
		t.Errorf("%d accounts have room", n)
	}
}

// TestDenialsWeighTheirParts: what only the question has counts with the denial.
func TestDenialsWeighTheirParts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	base := denialOf().weight()
	resource := w.bucketPolicy(to("Allow", `"*"`, "s3:*"))
	for _, c := range []struct {
		name string
		at   func(*Denial)
		want int
	}{
		{"context", func(d *Denial) { d.Record.Request.Context = []policy.Entry{single("key", "value")} }, entryWeight + 8},
		{"the policy's context", func(d *Denial) {
			d.Record.Request.PolicyContext = []policy.Entry{single("key", "value"), single("k", "")}
		}, 2*entryWeight + 9},
		{"grantees", func(d *Denial) { d.Record.Request.Grantees = []string{"abc"} }, entryWeight + 3},
		{"names", func(d *Denial) { d.Record.Sets.Caller.Names = []string{"abc", "de"} }, 5},
		{"resource", func(d *Denial) { d.Principal, d.Record.Request.Resource = "abc", "de" }, 5},
		{"the resource's policy", func(d *Denial) { d.Record.Request.ResourcePolicy = resource }, policyWeight + textWeight*len(resource.Policy.Text())},
		{"the endpoint's policy", func(d *Denial) { d.Record.Request.Endpoint = &policy.Attached{} }, policyWeight},
	} {
		d := denialOf()
		c.at(d)
		if got := d.weight() - base; got != c.want {
			t.Errorf("%s: %d bytes, want %d", c.name, got, c.want)
		}
	}
}

// TestKeepingTogether: many keep and ask at once.
func TestKeepingTogether(t *testing.T) {
	t.Parallel()
	z := New(nil)
	z.records.bounds = bounds{denials: 50, bytes: 1 << 30, ofAccount: 20, bytesOfAccount: 1 << 30}
	shared := policy.NewSet()
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			account := fmt.Sprint("account", i%3)
			for n := range 300 {
				id := fmt.Sprint(i, "-", n)
				z.Keep(account, id, denialOf(shared))
				if n%7 == 0 {
					z.Kept(account, id)
				}
			}
		})
	}
	all.Wait()
	z.records.balanced(t)
	if n := len(z.records.byID); n != 50 {
		t.Errorf("%d are kept, want 50", n)
	}
}
