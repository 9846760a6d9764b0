package catalog

import (
	"fmt"
	"strings"
)

// Verdict is what the catalogue says of an action on a resource. What follows from it says docs/spec/evaluation.md 7.
type Verdict uint8

// The verdicts.
const (
	Known          Verdict = iota // the action acts on such resources
	UnknownService                // nobody knows the service, or the text is no action
	UnknownAction                 // the service has no such action
	WrongResource                 // the resource is none of the types on which the action acts
	NoResource                    // the action takes "*" only
)

var verdicts = [...]string{"Known", "UnknownService", "UnknownAction", "WrongResource", "NoResource"}

// String is the name of the constant.
func (v Verdict) String() string {
	if int(v) < len(verdicts) {
		return verdicts[v]
	}
	return fmt.Sprintf("Verdict(%d)", v)
}

// Verdict says whether the action, "prefix:Name" with any case, acts on the resource. "*" is right for every known action. It allocates
// nothing once the service is decoded.
func (c *Catalog) Verdict(action, resource string) Verdict {
	prefix, name, ok := strings.Cut(action, ":")
	if !ok {
		return UnknownService
	}
	s := c.Service(prefix)
	if s == nil {
		return UnknownService
	}
	a := s.Action(name)
	if a == nil {
		return UnknownAction
	}
	return a.Verdict(resource)
}

// Verdict says whether the action acts on the resource: Known, WrongResource or NoResource.
func (a *Action) Verdict(resource string) Verdict {
	switch {
	case resource == "*":
		return Known
	case len(a.Resources) == 0:
		return NoResource
	case a.TypeOf(resource) == nil:
		return WrongResource
	}
	return Known
}

// TypeOf is the type of the resource among those on which the action acts. It is nil where it is none of them, as for "*".
func (a *Action) TypeOf(resource string) *ResourceType {
	parts, ok := split(resource)
	if !ok {
		return nil
	}
	if t := a.Service.forms.typeOf(&parts, a); t != nil {
		return t
	}
	// What an extension adds comes after all else: so it takes no resource from a type that had it without.
	return a.Service.added.typeOf(&parts, a)
}

func (a *Action) actsOn(t *ResourceType) bool {
	for i := range a.Resources {
		if a.Resources[i].Type == t {
			return true
		}
	}
	return false
}

// NeedsResourcePolicy says whether nobody can do this to the resource but through its policy (docs/spec/evaluation.md 4.2): what a policy
// of the caller's allows is not enough.
func (a *Action) NeedsResourcePolicy(resource string) bool {
	t := a.TypeOf(resource)
	return t != nil && t.NeedsResourcePolicy
}
