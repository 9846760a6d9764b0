// Package storage defines what Gatehouse asks of a storage engine, and nothing about how one keeps its bytes.
//
// A store is a set of keys grouped in units: "cell", "directory", "acct/<account id>", "org/<id>", "usage/<account id>/<node>". A unit is
// what is consistent, loaded and sharded together. Every key of a unit begins with the unit's name and a slash. Each unit has a head: the
// revision and time of the last commit that wrote to it. Every commit is one log record, conditioned on the heads of the units it names.
//
// The package knows keys, bytes, revisions and limits. It does not know records, tables, accounts or policies: that is package state.
// The engines are in storage/bolt, storage/etcd and storage/memory; storagetest holds the contract's tests.
package storage
