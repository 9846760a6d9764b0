package policytest

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// The accounts of docs/spec/evaluation.md 13 that cases are about.
const (
	AccountA = "111111111111" // member of the organization o-1; the default of callers and owners
	AccountB = "222222222222" // another member
	AccountM = "000000000000" // the management account
	AccountX = "999999999999" // outside
)

// Case is one decision with its expected outcome.
type Case struct {
	File string // "" for a generated case
	Line int    // of "case"
	Name string // unique among the cases of one Load
	Spec string // the section of the specification
	Why  string

	Policies []Policy // in attachment order
	// SCPLevels and RCPLevels are the number of levels of the two chains, those without a policy too; 0 where there is no chain. Whether
	// a chain applies to the request is what Applies says.
	SCPLevels, RCPLevels int
	Gateway              bool     // the endpoint policy is that of a gateway endpoint
	Grantees             []string // of an ACL, as in policy.Request
	Caller               Caller
	Tags                 map[string]string // of the caller
	Action               string
	Resource             string
	Owner                string // "" for a request that names none
	// NeedsResourcePolicy is that of policy.Request.
	NeedsResourcePolicy bool
	Exempt              bool  // that of policy.Request
	Context             []Key // what differs from the environment
	PolicyContext       []Key // what differs from that for the policy of the resource, see policy.Request
	Want                Outcome

	hints hints // of a generated case
}

// Policy is a policy of a case.
type Policy struct {
	Layer policy.Layer
	Level int    // in the chain of LayerSCP and LayerRCP; 0 is the organization's root
	Name  string // unique in the case
	Text  string // a JSON document
}

// Key is one line "context".
type Key struct {
	Name   string
	Values []string
	Multi  bool
	Absent bool
}

// Outcome is what a case asserts of a decision.
type Outcome struct {
	Effect    policy.Effect
	Layer     policy.Layer
	Level     int    // of LayerSCP and LayerRCP
	Policy    string // name of the deciding policy, "" when no statement decided
	Statement int    // index of the deciding statement; 0 when there is none
}

// String prints the outcome as a case file writes it.
func (o Outcome) String() string {
	s := o.Effect.String() + " " + o.Layer.String()
	if chain(o.Layer) {
		s += fmt.Sprintf(" %d", o.Level)
	}
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
		fmt.Fprintf(&b, "%s: %s", strings.ToLower(p.Layer.String()), p.Name)
		switch {
		case chain(p.Layer):
			fmt.Fprintf(&b, " level %d", p.Level)
		case p.Layer == policy.LayerEndpoint && c.Gateway:
			b.WriteString(" gateway")
		}
		fmt.Fprintf(&b, "\n  %s\n", strings.ReplaceAll(p.Text, "\n", "\n  "))
	}
	for _, layer := range [...]policy.Layer{policy.LayerSCP, policy.LayerRCP} {
		for i, level := range c.Chain(layer) {
			if len(level) == 0 {
				fmt.Fprintf(&b, "%s: none level %d\n", strings.ToLower(layer.String()), i)
			}
		}
	}
	for _, g := range c.Grantees {
		fmt.Fprintf(&b, "acl: %s\n", c.grantee(g))
	}
	fmt.Fprintf(&b, "caller: %s\n", c.Caller)
	if len(c.Tags) > 0 {
		fmt.Fprintf(&b, "tags: %s\n", encode(c.Tags))
	}
	switch c.Owner {
	case AccountA:
	case "":
		b.WriteString("owner: caller\n")
	default:
		fmt.Fprintf(&b, "owner: %s\n", c.Owner)
	}
	if c.NeedsResourcePolicy {
		b.WriteString("needs: resource policy\n")
	}
	if c.Exempt {
		b.WriteString("exempt: yes\n")
	}
	fmt.Fprintf(&b, "request: %s on %s\n", quoteWord(c.Action), quoteWord(c.Resource))
	for _, k := range c.Context {
		fmt.Fprintf(&b, "context: %s\n", k)
	}
	for _, k := range c.PolicyContext {
		fmt.Fprintf(&b, "policy context: %s\n", k)
	}
	fmt.Fprintf(&b, "expect: %s\n", c.Want)
	return b.String()
}

// String prints the key as a case file writes it.
func (k Key) String() string {
	name := quoteWord(k.Name)
	if strings.Contains(k.Name, "=") {
		name = encode(k.Name)
	}
	switch {
	case k.Absent:
		return name + "=absent"
	case k.Multi:
		return name + "=" + encode(append([]string{}, k.Values...))
	}
	return name + "=" + encode(k.Values[0])
}

// encode prints JSON without the escapes for HTML, so that cases stay readable.
func encode(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, lists and maps of strings always marshal
	}
	return strings.TrimSuffix(b.String(), "\n")
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
