package authz

import (
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Reserved says whether a condition key is one that no asker gives: what it means comes from the store, or from the fields of a Query
// (docs/spec/evaluation.md 1.2, 1.3). Keys are compared as conditions compare them.
func Reserved(key string) bool {
	const minimum = len("aws:userid")
	if len(key) < minimum {
		return false
	}
	switch key[0] | 0x20 {
	case 'a':
		return policy.SameKey(key[:4], "aws:") && reservedName(key[4:])
	case 'i':
		return hasPrefixFold(key, "iam:ResourceTag/")
	}
	return false
}

// reservedName takes what stands behind "aws:".
func reservedName(name string) bool {
	switch name[0] | 0x20 {
	case 'p':
		return hasPrefixFold(name, "Principal")
	case 'r':
		return hasPrefixFold(name, "Resource")
	case 'u':
		return policy.SameKey(name, "userid") || policy.SameKey(name, "username")
	case 't':
		return policy.SameKey(name, "TokenIssueTime")
	case 'm':
		return policy.SameKey(name, "MultiFactorAuthPresent") || policy.SameKey(name, "MultiFactorAuthAge")
	case 's':
		return policy.SameKey(name, "SourceIdentity")
	case 'f':
		return policy.SameKey(name, "FederatedProvider")
	case 'a':
		return policy.SameKey(name, "AssumedRoot")
	}
	return false
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && policy.SameKey(s[:len(prefix)], prefix)
}
