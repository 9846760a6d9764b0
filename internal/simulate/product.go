package simulate

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// What the rules of evaluation say of single products stands here, as in package authz, whose decisions these must equal.

// product is one action on one resource, seen by those rules.
type product struct {
	in               *Input
	known            *catalog.Action // nil for one that is not
	action, resource string
	service          string // the action's prefix, in lower case
	on               arn.ARN
	owner            string
}

func (r *run) product(action, resource string) *product {
	prefix, _, _ := strings.Cut(action, ":")
	p := &product{in: r.in, known: r.catalog.Action(action), action: action, resource: resource, service: strings.ToLower(prefix)}
	if on, err := arn.Parse(resource); err == nil {
		p.on = on
	}
	p.owner = p.ownedBy()
	return p
}

func (p *product) is(actions ...string) bool {
	return slices.ContainsFunc(actions, func(a string) bool { return policy.SameKey(a, p.action) })
}

func (p *product) onRole() bool {
	return p.on.Service == "iam" && strings.HasPrefix(p.on.Resource, "role/")
}

// ownedBy is the account of the resource (docs/spec/evaluation.md 4.2; of a role that is passed: 7.1).
func (p *product) ownedBy() string {
	caller := p.in.Sets.Caller.Account
	named := IsAccount(p.on.Account)
	switch {
	case p.resource == "*" && caller != "":
		return caller
	case p.passesRole() && named:
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

// IsAccount says whether the text is the id of an account.
func IsAccount(s string) bool {
	const digits = 12
	return len(s) == digits && strings.Trim(s, "0123456789") == ""
}

func (p *product) passesRole() bool { return p.is("iam:PassRole") }

func (p *product) request() *policy.Request {
	in := p.in
	q := &policy.Request{
		Action: p.action, Resource: p.resource, Owner: p.owner, Context: in.Context, PolicyContext: in.PolicyContext,
		ResourcePolicy: in.ResourcePolicy, Grantees: in.Grantees, Endpoint: in.Endpoint, Gateway: in.Gateway,
	}
	if p.service == "sts" && p.onRole() {
		q.ResourcePolicy = in.Trust
	}
	unknown := in.ResourcePolicyUnknown && q.ResourcePolicy == nil
	switch {
	case p.passesRole(): // no policy of a role reaches into another account (docs/spec/evaluation.md 7.1)
		q.ResourcePolicy, q.Grantees = nil, nil
	case p.rescues():
		q.ResourcePolicy = nil
	}
	q.NeedsResourcePolicy = in.NeedsResourcePolicy || !unknown && p.known != nil && p.known.NeedsResourcePolicy(p.resource)
	q.Exempt = in.Exempt || hasAccount(in.Sets.Caller.Kind) && p.is("sts:GetCallerIdentity", "sts:GetSessionToken")
	if len(in.RCP) > 0 && p.rcpReaches() {
		q.RCP = in.RCP
	}
	return q
}

func hasAccount(k policy.CallerKind) bool {
	return k >= policy.RootCaller && k <= policy.FederatedCaller
}

// rcpReaches is docs/spec/evaluation.md 6.2.
func (p *product) rcpReaches() bool {
	if p.resource == "*" || p.known == nil || !p.known.Service.RCP {
		return false
	}
	switch p.service {
	case "kms":
		return !p.in.AWSManaged && !p.is("kms:RetireGrant")
	case "sts":
		return !p.onRole() || !strings.HasPrefix(p.on.Resource, "role/aws-service-role/")
	}
	return true
}

// rescues says whether the policy of a bucket does not count: docs/spec/evaluation.md 6.6.
func (p *product) rescues() bool {
	c := &p.in.Sets.Caller
	return c.Kind == policy.RootCaller && p.owner == c.Account && p.is("s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy")
}

// refused is why the caller's kind of credentials is not for the call at all, "" if it is (docs/spec/evaluation.md 4.4, 6.6).
func (p *product) refused() string {
	if p.in.Exempt {
		return ""
	}
	kind := p.in.Sets.Caller.Kind
	switch {
	case p.service == "iam" && kind == policy.FederatedCaller && !p.passesRole():
		return "credentials of GetFederationToken cannot call IAM"
	case p.service != "sts" || p.is("sts:GetCallerIdentity"):
	case kind == policy.FederatedCaller:
		return "credentials of GetFederationToken cannot call STS, but for GetCallerIdentity"
	case kind == policy.RootCaller && p.is("sts:AssumeRole"):
		return "Roles may not be assumed by root accounts."
	case kind == policy.RoleCaller && p.is("sts:GetSessionToken", "sts:GetFederationToken"):
		return "Cannot call " + p.action[len("sts:"):] + " with session credentials"
	}
	return ""
}

// reserved is why nobody can change the resource, "" if somebody can (docs/spec/evaluation.md 6.9).
func (p *product) reserved() string {
	if p.service != "iam" || p.on.Service != "iam" || p.known == nil || p.passesRole() {
		return ""
	}
	if l := p.known.Level; l == catalog.LevelRead || l == catalog.LevelList {
		return ""
	}
	switch {
	case strings.HasPrefix(p.on.Resource, "role/aws-reserved/"):
		return "the role is reserved: nobody can change it"
	case p.on.Account == "aws" && strings.HasPrefix(p.on.Resource, "policy/"):
		return "the policy is one of AWS: nobody can change it"
	}
	return ""
}

// listsIAM says whether it is a list of IAM on the entities below a path, which is what IAM itself asks about (docs/spec/evaluation.md 7.2).
func (p *product) listsIAM() bool {
	return p.service == "iam" && p.on.Service == "iam" && p.known.Level == catalog.LevelList
}

// isBucket says whether the ARN is that of a bucket.
func isBucket(resource string) bool {
	on, err := arn.Parse(resource)
	return err == nil && on.Service == "s3" && on.Region == "" && on.Account == "" && !strings.Contains(on.Resource, "/")
}
