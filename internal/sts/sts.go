package sts

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/service"
)

// Register adds the operations of the STS API that this version has.
func Register(r *service.Registry) {
	service.Read(r, stsapi.OpAssumeRole, onAssumeRole, assumeRole)
	service.Read(r, stsapi.OpDecodeAuthorizationMessage, service.Account, decodeAuthorizationMessage)
	service.Read(r, stsapi.OpGetAccessKeyInfo, service.Account, getAccessKeyInfo)
	service.Read(r, stsapi.OpGetCallerIdentity, service.Exempt, getCallerIdentity)
	service.Read(r, stsapi.OpGetFederationToken, onGetFederationToken, getFederationToken)
	service.Read(r, stsapi.OpGetSessionToken, service.Exempt, getSessionToken)
}
