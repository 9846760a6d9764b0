package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Quotas are the limits of an account (docs/spec/wire.md 6), by the names that LimitExceeded messages use.
type Quotas struct {
	UsersPerAccount    int
	GroupsPerAccount   int
	RolesPerAccount    int
	PoliciesPerAccount int
	AccessKeysPerUser  int
	GroupsPerUser      int
	PoliciesPerUser    int // managed policies attached to a user; the boundary does not count
	PoliciesPerGroup   int
	PoliciesPerRole    int
	VersionsPerPolicy  int
	TagsPerUser        int // and per role and policy

	// Characters, white space not counted.
	PolicySize      int // of a managed policy's version
	ACLSizePerRole  int // of a trust policy
	UserPolicySize  int // of all inline policies of a user
	GroupPolicySize int
	RolePolicySize  int
}

// DefaultQuotas are those of a new AWS account.
var DefaultQuotas = Quotas{
	UsersPerAccount: 5000, GroupsPerAccount: 300, RolesPerAccount: 1000, PoliciesPerAccount: 1500,
	AccessKeysPerUser: 2, GroupsPerUser: 10, PoliciesPerUser: 10, PoliciesPerGroup: 10, PoliciesPerRole: 10, VersionsPerPolicy: 5, TagsPerUser: 50,
	PolicySize: 6144, ACLSizePerRole: 2048, UserPolicySize: 2048, GroupPolicySize: 5120, RolePolicySize: 10240,
}

func (q *Quotas) byName() map[string]*int {
	return map[string]*int{
		"UsersPerAccount": &q.UsersPerAccount, "GroupsPerAccount": &q.GroupsPerAccount, "RolesPerAccount": &q.RolesPerAccount,
		"PoliciesPerAccount": &q.PoliciesPerAccount, "AccessKeysPerUser": &q.AccessKeysPerUser, "GroupsPerUser": &q.GroupsPerUser,
		"PoliciesPerUser": &q.PoliciesPerUser, "PoliciesPerGroup": &q.PoliciesPerGroup, "PoliciesPerRole": &q.PoliciesPerRole,
		"VersionsPerPolicy": &q.VersionsPerPolicy, "PolicySize": &q.PolicySize, "ACLSizePerRole": &q.ACLSizePerRole,
		"UserPolicySize": &q.UserPolicySize, "GroupPolicySize": &q.GroupPolicySize, "RolePolicySize": &q.RolePolicySize,
	}
}

// Set changes one quota by its name. Unknown names are refused, like values below 1.
func (q *Quotas) Set(name string, n int) error {
	if n < 1 {
		return fmt.Errorf("quota %s: %d is less than 1", name, n)
	}
	quotas := q.byName()
	quota := quotas[name]
	if quota == nil {
		return fmt.Errorf("quota %s is not known: use one of %s", name, strings.Join(slices.Sorted(maps.Keys(quotas)), ", "))
	}
	*quota = n
	return nil
}

func exceeded(name string, n int) *wire.Error {
	return iamapi.LimitExceeded.New("Cannot exceed quota for %s: %d", name, n)
}
