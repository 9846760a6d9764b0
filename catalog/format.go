package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of a service. AWS's largest stand well below them.
const (
	maxServices   = 200    // of a file
	maxActions    = 10_000 // of a service
	maxTypes      = 1_000  // of a service
	maxKeys       = 1_000  // of a service, and of one list of keys
	maxDependent  = 50     // of an action
	maxPrefix     = 63     // bytes
	maxName       = 128    // bytes of any other name
	maxKeyName    = 256    // bytes
	maxARN        = 2_048  // bytes of the form of an ARN
	maxConditions = 512    // bytes that say when another action is needed
)

// A file of services, as docs/catalog.md describes it.
type fileText struct {
	Services []serviceText `json:"services"`
}

type serviceText struct {
	Prefix        string       `json:"prefix"`
	Extends       string       `json:"extends"`
	Name          string       `json:"name"`
	RCP           bool         `json:"rcp"`
	Keys          []keyText    `json:"keys"`
	ResourceTypes []typeText   `json:"resourceTypes"`
	Actions       []actionText `json:"actions"`
}

type keyText struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type typeText struct {
	Name                string   `json:"name"`
	ARN                 string   `json:"arn"`
	Keys                []string `json:"keys"`
	NeedsResourcePolicy bool     `json:"needsResourcePolicy"`
}

type actionText struct {
	Name      string               `json:"name"`
	Level     string               `json:"level"`
	Resources []actionResourceText `json:"resources"`
	Keys      []string             `json:"keys"`
	Dependent []dependentText      `json:"dependent"`
}

type actionResourceText struct {
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Keys     []string `json:"keys"`
}

type dependentText struct {
	Action string `json:"action"`
	When   string `json:"when"`
}

// builder makes a Service of its text, and checks everything that is said in it.
type builder struct {
	own   bool // what somebody adds: its keys are of the service or global
	s     *Service
	forms *forms              // where the forms of ARNs go
	keys  map[string]string   // names of keys in lower case, to the one spelling
	lists map[string][]string // lists of keys, which are the same for many actions
	types map[string]*ResourceType
}

// build gives an error that begins with the place in the service.
func build(text *serviceText, own bool) (*Service, error) {
	b, err := newBuilder(text, own)
	if err != nil {
		return nil, err
	}
	return b.done(), nil
}

func newBuilder(text *serviceText, own bool) (*builder, error) {
	if err := checkPrefix(text.Prefix); err != nil {
		return nil, err
	}
	if err := checkName("name", text.Name, maxName); err != nil {
		return nil, err
	}
	b := &builder{
		own:   own,
		s:     &Service{Prefix: text.Prefix, Name: text.Name, RCP: text.RCP, byName: make(map[string]*Action, len(text.Actions))},
		keys:  make(map[string]string, len(text.Keys)),
		lists: map[string][]string{},
		types: make(map[string]*ResourceType, len(text.ResourceTypes)),
	}
	b.forms = &b.s.forms
	if err := checkCounts(len(text.Actions), len(text.ResourceTypes), len(text.Keys)); err != nil {
		return nil, err
	}
	for i := range text.Keys {
		if err := b.addKey(&text.Keys[i]); err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
	}
	for i := range text.ResourceTypes {
		if err := b.addType(&text.ResourceTypes[i]); err != nil {
			return nil, fmt.Errorf("resourceTypes[%d]: %w", i, err)
		}
	}
	b.s.actions = make([]*Action, 0, len(text.Actions))
	for i := range text.Actions {
		if err := b.addAction(&text.Actions[i]); err != nil {
			return nil, fmt.Errorf("actions[%d]: %w", i, err)
		}
	}
	return b, nil
}

func checkCounts(actions, types, keys int) error {
	switch {
	case actions > maxActions:
		return fmt.Errorf("%d actions are more than %d", actions, maxActions)
	case types > maxTypes:
		return fmt.Errorf("%d resource types are more than %d", types, maxTypes)
	case keys > maxKeys:
		return fmt.Errorf("%d condition keys are more than %d", keys, maxKeys)
	}
	return nil
}

func (b *builder) done() *Service {
	slices.SortFunc(b.s.keys, func(a, b Key) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(b.s.types, func(a, b *ResourceType) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(b.s.actions, func(a, b *Action) int { return cmp.Compare(a.Name, b.Name) })
	return b.s
}

func (b *builder) addKey(text *keyText) error {
	if err := checkName("name", text.Name, maxKeyName); err != nil {
		return err
	}
	if b.own && !strings.HasPrefix(fold(text.Name), b.s.Prefix+":") && !isGlobal(text.Name) {
		return fmt.Errorf("%q is neither a global key nor one that begins with %q", text.Name, b.s.Prefix+":")
	}
	if !slices.Contains(keyTypes, strings.TrimPrefix(text.Type, "ArrayOf")) {
		return fmt.Errorf("%q: type %q is none of %s, with or without ArrayOf before it", text.Name, text.Type, strings.Join(keyTypes, ", "))
	}
	if b.keys[fold(text.Name)] != "" {
		return fmt.Errorf("%q stands twice", text.Name)
	}
	b.keys[fold(text.Name)] = text.Name
	b.s.keys = append(b.s.keys, Key(*text))
	return nil
}

func (b *builder) addType(text *typeText) error {
	if err := checkName("name", text.Name, maxName); err != nil {
		return err
	}
	if b.types[fold(text.Name)] != nil {
		return fmt.Errorf("%q stands twice", text.Name)
	}
	templates, err := parseTemplates(text.ARN)
	if err != nil {
		return fmt.Errorf("%q: %w", text.Name, err)
	}
	keys, err := b.list(text.Keys)
	if err != nil {
		return fmt.Errorf("%q: %w", text.Name, err)
	}
	t := &ResourceType{Service: b.s, Name: text.Name, ARN: text.ARN, Keys: keys, NeedsResourcePolicy: text.NeedsResourcePolicy}
	for _, one := range templates {
		b.forms.add(t, one)
	}
	b.types[fold(text.Name)] = t
	b.s.types = append(b.s.types, t)
	return nil
}

func (b *builder) addAction(text *actionText) error {
	if err := checkAction(text.Name); err != nil {
		return err
	}
	if b.s.byName[fold(text.Name)] != nil {
		return fmt.Errorf("%q stands twice", text.Name)
	}
	level := slices.Index(levels[:], text.Level)
	if level < 0 {
		return fmt.Errorf("%q: level %q is none of %s", text.Name, text.Level, strings.Join(levels[:], ", "))
	}
	keys, err := b.list(text.Keys)
	if err != nil {
		return fmt.Errorf("%q: %w", text.Name, err)
	}
	a := &Action{Service: b.s, Name: text.Name, Level: Level(level), Keys: keys}
	if len(text.Resources) > 0 {
		a.Resources = make([]ActionResource, 0, len(text.Resources))
	}
	for i := range text.Resources {
		if err := b.addResource(a, &text.Resources[i]); err != nil {
			return fmt.Errorf("%q: resources[%d]: %w", text.Name, i, err)
		}
	}
	if len(text.Dependent) > maxDependent {
		return fmt.Errorf("%q: %d dependent actions are more than %d", text.Name, len(text.Dependent), maxDependent)
	}
	for i, d := range text.Dependent {
		if err := d.check(); err != nil {
			return fmt.Errorf("%q: dependent[%d]: %w", text.Name, i, err)
		}
		a.Dependent = append(a.Dependent, Dependent(d))
	}
	b.s.byName[fold(text.Name)] = a
	b.s.actions = append(b.s.actions, a)
	return nil
}

func (d *dependentText) check() error {
	prefix, name, _ := strings.Cut(d.Action, ":")
	if checkPrefix(prefix) != nil || checkAction(name) != nil {
		return fmt.Errorf(`%q is not an action "prefix:Name"`, d.Action)
	}
	return checkName("when", d.When, maxConditions)
}

func (b *builder) addResource(a *Action, text *actionResourceText) error {
	t := b.types[fold(text.Type)]
	if t == nil {
		return fmt.Errorf("%q is no resource type of the service", text.Type)
	}
	if slices.ContainsFunc(a.Resources, func(r ActionResource) bool { return r.Type == t }) {
		return fmt.Errorf("%q stands twice", text.Type)
	}
	keys, err := b.list(text.Keys)
	if err != nil {
		return err
	}
	a.Resources = append(a.Resources, ActionResource{Type: t, Required: text.Required, Keys: keys})
	return nil
}

// list checks keys and gives a list that all who have the same share.
func (b *builder) list(names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, nil
	}
	if len(names) > maxKeys {
		return nil, fmt.Errorf("%d condition keys are more than %d", len(names), maxKeys)
	}
	id := strings.Join(names, "\n")
	if list := b.lists[id]; list != nil {
		return list, nil
	}
	list := make([]string, 0, len(names))
	for _, name := range names {
		spelt := b.keys[fold(name)]
		if spelt == "" {
			return nil, fmt.Errorf("%q is not among the keys of the service", name)
		}
		list = append(list, spelt)
	}
	b.lists[id] = list
	return list, nil
}

func checkPrefix(s string) error {
	if s == "" || len(s) > maxPrefix {
		return fmt.Errorf("the prefix %.80q does not have 1 to %d bytes", s, maxPrefix)
	}
	for i := range len(s) {
		if c := s[i]; !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.') {
			return fmt.Errorf("the prefix %q has other characters than lower-case letters, digits, \"-\" and \".\"", s)
		}
	}
	return nil
}

func checkAction(s string) error {
	if s == "" || len(s) > maxName {
		return fmt.Errorf("the name %.80q does not have 1 to %d bytes", s, maxName)
	}
	for i := range len(s) {
		if c := lower(s[i]); !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.') {
			return fmt.Errorf("the name %q has other characters than letters, digits, \"-\", \"_\" and \".\"", s)
		}
	}
	return nil
}

func checkName(what, s string, longest int) error {
	if s == "" || len(s) > longest {
		return fmt.Errorf("the %s %.80q does not have 1 to %d bytes", what, s, longest)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("the %s %q has characters that cannot be printed", what, s)
	}
	return nil
}
