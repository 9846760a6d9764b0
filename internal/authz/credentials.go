package authz

import (
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// credentials are kinds of credentials of the store's principals, as bits, for which some calls are closed whatever policies say
// (docs/spec/evaluation.md 4.4, 6.6). Package authn refuses our own operations by the same rules before anything is decided.
type credentials uint8

const (
	longTermKey    credentials = 1 << iota
	ownSession                 // GetSessionToken without a second factor
	ownMFASession              // GetSessionToken with one
	assumedRole                // AssumeRole and its relatives
	assumedRoot                // AssumeRoot
	federatedToken             // GetFederationToken

	allCredentials = longTermKey | ownSession | ownMFASession | assumedRole | assumedRoot | federatedToken
)

func (q *Query) credentials() credentials {
	switch {
	case q.Principal.Kind == state.RoleSession:
		return assumedRole
	case q.Principal.Kind == state.FederatedUser:
		return federatedToken
	case q.AssumedRoot:
		return assumedRoot
	case q.Session == nil:
		return longTermKey
	case !q.Session.MFA.IsZero():
		return ownMFASession
	}
	return ownSession
}

// openFor are the credentials that may call operations of STS; of those that are not named, forOtherSTS. sts:TagSession and
// sts:SetSourceIdentity are no operations, but parts of AssumeRole.
var openFor = [...]struct {
	action string
	to     credentials
}{
	{"sts:GetCallerIdentity", allCredentials},
	{"sts:AssumeRole", allCredentials &^ federatedToken},
	{"sts:TagSession", allCredentials &^ federatedToken},
	{"sts:SetSourceIdentity", allCredentials &^ federatedToken},
	{"sts:GetSessionToken", longTermKey},
	{"sts:GetFederationToken", longTermKey},
}

const (
	forOtherSTS = longTermKey | assumedRole | assumedRoot
	forIAM      = longTermKey | ownMFASession | assumedRole | assumedRoot
)

// refused is why the credentials are not for the call at all, "" if they are.
func (k *check) refused() string {
	if k.q.own != nil || k.caller == nil {
		return ""
	}
	switch k.service {
	case "iam": // passing a role is no call of IAM
		if forIAM&k.q.credentials() == 0 && !k.passesRole() {
			return "The security token included in the request is invalid"
		}
	case "sts":
		open := forOtherSTS
		for i := range openFor {
			if k.isAction(openFor[i].action) {
				open = openFor[i].to
				break
			}
		}
		switch {
		case open&k.q.credentials() == 0:
			return "Cannot call " + k.q.Action[len("sts:"):] + " with session credentials"
		case k.q.Principal.Kind == state.RootUser && k.isAction("sts:AssumeRole"):
			return "Roles may not be assumed by root accounts."
		}
	}
	return ""
}

// exempt says whether the call needs no permission (docs/spec/evaluation.md 4.4). Whose credentials are not for it was refused before.
func (k *check) exempt() bool {
	return k.service == "sts" && k.caller != nil && (k.isAction("sts:GetCallerIdentity") || k.isAction("sts:GetSessionToken"))
}
