// Package awspolicy holds the AWS managed policies that Gatehouse knows: facts about AWS, the same in every account.
//
// A policy stands here only with its true document: what is not here cannot be attached. The package does not know who attached what.
package awspolicy
