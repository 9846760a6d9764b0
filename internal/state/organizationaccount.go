package state

import (
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// OrganizationAccount is an account's place in the tree of its organization.
type OrganizationAccount struct{ statepb.OrganizationAccount }

// NewOrganizationAccount makes the record of an account's place; parent is the id of the root or of an organizational unit.
func NewOrganizationAccount(account, parent string) *OrganizationAccount {
	a := &OrganizationAccount{}
	a.Id, a.Parent = account, parent
	return a
}

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (a *OrganizationAccount) Clone() *OrganizationAccount {
	c := &OrganizationAccount{}
	proto.Merge(&c.OrganizationAccount, &a.OrganizationAccount)
	return c
}

func (a *OrganizationAccount) place() (string, string)  { return organizationAccountSchema.name, a.Id }
func (a *OrganizationAccount) marshal() ([]byte, error) { return marshal(&a.OrganizationAccount) }
func (a *OrganizationAccount) size() int                { return proto.Size(&a.OrganizationAccount) }

var organizationAccountSchema = &schema[OrganizationAccount]{
	name: "account",
	key:  func(a *OrganizationAccount) string { return a.Id },
	less: func(a, b *OrganizationAccount) bool {
		c := strings.Compare(a.Parent, b.Parent)
		return c < 0 || c == 0 && a.Id < b.Id
	},
	decode: func(_ string, v []byte) (*OrganizationAccount, error) {
		r := &OrganizationAccount{}
		return r, proto.Unmarshal(v, &r.OrganizationAccount)
	},
}

// Account returns the place of an account, nil if it is not in the organization.
func (o *Organization) Account(id string) *OrganizationAccount {
	return at[OrganizationAccount](&o.tables, organizationAccountTable).get(id)
}

// Accounts walks the accounts directly under a node, given by its id, in order of id.
func (o *Organization) Accounts(parent string) iter.Seq[*OrganizationAccount] {
	pivot := NewOrganizationAccount("", parent)
	return func(yield func(*OrganizationAccount) bool) {
		for a := range at[OrganizationAccount](&o.tables, organizationAccountTable).from(pivot) {
			if a.Parent != parent || !yield(a) {
				return
			}
		}
	}
}
