package authz

import (
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// What the rules of evaluation say of single products stands in package product; here is what they need to know of a check.

// rescues says whether the policy of the resource does not count: docs/spec/evaluation.md 6.6.
func (k *check) rescues() bool {
	c := &k.sets().Caller
	return c.Kind == policy.RootCaller && k.owner == c.Account && k.call.RescuesBucket()
}

// exempt says whether the call needs no permission (docs/spec/evaluation.md 4.4). Whose credentials are not for it was refused before.
func (k *check) exempt() bool { return k.caller != nil && k.call.Exempt() }

// refused is why the credentials are not for the call at all, "" if they are. Of our own operations package authn refuses them by the same
// rules, before anything is decided.
func (k *check) refused() string {
	q := k.q
	if q.own != nil || k.caller == nil {
		return ""
	}
	return k.call.Refused(session.CredentialsOf(q.Principal.Kind, q.Session, q.AssumedRoot), q.Principal.Kind == state.RootUser)
}
