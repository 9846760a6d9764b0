package statetest

import (
	"maps"
	"slices"
	"testing"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Organization describes an organization.
type Organization struct {
	ID         string            // "o-…"
	Management string            // account id; it need not stand in Accounts, and then is in the root
	Root       string            // "r-…"
	Units      map[string]string // organizational units: id to the id of the node above, the root's or another one's
	Accounts   map[string]string // account id to the id of the node above
	Policies   []*state.OrganizationPolicy
	Enabled    []statepb.PolicyType // nil = both
	// Attached are the ids of the policies of a node, in order. What has no entry here has the AWS managed policies that allow everything.
	Attached map[string][]string
}

// SCP makes a service control policy, or ends the test if the document is none.
func SCP(t testing.TB, id, name, document string) *state.OrganizationPolicy {
	t.Helper()
	return organizationPolicy(t, statepb.PolicyType_POLICY_TYPE_SERVICE_CONTROL, id, name, document)
}

// RCP makes a resource control policy, or ends the test if the document is none.
func RCP(t testing.TB, id, name, document string) *state.OrganizationPolicy {
	t.Helper()
	return organizationPolicy(t, statepb.PolicyType_POLICY_TYPE_RESOURCE_CONTROL, id, name, document)
}

func organizationPolicy(t testing.TB, kind statepb.PolicyType, id, name, document string) *state.OrganizationPolicy {
	t.Helper()
	p := &state.OrganizationPolicy{}
	p.Id, p.Type, p.Name = id, kind, name
	compiled, err := policy.Load(document, p.Kind())
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, id, err, document)
	}
	p.SetContent(compiled)
	return p
}

// Put writes the organization, or ends the test if that fails. It writes neither the accounts nor what stood there before and is not in it.
func (o *Organization) Put(t testing.TB, s *state.Store) {
	t.Helper()
	unit := state.OrganizationUnit(o.ID)
	var records []state.Record
	for _, p := range o.Policies {
		records = append(records, p)
	}
	for _, id := range slices.Sorted(maps.Keys(o.Units)) {
		u := &state.OrganizationalUnit{}
		u.Id, u.Name, u.Parent = id, "unit "+id, o.Units[id]
		records = append(records, u)
	}
	accounts := map[string]string{o.Management: o.Root}
	maps.Copy(accounts, o.Accounts)
	for _, id := range slices.Sorted(maps.Keys(accounts)) {
		records = append(records, state.NewOrganizationAccount(id, accounts[id]))
	}
	nodes := slices.Concat([]string{o.Root}, slices.Sorted(maps.Keys(o.Units)), slices.Sorted(maps.Keys(accounts)))
	for _, node := range nodes {
		policies, ok := o.Attached[node]
		if !ok {
			policies = []string{awspolicy.FullAccessSCP, awspolicy.FullAccessRCP}
		}
		for i, p := range policies {
			records = append(records, state.NewOrganizationAttachment(node, p, uint32(i+1)))
		}
	}
	r := &state.OrganizationRecord{}
	r.Id, r.Management, r.Root = o.ID, o.Management, o.Root
	if r.Enabled = o.Enabled; o.Enabled == nil {
		r.Enabled = []statepb.PolicyType{statepb.PolicyType_POLICY_TYPE_SERVICE_CONTROL, statepb.PolicyType_POLICY_TYPE_RESOURCE_CONTROL}
	}
	const batch = 40 // records of one commit
	for chunk := range slices.Chunk(append(records, r), batch) {
		put(t, s, unit, chunk...)
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(accounts)), batch) {
		var members []state.Record
		for _, id := range chunk {
			members = append(members, state.NewDirectoryMembership(id, o.ID))
		}
		put(t, s, state.DirectoryUnit, members...)
	}
}

func put(t testing.TB, s *state.Store, unit string, records ...state.Record) {
	t.Helper()
	err := s.Update(t.Context(), []string{unit}, func(tx *state.Tx) error {
		for _, r := range records {
			tx.Put(unit, r)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
