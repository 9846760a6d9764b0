package compare

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/gatehouse"
	"github.com/gatehouse-iam/gatehouse/bench/plain"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Row is one engine with one workload.
type Row struct {
	Workload, Engine string
	Form             engine.Form
	Cost
	Ratio float64 // how many times as long as Gatehouse
	Load  time.Duration
	Heap  uint64 // with Load, only of the wide workload
	Wrong string // why there are no figures
}

// Results are all figures.
type Results struct {
	Rows    []Row
	Figures []Figure // those without peers
}

// Comparison is what is compared, and how.
type Comparison struct {
	Testdata string
	Peers    []engine.Engine
	Effort   Effort
	Progress io.Writer
	Only     string // one workload; "" = all
}

// files are the workloads that stand in files, and lengths those of W6.
var (
	files   = []string{"W1-one", "W2-typical", "W3-heavy500", "W3b-wild500", "W5-cond20"}
	lengths = []int{10, 100, 1000, 10000}
)

// Seeds and size of the wide workload.
const (
	wideSeed     = 20261122
	wideRequests = 16_000
)

// Run measures everything.
func (c *Comparison) Run() (*Results, error) {
	results := &Results{}
	base, err := workload.Read(c.Testdata, "W6-n10")
	if err != nil {
		return nil, err
	}
	for _, name := range files {
		w, err := workload.Read(c.Testdata, name)
		if err != nil {
			return nil, err
		}
		if err := c.compare(results, w); err != nil {
			return nil, err
		}
	}
	for _, n := range lengths {
		if err := c.compare(results, workload.Long(base, n)); err != nil {
			return nil, err
		}
	}
	if c.Only == "" || c.Only == "W4-wide" {
		if err := c.wide(results); err != nil {
			return nil, err
		}
	}
	if c.Only != "" && c.Only != "figures" {
		return results, nil
	}
	return results, c.alone(results)
}

// compare measures one workload with every engine.
func (c *Comparison) compare(results *Results, w *workload.Workload) error {
	if c.Only != "" && c.Only != w.Name {
		return nil
	}
	ours, err := newSubject(&gatehouse.Engine, engine.Strings, w)
	if err != nil {
		return fmt.Errorf("%s: %w", w.Name, err)
	}
	own := Row{Workload: w.Name, Engine: gatehouse.Engine.Name, Form: engine.Strings, Ratio: 1}
	at := len(results.Rows)
	results.Rows = append(results.Rows, own)
	var costs []Cost
	for _, e := range append([]engine.Engine{plain.Engine}, c.Peers...) {
		for _, form := range e.Forms {
			row := Row{Workload: w.Name, Engine: e.Name, Form: form}
			mine, err := c.measure(&row, ours, func() (*subject, error) { return newSubject(&e, form, w) })
			if err != nil {
				return err
			}
			costs = append(costs, mine...)
			results.Rows = append(results.Rows, row)
		}
	}
	results.Rows[at].Cost = cost(samples(costs))
	c.report(&results.Rows[at])
	return nil
}

// measure fills row from a comparison with ours, whose costs it returns; without them where the other engine's answers are not right.
func (c *Comparison) measure(row *Row, ours *subject, other func() (*subject, error)) ([]Cost, error) {
	defer func() { c.report(row) }()
	theirs, err := other()
	if err != nil {
		row.Wrong = err.Error()
		return nil, nil // what a peer gets wrong is a result
	}
	var mine Cost
	mine, row.Cost, row.Ratio, err = versus(ours, theirs, c.Effort)
	return []Cost{mine}, err
}

func samples(costs []Cost) []sample {
	var list []sample
	for _, c := range costs {
		list = append(list, sample{c.Ns, c.Allocs, c.Bytes})
	}
	return list
}

// newSubject loads and checks.
func newSubject(e *engine.Engine, form engine.Form, w *workload.Workload) (*subject, error) {
	loaded, err := e.Load(w)
	if err != nil {
		return nil, err
	}
	return prepared(loaded, form, w)
}

func prepared(loaded engine.Loaded, form engine.Form, w *workload.Workload) (*subject, error) {
	decide, err := loaded.Prepare(form, w.Requests)
	if err != nil {
		return nil, err
	}
	if err := check(decide, w.Requests); err != nil {
		return nil, err
	}
	return &subject{decide: decide, timed: w.Timed}, nil
}

func (c *Comparison) report(r *Row) {
	if r.Wrong != "" {
		fmt.Fprintf(c.Progress, "%-12s %-10s %-8s %s\n", r.Workload, r.Engine, r.Form, r.Wrong)
		return
	}
	fmt.Fprintf(c.Progress, "%-12s %-10s %-8s %12.1f ns %8.1f allocs %10.0f B  %8.2f x\n", r.Workload, r.Engine, r.Form, r.Ns, r.Allocs, r.Bytes, r.Ratio)
}

func wide() (*workload.Workload, error) {
	return workload.Wide(wideSeed, workload.WidePrincipals, wideRequests)
}

// wide measures the wide workload: as compare does, and what loading takes.
func (c *Comparison) wide(results *Results) error {
	w, err := wide()
	if err != nil {
		return err
	}
	own := Row{Workload: w.Name, Engine: gatehouse.Engine.Name, Form: engine.Strings, Ratio: 1}
	loaded, err := load(&gatehouse.Engine, w, &own)
	if err != nil {
		return err
	}
	ours, err := prepared(loaded, engine.Strings, w)
	if err != nil {
		return fmt.Errorf("%s: %w", w.Name, err)
	}
	at := len(results.Rows)
	results.Rows = append(results.Rows, own)
	var costs []Cost
	for _, e := range append([]engine.Engine{plain.Engine}, c.Peers...) {
		first := Row{Workload: w.Name, Engine: e.Name, Form: engine.Strings}
		loaded, err := load(&e, w, &first)
		if err != nil {
			first.Wrong = err.Error()
			results.Rows = append(results.Rows, first)
			continue
		}
		for _, form := range e.Forms {
			row := first
			row.Form = form
			mine, err := c.measure(&row, ours, func() (*subject, error) { return prepared(loaded, form, w) })
			if err != nil {
				return err
			}
			costs = append(costs, mine...)
			results.Rows = append(results.Rows, row)
		}
	}
	results.Rows[at].Cost = cost(samples(costs))
	c.report(&results.Rows[at])
	return nil
}

// load loads a wide workload and notes what it took. Each engine makes its own copies of the texts, which count.
func load(e *engine.Engine, w *workload.Workload, row *Row) (loaded engine.Loaded, err error) {
	before := heap()
	row.Load, err = processorTime(func() (err error) {
		loaded, err = e.Load(w)
		return err
	})
	if after := heap(); after > before {
		row.Heap = after - before
	}
	runtime.KeepAlive(w)
	return loaded, err
}
