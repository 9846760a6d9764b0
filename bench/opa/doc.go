// Package opa is Open Policy Agent in the comparison: Rego rules for the statements, in a query that is prepared once.
//
// Every resource of a statement becomes a rule whose expressions the rule index knows: equality of the action and the bucket, membership, and the
// beginning or the end of a text. A pattern with a wildcard inside is asked for its longest literal before it is matched, and the cache of compiled
// patterns is large enough for all of them. The resource comes in taken apart, as well as whole.
//
// Rules for 10,000 principals are not what OPA's compiler is for: in the wide workload the statements are data, by principal and bucket, with
// the actions written out, and the rules walk over them.
//
// The typed form is input that is OPA's own value already.
package opa
