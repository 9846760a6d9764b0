package policy

import (
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"
)

// Policy is a compiled document. It never changes, so any number of goroutines may decide with it. It keeps the document's text
// (most patterns share its memory) but not the Document.
type Policy struct {
	text       string
	code       []uint32 // see headWords
	extra      *extras  // nil in a policy that has none of it
	statements uint32
	entries    uint32 // that an index has for it
	kind       Kind
}

type statementFlags uint8

const (
	flagDeny statementFlags = 1 << iota
	flagNotAction
	flagNotResource
	flagAnyResource // the statement has no Resource: it is about what the policy is on
	flagEverything  // the statement is about every request
	flagUnindexed   // the statement has no Resource, or one that is "*", or NotResource: an index has one entry for it
)

func (f *statementFlags) set(flag statementFlags, on bool) {
	if on {
		*f |= flag
	}
}

// extras are what most policies do not have.
type extras struct {
	principals []principal // in policies of kinds with Principal, one for each statement
	templates  []resourceTemplate
	rewritten  string // texts that are not as in the document: escapes resolved, short ARNs padded

	// Values of conditions.
	texts   []textPattern // with variables
	arns    []arnPattern
	numbers []number
	dates   []instant
	blocks  []netip.Prefix // IPv6
}

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
// actions, or without resources or with a Principal where the kind does not let them, an RCP's without one, an Effect in another case, an action that
// is not "*" or prefix:name), each as an *Error. A document that passed Validate always compiles. The rest of
// Validate is not repeated: a document that was stored under older rules goes on to be enforced.
func Compile(d *Document) (*Policy, error) {
	if !d.Kind.known() || d.text == "" { // made by hand: it must stand the grammar too, and needs a text
		var err error
		if d, err = Decode(d.JSON(), d.Kind); err != nil {
			return nil, err
		}
	}
	if len(d.text) > maxRef/16 { // rewritten texts are longer, but none is that much
		return nil, syntaxError(-1, "longer than %d bytes", maxRef/16)
	}
	for i := range d.Statements {
		if err := d.Statements[i].compilable(d.Kind); err != nil {
			return nil, err
		}
	}
	p := &Policy{text: d.text, kind: d.Kind, statements: uint32(len(d.Statements))}
	c := coder{p: p, variables: d.Variables()}
	p.code = make([]uint32, len(d.Statements)*headWords, d.words())
	for i := range d.Statements {
		c.statement(&d.Statements[i], i)
	}
	if d.Kind.hasPrincipal() {
		e := p.extras()
		e.principals = make([]principal, len(d.Statements))
		for i := range d.Statements {
			e.principals[i] = compilePrincipal(d.Statements[i].Principal, d.Kind)
		}
	}
	if len(c.rewritten) > 0 {
		p.extras().rewritten = string(c.rewritten)
	}
	p.code = fit(p.code)
	p.extra.fit()
	return p, nil
}

// words is how many words the compiled statements take. It is exact but for values that are bad, or that have variables or escapes.
func (d *Document) words() int {
	n := len(d.Statements) * headWords
	for i := range d.Statements {
		s := &d.Statements[i]
		n += len(s.Actions)*actionWords + len(s.Resources)*resourceWords + len(s.Conditions)*conditionWords
		for _, r := range s.Resources {
			if r != "*" && strings.Count(r, ":") < 5 {
				n += resourceWords
			}
		}
		for j := range s.Conditions {
			if o := s.Conditions[j].Operator.positive(); !o.elsewhere() && o != Null && o != Bool {
				n += len(s.Conditions[j].Values) * refWords
			}
		}
	}
	return n
}

// fit gives back what was taken ahead: compiled policies are kept by the thousand.
func fit[T any](s []T) []T {
	if len(s) == cap(s) {
		return s
	}
	return slices.Clone(s)
}

func (r *extras) fit() {
	if r == nil {
		return
	}
	r.templates, r.texts, r.arns = fit(r.templates), fit(r.texts), fit(r.arns)
	r.numbers, r.dates, r.blocks = fit(r.numbers), fit(r.dates), fit(r.blocks)
}

func (c *coder) statement(s *Statement, i int) {
	at := len(c.p.code)
	var bits actionBits
	if s.NotAction {
		bits = allActions
	}
	for _, a := range s.Actions {
		bits |= patternBits(a)
		w0, w1 := c.refTo(a, uint32(actionFormOf(a)))
		c.words(w0, w1)
	}
	resources := len(c.p.code)
	for _, r := range s.Resources {
		c.resource(r)
	}
	conditions := len(c.p.code)
	c.values = c.values[:0]
	end := conditions + len(s.Conditions)*conditionWords
	key := ""
	for j := range s.Conditions {
		c.condition(&s.Conditions[j], end, j > 0 && s.Conditions[j].Key == key)
		key = s.Conditions[j].Key
	}
	c.words(c.values...)

	flags := statementFlags(0)
	flags.set(flagDeny, s.Denies())
	flags.set(flagNotAction, s.NotAction)
	flags.set(flagNotResource, s.NotResource)
	flags.set(flagAnyResource, len(s.Resources) == 0)
	flags.set(flagEverything, s.everything(c.p.kind))
	resourceCount := uint32(conditions-resources) / resourceWords
	if s.NotResource || len(s.Resources) == 0 || slices.Contains(s.Resources, "*") {
		flags |= flagUnindexed
		c.p.entries++
	} else {
		c.p.entries += resourceCount
	}
	weight := uint32(min(max(1, (s.End-s.Start)/16), 1<<16-1)) // the length of the text, in units that fit
	copy(c.p.code[i*headWords:], []uint32{
		uint32(at), uint32(flags) | weight<<weightAt, resourceCount,
		uint32(len(s.Actions)) | uint32(len(s.Conditions))<<conditionsAt,
		uint32(bits), uint32(bits >> 32),
	})
}

// everything says that the statement applies whatever is asked by whomever.
func (s *Statement) everything(kind Kind) bool {
	return !s.NotAction && slices.Contains(s.Actions, "*") && !s.NotResource && (len(s.Resources) == 0 || slices.Contains(s.Resources, "*")) &&
		len(s.Conditions) == 0 && (!kind.hasPrincipal() || s.Principal != nil && s.Principal.Any && !s.Principal.Not)
}

func (s *Statement) compilable(kind Kind) *Error {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return legacy(s, "Effect is not spelled Allow or Deny")
	case len(s.Actions) == 0:
		return malformed(s.Start, messageNoActions)
	case len(s.Resources) == 0 && kind.needsResource():
		return malformed(s.Start, messageNoResources)
	case max(len(s.Actions), len(s.Conditions)) >= 1<<conditionsAt: // no text of MaxText has that many
		return syntaxError(s.Start, "too many values")
	case s.Principal != nil && !kind.hasPrincipal():
		return malformed(s.Start, messagePrincipal)
	case s.Principal == nil && kind == RCP: // it could only be a Deny that is passed over
		return malformed(s.Start, messageNoPrincipal)
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
func (p *Policy) Len() int { return int(p.statements) }

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
	if p.extra != nil && len(p.extra.templates) > 0 {
		return true
	}
	for i := range p.Len() {
		if h := p.head(i); h.conditions > 0 {
			return true
		}
	}
	return false
}

// apply is docs/spec/evaluation.md 3 for statement i: classNone where it does not match. Without a Principal, as in identity policies,
// a statement matches its callers directly.
func (p *Policy) apply(i int, q *query) class {
	h := p.head(i)
	if h.has(flagEverything) {
		return classDirect
	}
	if p.matchAction(p.actionsOf(&h), q) == h.has(flagNotAction) ||
		!h.has(flagAnyResource) && p.matchResource(p.resourcesOf(&h), q) == h.has(flagNotResource) {
		return classNone
	}
	c := classDirect
	if p.extra != nil && len(p.extra.principals) > 0 {
		if c = p.extra.principals[i].class(q, h.has(flagDeny)); c == classNone {
			return classNone
		}
	}
	var e *Entry
	for words := p.conditionsOf(&h); len(words) > 0; words = words[conditionWords:] {
		if words[3]&conditionSame == 0 {
			e = q.find(&contextKey{name: p.ref(words[0], words[1]), tag: words[2], hash: words[1] >> tagShift})
		}
		if !p.holds(words, e, q) {
			return classNone
		}
	}
	return c
}

func (p *Policy) matchAction(words []uint32, q *query) bool {
	for ; len(words) > 0; words = words[actionWords:] {
		if matchAction(p.ref(words[0], words[1]), actionForm(words[1]>>tagShift), q.action, q.colon) {
			return true
		}
	}
	return false
}

func (p *Policy) matchResource(words []uint32, q *query) bool {
	for ; len(words) > 0; words = words[resourceWords:] {
		form := resourceForm(words[1] >> tagShift & (tagEscaped - 1))
		switch {
		case form == resourceAll:
			return true
		case q.anyResource:
		case form == resourceVariable:
			if p.extra.templates[words[2]].match(q.resource, q) {
				return true
			}
		case p.matchPattern(form, words, q.resource):
			return true
		}
	}
	return false
}
