package state

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/memory"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	scpType = statepb.PolicyType_POLICY_TYPE_SERVICE_CONTROL
	rcpType = statepb.PolicyType_POLICY_TYPE_RESOURCE_CONTROL
	fullSCP = awspolicy.FullAccessSCP
	fullRCP = awspolicy.FullAccessRCP
)

// organizationRecord is the record of an organization with root "r-1".
func organizationRecord(management string, enabled ...statepb.PolicyType) *OrganizationRecord {
	r := &OrganizationRecord{}
	r.Id, r.Management, r.Root, r.Enabled = "o-1", management, "r-1", enabled
	return r
}

func organizationalUnit(id, parent string) *OrganizationalUnit {
	u := &OrganizationalUnit{}
	u.Id, u.Name, u.Parent = id, "unit "+id, parent
	return u
}

// organizationPolicy denies action "x:A<n>".
func organizationPolicy(id string, kind statepb.PolicyType, n int) *OrganizationPolicy {
	p := &OrganizationPolicy{}
	p.Id, p.Type, p.Name = id, kind, "name of "+id
	principal := ""
	if kind == rcpType {
		principal = `"Principal":"*",`
	}
	p.SetContent(compiled(fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Deny",%s"Action":"s3:A%d","Resource":"*"}}`, principal, n), p.Kind()))
	return p
}

// organizationPolicyAs is a policy of one type that says it is of another.
func organizationPolicyAs(id string, is, says statepb.PolicyType) *OrganizationPolicy {
	p := organizationPolicy(id, is, 1)
	p.Type = says
	return p
}

// organizationStep does one random change to one of two organizations. It also makes what operations never would: units that go in a
// circle, attachments of policies that are not there.
func organizationStep(rnd *rand.Rand) (units []string, fn func(*Tx) error) {
	seed := rnd.Uint64()
	ids := []string{"o-1", "o-2"}
	return []string{OrganizationUnit(ids[0]), OrganizationUnit(ids[1]), DirectoryUnit}, func(tx *Tx) error {
		rnd := rand.New(rand.NewPCG(seed, 3))
		accounts := []string{acme, globex, hooli, "444444444444", "555555555555"}
		account := accounts[rnd.IntN(len(accounts))]
		id, unit := ids[0], OrganizationUnit(ids[0])
		if rnd.IntN(4) == 0 {
			id, unit = ids[1], OrganizationUnit(ids[1])
		}
		nodes := []string{"r-1", "ou-1", "ou-2", "ou-3", "ou-4"}
		node, ou := nodes[rnd.IntN(len(nodes))], nodes[1+rnd.IntN(4)]
		n := 1 + rnd.IntN(3)
		policyID := []string{fullSCP, fullRCP, "p-1", "p-2", "p-3", "p-4"}[rnd.IntN(6)]
		tx.Membership(account) // what was made for a pending state must not outlive it
		kind := rnd.IntN(16)
		switch kind {
		case 0, 1:
			r := organizationRecord(globex, [][]statepb.PolicyType{nil, {scpType}, {rcpType}, {scpType, rcpType}, {rcpType, scpType}}[rnd.IntN(5)]...)
			r.Id = id
			tx.Put(unit, r)
		case 2, 3, 4:
			tx.Put(unit, organizationalUnit(ou, node))
		case 5:
			if o := tx.Organization(id); o != nil && o.OrganizationalUnit(ou) != nil {
				c := o.OrganizationalUnit(ou).Clone()
				c.Name = fmt.Sprint("name", n)
				tx.Put(unit, c)
			}
		case 6:
			tx.Delete(unit, organizationalUnit(ou, ""))
		case 7, 8, 9:
			if old := tx.Directory().OrganizationOf(account); old != "" && old != id {
				tx.Delete(OrganizationUnit(old), NewOrganizationAccount(account, ""))
			}
			tx.Put(unit, NewOrganizationAccount(account, node))
			tx.Put(DirectoryUnit, NewDirectoryMembership(account, id))
		case 10:
			tx.Delete(unit, NewOrganizationAccount(account, ""))
			if tx.Directory().OrganizationOf(account) == id && n > 1 {
				tx.Delete(DirectoryUnit, NewDirectoryMembership(account, id))
			}
		case 11:
			p := organizationPolicy("p-"+fmt.Sprint(n), []statepb.PolicyType{scpType, rcpType}[rnd.IntN(2)], n)
			p.Name, p.Description = fmt.Sprint("name", rnd.IntN(2)), fmt.Sprint("text", rnd.IntN(2))
			tx.Put(unit, p)
		case 12:
			tx.Delete(unit, organizationPolicy("p-"+fmt.Sprint(n), scpType, n))
		case 13, 14:
			tx.Put(unit, NewOrganizationAttachment([]string{node, account}[rnd.IntN(2)], policyID, uint32(rnd.IntN(4))))
		case 15:
			tx.Delete(unit, NewOrganizationAttachment([]string{node, account}[rnd.IntN(2)], policyID, 0))
		}
		if got, want := showMembership(tx.Membership(account)), slowMembership(tx, account); got != want {
			panic(fmt.Sprintf("in a transaction, after change %d, %s is in\n%s\nwant\n%s", kind, account, got, want))
		}
		if rnd.IntN(8) == 0 {
			return errors.New("refused after all")
		}
		return nil
	}
}

// showMembership is everything a membership says, but for the epoch.
func showMembership(m *Membership) string {
	if m == nil {
		return "no organization"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s management=%t path=%q", m.Organization, m.Management, m.Path)
	for _, chain := range []struct {
		name string
		sets []*policy.Set
	}{{"SCP", m.SCP}, {"RCP", m.RCP}} {
		fmt.Fprintf(&b, "\n%s", chain.name)
		if chain.sets == nil {
			b.WriteString(" nil")
		}
		for _, s := range chain.sets {
			b.WriteString(" [")
			for _, a := range s.Policies() {
				if a.Policy == nil {
					b.WriteString("(none)")
				} else {
					fmt.Fprintf(&b, "(%s %s %s)", a.ARN, a.Name, a.Policy.Text())
				}
			}
			b.WriteString("]")
		}
	}
	return b.String()
}

// slowMembership says the same of an account by walking all records, remembering nothing.
func slowMembership(r Reader, account string) string {
	m := &Membership{}
	for d := range at[DirectoryMembership](&r.Directory().tables, 4).byKey.all() {
		if d.Account == account {
			m.Organization = d.Organization
		}
	}
	if m.Organization == "" {
		return showMembership(nil)
	}
	none := policy.NewSet(&policy.Attached{})
	unknown := &Membership{Organization: m.Organization, SCP: []*policy.Set{none}, RCP: []*policy.Set{none}}
	o := r.Organization(m.Organization)
	if o == nil {
		return showMembership(unknown)
	}
	parents := map[string]string{}
	for u := range at[OrganizationalUnit](&o.tables, organizationalUnitTable).byKey.all() {
		parents[u.Id] = u.Parent
	}
	node := ""
	for a := range at[OrganizationAccount](&o.tables, organizationAccountTable).byKey.all() {
		if a.Id == account {
			node = a.Parent
		}
	}
	chain := []string{account}
	for node != o.Record().Root {
		if parents[node] == "" || slices.Contains(chain, node) {
			return showMembership(unknown)
		}
		chain = append(chain, node)
		node = parents[node]
	}
	chain = append(chain, node, o.ID)
	slices.Reverse(chain)
	m.Path = strings.Join(chain[:len(chain)-1], "/") + "/"
	if o.Record().Management == account {
		m.Management = true
		return showMembership(m)
	}
	for _, node := range chain[1:] {
		var attached []*OrganizationAttachment
		for t := range at[OrganizationAttachment](&o.tables, organizationAttachmentTable).byKey.all() {
			if t.Target == node {
				attached = append(attached, t)
			}
		}
		slices.SortFunc(attached, func(a, b *OrganizationAttachment) int {
			return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Policy, b.Policy))
		})
		var scp, rcp []*policy.Attached
		for _, t := range attached {
			p := o.Policy(t.Policy)
			switch {
			case t.Policy == fullSCP:
				d := awspolicy.OrganizationPolicyByID(fullSCP)
				scp = append(scp, &policy.Attached{Policy: d.Compiled(), ARN: d.ARN, Name: d.Name})
			case t.Policy == fullRCP:
				d := awspolicy.OrganizationPolicyByID(fullRCP)
				rcp = append(rcp, &policy.Attached{Policy: d.Compiled(), ARN: d.ARN, Name: d.Name})
			case p == nil:
				scp, rcp = append(scp, &policy.Attached{}), append(rcp, &policy.Attached{})
			case p.Type == scpType:
				scp = append(scp, &policy.Attached{Policy: compiled(p.Content, policy.SCP), Name: p.Name,
					ARN: "arn:aws:organizations::" + o.Record().Management + ":policy/" + o.ID + "/service_control_policy/" + p.Id})
			default:
				rcp = append(rcp, &policy.Attached{Policy: compiled(p.Content, policy.RCP), Name: p.Name,
					ARN: "arn:aws:organizations::" + o.Record().Management + ":policy/" + o.ID + "/resource_control_policy/" + p.Id})
			}
		}
		if o.Record().Enables(scpType) {
			m.SCP = append(m.SCP, policy.NewSet(scp...))
		}
		if o.Record().Enables(rcpType) {
			m.RCP = append(m.RCP, policy.NewSet(rcp...))
		}
	}
	return showMembership(m)
}

// checkMemberships compares what is remembered with what the records say.
func checkMemberships(t *testing.T, v *View) {
	t.Helper()
	placed := 0
	for d := range at[DirectoryMembership](&v.directory.tables, 4).byKey.all() {
		m := v.Membership(d.Account)
		if got, want := showMembership(m), slowMembership(v, d.Account); got != want {
			t.Errorf("%s is in\n%s\nwant\n%s", d.Account, got, want)
		}
		if again := v.Membership(d.Account); again != m && v.organizations.get(d.Organization) != nil {
			t.Errorf("%s: the same view made another membership", d.Account)
		}
		if o := v.organizations.get(d.Organization); o != nil && m.Epoch != o.Epoch {
			t.Errorf("%s: epoch %d, the organization's is %d", d.Account, m.Epoch, o.Epoch)
		}
		placed++
	}
	if placed == 0 {
		t.Error("no account was in an organization")
	}
}

// dumpMemberships adds what follows from an organization's records.
func dumpMemberships(d map[string]string, v *View, o *Organization) {
	for a := range at[OrganizationAccount](&o.tables, organizationAccountTable).byKey.all() {
		d[o.Unit()+" membership of "+a.Id] = showMembership(o.derive(a.Id))
		if v.Directory().OrganizationOf(a.Id) == o.ID {
			d["membership of "+a.Id] = showMembership(v.Membership(a.Id))
		}
	}
}

// TestOrganizationReads lists what stands in an organization.
func TestOrganizationReads(t *testing.T) {
	t.Parallel()
	s := openStore(t, memory.New(memory.Options{}))
	unit := OrganizationUnit("o-1")
	if s.View().Organization("o-1") != nil || s.View().Membership(acme) != nil {
		t.Error("an organization before there is one")
	}
	s.update(t, func(tx *Tx) error {
		if tx.Organization("o-1") != nil || tx.Organization("o-/") != nil || tx.Membership(acme) != nil {
			t.Error("an organization before there is one")
		}
		for _, r := range []Record{
			organizationRecord(acme, scpType), organizationalUnit("ou-2", "r-1"), organizationalUnit("ou-1", "r-1"), organizationalUnit("ou-3", "ou-1"),
			NewOrganizationAccount(globex, "ou-1"), NewOrganizationAccount(acme, "r-1"), organizationPolicy("p-2", scpType, 1), organizationPolicy("p-1", rcpType, 1),
			NewOrganizationAttachment("ou-1", "p-2", 2), NewOrganizationAttachment("ou-1", fullSCP, 1), NewOrganizationAttachment("r-1", "p-2", 1),
		} {
			tx.Put(unit, r)
		}
		return nil
	}, unit)
	o := s.View().Organization("o-1")
	var got []string
	for u := range o.OrganizationalUnits("r-1") {
		got = append(got, u.Id)
	}
	for a := range o.Accounts("ou-1") {
		got = append(got, a.Id)
	}
	for p := range o.Policies() {
		got = append(got, p.Id)
	}
	for a := range o.Attachments("ou-1") {
		got = append(got, a.Policy)
	}
	for a := range o.AttachmentsOf("p-2") {
		got = append(got, a.Target)
	}
	want := []string{"ou-1", "ou-2", globex, "p-1", "p-2", fullSCP, "p-2", "ou-1", "r-1"}
	if !slices.Equal(got, want) {
		t.Errorf("the lists are %q, want %q", got, want)
	}
	r := o.Record().Clone()
	if o.Unit() != unit || !r.Enables(scpType) || r.Enables(rcpType) || o.Attachment("r-1", "p-2") == nil || o.Attachment("r-1", fullSCP) != nil {
		t.Errorf("unit %s, record %v", o.Unit(), r)
	}
	for id, want := range map[string]string{
		"p-2": "arn:aws:organizations::111111111111:policy/o-1/service_control_policy/p-2",
		"p-1": "arn:aws:organizations::111111111111:policy/o-1/resource_control_policy/p-1",
	} {
		if got := o.Policy(id).Clone().ARN(acme, "o-1"); got != want {
			t.Errorf("ARN %s, want %s", got, want)
		}
	}
	if err := s.verifyStored(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOrganizationRefused: what would say one thing and do another is not written, and where it stands in the engine the store does not open.
func TestOrganizationRefused(t *testing.T) {
	t.Parallel()
	unit := OrganizationUnit("o-1")
	policyWith := func(change func(*OrganizationPolicy)) *OrganizationPolicy {
		p := organizationPolicy("p-1", scpType, 1)
		change(p)
		return p
	}
	for name, c := range map[string]struct {
		unit     string
		r        Record
		readable bool // from the engine, which keeps no compiled form
	}{
		"a policy that is not compiled":        {unit, policyWith(func(p *OrganizationPolicy) { p.Compiled = nil }), true},
		"another document":                     {unit, policyWith(func(p *OrganizationPolicy) { p.Compiled = organizationPolicy("p-1", scpType, 2).Compiled }), true},
		"a document of another kind":           {unit, policyWith(func(p *OrganizationPolicy) { p.Compiled = compiled(p.Content, policy.Managed) }), true},
		"a type that nobody knows":             {unit, policyWith(func(p *OrganizationPolicy) { p.Type = 77 }), false},
		"no type":                              {unit, policyWith(func(p *OrganizationPolicy) { p.Type = 0 }), false},
		"the id of an AWS managed policy":      {unit, policyWith(func(p *OrganizationPolicy) { p.Id = fullSCP }), false},
		"a document that is none":              {unit, policyWith(func(p *OrganizationPolicy) { p.Content = `{"Version":` }), false},
		"a document of the other type":         {unit, organizationPolicyAs("p-1", rcpType, scpType), false},
		"a target that is two":                 {unit, NewOrganizationAttachment("r-1/x", "p-1", 1), false},
		"an account in no organization":        {DirectoryUnit, NewDirectoryMembership(acme, ""), false},
		"an organization that there cannot be": {DirectoryUnit, NewDirectoryMembership(acme, "o-1/x"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := memory.New(memory.Options{})
			s := openStore(t, e)
			err := s.Update(t.Context(), []string{c.unit}, func(tx *Tx) error { tx.Put(c.unit, c.r); return nil })
			if !errors.Is(err, storage.ErrInvalid) {
				t.Errorf("Update = %v", err)
			}
			foreign(t, e, c.unit, putOp(t, c.unit, c.r))
			_, err = Open(t.Context(), e, testOptions())
			if errors.Is(err, storage.ErrDamaged) == c.readable || c.readable && err != nil {
				t.Errorf("Open = %v", err)
			}
		})
	}
	for _, id := range []string{"", "o-", "1", "o-A", "o-1/x", "O-1", "o-" + strings.Repeat("1", 33), "o-é"} {
		if _, err := newUnit(OrganizationUnit(id)); err == nil {
			t.Errorf("a unit for organization %q", id)
		}
	}
}
