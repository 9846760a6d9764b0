package state

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// member is an account of the tree below; each is in a place of its own.
const (
	inRoot, inA, inB, inC = "100000000001", "100000000002", "100000000003", "100000000004"
	besideC               = "100000000005"
)

// putTree writes o-1: acme is the management account, r-1 has ou-a and ou-c, and ou-a has ou-b. Everything has the AWS managed policies.
func putTree(tx *Tx) {
	unit := OrganizationUnit("o-1")
	tx.Put(unit, organizationRecord(acme, scpType, rcpType))
	for id, parent := range map[string]string{"ou-a": "r-1", "ou-b": "ou-a", "ou-c": "r-1"} {
		tx.Put(unit, organizationalUnit(id, parent))
		attach(tx, id, fullSCP, fullRCP)
	}
	attach(tx, "r-1", fullSCP, fullRCP)
	for id, parent := range map[string]string{acme: "r-1", inRoot: "r-1", inA: "ou-a", inB: "ou-b", inC: "ou-c", besideC: "ou-c"} {
		tx.Put(unit, NewOrganizationAccount(id, parent))
		tx.Put(DirectoryUnit, NewDirectoryMembership(id, "o-1"))
		attach(tx, id, fullSCP, fullRCP)
	}
}

func attach(tx *Tx, target string, policies ...string) {
	for i, p := range policies {
		tx.Put(OrganizationUnit("o-1"), NewOrganizationAttachment(target, p, uint32(i)))
	}
}

func detach(tx *Tx, target string, policies ...string) {
	for _, p := range policies {
		tx.Delete(OrganizationUnit("o-1"), NewOrganizationAttachment(target, p, 0))
	}
}

func openTree(t testing.TB) *following {
	t.Helper()
	s := openStore(t, memory.New(memory.Options{}))
	s.update(t, func(tx *Tx) error { putTree(tx); return nil }, OrganizationUnit("o-1"), DirectoryUnit)
	return s
}

// change does something to the tree.
func (f *following) change(t testing.TB, fn func(tx *Tx)) *View {
	t.Helper()
	f.update(t, func(tx *Tx) error { fn(tx); return nil }, OrganizationUnit("o-1"), DirectoryUnit)
	return f.View()
}

// names are the policies of each level, "!" before those that cannot be read.
func names(chain []*policy.Set) string {
	if chain == nil {
		return "nil"
	}
	var levels []string
	for _, s := range chain {
		level := ""
		for _, a := range s.Policies() {
			level += map[bool]string{true: "!"}[a.Policy == nil] + strings.TrimPrefix(a.Name, "name of ") + " "
		}
		levels = append(levels, strings.TrimSpace(level))
	}
	return strings.Join(levels, "/")
}

// rootCall is what the member's root user gets of the service control policies above it, whoever owns what it asks for.
func rootCall(m *Membership, action string) policy.Decision {
	return policy.Decide(&policy.Sets{Caller: policy.Caller{Kind: policy.RootCaller, Account: inB}, Root: true, SCP: m.SCP}, &policy.Request{
		Action: action, Resource: "arn:aws:s3:::b/k", RCP: m.RCP,
	})
}

// TestMembership puts accounts in all kinds of places.
func TestMembership(t *testing.T) {
	t.Parallel()
	unit := OrganizationUnit("o-1")
	const full, full4 = "FullAWSAccess", "FullAWSAccess/FullAWSAccess/FullAWSAccess/FullAWSAccess"
	const rcp4 = "RCPFullAWSAccess/RCPFullAWSAccess/RCPFullAWSAccess/RCPFullAWSAccess"
	const damaged = "!an organization whose tree is damaged"
	for name, c := range map[string]struct {
		account        string
		change         func(tx *Tx)
		path, scp, rcp string // path "-" = no organization
		effect         policy.Effect
		policy         string // named by the decision
	}{
		"three levels down": {inB, func(*Tx) {}, "o-1/r-1/ou-a/ou-b/", full4, rcp4, policy.Allow, ""},
		"in the root":       {inRoot, func(*Tx) {}, "o-1/r-1/", full + "/" + full, "RCPFullAWSAccess/RCPFullAWSAccess", policy.Allow, ""},
		"management": {acme, func(tx *Tx) {
			tx.Put(unit, organizationPolicy("p-1", scpType, 1))
			attach(tx, "r-1", "p-1")
		}, "o-1/r-1/", "nil", "nil", policy.Allow, ""},
		"management in a unit": {acme, func(tx *Tx) { tx.Put(unit, NewOrganizationAccount(acme, "ou-a")) }, "o-1/r-1/ou-a/", "nil", "nil", policy.Allow, ""},
		"no member":            {hooli, func(*Tx) {}, "-", "", "", 0, ""},
		"left": {inB, func(tx *Tx) {
			tx.Delete(unit, NewOrganizationAccount(inB, ""))
			tx.Delete(DirectoryUnit, NewDirectoryMembership(inB, ""))
		}, "-", "", "", 0, ""},
		"denied in the middle": {inB, func(tx *Tx) {
			tx.Put(unit, organizationPolicy("p-1", scpType, 1))
			attach(tx, "ou-a", fullSCP, "p-1")
		}, "o-1/r-1/ou-a/ou-b/", "FullAWSAccess/FullAWSAccess p-1/FullAWSAccess/FullAWSAccess", rcp4,
			policy.DenyExplicit, "arn:aws:organizations::111111111111:policy/o-1/service_control_policy/p-1"},
		"denied on the account, by resource": {inB, func(tx *Tx) {
			tx.Put(unit, organizationPolicy("p-1", rcpType, 1))
			attach(tx, inB, "p-1", fullRCP)
		}, "o-1/r-1/ou-a/ou-b/", full4, "RCPFullAWSAccess/RCPFullAWSAccess/RCPFullAWSAccess/p-1 RCPFullAWSAccess",
			policy.DenyExplicit, "arn:aws:organizations::111111111111:policy/o-1/resource_control_policy/p-1"},
		"denied elsewhere": {inB, func(tx *Tx) {
			tx.Put(unit, organizationPolicy("p-1", scpType, 1))
			attach(tx, "ou-c", "p-1")
			attach(tx, inA, "p-1")
		}, "o-1/r-1/ou-a/ou-b/", full4, rcp4, policy.Allow, ""},
		"nothing attached in the middle": {inB, func(tx *Tx) { detach(tx, "ou-a", fullSCP) }, "o-1/r-1/ou-a/ou-b/",
			"FullAWSAccess//FullAWSAccess/FullAWSAccess", rcp4, policy.DenyImplicit, ""},
		"nothing attached at all": {inRoot, func(tx *Tx) {
			detach(tx, "r-1", fullSCP, fullRCP)
			detach(tx, inRoot, fullSCP, fullRCP)
		}, "o-1/r-1/", "/", "/", policy.DenyImplicit, ""},
		"neither type enabled": {inB, func(tx *Tx) {
			detach(tx, "r-1", fullSCP, fullRCP)
			tx.Put(unit, organizationRecord(acme))
		}, "o-1/r-1/ou-a/ou-b/", "nil", "nil", policy.Allow, ""},
		"only RCPs enabled": {inRoot, func(tx *Tx) {
			detach(tx, "r-1", fullSCP)
			tx.Put(unit, organizationRecord(acme, rcpType))
		}, "o-1/r-1/", "nil", "RCPFullAWSAccess/RCPFullAWSAccess", policy.Allow, ""},
		"only SCPs enabled": {inRoot, func(tx *Tx) {
			detach(tx, "r-1", fullRCP)
			tx.Put(unit, organizationRecord(acme, scpType))
		}, "o-1/r-1/", full + "/" + full, "nil", policy.Allow, ""},
		"a policy that is not there": {inRoot, func(tx *Tx) { attach(tx, "r-1", fullSCP, "p-9", fullRCP) }, "o-1/r-1/",
			"FullAWSAccess !p-9/FullAWSAccess", "!p-9 RCPFullAWSAccess/RCPFullAWSAccess", policy.DenyImplicit, ""},
		"a policy that cannot be evaluated": {inRoot, func(tx *Tx) {
			attach(tx, "r-1", fullSCP, "p-1")
			p := organizationPolicy("p-1", scpType, 1)
			tx.Put(unit, p)
			p.Compiled = nil // a fault that no reading of records lets in
		}, "o-1/r-1/", "FullAWSAccess !p-1/FullAWSAccess", "RCPFullAWSAccess/RCPFullAWSAccess", policy.DenyImplicit, ""},
		"a circle":        {inB, func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-a", "ou-b")) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"a circle of one": {inA, func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-a", "ou-a")) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"a circle, neither type enabled": {inB, func(tx *Tx) {
			tx.Put(unit, organizationalUnit("ou-a", "ou-b"))
			tx.Put(unit, organizationRecord(acme))
		}, "", damaged, damaged, policy.DenyImplicit, ""},
		"beside a circle": {inC, func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-a", "ou-b")) }, "o-1/r-1/ou-c/", full + "/" + full + "/" + full, "RCPFullAWSAccess/RCPFullAWSAccess/RCPFullAWSAccess", policy.Allow, ""},
		"no unit above":   {inB, func(tx *Tx) { tx.Delete(unit, organizationalUnit("ou-a", "")) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"no place":        {inB, func(tx *Tx) { tx.Delete(unit, NewOrganizationAccount(inB, "")) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"no record":       {inB, func(tx *Tx) { tx.Delete(unit, organizationRecord("")) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"no root":         {inRoot, func(tx *Tx) { r := organizationRecord(acme, scpType); r.Root = ""; tx.Put(unit, r) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"no place, no root": {inRoot, func(tx *Tx) {
			r := organizationRecord(acme)
			r.Root = ""
			tx.Put(unit, r)
			tx.Put(unit, NewOrganizationAccount(inRoot, ""))
		}, "", damaged, damaged, policy.DenyImplicit, ""},
		"another, not there": {inB, func(tx *Tx) { tx.Put(DirectoryUnit, NewDirectoryMembership(inB, "o-9")) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"management, circle": {acme, func(tx *Tx) { tx.Put(unit, NewOrganizationAccount(acme, "ou-9")) }, "", damaged, damaged, policy.DenyImplicit, ""},
		"as deep as can be":  {inB, func(tx *Tx) { putDeep(tx, maxNesting) }, "o-1/r-1/" + deepPath(maxNesting), full + strings.Repeat("/", maxNesting) + "/" + full, "RCPFullAWSAccess" + strings.Repeat("/", maxNesting) + "/RCPFullAWSAccess", policy.DenyImplicit, ""},
		"deeper than can be": {inB, func(tx *Tx) { putDeep(tx, maxNesting+1) }, "", damaged, damaged, policy.DenyImplicit, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openTree(t)
			s.View().Membership(c.account)
			v := s.change(t, func(tx *Tx) {
				before := tx.Membership(c.account)
				c.change(tx)
				m := tx.Membership(c.account)
				if m != nil && before != nil && m.Epoch == before.Epoch && showMembership(m) != showMembership(before) {
					t.Errorf("another membership of the same epoch %d in the transaction", m.Epoch)
				}
				wantMembership(t, "transaction", m, c.path, c.scp, c.rcp)
			})
			m := v.Membership(c.account)
			wantMembership(t, "view", m, c.path, c.scp, c.rcp)
			if m == nil {
				return
			}
			if d := rootCall(m, "s3:A1"); d.Effect != c.effect || d.Policy != nil && d.Policy.ARN != c.policy || d.Policy == nil && c.policy != "" {
				t.Errorf("the decision is %+v, want effect %d of %q", d, c.effect, c.policy)
			} else if unreadable := strings.Contains(c.scp, "!"); unreadable != (d.Layer == policy.LayerNone) {
				t.Errorf("the decision is %+v, and a policy cannot be read: %t", d, unreadable)
			}
			if name == "a policy that cannot be evaluated" {
				return // the store's own check would find it, and cannot say so in the engine
			}
			if err := s.verifyStored(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func putDeep(tx *Tx, depth int) {
	parent := "r-1"
	for i := range depth {
		id := fmt.Sprint("ou-", i)
		tx.Put(OrganizationUnit("o-1"), organizationalUnit(id, parent))
		parent = id
	}
	tx.Put(OrganizationUnit("o-1"), NewOrganizationAccount(inB, parent))
}

func deepPath(depth int) string {
	path := ""
	for i := range depth {
		path += fmt.Sprint("ou-", i, "/")
	}
	return path
}

func wantMembership(t *testing.T, where string, m *Membership, path, scp, rcp string) {
	t.Helper()
	if (m == nil) != (path == "-") {
		t.Errorf("%s: membership %v, want path %q", where, m, path)
	}
	if m != nil && (m.Path != path || names(m.SCP) != scp || names(m.RCP) != rcp) {
		t.Errorf("%s: got  %q, SCP %s, RCP %s\nwant %q, SCP %s, RCP %s", where, m.Path, names(m.SCP), names(m.RCP), path, scp, rcp)
	}
}

// TestMembershipShares: what is the same for several accounts is one set, and a change of one node leaves the others' alone.
func TestMembershipShares(t *testing.T) {
	t.Parallel()
	s := openTree(t)
	unit := OrganizationUnit("o-1")
	v := s.change(t, func(tx *Tx) {
		for _, node := range []string{"r-1", "ou-a", "ou-c", inC} {
			tx.Put(unit, organizationPolicy("p-"+node, scpType, 1))
			tx.Put(unit, organizationPolicy("p-rcp-"+node, rcpType, 1))
			attach(tx, node, fullSCP, "p-"+node, fullRCP, "p-rcp-"+node)
		}
	})
	before := map[string]*Membership{}
	for _, id := range []string{inRoot, inA, inB, inC, besideC} {
		before[id] = v.Membership(id)
	}
	a, b, c, beside := before[inA], before[inB], before[inC], before[besideC]
	if a.SCP[0] != b.SCP[0] || a.SCP[0] != c.SCP[0] || a.SCP[1] != b.SCP[1] || c.SCP[1] != beside.SCP[1] || a.RCP[1] != b.RCP[1] || c.RCP[1] != beside.RCP[1] {
		t.Error("accounts below one node have different sets for it")
	}
	if a.SCP[1] == c.SCP[1] || c.SCP[2] == beside.SCP[2] {
		t.Error("nodes with different policies have the same set")
	}
	if a.SCP[2] != beside.SCP[2] || a.RCP[2] != beside.RCP[2] {
		t.Error("nodes with nothing but the AWS managed policy have different sets")
	}
	v = s.change(t, func(tx *Tx) { tx.Put(unit, organizationPolicy("p-ou-a", scpType, 2)) })
	a2, b2, c2 := v.Membership(inA), v.Membership(inB), v.Membership(inC)
	if a2.SCP[1] == a.SCP[1] || a2.SCP[1] != b2.SCP[1] || !strings.Contains(a2.SCP[1].Policies()[1].Policy.Text(), "A2") {
		t.Error("the changed policy is not in the sets below")
	}
	if !slices.Equal(c2.SCP, c.SCP) || !slices.Equal(c2.RCP, c.RCP) || a2.SCP[0] != a.SCP[0] || a2.SCP[2] != a.SCP[2] {
		t.Error("sets of nodes that did not change were made again")
	}
	v = s.change(t, func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-c", "ou-b")) }) // a move changes no set at all
	if c3 := v.Membership(inC); c3.Path != "o-1/r-1/ou-a/ou-b/ou-c/" || c3.SCP[3] != c.SCP[1] || c3.SCP[4] != c.SCP[2] || c3.SCP[1] != a2.SCP[1] {
		t.Errorf("after the move: %s, SCP %s", c3.Path, names(c3.SCP))
	}
	if _ = s.Update(t.Context(), []string{unit}, func(tx *Tx) error {
		detach(tx, "r-1", "p-r-1")
		if got := names(tx.Membership(inRoot).SCP); got != "FullAWSAccess/FullAWSAccess" {
			t.Errorf("the transaction sees %s", got)
		}
		return errors.New("refused")
	}); s.View().Membership(inRoot).SCP[0] != before[inRoot].SCP[0] {
		t.Error("a refused change left its mark")
	}
}

// TestMembershipEpoch lists what moves an organization's epoch: everything that can change a decision, and nothing else.
func TestMembershipEpoch(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s, follower := openStore(t, e), openStore(t, e)
	unit := OrganizationUnit("o-1")
	s.update(t, func(tx *Tx) error { putTree(tx); return nil }, unit, DirectoryUnit)
	described := organizationPolicy("p-1", scpType, 1)
	described.Description = "text"
	renamed := described.Clone()
	renamed.Name = "other"
	renamedUnit := organizationalUnit("ou-a", "r-1")
	renamedUnit.Name = "other"
	for _, c := range []struct {
		what  string
		fn    func(tx *Tx)
		moves bool
	}{
		{"the same place", func(tx *Tx) { tx.Put(unit, NewOrganizationAccount(inA, "ou-a")) }, false},
		{"a new unit", func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-z", "r-1")) }, false},
		{"an empty unit moves", func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-z", "ou-a")) }, false},
		{"an empty unit is deleted", func(tx *Tx) { tx.Delete(unit, organizationalUnit("ou-z", "")) }, false},
		{"a unit's name", func(tx *Tx) { tx.Put(unit, renamedUnit) }, false},
		{"a unit moves", func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-b", "r-1")) }, true},
		{"a unit of units moves", func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-b", "ou-a")) }, true},
		{"a unit that bears is deleted", func(tx *Tx) { tx.Delete(unit, organizationalUnit("ou-b", "")) }, true},
		{"a unit under accounts", func(tx *Tx) { tx.Put(unit, organizationalUnit("ou-b", "ou-a")) }, true},
		{"an account moves", func(tx *Tx) { tx.Put(unit, NewOrganizationAccount(inA, "ou-b")) }, true},
		{"a new account", func(tx *Tx) { tx.Put(unit, NewOrganizationAccount(hooli, "ou-b")) }, true},
		{"an account leaves", func(tx *Tx) { tx.Delete(unit, NewOrganizationAccount(hooli, "")) }, true},
		{"a new policy", func(tx *Tx) { tx.Put(unit, organizationPolicy("p-1", scpType, 1)) }, false},
		{"another document, nowhere attached", func(tx *Tx) { tx.Put(unit, organizationPolicy("p-1", scpType, 2)) }, false},
		{"an attachment", func(tx *Tx) { attach(tx, "ou-c", "p-1") }, true},
		{"another document", func(tx *Tx) { tx.Put(unit, organizationPolicy("p-1", scpType, 1)) }, true},
		{"a description", func(tx *Tx) { tx.Put(unit, described) }, false},
		{"a policy's name", func(tx *Tx) { tx.Put(unit, renamed) }, true},
		{"a policy's type", func(tx *Tx) { tx.Put(unit, organizationPolicy("p-1", rcpType, 1)) }, true},
		{"an attached policy is deleted", func(tx *Tx) { tx.Delete(unit, renamed) }, true},
		{"an attached policy comes back", func(tx *Tx) { tx.Put(unit, renamed) }, true},
		{"a detachment", func(tx *Tx) { detach(tx, "ou-c", "p-1") }, true},
		{"an unattached policy is deleted", func(tx *Tx) { tx.Delete(unit, renamed) }, false},
		{"enabled types", func(tx *Tx) { tx.Put(unit, organizationRecord(acme, rcpType)) }, true},
		{"management", func(tx *Tx) { tx.Put(unit, organizationRecord(inA, rcpType)) }, true},
	} {
		before, m := s.View().Organization("o-1"), s.View().Membership(inB)
		s.update(t, func(tx *Tx) error {
			c.fn(tx)
			if got := tx.Organization("o-1").Epoch; (got == 0) != c.moves {
				t.Errorf("%s: the transaction's epoch is %d", c.what, got)
			}
			return nil
		}, unit)
		v := s.View()
		after := v.Organization("o-1")
		want := before.Epoch
		if c.moves {
			want = after.head().rev
		}
		if after.Epoch != want || after.head().rev == before.head().rev {
			t.Errorf("%s: the epoch went from %d to %d at revision %d", c.what, before.Epoch, after.Epoch, after.head().rev)
		}
		if again := v.Membership(inB); (again == m) == c.moves || again.Epoch != want {
			t.Errorf("%s: the membership of epoch %d was kept: %t; now %d", c.what, m.Epoch, again == m, again.Epoch)
		}
		if got := follower.at(t, v.rev).Organization("o-1").Epoch; got != after.Epoch {
			t.Errorf("%s: the follower's epoch is %d, want %d", c.what, got, after.Epoch)
		}
		for _, id := range []string{acme, inRoot, inA, inB, inC, besideC} {
			if got, want := showMembership(v.Membership(id)), slowMembership(v, id); got != want {
				t.Errorf("%s: %s is in\n%s\nwant\n%s", c.what, id, got, want)
			}
		}
	}
}

// TestMembershipIsRead: an update that looked at a membership depends on the directory and on the organization.
func TestMembershipIsRead(t *testing.T) {
	t.Parallel()
	e := newScripted()
	s := openStore(t, e)
	s.account(t, globex)
	s.update(t, func(tx *Tx) error { putTree(tx); return nil }, OrganizationUnit("o-1"), DirectoryUnit)
	for _, c := range []struct {
		what, unit string
		meanwhile  storage.Op
		want       string
	}{
		{"a policy is detached", OrganizationUnit("o-1"), storage.Op{Kind: storage.Delete, Key: OrganizationUnit("o-1") + "/attachment/ou-a/" + fullSCP}, "FullAWSAccess//FullAWSAccess"},
		{"the account leaves", DirectoryUnit, storage.Op{Kind: storage.Delete, Key: DirectoryUnit + "/membership/" + inA}, "none"},
		{"another is not there", DirectoryUnit, putOp(t, DirectoryUnit, NewDirectoryMembership(inA, "o-2")), "!an organization whose tree is damaged"},
		{"another comes", OrganizationUnit("o-2"), putOp(t, OrganizationUnit("o-2"), NewOrganizationAccount(inA, "r-1")), "!an organization whose tree is damaged"},
	} {
		runs, got := 0, ""
		s.update(t, func(tx *Tx) error {
			if m := tx.Membership(inA); m != nil {
				got = names(m.SCP)
			} else {
				got = "none"
			}
			if runs++; runs == 1 {
				foreign(t, e.Engine, c.unit, c.meanwhile)
			}
			return createUser(globex, fmt.Sprint("user", c.what))(tx)
		}, AccountUnit(globex))
		if runs < 2 || got != c.want {
			t.Errorf("%s: %d runs, the last saw %s, want %s", c.what, runs, got, c.want)
		}
	}
}

// TestMembershipConcurrent: every reader, at every moment, gets what one revision says. Each change gives the root, a unit and the account
// policies of the same number.
func TestMembershipConcurrent(t *testing.T) {
	t.Parallel()
	e := memory.New(memory.Options{})
	s, follower := openStore(t, e), openStore(t, e)
	unit := OrganizationUnit("o-1")
	s.update(t, func(tx *Tx) error { putTree(tx); return nil }, unit, DirectoryUnit)
	number := func(tx *Tx, n int) {
		for _, node := range []string{"r-1", "ou-c", inC} {
			tx.Put(unit, organizationPolicy("p-"+node, scpType, n))
			tx.Put(unit, NewOrganizationAttachment(node, "p-"+node, 5))
		}
		if n%3 == 0 {
			tx.Put(unit, organizationalUnit("ou-c", []string{"ou-a", "r-1"}[n%2]))
		}
	}
	follower.at(t, s.change(t, func(tx *Tx) { number(tx, 0) }).rev)
	var stop atomic.Bool
	var readers, seen sync.WaitGroup
	for i := range 8 {
		from := []*following{s, follower}[i%2]
		seen.Add(1)
		readers.Go(func() {
			last, changes := storage.Rev(0), 0
			for !stop.Load() || changes == 0 {
				v := from.View()
				m, beside := v.Membership(inC), v.Membership(besideC)
				if m.Epoch < last || m.Epoch != beside.Epoch {
					t.Errorf("epoch %d, a sibling's %d, after %d", m.Epoch, beside.Epoch, last)
					break
				}
				if last != 0 && m.Epoch != last {
					if changes++; changes == 1 {
						seen.Done()
					}
				}
				last = m.Epoch
				unitLevel := len(m.SCP) - 2
				root, middle, own := m.SCP[0].Policies()[1], m.SCP[unitLevel].Policies()[1], m.SCP[unitLevel+1].Policies()[1]
				if root.Policy.Text() != middle.Policy.Text() || root.Policy.Text() != own.Policy.Text() || beside.SCP[0] != m.SCP[0] ||
					len(m.SCP) != strings.Count(m.Path, "/") || beside.SCP[unitLevel] != m.SCP[unitLevel] {
					t.Errorf("levels of different revisions: %s\n%s\n%s", root.Policy.Text(), middle.Policy.Text(), own.Policy.Text())
					break
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { seen.Wait(); close(done) }()
	for n := 1; ; n++ {
		s.change(t, func(tx *Tx) {
			number(tx, n%100)
			tx.Membership(inC)
		})
		select {
		case <-done:
			if n >= 200 {
				stop.Store(true)
				readers.Wait()
				return
			}
		default:
		}
		if t.Failed() {
			stop.Store(true)
			return
		}
	}
}

// TestMembershipAllocates: every decision asks, so that the answer must be there already.
func TestMembershipAllocates(t *testing.T) {
	v := openTree(t).View()
	for _, id := range []string{acme, inB, hooli} {
		if n := testing.AllocsPerRun(100, func() { v.Membership(id) }); n != 0 {
			t.Errorf("the membership of %s makes %v allocations", id, n)
		}
	}
}

// benchmarkTree has n accounts in 100 units, five below one another.
func benchmarkTree(b *testing.B, n int) (*following, []string) {
	s := openStore(b, memory.New(memory.Options{}))
	unit := OrganizationUnit("o-1")
	s.update(b, func(tx *Tx) error { putTree(tx); return nil }, unit, DirectoryUnit)
	parent := func(i int) string {
		if i%5 == 0 {
			return "r-1"
		}
		return fmt.Sprint("ou-", i-1)
	}
	s.update(b, func(tx *Tx) error {
		for i := range 100 {
			tx.Put(unit, organizationalUnit(fmt.Sprint("ou-", i), parent(i)))
		}
		return nil
	}, unit)
	var ids []string
	for i := range n {
		ids = append(ids, fmt.Sprint(200_000_000_000+i*7919))
	}
	for chunk := range slices.Chunk(ids, 20) {
		s.update(b, func(tx *Tx) error {
			for i, id := range chunk {
				tx.Put(unit, NewOrganizationAccount(id, fmt.Sprint("ou-", i*5+4)))
				tx.Put(DirectoryUnit, NewDirectoryMembership(id, "o-1"))
				attach(tx, id, fullSCP, fullRCP)
			}
			return nil
		}, unit, DirectoryUnit)
	}
	return s, ids
}

// BenchmarkMembership asks for the memberships of many accounts and of one, and derives them anew.
func BenchmarkMembership(b *testing.B) {
	s, ids := benchmarkTree(b, 5000)
	v := s.View()
	o := v.Organization("o-1")
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.Membership(ids[77])
		}
	})
	b.Run("none", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v.Membership(hooli)
		}
	})
	b.Run("of5000", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			v.Membership(ids[i%len(ids)])
		}
	})
	b.Run("derive", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			o.derive(ids[i%len(ids)])
		}
	})
}
