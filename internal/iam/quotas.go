package iam

import (
	"fmt"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Quotas are the limits of an account (docs/spec/wire.md 6), by the names that LimitExceeded messages use.
type Quotas struct {
	UsersPerAccount    int
	AccessKeysPerUser  int
	UserPolicySize     int // characters of all inline policies of a user, white space not counted
	TagsPerUser        int
	GroupsPerAccount   int
	RolesPerAccount    int
	PoliciesPerAccount int
}

// DefaultQuotas are those of a new AWS account.
var DefaultQuotas = Quotas{
	UsersPerAccount: 5000, AccessKeysPerUser: 2, UserPolicySize: 2048, TagsPerUser: 50,
	GroupsPerAccount: 300, RolesPerAccount: 1000, PoliciesPerAccount: 1500,
}

// Set changes one quota by its name. Names that this version does not enforce yet are refused, like values below 1.
func (q *Quotas) Set(name string, n int) error {
	if n < 1 {
		return fmt.Errorf("quota %s: %d is less than 1", name, n)
	}
	switch name {
	case "UsersPerAccount":
		q.UsersPerAccount = n
	case "AccessKeysPerUser":
		q.AccessKeysPerUser = n
	case "UserPolicySize":
		q.UserPolicySize = n
	default:
		return fmt.Errorf("quota %s is not known: use UsersPerAccount, AccessKeysPerUser or UserPolicySize", name)
	}
	return nil
}

func exceeded(name string, n int) *wire.Error {
	return iamapi.LimitExceeded.New("Cannot exceed quota for %s: %d", name, n)
}
