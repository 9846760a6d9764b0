package policy

import "strings"

// resourcePattern is one compiled way to match a value of Resource or NotResource (docs/spec/policy-language.md 7.2). A short ARN
// compiles to two: as it is and padded.
type resourcePattern struct {
	text    string // as in the document, or rewritten when it has escapes or was padded
	literal uint32 // length of the part before the first wildcard
	tail    uint32 // place after the fifth colon; len(text) in a pattern with fewer
	form    resourceForm
	escaped bool // the wildcards are escapedWildcards
	short   bool // fewer than six parts
}

type resourceForm uint8

const (
	resourceAll    resourceForm = iota // "*"
	resourceExact                      // no wildcard
	resourcePrefix                     // the only wildcard is a star at the end
	resourceTail                       // wildcards only after the fifth colon
	resourceHead                       // wildcards before it
)

// compileResource appends the patterns for one value of an identity policy.
func compileResource(out []resourcePattern, value string, variables bool) []resourcePattern {
	if value == "*" {
		return append(out, resourcePattern{text: value, form: resourceAll})
	}
	out = append(out, newResourcePattern(value, variables))
	if colons := strings.Count(value, ":"); colons < 5 {
		out = append(out, newResourcePattern(value+strings.Repeat(":*", 5-colons), variables))
	}
	return out
}

func newResourcePattern(text string, variables bool) resourcePattern {
	r := resourcePattern{text: text}
	if variables {
		r.text, r.escaped = rewriteEscapes(text)
	}
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

// rewriteEscapes replaces the escapes after the fifth colon by the characters they stand for, and, if there is one, all
// wildcards by the bytes of escapedWildcards.
func rewriteEscapes(text string) (string, bool) {
	tail := tailOffset(text)
	if !strings.Contains(text[tail:], "${") {
		return text, false
	}
	found := false
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if i >= tail && i+4 <= len(text) && text[i:i+2] == "${" && text[i+3] == '}' {
			if c, ok := escapedByte(text[i : i+4]); ok {
				found = true
				b.WriteByte(c)
				i += 3
				continue
			}
		}
		switch text[i] {
		case '*':
			b.WriteByte(escapedWildcards.star)
		case '?':
			b.WriteByte(escapedWildcards.one)
		default:
			b.WriteByte(text[i])
		}
	}
	if !found {
		return text, false
	}
	return b.String(), true
}

func (p *resourcePattern) wildcards() wildcards {
	if p.escaped {
		return escapedWildcards
	}
	return plainWildcards
}

// match takes a request resource that is not "*" (docs/spec/policy-language.md 7.2.2 is the caller's).
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

// matchHead is the general case. A colon-free piece of r between two colons can only meet a piece of the pattern between two
// colons, except that a star which ends such a piece ("open" piece) may run over colons. After an open piece the rest of the
// pattern may begin after any later colon of r ("floating"); the pieces up to and including the next open one, or up to the first star
// of the tail, then take the leftmost place where they all match. That is enough, because what follows is again free to move
// right. Each piece is compared with each piece of r at most once a round, so the work stays within len(pattern)*len(r).
func (p *resourcePattern) matchHead(r string) bool {
	floating := false
	at := 0 // where the pattern's pieces not yet placed begin
	for {
		outcome, nextAt, rest := p.place(at, r)
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
	placeNever                     // nor further right
	placeOpen                      // up to an open piece; go on floating
	placeEnd                       // the whole pattern matches
)

// place tries the pieces of the pattern from at on, at the beginning of s.
func (p *resourcePattern) place(at int, s string) (outcome placeOutcome, nextAt int, rest string) {
	w := p.wildcards()
	for {
		if !p.short && at == int(p.tail) {
			return p.placeTail(s), 0, ""
		}
		piece := p.text[at:]
		last := true
		if i := strings.IndexByte(piece, ':'); i >= 0 {
			piece, last = piece[:i], false
		}
		open := piece != "" && piece[len(piece)-1] == w.star
		colon := strings.IndexByte(s, ':')
		against := s
		if colon >= 0 {
			against = s[:colon]
		}
		switch {
		case !w.glob(piece, against): // of an open piece too: its star may end at the colon
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
func (p *resourcePattern) placeTail(s string) placeOutcome {
	w := p.wildcards()
	tail := p.text[p.tail:]
	i := strings.IndexByte(tail, w.star)
	if i < 0 {
		if n, ok := w.prefix(tail, s); !ok || n != len(s) {
			return placeNot
		}
		return placeEnd
	}
	n, ok := w.prefix(tail[:i], s)
	switch {
	case !ok:
		return placeNot
	case w.floating(tail[i+1:], s[n:]):
		return placeEnd
	}
	return placeNever // a later beginning leaves the rest of the tail less room
}
