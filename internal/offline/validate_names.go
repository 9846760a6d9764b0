package offline

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
)

// statements checks the names of all statements against the catalogue.
func (v *validator) statements(list []statement) {
	for i := range list {
		s := &list[i]
		known, all := v.actions(s) // a name that is unknown might have meant anything: then all is true
		v.resources(s, known, all)
		services := servicesOf(known)
		for j := range s.keys {
			k := &s.keys[j]
			v.key(s, k, known, services, all || s.notAction)
			for _, value := range k.values {
				v.variablesIn(value)
			}
		}
		for _, r := range s.resources {
			v.variablesIn(r)
		}
	}
}

// maxWork bounds what one policy costs, in steps of comparing texts: a hostile one is not checked to its end. maxHints bounds the nearest names.
const (
	maxWork  = 50_000_000
	maxHints = 30
)

// maxExpanded bounds the actions of a statement that are looked at one by one. A statement with more is like one on all actions.
const maxExpanded = 5000

// openAll is about what it costs to hold a pattern against the actions of all services.
const openAll = 200_000

// actions checks the patterns of a statement, and returns the actions that they mean; all says that there may be more.
func (v *validator) actions(s *statement) (known []*catalog.Action, all bool) {
	seen := map[*catalog.Action]bool{}
	for _, e := range s.actions {
		if strings.Trim(e.value, "*") == "" {
			all = true
			continue
		}
		if prefix, _, _ := strings.Cut(e.value, ":"); strings.ContainsAny(prefix, "*?") {
			v.work += openAll
		}
		if v.work > maxWork {
			return nil, true
		}
		matched := false
		if !all || !strings.ContainsAny(e.value, "*?") {
			for a := range v.catalog.Expand(e.value) {
				matched = true
				if len(seen) == maxExpanded {
					all = true
					break
				}
				if !seen[a] {
					seen[a] = true
					known = append(known, a)
				}
			}
		} else {
			for range v.catalog.Expand(e.value) {
				matched = true
				break
			}
		}
		if !matched {
			v.noAction(e)
			all = true
		}
	}
	return known, all
}

// noAction reports a pattern that matches nothing.
func (v *validator) noAction(e element) {
	prefix, name, ok := strings.Cut(e.value, ":")
	if !ok {
		return // refused by its form
	}
	wild := strings.ContainsAny(e.value, "*?")
	near := ""
	if !wild {
		near = v.near(v.catalog.NearestAction, e.value)
	}
	switch service := v.catalog.Service(prefix); {
	case strings.ContainsAny(prefix, "*?"):
		v.find(RuleNoSuchAction, e.at, "%s matches no action", clip(e.value))
	case service == nil:
		v.find(RuleUnknownService, e.at, "there is no service %s%s", clip(prefix), near)
	case wild:
		v.find(RuleNoSuchAction, e.at, "%s matches no action of %s", clip(e.value), service.Name)
	default:
		v.find(RuleUnknownAction, e.at, "%s has no action %s%s", service.Name, clip(name), near)
	}
}

// key checks a condition key and its operator, and whether one of the actions has it.
func (v *validator) key(s *statement, k *conditionKey, known []*catalog.Action, services []*catalog.Service, all bool) {
	e := k.element
	if ofProvider(e.value) {
		return
	}
	if !v.catalog.KnowsKey(e.value) {
		v.find(RuleUnknownKey, e.at, "there is no condition key %s%s", clip(e.value), v.near(v.catalog.NearestKey, e.value))
		return
	}
	v.operator(s, k, services)
	if all || len(known) == 0 {
		return
	}
	for _, a := range known {
		if a.TakesKey(e.value) {
			return
		}
	}
	if v.nobodys(e.value, services) {
		return
	}
	what := "none of the actions has"
	if len(known) == 1 {
		what = known[0].String() + " does not have"
	}
	v.find(RuleKeyNotTaken, e.at, "%s the condition key %s: it is absent whenever this is asked", what, clip(e.value))
}

// nobodys says whether one of the services has the key, and the catalogue does not say of which actions: "lambda:SourceFunctionArn" is a key of all
// calls that a function makes.
func (v *validator) nobodys(key string, services []*catalog.Service) bool {
	prefix, _, _ := strings.Cut(key, ":")
	if s := v.catalog.Service(prefix); s != nil && !slices.Contains(services, s) {
		services = append(slices.Clip(services), s)
	}
	for _, s := range services {
		if !slices.ContainsFunc(s.Keys(), func(k catalog.Key) bool { return k.Match(key) }) {
			continue
		}
		v.work += matchWork * len(s.Actions())
		if v.work > maxWork || !slices.ContainsFunc(s.Actions(), func(a *catalog.Action) bool { return a.TakesKey(key) }) {
			return true
		}
	}
	return false
}

// near is a question for the nearest name, "" where there is none.
func (v *validator) near(nearest func(string) (string, bool), name string) string {
	if v.hints++; v.hints > maxHints {
		return ""
	}
	if found, ok := nearest(name); ok {
		return ": did you mean " + found + "?"
	}
	return ""
}

// ofProvider says whether the key is one of an identity provider, whose names are its own: "idp.example.com/tenant:sub".
func ofProvider(key string) bool {
	prefix, _, ok := strings.Cut(key, ":")
	return ok && strings.Contains(prefix, ".")
}

// variablesIn checks the policy variables of a value (docs/spec/policy-language.md 3).
func (v *validator) variablesIn(e element) {
	rest := e.value
	for {
		i := strings.Index(rest, "${")
		if i < 0 {
			return
		}
		rest = rest[i+2:]
		end := strings.IndexByte(rest, '}')
		if end < 0 {
			return
		}
		name := rest[:end]
		rest = rest[end+1:]
		if !v.variables {
			if name != "" {
				v.find(RulePlainVariable, e.at, "${%s} is taken literally: policy variables need Version 2012-10-17", clip(name))
				return
			}
			continue
		}
		key, _, _ := strings.Cut(name, ",")
		key = strings.TrimSpace(key)
		if key == "*" || key == "?" || key == "$" || ofProvider(key) || v.catalog.KnowsKey(key) {
			continue
		}
		v.find(RuleUnknownVariable, e.at, "there is no condition key %s for the variable ${%s}%s", clip(key), clip(name), v.near(v.catalog.NearestKey, key))
	}
}
