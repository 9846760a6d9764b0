package iam

import (
	"iter"

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
// policies that are: of these one version is the account's concern, their default.
func versionsInUse(a *state.Account) int {
	used := map[string]bool{}
	for owner := range holderIDs(a) {
		for t := range a.Attachments(owner) {
			used[t.Policy] = true
		}
		if b := a.Boundary(owner); b != nil {
			used[b.Policy] = true
		}
	}
	n := 0
	for policyARN := range used {
		if awspolicy.Is(policyARN) {
			n++
		} else if p := a.ManagedPolicyByARN(policyARN); p != nil {
			for range a.PolicyVersions(p.Id) {
				n++
			}
		}
	}
	return n
}

// holderIDs walks the unique ids of everything that policies are attached to.
func holderIDs(a *state.Account) iter.Seq[string] {
	return func(yield func(string) bool) {
		for u := range a.Users("") {
			if !yield(u.Id) {
				return
			}
		}
		for g := range a.Groups("") {
			if !yield(g.Id) {
				return
			}
		}
		for r := range a.Roles("") {
			if !yield(r.Id) {
				return
			}
		}
	}
}
