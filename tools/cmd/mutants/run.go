package main

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// test is a test function, or several fast ones of a binary that run together.
type test struct {
	binary  string
	dir     string // where it runs
	names   []string
	took    time.Duration
	reaches map[int]bool // the points, by their first mutants
	record  *record
}

// record is how well a test, or the fast tests of a binary, did so far: who kills much in little time goes first. The fate of a mutant does
// not depend on the order.
type record struct {
	spent time.Duration
	kills int
}

// worth is how many mutants a second with the test kills, as far as anybody knows.
func (t *test) worth() float64 {
	return float64(t.record.kills+1) / (t.record.spent + t.took).Seconds()
}

// together is how long tests may take that share a process: starting one costs as much as many fast tests.
const together = 20 * time.Millisecond

// patience is how many times as long as the unchanged tests a process may take; options.grace is added for a machine that does other
// things too.
const patience = 10

// runner has the tests of a package, built with all its mutants.
type runner struct {
	module, dir, overlay string
	starts               []int
	grace                time.Duration
	tests                []*test // the fastest first
	fast                 map[string]*record
	records              sync.Mutex
}

var function = regexp.MustCompile(`^(Test|Example|Fuzz)`)

// build makes the test binaries and lists their tests, but those whose names match skip.
func (r *runner) build(packages []string, skip string) error {
	skipped, err := regexp.Compile(cmp.Or(skip, "^$"))
	if err != nil {
		return err
	}
	for i, pkg := range packages {
		binary := filepath.Join(r.dir, fmt.Sprintf("tests%d", i))
		r.fast[binary] = &record{}
		build := exec.Command("go", "test", "-c", "-vet=off", "-overlay", r.overlay, "-o", binary, "./"+pkg)
		build.Dir = r.module
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("the mutants do not compile: %w\n%s", err, out)
		}
		dir, err := filepath.Abs(filepath.Join(r.module, pkg))
		if err != nil {
			return err
		}
		list := exec.Command(binary, "-test.list", ".")
		list.Dir = dir
		out, err := list.Output()
		if err != nil {
			return fmt.Errorf("%s has no tests: %w", pkg, err)
		}
		for name := range strings.Lines(string(out)) {
			if name = strings.TrimSpace(name); function.MatchString(name) && !skipped.MatchString(name) {
				r.tests = append(r.tests, &test{binary: binary, dir: dir, names: []string{name}, record: &record{}})
			}
		}
	}
	return nil
}

// baseline runs every test without a mutant, notes how long it takes and what it reaches. They have to pass.
func (r *runner) baseline() error {
	for _, t := range r.tests {
		begin := time.Now()
		if out, err := t.start(context.Background()).CombinedOutput(); err != nil {
			return fmt.Errorf("%s fails without a mutant: %w\n%s", t.names[0], err, out)
		}
		t.took = time.Since(begin)
		record := filepath.Join(r.dir, "reached")
		if out, err := t.start(context.Background(), "MUTANTS_RECORD="+record).CombinedOutput(); err != nil {
			return fmt.Errorf("%s fails while its way is recorded: %w\n%s", t.names[0], err, out)
		}
		ids, err := os.ReadFile(record)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		if err == nil {
			if err := os.Remove(record); err != nil {
				return err
			}
		}
		t.reaches = map[int]bool{}
		for ; len(ids) >= 4; ids = ids[4:] {
			t.reaches[r.point(int(binary.LittleEndian.Uint32(ids)))] = true
		}
	}
	slices.SortStableFunc(r.tests, func(a, b *test) int { return cmp.Compare(a.took, b.took) })
	return nil
}

// point is the first mutant of the place that a mutant belongs to.
func (r *runner) point(id int) int {
	at, exact := slices.BinarySearch(r.starts, id)
	if !exact {
		at--
	}
	return r.starts[at]
}

// start is the process of a test.
func (t *test) start(ctx context.Context, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, t.binary, "-test.run", "^("+strings.Join(t.names, "|")+")$", "-test.failfast", "-test.parallel=1", "-test.timeout=0")
	cmd.Dir, cmd.Env = t.dir, append(os.Environ(), append(env, "GOMAXPROCS=1")...)
	return cmd
}

// run finds the fate of every mutant. It ends early where a process cannot be started, which says nothing of a mutant.
func (r *runner) run(mutants []*mutant, jobs int, progress func(m *mutant, done int)) error {
	var next atomic.Int64
	var wait sync.WaitGroup
	var state sync.Mutex
	var done int
	var fault error
	for range max(jobs, 1) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(mutants)); i = next.Add(1) - 1 {
				fate, err := r.try(mutants[i].id)
				mutants[i].fate = fate
				state.Lock()
				if done++; err != nil {
					fault = err
				}
				failed := fault != nil
				progress(mutants[i], done)
				state.Unlock()
				if failed {
					return
				}
			}
		})
	}
	wait.Wait()
	return fault
}

// try runs the tests that reach the mutant until one fails, the most promising first.
func (r *runner) try(id int) (fate, error) {
	tests := r.reaching(r.point(id))
	if len(tests) == 0 {
		return notRun, nil
	}
	for _, t := range tests {
		ctx, cancel := context.WithTimeout(context.Background(), patience*t.took+r.grace)
		cmd := t.start(ctx, fmt.Sprintf("MUTANTS_ACTIVE=%d", id))
		cmd.WaitDelay = time.Second
		if err := cmd.Start(); err != nil {
			cancel()
			return untried, err
		}
		begin := time.Now()
		passed := cmd.Wait() == nil
		r.note(t, time.Since(begin), !passed)
		late := errors.Is(context.Cause(ctx), context.DeadlineExceeded)
		cancel()
		switch {
		case passed:
		case late:
			return endless, nil
		default:
			return failed, nil
		}
	}
	return survived, nil
}

func (r *runner) note(t *test, took time.Duration, kill bool) {
	r.records.Lock()
	defer r.records.Unlock()
	t.record.spent += took
	if kill {
		t.record.kills++
	}
}

// reaching are the tests that reach a point, the most promising first, fast ones of one binary together.
func (r *runner) reaching(point int) []*test {
	r.records.Lock()
	defer r.records.Unlock()
	var tests []*test
	groups := map[string]*test{}
	for _, t := range r.tests {
		if !t.reaches[point] {
			continue
		}
		if t.took > together {
			tests = append(tests, t)
			continue
		}
		group := groups[t.binary]
		if group == nil {
			group = &test{binary: t.binary, dir: t.dir, record: r.fast[t.binary]}
			groups[t.binary] = group
			tests = append(tests, group)
		}
		group.names = append(group.names, t.names...)
		group.took += t.took
	}
	slices.SortStableFunc(tests, func(a, b *test) int { return cmp.Compare(b.worth(), a.worth()) })
	return tests
}
