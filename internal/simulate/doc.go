// Package simulate answers what policies would decide, and why: the core of iam:SimulateCustomPolicy, iam:SimulatePrincipalPolicy and
// `gatehouse simulate` (docs/spec/evaluation.md 11).
//
// An Input is a caller with the policies that apply to it (policy.Sets), and actions on resources with what is known of them. Run decides each
// action on each resource as enforcement does (policy.Decide, the catalogue's rules, the rules of single products) and reports the statements
// that matched with their places in the text, the context keys that were missing, what the organization and the boundary said, and the whole
// policy.Explanation. RunCall does that for an API call that needs several checks.
//
// The package is pure: it knows no store, no wire and no clock. Who calls it gathers the policies, names them (policy.Attached) and makes the
// context; ParseCaller, CallerKeys, LoadPolicy and Entry.Typed help with that. It takes part in no enforcement.
package simulate
