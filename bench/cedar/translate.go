package cedar

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// write writes a statement as a policy. groups gets the patterns of actions.
func write(to *strings.Builder, principal string, s *workload.Statement, groups map[string]bool, tuned bool) error {
	effect := "permit"
	if s.Denies() {
		effect = "forbid"
	}
	scope, action := actionParts(s.Action, groups, tuned)
	var resources []string
	for _, r := range s.Resource {
		resources = append(resources, pattern("context.resource", r))
	}
	parts := []string{"(" + strings.Join(resources, " || ") + ")"}
	if action != "" {
		parts = append(parts, action)
	}
	for _, c := range s.Conditions() {
		text, err := condition(c)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Sid, err)
		}
		parts = append(parts, text)
	}
	fmt.Fprintf(to, "%s (principal == User::%q, %s, resource) when { %s };\n", effect, principal, scope, strings.Join(parts, " && "))
	return nil
}

// actionParts say which actions are meant, in the scope or, tuned, in a condition where they are several.
func actionParts(actions []string, groups map[string]bool, tuned bool) (scope, when string) {
	var uids, list []string
	for _, a := range actions {
		uid := "Action::" + strconv.Quote(a)
		uids = append(uids, uid)
		if strings.Contains(a, "*") {
			groups[a] = true
			list = append(list, "action in "+uid)
			continue
		}
		list = append(list, "action == "+uid)
	}
	switch {
	case len(list) == 1:
		return list[0], ""
	case tuned:
		return "action", "(" + strings.Join(list, " || ") + ")"
	}
	return "action in [" + strings.Join(uids, ", ") + "]", ""
}

func pattern(of, p string) string {
	if !strings.ContainsAny(p, "*?") {
		return of + " == " + strconv.Quote(p)
	}
	return of + " like " + strconv.Quote(strings.ReplaceAll(p, "?", "*"))
}

// required are the keys that the schema has for every request; the others may be missing.
var required = map[string]bool{"aws:SourceIp": true, "aws:CurrentTime": true, "aws:SecureTransport": true, "aws:UserAgent": true, "aws:username": true}

func condition(c workload.Condition) (string, error) {
	key := fmt.Sprintf("context[%q]", c.Key)
	has := fmt.Sprintf("context has %q", c.Key)
	if c.Operator == "Null" {
		if c.Values[0] == "true" {
			return "!(" + has + ")", nil
		}
		return has, nil
	}
	name, negated := c.Operator, strings.Contains(c.Operator, "Not")
	if negated {
		name = strings.Replace(name, "Not", "", 1)
	}
	var list []string
	for _, v := range c.Values {
		text, err := comparison(name, key, c.Key, v)
		if err != nil {
			return "", err
		}
		list = append(list, text)
	}
	text := strings.Join(list, " || ")
	if !required[c.Key] {
		text = has + " && (" + text + ")"
	}
	if negated {
		return "!(" + text + ")", nil
	}
	return "(" + text + ")", nil
}

var comparisons = map[string]string{"Equals": "==", "LessThan": "<", "LessThanEquals": "<=", "GreaterThan": ">", "GreaterThanEquals": ">="}

func comparison(operator, attribute, key, value string) (string, error) {
	switch operator {
	case "StringEquals":
		return attribute + " == " + strconv.Quote(value), nil
	case "StringEqualsIgnoreCase":
		return fmt.Sprintf("context[%q] == %q", key+lower, strings.ToLower(value)), nil
	case "StringLike":
		return pattern(attribute, value), nil
	case "Bool":
		return attribute + " == " + value, nil
	case "IpAddress":
		return fmt.Sprintf("%s.isInRange(ip(%q))", attribute, value), nil
	}
	if c, ok := strings.CutPrefix(operator, "Numeric"); ok && comparisons[c] != "" {
		return attribute + " " + comparisons[c] + " " + value, nil
	}
	if c, ok := strings.CutPrefix(operator, "Date"); ok && comparisons[c] != "" {
		return fmt.Sprintf("%s %s datetime(%q)", attribute, comparisons[c], value), nil
	}
	return "", fmt.Errorf("operator %s", operator)
}
