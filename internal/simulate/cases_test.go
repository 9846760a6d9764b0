package simulate_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

var update = flag.Bool("update", false, "write the lists of testdata anew")

// cases are all decision cases of the repository.
func cases(t *testing.T) []*policytest.Case {
	t.Helper()
	var all []*policytest.Case
	for _, pattern := range []string{"*.case", "engine/*.case"} {
		list, err := policytest.Load(os.DirFS("../../policy/policytest/testdata"), pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list...)
	}
	return all
}

// inputOf is a case as an input.
func inputOf(c *policytest.Case) (*simulate.Input, error) {
	request := c.Request()
	caller := c.Caller.Policy()
	in := &simulate.Input{
		Sets: simulate.SetsOf(caller), Actions: []string{c.Action}, Resources: []string{c.Resource}, Owner: c.Owner,
		Context: request.Context, PolicyContext: request.PolicyContext, NeedsResourcePolicy: c.NeedsResourcePolicy,
		Grantees: c.Grantees, Gateway: c.Gateway, Exempt: c.Exempt,
	}
	if c.Owner == "" {
		in.Owner = caller.Account
	}
	in.Sets.Root = c.Caller.Root()
	layers := map[policy.Layer][]*policy.Attached{}
	levels := map[policy.Layer][][]*policy.Attached{
		policy.LayerSCP: make([][]*policy.Attached, c.SCPLevels), policy.LayerRCP: make([][]*policy.Attached, c.RCPLevels),
	}
	for _, p := range c.Policies {
		d, err := policy.Decode(p.Text, policytest.Kind(p.Layer))
		if err != nil {
			return nil, err
		}
		compiled, err := policy.Compile(d)
		if err != nil {
			return nil, err
		}
		a := &policy.Attached{Policy: compiled, Name: p.Name}
		switch p.Layer {
		case policy.LayerSCP, policy.LayerRCP:
			levels[p.Layer][p.Level] = append(levels[p.Layer][p.Level], a)
		case policy.LayerResource:
			in.ResourcePolicy = a
		case policy.LayerTrust:
			in.Trust = a
		case policy.LayerEndpoint:
			in.Endpoint = a
		default:
			layers[p.Layer] = append(layers[p.Layer], a)
		}
	}
	set := func(list []*policy.Attached) *policy.Set {
		if list == nil {
			return nil
		}
		return policy.NewSet(list...)
	}
	in.Sets.Identity, in.Sets.Boundary, in.Sets.Session = set(layers[policy.LayerIdentity]), set(layers[policy.LayerBoundary]), set(layers[policy.LayerSession])
	if c.Applies(policy.LayerSCP) {
		for _, level := range levels[policy.LayerSCP] {
			in.Sets.SCP = append(in.Sets.SCP, set(level))
		}
	}
	if in.Owner == policytest.AccountA || in.Owner == policytest.AccountB { // the members; which resources RCPs reach is the simulator's to know
		for _, level := range levels[policy.LayerRCP] {
			in.RCP = append(in.RCP, set(level))
		}
	}
	return in, nil
}

// simulated is the outcome of a case, and why it is not the expected one where the simulator knows more than the case says; "" where it must be.
func simulated(c *policytest.Case) (got policytest.Outcome, check *simulate.Check, reason string, err error) {
	in, err := inputOf(c)
	if err != nil {
		return got, nil, "", err
	}
	results, err := simulate.Run(in)
	if err != nil {
		return got, nil, "", err
	}
	check = &results[0].Checks[0]
	d := check.Decision
	got = policytest.Outcome{Effect: d.Effect, Layer: d.Layer, Level: d.Level, Statement: d.Statement}
	if d.Policy != nil {
		got.Policy = d.Policy.Name
	}
	switch {
	case check.Refusal != "":
		reason = "refused before policies: " + check.Refusal
	case check.Verdict != catalog.Known && c.Want.Effect == policy.Allow && c.Want.Layer != policy.LayerExempt:
		reason = fmt.Sprintf("the catalogue denies what policies allow: %s", check.Verdict)
	}
	return got, check, reason, nil
}

// Every decision case runs through the simulator: its decision is the expected one, or the catalogue's or the credentials' denial, which
// testdata/cases.txt lists. go test ./internal/simulate -run TestCases -update writes the list.
func TestCases(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	ran, differ := 0, 0
	for _, c := range cases(t) {
		got, check, reason, err := simulated(c)
		switch {
		case err != nil:
			t.Errorf("%s:%d: %v", c.File, c.Line, err)
		case reason != "":
			differ++
			fmt.Fprintf(&list, "%s %s on %s: %s\n", c.Name, c.Action, c.Resource, reason)
			if got.Effect == policy.Allow || got.Layer != policy.LayerNone {
				t.Errorf("%s:%d: got %s, want a denial of no layer: %s", c.File, c.Line, got, reason)
			}
		case got != c.Want:
			t.Errorf("%s:%d: got %s, want %s (verdict %s)\n%s", c.File, c.Line, got, c.Want, check.Verdict, c)
		default:
			ran++
			matchedRight(t, c, check)
		}
	}
	if ran < 1000 {
		t.Errorf("only %d cases ran", ran)
	}
	golden(t, "cases.txt", list.String())
	t.Logf("%d cases decided as expected, %d denied besides", ran, differ)
}

// matchedRight compares what a result says beside its decision with the decision.
func matchedRight(t *testing.T, c *policytest.Case, check *simulate.Check) {
	t.Helper()
	d := check.Decision
	found := slices.ContainsFunc(check.Matched, func(m simulate.Match) bool {
		return m.Policy == d.Policy && m.Statement == d.Statement && m.Layer == d.Layer
	})
	switch {
	case d.Effect == policy.DenyImplicit && check.Matched != nil:
		t.Errorf("%s:%d: statements matched an implicit deny: %v", c.File, c.Line, check.Matched)
	case d.Policy != nil && !found:
		t.Errorf("%s:%d: the deciding statement is not among those that matched: %v", c.File, c.Line, check.Matched)
	}
	for _, m := range check.Matched {
		s := m.Policy.Policy.Document().Statements[m.Statement]
		if s.Denies() != (d.Effect == policy.DenyExplicit) || s.Sid != m.Sid {
			t.Errorf("%s:%d: %v is not a statement that led to %s", c.File, c.Line, m, d.Effect)
		}
	}
	if check.AllowedByBoundary != nil && d.Layer == policy.LayerBoundary && *check.AllowedByBoundary {
		t.Errorf("%s:%d: the boundary denied, and is said to allow", c.File, c.Line)
	}
	if d.Layer == policy.LayerSCP && (check.AllowedByOrganization == nil || *check.AllowedByOrganization) {
		t.Errorf("%s:%d: an SCP denied, and the organization is said to allow", c.File, c.Line)
	}
}

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what the test finds; -update writes it anew. Found:\n%s", file, got)
	}
}
