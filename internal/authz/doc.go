// Package authz answers whether a principal may do something, and says why not.
//
// It gathers the policies that apply to a principal from the state, remembers them as long as they hold, and calls policy.Decide, which
// decides. It knows principals, policies' places and the texts of denials. It does not know operations, the wire, or how a principal
// proved who it is.
package authz
