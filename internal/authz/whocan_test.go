package authz

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// TestWhoCanIsBruteForce: of seeded accounts the same principals can by the same ways as if each were asked alone, and about each role.
func TestWhoCanIsBruteForce(t *testing.T) {
	t.Parallel()
	const seeds = 240
	lengths := map[int]int{}
	for seed := range uint64(seeds) {
		e := newEstate(t, seed, 8, 3, 7, false)
		for range 2 {
			e.compare(seed, e.inquiry(), lengths)
		}
	}
	t.Log("principals by the length of their ways:", lengths)
	for length, least := range []int{500, 500, 150, 50, 20} { // none, by oneself, by one role, by two, by three
		if lengths[length] < least {
			t.Errorf("%d principals have a way of length %d, not %d: the accounts show too little", lengths[length], length, least)
		}
	}
}

// TestWhoCanOfLargeAccount is the same with more users than are asked between two looks at the bounds.
func TestWhoCanOfLargeAccount(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it asks some ten thousand questions")
	}
	e := newEstate(t, 2, 1940, 10, 60, true)
	open := e.roles[0].Clone() // to who has a policy for it
	open.SetTrust(e.load(trusts(`{"AWS":"`+ownAccount+`"}`), policy.Trust))
	e.roles[0] = open
	put(t, e.store, func(tx *state.Tx) {
		tx.Put(state.AccountUnit(ownAccount), open)
		tx.Put(state.AccountUnit(ownAccount), record(open.Id, "s3").WithDocument(e.load(document(statement("Allow", "s3:*", "*")), policy.Identity)))
	})
	q := ordinary()
	q.Max = 10_000
	lengths := map[int]int{}
	e.compare(2, q, lengths)
	t.Log("principals by the length of their ways:", lengths)
	if lengths[0] < 20 || lengths[1] < 100 || lengths[2] < 500 || lengths[4] < 500 {
		t.Errorf("ways of each length: %v; the account shows too little", lengths)
	}
}

// compare compares an answer with brute force.
func (e *estate) compare(seed uint64, q *Inquiry, lengths map[int]int) {
	e.t.Helper()
	view := e.store.View()
	z := New(nil)
	got, err := z.WhoCan(e.t.Context(), view, q)
	if err != nil {
		e.t.Fatal(err)
	}
	people := e.bruteForce(view, q)
	var want []string
	for i := range people {
		lengths[people[i].length]++
		if people[i].length == 0 {
			continue
		}
		line := people[i].arn
		for n := i; people[n].length > 1; {
			n = people[n].next
			line += " > " + people[n].arn
		}
		want = append(want, line)
	}
	var list []string
	for i := range got.List {
		list = append(list, e.line(z, view, q, &got.List[i]))
	}
	if !slices.Equal(list, want) || got.Total != len(want) || got.Asked != len(people) || got.More || got.Partial {
		e.t.Fatalf("seed %d, %s on %s of %q, %+v:\n got %s\nwant %s", seed, q.Check.Action, q.Check.Resource, q.Check.Owner, got, strings.Join(list, "\n     "), strings.Join(want, "\n     "))
	}
	// Now everybody who is listed is remembered.
	if again, err := z.WhoCan(e.t.Context(), view, q); err != nil || !reflect.DeepEqual(again, got) {
		e.t.Errorf("seed %d: asked again: %+v %v; want %+v", seed, again, err, got)
	}
}

// line is a holder with its roles. Its steps must be one behind the other, and rest on what decides them.
func (e *estate) line(z *Authorizer, view *state.View, q *Inquiry, h *Holder) string {
	e.t.Helper()
	line, who := h.ARN, h.ARN
	for i := range h.Steps {
		s := &h.Steps[i]
		check := q.Check
		if i < len(h.Steps)-1 {
			role := e.roleWith(s.Resource)
			if role == nil {
				e.t.Fatalf("%s: there is no role %s", h.ARN, s.Resource)
			}
			line += " > " + s.Resource
			check = hopTo(role, q)
		}
		if s.Principal != who || s.Action != check.Action || s.Resource != check.Resource {
			e.t.Fatalf("%s: step %d is %+v", h.ARN, i, s)
		}
		e.granted(z, view, &check, s)
		who = s.Resource
	}
	return line
}

func (e *estate) roleWith(arn string) *state.Role {
	for _, r := range e.roles {
		if r.ARN(ownAccount) == arn {
			return r
		}
	}
	return nil
}

// granted compares the grants of a step with its decision.
func (e *estate) granted(z *Authorizer, view *state.View, check *Query, s *Step) {
	e.t.Helper()
	a := view.Account(ownAccount)
	name := s.Principal[strings.LastIndexByte(s.Principal, '/')+1:]
	var groups []string
	switch {
	case strings.Contains(s.Principal, ":role/"):
		role := a.RoleByName(name)
		check.Principal = &state.Principal{Kind: state.RoleSession, Account: ownAccount, ID: role.Id, Path: role.Path, Name: role.Name, Session: askedSession}
		check.Session = sessionOf(role)
	case strings.Contains(s.Principal, ":user/"):
		u := a.UserByName(name)
		check.Principal = &state.Principal{Kind: state.IAMUser, Account: ownAccount, ID: u.Id, Path: u.Path, Name: u.Name}
		for g := range a.GroupsOf(u.Id) {
			groups = append(groups, g.ARN(ownAccount))
		}
	default:
		check.Principal = &state.Principal{Kind: state.RootUser, Account: ownAccount, ID: ownAccount}
	}
	d := z.Decide(view, check)
	if d.Effect != policy.Allow || len(s.Grants) == 0 {
		e.t.Fatalf("%+v is decided as %+v", s, d)
	}
	g := s.Grants[0]
	if g.Layer != d.Layer || g.Statement != d.Statement || (g.Policy == nil) != (d.Policy == nil) || g.Policy != nil && (g.Policy.ARN != d.Policy.ARN || g.Policy.Name != d.Policy.Name) {
		e.t.Errorf("%+v: its grant is %+v, its decision %+v", s, g, d)
	}
	switch {
	case g.Policy == nil || g.Layer != policy.LayerIdentity || check.Principal.Kind != state.IAMUser:
		if g.Group != "" {
			e.t.Errorf("%+v by the group %s", s, g.Group)
		}
	case g.Policy.ARN == "" && g.Policy.Owner != s.Principal && g.Policy.Owner != g.Group,
		g.Policy.ARN == "" && g.Policy.Owner == s.Principal && g.Group != "",
		g.Group != "" && !slices.Contains(groups, g.Group),
		g.Policy.ARN != "" && !e.attached(a, check.Principal.ID, g):
		e.t.Errorf("%+v has it from %q, and is in %v", s, g.Group, groups)
	}
	if len(s.Grants) > 1 {
		second := s.Grants[1]
		if len(s.Grants) > 2 || second.Policy == nil || check.ResourcePolicy == nil || second.Policy.Policy != check.ResourcePolicy.Policy || second.Layer == policy.LayerIdentity {
			e.t.Errorf("%+v rests on %+v too", s, s.Grants[1:])
		}
	}
}

// attached says whether the managed policy of the grant is attached to the user, or to the group that the grant names.
func (e *estate) attached(a *state.Account, user string, g Grant) bool {
	owner := user
	if g.Group != "" {
		owner = a.GroupByName(g.Group[strings.LastIndexByte(g.Group, '/')+1:]).Id
	}
	return a.Attachment(owner, g.Policy.ARN) != nil
}

// TestWhoCanPages: pages of any size, put together, are the whole answer, also where who was last is gone.
func TestWhoCanPages(t *testing.T) {
	t.Parallel()
	e := newEstate(t, 3, 30, 2, 9, false)
	q := ordinary()
	z, view := New(nil), e.store.View()
	whole, err := z.WhoCan(t.Context(), view, q)
	if err != nil || len(whole.List) < 8 {
		t.Fatal(whole, err)
	}
	for size := 1; size <= len(whole.List); size++ {
		var list []Holder
		q.Max, q.After = size, nil
		for {
			page, err := z.WhoCan(t.Context(), view, q)
			if err != nil || len(page.List) > size || page.Total != whole.Total {
				t.Fatalf("%+v %v", page, err)
			}
			list = append(list, page.List...)
			if !page.More {
				break
			}
			q.After = &list[len(list)-1].Place
		}
		if got, want := fmt.Sprint(list), fmt.Sprint(whole.List); len(list) != len(whole.List) || len(got) != len(want) {
			t.Errorf("in pages of %d: %d principals; want %d", size, len(list), len(whole.List))
		}
		for i := range list {
			if list[i].ARN != whole.List[i].ARN {
				t.Errorf("in pages of %d, %d: %s; want %s", size, i, list[i].ARN, whole.List[i].ARN)
			}
		}
	}
	for _, c := range []struct {
		after Place
		want  string
	}{
		{Place{state.RootUser, ""}, ":user/"}, {Place{state.IAMUser, "user00003"}, ":user/"}, {Place{state.IAMUser, "zzz"}, ":role/"},
		{Place{state.RoleSession, "aaa"}, ":role/"},
	} {
		q.After, q.Max = &c.after, 1
		page, err := z.WhoCan(t.Context(), view, q)
		if err != nil || len(page.List) != 1 || !strings.Contains(page.List[0].ARN, c.want) || page.List[0].Kind == c.after.Kind && page.List[0].Name <= c.after.Name {
			t.Errorf("behind %+v: %+v %v", c.after, page, err)
		}
	}
	q.After = &Place{state.RoleSession, "zzz"}
	if page, err := z.WhoCan(t.Context(), view, q); err != nil || len(page.List) != 0 || page.More || page.Total != whole.Total {
		t.Errorf("behind everybody: %+v %v", page, err)
	}
}
