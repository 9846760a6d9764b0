package opa

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

const head = `package bench

default allow := false

allow if {
	permit
	not forbid
}
`

// rules are the statements as rules: permit and forbid, one for every resource.
func rules(w *workload.Workload) (string, error) {
	var to strings.Builder
	to.WriteString(head)
	for _, policies := range w.Policies {
		statements, err := workload.Statements(policies)
		if err != nil {
			return "", err
		}
		denies := false
		for i := range statements {
			if err := write(&to, &statements[i]); err != nil {
				return "", err
			}
			denies = denies || statements[i].Denies()
		}
		if !denies {
			to.WriteString("\nforbid := false\n")
		}
	}
	return to.String(), nil
}

func write(to *strings.Builder, s *workload.Statement) error {
	name := "permit"
	if s.Denies() {
		name = "forbid"
	}
	for _, resource := range s.Resource {
		lines := append(resourceLines(resource), actionLine(s.Action))
		for _, c := range s.Conditions() {
			list, err := conditionLines(c)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Sid, err)
			}
			lines = append(lines, list...)
		}
		fmt.Fprintf(to, "\n%s if {\n\t%s\n}\n", name, strings.Join(lines, "\n\t"))
	}
	return nil
}

func quoted(list []string) string {
	q := make([]string, len(list))
	for i, s := range list {
		q[i] = strconv.Quote(s)
	}
	return strings.Join(q, ", ")
}

func actionLine(actions []string) string {
	var prefixes, exact []string
	for _, a := range actions {
		prefix, ok := strings.CutSuffix(a, "*")
		switch {
		case strings.Contains(prefix, "*"): // written out
			for _, known := range workload.Actions {
				if workload.Match(a, known) {
					exact = append(exact, known)
				}
			}
		case ok:
			prefixes = append(prefixes, prefix)
		default:
			exact = append(exact, a)
		}
	}
	switch {
	case len(prefixes) == 1 && len(exact) == 0:
		return fmt.Sprintf("startswith(input.action, %q)", prefixes[0])
	case len(prefixes) == 0 && len(exact) == 1:
		return fmt.Sprintf("input.action == %q", exact[0])
	case len(prefixes) > 0: // written out, so that one expression says all
		for _, p := range prefixes {
			for _, known := range workload.Actions {
				if strings.HasPrefix(known, p) {
					exact = append(exact, known)
				}
			}
		}
	}
	return "input.action in {" + quoted(exact) + "}"
}

// resourceLines take bucket and object apart where the bucket has no wildcard: one there may reach into the object.
func resourceLines(resource string) []string {
	bucket, object, ok := strings.Cut(strings.TrimPrefix(resource, "arn:aws:s3:::"), "/")
	if strings.ContainsAny(bucket, "*?") {
		return patternLines("input.resource", resource)
	}
	lines := []string{fmt.Sprintf("input.bucket == %q", bucket)}
	if !ok {
		return append(lines, `input.object == ""`)
	}
	return append(lines, patternLines("input.object", object)...)
}

// patternLines match text with a pattern; what is cheap and indexed comes first.
func patternLines(of, pattern string) []string {
	if !strings.ContainsAny(pattern, "*?") {
		return []string{fmt.Sprintf("%s == %q", of, pattern)}
	}
	first, rest, _ := strings.Cut(pattern, "*")
	if rest == "" && strings.HasSuffix(pattern, "*") && !strings.Contains(first, "?") {
		return []string{fmt.Sprintf("startswith(%s, %q)", of, first)}
	}
	var lines []string
	longest := ""
	for _, literal := range strings.FieldsFunc(rest, func(r rune) bool { return r == '*' || r == '?' }) {
		if len(literal) > len(longest) {
			longest = literal
		}
	}
	if longest != "" {
		lines = append(lines, fmt.Sprintf("contains(%s, %q)", of, longest))
	}
	escape := strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `{`, `\{`, `}`, `\}`)
	return append(lines, fmt.Sprintf("glob.match(%q, null, %s)", escape.Replace(pattern), of))
}

var comparisons = map[string]string{"Equals": "==", "LessThan": "<", "LessThanEquals": "<=", "GreaterThan": ">", "GreaterThanEquals": ">="}

// conditionLines hold if the condition does. Of a negated one no value may match; a key that is missing makes a line undefined, and so the
// negation true.
func conditionLines(c workload.Condition) ([]string, error) {
	key := fmt.Sprintf("input.context[%q]", c.Key)
	if c.Operator == "Null" {
		if c.Values[0] == "true" {
			return []string{"not " + key}, nil
		}
		return []string{key}, nil
	}
	name, negated := c.Operator, strings.Contains(c.Operator, "Not")
	if negated {
		name = strings.Replace(name, "Not", "", 1)
	}
	if !negated && len(c.Values) > 1 {
		switch name {
		case "StringEquals":
			return []string{fmt.Sprintf("%s in {%s}", key, quoted(c.Values))}, nil
		case "IpAddress":
			return []string{fmt.Sprintf("some network in [%s]", quoted(c.Values)), fmt.Sprintf("net.cidr_contains(network, %s)", key)}, nil
		}
		return nil, fmt.Errorf("%s with several values", c.Operator)
	}
	var lines []string
	for _, v := range c.Values {
		line, err := comparison(name, key, v)
		if err != nil {
			return nil, err
		}
		if negated {
			line = "not " + line
		}
		lines = append(lines, line)
	}
	return lines, nil
}

func comparison(operator, key, value string) (string, error) {
	switch operator {
	case "StringEquals":
		return fmt.Sprintf("%s == %q", key, value), nil
	case "StringEqualsIgnoreCase":
		return fmt.Sprintf("lower(%s) == %q", key, strings.ToLower(value)), nil
	case "StringLike":
		lines := patternLines(key, value)
		return lines[len(lines)-1], nil
	case "Bool":
		return fmt.Sprintf("lower(%s) == %q", key, value), nil
	case "IpAddress":
		return fmt.Sprintf("net.cidr_contains(%q, %s)", value, key), nil
	}
	if c, ok := strings.CutPrefix(operator, "Numeric"); ok && comparisons[c] != "" {
		return fmt.Sprintf("to_number(%s) %s %s", key, comparisons[c], value), nil
	}
	if c, ok := strings.CutPrefix(operator, "Date"); ok && comparisons[c] != "" {
		return fmt.Sprintf("time.parse_rfc3339_ns(%s) %s time.parse_rfc3339_ns(%q)", key, comparisons[c], value), nil
	}
	return "", fmt.Errorf("operator %s", operator)
}
