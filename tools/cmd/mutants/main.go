// Command mutants changes the code of packages in many small ways, one at a time, and says which changes no test notices.
//
//	go -C tools run ./cmd/mutants -C .. -survivors cmd/mutants/survivors.txt policy=policy,policy/policytest internal/product=internal/product,internal/authz internal/authz=internal/authz
//
// An argument is a package and the packages whose tests must notice. All mutants of a package are compiled at once: each place that can
// change asks a variable which mutant is on (rewrite.go). So a test binary is built once, and run for each mutant with the tests that reach
// its place, the most promising first, until one fails; an endless loop and memory without end are failures too.
//
// A mutant that all tests survive is a gap in the tests, or a change that changes nothing. The list of survivors says which, and why. Those that
// it names one by one meet every test in vain, so they are tried with -again only: that finds who of them is killed by now. The
// command fails where a survivor is not listed, and where fewer of the mutants that are not listed one by one die than -least says. A line
// of the list may hold for a whole function that decides nothing; its mutants count as not killed. The command never writes into the module.
package main

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	module    string
	survivors string
	sample    int
	seed      uint64
	least     float64
	jobs      int
	grace     time.Duration
	only      string
	skip      string
	again     bool
	verbose   bool
}

func main() {
	var o options
	flag.StringVar(&o.module, "C", ".", "root of the module")
	flag.StringVar(&o.survivors, "survivors", "", "list of the survivors that are known, with reasons")
	flag.IntVar(&o.sample, "sample", 0, "take so many mutants only, by chance; 0 takes all")
	flag.Uint64Var(&o.seed, "seed", 1, "which ones a sample takes")
	flag.Float64Var(&o.least, "least", 95, "percent of the mutants that must be killed, of those that are not listed one by one")
	flag.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "mutants at a time")
	flag.DurationVar(&o.grace, "grace", 3*time.Second, "how long a test may hang, beyond ten times its usual time")
	flag.StringVar(&o.only, "only", "", "take the mutants only whose line in the list matches the regular expression")
	flag.StringVar(&o.skip, "skip", "", "leave out the tests whose names match the regular expression, to try something quickly")
	flag.BoolVar(&o.again, "again", false, "try the survivors too that are listed one by one, which otherwise count as such untried; -only tries all that it takes")
	flag.BoolVar(&o.verbose, "v", false, "print every test, and every mutant as soon as its fate is known")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "mutants: name packages: PACKAGE=TESTED,BY")
		os.Exit(2)
	}
	if err := run(os.Stdout, o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run is the command. The error says that the run failed, or that the mutants did not.
func run(w io.Writer, o options, args []string) error {
	listed := list{}
	if o.survivors != "" {
		text, err := os.ReadFile(o.survivors)
		if err != nil {
			return err
		}
		if listed, err = parseList(string(text)); err != nil {
			return fmt.Errorf("%s:%w", o.survivors, err)
		}
	}
	var all []*mutant
	for _, arg := range args {
		target, by, ok := strings.Cut(arg, "=")
		if !ok {
			return fmt.Errorf("%q is not PACKAGE=TESTED,BY", arg)
		}
		mutants, err := attack(w, o, listed, target, strings.Split(by, ","))
		if err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
		all = append(all, mutants...)
	}
	return report(w, o, all, listed)
}

// attack makes the mutants of a package and lets the tests at them.
func attack(w io.Writer, o options, listed list, target string, by []string) ([]*mutant, error) {
	dir, err := os.MkdirTemp("", "mutants-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	p, err := load(o.module, target)
	if err != nil {
		return nil, err
	}
	p.find()
	overlay, err := p.write(dir)
	if err != nil {
		return nil, err
	}
	r := runner{module: o.module, dir: dir, overlay: overlay, starts: p.starts, grace: o.grace, fast: map[string]*record{}}
	if err := r.build(by, o.skip); err != nil {
		return nil, err
	}
	if err := r.baseline(); err != nil {
		return nil, err
	}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format, args...) }
	if o.verbose {
		for _, t := range r.tests {
			say("%8.3f s %5d places  %s %s\n", t.took.Seconds(), len(t.reaches), t.dir, t.names[0])
		}
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return nil, err
	}
	mutants := slices.DeleteFunc(slices.Clone(p.mutants), func(m *mutant) bool { return !only.MatchString(m.key()) })
	mutants = sample(mutants, o.sample, o.seed)
	trying := mutants
	if !o.again && o.only == "" {
		trying = slices.DeleteFunc(slices.Clone(mutants), func(m *mutant) bool { return listed[m.key()] != "" })
	}
	say("%s: %d mutants in %d places, %d tests, %d to try\n", target, len(p.mutants), len(p.starts), len(r.tests), len(trying))
	return mutants, r.run(trying, o.jobs, func(m *mutant, done int) {
		if o.verbose {
			say("%s\t%s\t%s\n", m.fate, m, m.operator)
		}
		if done%500 == 0 {
			say("%s: %d tried\n", target, done)
		}
	})
}

// sample takes n of the mutants, in their order. The same seed takes the same ones.
func sample(mutants []*mutant, n int, seed uint64) []*mutant {
	if n <= 0 || n >= len(mutants) {
		return mutants
	}
	lot := func(m *mutant) string {
		sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", seed, m.id))
		return string(sum[:])
	}
	taken := slices.SortedFunc(slices.Values(mutants), func(a, b *mutant) int { return strings.Compare(lot(a), lot(b)) })[:n]
	slices.SortFunc(taken, func(a, b *mutant) int { return cmp.Compare(a.id, b.id) })
	return taken
}

// report prints what became of the mutants.
func report(w io.Writer, o options, all []*mutant, listed list) error {
	if len(all) == 0 {
		return errors.New("there are no mutants")
	}
	var out bytes.Buffer
	var unlisted []*mutant
	var equal, whole int // survivors that are listed one by one, and with their functions
	seen := map[string]*mutant{}
	for _, m := range all {
		seen[m.key()] = m
		if seen[m.functionKey()] == nil || !m.fate.killed() {
			seen[m.functionKey()] = m
		}
		if m.fate.killed() {
			continue
		}
		reason, of := listed.reason(m)
		switch {
		case reason == "":
			unlisted = append(unlisted, m)
			continue
		case of:
			whole++
		default:
			equal++
		}
		fmt.Fprintf(&out, "listed: %s (%s)\n    %s\n", m, m.fate, reason)
	}
	for _, m := range unlisted {
		fmt.Fprintf(&out, "NOT LISTED: %s (%s)\n    %s\n    %s\n", m, m.fate, m.source, m.key())
	}
	if o.sample == 0 && o.only == "" {
		for _, key := range listed.sorted() {
			switch m := seen[key]; {
			case m == nil:
				fmt.Fprintf(&out, "take it out of the list, there is no such mutant: %s\n", key)
			case m.fate.killed():
				fmt.Fprintf(&out, "take it out of the list, it is killed (%s): %s\n", m.fate, key)
			}
		}
	}
	survived := equal + whole + len(unlisted)
	killed := len(all) - survived
	share := func(n, of int) float64 { return 100 * float64(n) / float64(max(of, 1)) }
	percent := share(killed, len(all)-equal)
	fmt.Fprintf(&out, "mutants: %d generated, %d killed (%.1f %%), %d survived, %d listed\n", len(all), killed, share(killed, len(all)), survived, equal+whole)
	fmt.Fprintf(&out, "mutants: %d of the survivors are listed one by one; of the others %.1f %% are killed\n", equal, percent)
	fmt.Fprintf(&out, "mutants: %d (%.1f %%) are listed with their whole functions, and count as not killed\n", whole, share(whole, len(all)))
	if _, err := out.WriteTo(w); err != nil {
		return err
	}
	switch {
	case len(unlisted) > 0:
		return fmt.Errorf("%d survivors are not listed: add a case that tells them apart, or list them with the reason", len(unlisted))
	case percent < o.least:
		return fmt.Errorf("%.1f %% are killed, less than %g %%", percent, o.least)
	}
	return nil
}
