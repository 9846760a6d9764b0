package offline

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Severity says how bad a finding is.
type Severity uint8

// The severities.
const (
	Warning Severity = iota // it is stored and evaluated, and hardly does what was meant
	Error                   // it is refused, or names what there is not
)

// String is the severity as SARIF calls it.
func (s Severity) String() string {
	if s == Error {
		return "error"
	}
	return "warning"
}

// Rule is what a finding is about.
type Rule string

// The rules, as docs/validate.md has them.
const (
	RuleSyntax          Rule = "syntax"
	RuleTooLong         Rule = "too-long"
	RuleUnknownService  Rule = "unknown-service"
	RuleUnknownAction   Rule = "unknown-action"
	RuleNoSuchAction    Rule = "pattern-without-action"
	RuleUnknownKey      Rule = "unknown-key"
	RuleKeyNotTaken     Rule = "key-not-taken"
	RuleOperatorType    Rule = "operator-type"
	RuleSetOperator     Rule = "set-operator"
	RuleUnknownVariable Rule = "unknown-variable"
	RulePlainVariable   Rule = "variable-not-replaced"
	RuleIdleResource    Rule = "resource-without-action"
	RuleIdleAction      Rule = "action-without-resource"
	RuleTooMany         Rule = "too-many-findings"
)

// rules are all of them with a description.
var rules = []struct {
	id       Rule
	severity Severity
	text     string
}{
	{RuleSyntax, Error, "AWS refuses the document"},
	{RuleTooLong, Warning, "The document is longer than the default quota of its kind"},
	{RuleUnknownService, Error, "There is no such service"},
	{RuleUnknownAction, Error, "The service has no such action"},
	{RuleNoSuchAction, Warning, "A pattern matches no action"},
	{RuleUnknownKey, Error, "There is no such condition key"},
	{RuleKeyNotTaken, Warning, "No action of the statement has the condition key"},
	{RuleOperatorType, Warning, "The condition operator does not fit the type of the key"},
	{RuleSetOperator, Warning, "The condition needs ForAllValues or ForAnyValue, or must not have it"},
	{RuleUnknownVariable, Error, "A policy variable names no condition key"},
	{RulePlainVariable, Warning, "Policy variables mean nothing in this Version"},
	{RuleIdleResource, Warning, "No action of the statement acts on such a resource"},
	{RuleIdleAction, Warning, "The action acts on none of the statement's resources"},
	{RuleTooMany, Warning, "There are more findings than are listed"},
}

// Finding is something wrong with a policy.
type Finding struct {
	Rule     Rule
	Severity Severity
	Position Position
	Message  string
}

// Checked is a policy with what is wrong with it.
type Checked struct {
	Name     string
	Kind     policy.Kind
	Findings []Finding // in the order of the text
}

// Count says how many errors and warnings there are.
func (c *Checked) Count() (errors, warnings int) {
	for _, f := range c.Findings {
		if f.Severity == Error {
			errors++
		} else {
			warnings++
		}
	}
	return errors, warnings
}

// ParseKind reads the name of a kind of policies.
func ParseKind(s string) (policy.Kind, error) {
	for k := policy.Identity; k <= policy.RCP; k++ {
		if strings.ToLower(k.String()) == s {
			return k, nil
		}
	}
	return 0, fmt.Errorf("%q is none of identity, managed, boundary, session, trust, resource, endpoint, scp, rcp", clip(s))
}

// Validate checks a policy: what AWS would refuse, and what names no service, action or key, or cannot do anything. A kind of 0 is found out from
// the document: with principals it is a resource's, without resources besides a trust policy, else an identity policy. c is the catalogue, nil for
// that of AWS and Gatehouse.
func Validate(name, text string, kind policy.Kind, c *catalog.Catalog) *Checked {
	if c == nil {
		c = catalog.Builtin()
	}
	v := &validator{text: text, catalog: c, out: &Checked{Name: name, Kind: kind}}
	statements, err := statementsOf(text)
	if kind == 0 {
		v.out.Kind = guess(statements)
	}
	v.syntax()
	if err == nil && v.readable {
		v.statements(statements)
	}
	slices.SortStableFunc(v.out.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
	})
	return v.out
}

// guess is the kind that the statements look like.
func guess(statements []statement) policy.Kind {
	principals, resources := false, false
	for i := range statements {
		principals = principals || statements[i].principal
		resources = resources || len(statements[i].resources) > 0
	}
	switch {
	case !principals:
		return policy.Identity
	case resources:
		return policy.Resource
	}
	return policy.Trust
}

// validator checks one text.
type validator struct {
	text      string
	catalog   *catalog.Catalog
	out       *Checked
	readable  bool                        // the text stands the grammar
	variables bool                        // "${" has a meaning in it
	operators map[string]policy.Condition // what the names of operators mean
	work      int                         // see maxWork
	hints     int                         // see maxHints
	names     map[string]bool             // see named
}

func (v *validator) find(rule Rule, offset int, format string, args ...any) {
	switch n := len(v.out.Findings); {
	case n > MaxFindings:
		return
	case n == MaxFindings:
		rule, format, args = RuleTooMany, "there are more findings than these %d", []any{MaxFindings}
	}
	severity := Warning
	for i := range rules {
		if rules[i].id == rule {
			severity = rules[i].severity
		}
	}
	v.out.Findings = append(v.out.Findings, Finding{rule, severity, positionOf(v.text, offset), fmt.Sprintf(format, args...)})
}

// maxSizes are the default quotas of the kinds that have one of their own (docs/spec/policy-language.md 13).
var maxSizes = map[policy.Kind]int{
	policy.Managed: policy.MaxManagedSize, policy.Boundary: policy.MaxManagedSize, policy.Trust: policy.MaxTrustSize, policy.Session: policy.MaxSessionSize,
	policy.Identity: policy.MaxRoleInlineSize,
}

// syntax makes AWS's own checks.
func (v *validator) syntax() {
	d, err := policy.Decode(v.text, v.out.Kind)
	if err == nil {
		v.readable, v.variables, v.operators = true, d.Variables(), operatorsOf(d)
		_, err = policy.Parse(v.text, v.out.Kind)
	}
	if f, ok := errors.AsType[*policy.Error](err); ok {
		v.find(RuleSyntax, max(0, f.Offset), "%s", describe(f))
	}
	if i := unprintable(v.text); i >= 0 && storedByIAM[v.out.Kind] {
		v.find(RuleSyntax, i, "IAM stores only the characters U+0020 to U+00FF, tabs and line ends, not %q", []rune(v.text[i:min(len(v.text), i+4)])[0])
	}
	size := policy.CountedSize(v.text)
	if v.out.Kind == policy.Session {
		size = len([]rune(v.text))
	}
	if most, ok := maxSizes[v.out.Kind]; ok && size > most {
		v.find(RuleTooLong, 0, "the document has %d characters, of %s at most %d are taken unless the quota was raised", size, kindWords[v.out.Kind], most)
	}
}

// operatorsOf are the conditions of a document by their operators as written.
func operatorsOf(d *policy.Document) map[string]policy.Condition {
	found := map[string]policy.Condition{}
	for i := range d.Statements {
		for _, c := range d.Statements[i].Conditions {
			found[c.Name] = c
		}
	}
	return found
}

// storedByIAM are the kinds whose documents IAM keeps, with its own limit to characters (docs/spec/policy-language.md 2.2).
var storedByIAM = map[policy.Kind]bool{policy.Identity: true, policy.Managed: true, policy.Boundary: true, policy.Trust: true}

// unprintable is the offset of the first character that policy.Printable does not take, -1 where it takes all.
func unprintable(text string) int {
	if policy.Printable(text) || !utf8.ValidString(text) {
		return -1
	}
	return strings.IndexFunc(text, func(r rune) bool { return !policy.Printable(string(r)) })
}

var kindWords = map[policy.Kind]string{
	policy.Identity: "all inline policies of a role together", policy.Managed: "a managed policy", policy.Boundary: "a permissions boundary",
	policy.Session: "session policies", policy.Trust: "a trust policy",
}
