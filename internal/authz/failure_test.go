package authz

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// broken is a reader that fails where it is told to.
type broken struct {
	state.Reader
	account, membership string // the account whose look-up panics
}

func (b broken) Account(id string) *state.Account {
	if id == b.account {
		panic("the index is damaged")
	}
	return b.Reader.Account(id)
}

func (b broken) Membership(id string) *state.Membership {
	if id == b.membership {
		panic(fmt.Errorf("the organization is damaged"))
	}
	return b.Reader.Membership(id)
}

func load(t testing.TB, text string, kind policy.Kind) *policy.Policy {
	t.Helper()
	p, err := policy.Load(text, kind)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func allows(t testing.TB, kind policy.Kind) *policy.Policy {
	t.Helper()
	text := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	if kind == policy.Resource {
		text = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}`
	}
	return load(t, text, kind)
}

// TestFailures: what goes wrong inside a decision denies, whoever asks and whatever policies say, and somebody hears of it.
func TestFailures(t *testing.T) {
	t.Parallel()
	s := open(t)
	const conditional = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"max"}}}}`
	put(t, s, func(tx *state.Tx) {
		putPolicy(t, tx, "U1", "a", "Allow", "*")
		putPolicy(t, tx, "U2", "a", "Allow", "*")
		putUser(tx, "U3", "max")
		tx.Put(state.AccountUnit(ownAccount), record("U3", "a").WithDocument(load(t, conditional, policy.Identity)))
		lost, at := &state.ManagedPolicy{}, &state.Attachment{}
		lost.Id, lost.Name, lost.Path, lost.DefaultVersion, lost.LastVersion = "ANPALOST", "lost", "/", 2, 2 // and has no version
		at.Owner, at.Policy = "U3", lost.ARN(ownAccount)
		tx.Put(state.AccountUnit(ownAccount), lost)
		tx.Put(state.AccountUnit(ownAccount), at)
		gone := &state.Attachment{}
		gone.Owner, gone.Policy = "U2", "arn:aws:iam::"+ownAccount+":policy/gone"
		tx.Put(state.AccountUnit(ownAccount), gone)
	})
	view := s.View()
	max := state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "U3", Path: "/", Name: "max"}
	const other = "444455556666"
	bucket := Query{Principal: &bob, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: ownAccount}
	with := func(change func(q *Query)) Query {
		q := bucket
		change(&q)
		return q
	}
	for _, c := range []struct {
		name   string
		reader state.Reader
		query  Query
		failed string // part of what is heard; "" = nothing is
		shown  string
	}{
		{"nothing", view, bucket, "", ""},
		{"the caller's account", broken{view, ownAccount, ""}, bucket, "a panic: the index is damaged", "Access Denied"},
		{"the caller's membership", broken{view, "", ownAccount}, bucket, "a panic: the organization is damaged", "Access Denied"},
		{"the owner's membership", broken{view, "", other}, with(func(q *Query) {
			q.Owner, q.ResourcePolicy = other, &policy.Attached{Policy: allows(t, policy.Resource)}
		}), "a panic: the organization is damaged", "Access Denied"},
		{"the owner's membership, for nobody's call", broken{view, "", other}, with(func(q *Query) {
			q.Principal, q.Anonymous, q.Owner, q.ResourcePolicy = nil, true, other, &policy.Attached{Policy: allows(t, policy.Resource)}
		}), "a panic: the organization is damaged", "Access Denied"},
		{"no reader at all", nil, bucket, "a panic: ", "Access Denied"},
		{"a managed policy that is gone", view, with(func(q *Query) { q.Principal = &eve }),
			`the identity-based policy "" (ARN "arn:aws:iam::111122223333:policy/gone", owner "") is not there or cannot be read`,
			`User: arn:aws:iam::111122223333:user/eve is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::b/k" because no identity-based policy allows the s3:GetObject action`},
		{"a managed policy without its version, beside one with conditions", view, with(func(q *Query) { q.Principal = &max }),
			`the identity-based policy "lost" (ARN "arn:aws:iam::111122223333:policy/lost", owner "") is not there or cannot be read`, ""},
		{"a level that cannot be read", view, with(func(q *Query) { q.SCP = []*policy.Set{policy.NewSet(nil)} }), "a service control policy is not there", ""},
		{"a level of another kind", view, with(func(q *Query) {
			q.RCP = []*policy.Set{policy.NewSet(&policy.Attached{Policy: allows(t, policy.Identity)})}
		}), "a policy stands where policies of its kind cannot", ""},
		{"the resource's policy", view, with(func(q *Query) { q.ResourcePolicy = &policy.Attached{Name: "x"} }), `the resource's policy "x"`, ""},
		{"the endpoint's policy", view, with(func(q *Query) { q.Endpoint = &policy.Attached{Name: "x"} }), `the endpoint policy "x"`, ""},
		{"a session policy that is none, beside one with conditions", view, with(func(q *Query) {
			q.SessionPolicies = []*policy.Attached{nil, {Policy: load(t, conditional, policy.Session)}}
		}), "a session policy is not there", ""},
		{"the endpoint's policy, behind a resource's that can be read", view, with(func(q *Query) {
			q.ResourcePolicy, q.Endpoint = &policy.Attached{Policy: allows(t, policy.Resource)}, &policy.Attached{Name: "x"}
		}), `the endpoint policy "x"`, ""},
		{"another kind than a resource's", view, with(func(q *Query) {
			q.ResourcePolicy = &policy.Attached{Policy: allows(t, policy.Identity), Name: "x"}
		}), "a policy stands where policies of its kind cannot", ""},
		{"another kind than an endpoint's", view, with(func(q *Query) {
			q.Endpoint = &policy.Attached{Policy: allows(t, policy.Identity), Name: "x"}
		}), "a policy stands where policies of its kind cannot", ""},
		{"a session policy", view, with(func(q *Query) { q.SessionPolicies = []*policy.Attached{{Name: "x"}} }), `the session policy "x"`, ""},
		// Nothing is asked of policies:
		{"a call without permissions", view, with(func(q *Query) { q.Principal, q.Action, q.Resource = &eve, "sts:GetCallerIdentity", "*" }), "", ""},
		// The fault of who asks, and nothing to repair here:
		{"no action", view, with(func(q *Query) { q.Action = "s3" }), "", "denied"},
		{"a context without bounds", view, with(func(q *Query) { q.Context = make([]policy.Entry, policy.MaxContext+1) }), "", "denied"},
		{"a principal that is gone", view, with(func(q *Query) {
			q.Principal = &state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "U9", Name: "x"}
		}), "", "denied"},
		{"nobody", view, with(func(q *Query) { q.Principal = nil }), "", "denied"},
		{"two callers", view, with(func(q *Query) { q.Anonymous = true }), "", "denied"},
	} {
		z := New(nil)
		var heard []*Failure
		z.Alarm = func(f *Failure) { heard = append(heard, f) }
		for range 2 {
			a := z.Ask(c.reader, &c.query)
			if allowed := a.Decision.Effect == policy.Allow; allowed != (c.failed == "" && c.shown == "") || allowed != (a.Denial == nil) {
				t.Errorf("%s: %+v", c.name, a)
			}
			if a.Denial != nil && c.shown != "" && c.shown != "denied" && a.Denial.Error() != c.shown {
				t.Errorf("%s:\n got %s\nwant %s", c.name, a.Denial, c.shown)
			}
		}
		if c.failed == "" {
			if len(heard) > 0 {
				t.Errorf("%s: an alarm: %v", c.name, heard[0])
			}
			continue
		}
		if len(heard) != 2 || heard[0].Again || !heard[1].Again {
			t.Errorf("%s: heard %d times: %+v; want twice, the second time as something that is known", c.name, len(heard), heard)
			continue
		}
		if f := heard[0]; !strings.Contains(f.Error(), c.failed) || f.Action != c.query.Action || strings.HasPrefix(c.failed, "a panic") != (f.Stack != nil) {
			t.Errorf("%s: %v (stack: %t); want %s", c.name, f, f.Stack != nil, c.failed)
		}
		if f := heard[0]; !errors.Is(f, f.Err) {
			t.Errorf("%s: the cause is not to be found in %v", c.name, f)
		}
		New(nil).Ask(c.reader, &c.query) // without anybody to tell
	}
}

// TestFailuresAreToldAgainWhenTheyComeBack: a fault that was repaired and is there again is another one.
func TestFailuresAreToldAgainWhenTheyComeBack(t *testing.T) {
	t.Parallel()
	s := open(t)
	z := New(nil)
	var again []bool
	z.Alarm = func(f *Failure) { again = append(again, f.Again) }
	gone := &state.Attachment{}
	gone.Owner, gone.Policy = "U1", "arn:aws:iam::"+ownAccount+":policy/gone"
	for range 2 {
		put(t, s, func(tx *state.Tx) { tx.Put(state.AccountUnit(ownAccount), gone) })
		ask(z, s.View(), bob)
		ask(z, s.View(), bob)
		put(t, s, func(tx *state.Tx) { tx.Delete(state.AccountUnit(ownAccount), gone) })
		ask(z, s.View(), bob)
	}
	if want := []bool{false, true, false, true}; !slices.Equal(again, want) {
		t.Errorf("heard %v; want %v", again, want)
	}
	for i := range 3 * maxTold { // what is known of failures is bounded
		z.failures.again(fmt.Sprint(i))
		if n := len(z.failures.told); n > maxTold {
			t.Fatalf("%d failures are remembered", n)
		}
	}
	var f failures
	if f.again("one") || f.again("two") || !f.again("one") || !f.again("two") {
		t.Error("of two failures one is forgotten")
	}
}

// TestDamagedOrganization: where an account's place cannot be told, its principals may nothing, and somebody hears of it.
func TestDamagedOrganization(t *testing.T) {
	t.Parallel()
	s := open(t)
	put(t, s, func(tx *state.Tx) { putPolicy(t, tx, "U1", "a", "Allow", "*") })
	o := &statetest.Organization{ID: "o-1", Management: "999900009999", Root: "r-1", Accounts: map[string]string{ownAccount: "ou-gone"}}
	o.Put(t, s)
	z := New(nil)
	heard := 0
	z.Alarm = func(*Failure) { heard++ }
	if got := ask(z, s.View(), bob); got == allowed || heard != 1 {
		t.Errorf("%q, heard %d times", got, heard)
	}
}
