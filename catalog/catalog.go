package catalog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Catalog is a set of services.
type Catalog struct {
	prefixes []string // in order
	builtin  map[string]*slot
	own      map[string]*Service // services of AWS's too, where something extends them
}

// Builtin has AWS's services and Gatehouse's own ("gatehouse"). It decodes none of them.
func Builtin() *Catalog { return builtin() }

// With gives a catalogue that has other services too, beside those of c, and what extends AWS's. It refuses a prefix that c has already or
// that comes twice, extensions that contradict each other, and a dependent action that nobody has.
func (c *Catalog) With(own ...*Service) (*Catalog, error) {
	with := &Catalog{builtin: c.builtin, own: make(map[string]*Service, len(c.own)+len(own)), prefixes: slices.Clone(c.prefixes)}
	maps.Copy(with.own, c.own)
	for _, s := range own {
		if err := with.add(s); err != nil {
			return nil, err
		}
	}
	slices.Sort(with.prefixes)
	for _, s := range own {
		for _, a := range with.own[s.Prefix].actions {
			for _, d := range a.Dependent {
				if with.Action(d.Action) == nil {
					return nil, fmt.Errorf("catalog: service %q: action %q: the dependent action %q is not known", s.Prefix, a.Name, d.Action)
				}
			}
		}
	}
	return with, nil
}

func (c *Catalog) add(s *Service) error {
	has := c.own[s.Prefix]
	switch {
	case len(s.extensions) > 0 && has != nil:
		both, err := extended(slices.Concat(has.extensions, s.extensions)...)
		if err != nil {
			return fmt.Errorf("catalog: service %q, with what extends it already: %w", s.Prefix, err)
		}
		s = both
	case len(s.extensions) > 0:
	case c.builtin[s.Prefix] != nil:
		return fmt.Errorf("catalog: service %q: the prefix is one of AWS or Gatehouse", s.Prefix)
	case has != nil:
		return fmt.Errorf("catalog: service %q stands twice", s.Prefix)
	default:
		c.prefixes = append(c.prefixes, s.Prefix)
	}
	c.own[s.Prefix] = s
	return nil
}

// Prefixes are in order.
func (c *Catalog) Prefixes() []string { return c.prefixes }

// Service finds a service by its prefix. ASCII case is ignored. It is nil where there is none.
func (c *Catalog) Service(prefix string) *Service {
	if s := c.find(prefix); s != nil {
		return s
	}
	var folded [maxPrefix]byte
	if len(prefix) > len(folded) {
		return nil
	}
	changed := false
	for i := range len(prefix) {
		folded[i] = lower(prefix[i])
		changed = changed || folded[i] != prefix[i]
	}
	if !changed {
		return nil
	}
	if s := c.own[string(folded[:len(prefix)])]; s != nil {
		return s
	}
	if s := c.builtin[string(folded[:len(prefix)])]; s != nil {
		return s.service()
	}
	return nil
}

func (c *Catalog) find(prefix string) *Service {
	if s := c.own[prefix]; s != nil {
		return s
	}
	if s := c.builtin[prefix]; s != nil {
		return s.service()
	}
	return nil
}

// Action finds an action "prefix:Name". ASCII case is ignored. It is nil where there is none.
func (c *Catalog) Action(action string) *Action {
	prefix, name, ok := strings.Cut(action, ":")
	if !ok {
		return nil
	}
	s := c.Service(prefix)
	if s == nil {
		return nil
	}
	return s.Action(name)
}
