// Package keyring is the only package of Gatehouse with randomness: encryption, password hashing, ids and sealing.
//
// # The hierarchy
//
//	Master     outside the store: a file of mode 0600, a secret given at start, later a KMS, Vault or HSM
//	  wraps    Cell     one keyset for the whole store, kept wrapped in the unit "cell"; also seals session tokens
//	    seals  Account  one keyset per account, kept sealed in the account's unit; deleting those bytes shreds the account's secrets
//	      seals         access key secrets, TOTP seeds, signing keys, …
//
// A store and its backups therefore hold nothing readable without the master key, and an account's backups hold nothing readable once
// its sealed keyset is gone everywhere. Keys are XChaCha20-Poly1305: nonces are 24 random bytes, so a key may seal without counting.
// Sealed bytes begin with 0x01 and the id of the key (4 bytes, big-endian): see KeyID.
//
// Every ciphertext is bound to what it is: the unit, the kind of record and the record's id are associated data. Bytes moved to another
// account, another kind or another record do not open. The kinds are chosen by the caller and must never change their meaning.
//
// Cell and Account are immutable and safe for concurrent use. Rotation makes new ones: AddKey, then Promote when every live node has
// the new key, then Reseal of what is stored, then RemoveKey. NextStep says which step is due; it plans and does nothing.
//
// # Ids
//
// A Stream yields ids and secrets in a fixed order from a Seed of 32 random bytes, so that a transaction that runs twice makes the same
// ones. The package functions of the same names draw fresh randomness each time. Sealing is never deterministic: Seal draws a new nonce
// at each call, because a nonce used for two plaintexts would give both away. A transaction that runs twice seals twice, harmlessly.
//
// # What is not known here
//
// This package knows no records, no store, no nodes, no clock (every time is an argument) and no AWS API beyond the form of ids
// (docs/spec/wire.md 5.1-5.3). It does not know whether a key is still needed: that is the caller's duty before RemoveKey. It cannot
// wipe memory: Go may have copied what was opened.
//
// Nothing here prints a secret: Secret, Seed and Stream are redacted by every fmt verb, log/slog and encoding/json, and errors carry
// key ids, units, kinds and record ids only.
package keyring
