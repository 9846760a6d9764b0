package policytest_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy/policytest"
)

// load reads all cases. Those in testdata/engine are about requests that only a program with package policy can make, no client of a server.
func load(t *testing.T) []*policytest.Case {
	t.Helper()
	var cases []*policytest.Case
	for _, pattern := range []string{"*.case", "engine/*.case"} {
		more, err := policytest.Load(os.DirFS("testdata"), pattern)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, more...)
	}
	return cases
}

func TestCases(t *testing.T) {
	t.Parallel()
	cases := load(t)
	if len(cases) < 900 {
		t.Errorf("only %d cases were found", len(cases))
	}
	policytest.Run(t, cases, policytest.Compiled, policytest.Unindexed, policytest.Reprinted, referenceEvaluator)
}

// Every worked decision of docs/spec/evaluation.md 13 and every micro-vector of docs/spec/policy-language.md 14 is a case.
func TestCasesOfTheSpecification(t *testing.T) {
	t.Parallel()
	cases := load(t)
	names := make(map[string]bool)
	for _, c := range cases {
		names[c.Name] = true
	}
	for _, rows := range []struct {
		format string
		n      int
	}{{"C%03d", 256}, {"V%d", 38}} {
		for i := range rows.n {
			if name := fmt.Sprintf(rows.format, i+1); !names[name] {
				t.Errorf("case %s is missing", name)
			}
		}
	}
}

// A case printed for a failing test is a case that can be pasted into a file.
func TestCasesPrintAndParse(t *testing.T) {
	t.Parallel()
	cases := load(t)
	rng := rand.New(rand.NewPCG(5, 5))
	for range 500 { // and what the generator makes
		c := policytest.Generate(rng)
		want, err := policytest.Compiled.Decide(c)
		if err != nil {
			t.Fatal(err)
		}
		c.Want = want
		cases = append(cases, c)
	}
	for _, c := range cases {
		again, err := policytest.Parse("printed", c.String())
		if err != nil || len(again) != 1 {
			t.Errorf("%s does not parse when printed: %v\n%s", c.Name, err, c)
			continue
		}
		if got := again[0].String(); got != c.String() {
			t.Errorf("%s changed when printed and parsed:\n%s\n%s", c.Name, c, got)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	const head = "case a\nspec: s\nwhy: w\n"
	const tail = "request: s3:Get on *\nexpect: DENY-I identity\n"
	tests := []struct{ name, text, want string }{
		{"unknown field", head + "principal: alice\n" + tail, `f:4: unknown field "principal"`},
		{"unknown layer", head + "acls: b\n  Allow * on *\n" + tail, `f:4: unknown field "acls"`},
		{"no level", head + "scp: b\n  Allow * on *\n" + tail, "f:4: an SCP or RCP has a level"},
		{"level of another layer", head + "identity: b level 0\n  Allow * on *\n" + tail, `f:4: unknown word "level"`},
		{"bad level", head + "rcp: b level -1\n  Deny * on *\n" + tail, `f:4: bad level "-1"`},
		{"deep level", head + "scp: none level 10\n" + tail, `f:4: bad level "10"`},
		{"two endpoint policies", head + "endpoint: a\n  Allow * on * to *\nendpoint: b\n  Allow * on * to *\n" + tail, "f:6: case a has more than one endpoint policy"},
		{"gateway of another layer", head + "resource: a gateway\n  Allow * on * to *\n" + tail, `f:4: unknown word "gateway"`},
		{"grantee", head + "acl: all users\n" + tail, `f:4: bad grantee "all users"`},
		{"caller without account as grantee", head + "caller: anonymous\nacl: caller\n" + tail, "grants its caller, who is in no account"},
		{"exempt", head + "exempt: no\n" + tail, "f:4: exempt is yes or left out"},
		{"two boundaries", head + "boundary: a\n  Allow * on *\nboundary: b\n  Allow * on *\n" + tail, "f:6: case a has more than one boundary"},
		{"two resource policies", head + "trust: a\n  Allow sts:* to *\nresource: b\n  Allow * on * to *\n" + tail, "f:6: case a has more than one policy of the resource"},
		{"field before case", "spec: s\n", `f:1: expected "case NAME"`},
		{"no colon", head + "nonsense\n" + tail, `f:4: expected "case NAME" or "field: value"`},
		{"field twice", head + "why: again\n" + tail, `f:4: field "why" twice`},
		{"field missing", "case a\nspec: s\n" + tail, `has no field "why"`},
		{"field empty", "case a\nspec:\n", `f:2: field "spec" is empty`},
		{"no expect", head + "request: s3:Get on *\n", `has no field "expect"`},
		{"stray indent", head + "  Allow * on *\n" + tail, "f:4: indented line outside a policy"},
		{"empty policy", head + "identity: p\n" + tail, `f:5: policy "p" is empty`},
		{"unnamed policy", head + "identity:\n  Allow * on *\n" + tail, "f:4: a policy needs a name"},
		{"policy twice", head + "identity: p\n  Allow * on *\nidentity: p\n  Allow * on *\n" + tail, `f:6: policy "p" twice`},
		{"policy option", head + "identity: p v2009\n  Allow * on *\n" + tail, `f:4: unknown word "v2009"`},
		{"condition", head + "identity: p\n  Allow * on * if x\n" + tail, `f:5: bad JSON at "x"`},
		{"condition operator", head + "identity: p\n  Allow * on * if {\"Is\":{\"k\":\"v\"}}\n" + tail, `unknown condition operator "Is"`},
		{"after condition", head + "identity: p\n  Allow * on * if {} to *\n" + tail, `f:5: unknown words "to *"`},
		{"principal", head + "resource: p\n  Allow * on * to alice\n" + tail, `f:5: bad JSON at "alice"`},
		{"principal type", head + "resource: p\n  Allow * on * to {\"User\":\"a\"}\n" + tail, `unknown principal type "User"`},
		{"effect", head + "identity: p\n  allow * on *\n" + tail, "f:5: a statement begins with Allow or Deny"},
		{"no resource", head + "identity: p\n  Allow *\n" + tail, `f:5: expected "on"`},
		{"no value", head + "identity: p\n  Allow a:b, on *\n" + tail, "f:5: expected a value"},
		{"bad JSON", head + "identity: p\n  {\"Statement\":[]}\n" + tail, `f:6: policy "p": MalformedPolicyDocument`},
		{"request", head + "request: s3:Get\nexpect: DENY-I identity\n", `f:4: expected "ACTION on RESOURCE"`},
		{"caller", head + "caller: alice\n" + tail, `f:4: unknown caller "alice"`},
		{"caller's words", head + "caller: session app\n" + tail, `f:4: bad caller "session app"`},
		{"caller's credentials", head + "caller: root via GetSessionToken\n" + tail, `f:4: bad caller "root via GetSessionToken"`},
		{"caller's issuer", head + "caller: federated a of b\n" + tail, `f:4: bad caller`},
		{"caller's account", head + "caller: anonymous in 222222222222\n" + tail, `f:4: bad caller`},
		{"tags", head + "tags: {\"a\":1}\n" + tail, "f:4: tags"},
		{"needs", head + "needs: nothing\n" + tail, `f:4: unknown need "nothing"`},
		{"context without value", head + "context: a:b\n" + tail, `f:4: expected "KEY=VALUE"`},
		{"context value", head + "context: a:b=c\n" + tail, `f:4: "c" is not a JSON string`},
		{"context number", head + "context: a:b=1\n" + tail, `f:4: "1" is not a JSON string`},
		{"expect effect", head + "request: s3:Get on *\nexpect: DENY identity\n", `f:5: unknown effect "DENY"`},
		{"expect layer", head + "request: s3:Get on *\nexpect: DENY-I scp\n", `f:5: unknown layer "scp"`},
		{"expect no level", head + "request: s3:Get on *\nexpect: DENY-I SCP\n", "f:5: the outcome \"DENY-I SCP\" names no level"},
		{"expect bad level", head + "request: s3:Get on *\nexpect: DENY-I RCP x\n", `f:5: bad level "x"`},
		{"expect deny of an ACL", head + "request: s3:Get on *\nexpect: DENY-I ACL\n", "f:5: ACL only allows"},
		{"expect too much", head + "request: s3:Get on *\nexpect: ALLOW identity p#0 q\n", "f:5: expected \"EFFECT LAYER [LEVEL] [POLICY#INDEX]\""},
		{"expect policy of other level", head + "scp: p level 1\n  Deny * on *\nrequest: s3:Get on *\nexpect: DENY-E SCP 0 p#0\n", `does not have in that layer`},
		{"expect place", head + "request: s3:Get on *\nexpect: ALLOW identity p\n", "f:5: expected POLICY#INDEX"},
		{"expect no place", head + "request: s3:Get on *\nexpect: DENY-E identity\n", "f:5: DENY-E needs a deciding statement"},
		{"expect other policy", head + "request: s3:Get on *\nexpect: ALLOW identity p#0\n", `expects policy "p", which it does not have`},
		{"expect policy of other layer", head + "boundary: p\n  Allow * on *\nrequest: s3:Get on *\nexpect: ALLOW identity p#0\n", `does not have in that layer`},
		{"case name", "case a b\n", "f:1: bad case name"},
	}
	for _, tt := range tests {
		if _, err := policytest.Parse("f", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got error %v, want one with %q", tt.name, err, tt.want)
		}
	}
	if cases, err := policytest.Parse("f", head+tail); err != nil || len(cases) != 1 {
		t.Errorf("the frame of these tests does not parse: %v", err)
	}
}

func TestLoadRefusesEqualNames(t *testing.T) {
	t.Parallel()
	text := "case a\nspec: s\nwhy: w\nrequest: s3:Get on *\nexpect: DENY-I identity\n"
	dir := t.TempDir()
	for _, name := range []string{"1.case", "2.case"} {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := policytest.Load(os.DirFS(dir), "*.case"); err == nil || !strings.Contains(err.Error(), "case a is also in") {
		t.Errorf("two cases of one name: %v", err)
	}
	if _, err := policytest.Load(os.DirFS(dir), "*.none"); err == nil {
		t.Error("no cases at all are no error")
	}
}
