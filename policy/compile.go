package policy

import (
	"net/netip"
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
	extra      *extras           // nil in a policy that has none of it
}

// statement refers to its patterns by where they end; they begin where those of the statement before end.
type statement struct {
	actions, resources uint32
	weight             uint16 // of the work to ask it: grows with its text
	flags              statementFlags
}

type statementFlags uint8

const (
	flagDeny statementFlags = 1 << iota
	flagNotAction
	flagNotResource
	flagAnyResource // the statement has no Resource: it is about what the policy is on
)

func (s *statement) has(f statementFlags) bool { return s.flags&f != 0 }

func (s *statement) set(f statementFlags, on bool) {
	if on {
		s.flags |= f
	}
}

// extras are what many policies do not have: the parts of statements beyond Effect, Action and Resource.
type extras struct {
	statements []statementExtras // one for each statement of the policy
	principals []principal       // in policies of kinds with Principal, one for each statement
	conditions []condition       // of all statements, in order
	templates  []resourceTemplate

	// The values of all conditions.
	texts   []textPattern
	arns    []arnPattern
	numbers []number
	dates   []instant
	blocks  []netip.Prefix
}

// statementExtras are where those of a statement end.
type statementExtras struct{ conditions uint32 }

func (p *Policy) extras() *extras {
	if p.extra == nil {
		p.extra = &extras{}
	}
	return p.extra
}

// Load parses and compiles a document at once. The error is an *Error.
func Load(text string, kind Kind) (*Policy, error) {
	d, err := Parse(text, kind)
	if err != nil {
		return nil, err
	}
	return Compile(d)
}

// Compile makes a document ready for Decide. It refuses what has no meaning at all (what is no Kind, statements without
// actions, or without resources or with a Principal where the kind does not let them, an Effect in another case, an action that
// is not "*" or prefix:name), each as an *Error. A document that passed Validate always compiles. The rest of
// Validate is not repeated: a document that was stored under older rules goes on to be enforced.
func Compile(d *Document) (*Policy, error) {
	if !d.Kind.known() || d.text == "" { // made by hand: it must stand the grammar too, and needs a text
		var err error
		if d, err = Decode(d.JSON(), d.Kind); err != nil {
			return nil, err
		}
	}
	p := &Policy{text: d.text, kind: d.Kind, statements: make([]statement, len(d.Statements))}
	actions, resources := 0, 0
	for i := range d.Statements {
		s := &d.Statements[i]
		if err := s.compilable(d.Kind); err != nil {
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
		p.compileStatement(&d.Statements[i], i, d.Variables())
	}
	p.compileExtras(d)
	return p, nil
}

func (p *Policy) compileStatement(s *Statement, i int, variables bool) {
	for _, a := range s.Actions {
		p.actions = append(p.actions, compileAction(a))
	}
	for _, r := range s.Resources {
		p.compileResource(r, variables)
	}
	out := statement{actions: uint32(len(p.actions)), resources: uint32(len(p.resources))}
	out.weight = s.weight()
	out.set(flagDeny, s.Denies())
	out.set(flagNotAction, s.NotAction)
	out.set(flagNotResource, s.NotResource)
	out.set(flagAnyResource, len(s.Resources) == 0)
	p.statements[i] = out
}

// weight is the length of the statement's text in units that fit.
func (s *Statement) weight() uint16 { return uint16(min(max(1, (s.End-s.Start)/16), 1<<16-1)) }

// compileExtras compiles the conditions and the principals.
func (p *Policy) compileExtras(d *Document) {
	needed := d.Kind.hasPrincipal()
	for i := range d.Statements {
		needed = needed || len(d.Statements[i].Conditions) > 0
	}
	if !needed {
		return
	}
	e := p.extras()
	e.reserve(d)
	for i := range d.Statements {
		s := &d.Statements[i]
		for j := range s.Conditions {
			e.compileCondition(&s.Conditions[j], d.Variables())
		}
		e.statements[i] = statementExtras{conditions: uint32(len(e.conditions))}
		if d.Kind.hasPrincipal() {
			e.principals = append(e.principals, compilePrincipal(s.Principal, d.Kind))
		}
	}
}

// reserve makes room for exactly what the document has: compiled policies are kept by the thousand.
func (r *extras) reserve(d *Document) {
	var conditions, numbers, dates, blocks, arns, texts int
	for i := range d.Statements {
		conditions += len(d.Statements[i].Conditions)
		for _, c := range d.Statements[i].Conditions {
			switch o := c.Operator.positive(); {
			case o.numeric():
				numbers += len(c.Values)
			case o.date():
				dates += len(c.Values)
			case o == IPAddress:
				blocks += len(c.Values)
			case o == ArnLike:
				arns += len(c.Values)
			case o != Null && o != Bool: // their values are bits, but for variables
				texts += len(c.Values)
			}
		}
	}
	r.statements = make([]statementExtras, len(d.Statements))
	r.conditions = make([]condition, 0, conditions)
	r.numbers = make([]number, 0, numbers)
	r.dates = make([]instant, 0, dates)
	r.blocks = make([]netip.Prefix, 0, blocks)
	r.arns = make([]arnPattern, 0, arns)
	r.texts = make([]textPattern, 0, texts)
	if d.Kind.hasPrincipal() {
		r.principals = make([]principal, 0, len(d.Statements))
	}
}

func (s *Statement) compilable(kind Kind) *Error {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return legacy(s, "Effect is not spelled Allow or Deny")
	case len(s.Actions) == 0:
		return malformed(s.Start, messageNoActions)
	case len(s.Resources) == 0 && kind.needsResource():
		return malformed(s.Start, messageNoResources)
	case s.Principal != nil && !kind.hasPrincipal():
		return malformed(s.Start, messagePrincipal)
	}
	for _, a := range s.Actions {
		if message := noVendor(a) + manyColons(a); message != "" {
			return malformed(s.Start, message)
		}
	}
	if !s.validText() {
		return syntaxError(s.Start, "a value is not UTF-8")
	}
	return nil
}

// validText says whether the values that become patterns are UTF-8: the matchers rely on it.
func (s *Statement) validText() bool {
	for _, values := range [][]string{s.Actions, s.Resources} {
		for _, v := range values {
			if !utf8.ValidString(v) {
				return false
			}
		}
	}
	for i := range s.Conditions {
		for _, v := range s.Conditions[i].Values {
			if !utf8.ValidString(v) {
				return false
			}
		}
	}
	return true
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

// UsesContext says whether a decision with this policy reads the request context.
func (p *Policy) UsesContext() bool {
	return p.extra != nil && len(p.extra.conditions)+len(p.extra.templates) > 0
}

// apply is docs/spec/evaluation.md 3 for statement i: classNone where it does not match. Without a Principal, as in identity policies,
// a statement matches its callers directly.
func (p *Policy) apply(i int, q *query) class {
	s := &p.statements[i]
	var actions, resources uint32
	if i > 0 {
		actions, resources = p.statements[i-1].actions, p.statements[i-1].resources
	}
	if matchAction(p.actions[actions:s.actions], q) == s.has(flagNotAction) {
		return classNone
	}
	if !s.has(flagAnyResource) && p.matchResource(p.resources[resources:s.resources], q) == s.has(flagNotResource) {
		return classNone
	}
	if p.extra == nil || len(p.extra.statements) == 0 {
		return classDirect
	}
	return p.extra.apply(i, q, s.has(flagDeny))
}

func (r *extras) apply(i int, q *query, deny bool) class {
	c := classDirect
	if len(r.principals) > 0 {
		if c = r.principals[i].class(q, deny); c == classNone {
			return classNone
		}
	}
	from := uint32(0)
	if i > 0 {
		from = r.statements[i-1].conditions
	}
	conditions := r.conditions[from:r.statements[i].conditions]
	for i := range conditions {
		if !conditions[i].holds(r, q) {
			return classNone
		}
	}
	return c
}

func matchAction(patterns []actionPattern, q *query) bool {
	for i := range patterns {
		if patterns[i].match(q.action, q.colon) {
			return true
		}
	}
	return false
}

func (p *Policy) matchResource(patterns []resourcePattern, q *query) bool {
	for i := range patterns {
		r := &patterns[i]
		switch {
		case r.form == resourceAll:
			return true
		case q.anyResource:
		case r.form == resourceVariable:
			if p.extra.templates[r.template].match(q.resource, q) {
				return true
			}
		case r.match(q.resource):
			return true
		}
	}
	return false
}
