package session

import (
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// CredentialsOf is the kind of the credentials of a principal; s is nil for a long-term key.
func CredentialsOf(kind state.PrincipalKind, s *Session, assumedRoot bool) product.Credentials {
	switch {
	case kind == state.RoleSession:
		return product.AssumedRole
	case kind == state.FederatedUser:
		return product.FederatedToken
	case assumedRoot:
		return product.AssumedRoot
	case s == nil:
		return product.LongTermKey
	case !s.MFA.IsZero():
		return product.OwnMFASession
	}
	return product.OwnSession
}
