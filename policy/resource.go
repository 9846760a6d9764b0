package policy

import "strings"

// resourcePattern is one compiled way to match a value of Resource or NotResource (docs/spec/policy-language.md 7.2). A short ARN
// may compile to two: as it is and padded.
type resourcePattern struct {
	text    string // as in the document, or rewritten when it has escapes or was padded
	literal uint32 // length of the part before the first wildcard
	tail    uint32 // place after the fifth colon; len(text) in a pattern with fewer
	form    resourceForm
	escaped bool // the wildcards are escapedWildcards
	short   bool // fewer than six parts
	// template is the place among the templates of the policy, for resourceVariable.
	template uint32
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

// compileResource appends the patterns for one value of a policy of the kind.
func (p *Policy) compileResource(value string, variables bool) {
	if value == "*" {
		p.resources = append(p.resources, resourcePattern{text: value, form: resourceAll})
		return
	}
	if tail := tailOffset(value); variables && strings.Contains(value[tail:], "${") {
		t := parseTemplate(value, tail, true)
		switch {
		case t.variables():
			e := p.extras()
			p.resources = append(p.resources, resourcePattern{text: value, form: resourceVariable, template: uint32(len(e.templates))})
			e.templates = append(e.templates, newResourceTemplate(&t, tail))
			return
		case t.changed:
			p.resources = append(p.resources, newResourcePattern(t.parts[0].text, true))
			return
		}
	}
	p.resources = append(p.resources, newResourcePattern(value, false))
	if padded, ok := padResource(value, p.kind); ok { // no variables: they stand in the sixth part only
		p.resources = append(p.resources, newResourcePattern(padded, false))
	}
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
	r.short = strings.Count(r.text, ":") < 5
	first := strings.IndexByte(r.text, w.star)
	if one := strings.IndexByte(r.text, w.one); first < 0 || one >= 0 && one < first {
		first = one
	}
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

// match takes a request resource that is not "*" (docs/spec/policy-language.md 7.2.2 is the caller's), for all forms but resourceVariable.
func (p *resourcePattern) match(r string) bool {
	switch p.form {
	case resourceAll:
		return true
	case resourceExact:
		return p.text == r
	}
	if !strings.HasPrefix(r, p.text[:p.literal]) {
		return false
	}
	switch p.form {
	case resourcePrefix:
		return true
	case resourceTail:
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
		if !p.short && at == int(p.tail) {
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
