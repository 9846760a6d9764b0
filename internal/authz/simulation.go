package authz

import (
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// SetsOf are the policies that apply to a user (UserCaller), to the sessions of a role (RoleCaller) or to the root user of an account, as every
// decision gathers them. Nil if r has none with that id. The caller may change what it gets, not what that refers to.
func SetsOf(r state.Reader, a *state.Account, id string, kind policy.CallerKind) *policy.Sets {
	m := gather(a, r.Membership(a.ID), id, kind)
	if m == nil {
		return nil
	}
	return &m.sets
}

// PoliciesOf are the inline and attached policies of a user, group or role, as decisions gather them.
func PoliciesOf(a *state.Account, id, arn string) []*policy.Attached {
	return attached(nil, a, id, arn)
}
