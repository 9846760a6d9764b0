package compare

import (
	"fmt"
	"math"
	"time"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/gatehouse"
	"github.com/gatehouse-iam/gatehouse/bench/plain"
	"github.com/gatehouse-iam/gatehouse/bench/store"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Figure is a result that no peer is needed for.
type Figure struct {
	What, Measured, Reach string
	Met                   bool
}

// alone measures what is not a comparison with peers.
func (c *Comparison) alone(results *Results) error {
	w, err := workload.Read(c.Testdata, "W2-typical")
	if err != nil {
		return err
	}
	typical, err := newSubject(&gatehouse.Engine, engine.Strings, w)
	if err != nil {
		return err
	}
	for _, f := range []func(*workload.Workload, *subject) (Figure, error){c.layers, c.growth, c.cores, c.change} {
		figure, err := f(w, typical)
		if err != nil {
			return err
		}
		results.Figures = append(results.Figures, figure)
		fmt.Fprintf(c.Progress, "%s: %s\n", figure.What, figure.Measured)
	}
	if err := c.fromStore(results); err != nil {
		return err
	}
	if len(results.Rows) > 0 {
		results.Figures = append(results.Figures, allocations(results.Rows))
	}
	for i := range results.Rows {
		if r := &results.Rows[i]; r.Engine == gatehouse.Engine.Name && r.Load > 0 {
			results.Figures = append(results.Figures,
				Figure{"W4: loading, processor time", r.Load.Round(time.Millisecond).String(), "≤ 2.5 s", r.Load <= 2500*time.Millisecond},
				Figure{"W4: heap after loading", fmt.Sprintf("%.1f MB", float64(r.Heap)/1e6), "≤ 80 MB", r.Heap <= 80e6})
		}
	}
	return nil
}

// layers compares W2 with every layer present to W2.
func (c *Comparison) layers(w *workload.Workload, typical *subject) (Figure, error) {
	decide, err := gatehouse.Layers(w)
	if err != nil {
		return Figure{}, err
	}
	if err := check(decide, w.Requests); err != nil {
		return Figure{}, fmt.Errorf("every layer: %w", err)
	}
	_, all, ratio, err := versus(typical, &subject{decide: decide, timed: w.Timed}, c.Effort)
	return Figure{
		"W2 with every layer (3 levels of SCP, 3 of RCP, boundary, session and resource policy)",
		fmt.Sprintf("%s, %.2f × W2, %.0f allocations", duration(all.Ns), ratio, all.Allocs), "≤ 2.5 × W2", ratio <= 2.5 && all.Allocs < 0.5,
	}, err
}

// cores compares two cores to one.
func (c *Comparison) cores(w *workload.Workload, typical *subject) (Figure, error) {
	ours, err := scaling(typical, c.Effort)
	if err != nil {
		return Figure{}, err
	}
	loop, err := newSubject(&plain.Engine, engine.Strings, w)
	if err != nil {
		return Figure{}, err
	}
	theirs, err := scaling(loop, c.Effort)
	return Figure{
		"W2 on two cores", fmt.Sprintf("%.2f × one; the plain loop %.2f ×", ours, theirs), "≥ 1.85 × and ≥ the loop's", ours >= 1.85 && ours >= theirs,
	}, err
}

// change measures what is made again when one policy of a principal changes.
func (c *Comparison) change(w *workload.Workload, _ *subject) (Figure, error) {
	for principal, policies := range w.Policies {
		change, err := gatehouse.Change(principal, policies)
		if err != nil {
			return Figure{}, err
		}
		s := &subject{decide: change, timed: len(policies)}
		n, err := s.calibrate(c.Effort.Slice)
		if err != nil {
			return Figure{}, err
		}
		var list []sample
		for range c.Effort.Rounds {
			one, err := s.sample(n)
			if err != nil {
				return Figure{}, err
			}
			list = append(list, one)
		}
		took := cost(list)
		return Figure{
			"recompiling one principal after a change (Parse, Compile, NewSet of five policies)",
			fmt.Sprintf("%s, %.0f allocations", duration(took.Ns), took.Allocs), "≤ 50 µs", took.Ns <= 50_000,
		}, nil
	}
	return Figure{}, fmt.Errorf("%s has no policies", w.Name)
}

// growth is the exponent with which the time of W6 grows: the slope of the line through the logarithms, the median of rounds in which the
// lengths take turns.
func (c *Comparison) growth(*workload.Workload, *subject) (Figure, error) {
	base, err := workload.Read(c.Testdata, "W6-n10")
	if err != nil {
		return Figure{}, err
	}
	var subjects []*subject
	var x, exponents, longest []float64
	for _, n := range lengths {
		s, err := newSubject(&gatehouse.Engine, engine.Strings, workload.Long(base, n))
		if err != nil {
			return Figure{}, err
		}
		subjects, x = append(subjects, s), append(x, math.Log(float64(n)))
	}
	n, err := subjects[0].calibrate(c.Effort.Slice)
	if err != nil {
		return Figure{}, err
	}
	for range c.Effort.Rounds {
		var y []float64
		for i, s := range subjects {
			one, err := s.sample(n)
			if err != nil {
				return Figure{}, err
			}
			if y = append(y, math.Log(one.ns)); i == len(subjects)-1 {
				longest = append(longest, one.ns)
			}
		}
		exponents = append(exponents, slope(x, y))
	}
	exponent, last := median(exponents), median(longest)
	return Figure{
		"W6: 10,000 statements; exponent of the growth from 10", fmt.Sprintf("%s; %.3f", duration(last), exponent), "≤ 500 ns; ≤ 0.05",
		last <= 500 && exponent <= 0.05,
	}, nil
}

// fromStore is the second clock: what authz.Decide, from a principal's id and a view, takes more than policy.Decide on ready sets.
func (c *Comparison) fromStore(results *Results) error {
	one, err := workload.Read(c.Testdata, "W1-one")
	if err != nil {
		return err
	}
	many, err := wide()
	if err != nil {
		return err
	}
	for _, of := range []struct {
		w     *workload.Workload
		reach float64
	}{{one, 150}, {many, 250}} {
		figure, err := c.more(of.w, of.reach)
		if err != nil {
			return err
		}
		results.Figures = append(results.Figures, figure)
		fmt.Fprintf(c.Progress, "%s: %s\n", figure.What, figure.Measured)
	}
	return nil
}

func (c *Comparison) more(w *workload.Workload, reach float64) (Figure, error) {
	ready, err := newSubject(&gatehouse.Engine, engine.Strings, w)
	if err != nil {
		return Figure{}, err
	}
	s, err := store.Open(w)
	if err != nil {
		return Figure{}, err
	}
	defer s.Close()
	decide := s.Decide(w.Requests)
	if err := check(decide, w.Requests); err != nil {
		return Figure{}, fmt.Errorf("%s from the store: %w", w.Name, err)
	}
	sets, whole, ratio, err := versus(ready, &subject{decide: decide, timed: w.Timed}, c.Effort)
	more := (ratio - 1) * sets.Ns
	return Figure{
		w.Name + ": authz.Decide from a principal's id and a view, more than policy.Decide",
		fmt.Sprintf("%s more (%s), %.1f allocations", duration(more), duration(whole.Ns), whole.Allocs), fmt.Sprintf("≤ %g ns more; 0 where allowed", reach),
		more <= reach && (w.Wide() || whole.Allocs < 0.01), // of the wide workload half is denied, and a denial is made
	}, err
}

func slope(x, y []float64) float64 {
	var sx, sy, sxx, sxy float64
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	n := float64(len(x))
	return (n*sxy - sx*sy) / (n*sxx - sx*sx)
}

func allocations(rows []Row) Figure {
	worst := 0.0
	for i := range rows {
		if rows[i].Engine == gatehouse.Engine.Name {
			worst = max(worst, rows[i].Allocs)
		}
	}
	return Figure{"allocations of a decision, the most of all rows", fmt.Sprintf("%.2f", worst), "0", worst < 0.01}
}
