// Package authn finds out who signed a request.
//
// It reads the signature, finds the access key and its secret, and compares. It holds the opened keysets of the store (Vault), which is
// the only place where secrets are in the clear, for as long as they are needed. It does not know what the caller may do.
package authn
