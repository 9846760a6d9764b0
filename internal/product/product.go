package product

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Services are in lower case everywhere here; actions are compared without regard to ASCII case.

// rcpServices are those that resource control policies reach (docs/spec/evaluation.md 6.2, item 2).
var rcpServices = []string{"s3", "sts", "kms", "sqs", "secretsmanager", "ecr", "aoss", "dynamodb", "logs", "firehose", "events"}

// onlyByPolicy are the resources that nobody reaches but through their policy, by service of the action, service of the ARN and what the name
// of the resource begins with (docs/spec/evaluation.md 4.2, 9).
var onlyByPolicy = [...]struct{ action, service, resource string }{
	{"kms", "kms", "key/"},
	{"sts", "iam", rolePrefix},
}

// bucketRescue are what the root user of a bucket's owner may call whatever the bucket's policy says (docs/spec/evaluation.md 6.6).
var bucketRescue = [...]string{"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}

// withoutPermission need none (docs/spec/evaluation.md 4.4).
var withoutPermission = [...]string{"sts:GetCallerIdentity", "sts:GetSessionToken"}

const (
	passRole    = "iam:PassRole"    // docs/spec/evaluation.md 7.1
	retireGrant = "kms:RetireGrant" // docs/spec/evaluation.md 6.2, item 5

	rolePrefix = "role/"
)

// Paths of roles that are not the customer's (docs/spec/evaluation.md 6.9).
const (
	ServiceLinkedPath = "/aws-service-role/"
	ReservedPath      = "/aws-reserved/"
)

// Name is what an ARN says of a resource: all "" for what is none.
type Name struct{ Service, Account, Resource string }

// NameOf reads an ARN without judging it.
func NameOf(resource string) Name {
	parts, n := arn.Split(resource)
	if n < 6 || parts[0] != "arn" {
		return Name{}
	}
	return Name{Service: parts[2], Account: parts[4], Resource: parts[5]}
}

// IsRole says whether it is a role of IAM.
func (n Name) IsRole() bool { return n.Service == "iam" && strings.HasPrefix(n.Resource, rolePrefix) }

// Below says whether the path of a user, role or policy begins so.
func (n Name) Below(path string) bool {
	slash := strings.IndexByte(n.Resource, '/')
	return slash >= 0 && strings.HasPrefix(n.Resource[slash:], path)
}

// AccountOf is the account that an ARN names; "" for what is none. It is NameOf for those who need nothing else, and cheaper.
func AccountOf(resource string) string {
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

// IsAccount says whether the text is the id of an account: in the place of one, the ARNs of AWS's managed policies have "aws".
func IsAccount(s string) bool {
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

// ServiceOf is the prefix of an action, in lower case.
func ServiceOf(action string) string {
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

// Call is an action on a resource.
type Call struct {
	Service  string // ServiceOf(Action)
	Action   string // "prefix:Name"
	Resource string // an ARN, or "*"
}

// CallOf is the action on the resource.
func CallOf(action, resource string) Call {
	return Call{Service: ServiceOf(action), Action: action, Resource: resource}
}

// Is says whether it is that action.
func (c *Call) Is(action string) bool { return policy.SameKey(c.Action, action) }

// PassesRole says whether it is iam:PassRole, which is no call of its own (docs/spec/evaluation.md 7.1).
func (c *Call) PassesRole() bool { return c.Service == "iam" && c.Is(passRole) }

// RCPReaches says whether RCPs apply, where the owner is a member account (docs/spec/evaluation.md 6.2). awsManaged: the resource is a KMS key
// that AWS manages.
func (c *Call) RCPReaches(awsManaged bool) bool {
	if c.Resource == "*" || !slices.Contains(rcpServices, c.Service) {
		return false
	}
	switch c.Service {
	case "kms":
		return !awsManaged && !c.Is(retireGrant)
	case "sts":
		on := NameOf(c.Resource)
		return !on.IsRole() || !on.Below(ServiceLinkedPath)
	}
	return true
}

// NeedsPolicy says whether only the resource's policy opens it (docs/spec/evaluation.md 4.2).
func (c *Call) NeedsPolicy() bool {
	for i := range onlyByPolicy {
		if o := &onlyByPolicy[i]; o.action == c.Service {
			on := NameOf(c.Resource)
			return on.Service == o.service && strings.HasPrefix(on.Resource, o.resource)
		}
	}
	return false
}

// RescuesBucket says whether the policy of the bucket does not count where the caller is the root user of its owner (docs/spec/evaluation.md 6.6).
func (c *Call) RescuesBucket() bool {
	return c.Service == "s3" && slices.ContainsFunc(bucketRescue[:], c.Is)
}

// Exempt says whether the call needs no permission, for callers of an account (docs/spec/evaluation.md 4.4).
func (c *Call) Exempt() bool {
	return c.Service == "sts" && slices.ContainsFunc(withoutPermission[:], c.Is)
}
