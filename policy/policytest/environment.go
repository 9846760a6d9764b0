package policytest

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Environment is the context of the case's request before its own lines: the principal keys of docs/spec/evaluation.md 1.2, the
// global keys of 1.3 with the environment of 13. aws:PrincipalOrgPaths and aws:ResourceOrgPaths are not in it, for the world of 13
// names no paths, and aws:UserAgent is not, for its requests name none.
func (c *Case) Environment() []policy.Entry {
	e := make(environment, 0, 24)
	e.set("aws:CurrentTime", "2026-11-21T12:00:00Z")
	e.set("aws:EpochTime", "1795262400")
	e.set("aws:SecureTransport", "true")
	e.set("aws:RequestedRegion", "us-east-1")
	e.set("aws:ViaAWSService", "false")
	e.set("aws:SourceIp", "203.0.113.10")
	e.principal(c.Caller)
	for _, k := range slices.Sorted(maps.Keys(c.Tags)) {
		e.set("aws:PrincipalTag/"+k, c.Tags[k])
	}
	owner := c.Owner
	if owner == "" || c.Resource == "*" {
		owner = c.Caller.Account
	}
	if owner != "" {
		e.set("aws:ResourceAccount", owner)
		if inOrganization(owner) {
			e.set("aws:ResourceOrgID", "o-1")
		}
	}
	return e
}

type environment []policy.Entry

func (e *environment) set(key, value string) {
	*e = append(*e, policy.Entry{Key: key, Values: []string{value}})
}

func inOrganization(account string) bool {
	return account == AccountA || account == AccountB || account == AccountM
}

// principal adds a column of the table in docs/spec/evaluation.md 1.2.
func (e *environment) principal(c Caller) {
	p := c.Policy()
	temporary := func(mfa bool) {
		e.set("aws:TokenIssueTime", "2026-11-21T11:30:00Z")
		if mfa {
			e.set("aws:MultiFactorAuthPresent", "false")
		}
	}
	switch c.Kind {
	case policy.RootCaller:
		e.set("aws:PrincipalArn", "arn:aws:iam::"+c.Account+":root")
		e.set("aws:PrincipalType", "Account")
		e.set("aws:userid", c.Account)
	case policy.UserCaller:
		e.set("aws:PrincipalArn", p.ARN)
		e.set("aws:PrincipalType", "User")
		e.set("aws:userid", p.ID)
		e.set("aws:username", path.Base(c.Name))
		if c.Temporary {
			temporary(true)
		}
	case policy.RoleCaller:
		e.set("aws:PrincipalArn", p.ARN)
		e.set("aws:PrincipalType", "AssumedRole")
		e.set("aws:userid", p.ID+":"+c.Session)
		temporary(true)
	case policy.FederatedCaller:
		e.set("aws:PrincipalArn", p.Session)
		e.set("aws:PrincipalType", "FederatedUser")
		e.set("aws:userid", c.Account+":"+c.Name)
		temporary(true)
	case policy.ServiceCaller:
		e.set("aws:PrincipalType", "Service")
		e.set("aws:userid", c.Name)
		e.set("aws:PrincipalIsAWSService", "true")
		e.set("aws:PrincipalServiceName", c.Name)
		*e = append(*e, policy.Entry{Key: "aws:PrincipalServiceNamesList", Values: []string{c.Name}, Multi: true})
		return
	case policy.ProviderCaller:
		e.set("aws:FederatedProvider", c.Name)
		return
	case policy.AnonymousCaller:
		e.set("aws:PrincipalAccount", "anonymous")
		e.set("aws:PrincipalType", "Anonymous")
		e.set("aws:userid", "anonymous")
		return
	}
	e.set("aws:PrincipalAccount", c.Account)
	e.set("aws:PrincipalIsAWSService", "false")
	if inOrganization(c.Account) {
		e.set("aws:PrincipalOrgID", "o-1")
	}
}

// Request is the case's request without policies: those of its resource, of its endpoint and RCPs are left to the evaluator.
func (c *Case) Request() policy.Request {
	r := policy.Request{
		Action: c.Action, Resource: c.Resource, Owner: c.Owner, NeedsResourcePolicy: c.NeedsResourcePolicy,
		Grantees: c.Grantees, Gateway: c.Gateway, Exempt: c.Exempt,
	}
	r.Context = overlay(c.Environment(), c.Context)
	if len(c.PolicyContext) > 0 {
		r.PolicyContext = overlay(r.Context, c.PolicyContext)
	}
	return r
}

// overlay is the context with the keys in the place of its own.
func overlay(context []policy.Entry, keys []Key) []policy.Entry {
	out := make([]policy.Entry, 0, len(context)+len(keys))
	for _, entry := range context {
		if !slices.ContainsFunc(keys, func(k Key) bool { return strings.EqualFold(k.Name, entry.Key) }) {
			out = append(out, entry)
		}
	}
	for _, k := range keys {
		if !k.Absent {
			out = append(out, policy.Entry{Key: k.Name, Values: k.Values, Multi: k.Multi})
		}
	}
	return out
}
