// Package session seals and opens session tokens: what AssumeRole, GetSessionToken and GetFederationToken give out.
//
// A token is the whole session, sealed under the cell keyset: issuing one writes nothing, and every node can open it. Opened sessions, with
// their session policies compiled, are remembered in a bounded cache.
//
// The package knows claims, their binary form and their sizes. It does not know who may have a session (sts, authz), whether its principal
// still exists (authn), or signatures.
package session
