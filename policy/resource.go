package policy

import "strings"

// resourcePattern is one compiled way to match a value of Resource or NotResource (docs/spec/policy-language.md 7.2). A short ARN
// may compile to two: as it is and padded.
type resourcePattern struct {
	text    string // as in the document, or rewritten when it has escapes or was padded
	literal uint32 // length of the part before the first wildcard
	tail    uint32 // place after the fifth colon; len(text) in a pattern with fewer. Only resourceHead needs it
	form    resourceForm
	escaped bool // the wildcards are escapedWildcards
}

type resourceForm uint8

const (
	resourceAll      resourceForm = iota // "*"
	resourceExact                        // no wildcard
	resourcePrefix                       // the only wildcard is a star at the end
	resourceTail                         // wildcards only after the fifth colon
	resourceHead                         // wildcards before it
	resourceVariable                     // policy variables after it
)

// resource writes the patterns for one value.
func (c *coder) resource(value string) {
	if value == "*" {
		at, n := c.refTo(value, uint32(resourceAll))
		c.words(at, n, 0)
		return
	}
	if tail := tailOffset(value); c.variables && strings.Contains(value[tail:], "${") {
		t := parseTemplate(value, tail, true)
		switch {
		case t.variables():
			e := c.p.extras()
			template := newResourceTemplate(&t, tail)
			c.words(0, uint32(resourceVariable)<<tagShift, uint32(len(e.templates)))
			e.templates = append(e.templates, template)
			return
		case t.changed:
			c.pattern(newResourcePattern(t.parts[0].text, true))
			return
		}
	}
	c.pattern(newResourcePattern(value, false))
	if padded, ok := padResource(value, c.p.kind); ok { // no variables: they stand in the sixth part only
		c.pattern(newResourcePattern(padded, false))
	}
}

func (c *coder) pattern(r resourcePattern) {
	tag := uint32(r.form)
	if r.escaped {
		tag |= tagEscaped
	}
	at, n := c.refTo(r.text, tag)
	c.words(at, n, r.literal)
}

// patternOf reads what pattern wrote.
func (p *Policy) patternOf(words []uint32) resourcePattern {
	tag := words[1] >> tagShift
	return resourcePattern{
		text: p.ref(words[0], words[1]), literal: words[2], form: resourceForm(tag & (tagEscaped - 1)), escaped: tag&tagEscaped != 0,
	}
}

// matchPattern takes a request resource that is not "*", for all forms but resourceAll and resourceVariable.
func (p *Policy) matchPattern(form resourceForm, words []uint32, resource string) bool {
	text := p.ref(words[0], words[1])
	if form == resourceExact {
		return text == resource
	}
	if literal := words[2]; !strings.HasPrefix(resource, text[:literal]) {
		return false
	}
	if form == resourcePrefix {
		return true
	}
	r := p.patternOf(words)
	if form == resourceHead {
		r.tail = uint32(tailOffset(text))
	}
	return r.match(resource)
}

// padResource is step 5 of docs/spec/policy-language.md 7.2.
func padResource(value string, kind Kind) (string, bool) {
	colons := strings.Count(value, ":")
	if colons >= 5 || (kind == Trust || kind == Resource || kind == Endpoint) && !strings.ContainsAny(value, "*?") {
		return "", false
	}
	return value + strings.Repeat(":*", 5-colons), true
}

// newResourcePattern takes a text whose wildcards are those of escapedWildcards where escaped is true.
func newResourcePattern(text string, escaped bool) resourcePattern {
	r := resourcePattern{text: text, escaped: escaped}
	w := r.wildcards()
	r.tail = uint32(tailOffset(r.text))
	first := w.first(r.text)
	if first < 0 {
		r.form, r.literal = resourceExact, uint32(len(r.text))
		return r
	}
	r.literal = uint32(first)
	switch {
	case first == len(r.text)-1 && r.text[first] == w.star:
		r.form = resourcePrefix // before the fifth colon too: a star at the end of the pattern takes colons
	case r.literal >= r.tail:
		r.form = resourceTail
	default:
		r.form = resourceHead
	}
	return r
}

func (p *resourcePattern) wildcards() wildcards {
	if p.escaped {
		return escapedWildcards
	}
	return plainWildcards
}

// match takes a request resource that begins with the pattern's literal beginning, for resourceTail and resourceHead.
func (p *resourcePattern) match(r string) bool {
	if p.form == resourceTail {
		return p.wildcards().glob(p.text[p.literal:], r[p.literal:])
	}
	return p.matchHead(r)
}

// matchHead is the general case, with fuel for a number of steps linear in both lengths; bits does what takes more.
func (p *resourcePattern) matchHead(r string) bool {
	g := newGlobber(p.wildcards(), p.text, r)
	if ok := g.head(p, r); g.fuel >= 0 {
		return ok
	}
	return p.wildcards().bits(p.text, int(p.tail), r, false)
}

// head matches piece by piece. A colon-free piece of r between two colons can only meet a piece of the pattern between two colons,
// except that a star which ends such a piece ("open" piece) may run over colons. After an open piece the rest of the pattern may
// begin after any later colon of r ("floating"); the pieces up to and including the next open one, or up to the first star of the
// tail, then take the leftmost place where they all match. That is enough, because what follows is again free to move right.
func (g *globber) head(p *resourcePattern, r string) bool {
	floating := false
	at := 0 // where the pattern's pieces not yet placed begin
	for {
		outcome, nextAt, rest := g.place(p, at, r)
		switch outcome {
		case placeEnd:
			return true
		case placeNever:
			return false
		case placeOpen:
			floating, at, r = true, nextAt, rest
			continue
		}
		if !floating {
			return false
		}
		colon := strings.IndexByte(r, ':')
		if colon < 0 {
			return false
		}
		r = r[colon+1:]
	}
}

type placeOutcome uint8

const (
	placeNot   placeOutcome = iota // not here; perhaps further right
	placeNever                     // nor further right, or the fuel is used up
	placeOpen                      // up to an open piece; go on floating
	placeEnd                       // the whole pattern matches
)

// place tries the pieces of the pattern from at on, at the beginning of s.
func (g *globber) place(p *resourcePattern, at int, s string) (outcome placeOutcome, nextAt int, rest string) {
	for {
		if at == int(p.tail) { // or behind the last colon of a pattern with fewer, where there is nothing left
			return g.placeTail(p.text[p.tail:], s), 0, ""
		}
		piece := p.text[at:]
		last := true
		if i := strings.IndexByte(piece, ':'); i >= 0 {
			piece, last = piece[:i], false
		}
		open := piece != "" && piece[len(piece)-1] == g.star
		colon := strings.IndexByte(s, ':')
		against := s
		if colon >= 0 {
			against = s[:colon]
		}
		if !g.spend(4 + len(piece) + len(against)) {
			return placeNever, 0, ""
		}
		switch {
		case !g.glob(piece, against): // of an open piece too: its star may end at the colon
			return placeNot, 0, ""
		case last && (open || colon < 0):
			return placeEnd, 0, ""
		case last:
			return placeNot, 0, "" // more colons than the pattern
		case colon < 0:
			return placeNever, 0, ""
		}
		at += len(piece) + 1
		s = s[colon+1:]
		if open {
			return placeOpen, at, s
		}
	}
}

// placeTail matches the part after the fifth colon against all of s.
func (g *globber) placeTail(tail, s string) placeOutcome {
	i := strings.IndexByte(tail, g.star)
	block := tail
	if i >= 0 {
		block = tail[:i]
	}
	if !g.spend(4 + len(block)) {
		return placeNever
	}
	n, ok := g.prefix(block, s)
	switch {
	case !ok || i < 0 && n != len(s):
		return placeNot
	case i < 0 || g.floating(tail[i+1:], s[n:]):
		return placeEnd
	}
	return placeNever // a later beginning leaves the rest of the tail less room
}

// resourceTemplate is a Resource value with policy variables.
type resourceTemplate struct {
	template
	tail    uint32       // place after the fifth colon; no variable stands before it
	literal uint32       // length of the part before the first wildcard or variable
	form    resourceForm // resourceExact and resourcePrefix are compared part by part, the others put together first
}

func newResourceTemplate(t *template, tail int) resourceTemplate {
	out := resourceTemplate{template: *t, tail: uint32(tail), form: resourceTail}
	shape := newResourcePattern(t.parts[0].text, true)
	out.literal = shape.literal
	switch t.wild() {
	case wildNone:
		out.form = resourceExact
	case wildEnd:
		out.form = resourcePrefix
	case wildAny:
		if out.literal < out.tail {
			out.form = resourceHead
		}
	}
	return out
}

// match takes a request resource that is not "*".
func (t *resourceTemplate) match(r string, q *query) bool {
	if !strings.HasPrefix(r, t.parts[0].text[:t.literal]) {
		return false
	}
	if t.form == resourceExact || t.form == resourcePrefix {
		return t.begins(r, q, t.form == resourcePrefix)
	}
	var stack [templateStack]byte
	text, ok := t.expand(stack[:0], q, len(r)) // each byte of a value takes one of r
	if !ok {
		return false
	}
	p := resourcePattern{text: borrow(text), literal: t.literal, tail: t.tail, form: t.form, escaped: true}
	return p.match(r)
}

// tailOffset is the place after the fifth colon of r, or len(r) when there are fewer.
func tailOffset(r string) int {
	at := 0
	for range 5 {
		i := strings.IndexByte(r[at:], ':')
		if i < 0 {
			return len(r)
		}
		at += i + 1
	}
	return at
}
