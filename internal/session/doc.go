// Package session seals and opens session tokens: what AssumeRole, GetSessionToken and GetFederationToken give out.
//
// A token is the whole session, sealed under the cell keyset: issuing one writes nothing, and every node can open it. Opened sessions, with
// their session policies compiled, are remembered in a bounded cache (Keeper).
//
// # The token
//
// The text "GatehouseST1" and the base64 of the sealed claims: printable, valid base64 as a whole, at most MaxToken characters. What is
// sealed is bound to the access key id, so that a token opens with no other. Clients must not look inside: the form may change, and a
// version that changes it goes on to open what the one before has sealed for keyring.MaxTokenLife.
//
// # What ends a session
//
// Its expiry (judged by authn, at every request, cached or not), the end of its principal (likewise), and the removal of the cell key that
// sealed it, which rotation does when nothing sealed under it can still live. There is no list of tokens, so a single one cannot be revoked:
// as on AWS a policy with aws:TokenIssueTime denies the sessions issued before a time.
//
// The package knows claims, their binary form and their sizes. It does not know the time, who may have a session (sts, authz), whether its
// principal still exists (authn), or signatures.
package session
