package session

import (
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Credentials are kinds of credentials of the store's principals, as bits. Some calls are closed to some of them whatever policies say
// (docs/spec/evaluation.md 4.4, 6.6): to our own operations package authn keeps that, to other programs' queries package authz.
type Credentials uint8

// The kinds of credentials.
const (
	LongTermKey    Credentials = 1 << iota
	OwnSession                 // GetSessionToken without a second factor
	OwnMFASession              // GetSessionToken with one
	AssumedRole                // AssumeRole and its relatives
	AssumedRoot                // AssumeRoot
	FederatedToken             // GetFederationToken
)

const allCredentials = LongTermKey | OwnSession | OwnMFASession | AssumedRole | AssumedRoot | FederatedToken

// CredentialsOf is the kind of the credentials of a principal; s is nil for a long-term key.
func CredentialsOf(kind state.PrincipalKind, s *Session, assumedRoot bool) Credentials {
	switch {
	case kind == state.RoleSession:
		return AssumedRole
	case kind == state.FederatedUser:
		return FederatedToken
	case assumedRoot:
		return AssumedRoot
	case s == nil:
		return LongTermKey
	case !s.MFA.IsZero():
		return OwnMFASession
	}
	return OwnSession
}

// ForIAM are the credentials that IAM knows. To the others it answers as to a key that does not exist.
const ForIAM = LongTermKey | OwnMFASession | AssumedRole | AssumedRoot

// forSTS are the credentials that may call actions of STS; those that are not named are for forOtherSTS. sts:TagSession and
// sts:SetSourceIdentity are no operations, but parts of AssumeRole.
var forSTS = [...]struct {
	action string
	to     Credentials
}{
	{"sts:GetCallerIdentity", allCredentials},
	{"sts:AssumeRole", allCredentials &^ FederatedToken},
	{"sts:TagSession", allCredentials &^ FederatedToken},
	{"sts:SetSourceIdentity", allCredentials &^ FederatedToken},
	{"sts:GetSessionToken", LongTermKey},
	{"sts:GetFederationToken", LongTermKey},
}

const forOtherSTS = LongTermKey | AssumedRole | AssumedRoot

// ForSTS are the credentials that may call an action of STS, "sts:Name" without regard to case.
func ForSTS(action string) Credentials {
	for i := range forSTS {
		if policy.SameKey(forSTS[i].action, action) {
			return forSTS[i].to
		}
	}
	return forOtherSTS
}
