// Command plain compares Gatehouse with the plain loop over statements, without any peer: a minute, and nothing to download.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/gatehouse-iam/gatehouse/bench/compare"
)

func main() {
	c := compare.Comparison{Progress: os.Stderr}
	flag.StringVar(&c.Testdata, "testdata", "testdata", "directory of the workloads")
	flag.IntVar(&c.Effort.Rounds, "rounds", 7, "rounds of each comparison")
	flag.DurationVar(&c.Effort.Slice, "slice", 100*time.Millisecond, "time of one engine in a round")
	flag.StringVar(&c.Only, "only", "", "one workload, or the figures without peers, instead of all")
	flag.Parse()
	results, err := c.Run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "plain:", err)
		os.Exit(1)
	}
	if results.Write(os.Stdout) > 0 {
		os.Exit(2)
	}
}
