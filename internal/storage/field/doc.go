// Package field reads and writes the fields of the records that storage engines keep: varints and byte strings preceded by their length.
//
// It knows nothing of what the records are.
package field
