package policy_test

import (
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Explaining takes so many times as long as deciding: the fastest of many rounds of each, as a busy machine slows down both.
func BenchmarkExplain(b *testing.B) {
	fastest := func(w *workload, do func(c *workCase)) float64 {
		best := time.Duration(1 << 62)
		for begin := time.Now(); time.Since(begin) < 50*time.Millisecond; {
			round := time.Now()
			for i := range w.Timed {
				do(&w.cases[i])
			}
			best = min(best, time.Since(round))
		}
		return float64(best) / float64(w.Timed)
	}
	run := func(w *workload) {
		w.check(b)
		b.Run(w.Name, func(b *testing.B) {
			explain := fastest(w, func(c *workCase) { policy.Explain(c.sets, &c.request) })
			decide := fastest(w, func(c *workCase) { policy.Decide(c.sets, &c.request) })
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				policy.Explain(w.cases[i].sets, &w.cases[i].request)
				if i++; i == w.Timed {
					i = 0
				}
			}
			b.ReportMetric(explain, "fastest-ns")
			b.ReportMetric(explain/decide, "decisions")
		})
	}
	for _, name := range workloadNames {
		run(readWorkload(b, name))
	}
	run(layersWorkload(b))
}
