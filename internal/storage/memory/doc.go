// Package memory is the storage engine without a disk, for "gatehouse dev" and for tests: the whole contract of package storage, except
// that nothing outlives the process.
//
// The package knows keys, bytes and revisions. It does not know files, clocks or what state keeps.
package memory
