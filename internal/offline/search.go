package offline

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/gatehouse-iam/gatehouse/catalog"
)

// Search is what to look for in the catalogue. Empty fields let everything through; all that are given must hold.
type Search struct {
	Catalog *catalog.Catalog
	Of      string // actions, keys, resource-types or services
	// Pattern is of a name: of an action "s3:Get*", of a key "aws:*", of a resource type "s3:b*" with the prefix of its service, of a service "s3*".
	// ASCII case is ignored. What has no colon matches the part behind the colon, too.
	Pattern string
	Service string // prefix
	Level   string // of actions: list, read, write, tagging, permissions-management
	Type    string // name of a resource type: actions that act on it, and its keys
	Key     string // actions and resource types that have it
}

// searchKinds are the values of Search.Of.
var searchKinds = []string{"actions", "keys", "resource-types", "services"}

// levelWord is a level as flags have it.
func levelWord(l catalog.Level) string {
	return strings.ReplaceAll(strings.ToLower(l.String()), " ", "-")
}

func (s *Search) check() error {
	if s.Catalog == nil {
		s.Catalog = catalog.Builtin()
	}
	if !slices.Contains(searchKinds, s.Of) {
		return fmt.Errorf("%q is none of %s", clip(s.Of), strings.Join(searchKinds, ", "))
	}
	if s.Service != "" && s.Catalog.Service(s.Service) == nil {
		return fmt.Errorf("there is no service %q", clip(s.Service))
	}
	if s.Level != "" {
		words := []string{}
		for l := catalog.LevelList; l <= catalog.LevelPermissionsManagement; l++ {
			words = append(words, levelWord(l))
		}
		if !slices.Contains(words, s.Level) {
			return fmt.Errorf("%q is no level: %s", clip(s.Level), strings.Join(words, ", "))
		}
	}
	if s.Key != "" && !s.Catalog.KnowsKey(s.Key) {
		hint := ""
		if near, ok := s.Catalog.NearestKey(s.Key); ok {
			hint = ": did you mean " + near + "?"
		}
		return fmt.Errorf("there is no condition key %q%s", clip(s.Key), hint)
	}
	return nil
}

// Found is what a search finds: one of the lists.
type Found struct {
	Actions       []foundAction  `json:",omitempty"`
	Keys          []foundKey     `json:",omitempty"`
	ResourceTypes []foundType    `json:",omitempty"`
	Services      []foundService `json:",omitempty"`
}

type foundAction struct {
	Action        string
	Level         string
	ResourceTypes []foundOn        `json:",omitempty"`
	Keys          []string         `json:",omitempty"`
	Dependent     []foundDependent `json:",omitempty"`
}

type foundOn struct {
	Type     string // "s3:bucket"
	Required bool
	ARN      string
	Keys     []string `json:",omitempty"`
}

type foundDependent struct{ Action, When string }

type foundKey struct{ Key, Type string }

type foundType struct {
	Type string // "s3:bucket"
	ARN  string
	Keys []string `json:",omitempty"`
}

type foundService struct {
	Prefix, Name string
	Actions      int
	RCP          bool
}

// Len is how much was found.
func (f *Found) Len() int {
	return len(f.Actions) + len(f.Keys) + len(f.ResourceTypes) + len(f.Services)
}

// Run searches. The error is that of a search that asks for what cannot be.
func (s *Search) Run() (*Found, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	found := &Found{}
	for _, prefix := range s.prefixes() {
		service := s.Catalog.Service(prefix)
		switch s.Of {
		case "actions":
			s.actions(service, found)
		case "keys":
			s.keys(service, found)
		case "resource-types":
			s.types(service, found)
		case "services":
			if s.matches(prefix) {
				found.Services = append(found.Services, foundService{prefix, service.Name, len(service.Actions()), service.RCP})
			}
		}
	}
	if s.Of == "keys" {
		s.globalKeys(found)
	}
	return found, nil
}

// prefixes are those of the services to look at: for a pattern with a plain prefix only that one.
func (s *Search) prefixes() []string {
	if s.Service != "" {
		return []string{strings.ToLower(s.Service)}
	}
	prefix, _, ok := strings.Cut(s.Pattern, ":")
	if ok && !strings.ContainsAny(prefix, "*?") && s.Of != "keys" {
		if s.Catalog.Service(prefix) == nil {
			return nil
		}
		return []string{strings.ToLower(prefix)}
	}
	return s.Catalog.Prefixes()
}

// matches says whether a name is one that the pattern means.
func (s *Search) matches(name string) bool {
	if s.Pattern == "" {
		return true
	}
	pattern, name := strings.ToLower(s.Pattern), strings.ToLower(name)
	if catalog.Match(pattern, name) {
		return true
	}
	_, rest, ok := strings.Cut(name, ":")
	return ok && !strings.Contains(pattern, ":") && catalog.Match(pattern, rest)
}

func typeName(t *catalog.ResourceType) string { return t.Service.Prefix + ":" + t.Name }

// ofType says whether the type is the one that is asked for, by its name with or without prefix.
func (s *Search) ofType(t *catalog.ResourceType) bool {
	return strings.EqualFold(s.Type, t.Name) || strings.EqualFold(s.Type, typeName(t))
}

func (s *Search) actions(service *catalog.Service, found *Found) {
	for _, a := range service.Actions() {
		if !s.matches(a.String()) || s.Level != "" && levelWord(a.Level) != s.Level || s.Key != "" && !a.TakesKey(s.Key) {
			continue
		}
		if s.Type != "" && !slices.ContainsFunc(a.Resources, func(r catalog.ActionResource) bool { return s.ofType(r.Type) }) {
			continue
		}
		one := foundAction{Action: a.String(), Level: a.Level.String(), Keys: a.Keys}
		for i := range a.Resources {
			r := &a.Resources[i]
			keys := slices.Concat(r.Keys, r.Type.Keys)
			slices.Sort(keys)
			one.ResourceTypes = append(one.ResourceTypes, foundOn{typeName(r.Type), r.Required, r.Type.ARN, slices.Compact(keys)})
		}
		for _, d := range a.Dependent {
			one.Dependent = append(one.Dependent, foundDependent{d.Action, d.When})
		}
		found.Actions = append(found.Actions, one)
	}
}

func (s *Search) keys(service *catalog.Service, found *Found) {
	for _, k := range service.Keys() {
		if !s.matches(k.Name) || s.Key != "" && !strings.EqualFold(s.Key, k.Name) {
			continue
		}
		if s.Type != "" && !slices.ContainsFunc(service.ResourceTypes(), func(t *catalog.ResourceType) bool { return s.ofType(t) && slices.Contains(t.Keys, k.Name) }) {
			continue
		}
		found.Keys = append(found.Keys, foundKey{k.Name, k.Type})
	}
}

// globalKeys adds those of every action, and brings the keys in order.
func (s *Search) globalKeys(found *Found) {
	if s.Service == "" && s.Type == "" {
		for _, k := range catalog.GlobalKeys() {
			if s.matches(k.Name) && (s.Key == "" || strings.EqualFold(s.Key, k.Name)) {
				found.Keys = append(found.Keys, foundKey{k.Name, k.Type})
			}
		}
	}
	slices.SortFunc(found.Keys, func(a, b foundKey) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Type, b.Type)) })
	found.Keys = slices.CompactFunc(found.Keys, func(a, b foundKey) bool { return a.Key == b.Key })
}

func (s *Search) types(service *catalog.Service, found *Found) {
	for _, t := range service.ResourceTypes() {
		if s.matches(typeName(t)) && (s.Type == "" || s.ofType(t)) && (s.Key == "" || slices.ContainsFunc(t.Keys, func(k string) bool { return strings.EqualFold(k, s.Key) })) {
			found.ResourceTypes = append(found.ResourceTypes, foundType{typeName(t), t.ARN, t.Keys})
		}
	}
}

// Text writes what was found as a table; a single action or resource type with all that is known of it.
func (f *Found) Text(w io.Writer) error {
	switch {
	case len(f.Actions) == 1:
		return f.Actions[0].text(w)
	case len(f.ResourceTypes) == 1:
		t := &f.ResourceTypes[0]
		p := &printer{w: w}
		p.printf("%s\n  ARN   %s\n", t.Type, t.ARN)
		for _, k := range t.Keys {
			p.printf("  key   %s\n", k)
		}
		return p.err
	}
	tab := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	p := &printer{w: tab}
	switch {
	case f.Actions != nil:
		p.printf("ACTION\tLEVEL\tRESOURCE TYPES (* required)\n")
		for _, a := range f.Actions {
			p.printf("%s\t%s\t%s\n", a.Action, a.Level, a.on())
		}
	case f.Keys != nil:
		p.printf("KEY\tTYPE\n")
		for _, k := range f.Keys {
			p.printf("%s\t%s\n", k.Key, k.Type)
		}
	case f.ResourceTypes != nil:
		p.printf("RESOURCE TYPE\tARN\n")
		for _, t := range f.ResourceTypes {
			p.printf("%s\t%s\n", t.Type, t.ARN)
		}
	case f.Services != nil:
		p.printf("PREFIX\tNAME\tACTIONS\tRCP\n")
		for _, s := range f.Services {
			rcp := "no"
			if s.RCP {
				rcp = "yes"
			}
			p.printf("%s\t%s\t%d\t%s\n", s.Prefix, s.Name, s.Actions, rcp)
		}
	}
	if p.err != nil {
		return p.err
	}
	return tab.Flush()
}

// on lists the types of an action; "-" for an action that takes "*" only.
func (a *foundAction) on() string {
	if len(a.ResourceTypes) == 0 {
		return "-"
	}
	var names []string
	for _, r := range a.ResourceTypes {
		name := r.Type[strings.IndexByte(r.Type, ':')+1:]
		if r.Required {
			name += "*"
		}
		names = append(names, name)
	}
	return strings.Join(names, ", ")
}

func (a *foundAction) text(w io.Writer) error {
	p := &printer{w: w}
	p.printf("%s\n  level     %s\n", a.Action, a.Level)
	if len(a.ResourceTypes) == 0 {
		p.printf("  resource  none: only \"*\"\n")
	}
	for _, r := range a.ResourceTypes {
		need := "optional"
		if r.Required {
			need = "required"
		}
		p.printf("  resource  %s, %s: %s\n", r.Type, need, r.ARN)
		for _, k := range r.Keys {
			p.printf("    key     %s\n", k)
		}
	}
	for _, k := range a.Keys {
		p.printf("  key       %s\n", k)
	}
	for _, d := range a.Dependent {
		p.printf("  needs     %s: %s\n", d.Action, d.When)
	}
	return p.err
}

// JSON writes what was found as one JSON object.
func (f *Found) JSON(w io.Writer) error { return encode(w, f) }

// Nearest says which action was perhaps meant, where nothing was found: ": did you mean s3:GetObject?", or "".
func (s *Search) Nearest() string {
	if s.Of == "actions" {
		if near, ok := s.Catalog.NearestAction(s.Pattern); ok {
			return ": did you mean " + near + "?"
		}
	}
	return ""
}
