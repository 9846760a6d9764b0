package main

import "fmt"

// mutant is one change of the source.
type mutant struct {
	id       int // from 1, in the order of the source
	pkg      string
	file     string // from the root of the module
	line     int
	column   int
	function string // around it: "glob", "(*Set).readable"; literals belong to the function that they stand in
	operator string
	old, new string
	nth      int    // among equal changes of the function, from 1
	source   string // the line
	fate     fate
}

// key names the mutant in the list of survivors. It holds as long as the function and the changed text do, wherever they move.
func (m *mutant) key() string {
	key := fmt.Sprintf("%s.%s: %s → %s", m.pkg, m.function, m.old, m.new)
	if m.nth > 1 {
		key += fmt.Sprintf(" #%d", m.nth)
	}
	return key
}

// functionKey stands in the list for all mutants of the function.
func (m *mutant) functionKey() string { return m.pkg + "." + m.function + ": *" }

// String is what a person looks for in an editor.
func (m *mutant) String() string {
	return fmt.Sprintf("%s:%d:%d: %s → %s", m.file, m.line, m.column, m.old, m.new)
}

// fate is what became of a mutant.
type fate uint8

const (
	untried  fate = iota
	survived      // every test that reaches it passed
	notRun        // no test reaches it
	failed        // a test failed
	endless       // a test did not end in time
)

func (f fate) killed() bool { return f == failed || f == endless }

func (f fate) String() string {
	return [...]string{"not tried", "survived", "reached by no test", "killed", "killed: endless"}[f]
}
