// Package arn splits, prints and builds Amazon Resource Names.
//
// It knows the six parts of an ARN, the partitions of docs/spec/policy-language.md 12.3 and the forms of IAM's and STS's own
// ARNs (docs/spec/wire.md 5.4). It does not know which services, actions or resource types exist, and it does not match
// wildcards: that is package policy.
package arn
