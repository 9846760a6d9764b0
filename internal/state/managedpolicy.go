package state

import (
	"iter"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// ManagedPolicy is a customer managed policy. Its documents are its versions.
type ManagedPolicy struct{ statepb.ManagedPolicy }

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (p *ManagedPolicy) Clone() *ManagedPolicy {
	c := &ManagedPolicy{}
	proto.Merge(&c.ManagedPolicy, &p.ManagedPolicy)
	return c
}

// ARN is the policy's ARN; account is the one it belongs to.
func (p *ManagedPolicy) ARN(account string) string {
	return arn.Policy(Partition, account, p.Path, p.Name)
}

func (p *ManagedPolicy) place() (string, string)  { return managedPolicySchema.name, p.Id }
func (p *ManagedPolicy) marshal() ([]byte, error) { return marshal(&p.ManagedPolicy) }
func (p *ManagedPolicy) size() int                { return proto.Size(&p.ManagedPolicy) }

var managedPolicySchema = &schema[ManagedPolicy]{
	name: "policy",
	key:  func(p *ManagedPolicy) string { return p.Id },
	less: func(a, b *ManagedPolicy) bool { return lessNamed(a.Name, a.Id, b.Name, b.Id) },
	decode: func(_ string, v []byte) (*ManagedPolicy, error) {
		r := &ManagedPolicy{}
		return r, proto.Unmarshal(v, &r.ManagedPolicy)
	},
}

// ManagedPolicyByName returns the customer managed policy with that name, compared without regard to case, or nil.
func (a *Account) ManagedPolicyByName(name string) *ManagedPolicy {
	pivot := &ManagedPolicy{}
	pivot.Name = name
	return oneNamed(at[ManagedPolicy](&a.tables, managedPolicyTable), pivot, name, (*ManagedPolicy).GetName)
}

// ManagedPolicyByARN returns the customer managed policy of this account with that ARN, compared with regard to case, or nil.
func (a *Account) ManagedPolicyByARN(policyARN string) *ManagedPolicy {
	p := a.ManagedPolicyByName(policyARN[strings.LastIndexByte(policyARN, '/')+1:])
	if p == nil || p.ARN(a.ID) != policyARN {
		return nil
	}
	return p
}

// ManagedPolicies walks the customer managed policies in order of name, without regard to case, beginning behind the name after ("" = all).
func (a *Account) ManagedPolicies(after string) iter.Seq[*ManagedPolicy] {
	pivot := &ManagedPolicy{}
	pivot.Name = after
	return behindName(at[ManagedPolicy](&a.tables, managedPolicyTable), pivot, after, (*ManagedPolicy).GetName)
}

// ManagedPolicyCount is the number of customer managed policies.
func (a *Account) ManagedPolicyCount() int {
	return at[ManagedPolicy](&a.tables, managedPolicyTable).count()
}

// PolicyVersion is a version of a customer managed policy, with its compiled form. It never changes.
type PolicyVersion struct {
	statepb.PolicyVersion
	Compiled *policy.Policy
}

// ID is the version's name: "v" and its number.
func (v *PolicyVersion) ID() string { return "v" + strconv.FormatUint(uint64(v.Number), 10) }

func (v *PolicyVersion) place() (string, string) {
	return policyVersionSchema.name, policyVersionKey(v.Policy, v.Number)
}
func (v *PolicyVersion) marshal() ([]byte, error) { return marshal(&v.PolicyVersion) }
func (v *PolicyVersion) size() int                { return proto.Size(&v.PolicyVersion) }
func (v *PolicyVersion) check() error             { return sameDocument(v.Compiled, v.Document) }

func policyVersionKey(policy string, number uint32) string {
	return policy + "/" + strconv.FormatUint(uint64(number), 10)
}

var policyVersionSchema = &schema[PolicyVersion]{
	name: "policyversion",
	key:  func(v *PolicyVersion) string { return policyVersionKey(v.Policy, v.Number) },
	less: func(a, b *PolicyVersion) bool {
		c := strings.Compare(a.Policy, b.Policy)
		return c < 0 || c == 0 && a.Number > b.Number
	},
	decode: func(_ string, v []byte) (*PolicyVersion, error) {
		r := &PolicyVersion{}
		if err := proto.Unmarshal(v, &r.PolicyVersion); err != nil {
			return nil, err
		}
		var err error
		r.Compiled, err = compileStored(r.Document, policy.Managed)
		return r, err
	},
}

// PolicyVersion returns a version of a policy, given by its unique id, or nil.
func (a *Account) PolicyVersion(policy string, number uint32) *PolicyVersion {
	return at[PolicyVersion](&a.tables, policyVersionTable).get(policyVersionKey(policy, number))
}

// PolicyVersions walks the versions of a policy, given by its unique id, the newest first.
func (a *Account) PolicyVersions(policy string) iter.Seq[*PolicyVersion] {
	pivot := &PolicyVersion{}
	pivot.Policy, pivot.Number = policy, 1<<32-1
	return func(yield func(*PolicyVersion) bool) {
		for v := range at[PolicyVersion](&a.tables, policyVersionTable).from(pivot) {
			if v.Policy != policy || !yield(v) {
				return
			}
		}
	}
}
