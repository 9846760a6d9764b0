// Package state keeps all records of a store in memory, as immutable snapshots, and is the only way to change them.
//
// View is one atomic load and never waits. Update runs a pure function over a Tx, on the state as it will be once the writes before it are
// durable, and returns once its own writes are durable and visible. Records are decoded, indexed and compiled here, once, when they are
// written.
//
// The package knows records, tables, units, revisions and time in units. It does not know who is calling or what they may do (authn,
// authz), what an operation means (iam, sts) or how bytes are kept (storage). It reads no clock and makes no randomness: both are given to
// Open, so that a function that runs twice does the same twice.
package state
