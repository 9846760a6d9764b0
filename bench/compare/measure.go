package compare

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Effort is how long things are measured.
type Effort struct {
	Rounds int
	Slice  time.Duration // of one engine in one round
}

// check asks for every answer. The error names the first wrong one and counts them.
func check(decide engine.Decide, requests []workload.Request) error {
	wrong, first := 0, ""
	for i := range requests {
		got, err := decide(i)
		if err == nil && got == requests[i].Expect {
			continue
		}
		if wrong++; wrong > 1 {
			continue
		}
		first = fmt.Sprintf("request %d, %s on %s: allowed %t, want %t", i, requests[i].Action, requests[i].Resource, got, requests[i].Expect)
		if err != nil {
			first += ", " + err.Error()
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %d answers are wrong; %s", wrong, len(requests), first)
	}
	return nil
}

// subject is something that is measured: n answers, from the request at from on, round robin.
type subject struct {
	decide engine.Decide
	timed  int
	next   int
}

// run gives n answers.
func (s *subject) run(n int) error {
	i := s.next
	for range n {
		if _, err := s.decide(i); err != nil {
			return err
		}
		if i++; i == s.timed {
			i = 0
		}
	}
	s.next = i
	return nil
}

// calibrate finds how many answers fill a slice.
func (s *subject) calibrate(slice time.Duration) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for n := 1; ; n *= 2 {
		start := threadTime()
		if err := s.run(n); err != nil {
			return 0, err
		}
		if took := threadTime() - start; took > slice/4 {
			return max(1, int(float64(n)*float64(slice)/float64(took))), nil
		}
	}
}

// sample is one slice.
type sample struct{ ns, allocs, bytes float64 }

func (s *subject) sample(n int) (sample, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := threadTime()
	err := s.run(n)
	took := threadTime() - start
	runtime.ReadMemStats(&after)
	return sample{
		ns: float64(took.Nanoseconds()) / float64(n), allocs: float64(after.Mallocs-before.Mallocs) / float64(n),
		bytes: float64(after.TotalAlloc-before.TotalAlloc) / float64(n),
	}, err
}

// Cost is what one answer costs: medians.
type Cost struct{ Ns, Allocs, Bytes float64 }

// versus measures two in turns. ratio is how much longer the second one takes.
func versus(a, b *subject, e Effort) (costA, costB Cost, ratio float64, err error) {
	subjects, counts := [2]*subject{a, b}, [2]int{}
	for i, s := range subjects {
		if counts[i], err = s.calibrate(e.Slice); err != nil {
			return
		}
	}
	var samples [2][]sample
	var ratios []float64
	for round := range e.Rounds {
		var one [2]sample
		for turn := range subjects {
			i := (turn + round) % 2
			if one[i], err = subjects[i].sample(counts[i]); err != nil {
				return
			}
			samples[i] = append(samples[i], one[i])
		}
		ratios = append(ratios, one[1].ns/one[0].ns)
	}
	return cost(samples[0]), cost(samples[1]), median(ratios), nil
}

func cost(samples []sample) Cost {
	of := func(field func(sample) float64) float64 {
		var list []float64
		for _, s := range samples {
			list = append(list, field(s))
		}
		return median(list)
	}
	return Cost{
		of(func(s sample) float64 { return s.ns }), of(func(s sample) float64 { return s.allocs }), of(func(s sample) float64 { return s.bytes }),
	}
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}

// scaling is how much more two cores answer than one, the median of the rounds.
func scaling(s *subject, e Effort) (float64, error) {
	n, err := s.calibrate(e.Slice)
	if err != nil {
		return 0, err
	}
	var ratios []float64
	for range e.Rounds {
		one, err := parallel(s, 1, n)
		if err != nil {
			return 0, err
		}
		two, err := parallel(s, 2, n)
		if err != nil {
			return 0, err
		}
		ratios = append(ratios, 2*one.Seconds()/two.Seconds())
	}
	return median(ratios), nil
}

// parallel lets each of p goroutines on p cores give n answers.
func parallel(s *subject, p, n int) (time.Duration, error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(p))
	errs := make([]error, p)
	var all sync.WaitGroup
	start := time.Now()
	for g := range p {
		mine := &subject{decide: s.decide, timed: s.timed, next: g * s.timed / p}
		all.Go(func() { errs[g] = mine.run(n) })
	}
	all.Wait()
	took := time.Since(start)
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return took, nil
}

// processorTime is what f takes of all cores, collector included.
func processorTime(f func() error) (time.Duration, error) {
	before := usage()
	err := f()
	return usage() - before, err
}

func usage() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// heap is what is alive.
func heap() uint64 {
	var m runtime.MemStats
	for range 2 { // the second one frees what finalizers held
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
