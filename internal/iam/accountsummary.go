package iam

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerAccountSummary(r *service.Registry, s *Service) {
	service.Read(r, iamapi.OpGetAccountSummary, service.Account, s.getAccountSummary)
}

// getAccountSummary counts what the account holds; what this version cannot hold counts 0 (docs/spec/wire.md 6).
func (s *Service) getAccountSummary(c *service.Call, r state.Reader, _ *wire.Empty) (*iamapi.GetAccountSummaryResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	m := map[string]int32{
		"UsersQuota": int32(s.quotas.UsersPerAccount), "GroupsQuota": int32(s.quotas.GroupsPerAccount), "RolesQuota": int32(s.quotas.RolesPerAccount),
		"PoliciesQuota": int32(s.quotas.PoliciesPerAccount), "InstanceProfilesQuota": 1000, "ServerCertificatesQuota": 20,
		"UserPolicySizeQuota": int32(s.quotas.UserPolicySize), "GroupPolicySizeQuota": 5120, "RolePolicySizeQuota": 10240,
		"AssumeRolePolicySizeQuota": 2048, "PolicySizeQuota": 6144, "GroupsPerUserQuota": 10, "SigningCertificatesPerUserQuota": 2,
		"AccessKeysPerUserQuota": int32(s.quotas.AccessKeysPerUser), "AttachedPoliciesPerUserQuota": 10, "AttachedPoliciesPerGroupQuota": 10,
		"AttachedPoliciesPerRoleQuota": 10, "VersionsPerPolicyQuota": 5, "PolicyVersionsInUseQuota": 10000, "GlobalEndpointTokenVersion": 1,

		"Users": int32(a.UserCount()), "Groups": 0, "Roles": 0, "Policies": 0, "InstanceProfiles": 0, "ServerCertificates": 0, "Providers": 0,
		"MFADevices": 0, "MFADevicesInUse": 0, "PolicyVersionsInUse": 0,

		"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0, "AccountPasswordPresent": 0, "AccountSigningCertificatesPresent": 0,
	}
	for range a.AccessKeys(a.ID) {
		m["AccountAccessKeysPresent"] = 1
	}
	if a.Record().RootPassword != "" {
		m["AccountPasswordPresent"] = 1
	}
	return &iamapi.GetAccountSummaryResponse{SummaryMap: m}, nil
}
