package authn

import (
	"errors"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// Errors of Resolve.
var (
	ErrNoKey    = errors.New("authn: there is no such access key")
	ErrInactive = errors.New("authn: the access key is inactive")
	ErrToken    = errors.New("authn: not a session token of this access key")
	ErrExpired  = errors.New("authn: the session token has expired")
	ErrGone     = errors.New("authn: the session's user or role is gone")
)

// Resolve says whose credentials these are, as Authenticate would find it at that time: those of a stored access key, or with a token those
// of a session. It asks for no proof, so it is for callers that are trusted with it. With ErrInactive and ErrExpired the Caller is whose they
// were; errors that are not of this package are not the client's.
func Resolve(r state.Reader, sessions *session.Keeper, accessKeyID, token string, now time.Time) (Caller, error) {
	if token == "" {
		account, key := find(r, accessKeyID)
		if key == nil {
			return Caller{}, ErrNoKey
		}
		p, ok := userOrRoot(account, key.Owner)
		switch {
		case !ok:
			return Caller{}, ErrNoKey
		case !key.Active():
			return Caller{Principal: p, AccessKeyID: key.Id}, ErrInactive
		}
		return Caller{Principal: p, AccessKeyID: key.Id}, nil
	}
	s, err := sessions.Open(r, accessKeyID, token)
	switch {
	case errors.Is(err, session.ErrToken), errors.Is(err, session.ErrUnknownKey):
		return Caller{}, ErrToken
	case err != nil:
		return Caller{}, err
	}
	p, ok := principalOf(r, s)
	switch {
	case !ok:
		return Caller{}, ErrGone
	case !now.Before(s.Expires):
		return Caller{Principal: p, AccessKeyID: s.AccessKeyID, Session: s}, ErrExpired
	}
	return Caller{Principal: p, AccessKeyID: s.AccessKeyID, Session: s}, nil
}
