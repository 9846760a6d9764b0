// Package gatehouseapi is the behaviour of Gatehouse's own API, /gatehouse/v1: what other programs ask it, of which AWS has no API.
//
// Handlers read the state and the call, as in package iam. The package knows how a question on the wire becomes a query of package authz, and
// what of the answer the asker is told. It does not know how anything is decided.
//
// Decisions where the specification is silent:
//   - Members that this version does not know, and repeated ones, are refused: one that is passed over may have been a limit.
//   - A principal that does not exist is an error and no denial: the asker has a mistake to find, and neither lets anybody in.
//   - Errors about the credentials of the one who is asked about have a code of their own. The common ones would tell an SDK that its own
//     credentials have expired.
//   - An access key of another account is answered as one that does not exist.
//   - The owner of a resource is ResourceAccount, else the account in its ARN. An ARN without one needs ResourceAccount: taken for the
//     caller's own, a foreign resource would lie open.
//   - Documents are read as stored ones are, by the grammar: what their writer should have been told is the writer's business.
package gatehouseapi
