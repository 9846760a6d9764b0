// Package service is the life of one API call, from decoded parameters to the answer.
//
// An operation is registered with its target and its method, so that one without authorization does not compile: the target says what
// the action is aimed at, the method does it. Reads run on a view; writes run, authorization included, inside a transaction on the pending
// state, and their audit event is part of the commit.
//
// The package does not know what any operation means, how bytes become parameters (wire) or who may do what (authz).
package service
