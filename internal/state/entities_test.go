package state

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const trustText = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}]}`

// compiled panics on an error: it also runs in transactions, which a test must not leave in another way.
func compiled(text string, kind policy.Kind) *policy.Policy {
	p, err := policy.Load(text, kind)
	if err != nil {
		panic(err)
	}
	return p
}

func newPolicyVersion(policyID string, number uint32, n int) *PolicyVersion {
	v := &PolicyVersion{Compiled: compiled(policyText(n), policy.Managed)}
	v.Policy, v.Number, v.Document = policyID, number, v.Compiled.Text()
	return v
}

func newAttachment(owner, policyARN string, boundary bool, seq int) *Attachment {
	t := &Attachment{}
	t.Owner, t.Policy, t.Boundary, t.Seq = owner, policyARN, boundary, uint32(seq)
	return t
}

// pick is one of the records, nil if there are none.
func pick[T any](rnd *rand.Rand, records []*T) *T {
	if len(records) == 0 {
		return nil
	}
	return records[rnd.IntN(len(records))]
}

// entityStep does one random change to groups, roles, policies and what connects them. It is given what is there by the transaction, so
// it may run twice.
func entityStep(rnd *rand.Rand, id string) func(*Tx) error {
	seed := rnd.Uint64()
	return func(tx *Tx) error {
		rnd := rand.New(rand.NewPCG(seed, 1))
		a := tx.Account(id)
		unit, n := a.Unit(), rnd.IntN(5)
		user, group, role := pick(rnd, slices.Collect(a.Users(""))), pick(rnd, slices.Collect(a.Groups(""))), pick(rnd, slices.Collect(a.Roles("")))
		managed := pick(rnd, slices.Collect(a.ManagedPolicies("")))
		owner := "AGPAGONE"
		switch {
		case n < 2 && user != nil:
			owner = user.Id
		case n < 3 && role != nil:
			owner = role.Id
		case group != nil:
			owner = group.Id
		}
		kind := rnd.IntN(13)
		switch {
		case kind == 0:
			g := &Group{}
			g.Id, g.Name, g.Path = tx.IDs().UniqueID(keyring.GroupPrefix, id), fmt.Sprint("Group", rnd.IntN(8)), "/"
			if a.GroupByName(g.Name) == nil {
				tx.Put(unit, g)
			}
		case kind == 1:
			r := &Role{}
			r.Id, r.Name, r.Path = tx.IDs().UniqueID(keyring.RolePrefix, id), fmt.Sprint("role", rnd.IntN(8)), "/x/"
			r.SetTrust(compiled(trustText, policy.Trust))
			if a.RoleByName(strings.ToUpper(r.Name)) == nil {
				tx.Put(unit, r)
			}
		case kind == 2:
			p := &ManagedPolicy{}
			p.Id, p.Name, p.Path, p.DefaultVersion, p.LastVersion = tx.IDs().UniqueID(keyring.PolicyPrefix, id), fmt.Sprint("policy", rnd.IntN(8)), "/", 1, 1
			if a.ManagedPolicyByName(p.Name) == nil {
				tx.Put(unit, p)
				tx.Put(unit, newPolicyVersion(p.Id, 1, n))
			}
		case kind == 3 && managed != nil:
			c := managed.Clone()
			c.LastVersion++
			c.DefaultVersion = c.LastVersion
			tx.Put(unit, c)
			tx.Put(unit, newPolicyVersion(c.Id, c.LastVersion, n))
		case kind == 4 && managed != nil:
			for v := range a.PolicyVersions(managed.Id) {
				if v.Number != managed.DefaultVersion {
					tx.Delete(unit, v)
					break
				}
			}
		case kind == 5 && managed != nil || kind == 6 && managed != nil:
			tx.Put(unit, newAttachment(owner, managed.ARN(id), kind == 6, rnd.IntN(20)))
		case kind == 7:
			for _, at := range slices.Collect(a.Attachments(owner)) {
				tx.Delete(unit, at)
				break
			}
			if b := a.Boundary(owner); b != nil && n == 0 {
				tx.Delete(unit, b)
			}
		case kind == 8 && user != nil && group != nil:
			tx.Put(unit, NewMember(user.Id, group.Id))
		case kind == 9 && user != nil && group != nil:
			tx.Delete(unit, NewMember(user.Id, group.Id))
		case kind == 10 && group != nil:
			c := group.Clone()
			c.Name, c.Path = fmt.Sprint("GROUP", rnd.IntN(20)), "/p/"
			if a.GroupByName(c.Name) == nil {
				tx.Put(unit, c)
			}
		case kind == 11 && role != nil:
			c := role.Clone()
			c.Tags = append(c.Tags, &statepb.Tag{Key: fmt.Sprint("k", n), Value: "v"})
			c.Description = new("")
			tx.Put(unit, c)
		case kind == 12 && group != nil && n == 0: // with everything that hangs on it
			all := []Record{group}
			for u := range a.UsersIn(group.Id) {
				all = append(all, NewMember(u.Id, group.Id))
			}
			for at := range a.Attachments(group.Id) {
				all = append(all, at)
			}
			for _, r := range all {
				tx.Delete(unit, r)
			}
		}
		return nil
	}
}

// checkLists compares every list that goes by an order with a walk over all records.
func checkLists(t *testing.T, v *View, id string) {
	t.Helper()
	a := v.Account(id)
	var members []*Member
	for m := range at[Member](&a.tables, memberTable).byKey.all() {
		members = append(members, m)
	}
	var attachments []*Attachment
	for x := range at[Attachment](&a.tables, attachmentTable).byKey.all() {
		attachments = append(attachments, x)
	}
	same := func(what string, got, want []string) {
		t.Helper()
		slices.Sort(want)
		sorted := slices.Sorted(slices.Values(got))
		if !slices.Equal(sorted, want) {
			t.Errorf("%s: %q; want %q", what, got, want)
		}
	}
	owners := []string{}
	for u := range a.Users("") {
		owners = append(owners, u.Id)
		if strings.HasSuffix(u.Path, "/") && a.UserByARN(u.ARN(id)) != u || a.UserByARN(strings.ToUpper(u.ARN(id))) != nil || a.UserByARN(u.Name) != nil || a.UserByARN("") != nil {
			t.Errorf("%s is not found by its ARN, or by another", u.Name)
		}
		var got, want []string
		for g := range a.GroupsOf(u.Id) {
			got = append(got, g.Id)
		}
		for _, m := range members {
			if m.User == u.Id && a.Group(m.Group) != nil {
				want = append(want, m.Group)
			}
			if (m.User == u.Id) && !a.IsMember(u.Id, m.Group) {
				t.Errorf("%s is not a member of %s", u.Id, m.Group)
			}
		}
		same("groups of "+u.Id, got, want)
	}
	for g := range a.Groups("") {
		owners = append(owners, g.Id)
		var got, want []string
		for u := range a.UsersIn(g.Id) {
			got = append(got, u.Id)
		}
		for _, m := range members {
			if m.Group == g.Id && a.User(m.User) != nil {
				want = append(want, m.User)
			}
		}
		same("users in "+g.Id, got, want)
		if a.GroupByName(strings.ToLower(g.Name)) != g || a.Group(g.Id) != g {
			t.Errorf("%s is not found", g.Name)
		}
	}
	for r := range a.Roles("") {
		owners = append(owners, r.Id)
		if a.RoleByARN(r.ARN(id)) != r || a.RoleByARN(strings.ToUpper(r.ARN(id))) != nil || a.RoleByARN(r.Name) != nil || a.RoleByARN("") != nil {
			t.Errorf("%s is not found by its ARN, or by another", r.Name)
		}
		if a.RoleByName(strings.ToUpper(r.Name)) != r {
			t.Errorf("%s is not found", r.Name)
		}
	}
	for _, o := range owners {
		var got, want []string
		last := uint32(0)
		for x := range a.Attachments(o) {
			if x.Seq < last {
				t.Errorf("%s: attachments out of order", o)
			}
			last = x.Seq
			got = append(got, x.Policy)
		}
		boundary := ""
		for _, x := range attachments {
			switch {
			case x.Owner != o:
			case x.Boundary:
				boundary = x.Policy
			default:
				want = append(want, x.Policy)
				if a.Attachment(o, x.Policy) != x {
					t.Errorf("%s: the attachment of %s is not found", o, x.Policy)
				}
			}
		}
		same("attachments of "+o, got, want)
		if b := a.Boundary(o); (b == nil) != (boundary == "") || b != nil && b.Policy != boundary {
			t.Errorf("%s: boundary %v; want %q", o, b, boundary)
		}
	}
	for p := range a.ManagedPolicies("") {
		if a.ManagedPolicyByARN(p.ARN(id)) != p || a.ManagedPolicyByARN(strings.ToUpper(p.ARN(id))) != nil || a.ManagedPolicyByARN(p.Name) != nil {
			t.Errorf("%s is not found by its ARN, or by another", p.Name)
		}
		if v := a.PolicyVersion(p.Id, p.DefaultVersion); v == nil || v.ID() != fmt.Sprint("v", p.DefaultVersion) {
			t.Errorf("%s has no default version", p.Name)
		}
		last := ^uint32(0)
		for v := range a.PolicyVersions(p.Id) {
			if v.Number >= last || a.PolicyVersion(p.Id, v.Number) != v {
				t.Errorf("%s: version %d after %d", p.Name, v.Number, last)
			}
			last = v.Number
		}
		for _, boundary := range []bool{false, true} {
			var got, want []string
			for x := range a.AttachmentsOf(p.ARN(id), boundary) {
				got = append(got, x.Owner)
			}
			for _, x := range attachments {
				if x.Policy == p.ARN(id) && x.Boundary == boundary {
					want = append(want, x.Owner)
				}
			}
			same(fmt.Sprintf("attachments of %s, boundary %t", p.Name, boundary), got, want)
		}
	}
}

// TestEpochOfEntities: whatever can change a decision moves the epoch, a new group, role or policy without members or attachments does not.
func TestEpochOfEntities(t *testing.T) {
	t.Parallel()
	s := openStore(t, memory.New(memory.Options{}))
	s.account(t, acme)
	unit := AccountUnit(acme)
	g, r, p := &Group{}, &Role{}, &ManagedPolicy{}
	g.Id, g.Name, r.Id, r.Name, p.Id, p.Name = "AGPA1", "g", "AROA1", "r", "ANPA1", "p"
	r.SetTrust(compiled(trustText, policy.Trust))
	tagged := r.Clone()
	tagged.Tags = []*statepb.Tag{{Key: "k", Value: "v"}}
	versioned := p.Clone()
	versioned.DefaultVersion = 2
	for _, c := range []struct {
		what  string
		put   Record
		moves bool
	}{
		{"a new group", g, false},
		{"a new role", r, false},
		{"a new policy", p, false},
		{"a version", newPolicyVersion(p.Id, 1, 1), true},
		{"another default version", versioned, true},
		{"a member", NewMember("AIDA1", g.Id), true},
		{"an attachment", newAttachment(g.Id, "arn:aws:iam::"+acme+":policy/p", false, 1), true},
		{"a boundary", newAttachment(r.Id, "arn:aws:iam::"+acme+":policy/p", true, 1), true},
		{"a role's tags", tagged, true},
		{"a group's path", g.Clone(), true},
	} {
		before := s.View().Account(acme).Epoch
		s.update(t, func(tx *Tx) error { tx.Put(unit, c.put); return nil }, unit)
		if after := s.View().Account(acme).Epoch; (after != before) != c.moves {
			t.Errorf("%s: the epoch went from %d to %d", c.what, before, after)
		}
	}
	for _, r := range []Record{NewMember("AIDA1", g.Id), newAttachment(g.Id, "arn:aws:iam::"+acme+":policy/p", false, 1), r} {
		before := s.View().Account(acme).Epoch
		s.update(t, func(tx *Tx) error { tx.Delete(unit, r); return nil }, unit)
		if after := s.View().Account(acme).Epoch; after == before {
			t.Errorf("deleting %T left the epoch at %d", r, after)
		}
	}
}
