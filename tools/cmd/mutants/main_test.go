package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var forTests = options{module: "testdata/sample", least: 95, jobs: 2, grace: 2 * time.Second}

// testdata/sample.txt has every mutant of testdata/sample in order, with its fate. Who changes an operator changes it there by hand.
func TestFates(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/sample.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(strings.TrimSpace(string(text)), "\n")
	mutants, err := attack(&bytes.Buffer{}, forTests, nil, ".", []string{"."})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, m := range mutants {
		got = append(got, m.fate.String()+": "+m.String()+" ("+m.operator+")")
		if m.id != i+1 {
			t.Errorf("%s has the id %d, want %d", m, m.id, i+1)
		}
	}
	if !slices.Equal(got, want) {
		for _, line := range got {
			if !slices.Contains(want, line) {
				t.Errorf("not wanted: %s", line)
			}
		}
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("missing: %s", line)
			}
		}
		t.Fatalf("got %d mutants, want %d in this order", len(got), len(want))
	}
}

// Tests that fail by themselves would kill everything.
func TestBaselineMustPass(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":    "module example.com/m\n\ngo 1.26\n",
		"m.go":      "package m\n\nfunc f(n int) bool { return n > 1 }\n",
		"m_test.go": "package m\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) {\n\tif f(2) {\n\t\tt.Error(\"no\")\n\t}\n}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := forTests
	o.module = dir
	if err := run(&bytes.Buffer{}, o, []string{".=."}); err == nil || !strings.Contains(err.Error(), "TestF fails without a mutant") {
		t.Errorf("got %v", err)
	}
}

func TestOnlyAndSkip(t *testing.T) {
	t.Parallel()
	o := forTests
	o.only, o.skip = `^\..drained: n-- →`, "^TestDrained$"
	mutants, err := attack(&bytes.Buffer{}, o, nil, ".", []string{"."})
	if err != nil || len(mutants) != 1 || mutants[0].key() != "..drained: n-- → nothing" || mutants[0].fate != notRun {
		t.Errorf("got %v, %v", mutants, err)
	}
}

// Who is listed is tried again only where somebody asks for it, and is a survivor until then.
func TestListedAreLeftAlone(t *testing.T) {
	t.Parallel()
	const key = "..drained: n-- → nothing"
	for _, again := range []bool{false, true} {
		o := forTests
		o.again = again
		mutants, err := attack(&bytes.Buffer{}, o, list{key: "for the test"}, ".", []string{"."})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mutants {
			if want := m.key() != key || again; (m.fate != untried) != want {
				t.Errorf("again %t: %s: %s", again, m.key(), m.fate)
			}
		}
	}
}

func TestSample(t *testing.T) {
	t.Parallel()
	var all []*mutant
	for id := 1; id <= 100; id++ {
		all = append(all, &mutant{id: id})
	}
	ids := func(seed uint64) (ids []int) {
		for _, m := range sample(all, 10, seed) {
			ids = append(ids, m.id)
		}
		return ids
	}
	if a, b := ids(1), ids(1); !slices.Equal(a, b) || len(a) != 10 || !slices.IsSorted(a) {
		t.Errorf("one seed takes %v and %v", a, b)
	}
	if slices.Equal(ids(1), ids(2)) {
		t.Error("two seeds take the same ones")
	}
	if n := len(sample(all, 0, 1)); n != 100 {
		t.Errorf("0 takes %d", n)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	dead := &mutant{pkg: "p", function: "f", old: "a", new: "b", nth: 1, fate: failed}
	hung := &mutant{pkg: "p", function: "f", old: "a", new: "b", nth: 2, fate: endless}
	alive := &mutant{pkg: "p", function: "g", old: "c", new: "d", nth: 1, fate: survived}
	missed := &mutant{pkg: "p", function: "h", old: "e", new: "zero", nth: 1, fate: notRun}
	tests := []struct {
		name    string
		mutants []*mutant
		listed  list
		least   float64
		err     string
		out     []string
	}{
		{name: "all killed", mutants: []*mutant{dead, hung}, least: 100, out: []string{"mutants: 2 generated, 2 killed (100.0 %), 0 survived, 0 listed\n"}},
		{name: "not listed", mutants: []*mutant{dead, alive}, err: "1 survivors are not listed", out: []string{"NOT LISTED", "p.g: c → d\n"}},
		{name: "not reached", mutants: []*mutant{dead, missed}, err: "1 survivors are not listed", out: []string{"reached by no test"}},
		{
			name: "listed", mutants: []*mutant{dead, alive}, listed: list{"p.g: c → d": "the same"}, least: 100,
			out: []string{
				"listed: :0:0: c → d (survived)\n    the same\n", "mutants: 2 generated, 1 killed (50.0 %), 1 survived, 1 listed\n",
				"1 of the survivors are listed one by one; of the others 100.0 % are killed\n", "0 (0.0 %) are listed with their whole functions",
			},
		},
		{
			name: "listed with its function", mutants: []*mutant{dead, alive}, listed: list{"p.g: *": "speed"}, least: 50,
			out: []string{
				"listed: :0:0: c → d (survived)\n    speed\n", "mutants: 2 generated, 1 killed (50.0 %), 1 survived, 1 listed\n",
				"0 of the survivors are listed one by one; of the others 50.0 % are killed\n", "1 (50.0 %) are listed with their whole functions",
			},
		},
		{name: "too few", mutants: []*mutant{dead, alive}, listed: list{"p.g: *": "speed"}, least: 51, err: "50.0 % are killed, less than 51 %"},
		{name: "too few of the others", mutants: []*mutant{dead, alive, missed}, listed: list{"p.g: c → d": "the same", "p.h: *": "speed"}, least: 51, err: "50.0 % are killed, less than 51 %"},
		{name: "a function without survivors", mutants: []*mutant{dead, hung}, listed: list{"p.f: *": "r", "p.x: *": "r"}, out: []string{"it is killed (killed): p.f: *\n", "there is no such mutant: p.x: *\n"}},
		{
			name: "listed and killed", mutants: []*mutant{dead, hung}, listed: list{"p.f: a → b #2": "r", "p.x: y → z": "r"}, least: 95,
			out: []string{"it is killed (killed: endless): p.f: a → b #2\n", "there is no such mutant: p.x: y → z\n"},
		},
		{name: "none", err: "there are no mutants"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		err := report(&out, options{least: tt.least}, tt.mutants, tt.listed)
		if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.err)
		}
		for _, want := range tt.out {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: %q is missing in\n%s", tt.name, want, &out)
			}
		}
	}
}

func TestParseList(t *testing.T) {
	t.Parallel()
	got, err := parseList("# head\n\nOne reason\non two lines.\n\tp.f: a → b\n\tp.f: a → b #2\n\nAnother.\n\tp.g: c → d\n")
	if err != nil || len(got) != 3 || got["p.f: a → b #2"] != "One reason on two lines." || got["p.g: c → d"] != "Another." {
		t.Errorf("got %q, %v", got, err)
	}
	for text, want := range map[string]string{
		"\tp.f: a → b\n":                         "1: a mutant without a reason",
		"r\n\tp.f: a → b\n\n\tp.g: a → b\n":      "4: a mutant without a reason",
		"r\n\tp.f: a → b\n\tp.f: a → b\n":        "3: listed twice: p.f: a → b",
		"r\n\nq\n\tp.f: a → b\n":                 "1: a reason without mutants",
		"r\n":                                    "1: a reason without mutants",
		"r\n\tp.f: a → b\nanother\n\tp.g: a → b": "3: an empty line is missing before a reason",
	} {
		if _, err := parseList(text); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}
