package catalog

import (
	_ "embed" // what is kept by hand
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// additionsText is what is kept by hand. Its head says what the rows are.
//
//go:embed additions.txt
var additionsText string

// additionSet is additions.txt, by the service that a row is about.
type additionSet struct {
	services map[string][]addition
	global   []Key             // in the order of the rows
	globals  map[string]string // their types, by the name in lower case
}

// addition is a row: its kind, and what stands after it without the source.
type addition struct {
	line  int
	kind  string
	words []string
}

// additionKinds are the words of each kind of row, source included.
var additionKinds = map[string]int{"rcp": 2, "needs": 3, "type": 4, "form": 4, "acts": 3, "dependent": 4, "global": 3}

var additions = sync.OnceValue(func() *additionSet {
	set, err := parseAdditions(additionsText)
	if err != nil {
		panic("catalog: additions.txt: " + err.Error())
	}
	return set
})

func parseAdditions(text string) (*additionSet, error) {
	set := &additionSet{services: map[string][]addition{}, globals: map[string]string{}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Split(line, " | ")
		kind, words := words[0], words[1:]
		n, ok := additionKinds[kind]
		if !ok || len(words) != n || words[n-1] == "" {
			return nil, fmt.Errorf("line %d: not a row of a known kind with all its words and a source", number)
		}
		words = words[:n-1]
		if kind == "global" {
			if set.globals[fold(words[0])] != "" {
				return nil, fmt.Errorf("line %d: key %s stands twice", number, words[0])
			}
			set.global = append(set.global, Key{words[0], words[1]})
			set.globals[fold(words[0])] = words[1]
			continue
		}
		prefix, _, _ := strings.Cut(words[0], ":")
		set.services[prefix] = append(set.services[prefix], addition{number, kind, words})
	}
	return set, nil
}

// apply puts the rows about a service into it.
func (set *additionSet) apply(text *serviceText) error {
	for i := range set.services[text.Prefix] {
		row := &set.services[text.Prefix][i]
		if err := row.apply(text); err != nil {
			return fmt.Errorf("additions.txt: line %d: %w", row.line, err)
		}
	}
	return nil
}

var (
	errNoType   = errors.New("the service has no such resource type")
	errNoAction = errors.New("the service has no such action")
)

func (row *addition) apply(text *serviceText) error {
	w := row.words
	switch row.kind {
	case "rcp":
		text.RCP = true
	case "type":
		text.ResourceTypes = append(text.ResourceTypes, typeText{Name: w[1], ARN: w[2]})
	case "needs", "form":
		t := text.resourceType(w[1])
		if t == nil {
			return errNoType
		}
		if row.kind == "needs" {
			t.NeedsResourcePolicy = true
		} else {
			t.ARN += separator + w[2]
		}
	case "acts", "dependent":
		_, name, _ := strings.Cut(w[0], ":")
		a := text.action(name)
		if a == nil {
			return errNoAction
		}
		if row.kind == "dependent" {
			a.Dependent = append(a.Dependent, dependentText{w[1], w[2]})
			return nil
		}
		relax(a.Resources, func(r *actionResourceText) *bool { return &r.Required })
		if w[1] != "*" {
			a.Resources = append(a.Resources, actionResourceText{Type: w[1]})
			return nil
		}
		for i := range text.ResourceTypes {
			if t := &text.ResourceTypes[i]; !a.actsOn(t.Name) {
				a.Resources = append(a.Resources, actionResourceText{Type: t.Name})
			}
		}
	}
	return nil
}

// relax takes the mark from the only one that is required, because calls may name another type in its place. Of several that are, calls name all.
func relax[T any](list []T, required func(*T) *bool) {
	var only *bool
	for i := range list {
		switch mark := required(&list[i]); {
		case *mark && only != nil:
			return
		case *mark:
			only = mark
		}
	}
	if only != nil {
		*only = false
	}
}

func (a *actionText) actsOn(name string) bool {
	return slices.ContainsFunc(a.Resources, func(r actionResourceText) bool { return r.Type == name })
}

func (s *serviceText) resourceType(name string) *typeText {
	for i := range s.ResourceTypes {
		if s.ResourceTypes[i].Name == name {
			return &s.ResourceTypes[i]
		}
	}
	return nil
}

func (s *serviceText) action(name string) *actionText {
	for i := range s.Actions {
		if s.Actions[i].Name == name {
			return &s.Actions[i]
		}
	}
	return nil
}
