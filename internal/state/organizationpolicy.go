package state

import (
	"errors"
	"iter"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// OrganizationPolicy is a service control policy or resource control policy of an organization's own, with its compiled form. AWS's
// managed ones are package awspolicy's, in every organization.
type OrganizationPolicy struct {
	statepb.OrganizationPolicy
	Compiled *policy.Policy
}

// Clone returns a copy that may be changed. Fields that this version does not know are kept.
func (p *OrganizationPolicy) Clone() *OrganizationPolicy {
	c := &OrganizationPolicy{Compiled: p.Compiled}
	proto.Merge(&c.OrganizationPolicy, &p.OrganizationPolicy)
	return c
}

// SetContent gives the policy another document, of the kind that its type demands. The policy must be one that may be changed.
func (p *OrganizationPolicy) SetContent(compiled *policy.Policy) {
	p.Content, p.Compiled = compiled.Text(), compiled
}

// Kind is the kind of the policy's document, 0 if its type has none that this version knows.
func (p *OrganizationPolicy) Kind() policy.Kind {
	switch p.Type {
	case statepb.PolicyType_POLICY_TYPE_SERVICE_CONTROL:
		return policy.SCP
	case statepb.PolicyType_POLICY_TYPE_RESOURCE_CONTROL:
		return policy.RCP
	}
	return 0
}

// ARN is the policy's name in denials; management is the organization's management account.
func (p *OrganizationPolicy) ARN(management, organization string) string {
	kind := "service_control_policy"
	if p.Kind() == policy.RCP {
		kind = "resource_control_policy"
	}
	return "arn:" + Partition + ":organizations::" + management + ":policy/" + organization + "/" + kind + "/" + p.Id
}

func (p *OrganizationPolicy) place() (string, string)  { return organizationPolicySchema.name, p.Id }
func (p *OrganizationPolicy) marshal() ([]byte, error) { return marshal(&p.OrganizationPolicy) }
func (p *OrganizationPolicy) size() int                { return proto.Size(&p.OrganizationPolicy) }

func (p *OrganizationPolicy) check() error {
	if err := p.checkFields(); err != nil {
		return err
	}
	if err := sameDocument(p.Compiled, p.Content); err != nil {
		return err
	}
	if p.Compiled.Kind() != p.Kind() {
		return errors.New("the document is compiled as one of another type")
	}
	return nil
}

func (p *OrganizationPolicy) checkFields() error {
	switch {
	case p.Kind() == 0:
		return errors.New("the policy is of no type this version knows")
	case awspolicy.OrganizationPolicyByID(p.Id) != nil:
		return errors.New("the policy has the id of an AWS managed one")
	}
	return nil
}

var organizationPolicySchema = &schema[OrganizationPolicy]{
	name: "policy",
	key:  func(p *OrganizationPolicy) string { return p.Id },
	less: func(a, b *OrganizationPolicy) bool { return lessNamed(a.Name, a.Id, b.Name, b.Id) },
	decode: func(_ string, v []byte) (*OrganizationPolicy, error) {
		r := &OrganizationPolicy{}
		if err := proto.Unmarshal(v, &r.OrganizationPolicy); err != nil {
			return nil, err
		}
		if err := r.checkFields(); err != nil {
			return nil, err
		}
		var err error
		r.Compiled, err = compileStored(r.Content, r.Kind())
		return r, err
	},
}

// decidesAlike says whether a decision is the same with either record: only the description differs.
func decidesAlike(a, b Record) bool {
	p, ok := a.(*OrganizationPolicy)
	q, both := b.(*OrganizationPolicy)
	return ok && both && p.Type == q.Type && p.Name == q.Name && p.Content == q.Content
}

// Policy returns the policy of the organization's own with that id ("p-…"), or nil.
func (o *Organization) Policy(id string) *OrganizationPolicy {
	return at[OrganizationPolicy](&o.tables, organizationPolicyTable).get(id)
}

// Policies walks the policies of the organization's own in order of name, without regard to case.
func (o *Organization) Policies() iter.Seq[*OrganizationPolicy] {
	return at[OrganizationPolicy](&o.tables, organizationPolicyTable).from(nil)
}
