package state

import (
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
)

// OrganizationalUnit is a node between an organization's root and its accounts.
type OrganizationalUnit struct{ statepb.OrganizationalUnit }

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (u *OrganizationalUnit) Clone() *OrganizationalUnit {
	c := &OrganizationalUnit{}
	proto.Merge(&c.OrganizationalUnit, &u.OrganizationalUnit)
	return c
}

func (u *OrganizationalUnit) place() (string, string)  { return organizationalUnitSchema.name, u.Id }
func (u *OrganizationalUnit) marshal() ([]byte, error) { return marshal(&u.OrganizationalUnit) }
func (u *OrganizationalUnit) size() int                { return proto.Size(&u.OrganizationalUnit) }

var organizationalUnitSchema = &schema[OrganizationalUnit]{
	name: "ou",
	key:  func(u *OrganizationalUnit) string { return u.Id },
	less: func(a, b *OrganizationalUnit) bool {
		if c := strings.Compare(a.Parent, b.Parent); c != 0 {
			return c < 0
		}
		return lessNamed(a.Name, a.Id, b.Name, b.Id)
	},
	decode: func(_ string, v []byte) (*OrganizationalUnit, error) {
		r := &OrganizationalUnit{}
		return r, proto.Unmarshal(v, &r.OrganizationalUnit)
	},
}

// OrganizationalUnit returns the organizational unit with that id ("ou-…"), or nil.
func (o *Organization) OrganizationalUnit(id string) *OrganizationalUnit {
	return at[OrganizationalUnit](&o.tables, organizationalUnitTable).get(id)
}

// OrganizationalUnits walks the organizational units directly under a node, given by its id, in order of name without regard to case.
func (o *Organization) OrganizationalUnits(parent string) iter.Seq[*OrganizationalUnit] {
	pivot := &OrganizationalUnit{}
	pivot.Parent = parent
	return func(yield func(*OrganizationalUnit) bool) {
		for u := range at[OrganizationalUnit](&o.tables, organizationalUnitTable).from(pivot) {
			if u.Parent != parent || !yield(u) {
				return
			}
		}
	}
}

// bears says whether anything stands directly under a node.
func (o *Organization) bears(node string) bool {
	for range o.OrganizationalUnits(node) {
		return true
	}
	for range o.Accounts(node) {
		return true
	}
	return false
}
