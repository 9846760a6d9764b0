// Package sts is the behaviour of the STS API (docs/spec/wire.md 10): whose sessions somebody may have, and what they say.
//
// Handlers read the state and the call, as in package iam. What is random or secret in credentials, package session makes; handing them out
// writes nothing. The package does not know how tokens are sealed, nor how their use is decided.
package sts
