package arn

import (
	"errors"
	"strings"
)

// MaxLength is the longest text Parse takes, in bytes. AWS's own models stop at 2,048 characters; object keys and custom
// services may need more.
const MaxLength = 4096

// Errors of Parse. They carry no input, so they are safe to log.
var (
	ErrPrefix    = errors.New(`arn: does not begin with "arn:"`)
	ErrParts     = errors.New("arn: has fewer than six parts")
	ErrPartition = errors.New("arn: the partition is empty")
	ErrService   = errors.New("arn: the service is empty")
	ErrResource  = errors.New("arn: the resource is empty")
	ErrLength    = errors.New("arn: longer than 4096 bytes")
)

// ARN is the five parts that follow "arn". Region and Account may be empty; Resource keeps further colons and slashes.
// The zero value is no ARN.
type ARN struct {
	Partition string // "aws", "aws-cn", …
	Service   string // "iam", "s3", …
	Region    string
	Account   string // 12 digits, "aws" for AWS's own policies, or empty
	Resource  string // "user/a/b/name", "bucket/key", …
}

// Split cuts s at its first five colons, as docs/spec/policy-language.md 10.4 does, and says how many parts there are (1 to 6).
// The sixth part keeps further colons. Missing parts are empty. The parts share memory with s; nothing is allocated and
// nothing is checked, so patterns with wildcards may be split too.
func Split(s string) (parts [6]string, n int) {
	for n < 5 {
		i := strings.IndexByte(s, ':')
		if i < 0 {
			break
		}
		parts[n], s = s[:i], s[i+1:]
		n++
	}
	parts[n] = s
	return parts, n + 1
}

// Parse reads an ARN. The parts share memory with s. It refuses a text that does not begin with "arn:", that has fewer than six
// parts, that has an empty partition, service or resource, or that is longer than MaxLength; the characters of the parts are not checked.
func Parse(s string) (ARN, error) {
	if len(s) > MaxLength {
		return ARN{}, ErrLength
	}
	parts, n := Split(s)
	switch {
	case parts[0] != "arn" || n == 1:
		return ARN{}, ErrPrefix
	case n < 6:
		return ARN{}, ErrParts
	case parts[1] == "":
		return ARN{}, ErrPartition
	case parts[2] == "":
		return ARN{}, ErrService
	case parts[5] == "":
		return ARN{}, ErrResource
	}
	return ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, nil
}

// String prints the ARN. Parse(a.String()) gives a again when a came from Parse.
func (a ARN) String() string {
	return "arn:" + a.Partition + ":" + a.Service + ":" + a.Region + ":" + a.Account + ":" + a.Resource
}

// KnownPartition says whether p is a partition that AWS runs (docs/spec/policy-language.md 12.3). "*" is not one.
func KnownPartition(p string) bool {
	switch p {
	case "aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc":
		return true
	}
	return false
}
