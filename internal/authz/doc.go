// Package authz answers whether a principal may do something, and says why not.
//
// It gathers the policies that apply to a caller from the state, remembers them as long as they hold, builds the context that they read,
// and calls policy.Decide, which decides: for our own operations (Authorize) and for other programs (Decide) on the same way. It knows the kinds
// of callers, policies' places, what rules say of single products and kinds of credentials, and the texts of denials. It does not know
// operations, the wire, the time, or how a principal proved who it is.
//
// A denial has with it what it was made from (Record), and the last ones are kept under the ids of their decisions (Keep), within bounds:
// ExplainDenial decides them again, as of then, when somebody asks. Nothing is kept, or made, of what is allowed.
//
// What other programs ask about must be known to the catalogue (package catalog), whatever policies say.
//
// What is remembered of a caller (memo) is found by whoever asks without waiting for anybody, and used only if the epochs of its account and
// its organization are those that it was gathered at, and the caller is there. In which revision that was last seen to be so is noted: who asks
// about the same revision again has nothing to look up. It is bounded: see table.
package authz
