// Package iam is the behaviour of the IAM API: what each operation checks, changes and answers (docs/spec/wire.md 4 to 8).
//
// One file holds the operations of one entity, named as the entity's record in package state. Handlers are pure: they see the state and
// the parameters, and read no clock and no randomness of their own. The package does not know signatures, policy evaluation or bytes on
// the wire.
package iam
