package authz

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// What the rules of evaluation say of single products stands here, beside policy.Decide and not in it. Services are in lower case.

// rcpServices are those that resource control policies reach (docs/spec/evaluation.md 6.2, item 2).
var rcpServices = []string{"s3", "sts", "kms", "sqs", "secretsmanager", "ecr", "aoss", "dynamodb", "logs", "firehose", "events"}

// onlyByPolicy are the resources that nobody reaches but through their policy, by service of the action, service of the ARN and what the name
// of the resource begins with (docs/spec/evaluation.md 4.2, 9).
var onlyByPolicy = [...]struct{ action, service, resource string }{
	{"kms", "kms", "key/"},
	{"sts", "iam", "role/"},
}

// bucketRescue are what the root user of a bucket's owner may call whatever the bucket's policy says (docs/spec/evaluation.md 6.6).
var bucketRescue = [...]string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}

const (
	passRole    = "iam:PassRole"    // docs/spec/evaluation.md 7.1
	retireGrant = "kms:RetireGrant" // docs/spec/evaluation.md 6.2, item 5
)

// named is what an ARN says of a resource: all "" for what is none.
type named struct{ service, account, resource string }

func name(resource string) named {
	parts, n := arn.Split(resource)
	if n < 6 || parts[0] != "arn" {
		return named{}
	}
	return named{service: parts[2], account: parts[4], resource: parts[5]}
}

// accountOf is the account that an ARN names; "" for what is none.
func accountOf(resource string) string {
	if !strings.HasPrefix(resource, "arn:") {
		return ""
	}
	from, colons := 0, 1
	for i := len("arn:"); i < len(resource); i++ {
		if resource[i] != ':' {
			continue
		}
		switch colons++; colons {
		case 4:
			from = i + 1
		case 5:
			return resource[from:i]
		}
	}
	return ""
}

// serviceOf is the prefix of an action, in lower case.
func serviceOf(action string) string {
	for i := range len(action) {
		switch c := action[i]; {
		case c == ':':
			return action[:i]
		case 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf:
			prefix, _, _ := strings.Cut(action, ":")
			return strings.ToLower(prefix)
		}
	}
	return action
}

// isAccount says whether the account of an ARN is the id of one: AWS managed policies have "aws" there.
func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func (k *check) isAction(action string) bool { return policy.SameKey(k.q.Action, action) }

func (k *check) passesRole() bool { return k.service == "iam" && k.isAction(passRole) }

// rcpReaches says whether RCPs apply, where the owner is a member account (docs/spec/evaluation.md 6.2).
func (k *check) rcpReaches() bool {
	if k.q.Resource == "*" || !slices.Contains(rcpServices, k.service) {
		return false
	}
	switch k.service {
	case "kms":
		return !k.q.AWSManaged && !k.isAction(retireGrant)
	case "sts":
		on := name(k.q.Resource)
		return on.service != "iam" || !strings.HasPrefix(on.resource, "role"+serviceLinkedPath)
	}
	return true
}

// needsPolicy says whether only the resource's policy opens it (docs/spec/evaluation.md 4.2).
func (k *check) needsPolicy() bool {
	for i := range onlyByPolicy {
		if o := &onlyByPolicy[i]; o.action == k.service {
			on := name(k.q.Resource)
			return on.service == o.service && strings.HasPrefix(on.resource, o.resource)
		}
	}
	return false
}

// rescues says whether the policy of the resource does not count: docs/spec/evaluation.md 6.6.
func (k *check) rescues() bool {
	return k.service == "s3" && k.sets().Caller.Kind == policy.RootCaller && k.owner == k.sets().Caller.Account &&
		slices.ContainsFunc(bucketRescue[:], k.isAction)
}
