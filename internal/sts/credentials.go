package sts

import (
	"errors"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

const (
	hour = 3600 // seconds

	defaultRoleSeconds = hour
	maxChainedSeconds  = hour // of a role assumed with a role's credentials
	defaultUserSeconds = 12 * hour
	maxRootSeconds     = hour // more is cut without a word (docs/spec/wire.md 10.1)
)

// userSeconds is how long credentials of GetSessionToken and GetFederationToken live.
func userSeconds(c *service.Call, asked *int32) int32 {
	seconds := int32(defaultUserSeconds)
	if asked != nil {
		seconds = *asked
	}
	if c.Caller.Kind == state.RootUser {
		seconds = min(seconds, maxRootSeconds)
	}
	return seconds
}

// issue seals the claims from now on for so many seconds, in the caller's name.
func issue(c *service.Call, r state.Reader, claims *session.Claims, seconds int32) (*stsapi.Credentials, error) {
	claims.IssuingKey = c.Caller.AccessKeyID
	claims.Issued = c.Environment.Time.UTC().Truncate(time.Second)
	claims.Expires = claims.Issued.Add(time.Duration(seconds) * time.Second)
	issued, err := c.Sessions.Issue(r, *claims)
	if errors.Is(err, session.ErrTooLarge) {
		return nil, tooLarge(claims, 101)
	}
	if err != nil {
		return nil, err
	}
	secret := issued.Secret.Reveal()
	return &stsapi.Credentials{
		AccessKeyId: &issued.AccessKeyID, SecretAccessKey: &secret, SessionToken: &issued.Token, Expiration: &issued.Expires,
	}, nil
}
