// Package product has what the rules of evaluation say of single services, actions and kinds of credentials: whom RCPs reach, what only the policy of
// a resource opens, which calls need no permission, which are closed to some credentials, and what the catalogue denies (docs/spec/evaluation.md 4.2,
// 4.4, 6.2, 6.6, 7, 9).
//
// They stand beside policy.Decide and not in it, and once: whoever decides (internal/authz) and whoever simulates (internal/simulate) asks here.
// The package knows texts of actions and ARNs. It does not know policies, callers of the store, or whose a resource is.
package product
