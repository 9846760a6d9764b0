package policytest

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// layers are the policy fields.
var layers = map[string]policy.Layer{
	"identity": policy.LayerIdentity,
	"boundary": policy.LayerBoundary,
	"session":  policy.LayerSession,
	"resource": policy.LayerResource,
	"trust":    policy.LayerTrust,
	"endpoint": policy.LayerEndpoint,
	"scp":      policy.LayerSCP,
	"rcp":      policy.LayerRCP,
}

// outcomeLayers are the words for the layer of an outcome.
var outcomeLayers = func() map[string]policy.Layer {
	out := make(map[string]policy.Layer)
	for l := policy.LayerNone; l <= policy.LayerExempt; l++ {
		out[l.String()] = l
	}
	return out
}()

// chain says whether the layer has levels.
func chain(layer policy.Layer) bool { return layer == policy.LayerSCP || layer == policy.LayerRCP }

// Kind is the kind of the documents of a layer that cases have.
func Kind(layer policy.Layer) policy.Kind {
	switch layer {
	case policy.LayerBoundary:
		return policy.Boundary
	case policy.LayerSession:
		return policy.Session
	case policy.LayerResource:
		return policy.Resource
	case policy.LayerTrust:
		return policy.Trust
	case policy.LayerEndpoint:
		return policy.Endpoint
	case policy.LayerSCP:
		return policy.SCP
	case policy.LayerRCP:
		return policy.RCP
	}
	return policy.Identity
}

// Chain is the service control policies (LayerSCP) or resource control policies (LayerRCP) of each level from the root down; an entry is
// empty where the level has no policy. It is nil where the case has no such chain.
func (c *Case) Chain(layer policy.Layer) [][]Policy {
	n := c.SCPLevels
	if layer == policy.LayerRCP {
		n = c.RCPLevels
	}
	if n == 0 || !chain(layer) {
		return nil
	}
	out := make([][]Policy, n)
	for _, p := range c.Policies {
		if p.Layer == layer {
			out[p.Level] = append(out[p.Level], p)
		}
	}
	return out
}

// rcpServices are the services that support resource control policies (docs/spec/evaluation.md 6.2).
var rcpServices = map[string]bool{
	"s3": true, "sts": true, "kms": true, "sqs": true, "secretsmanager": true, "ecr": true, "aoss": true,
	"dynamodb": true, "logs": true, "firehose": true, "events": true,
}

// Applies says whether policies of the layer apply to the case's request, in what depends on the organization and the service: SCPs
// follow the caller's account and RCPs the resource's, where that is a member (docs/spec/evaluation.md 6.1, 6.2). Whether the kind of caller
// is exempt is the evaluator's to know.
func (c *Case) Applies(layer policy.Layer) bool {
	switch layer {
	case policy.LayerSCP:
		return isMember(c.Caller.Account)
	case policy.LayerRCP:
		owner := c.Owner
		if owner == "" {
			owner = c.Caller.Account
		}
		service, name, _ := strings.Cut(strings.ToLower(c.Action), ":")
		switch {
		case !isMember(owner), c.Resource == "*", !rcpServices[service]: // "*": the action has no resource type
			return false
		case service == "kms" && name == "retiregrant", service == "sts" && strings.Contains(c.Resource, ":role/aws-service-role/"):
			return false
		}
	}
	return true
}

// isMember says whether SCPs and RCPs bind the account: it is in the organization and does not manage it.
func isMember(account string) bool { return account == AccountA || account == AccountB }

// The words for grantees that a case file has besides canonical ids.
var grantees = map[string]string{"AllUsers": policy.AllUsers, "AuthenticatedUsers": policy.AuthenticatedUsers}

// grantee is the word for a grantee.
func (c *Case) grantee(id string) string {
	for word, group := range grantees {
		if id == group {
			return word
		}
	}
	if id == c.Caller.Policy().Canonical {
		return "caller"
	}
	return id
}
