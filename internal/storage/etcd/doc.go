// Package etcd is the storage engine on an etcd cluster, for several servers on one store: package storage's contract on
// go.etcd.io/etcd/client/v3. A revision is etcd's own.
//
// A commit is one etcd transaction, conditioned on the modification revisions of the heads' keys. Under the prefix stand
//
//	a/<unit>        the log record of the last commit whose first written unit this is
//	b/<key>         the items
//	h/<unit>/!head  the heads: time, and the name of the unit whose log record the commit wrote
//	s/<time>        samples of the revision, for compaction
//	format          the version of all this
//
// The log is etcd's history: every version of a log record's key is a commit, in order of revisions, and Watch is etcd's watch. A record holds
// the operations but neither old nor final new values, which are read from the same history, at the revision and the one before. So a batch at
// every limit of the contract stays under etcd's default of 1.5 MiB a request, and nested transactions keep it under 128 operations each.
// A unit's log is the chain of its heads: each record names the head before.
//
// The history ends where the cluster was compacted. The engines compact it themselves, after Options.Retention, so the cluster should serve
// Gatehouse alone and have no automatic compaction of its own.
//
// The package knows etcd's keys and revisions. It does not know what keys and values mean. The etcd server is imported by its tests only.
package etcd
