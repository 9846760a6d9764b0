package state

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Membership is an account's place in its organization, and the organization's policies above it (docs/spec/evaluation.md 6.1, 6.2). It never
// changes; siblings share what they have in common.
type Membership struct {
	Organization string // "o-…"
	Management   bool   // the account is the management account: neither SCPs nor RCPs apply to it
	Path         string // the account's OrgPath, "o-id/r-id/ou-id/"; "" if its place cannot be told
	// SCP and RCP have one set for each node from the root down to the account; nil where the type is not enabled, or for the management
	// account. Where the account's place cannot be told they have one set that denies everything, whatever is enabled and whoever it is.
	SCP, RCP []*policy.Set
	// Epoch is the organization's: it rises with every change of the tree, its policies, attachments and enabled types. 0 in a Tx with
	// such changes of its own, where nothing remembered about an earlier state holds.
	Epoch storage.Rev
}

// maxNesting is how many organizational units a path may go through. AWS's quota of 5 is for the operations to keep; here it ends cycles.
const maxNesting = 32

// undecidable denies: nobody can tell which policies apply.
var undecidable = []*policy.Set{policy.NewSet(&policy.Attached{Name: "an organization whose tree is damaged"})}

// in is the account's place in o, the organization that d names; nil if that is not there.
func (d *DirectoryMembership) in(o *Organization) *Membership {
	if o == nil {
		return &Membership{Organization: d.Organization, SCP: undecidable, RCP: undecidable}
	}
	known := d.derived.Load()
	if known != nil && known.Epoch == o.Epoch && o.Epoch != 0 {
		return known
	}
	m := o.derive(d.Account)
	if o.Epoch == 0 || d.derived.CompareAndSwap(known, m) {
		return m
	}
	if other := d.derived.Load(); other.Epoch == o.Epoch { // all who ask at once get the same
		return other
	}
	return m
}

func (o *Organization) derive(account string) *Membership {
	m := &Membership{Organization: o.ID, Epoch: o.Epoch}
	nodes := o.nodesAbove(account)
	if nodes == nil {
		m.SCP, m.RCP = undecidable, undecidable
		return m
	}
	m.Path = o.ID + "/" + strings.Join(nodes, "/") + "/"
	r := o.Record()
	if m.Management = r.Management == account; m.Management {
		return m
	}
	scp, rcp := r.Enables(statepb.PolicyType_POLICY_TYPE_SERVICE_CONTROL), r.Enables(statepb.PolicyType_POLICY_TYPE_RESOURCE_CONTROL)
	for _, node := range append(nodes, account) {
		sets := o.setsOf(node)
		if scp {
			m.SCP = append(m.SCP, sets.scp)
		}
		if rcp {
			m.RCP = append(m.RCP, sets.rcp)
		}
	}
	return m
}

// nodesAbove are the ids of the nodes from the root down to the account's parent, nil if there is no way up that ends at the root.
func (o *Organization) nodesAbove(account string) []string {
	a, r := o.Account(account), o.Record()
	if a == nil || r == nil || r.Root == "" {
		return nil
	}
	var nodes []string
	for node := a.Parent; node != r.Root; {
		u := o.OrganizationalUnit(node)
		if u == nil || len(nodes) == maxNesting {
			return nil
		}
		nodes = append(nodes, node)
		node = u.Parent
	}
	nodes = append(nodes, r.Root)
	slices.Reverse(nodes)
	return nodes
}

// DirectoryMembership says which organization an account is in. The place in it is the organization's OrganizationAccount: a commit
// that writes one of them writes both.
type DirectoryMembership struct {
	statepb.DirectoryMembership

	// derived is what was last derived from the organization's records. It holds for the states of the organization that have its epoch, and
	// only for them: this record outlives those.
	derived atomic.Pointer[Membership]
}

// NewDirectoryMembership makes the record of an account's being in an organization, given by ids.
func NewDirectoryMembership(account, organization string) *DirectoryMembership {
	d := &DirectoryMembership{}
	d.Account, d.Organization = account, organization
	return d
}

func (d *DirectoryMembership) place() (string, string) {
	return directoryMembershipSchema.name, d.Account
}
func (d *DirectoryMembership) marshal() ([]byte, error) { return marshal(&d.DirectoryMembership) }
func (d *DirectoryMembership) size() int                { return proto.Size(&d.DirectoryMembership) }

func (d *DirectoryMembership) check() error {
	if !isOrganizationID(d.Organization) {
		return errors.New("there can be no such organization") // read as being in none, it would lift all limits
	}
	return nil
}

var directoryMembershipSchema = &schema[DirectoryMembership]{
	name: "membership",
	key:  func(m *DirectoryMembership) string { return m.Account },
	decode: func(_ string, v []byte) (*DirectoryMembership, error) {
		r := &DirectoryMembership{}
		if err := proto.Unmarshal(v, &r.DirectoryMembership); err != nil {
			return nil, err
		}
		return r, r.check()
	},
}

// OrganizationOf returns the organization that an account is in, "" if it is in none.
func (d *Directory) OrganizationOf(account string) string {
	if m := d.membership(account); m != nil {
		return m.Organization
	}
	return ""
}

func (d *Directory) membership(account string) *DirectoryMembership {
	return at[DirectoryMembership](&d.tables, 4).get(account)
}
