package policytest

import (
	"fmt"
	"io/fs"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Case is one decision with its expected outcome.
type Case struct {
	File string // "" for a generated case
	Line int    // of "case"
	Name string // unique among the cases of one Load
	Spec string // the section of the specification
	Why  string

	Policies []Policy // in attachment order
	Root     bool     // the caller is the root user
	Request  policy.Request
	Want     Outcome
}

// Policy is a policy of a case.
type Policy struct {
	Layer policy.Layer
	Name  string // unique in the case
	Text  string // a JSON document
}

// Outcome is what a case asserts of a decision.
type Outcome struct {
	Effect    policy.Effect
	Layer     policy.Layer
	Policy    string // name of the deciding policy, "" when no statement decided
	Statement int    // index of the deciding statement; 0 when there is none
}

// String prints the outcome as a case file writes it.
func (o Outcome) String() string {
	s := o.Effect.String() + " " + o.Layer.String()
	if o.Policy != "" {
		s += fmt.Sprintf(" %s#%d", o.Policy, o.Statement)
	}
	return s
}

// String prints the case as a case file writes it, for messages of failing tests.
func (c *Case) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "case %s\nspec: %s\nwhy: %s\n", c.Name, c.Spec, c.Why)
	for _, p := range c.Policies {
		fmt.Fprintf(&b, "%s: %s\n  %s\n", p.Layer, p.Name, strings.ReplaceAll(p.Text, "\n", "\n  "))
	}
	if c.Root {
		b.WriteString("caller: root\n")
	}
	fmt.Fprintf(&b, "request: %s on %s\nexpect: %s\n", quoteWord(c.Request.Action), quoteWord(c.Request.Resource), c.Want)
	return b.String()
}

// Load reads the cases of all files that match the pattern of fs.Glob. It fails on the first malformed case, on a name that occurs twice, and when
// there is no case.
func Load(fsys fs.FS, pattern string) ([]*Case, error) {
	files, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil, err
	}
	var cases []*Case
	names := make(map[string]*Case)
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		more, err := Parse(file, string(data))
		if err != nil {
			return nil, err
		}
		for _, c := range more {
			if other := names[c.Name]; other != nil {
				return nil, fmt.Errorf("%s:%d: case %s is also in %s:%d", c.File, c.Line, c.Name, other.File, other.Line)
			}
			names[c.Name] = c
		}
		cases = append(cases, more...)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("policytest: no case in %q", pattern)
	}
	return cases, nil
}
