package offline

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/gatehouse-iam/gatehouse/internal/simulate"
)

// check is what a case and each check of a call have alike: what is asked, what is its own of the resource, and what is expected.
func (r *suiteReader) check(q *Question, e *expectation) map[string]func(*yaml.Node) error {
	return map[string]func(*yaml.Node) error{
		"action":                stringInto(&q.Action),
		"policy-context":        contextInto(&q.PolicyContext),
		"exempt":                boolInto(&q.Exempt),
		"needs-resource-policy": boolInto(&q.NeedsResourcePolicy),
		"expect":                stringInto(&e.effect),
		"reason":                stringInto(&e.reason),
		"statement":             stringInto(&e.statement),
	}
}

// checksInto reads the checks of a call.
func (r *suiteReader) checksInto(into *[]*Question) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		err := each(n, "checks", func(n *yaml.Node) error {
			list, err := r.checks(n)
			if *into = append(*into, list...); len(*into) > simulate.MaxChecks {
				return tooManyChecks(n)
			}
			if r.asked += len(list); r.asked > MaxSuiteChecks {
				return atNode(n, "more than %d checks of all calls", MaxSuiteChecks)
			}
			return err
		})
		if err == nil && *into == nil {
			err = atNode(n, "there is no check")
		}
		return err
	}
}

func tooManyChecks(n *yaml.Node) error {
	return atNode(n, "more than %d checks of one call", simulate.MaxChecks)
}

// checks reads one entry of checks, which is one for each resource that it names.
func (r *suiteReader) checks(n *yaml.Node) ([]*Question, error) {
	own := Question{}
	var resources []string
	var e expectation
	take := r.check(&own, &e)
	about, policies := r.question(&own), r.policies(&own.Policies)
	for _, name := range []string{"owner", "context", "acl"} {
		take[name] = about[name]
	}
	take["policies"] = func(n *yaml.Node) error {
		return mapping(n, map[string]func(*yaml.Node) error{"resource": policies["resource"], "trust": policies["trust"], "rcp": policies["rcp"]})
	}
	take["resource"] = func(n *yaml.Node) error {
		var resource string
		one := func(n *yaml.Node) error {
			if len(resources) == simulate.MaxChecks { // before they become checks, each of which is larger than its text
				return tooManyChecks(n)
			}
			err := stringInto(&resource)(n)
			resources = append(resources, resource)
			return err
		}
		if n.Kind != yaml.SequenceNode {
			return one(n)
		}
		return each(n, "resources", one)
	}
	if err := mapping(n, take); err != nil {
		return nil, err
	}
	if err := missing(n, member{"action", own.Action}, member{"resource", strings.Join(resources, "")}); err != nil {
		return nil, err
	}
	var err error
	if own.Expect, err = e.read(n); err != nil {
		return nil, err
	}
	var list []*Question
	for _, resource := range resources {
		one := own
		one.Resource = resource
		list = append(list, &one)
	}
	return list, nil
}

// expectation is what a suite says of an Expect.
type expectation struct{ effect, reason, statement string }

// read is nil where nothing is expected.
func (e *expectation) read(n *yaml.Node) (*Expect, error) {
	if *e == (expectation{}) {
		return nil, nil
	}
	if err := missing(n, member{"expect", e.effect}); err != nil {
		return nil, err
	}
	x, err := NewExpect(e.effect)
	if err != nil {
		return nil, atNode(n, "expect: %s", err)
	}
	if e.reason != "" {
		if err := x.because(e.reason); err != nil {
			return nil, atNode(n, "reason: %s", err)
		}
	}
	if e.statement != "" && e.statement != "none" && !strings.Contains(e.statement, "#") {
		return nil, atNode(n, "statement %q has not the form POLICY#INDEX or POLICY#SID", clip(e.statement))
	}
	x.Statement = e.statement
	return x, nil
}
