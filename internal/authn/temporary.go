package authn

import (
	"errors"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// temporary finds the principal of a session, as it is now.
//
// A session lives until it expires or its principal is gone: the user or role with that unique id, so that one made anew under the old name
// does not inherit it. It does not end with the access key that it was made with. That is what AWS does: deleting or deactivating a key
// leaves GetSessionToken and GetFederationToken credentials valid until they expire, and what ends them is deleting the user, or a policy
// that denies sessions issued before a time (aws:TokenIssueTime).
func (a *Authenticator) temporary(v *state.View, claim *sigv4.Claim, now time.Time) (Caller, signer, *wire.Error) {
	s, err := a.sessions.Open(v, claim.AccessKeyID, claim.SessionToken)
	switch {
	case errors.Is(err, session.ErrToken), errors.Is(err, session.ErrUnknownKey):
		return Caller{}, signer{}, invalidToken()
	case err != nil:
		a.log.Error("a session token cannot be opened", "access_key", claim.AccessKeyID, "error", err)
		return Caller{}, signer{}, wire.InternalFailure.New(wire.InternalFailureText)
	}
	if !now.Before(s.Expires) {
		return Caller{}, signer{}, wire.ExpiredToken.New("The security token included in the request is expired")
	}
	p, ok := principalOf(v, s)
	if !ok {
		return Caller{}, signer{}, invalidToken()
	}
	return Caller{Principal: p, AccessKeyID: s.AccessKeyID, Region: claim.Scope.Region, Session: s}, signer{session: s}, nil
}

// principalOf is the session's principal with the names it has now; ok is false if it is gone.
func principalOf(v state.Reader, s *session.Session) (p state.Principal, ok bool) {
	a := v.Account(s.Account)
	if a == nil {
		return state.Principal{}, false
	}
	switch s.Kind {
	case state.RootUser, state.IAMUser:
		p, ok = userOrRoot(a, s.ID)
		return p, ok && p.Kind == s.Kind
	case state.FederatedUser:
		p, ok = userOrRoot(a, s.ID)
		p.Kind, p.Session = state.FederatedUser, s.Name
		return p, ok
	case state.RoleSession:
		r := a.Role(s.ID)
		if r == nil {
			return state.Principal{}, false
		}
		return state.Principal{Kind: state.RoleSession, Account: a.ID, ID: r.Id, Path: r.Path, Name: r.Name, Session: s.Name}, true
	}
	return state.Principal{}, false
}
