package product

import "github.com/gatehouse-iam/gatehouse/policy"

// Credentials are kinds of credentials of principals, as bits. Some calls are closed to some of them whatever policies say
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

// Refused is why the credentials are not for the call at all, "" if they are (docs/spec/evaluation.md 4.4, 6.6). root: they are of the root user.
func (c *Call) Refused(with Credentials, root bool) string {
	switch c.Service {
	case "iam": // passing a role is no call of IAM
		if ForIAM&with == 0 && !c.PassesRole() {
			return "The security token included in the request is invalid"
		}
	case "sts":
		switch {
		case ForSTS(c.Action)&with == 0:
			return "Cannot call " + c.Action[len("sts:"):] + " with session credentials"
		case root && c.Is("sts:AssumeRole"):
			return "Roles may not be assumed by root accounts."
		}
	}
	return ""
}
