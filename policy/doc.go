// Package policy reads, checks, compiles and decides AWS policy documents.
//
// The rules are docs/spec/policy-language.md (the language) and docs/spec/evaluation.md 3, 4 and 10 (the decision). The way of a
// document is: Parse (grammar, then AWS's own checks with AWS's messages), Compile (a small immutable Policy that many
// goroutines may share, with every number, date, address block and pattern parsed), Decide (a pure function of a caller, its
// policies and one request with its context). Explain decides once more and tells what every layer and every statement says, and what
// would have to change.
//
// Every kind of policy is evaluated, and whatever cannot be evaluated is denied: a request outside its bounds, an unreadable policy. So no
// Deny is ever skipped.
//
// Work is bounded: no text costs more than work linear in its length to parse, and no pattern more than linear work in the text
// it is compared with.
//
// The package knows policy text and nothing else. It does not know accounts, services or their actions, which keys a service
// supplies, the clock, the network or any store; who calls it gathers the policies and describes the caller and the request.
// It imports only the standard library and package arn.
package policy
