// Package awspolicy holds the AWS managed policies that Gatehouse knows: facts about AWS, the same in every account (ORIGIN.md).
//
// A policy stands here only with its whole, true document: what is not here cannot be attached. Of each, the default version is held and
// no other. Beside those of accounts stand the two that every organization has. The package does not know who attached what.
package awspolicy
