// Package policytest holds decision cases as data and runs them through every way to decide.
//
// A file *.case is a list of cases. A case begins with "case NAME" and goes on with fields, one a line; "#" begins a comment line:
//
//	case deny-first
//	spec: evaluation.md 4.2 D1
//	why: deny beats allow, whatever their order
//	identity: p1
//	  Allow s3:* on *
//	  Deny not s3:Get*, s3:List* on arn:aws:s3:::b, arn:aws:s3:::b/*
//	identity: p2 v2008
//	  {"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}
//	caller: user
//	request: s3:PutObject on arn:aws:s3:::b/k
//	expect: DENY-E identity p1#1
//
// A policy field names its layer and the policy; the lines under it are indented. They are statements, "Allow ACTIONS on RESOURCES" where each
// list may begin with "not", values with spaces or commas are JSON strings, and "v2008" or "noversion" after the name changes
// the Version; or one JSON document. "caller" is user (which may be left out) or root. "expect" names the effect, the layer that
// decided, and the deciding statement by policy and index; nothing follows the layer where no statement decided.
// Every case asserts all three. Unknown fields, words and layers are errors.
//
// Documents of cases must stand the grammar (policy.Decode), not the checks of a write (policy.Document.Validate): the rules of
// evaluation also hold for what AWS would not let you write today.
//
// The package knows the file format and package policy; the ways to decide are given to Run.
package policytest
