package state

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
)

const organizationPrefix = "org/"

// OrganizationUnit is the unit of an organization.
func OrganizationUnit(organization string) string { return organizationPrefix + organization }

// isOrganizationID reports whether an organization of that id can exist at all. AWS's have 10 to 32 characters behind the dash.
func isOrganizationID(id string) bool {
	rest, ok := strings.CutPrefix(id, "o-")
	return ok && rest != "" && len(rest) <= 32 && !strings.ContainsFunc(rest, func(r rune) bool {
		return !('0' <= r && r <= '9' || 'a' <= r && r <= 'z')
	})
}

// Organization is the unit of one organization: its tree, and the policies in it. What it says of them stands beside those records.
type Organization struct {
	tables
	ID string
	// Epoch is the revision of the last commit that changed what its policies decide, or for whom; 0 in a Tx with such changes of its
	// own, where nothing remembered about an earlier state holds.
	Epoch storage.Rev

	levels     *index[level] // the nodes with attached policies
	ownsLevels bool          // levels belongs to this fork alone
}

// The tables of an organization, by their place in the list of newOrganization.
const (
	organizationTable = iota
	organizationalUnitTable
	organizationAccountTable
	organizationPolicyTable
	organizationAttachmentTable
)

func newOrganization(name string) *Organization {
	return &Organization{
		tables: newTables(name, named(organizationSchema), named(organizationalUnitSchema), named(organizationAccountSchema),
			named(organizationPolicySchema), named(organizationAttachmentSchema)),
		ID: name[len(organizationPrefix):], levels: newIndex(levelNode), ownsLevels: true,
	}
}

func (o *Organization) fork() unit {
	return &Organization{tables: o.forkTables(), ID: o.ID, Epoch: o.Epoch, levels: o.levels}
}

func (o *Organization) epoch() *storage.Rev { return &o.Epoch }

func (o *Organization) touched(table, key string, old, now Record) {
	switch table {
	case organizationSchema.name:
		o.Epoch = 0
		o.renewAll() // the management account is part of the policies' ARNs
	case organizationalUnitSchema.name:
		if parentOf(old) != parentOf(now) && o.bears(key) { // one that bears nothing is on nobody's path
			o.Epoch = 0
		}
	case organizationAccountSchema.name:
		if parentOf(old) != parentOf(now) {
			o.Epoch = 0
		}
	case organizationPolicySchema.name:
		if decidesAlike(old, now) {
			return
		}
		for t := range o.AttachmentsOf(key) {
			o.renew(t.Target)
			o.Epoch = 0
		}
	case organizationAttachmentSchema.name:
		target, _, _ := strings.Cut(key, "/")
		o.renew(target)
		o.Epoch = 0
	}
}

// parentOf is the id of the node that an organizational unit or account stands under; "" of no record.
func parentOf(r Record) string {
	switch r := r.(type) {
	case *OrganizationalUnit:
		return r.Parent
	case *OrganizationAccount:
		return r.Parent
	}
	return ""
}

// Unit is the organization's unit name.
func (o *Organization) Unit() string { return o.unit }

// Record returns the organization's own record.
func (o *Organization) Record() *OrganizationRecord {
	return at[OrganizationRecord](&o.tables, organizationTable).byKey.only()
}

// OrganizationRecord is what an organization's unit says of the organization itself.
type OrganizationRecord struct{ statepb.Organization }

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (r *OrganizationRecord) Clone() *OrganizationRecord {
	c := &OrganizationRecord{}
	proto.Merge(&c.Organization, &r.Organization)
	return c
}

// Enables says whether a policy type is enabled in the root.
func (r *OrganizationRecord) Enables(t statepb.PolicyType) bool { return slices.Contains(r.Enabled, t) }

func (r *OrganizationRecord) place() (string, string)  { return organizationSchema.name, self }
func (r *OrganizationRecord) marshal() ([]byte, error) { return marshal(&r.Organization) }
func (r *OrganizationRecord) size() int                { return proto.Size(&r.Organization) }

var organizationSchema = &schema[OrganizationRecord]{
	name: "organization",
	key:  func(*OrganizationRecord) string { return self },
	decode: func(_ string, v []byte) (*OrganizationRecord, error) {
		r := &OrganizationRecord{}
		return r, proto.Unmarshal(v, &r.Organization)
	},
}
