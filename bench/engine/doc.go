// Package engine says what every engine of the comparison does: it reads the policies of a workload in its own way and answers the
// workload's requests. It knows no engine.
package engine
