package policy

// Sizes of documents, docs/spec/policy-language.md 13 and docs/spec/wire.md 6: the defaults of quotas that an account may have
// raised. Who stores a document enforces them, because each has its own error; all but MaxSessionSize count as CountedSize does.
const (
	MaxManagedSize     = 6144  // one version of a managed policy: LimitExceeded "PolicySize"
	MaxUserInlineSize  = 2048  // all inline policies of a user together
	MaxGroupInlineSize = 5120  // all inline policies of a group together
	MaxRoleInlineSize  = 10240 // all inline policies of a role together
	MaxTrustSize       = 2048  // the trust policy of a role: LimitExceeded "ACLSizePerRole"

	// MaxSessionSize is the longest session policy, with the ARNs of the managed policies beside it, in characters of every kind: white
	// space counts.
	MaxSessionSize = 2048
)
