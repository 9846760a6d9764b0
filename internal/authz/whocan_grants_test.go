package authz

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statetest"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestGrants: what an allow rests on, with the statement of the resource's policy that reaches furthest where that must allow too.
func TestGrants(t *testing.T) {
	t.Parallel()
	view := holdings(t, []roleIn{{"r", aws(accountX), document(statement("Allow", "ec2:*", "*"), `{"Sid":"Own","Effect":"Allow","Action":"*","Resource":"*"}`)}})
	allow := func(sid, principal, action string) string {
		return `{"Sid":"` + sid + `","Effect":"Allow","Principal":` + principal + `,"Action":"` + action + `","Resource":"*"}`
	}
	deny := strings.Replace(allow("Deny", `"*"`, "s3:Put*"), "Allow", "Deny", 1)
	bucket := &policy.Attached{Name: "bucket", Policy: (&world{t: t}).load(document(deny, allow("Other", `"*"`, "s3:Put*"), allow("Account", aws(ownAccount), "*"),
		allow("Role", aws(roleARN("r")), "*"), allow("Again", aws(roleARN("r")), "*")), policy.Resource)}
	account := &policy.Attached{Name: "bucket", Policy: (&world{t: t}).load(document(deny, allow("Account", aws(ownAccount), "*")), policy.Resource)}
	for _, c := range []struct {
		name  string
		check Query
		want  string
	}{
		{"own", Query{Owner: ownAccount}, "identity 1 Own"},
		{"own, whose policy allows the account too", Query{Owner: ownAccount, ResourcePolicy: account}, "identity 1 Own"},
		{"own, whose policy names the role", Query{Owner: ownAccount, ResourcePolicy: bucket}, "resource 3 Role"},
		{"own, that only its policy opens", Query{Owner: ownAccount, ResourcePolicy: account, NeedsResourcePolicy: true}, "identity 1 Own, resource 1 Account"},
		{"of another account", Query{Owner: accountB, ResourcePolicy: bucket}, "identity 1 Own, resource 3 Role"},
		{"of another account, by ACL", Query{Owner: accountB, Grantees: []string{policy.AllUsers}}, "identity 1 Own, ACL"},
		{"without resource", Query{Resource: "*", Owner: accountB}, "identity 1 Own"},
		{"without owner", Query{}, "identity 1 Own"},
	} {
		q := ordinary()
		resource := c.check.Resource
		c.check.Action, c.check.Time = "s3:GetObject", askedAt
		if c.check.Resource = "arn:aws:s3:::b/k"; resource != "" {
			c.check.Resource = resource
		}
		q.Check = c.check
		_, h := waysOf(t, view, q)
		last := h.List[len(h.List)-1]
		var parts []string
		for _, g := range last.Steps[0].Grants {
			part := g.Layer.String()
			if g.Policy != nil {
				part += fmt.Sprintf(" %d %s", g.Statement, g.Sid)
			}
			parts = append(parts, part)
		}
		if got := strings.Join(parts, ", "); last.Name != "r" || got != c.want {
			t.Errorf("%s: %s: %s; want %s", c.name, last.ARN, got, c.want)
		}
	}
}

// lateContext ends when it was asked so many times.
type lateContext struct {
	context.Context
	left int
}

func (c *lateContext) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// TestWhoCanIsCancelled: at whatever place, that is the answer.
func TestWhoCanIsCancelled(t *testing.T) {
	t.Parallel()
	view := holdings(t, []roleIn{
		{"a", aws(roleARN("b")), document(statement("Allow", "s3:*", "*"))}, {"b", aws(roleARN("c")), ""}, {"c", aws(accountB), ""},
	}, "alice") // fewer than a portion: one goroutine asks them all
	for n := range 1000 {
		h, err := New(nil).WhoCan(&lateContext{t.Context(), n}, view, ordinary())
		if err == nil {
			if n < 3*5 || h.Total != 4 {
				t.Errorf("%d looks, %+v", n, h)
			}
			return
		}
		if !errors.Is(err, context.Canceled) || h != nil {
			t.Fatalf("%d looks: %+v %v", n, h, err)
		}
	}
	t.Error("it looks for ever")
}

// TestHopsAreCounted: and end the search, which says so.
func TestHopsAreCounted(t *testing.T) {
	t.Parallel()
	view := holdings(t, []roleIn{
		{"a", aws(roleARN("b")), document(statement("Allow", "s3:*", "*"))}, {"b", aws(roleARN("c")), ""}, {"c", aws(accountB), ""},
	}, "alice")
	for before, want := range map[int]bool{0: false, maxHops - 2: false, maxHops - 1: true, maxHops: true} {
		w, err := newSearch(New(nil), view, ordinary())
		if err != nil {
			t.Fatal(err)
		}
		if err := w.each(t.Context(), 0, len(w.all), w.directly); err != nil {
			t.Fatal(err)
		}
		w.hops = before
		if err := w.chains(t.Context()); err != nil || w.partial != want || before == 0 && w.hops != 2 {
			t.Errorf("after %d: %v, %d hops, partial %t", before, err, w.hops, w.partial)
		}
	}
	// With one left, what was found is there, and nothing behind it.
	w, _ := newSearch(New(nil), view, ordinary())
	if err := w.each(t.Context(), 0, len(w.all), w.directly); err != nil {
		t.Fatal(err)
	}
	w.hops = maxHops
	if err := w.chains(t.Context()); err != nil || w.all[3].length != 2 || w.all[4].length != 0 || !w.partial {
		t.Errorf("%v, %d %d, partial %t", err, w.all[3].length, w.all[4].length, w.partial)
	}
}

// TestMissingKeysOfOrganizations: those of boundaries, and of the policies above the account and the resource, for the action and for the hops.
func TestMissingKeysOfOrganizations(t *testing.T) {
	t.Parallel()
	where := func(action, key string) string {
		return `{"Effect":"Deny","Action":"` + action + `","Resource":"*","Condition":{"StringEquals":{"` + key + `":"x"}}}`
	}
	toAll := func(action, key string) string {
		return strings.Replace(where(action, key), `"Action"`, `"Principal":"*","Action"`, 1)
	}
	w := newWorld(t, document(statement("Allow", "s3:*", "*"), where("s3:*", "a:identity"), where("sts:*", "a:hopIdentity")))
	w.attach(appID, "bound", document(statement("Allow", "*", "*"), where("s3:*", "a:boundary")), true)
	w.organize(statetest.SCP(t, "p-1", "P1", document(where("s3:*", "a:scp"), where("sts:*", "a:hopSCP"), where("sqs:*", "a:no"))),
		statetest.RCP(t, "p-2", "P2", document(toAll("s3:*", "a:rcp"), toAll("sts:*", "a:hopRCP"), toAll("sqs:*", "a:no"))))
	q := &Inquiry{Account: accountA, Session: "s", Max: 10, Check: Query{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: accountA, Time: askedAt}}
	h, err := w.z.WhoCan(t.Context(), w.store.View(), q)
	if want := []string{"a:boundary", "a:identity", "a:rcp", "a:scp"}; err != nil || !slices.Equal(h.Missing, want) || h.Total != 4 {
		t.Errorf("%+v %v; want %q", h, err, want)
	}
	// One more user, who cannot, but may be about to assume roles.
	u := &state.User{}
	u.Id, u.Name, u.Path = "AIDAZED", "zed", "/"
	w.put(accountA, u, record(u.Id, "p").WithDocument(w.load(document(statement("Allow", "sts:*", "*"), where("sts:*", "a:hopIdentity")), policy.Identity)))
	h, err = w.z.WhoCan(t.Context(), w.store.View(), q)
	if want := []string{"a:boundary", "a:hopIdentity", "a:hopRCP", "a:hopSCP", "a:identity", "a:rcp", "a:scp"}; err != nil || !slices.Equal(h.Missing, want) || h.Total != 5 {
		t.Errorf("%+v %v; want %q", h, err, want)
	}
}

// TestObjection: what the catalogue does not know, for whoever asks before everybody is asked.
func TestObjection(t *testing.T) {
	t.Parallel()
	z := New(catalog.Builtin())
	for action, want := range map[string]string{"s3:GetObject": "", "s3:GetObjekt": "The service s3 has no action GetObjekt. The nearest name is s3:GetObject."} {
		if got := z.Objection(action, "arn:aws:s3:::b/k"); got != want {
			t.Errorf("%s: %q; want %q", action, got, want)
		}
	}
	if got := New(nil).Objection("s3:GetObjekt", "*"); got != "" {
		t.Errorf("without a catalogue: %q", got)
	}
}
