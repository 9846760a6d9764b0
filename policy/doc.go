// Package policy reads, checks, compiles and decides AWS policy documents.
//
// The rules are docs/spec/policy-language.md (the language) and docs/spec/evaluation.md 3, 4 and 10 (the decision). The way of a
// document is: Parse (grammar, then AWS's own checks with AWS's messages), Compile (a small immutable Policy that many
// goroutines may share), Decide (a pure function of a caller's policies and one request).
//
// What is not evaluated is not accepted: Unsupported names the elements that AWS's grammar allows and this version does not
// decide, and Compile refuses a document that has one. So no Deny is ever skipped.
//
// The package knows policy text and nothing else. It does not know accounts, principals, services or their actions, the clock,
// the network or any store; who calls it gathers the policies and describes the request. It imports only the standard
// library and package arn.
package policy
