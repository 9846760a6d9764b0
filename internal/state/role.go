package state

import (
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Role is an IAM role, with its compiled trust policy.
type Role struct {
	statepb.Role
	CompiledTrust *policy.Policy
}

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (r *Role) Clone() *Role {
	c := &Role{CompiledTrust: r.CompiledTrust}
	proto.Merge(&c.Role, &r.Role)
	return c
}

// SetTrust gives the role another trust policy. The role must be one that may be changed.
func (r *Role) SetTrust(compiled *policy.Policy) {
	r.Trust, r.CompiledTrust = compiled.Text(), compiled
}

// ARN is the role's name for policies; account is the one it belongs to.
func (r *Role) ARN(account string) string { return arn.Role(Partition, account, r.Path, r.Name) }

func (r *Role) place() (string, string)  { return roleSchema.name, r.Id }
func (r *Role) marshal() ([]byte, error) { return marshal(&r.Role) }
func (r *Role) size() int                { return proto.Size(&r.Role) }
func (r *Role) check() error             { return sameDocument(r.CompiledTrust, r.Trust) }

var roleSchema = &schema[Role]{
	name: "role",
	key:  func(r *Role) string { return r.Id },
	less: func(a, b *Role) bool { return lessNamed(a.Name, a.Id, b.Name, b.Id) },
	decode: func(_ string, v []byte) (*Role, error) {
		r := &Role{}
		if err := proto.Unmarshal(v, &r.Role); err != nil {
			return nil, err
		}
		var err error
		r.CompiledTrust, err = compileStored(r.Trust, policy.Trust)
		return r, err
	},
}

// Role returns the role with that unique id, or nil.
func (a *Account) Role(id string) *Role { return at[Role](&a.tables, roleTable).get(id) }

// RoleByName returns the role with that name, compared without regard to case, or nil.
func (a *Account) RoleByName(name string) *Role {
	pivot := &Role{}
	pivot.Name = name
	return oneNamed(at[Role](&a.tables, roleTable), pivot, name, (*Role).GetName)
}

// RoleByARN returns the role with exactly that ARN, or nil. Unlike names in IAM's parameters, ARNs have case (docs/spec/wire.md 5.4).
func (a *Account) RoleByARN(roleARN string) *Role {
	r := a.RoleByName(roleARN[strings.LastIndexByte(roleARN, '/')+1:])
	if r == nil || r.ARN(a.ID) != roleARN {
		return nil
	}
	return r
}

// Roles walks the roles in order of name, without regard to case, beginning behind the name after ("" = all).
func (a *Account) Roles(after string) iter.Seq[*Role] {
	pivot := &Role{}
	pivot.Name = after
	return behindName(at[Role](&a.tables, roleTable), pivot, after, (*Role).GetName)
}

// RoleCount is the number of roles.
func (a *Account) RoleCount() int { return at[Role](&a.tables, roleTable).count() }
