// Package robustness holds no code, only tests that treat the built binary badly: kill -9 under load, damaged files, full disks, a stop
// under load, hostile connections. What the server acknowledged must be there afterwards, and nothing may be there by half.
//
// `make faults` (GATEHOUSE_FAULTS=1) runs everything; without it a short run of kills remains. GATEHOUSE_FAULTS_SEED=N repeats the choices
// of a run (its test log names the seed); what the scheduler of the machine does is not repeated. GATEHOUSE_FAULTS_KEEP=DIR keeps journals
// and data directories there,
// GATEHOUSE_FAULTS_BINARY=FILE tests a binary that is built already.
//
// The package knows the wire and the command line. It does not know the server's insides, except where a test makes damage on purpose:
// there it opens the store's file.
package robustness
