// Package authmessage writes, seals and opens encoded authorization messages (docs/spec/evaluation.md 12): what a service hands to somebody
// whom it denied something, for those of the account who may know why.
//
// A message is the text "GatehouseAM1" and, in the base64 of URLs, JSON sealed under the keyset of an account: no other account can
// open it, and it names nothing that is kept. It opens as long as that keyset has the key. It has at most MaxMessage characters.
//
// The package knows the JSON and what of a denial stands in it. It does not know who may read it: package sts asks. Nothing is compressed,
// since the length would tell somebody who tries names whether they are like those in the statement that denied.
//
// Decisions where the specification is silent:
//   - Of an explicit deny the statement that decided stands in matchedStatements, and no other that would deny too.
//   - Lists of NotAction, NotResource and NotPrincipal are left out: they would read as what is denied.
//   - A statement without Principal shows the unique id of the caller's user or role, as AWS's samples do.
//   - Whoever has no account has no arn.
package authmessage
