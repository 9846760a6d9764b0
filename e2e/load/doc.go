// Command load measures the built server against a bare net/http echo in the same run, with the same client.
//
//	go run ./e2e/load -binary bin/gatehouse [-check docs/benchmarks.md] [-write docs/benchmarks.md] [-only NAME]
//
// Every figure that compares two servers is measured in alternating rounds, so that a change in the machine's speed meets both; what is
// printed is the median of the rounds' ratios. All traffic stays on the loopback interface, and every round is bounded in time.
package main
