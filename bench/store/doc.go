// Package store is the second clock: authz.Decide from a principal's id and a view of a store, in memory, that holds the workload's users
// with their inline policies.
package store
