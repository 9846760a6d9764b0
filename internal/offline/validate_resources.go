package offline

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/catalog"
)

// matchWork is about what it costs to hold an ARN against a type.
const matchWork = 200

// resources checks that each resource is of a type on which some action acts, and that each action that is named acts on some resource.
func (v *validator) resources(s *statement, known []*catalog.Action, all bool) {
	if s.notResource || s.notAction || len(s.resources) == 0 || len(known) == 0 {
		return
	}
	patterns := make([]string, len(s.resources))
	for i, r := range s.resources {
		patterns[i] = v.pattern(r.value)
	}
	if !all {
		v.idleResources(s, patterns, known)
	}
	if slices.Contains(patterns, "*") {
		return
	}
	for _, e := range s.actions {
		a := v.catalog.Action(e.value)
		if a == nil {
			continue
		}
		types := typesOf([]*catalog.Action{a})
		switch {
		case len(types) == 0:
			v.find(RuleIdleAction, e.at, `%s takes no resource: only "*" covers it`, a)
		case !slices.ContainsFunc(types, func(t *catalog.ResourceType) bool {
			return slices.ContainsFunc(patterns, func(p string) bool { return v.fits(t, p) })
		}):
			v.find(RuleIdleAction, e.at, "%s acts on %s, and none of the resources is one", a, typeWords(types))
		}
	}
}

// idleResources reports the resources on which no action acts. Where that is all of them and every action is named, the actions are reported.
func (v *validator) idleResources(s *statement, patterns []string, known []*catalog.Action) {
	types := typesOf(known)
	var list []element
	for i, r := range s.resources {
		if patterns[i] != "*" && !slices.ContainsFunc(types, func(t *catalog.ResourceType) bool { return v.fits(t, patterns[i]) }) {
			list = append(list, r)
		}
	}
	named := !slices.ContainsFunc(s.actions, func(e element) bool { return strings.ContainsAny(e.value, "*?") })
	if named && len(list) == len(s.resources) {
		return
	}
	for _, r := range list {
		v.find(RuleIdleResource, r.at, "%s: %s", clip(r.value), idle(known, types))
	}
}

// idle says why a resource is none of the actions'.
func idle(known []*catalog.Action, types []*catalog.ResourceType) string {
	switch {
	case len(known) == 1 && len(types) == 0:
		return known[0].String() + ` takes no resource: only "*" covers it`
	case len(known) == 1:
		return known[0].String() + " acts on " + typeWords(types) + ", and this is none"
	case len(types) == 0:
		return `the actions take no resource: only "*" covers them`
	}
	return "none of the actions acts on such a resource; they act on " + typeWords(types)
}

// typeWords lists types by name, some of many.
func typeWords(types []*catalog.ResourceType) string {
	const most = 5
	var names []string
	for _, t := range types {
		if len(names) == most {
			names = append(names, "…")
			break
		}
		names = append(names, t.Service.Prefix+" "+t.Name)
	}
	return strings.Join(names, ", ")
}

// typesOf are the types on which the actions act, each once.
func typesOf(actions []*catalog.Action) []*catalog.ResourceType {
	var types []*catalog.ResourceType
	seen := map[*catalog.ResourceType]bool{}
	for _, a := range actions {
		for i := range a.Resources {
			if t := a.Resources[i].Type; !seen[t] {
				seen[t] = true
				types = append(types, t)
			}
		}
	}
	return types
}

// pattern is a resource with "*" in the place of its variables.
func (v *validator) pattern(resource string) string {
	if !v.variables {
		return resource
	}
	var b strings.Builder
	for {
		i := strings.Index(resource, "${")
		if i < 0 {
			break
		}
		end := strings.IndexByte(resource[i:], '}')
		if end < 0 {
			break
		}
		b.WriteString(resource[:i])
		b.WriteByte('*')
		resource = resource[i+end+1:]
	}
	b.WriteString(resource)
	return b.String()
}

// fits says whether a pattern may match an ARN of the type. In doubt it does.
func (v *validator) fits(t *catalog.ResourceType, pattern string) bool {
	if v.work += matchWork; pattern == "*" || v.work > maxWork || t.Match(pattern) {
		return true
	}
	if !strings.ContainsAny(pattern, "*?") {
		return false
	}
	v.work += matchWork * len(t.Service.ResourceTypes())
	of := slices.ContainsFunc(t.Service.ResourceTypes(), func(other *catalog.ResourceType) bool { return other.Match(pattern) })
	for form := range strings.SplitSeq(t.ARN, ", ") {
		if otherService(pattern, form) {
			continue
		}
		f := formOf(form)
		if v.meet(pattern, f, false) || !of && v.meet(pattern, f, true) {
			return true
		}
	}
	return false
}

// otherService says that the two ARNs name different services, and so cannot meet.
func otherService(pattern, form string) bool {
	p, n := arn.Split(pattern)
	f, _ := arn.Split(form)
	return n > 3 && !strings.ContainsAny(p[0]+p[1]+p[2], "*?") && !strings.ContainsAny(f[2], "*$") && p[2] != f[2]
}

// formRun stands in a form for a variable.
const formRun = '\x00'

// formOf is the form of a type's ARNs with one sign for each variable.
func formOf(form string) string {
	var b strings.Builder
	for i := 0; i < len(form); i++ {
		switch {
		case form[i] == '*':
			b.WriteByte(formRun)
		case strings.HasPrefix(form[i:], "${") && strings.IndexByte(form[i:], '}') > 0:
			i += strings.IndexByte(form[i:], '}')
			b.WriteByte(formRun)
		default:
			b.WriteByte(form[i])
		}
	}
	return b.String()
}

// meet says whether a text matches both the pattern and the form. wide lets variables of the form have slashes and colons.
func (v *validator) meet(pattern, form string, wide bool) bool {
	v.work += len(pattern) * len(form)
	// row[j] says whether the pattern from i and the form from j meet; rows are made from the end.
	row, next := make([]bool, len(form)+1), make([]bool, len(form)+1)
	for i := len(pattern); i >= 0; i-- {
		for j := len(form); j >= 0; j-- {
			star := i < len(pattern) && pattern[i] == '*'
			run := j < len(form) && form[j] == formRun
			switch {
			case i == len(pattern) && j == len(form):
				row[j] = true
			case star && next[j], run && row[j+1]: // one of them ends
				row[j] = true
			case star:
				row[j] = j < len(form) && row[j+1]
			case i == len(pattern) || j == len(form):
				row[j] = false
			case run:
				row[j] = next[j] && (wide || pattern[i] != '/' && pattern[i] != ':')
			default:
				row[j] = (pattern[i] == '?' || pattern[i] == form[j]) && next[j+1]
			}
		}
		row, next = next, row
	}
	return next[0]
}
