package policy_test

import (
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Explaining takes so many times as long as deciding.
func BenchmarkExplain(b *testing.B) {
	run := func(w *workload) {
		w.check(b)
		b.Run(w.Name, func(b *testing.B) {
			begin, rounds := time.Now(), 0
			for ; time.Since(begin) < 20*time.Millisecond; rounds++ {
				for i := range w.Timed {
					policy.Decide(w.cases[i].sets, &w.cases[i].request)
				}
			}
			decide := float64(time.Since(begin)) / float64(rounds*w.Timed)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				policy.Explain(w.cases[i].sets, &w.cases[i].request)
				if i++; i == w.Timed {
					i = 0
				}
			}
			b.ReportMetric(float64(b.Elapsed())/float64(b.N)/decide, "decisions")
		})
	}
	for _, name := range workloadNames {
		run(readWorkload(b, name))
	}
	run(layersWorkload(b))
}
