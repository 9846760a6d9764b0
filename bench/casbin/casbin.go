package casbin

import (
	"fmt"
	"strings"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"

	"github.com/gatehouse-iam/gatehouse/bench/engine"
	"github.com/gatehouse-iam/gatehouse/bench/plain"
	"github.com/gatehouse-iam/gatehouse/bench/workload"
)

// Engine is Casbin.
var Engine = engine.Engine{Name: "Casbin", Forms: []engine.Form{engine.Strings}, Load: load}

const text = `
[request_definition]
r = sub, act, res, ctx

[policy_definition]
p = sub, act, res, cond, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = r.sub == p.sub && matchAny(r.act, p.act) && matchAny(r.res, p.res) && (p.cond == "" || holds(r.ctx, p.cond))
`

type loaded map[string]*casbin.Enforcer

func load(w *workload.Workload) (engine.Loaded, error) {
	l := make(loaded, len(w.Policies))
	conditions, lists := map[string]map[string]map[string][]string{}, map[string][]string{}
	for principal, policies := range w.Policies {
		statements, err := workload.Statements(policies)
		if err != nil {
			return nil, err
		}
		m, err := model.NewModelFromString(text)
		if err != nil {
			return nil, err
		}
		e, err := casbin.NewEnforcer(m)
		if err != nil {
			return nil, err
		}
		var rules [][]string
		for i := range statements {
			s := &statements[i]
			rules = append(rules, []string{principal, join(s.Action, lists), join(s.Resource, lists), name(s, conditions), strings.ToLower(s.Effect)})
		}
		if _, err := e.AddPolicies(rules); err != nil {
			return nil, err
		}
		e.AddFunction("matchAny", func(args ...any) (any, error) {
			return plain.Matches(lists[args[1].(string)], args[0].(string)), nil
		})
		e.AddFunction("holds", func(args ...any) (any, error) {
			return plain.Holds(conditions[args[1].(string)], args[0].(map[string]string)), nil
		})
		l[principal] = e
	}
	return l, nil
}

// join is the text of a rule for a list, which is kept in lists.
func join(list []string, lists map[string][]string) string {
	s := strings.Join(list, " ")
	lists[s] = list
	return s
}

// name is the text of a rule for the conditions of s, which are kept under it.
func name(s *workload.Statement, kept map[string]map[string]map[string][]string) string {
	if len(s.Condition) == 0 {
		return ""
	}
	n := fmt.Sprint(s.Conditions())
	kept[n] = s.Condition
	return n
}

func (l loaded) Prepare(_ engine.Form, requests []workload.Request) (engine.Decide, error) {
	contexts := workload.Contexts(requests, (*workload.Context).Map)
	return func(i int) (bool, error) {
		r := &requests[i]
		return l[r.Principal].Enforce(r.Principal, r.Action, r.Resource, contexts[i])
	}, nil
}
