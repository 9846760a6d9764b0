package sts

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

func getCallerIdentity(c *service.Call, _ state.Reader, _ *stsapi.GetCallerIdentityRequest) (*stsapi.GetCallerIdentityResponse, error) {
	id, arn := c.Caller.UserID(), c.Caller.ARN()
	return &stsapi.GetCallerIdentityResponse{UserId: &id, Account: &c.Caller.Account, Arn: &arn}, nil
}
