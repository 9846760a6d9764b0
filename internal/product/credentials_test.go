package product

import "testing"

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
