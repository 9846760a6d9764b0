// Package bolt is the storage engine in one local file, for a server that runs alone: package storage's contract on go.etcd.io/bbolt.
//
// A commit is one record appended to a bucket with rising keys, and nothing else, so that the disk sees sequential pages. Commits that wait
// at the same time share one bbolt transaction. The file also holds the items as they stood at some earlier revision, the checkpoint; what
// was written since stands in memory, the overlay. Now and then the overlay is written to the items bit by bit, between commits, and the log
// is trimmed to the retention. Opening reads the checkpoint's heads and replays the log after it.
//
// Buckets: "log" (revision, 8 bytes big endian -> record), "items" (key -> checksum, revision, value), "heads" (the same for heads) and
// "state" (one row: format version, checkpoint, trimmed revision, numbers of keys). Every value carries a CRC-32C over its key and itself,
// because bbolt checks only its two meta pages.
//
// All writing is done by one goroutine, in Run's stead: it begins with Open and ends with Close.
//
// The package knows files, pages and revisions. It does not know what the keys and values mean.
package bolt
