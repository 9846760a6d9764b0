package policy

import (
	"strings"
	"unicode/utf8"
)

// Policy is a compiled document. It never changes, so any number of goroutines may decide with it. It keeps the document's text
// (most patterns share its memory) but not the Document.
type Policy struct {
	text       string
	kind       Kind
	statements []statement
	actions    []actionPattern   // of all statements, in order
	resources  []resourcePattern // of all statements, in order
}

// statement refers to its patterns by where they end; they begin where those of the statement before end.
type statement struct {
	actions, resources           uint32
	deny, notAction, notResource bool
}

// Load parses and compiles a document at once. The error is an *Error: AWS's refusal, or Unsupported.
func Load(text string, kind Kind) (*Policy, error) {
	d, err := Parse(text, kind)
	if err != nil {
		return nil, err
	}
	return Compile(d)
}

// Compile makes a document ready for Decide. It refuses what Unsupported names, and what has no meaning at all (statements without
// actions or resources, an Effect in another case, an action that is not "*" or prefix:name), each as an *Error. A document
// that passed Validate and Unsupported always compiles. The rest of Validate is not repeated: a document that was stored
// under older rules goes on to be enforced.
func Compile(d *Document) (*Policy, error) {
	if err := d.Unsupported(); err != nil {
		return nil, err
	}
	if d.text == "" { // made by hand: it must stand the grammar too, and needs a text
		var err error
		if d, err = Decode(d.JSON(), d.Kind); err != nil {
			return nil, err
		}
	}
	p := &Policy{text: d.text, kind: d.Kind, statements: make([]statement, len(d.Statements))}
	actions, resources := 0, 0
	for i := range d.Statements {
		s := &d.Statements[i]
		if err := s.compilable(); err != nil {
			return nil, err
		}
		actions += len(s.Actions)
		for _, r := range s.Resources {
			if resources++; r != "*" && strings.Count(r, ":") < 5 {
				resources++
			}
		}
	}
	p.actions = make([]actionPattern, 0, actions)
	p.resources = make([]resourcePattern, 0, resources)
	for i := range d.Statements {
		s := &d.Statements[i]
		for _, a := range s.Actions {
			p.actions = append(p.actions, compileAction(a))
		}
		for _, r := range s.Resources {
			p.resources = compileResource(p.resources, r, d.Variables())
		}
		p.statements[i] = statement{
			actions:     uint32(len(p.actions)),
			resources:   uint32(len(p.resources)),
			deny:        s.Denies(),
			notAction:   s.NotAction,
			notResource: s.NotResource,
		}
	}
	return p, nil
}

func (s *Statement) compilable() *Error {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return legacy(s, "Effect is not spelled Allow or Deny")
	case len(s.Actions) == 0:
		return malformed(s.Start, messageNoActions)
	case len(s.Resources) == 0:
		return malformed(s.Start, messageNoResources)
	}
	for _, a := range s.Actions {
		if message := noVendor(a) + manyColons(a); message != "" {
			return malformed(s.Start, message)
		}
		if !utf8.ValidString(a) {
			return syntaxError(s.Start, "an action is not UTF-8")
		}
	}
	for _, r := range s.Resources {
		if !utf8.ValidString(r) {
			return syntaxError(s.Start, "a resource is not UTF-8")
		}
	}
	return nil
}

// Kind is the kind of the document.
func (p *Policy) Kind() Kind { return p.kind }

// Text is the text of the document, byte for byte.
func (p *Policy) Text() string { return p.text }

// Len is the number of statements.
func (p *Policy) Len() int { return len(p.statements) }

// Document decodes the text again. It is for explanations, not for the way of a request.
func (p *Policy) Document() *Document {
	d, err := Decode(p.text, p.kind)
	if err != nil {
		panic("policy: a compiled policy no longer decodes: " + err.Error()) // it did when it was compiled, by the same code
	}
	return d
}

// match says whether statement i applies to the request (docs/spec/evaluation.md 3).
func (p *Policy) match(i int, q *query) bool {
	s := &p.statements[i]
	var actions, resources uint32
	if i > 0 {
		actions, resources = p.statements[i-1].actions, p.statements[i-1].resources
	}
	return matchAction(p.actions[actions:s.actions], q) != s.notAction &&
		matchResource(p.resources[resources:s.resources], q) != s.notResource
}

func matchAction(patterns []actionPattern, q *query) bool {
	for i := range patterns {
		if patterns[i].match(q.action, q.colon) {
			return true
		}
	}
	return false
}

func matchResource(patterns []resourcePattern, q *query) bool {
	for i := range patterns {
		if patterns[i].form == resourceAll || !q.anyResource && patterns[i].match(q.resource) {
			return true
		}
	}
	return false
}
