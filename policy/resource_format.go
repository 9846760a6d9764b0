package policy

import (
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
)

// Messages of docs/spec/policy-language.md 12.3.
const (
	messageNotARN      = `Resource %s must be in ARN format or "*".`
	messagePartition   = `Partition "%s" is not valid for resource "arn:%s".`
	messageIAMRegion   = "IAM resource %s cannot contain region information."
	messageS3Region    = "Resource %s can not contain region information."
	messageVendorRegex = "Resource vendor must be fully qualified and cannot contain regexes."
	messageIAMPath     = `IAM resource path must either be "*", root, or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, ` +
		`server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
)

var iamPaths = []string{"user/", "federated-user/", "role/", "group/", "instance-profile/", "mfa/", "server-certificate/", "policy/",
	"sms-mfa/", "saml-provider/", "oidc-provider/", "report/", "access-report/", "root", "*"}

// s3RegionalPaths begin the resources of S3 that have a region.
var s3RegionalPaths = []string{"accesspoint/", "access-grants/", "async-request/", "job/", "storage-lens/", "storage-lens-group/"}

// resourceFormat is docs/spec/policy-language.md 12.3: the message of the first rule that r breaks, or "".
func resourceFormat(r string) string {
	if r == "*" {
		return ""
	}
	parts, n := arn.Split(r)
	partition, service, region, resource := parts[1], parts[2], parts[3], parts[5]
	switch {
	case n == 1:
		return fmt.Sprintf(messageNotARN, r)
	case partition != "*" && !arn.KnownPartition(partition):
		for i := n; i < len(parts); i++ {
			parts[i] = "*"
		}
		return fmt.Sprintf(messagePartition, partition, strings.Join(parts[1:], ":"))
	case n == 2 || strings.ContainsAny(service, "*?"):
		return messageVendorRegex
	case service == "iam" && region != "":
		return fmt.Sprintf(messageIAMRegion, r)
	case service == "s3" && region != "" && !hasAnyPrefix(resource, s3RegionalPaths):
		return fmt.Sprintf(messageS3Region, r)
	case service == "iam" && !hasAnyPrefix(resource, iamPaths):
		return messageIAMPath
	}
	return ""
}

func hasAnyPrefix(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// legacyResource is the part of stage 3 (12.2) that looks at resources. It takes what resourceFormat lets pass.
func legacyResource(r string) bool {
	if r == "*" {
		return true
	}
	parts, n := arn.Split(r)
	return parts[2] != "" && !(n < 6 && strings.Contains(r, "::"))
}
