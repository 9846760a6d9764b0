package awspolicy

import (
	"sync"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The ids of the policies that AWS attaches to every node of an organization when their type is enabled (docs/spec/evaluation.md 6.1, 6.2).
const (
	FullAccessSCP = "p-FullAWSAccess"
	FullAccessRCP = "p-RCPFullAWSAccess"
)

// OrganizationPolicy is an AWS managed policy of every organization. It never changes.
type OrganizationPolicy struct {
	ID          string
	Name        string
	Description string
	Kind        policy.Kind // SCP or RCP
	ARN         string
	Document    string

	compiled func() *policy.Policy
}

// Compiled is the policy ready to decide. It is compiled once per process, when first asked for.
func (p *OrganizationPolicy) Compiled() *policy.Policy { return p.compiled() }

// organizationTable is in order of publication. ORIGIN.md says where the facts come from.
var organizationTable = []OrganizationPolicy{
	{
		ID: FullAccessSCP, Name: "FullAWSAccess", Description: "Every operation of every service.", Kind: policy.SCP,
		ARN:      "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
		Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	},
	{
		ID: FullAccessRCP, Name: "RCPFullAWSAccess", Description: "Everybody's access to every resource.", Kind: policy.RCP,
		ARN:      "arn:aws:organizations::aws:policy/resource_control_policy/p-RCPFullAWSAccess",
		Document: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}`,
	},
}

var organizationPolicies = sync.OnceValue(func() []*OrganizationPolicy {
	list := make([]*OrganizationPolicy, len(organizationTable))
	for i := range organizationTable {
		p := &organizationTable[i]
		p.compiled = sync.OnceValue(func() *policy.Policy {
			// Not Load: RCPFullAWSAccess is an Allow, which no other resource control policy may be.
			d, err := policy.Decode(p.Document, p.Kind)
			if err != nil {
				return nil // denies everything; the package's test compiles all of them
			}
			compiled, err := policy.Compile(d)
			if err != nil {
				return nil
			}
			return compiled
		})
		list[i] = p
	}
	return list
})

// OrganizationPolicies are the AWS managed policies of every organization. The slice is shared.
func OrganizationPolicies() []*OrganizationPolicy { return organizationPolicies() }

// OrganizationPolicyByID returns the AWS managed policy with that id ("p-…"), nil if there is none.
func OrganizationPolicyByID(id string) *OrganizationPolicy {
	for _, p := range organizationPolicies() {
		if p.ID == id {
			return p
		}
	}
	return nil
}
