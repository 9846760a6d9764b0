// Package authn finds out who signed a request.
//
// It reads the signature, finds the access key and its secret, or opens the session token, and compares. It holds the opened keysets of the
// store (Vault), which is the only place where secrets of long-term keys are in the clear, for as long as they are needed. It refuses what
// credentials of a kind may never do (sessions calling IAM or STS). It does not know what policies allow the caller.
package authn
