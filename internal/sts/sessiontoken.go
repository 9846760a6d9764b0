package sts

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// getSessionToken needs no permission (docs/spec/evaluation.md 4.4), only a long-term key
// (package authn).
func getSessionToken(c *service.Call, r state.Reader, in *stsapi.GetSessionTokenRequest) (*stsapi.GetSessionTokenResponse, error) {
	if err := checkSecondFactor(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	claims := session.Claims{Kind: c.Caller.Kind, Account: c.Caller.Account, ID: c.Caller.ID}
	credentials, err := issue(c, r, &claims, userSeconds(c, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	return &stsapi.GetSessionTokenResponse{Credentials: credentials}, nil
}
