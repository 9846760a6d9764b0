package authz

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func open(t testing.TB) *state.Store {
	t.Helper()
	s := openStore(t)
	put(t, s, func(tx *state.Tx) {
		putUser(tx, "U1", "bob")
		putUser(tx, "U2", "eve")
	})
	return s
}

func putUser(tx *state.Tx, id, name string) {
	u := &state.User{}
	u.Id, u.Name, u.Path = id, name, "/"
	tx.Put(state.AccountUnit(ownAccount), u)
}

func record(id, name string) *state.InlinePolicy {
	p := &state.InlinePolicy{}
	p.Owner, p.Name = id, name
	return p
}

func putPolicy(t testing.TB, tx *state.Tx, id, name, effect, action string) {
	compiled, err := policy.Load(fmt.Sprintf(`{"Statement":{"Effect":%q,"Action":%q,"Resource":"*"}}`, effect, action), policy.Identity)
	if err != nil {
		t.Error(err)
		return
	}
	tx.Put(state.AccountUnit(ownAccount), record(id, name).WithDocument(compiled))
}

var (
	bob      = state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "U1", Path: "/", Name: "bob"}
	eve      = state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "U2", Path: "/", Name: "eve"}
	rootUser = state.Principal{Kind: state.RootUser, Account: ownAccount, ID: ownAccount}
	target   = Target{ARN: "arn:aws:iam::111122223333:user/x"}
)

const (
	allowed  = "allowed"
	implicit = "because no identity-based policy allows the iam:GetUser action"
	explicit = "with an explicit deny in an identity-based policy"
)

func ask(z *Authorizer, r state.Reader, p state.Principal) string {
	d := z.Authorize(r, &Subject{Principal: &p, Environment: &Environment{}}, "iam:GetUser", &target)
	if d == nil {
		return allowed
	}
	return d.Decision.Reason("iam:GetUser")
}

// TestMemo: what is remembered of a principal is never used for another state than the one it was gathered from, whichever is asked first.
func TestMemo(t *testing.T) {
	t.Parallel()
	s := open(t)
	type moment struct {
		view *state.View
		want string
	}
	moments := []moment{{s.View(), implicit}}
	step := func(want string, fn func(*state.Tx)) {
		t.Helper()
		put(t, s, fn)
		moments = append(moments, moment{s.View(), want})
	}
	step(allowed, func(tx *state.Tx) { putPolicy(t, tx, "U1", "a", "Allow", "iam:*") })
	step(allowed, func(tx *state.Tx) { putUser(tx, "U3", "new") }) // changes nobody's permissions
	step(explicit, func(tx *state.Tx) { putPolicy(t, tx, "U1", "b", "Deny", "iam:GetUser") })
	step(allowed, func(tx *state.Tx) { putPolicy(t, tx, "U1", "b", "Deny", "iam:GetRole") })
	step(allowed, func(tx *state.Tx) { putPolicy(t, tx, "U2", "c", "Deny", "*") }) // somebody else's
	step(implicit, func(tx *state.Tx) { tx.Delete(state.AccountUnit(ownAccount), record("U1", "a")) })
	step(allowed, func(tx *state.Tx) { putPolicy(t, tx, "U1", "b", "Allow", "*") })
	step("", func(tx *state.Tx) { // the user goes, and with it what its policies say
		u := &state.User{}
		u.Id = "U1"
		tx.Delete(state.AccountUnit(ownAccount), u)
	})

	fresh := New(nil) // in order, and again
	for range 2 {
		for i, m := range moments {
			if got := ask(fresh, m.view, bob); got != m.want {
				t.Errorf("moment %d: %q; want %q", i, got, m.want)
			}
		}
	}
	for first := range moments { // every pair, in both orders
		for second := range moments {
			z := New(nil)
			for _, i := range []int{first, second, first} {
				if got := ask(z, moments[i].view, bob); got != moments[i].want {
					t.Errorf("moment %d, asked among %d, %d: %q; want %q", i, first, second, got, moments[i].want)
				}
			}
		}
	}
}

// TestMemoInsideTransactions: a transaction is decided by its own writes, and leaves nothing behind when it fails.
func TestMemoInsideTransactions(t *testing.T) {
	t.Parallel()
	s := open(t)
	z := New(nil)
	put(t, s, func(tx *state.Tx) { putPolicy(t, tx, "U1", "a", "Allow", "iam:GetUser") })
	for range 3 {
		if got := ask(z, s.View(), bob); got != allowed {
			t.Errorf("before: %q", got)
		}
		gaveUp := fmt.Errorf("given up")
		err := s.Update(t.Context(), []string{state.AccountUnit(ownAccount)}, func(tx *state.Tx) error {
			if got := ask(z, tx, bob); got != allowed {
				t.Errorf("in the transaction, before it writes: %q", got)
			}
			putPolicy(t, tx, "U1", "b", "Deny", "*")
			if got := ask(z, tx, bob); got != explicit {
				t.Errorf("in the transaction: %q", got)
			}
			if got := ask(z, s.View(), bob); got != allowed {
				t.Errorf("beside the transaction: %q", got)
			}
			putPolicy(t, tx, "U1", "b", "Allow", "*") // nothing that was known of the first write holds
			if got := ask(z, tx, bob); got != allowed {
				t.Errorf("in the transaction, after its second write: %q", got)
			}
			return gaveUp
		})
		if err != gaveUp { //nolint:errorlint // Update gives the very error back
			t.Fatal(err)
		}
		if got := ask(z, s.View(), bob); got != allowed {
			t.Errorf("after the transaction was given up: %q", got)
		}
	}
}

// TestWhoIsUnknownMayNothing: a principal without a record in the reader's state is denied, even one that has what a policy would need.
func TestWhoIsUnknownMayNothing(t *testing.T) {
	t.Parallel()
	s := open(t)
	z := New(nil)
	put(t, s, func(tx *state.Tx) {
		putPolicy(t, tx, "U1", "a", "Allow", "*")
		putPolicy(t, tx, "U9", "a", "Allow", "*") // a policy of no user
	})
	for _, c := range []struct {
		p    state.Principal
		want string
	}{
		{bob, allowed},
		{rootUser, allowed},
		{eve, implicit},
		{state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: "U9", Path: "/", Name: "ghost"}, ""},
		{state.Principal{Kind: state.IAMUser, Account: "444455556666", ID: "U1", Path: "/", Name: "bob"}, ""},
		{state.Principal{Kind: state.RootUser, Account: "444455556666", ID: "444455556666"}, ""},
		{state.Principal{Kind: state.RootUser}, ""},
		{state.Principal{Account: ownAccount, ID: "U1"}, ""},
		{state.Principal{Kind: 99, Account: ownAccount, ID: "U1"}, ""},
		{state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: "U1", Name: "bob", Session: "s1"}, ""}, // whose sets are remembered
		{state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: ""}, ""},
		{state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: ownAccount}, ""},
	} {
		if got := ask(z, s.View(), c.p); got != c.want {
			t.Errorf("%+v: %q; want %q", c.p, got, c.want)
		}
	}
}

// TestRequestsOutsideTheBounds: what cannot be evaluated is denied to users, with the sentence of an implicit denial.
func TestRequestsOutsideTheBounds(t *testing.T) {
	t.Parallel()
	s := open(t)
	z := New(nil)
	put(t, s, func(tx *state.Tx) { putPolicy(t, tx, "U1", "a", "Allow", "*") })
	for _, c := range []struct{ action, resource string }{{"iam", "*"}, {"iam:", "*"}, {":x", "*"}, {"iam:GetUser", ""}, {"iam:Get\xff", "*"}} {
		for _, p := range []state.Principal{bob, rootUser} {
			d := z.Authorize(s.View(), &Subject{Principal: &p, Environment: &Environment{}}, c.action, &Target{ARN: c.resource})
			if d == nil {
				t.Errorf("%s may %q on %q", p.ARN(), c.action, c.resource)
				continue
			}
			want := "User: " + p.ARN() + " is not authorized to perform: " + c.action
			if c.resource != "*" {
				want += " on resource: " + c.resource
			}
			if want += " because no identity-based policy allows the " + c.action + " action"; d.Error() != want {
				t.Errorf("%s; want %s", d.Error(), want)
			}
		}
	}
}

func TestDenialTexts(t *testing.T) {
	t.Parallel()
	const who = "User: arn:aws:iam::111122223333:user/bob is not authorized to perform: s3:GetObject"
	for _, c := range []struct {
		denial Denial
		want   string
	}{
		{Denial{Resource: "arn:aws:s3:::b/k", Decision: policy.Decision{Layer: policy.LayerIdentity}},
			who + " on resource: \"arn:aws:s3:::b/k\" because no identity-based policy allows the s3:GetObject action"},
		{Denial{Resource: "*", Decision: policy.Decision{Layer: policy.LayerIdentity}},
			who + " because no identity-based policy allows the s3:GetObject action"},
		{Denial{Resource: "arn:aws:s3:::b/k", Decision: policy.Decision{Layer: policy.LayerIdentity, Effect: policy.DenyExplicit, Policy: &policy.Attached{Name: "inline"}}},
			who + " on resource: \"arn:aws:s3:::b/k\" with an explicit deny in an identity-based policy"},
		{Denial{Resource: "*", Decision: policy.Decision{Layer: policy.LayerIdentity, Effect: policy.DenyExplicit, Policy: &policy.Attached{ARN: "arn:aws:iam::111122223333:policy/DenyX"}}},
			who + " with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/DenyX"},
		{Denial{Resource: "*"}, who + " because no identity-based policy allows the s3:GetObject action"},
	} {
		c.denial.Principal, c.denial.Action = "arn:aws:iam::111122223333:user/bob", "s3:GetObject"
		if got := c.denial.Error(); got != c.want {
			t.Errorf("\n got %s\nwant %s", got, c.want)
		}
	}
}

// TestManyPrincipals: more principals than are remembered, from many goroutines, while policies change.
func TestManyPrincipals(t *testing.T) {
	t.Parallel()
	s := open(t)
	z := New(nil)
	const users = 2000
	for base := 0; base < users; base += 50 { // a commit holds 100 operations
		put(t, s, func(tx *state.Tx) {
			for i := base; i < base+50; i++ {
				putUser(tx, fmt.Sprintf("M%04d", i), fmt.Sprintf("m%04d", i))
				if i%2 == 0 {
					putPolicy(t, tx, fmt.Sprintf("M%04d", i), "p", "Allow", "*")
				}
			}
		})
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 3 {
				v := s.View()
				for i := range users {
					p := state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: fmt.Sprintf("M%04d", i), Path: "/"}
					want := implicit
					if i%2 == 0 {
						want = allowed
					}
					if got := ask(z, v, p); got != want {
						t.Errorf("user %d: %q; want %q", i, got, want)
						return
					}
				}
			}
		})
	}
	for i := range 20 {
		put(t, s, func(tx *state.Tx) { putPolicy(t, tx, "U1", "p", "Deny", fmt.Sprintf("x:%d", i)) })
	}
	readers.Wait()
}
