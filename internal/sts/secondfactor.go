package sts

import "github.com/gatehouse-iam/gatehouse/internal/wire"

// checkSecondFactor refuses every serial number and code: no user has an MFA device in this version, so none can be the caller's
// (docs/spec/wire.md 4.3). It comes before authorization (docs/spec/evaluation.md 8.1).
func checkSecondFactor(serial, code *string) error {
	switch {
	case serial == nil && code == nil:
		return nil
	case serial == nil || code == nil:
		return wire.AccessDenied.New("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	}
	return wire.AccessDenied.New("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.")
}
