package plain

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Engine is the loop.
var Engine = engine.Engine{Name: "plain loop", Forms: []engine.Form{engine.Strings}, Load: load}

type loaded map[string][]workload.Statement

func load(w *workload.Workload) (engine.Loaded, error) {
	l := make(loaded, len(w.Policies))
	for principal, policies := range w.Policies {
		statements, err := workload.Statements(policies)
		if err != nil {
			return nil, err
		}
		for _, s := range statements {
			for operator := range s.Condition {
				if operators[operator].compare == nil && operator != "Null" {
					return nil, fmt.Errorf("%s: operator %s", s.Sid, operator)
				}
			}
		}
		l[principal] = statements
	}
	return l, nil
}

func (l loaded) Prepare(_ engine.Form, requests []workload.Request) (engine.Decide, error) {
	contexts := workload.Contexts(requests, (*workload.Context).Map)
	if len(l) == 1 {
		statements := l[requests[0].Principal]
		return func(i int) (bool, error) {
			return Decide(statements, requests[i].Action, requests[i].Resource, contexts[i]), nil
		}, nil
	}
	return func(i int) (bool, error) {
		return Decide(l[requests[i].Principal], requests[i].Action, requests[i].Resource, contexts[i]), nil
	}, nil
}

// Decide answers: some statement allows, and none denies.
func Decide(statements []workload.Statement, action, resource string, context map[string]string) bool {
	allowed := false
	for i := range statements {
		s := &statements[i]
		if !Matches(s.Action, action) || !Matches(s.Resource, resource) || !Holds(s.Condition, context) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// Matches says whether some pattern matches s.
func Matches(patterns []string, s string) bool {
	for _, p := range patterns {
		if glob(p, s) {
			return true
		}
	}
	return false
}

// glob matches ? to one byte and * to any number of them, going back to the last * where it must.
func glob(pattern, s string) bool {
	p, i, star, from := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// Holds says whether every condition holds.
func Holds(conditions map[string]map[string][]string, context map[string]string) bool {
	for name, keys := range conditions {
		for key, values := range keys {
			value, present := context[key]
			if name == "Null" {
				if present == (values[0] == "true") {
					return false
				}
				continue
			}
			op := operators[name]
			if !present && !op.negated || present && one(op.compare, value, values) == op.negated {
				return false
			}
		}
	}
	return true
}

func one(compare func(have, want string) bool, have string, values []string) bool {
	for _, want := range values {
		if compare(have, want) {
			return true
		}
	}
	return false
}

type operator struct {
	compare func(have, want string) bool
	negated bool
}

var operators = map[string]operator{
	"StringEquals":              {equal, false},
	"StringNotEquals":           {equal, true},
	"StringEqualsIgnoreCase":    {strings.EqualFold, false},
	"StringNotEqualsIgnoreCase": {strings.EqualFold, true},
	"StringLike":                {like, false},
	"StringNotLike":             {like, true},
	"Bool":                      {strings.EqualFold, false},
	"IpAddress":                 {inside, false},
	"NotIpAddress":              {inside, true},
	"NumericEquals":             {number(func(a, b float64) bool { return a == b }), false},
	"NumericNotEquals":          {number(func(a, b float64) bool { return a == b }), true},
	"NumericLessThan":           {number(func(a, b float64) bool { return a < b }), false},
	"NumericLessThanEquals":     {number(func(a, b float64) bool { return a <= b }), false},
	"NumericGreaterThan":        {number(func(a, b float64) bool { return a > b }), false},
	"NumericGreaterThanEquals":  {number(func(a, b float64) bool { return a >= b }), false},
	"DateLessThan":              {date(func(c int) bool { return c < 0 }), false},
	"DateLessThanEquals":        {date(func(c int) bool { return c <= 0 }), false},
	"DateGreaterThan":           {date(func(c int) bool { return c > 0 }), false},
	"DateGreaterThanEquals":     {date(func(c int) bool { return c >= 0 }), false},
}

func equal(have, want string) bool { return have == want }

func like(have, want string) bool { return glob(want, have) }

func inside(have, want string) bool {
	address, err := netip.ParseAddr(have)
	if err != nil {
		return false
	}
	network, err := netip.ParsePrefix(want)
	return err == nil && network.Contains(address)
}

func number(compare func(a, b float64) bool) func(have, want string) bool {
	return func(have, want string) bool {
		a, err := strconv.ParseFloat(have, 64)
		if err != nil {
			return false
		}
		b, err := strconv.ParseFloat(want, 64)
		return err == nil && compare(a, b)
	}
}

func date(compare func(int) bool) func(have, want string) bool {
	return func(have, want string) bool {
		a, err := time.Parse(time.RFC3339, have)
		if err != nil {
			return false
		}
		b, err := time.Parse(time.RFC3339, want)
		return err == nil && compare(a.Compare(b))
	}
}
