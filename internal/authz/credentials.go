package authz

import (
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// Credentials for which some calls are closed whatever policies say (docs/spec/evaluation.md 4.4, 6.6). Package authn refuses our own
// operations by the same table before anything is decided.

func (q *Query) credentials() session.Credentials {
	return session.CredentialsOf(q.Principal.Kind, q.Session, q.AssumedRoot)
}

// refused is why the credentials are not for the call at all, "" if they are.
func (k *check) refused() string {
	if k.q.own != nil || k.caller == nil {
		return ""
	}
	switch k.service {
	case "iam": // passing a role is no call of IAM
		if session.ForIAM&k.q.credentials() == 0 && !k.passesRole() {
			return "The security token included in the request is invalid"
		}
	case "sts":
		switch {
		case session.ForSTS(k.q.Action)&k.q.credentials() == 0:
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
