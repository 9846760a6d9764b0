// Package workload holds the policies and requests that every engine is measured with: those of bench/testdata, and two that are made
// here, the wide one from a seed and the long ones from their length. It knows AWS's JSON and nothing of any engine.
package workload
