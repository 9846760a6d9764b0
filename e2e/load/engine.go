package main

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/storage"
	"github.com/gatehouse-iam/gatehouse/internal/storage/bolt"
)

// commits is how many commits the store of a server that was stopped has ever had.
func commits(file string) int64 {
	e, err := bolt.Open(file, bolt.Options{})
	check(err)
	defer e.Close()
	rev, _ := e.Snapshot(context.Background(), "none", 0)
	if rev == 0 {
		panic("an empty store: " + file)
	}
	return int64(rev)
}

// emptyCommit is the mean time of a commit without operations in an engine of its own, on the same disk: what one fsync and its record
// cost.
func emptyCommit(dir string, n int) time.Duration {
	path := filepath.Join(dir, "empty.db")
	e, err := bolt.Open(path, bolt.Options{})
	check(err)
	defer os.Remove(path)
	defer e.Close()
	var head storage.Rev
	begin := time.Now()
	for range n {
		head, err = e.Commit(context.Background(), storage.Batch{
			ID: storage.CommitID(keyring.CommitID()), Time: time.Now().UTC().Truncate(time.Microsecond),
			Units: []storage.Condition{{Unit: "acct/1", Head: head, Write: true}},
		})
		check(err)
	}
	return time.Since(begin) / time.Duration(n)
}
