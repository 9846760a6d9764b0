package compare

import (
	"fmt"
	"io"
	"strings"

	"github.com/gatehouse-iam/gatehouse/bench/gatehouse"
)

// reach is how many times as long a peer is to take.
var reach = []struct {
	workload, engine string
	ratio            float64
}{
	{"W1-one", "minio/pkg", 9}, {"W1-one", "plain loop", 4},
	{"W2-typical", "minio/pkg", 15}, {"W2-typical", "plain loop", 4},
	{"W3-heavy500", "OPA", 60}, {"W3-heavy500", "cedar-go", 700}, {"W3-heavy500", "plain loop", 100},
	{"W3b-wild500", "cedar-go", 75},
	{"W4-wide", "minio/pkg", 28},
	{"W5-cond20", "cedar-go", 5},
}

// Write writes the tables as Markdown. It returns how many figures are not met.
func (r *Results) Write(to io.Writer) (missed int) {
	missed = r.writeRows(to)
	r.writeLoads(to)
	if len(r.Figures) == 0 {
		return missed
	}
	fmt.Fprint(to, "\n| Figure | Measured | Reach | Met |\n|---|---|---|---|\n")
	for _, f := range r.Figures {
		fmt.Fprintf(to, "| %s | %s | %s | %s |\n", f.What, f.Measured, f.Reach, yes(f.Met))
		if !f.Met {
			missed++
		}
	}
	return missed
}

func (r *Results) writeRows(to io.Writer) (missed int) {
	if len(r.Rows) == 0 {
		return 0
	}
	fmt.Fprint(to, "| Workload | Engine | Context | Time | Allocations | Bytes | × Gatehouse | Reach | Met |\n|---|---|---|---|---|---|---|---|---|\n")
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Wrong != "" {
			fmt.Fprintf(to, "| %s | %s | %s | not timed: %s | | | | | |\n", row.Workload, row.Engine, row.Form, strings.ReplaceAll(row.Wrong, "|", `\|`))
			continue
		}
		ratio, goal, met := fmt.Sprintf("%.1f", row.Ratio), "", ""
		if row.Engine == gatehouse.Engine.Name {
			ratio = ""
		}
		for _, want := range reach {
			if want.workload == row.Workload && strings.HasPrefix(row.Engine, want.engine) {
				goal, met = fmt.Sprintf("≥ %g", want.ratio), yes(row.Ratio >= want.ratio)
				if row.Ratio < want.ratio {
					missed++
				}
			}
		}
		fmt.Fprintf(to, "| %s | %s | %s | %s | %.0f | %.0f | %s | %s | %s |\n",
			row.Workload, row.Engine, row.Form, duration(row.Ns), row.Allocs, row.Bytes, ratio, goal, met)
	}
	return missed
}

// writeLoads writes what loading the wide workload took, once for each engine.
func (r *Results) writeLoads(to io.Writer) {
	seen := map[string]bool{}
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Load == 0 || seen[row.Engine] {
			continue
		}
		if len(seen) == 0 {
			fmt.Fprint(to, "\n| Loading W4 | Processor time | Heap |\n|---|---|---|\n")
		}
		seen[row.Engine] = true
		fmt.Fprintf(to, "| %s | %.2f s | %.0f MB |\n", row.Engine, row.Load.Seconds(), float64(row.Heap)/1e6)
	}
}

func yes(met bool) string {
	if met {
		return "yes"
	}
	return "**no**"
}

func duration(ns float64) string {
	switch {
	case ns < 1000:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 100_000:
		return fmt.Sprintf("%.1f µs", ns/1000)
	case ns < 1e6:
		return fmt.Sprintf("%.0f µs", ns/1000)
	}
	return fmt.Sprintf("%.1f ms", ns/1e6)
}
