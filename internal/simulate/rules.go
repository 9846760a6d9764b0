package simulate

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// rules are one action on one resource, as package product sees it.
type rules struct {
	product.Call
	in    *Input
	known *catalog.Action // nil for one that is not
	on    product.Name
	owner string
}

func (r *run) rules(action, resource string) *rules {
	p := &rules{
		Call: product.CallOf(action, resource), in: r.in, known: r.catalog.Action(action), on: product.NameOf(resource),
	}
	p.owner = p.ownedBy()
	return p
}

// ownedBy is the account of the resource (docs/spec/evaluation.md 4.2; of a role that is passed: 7.1).
func (p *rules) ownedBy() string {
	caller := p.in.Sets.Caller.Account
	named := product.IsAccount(p.on.Account)
	switch {
	case p.Resource == "*" && caller != "":
		return caller
	case p.PassesRole() && named:
		return p.on.Account
	case p.in.Owner != "":
		return p.in.Owner
	case named:
		return p.on.Account
	case p.in.DefaultOwner != "":
		return p.in.DefaultOwner
	}
	return caller
}

func (p *rules) request() *policy.Request {
	in := p.in
	q := &policy.Request{
		Action: p.Action, Resource: p.Resource, Owner: p.owner, Context: in.Context, PolicyContext: in.PolicyContext,
		ResourcePolicy: in.ResourcePolicy, Grantees: in.Grantees, Endpoint: in.Endpoint, Gateway: in.Gateway,
	}
	if p.Service == "sts" && p.on.IsRole() {
		q.ResourcePolicy = in.Trust
	}
	unknown := in.ResourcePolicyUnknown && q.ResourcePolicy == nil
	switch {
	case p.PassesRole(): // no policy of a role reaches into another account (docs/spec/evaluation.md 7.1)
		q.ResourcePolicy, q.Grantees = nil, nil
	case in.Sets.Caller.Kind == policy.RootCaller && p.owner == in.Sets.Caller.Account && p.RescuesBucket():
		q.ResourcePolicy = nil
	}
	q.NeedsResourcePolicy = in.NeedsResourcePolicy || !unknown && p.NeedsPolicy()
	q.Exempt = in.Exempt || hasAccount(in.Sets.Caller.Kind) && p.Exempt()
	if len(in.RCP) > 0 && p.RCPReaches(in.AWSManaged) {
		q.RCP = in.RCP
	}
	return q
}

func hasAccount(k policy.CallerKind) bool {
	return k >= policy.RootCaller && k <= policy.FederatedCaller
}

// refused is why the caller's kind of credentials is not for the call at all, "" if it is (docs/spec/evaluation.md 4.4, 6.6). Users and the root user
// call with a long-term key.
func (p *rules) refused() string {
	kind := p.in.Sets.Caller.Kind
	with := product.LongTermKey
	switch {
	case p.in.Exempt || !hasAccount(kind):
		return ""
	case kind == policy.RoleCaller:
		with = product.AssumedRole
	case kind == policy.FederatedCaller:
		with = product.FederatedToken
	}
	return p.Refused(with, kind == policy.RootCaller)
}

// reserved is why nobody can change the resource, "" if somebody can (docs/spec/evaluation.md 6.9).
func (p *rules) reserved() string {
	if p.Service != "iam" || p.on.Service != "iam" || p.known == nil || p.PassesRole() {
		return ""
	}
	if l := p.known.Level; l == catalog.LevelRead || l == catalog.LevelList {
		return ""
	}
	switch {
	case p.on.IsRole() && p.on.Below(product.ReservedPath):
		return "the role is reserved: nobody can change it"
	case p.on.Account == "aws" && strings.HasPrefix(p.on.Resource, "policy/"):
		return "the policy is one of AWS: nobody can change it"
	}
	return ""
}

// listsIAM says whether it is a list of IAM on the entities below a path, which is what IAM itself asks about (docs/spec/evaluation.md 7.2).
func (p *rules) listsIAM() bool {
	return p.Service == "iam" && p.on.Service == "iam" && p.known.Level == catalog.LevelList
}

// isBucket says whether the ARN is that of a bucket.
func isBucket(resource string) bool {
	on, err := arn.Parse(resource)
	return err == nil && on.Service == "s3" && on.Region == "" && on.Account == "" && !strings.Contains(on.Resource, "/")
}
