package iam

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
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
	q := &s.quotas
	m := map[string]int32{
		"UsersQuota": int32(q.UsersPerAccount), "GroupsQuota": int32(q.GroupsPerAccount), "RolesQuota": int32(q.RolesPerAccount),
		"PoliciesQuota": int32(q.PoliciesPerAccount), "InstanceProfilesQuota": 1000, "ServerCertificatesQuota": 20,
		"UserPolicySizeQuota": int32(q.UserPolicySize), "GroupPolicySizeQuota": int32(q.GroupPolicySize),
		"RolePolicySizeQuota": int32(q.RolePolicySize), "AssumeRolePolicySizeQuota": int32(q.ACLSizePerRole), "PolicySizeQuota": int32(q.PolicySize),
		"GroupsPerUserQuota": int32(q.GroupsPerUser), "SigningCertificatesPerUserQuota": 2, "AccessKeysPerUserQuota": int32(q.AccessKeysPerUser),
		"AttachedPoliciesPerUserQuota": int32(q.PoliciesPerUser), "AttachedPoliciesPerGroupQuota": int32(q.PoliciesPerGroup),
		"AttachedPoliciesPerRoleQuota": int32(q.PoliciesPerRole), "VersionsPerPolicyQuota": int32(q.VersionsPerPolicy),
		"PolicyVersionsInUseQuota": 10000, "GlobalEndpointTokenVersion": 1,

		"Users": int32(a.UserCount()), "Groups": int32(a.GroupCount()), "Roles": int32(a.RoleCount()), "Policies": int32(a.ManagedPolicyCount()),
		"PolicyVersionsInUse": int32(versionsInUse(a)),
		"InstanceProfiles":    0, "ServerCertificates": 0, "Providers": 0, "MFADevices": 0, "MFADevicesInUse": 0,

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

// versionsInUse counts the versions of the customer managed policies that are attached or a boundary somewhere, and the AWS managed
// policies that are: of these one version is known, their default.
func versionsInUse(a *state.Account) int {
	n := 0
	for p := range a.ManagedPolicies("") {
		if !inUse(a, p.ARN(a.ID)) {
			continue
		}
		for range a.PolicyVersions(p.Id) {
			n++
		}
	}
	for _, p := range awspolicy.All() {
		if inUse(a, p.ARN()) {
			n++
		}
	}
	return n
}

func inUse(a *state.Account, policyARN string) bool {
	for _, boundary := range [...]bool{false, true} {
		for range a.AttachmentsOf(policyARN, boundary) {
			return true
		}
	}
	return false
}
