package offline

import "github.com/gatehouse-iam/gatehouse/policy"

// Bounds of what is read. docs/simulate.md and docs/validate.md tell them.
const (
	MaxPolicyFile  = 4 * policy.MaxText // bytes: the longest policy in the longest encoding
	MaxPolicyText  = 32 << 20           // bytes of all policy files together
	MaxSuite       = 2 << 20            // bytes of a test suite
	MaxCases       = 10_000             // in a test suite
	MaxSuiteChecks = 100_000            // of all calls of a test suite together
	MaxDump        = 128 << 20          // bytes of a dump of an account
	MaxDumpList    = 100_000            // entries of each list of a dump
	MaxOwnList     = 1_000              // policies, groups or tags of one entity of a dump
	MaxServices    = 4 << 20            // bytes of a file of own services
	MaxLevels      = 16                 // of service control policies, and of resource control policies
	MaxPolicies    = 1_000              // of one question
	MaxQuestions   = 1_000              // of one command line: actions times resources
	MaxWork        = 1 << 30            // bytes of policies that are asked, over all questions together
	MaxFindings    = 1_000              // of one policy; one more says that there are more
)

// maxDepth bounds the nesting of JSON that is not the text of a policy (package policy has its own bound), and of YAML.
const maxDepth = 32
