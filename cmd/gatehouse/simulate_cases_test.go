package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/internal/offline"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

var update = flag.Bool("update", false, "write the goldens of testdata anew")

// golden compares a text with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test ./cmd/gatehouse -update writes it anew):\n%s", path, got)
	}
}

// Every decision case that can be written as a case of a suite runs through the command with the same outcome: effect, layer, level, policy
// and statement. testdata/cases.txt lists those that cannot, and why.
func TestSimulateCases(t *testing.T) {
	t.Parallel()
	var cases []*policytest.Case
	for _, pattern := range []string{"*.case", "engine/*.case"} {
		list, err := policytest.Load(os.DirFS("../../policy/policytest/testdata"), pattern)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, list...)
	}
	w := newWorld(t)
	var not strings.Builder
	var order []string
	suites := map[string]*strings.Builder{}
	byName := map[string]*policytest.Case{}
	for _, c := range cases {
		text, reason := caseText(c)
		if reason != "" {
			fmt.Fprintf(&not, "%s: %s\n", c.Name, reason)
			continue
		}
		b := suites[c.File]
		if b == nil {
			b = &strings.Builder{}
			fmt.Fprintf(b, "name: %s\ncatalog: false\nunchecked: true\ncases:\n", quoted(c.File))
			suites[c.File] = b
			order = append(order, c.File)
		}
		b.WriteString(text)
		byName[c.Name] = c
	}
	args := []string{"simulate", "--output", "json"}
	for i, name := range order {
		file := filepath.Join(w.dir, strconv.Itoa(i)+".yaml")
		args = append(args, "--suite", writeFile(t, file, suites[name].String()))
	}
	code, stdout, stderr := w.do(t, args...)
	if code == exitUsage {
		t.Fatal(stderr)
	}
	var report struct {
		Results []struct {
			Name, Why, Difference, Caller string
			AsExpected                    bool
		}
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != len(byName) || len(byName) < 1500 {
		t.Errorf("%d answers to %d cases", len(report.Results), len(byName))
	}
	refused := 0
	for _, r := range report.Results {
		c := byName[r.Name]
		switch {
		case r.AsExpected:
		case strings.HasPrefix(r.Why, "Cannot call "): // evaluation.md 4.4: such a call asks no policy
			refused++
			fmt.Fprintf(&not, "%s: refused before policies: %s\n", c.Name, r.Why)
		default:
			t.Errorf("%s:%d: %s: %s\n%s", c.File, c.Line, r.Difference, r.Why, c)
		}
	}
	if want := fmt.Sprintf("gatehouse: %d of %d answers not as expected\n", refused, len(byName)); code != exitError || stderr != want {
		t.Errorf("code %d: %s, want %s", code, stderr, want)
	}
	golden(t, "cases.txt", not.String())
	t.Logf("%d cases ran, %d cannot be written", len(byName), strings.Count(not.String(), "\n"))
}

// quoted is a YAML string: its escapes are those of Go.
func quoted(s string) string { return strconv.QuoteToASCII(s) }

// caseText is a case of a suite, or why there can be none.
func caseText(c *policytest.Case) (text, reason string) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	caller, reason := callerText(c)
	switch {
	case reason != "":
		return "", reason
	case c.Action == "" || c.Resource == "":
		return "", "a suite has no case without action or resource"
	}
	request := c.Request()
	line("- name: %s", quoted(c.Name))
	line("  caller: {who: %s, id: %s, canonical-id: %s}", quoted(caller), quoted(or(c.Caller.Policy().ID, "none")), quoted(or(c.Caller.Policy().Canonical, "none")))
	line("  action: %s\n  resource: %s", quoted(c.Action), quoted(c.Resource))
	owner := or(c.Owner, c.Caller.Account)
	if owner != "" {
		line("  owner: %s", quoted(owner))
	}
	if c.NeedsResourcePolicy {
		line("  needs-resource-policy: true")
	}
	if c.Exempt {
		line("  exempt: true")
	}
	if len(c.Grantees) > 0 {
		line("  acl:")
		for _, g := range c.Grantees {
			line("  - %s", quoted(g))
		}
	}
	if reason := policiesText(c, line); reason != "" {
		return "", reason
	}
	line("  context:")
	parsed, err := offline.ParseCaller(caller)
	if err != nil {
		return "", err.Error()
	}
	parsed.ID = c.Caller.Policy().ID
	for _, e := range simulate.CallerKeys(&parsed.Caller, nil) {
		if !has(request.Context, e.Key) {
			line("    %s: null", quoted(e.Key))
		}
	}
	seen := map[string]bool{}
	for _, e := range request.Context {
		if seen[e.Key] {
			return "", "it gives the context key " + e.Key + " twice"
		}
		seen[e.Key] = true
		line("    %s: %s", quoted(e.Key), values(e.Values, e.Multi))
	}
	if len(c.PolicyContext) > 0 {
		line("  policy-context:")
		for _, k := range c.PolicyContext {
			if k.Absent {
				k.Values = nil
			}
			line("    %s: %s", quoted(k.Name), values(k.Values, k.Multi))
		}
	}
	line("  expect: %s", map[policy.Effect]string{policy.Allow: "allow", policy.DenyExplicit: "explicit-deny", policy.DenyImplicit: "implicit-deny"}[c.Want.Effect])
	want := strings.ToLower(c.Want.Layer.String())
	if c.Want.Layer == policy.LayerSCP || c.Want.Layer == policy.LayerRCP {
		want += " " + strconv.Itoa(c.Want.Level)
	}
	line("  reason: %s", want)
	statement := "none"
	if c.Want.Policy != "" {
		statement = c.Want.Policy + "#" + strconv.Itoa(c.Want.Statement)
	}
	line("  statement: %s", quoted(statement))
	if !utf8.ValidString(b.String()) || strings.Contains(b.String(), "�") {
		return "", "it has a text that is not UTF-8"
	}
	return b.String(), ""
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func has(context []policy.Entry, key string) bool {
	for _, e := range context {
		if policy.SameKey(e.Key, key) {
			return true
		}
	}
	return false
}

// values are those of a context key.
func values(list []string, multi bool) string {
	if !multi {
		if len(list) == 0 {
			return "null"
		}
		return quoted(list[0])
	}
	var out []string
	for _, v := range list {
		out = append(out, quoted(v))
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// callerText is the caller as a suite writes it.
func callerText(c *policytest.Case) (text, reason string) {
	p := c.Caller.Policy()
	switch c.Caller.Kind {
	case policy.RootCaller:
		return "arn:aws:iam::" + p.Account + ":root", ""
	case policy.UserCaller:
		return p.ARN, ""
	case policy.RoleCaller:
		return p.ARN + " as " + c.Caller.Session, ""
	case policy.FederatedCaller:
		if p.ARN == "" {
			return p.Session + " by arn:aws:iam::" + p.Account + ":root", ""
		}
		return p.Session + " by " + p.ARN, ""
	case policy.ServiceCaller:
		return "service " + strings.Join(p.Names, " "), ""
	case policy.ProviderCaller:
		return "provider " + p.Names[0], ""
	case policy.AnonymousCaller:
		return "anonymous", ""
	}
	return "", "the caller is of no kind"
}

// policiesText writes the layers.
func policiesText(c *policytest.Case, line func(string, ...any)) (reason string) {
	one := func(p policytest.Policy) string {
		return fmt.Sprintf("{name: %s, text: %s}", quoted(p.Name), quoted(p.Text))
	}
	by := map[policy.Layer][]string{}
	for _, p := range c.Policies {
		by[p.Layer] = append(by[p.Layer], one(p))
	}
	line("  policies:")
	line("    gateway: %t", c.Gateway)
	for _, l := range []policy.Layer{policy.LayerIdentity, policy.LayerSession} {
		if by[l] != nil {
			line("    %s: [%s]", strings.ToLower(l.String()), strings.Join(by[l], ", "))
		}
	}
	for _, l := range []policy.Layer{policy.LayerBoundary, policy.LayerResource, policy.LayerTrust, policy.LayerEndpoint} {
		switch {
		case len(by[l]) > 1:
			return "it has several policies of the layer " + l.String()
		case by[l] != nil:
			line("    %s: %s", strings.ToLower(l.String()), by[l][0])
		}
	}
	for _, l := range []policy.Layer{policy.LayerSCP, policy.LayerRCP} {
		if !c.Applies(l) || c.Chain(l) == nil { // whether an account is a member of an organization is the suite's to say
			continue
		}
		line("    %s:", strings.ToLower(l.String()))
		for _, level := range c.Chain(l) {
			var list []string
			for _, p := range level {
				list = append(list, one(p))
			}
			line("    - [%s]", strings.Join(list, ", "))
		}
	}
	return ""
}
