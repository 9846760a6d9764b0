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
	own      map[string]*Service
}

// Builtin has AWS's services and Gatehouse's own ("gatehouse"). It decodes none of them.
func Builtin() *Catalog { return builtin() }

// With gives a catalogue that has other services too, beside those of c. It refuses a prefix that c has already or that comes twice, and a
// dependent action that nobody has.
func (c *Catalog) With(own ...*Service) (*Catalog, error) {
	with := &Catalog{builtin: c.builtin, own: make(map[string]*Service, len(c.own)+len(own)), prefixes: slices.Clone(c.prefixes)}
	maps.Copy(with.own, c.own)
	for _, s := range own {
		if with.builtin[s.Prefix] != nil {
			return nil, fmt.Errorf("catalog: service %q: the prefix is one of AWS or Gatehouse", s.Prefix)
		}
		if with.own[s.Prefix] != nil {
			return nil, fmt.Errorf("catalog: service %q stands twice", s.Prefix)
		}
		with.own[s.Prefix] = s
		with.prefixes = append(with.prefixes, s.Prefix)
	}
	slices.Sort(with.prefixes)
	for _, s := range own {
		for _, a := range s.actions {
			for _, d := range a.Dependent {
				if with.Action(d.Action) == nil {
					return nil, fmt.Errorf("catalog: service %q: action %q: the dependent action %q is not known", s.Prefix, a.Name, d.Action)
				}
			}
		}
	}
	return with, nil
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
