// Command peers compares Gatehouse with other engines and with a plain loop over statements, and writes the tables of docs/benchmarks.md to its
// output.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/bench/casbin"
	"github.com/gatehouse-iam/gatehouse/bench/cedar"
	"github.com/gatehouse-iam/gatehouse/bench/compare"
	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/minio"
	"github.com/gatehouse-iam/gatehouse/bench/opa"
)

func main() {
	c := compare.Comparison{Progress: os.Stderr}
	flag.StringVar(&c.Testdata, "testdata", "testdata", "directory of the workloads")
	flag.IntVar(&c.Effort.Rounds, "rounds", 7, "rounds of each comparison")
	flag.DurationVar(&c.Effort.Slice, "slice", 100*time.Millisecond, "time of one engine in a round")
	flag.StringVar(&c.Only, "only", "", "one workload, or the figures without peers, instead of all")
	names := flag.String("peers", "", "the peers, by name and comma; all without it")
	flag.Parse()
	for _, e := range []engine.Engine{minio.Engine, opa.Engine, cedar.Engine, cedar.Tuned, casbin.Engine} {
		if *names == "" || strings.Contains(","+*names+",", ","+e.Name+",") {
			c.Peers = append(c.Peers, e)
		}
	}
	results, err := c.Run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	if missed := results.Write(os.Stdout); missed > 0 {
		fmt.Fprintf(os.Stderr, "peers: %d figures are not met\n", missed)
	}
}
