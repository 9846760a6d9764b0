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
	if v.byParts(t, pattern) {
		return true
	}
	// Stars swallow colons too: "arn:aws:secretsmanager:*:*:app!*" are secrets. Nobody means that who names another type of the service.
	if v.named(t.Service, pattern) {
		return false
	}
	for form := range strings.SplitSeq(t.ARN, ", ") {
		if arn, ok := v.meet(pattern, formOf(form)); ok && !otherService(pattern, form) && (strings.Count(pattern, ":") < 5 || t.Match(arn)) {
			return true
		}
	}
	return false
}

// named says whether some type of the service fits a pattern part by part.
func (v *validator) named(s *catalog.Service, pattern string) bool {
	key := s.Prefix + " " + pattern
	known, ok := v.names[key]
	if !ok {
		known = slices.ContainsFunc(s.ResourceTypes(), func(t *catalog.ResourceType) bool { return v.byParts(t, pattern) })
		if v.names == nil {
			v.names = map[string]bool{}
		}
		v.names[key] = known
	}
	return known
}

// byParts says whether a pattern that has all parts of an ARN may match one of the type, part by part.
func (v *validator) byParts(t *catalog.ResourceType, pattern string) bool {
	for form := range strings.SplitSeq(t.ARN, ", ") {
		if !otherService(pattern, form) && v.formByParts(t, pattern, form) {
			return true
		}
	}
	return false
}

func (v *validator) formByParts(t *catalog.ResourceType, pattern, form string) bool {
	parts, n := arn.Split(pattern)
	if n < len(parts) {
		return false
	}
	v.work += matchWork
	of, _ := arn.Split(form)
	for i := range len(parts) - 1 {
		switch variable := strings.ContainsAny(of[i], "*$"); {
		case !variable && !catalog.Match(parts[i], of[i]):
			return false
		case !variable:
			parts[i] = of[i]
		default: // also for nothing: ARNs of what AWS owns have no account
			parts[i] = "x"
		}
	}
	var ok bool
	parts[len(parts)-1], ok = v.meet(parts[len(parts)-1], formOf(of[len(parts)-1]))
	return ok && t.Match(strings.Join(parts[:], ":"))
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

// meet finds a text that both the pattern and the form match, the way that the form's variables are shortest.
func (v *validator) meet(pattern, form string) (string, bool) {
	width := len(form) + 1
	v.work += len(pattern) * width
	// can[i*width+j] says whether the pattern from i and the form from j meet. It is filled from the end.
	can := make([]bool, (len(pattern)+1)*width)
	for i := len(pattern); i >= 0; i-- {
		for j := len(form); j >= 0; j-- {
			star, run := i < len(pattern) && pattern[i] == '*', j < len(form) && form[j] == formRun
			var ok bool
			switch at := i*width + j; {
			case i == len(pattern) && j == len(form):
				ok = true
			case star && can[at+width], run && can[at+1]: // one of them ends
				ok = true
			case star:
				ok = j < len(form) && can[at+1]
			case i == len(pattern) || j == len(form):
			case run:
				ok = can[at+width]
			default:
				ok = (pattern[i] == '?' || pattern[i] == form[j]) && can[at+width+1]
			}
			can[i*width+j] = ok
		}
	}
	if !can[0] {
		return "", false
	}
	return witness(pattern, form, can), true
}

// witness follows the table of meet. Each variable gets something: nothing is not a name.
func witness(pattern, form string, can []bool) string {
	width := len(form) + 1
	var b strings.Builder
	given := -1 // the variable that has something
	for i, j := 0, 0; i < len(pattern) || j < len(form); {
		star, run := i < len(pattern) && pattern[i] == '*', j < len(form) && form[j] == formRun
		at := i*width + j
		switch {
		case star && run && given != j:
			b.WriteByte('x')
			given = j
		case run && given == j && can[at+1]:
			j++
		case run && !star && i < len(pattern) && can[at+width]:
			b.WriteByte(plain(pattern[i]))
			given = j
			i++
		case run && can[at+1]:
			j++
		case star && can[at+width]:
			i++
		case star:
			b.WriteByte(form[j])
			j++
		default:
			b.WriteByte(form[j])
			i++
			j++
		}
	}
	return b.String()
}

// plain is a character for one of a pattern.
func plain(c byte) byte {
	if c == '?' {
		return 'x'
	}
	return c
}
