package server

import (
	"net/http"
	"regexp"
	"runtime"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// metrics are what GET /metrics shows.
type metrics struct {
	registry *prometheus.Registry
	calls    *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	panics   prometheus.Counter
	// undecided are decisions that could not be made: see authz.Failure.
	undecided prometheus.Counter
	resolved  sync.Map // callKey → *callMetrics: looking labels up costs more than counting
}

type callKey struct {
	op   *wire.Operation
	code string
}

type callMetrics struct {
	count   prometheus.Counter
	seconds prometheus.Observer
}

// liveHeap adds go_gc_heap_live_bytes: what the last collection left.
var liveHeap = collectors.GoRuntimeMetricsRule{Matcher: regexp.MustCompile(`^/gc/heap/live:bytes$`)}

func newMetrics(version string) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gatehouse_calls_total", Help: "API calls by action and error code; the code of a success is empty.",
		}, []string{"action", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "gatehouse_call_seconds", Help: "Time from the first byte of a call's body to the last of its answer, by action.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"action"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gatehouse_panics_total", Help: "Requests that ended in a panic. Anything above 0 is a bug.",
		}),
	}
	m.undecided = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "gatehouse_decision_failures_total", Help: "Decisions that could not be made, and so were denials: a policy cannot be read, or a panic. Anything above 0 is to be repaired; the log says what.",
	})
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "gatehouse_build_info", Help: "1, with the version as a label.",
		ConstLabels: prometheus.Labels{"version": version, "go": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.calls, m.seconds, m.panics, m.undecided, build, collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(liveHeap)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(op *wire.Operation, code string, took time.Duration) {
	key := callKey{op, code}
	r, ok := m.resolved.Load(key)
	if !ok {
		action := "unknown"
		if op != nil {
			action = op.Action()
		}
		r, _ = m.resolved.LoadOrStore(key, &callMetrics{m.calls.WithLabelValues(action, code), m.seconds.WithLabelValues(action)})
	}
	r.(*callMetrics).count.Inc()
	r.(*callMetrics).seconds.Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
