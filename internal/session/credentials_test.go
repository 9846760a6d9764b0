package session

import (
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/state"
)

func TestCredentialsOf(t *testing.T) {
	t.Parallel()
	plain, factor := &Session{}, &Session{Claims: Claims{MFA: time.Unix(1, 0)}}
	for _, c := range []struct {
		kind        state.PrincipalKind
		session     *Session
		assumedRoot bool
		want        Credentials
	}{
		{state.RootUser, nil, false, LongTermKey},
		{state.RootUser, plain, false, OwnSession},
		{state.RootUser, factor, false, OwnMFASession},
		{state.RootUser, plain, true, AssumedRoot},
		{state.IAMUser, nil, false, LongTermKey},
		{state.IAMUser, plain, false, OwnSession},
		{state.IAMUser, factor, false, OwnMFASession},
		{state.RoleSession, nil, false, AssumedRole},
		{state.RoleSession, factor, false, AssumedRole},
		{state.FederatedUser, plain, false, FederatedToken},
		{state.FederatedUser, factor, false, FederatedToken},
	} {
		if got := CredentialsOf(c.kind, c.session, c.assumedRoot); got != c.want {
			t.Errorf("kind %d, session %+v, assumed root %t: %b; want %b", c.kind, c.session, c.assumedRoot, got, c.want)
		}
	}
}

// TestForSTS is the table of docs/spec/evaluation.md 4.4. How the rest is refused is tested with those who refuse it.
func TestForSTS(t *testing.T) {
	t.Parallel()
	const sessions = LongTermKey | OwnSession | OwnMFASession | AssumedRole | AssumedRoot
	for action, want := range map[string]Credentials{
		"sts:GetCallerIdentity":          sessions | FederatedToken,
		"STS:getcalleridentity":          sessions | FederatedToken,
		"sts:AssumeRole":                 sessions,
		"sts:TagSession":                 sessions,
		"sts:SetSourceIdentity":          sessions,
		"sts:GetSessionToken":            LongTermKey,
		"sts:GetFederationToken":         LongTermKey,
		"sts:AssumeRoleWithSAML":         LongTermKey | AssumedRole | AssumedRoot,
		"sts:DecodeAuthorizationMessage": LongTermKey | AssumedRole | AssumedRoot,
		"sts:":                           LongTermKey | AssumedRole | AssumedRoot,
	} {
		if got := ForSTS(action); got != want {
			t.Errorf("%s is open to %b; want %b", action, got, want)
		}
	}
}
