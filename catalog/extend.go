package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// extended gives a service of AWS's with what the texts add to it. Each is checked on its own place: its errors begin with that.
//
// Nothing that is Known without an extension is refused with it: only types, forms of ARNs, actions and keys are added, and a form that
// was added is looked at where none of AWS's fits. What AWS's part has may be said again, so that a file still holds when AWS's part has learnt
// what stands in it; but not otherwise.
func extended(texts ...*serviceText) (*Service, error) {
	first := texts[0]
	switch {
	case first.Prefix != "":
		return nil, errors.New("what extends a service has no prefix of its own")
	case first.Extends == gatehouse:
		return nil, errors.New("Gatehouse's own service cannot be extended")
	}
	s := builtin().builtin[first.Extends]
	if s == nil {
		return nil, fmt.Errorf("AWS has no service %.80q that could be extended", first.Extends)
	}
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	b, err := newBuilder(text, false)
	if err != nil {
		return nil, err
	}
	b.forms = &b.s.added
	for _, one := range texts {
		if err := b.extend(one); err != nil {
			return nil, err
		}
	}
	b.s.extensions = texts
	return b.done(), nil
}

func (b *builder) extend(text *serviceText) error {
	switch {
	case text.Name != "":
		return errors.New("what extends a service has no name of its own")
	case text.RCP && !b.s.RCP:
		return errors.New("whether resource control policies reach a service of AWS's is not for an extension to say")
	}
	if err := checkCounts(len(text.Actions), len(text.ResourceTypes), len(text.Keys)); err != nil {
		return err
	}
	keys, types, actions := names{}, names{}, names{}
	for i := range text.Keys {
		if err := b.extendKey(&text.Keys[i], keys); err != nil {
			return fmt.Errorf("keys[%d]: %w", i, err)
		}
	}
	for i := range text.ResourceTypes {
		if err := b.extendType(&text.ResourceTypes[i], types); err != nil {
			return fmt.Errorf("resourceTypes[%d]: %w", i, err)
		}
	}
	for i := range text.Actions {
		if err := b.extendAction(&text.Actions[i], actions); err != nil {
			return fmt.Errorf("actions[%d]: %w", i, err)
		}
	}
	return checkCounts(len(b.s.actions), len(b.s.types), len(b.s.keys))
}

// names are those of one list, in lower case.
type names map[string]bool

func (n names) take(name string) error {
	if n[fold(name)] {
		return fmt.Errorf("%q stands twice", name)
	}
	n[fold(name)] = true
	return nil
}

func (b *builder) extendKey(text *keyText, taken names) error {
	if err := taken.take(text.Name); err != nil {
		return err
	}
	if spelt := b.keys[fold(text.Name)]; spelt != "" {
		i := slices.IndexFunc(b.s.keys, func(k Key) bool { return k.Name == spelt })
		if has := b.s.keys[i].Type; has != text.Type {
			return fmt.Errorf("%q is there already, with the type %s", text.Name, has)
		}
		return nil
	}
	// AWS's services take keys of each other, but none that nobody has.
	if !strings.HasPrefix(fold(text.Name), b.s.Prefix+":") && !isGlobal(text.Name) && !allKeys().names[fold(text.Name)] {
		return fmt.Errorf("%q is neither a key of AWS's nor one that begins with %q", text.Name, b.s.Prefix+":")
	}
	return b.addKey(text)
}

func (b *builder) extendType(text *typeText, taken names) error {
	if err := taken.take(text.Name); err != nil {
		return err
	}
	t := b.types[fold(text.Name)]
	if t == nil {
		return b.addType(text)
	}
	if text.NeedsResourcePolicy && !t.NeedsResourcePolicy {
		return fmt.Errorf("%q is there already, and does not need a policy of the resource", text.Name)
	}
	if err := b.addForms(t, text.ARN); err != nil {
		return fmt.Errorf("%q: %w", text.Name, err)
	}
	var err error
	if t.Keys, err = b.join(t.Keys, text.Keys); err != nil {
		return fmt.Errorf("%q: %w", text.Name, err)
	}
	return nil
}

// addForms adds the forms of ARNs that a type does not have.
func (b *builder) addForms(t *ResourceType, text string) error {
	if text == "" {
		return nil
	}
	templates, err := parseTemplates(text)
	if err != nil {
		return err
	}
	for i, one := range strings.Split(text, separator) {
		if slices.Contains(strings.Split(t.ARN, separator), one) {
			continue
		}
		if len(t.ARN)+len(separator)+len(one) > maxARN {
			return errTemplateLong
		}
		t.ARN += separator + one
		b.forms.add(t, templates[i])
	}
	return nil
}

func (b *builder) extendAction(text *actionText, taken names) error {
	if err := taken.take(text.Name); err != nil {
		return err
	}
	a := b.s.Action(text.Name)
	if a == nil {
		return b.addAction(text)
	}
	if text.Level != "" && text.Level != a.Level.String() {
		return fmt.Errorf("%q is there already, with the level %s", text.Name, a.Level)
	}
	types := names{}
	for i := range text.Resources {
		if err := b.extendResource(a, &text.Resources[i], types); err != nil {
			return fmt.Errorf("%q: resources[%d]: %w", text.Name, i, err)
		}
	}
	var err error
	if a.Keys, err = b.join(a.Keys, text.Keys); err != nil {
		return fmt.Errorf("%q: %w", text.Name, err)
	}
	for i, d := range text.Dependent {
		if err := d.check(); err != nil {
			return fmt.Errorf("%q: dependent[%d]: %w", text.Name, i, err)
		}
		if !slices.Contains(a.Dependent, Dependent(d)) {
			a.Dependent = append(a.Dependent, Dependent(d))
		}
	}
	if n := len(a.Dependent); n > maxDependent {
		return fmt.Errorf("%q: %d dependent actions are more than %d", text.Name, n, maxDependent)
	}
	return nil
}

func (b *builder) extendResource(a *Action, text *actionResourceText, taken names) error {
	if err := taken.take(text.Type); err != nil {
		return err
	}
	t := b.types[fold(text.Type)] // nil is none of the action's, for which addResource has an error
	i := slices.IndexFunc(a.Resources, func(r ActionResource) bool { return r.Type == t })
	if t != nil && text.Required && (i < 0 || !a.Resources[i].Required) {
		return fmt.Errorf("%q cannot be required: there are calls of the action without one", text.Type)
	}
	if i < 0 {
		relax(a.Resources, func(r *ActionResource) *bool { return &r.Required })
		return b.addResource(a, text)
	}
	if len(text.Keys) == 0 {
		return nil
	}
	r := &a.Resources[i]
	keys := r.Keys
	if len(keys) == 0 { // then those of the type are meant, and still are
		keys = t.Keys
	}
	var err error
	r.Keys, err = b.join(keys, text.Keys)
	return err
}

// join adds keys to a list that others may share.
func (b *builder) join(has, more []string) ([]string, error) {
	more, err := b.list(more)
	if err != nil {
		return nil, err
	}
	all, there := slices.Clone(has), names{}
	for _, k := range has {
		there[fold(k)] = true
	}
	for _, k := range more {
		if there.take(k) == nil {
			all = append(all, k)
		}
	}
	return b.list(all)
}
