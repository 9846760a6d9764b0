package authn

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// credentials are kinds of credentials, as bits, for which some calls are closed whatever policies say (docs/spec/evaluation.md 4.4,
// docs/spec/wire.md 10.1).
type credentials uint8

const (
	longTermKey    credentials = 1 << iota
	ownSession                 // GetSessionToken without a second factor
	ownMFASession              // GetSessionToken with one
	assumedRole                // AssumeRole and its relatives
	federatedToken             // GetFederationToken

	all = longTermKey | ownSession | ownMFASession | assumedRole | federatedToken
)

func (c *Caller) credentials() credentials {
	switch {
	case c.Session == nil:
		return longTermKey
	case c.Kind == state.RoleSession:
		return assumedRole
	case c.Kind == state.FederatedUser:
		return federatedToken
	case !c.Session.MFA.IsZero():
		return ownMFASession
	}
	return ownSession
}

// forIAM are the credentials that IAM knows. To the others it answers as to a key that does not exist.
const forIAM = longTermKey | ownMFASession | assumedRole

// admitted says whether the service knows credentials of the caller's kind.
func admitted(c *Caller, s *wire.Service) bool {
	return s != iamapi.Service || c.credentials()&forIAM != 0
}

// forSTS are the credentials that may call an operation of STS; those that are not named are for forOtherSTS.
var forSTS = map[*wire.Operation]credentials{
	stsapi.OpGetCallerIdentity.Operation:  all,
	stsapi.OpAssumeRole.Operation:         all &^ federatedToken,
	stsapi.OpGetSessionToken.Operation:    longTermKey,
	stsapi.OpGetFederationToken.Operation: longTermKey,
}

const forOtherSTS = longTermKey | assumedRole

// refused is the refusal of credentials whose signature is right. The texts for GetSessionToken and GetFederationToken are AWS's
// (docs/spec/wire.md 4.3); those for the other operations follow them.
func refused(c *Caller, op *wire.Operation) *wire.Error {
	if op == nil || op.Service != stsapi.Service {
		return nil
	}
	open, named := forSTS[op]
	if !named {
		open = forOtherSTS
	}
	if c.credentials()&open != 0 {
		return nil
	}
	return wire.AccessDenied.New("Cannot call %s with session credentials", op.Name)
}
