package authz

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// What evaluation rules say of single products stands here, as data, and not in policy.Decide.

// rcpServices are the action prefixes of services that resource control policies reach (docs/spec/evaluation.md 6.2).
var rcpServices = map[string]bool{
	"s3": true, "sts": true, "kms": true, "sqs": true, "secretsmanager": true, "ecr": true, "aoss": true,
	"dynamodb": true, "logs": true, "firehose": true, "events": true,
}

// bucketRescue are what the root user of a bucket's owner may call whatever the bucket's policy says (docs/spec/evaluation.md 6.6).
var bucketRescue = [...]string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}

// onlyByPolicy are the resources that nobody reaches but through their policy (docs/spec/evaluation.md 4.2): actions with the prefix on
// resources of the service, whose names begin so.
var onlyByPolicy = [...]struct{ prefix, service, resource string }{
	{"kms", "kms", "key/"},
	{"sts", "iam", "role/"},
}

const passRole = "iam:PassRole"

// named is what a resource's ARN says.
type named struct {
	service, account, resource string // all "" for what is no ARN
}

func name(resource string) named {
	parts, n := arn.Split(resource)
	if n < 6 || parts[0] != "arn" {
		return named{}
	}
	return named{service: parts[2], account: parts[4], resource: parts[5]}
}

// isIAM says whether a resource is one of IAM's, whose tags have two names.
func isIAM(resource string) bool { return name(resource).service == "iam" }

// prefixOf is the service's part of an action.
func prefixOf(action string) string {
	prefix, _, _ := strings.Cut(action, ":")
	return prefix
}

// rcpReaches says whether RCPs of the owner's account apply (docs/spec/evaluation.md 6.2), the owner being a member account.
func rcpReaches(q *Query, on named) bool {
	prefix := strings.ToLower(prefixOf(q.Action))
	switch {
	case q.Resource == "*" || !rcpServices[prefix]:
		return false
	case policy.SameKey(q.Action, "kms:RetireGrant"), prefix == "kms" && q.AWSManaged:
		return false
	case prefix == "sts" && on.service == "iam" && strings.HasPrefix(on.resource, "role"+serviceLinkedPath):
		return false
	}
	return true
}

// needsPolicy says whether only the resource's policy opens it (docs/spec/evaluation.md 4.2).
func needsPolicy(action string, on named) bool {
	for i := range onlyByPolicy {
		o := &onlyByPolicy[i]
		if on.service == o.service && strings.HasPrefix(on.resource, o.resource) && policy.SameKey(prefixOf(action), o.prefix) {
			return true
		}
	}
	return false
}

// rescued says whether the policy of the resource does not count: docs/spec/evaluation.md 6.6.
func rescued(action string, root bool) bool {
	if !root {
		return false
	}
	for _, a := range bucketRescue {
		if policy.SameKey(action, a) {
			return true
		}
	}
	return false
}

// exempt says whether the call needs no permission (docs/spec/evaluation.md 4.4).
func exempt(q *Query) bool {
	if q.Principal == nil {
		return false
	}
	return policy.SameKey(q.Action, "sts:GetCallerIdentity") || policy.SameKey(q.Action, "sts:GetSessionToken") && q.Session == nil &&
		(q.Principal.Kind == state.IAMUser || q.Principal.Kind == state.RootUser)
}
