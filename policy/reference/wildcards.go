package reference

// token is one element of a pattern.
type token struct {
	kind    tokenKind
	literal rune
}

type tokenKind int

const (
	literal    tokenKind = iota
	anyRun               // any run, also empty
	noColonRun           // any run without ':'
	anyOne               // exactly one code point
	noColonOne           // exactly one code point that is not ':'
)

// takes says whether the token may take the rune r, for a run as one of several.
func (t token) takes(r rune, fold bool) bool {
	switch t.kind {
	case anyRun, anyOne:
		return true
	case noColonRun, noColonOne:
		return r != ':'
	}
	if fold {
		return asciiLower(t.literal) == asciiLower(r)
	}
	return t.literal == r
}

func asciiLower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + ('a' - 'A')
	}
	return r
}

// match is chapter 4: whether all of text is taken by all of the tokens. ends[j] says that the tokens so far can take exactly
// the first j runes.
func match(tokens []token, text string, fold bool) bool {
	runes := []rune(text)
	var room [2][64]bool // enough for most
	ends, next := room[0][:], room[1][:]
	if len(runes)+1 > len(ends) {
		ends, next = make([]bool, len(runes)+1), make([]bool, len(runes)+1)
	}
	ends, next = ends[:len(runes)+1], next[:len(runes)+1]
	ends[0] = true
	for _, t := range tokens {
		run := t.kind == anyRun || t.kind == noColonRun
		possible := false
		for j := range next {
			next[j] = run && ends[j] ||
				j > 0 && t.takes(runes[j-1], fold) && (ends[j-1] || run && next[j-1])
			possible = possible || next[j]
		}
		if !possible {
			return false
		}
		ends, next = next, ends
	}
	return ends[len(runes)]
}

// wild are the tokens of pieces in which a star is any run and a question mark any one character.
func wild(pieces []piece) []token {
	n := 0
	for _, p := range pieces {
		n += len(p.text)
	}
	out := make([]token, 0, n)
	for _, p := range pieces {
		for _, r := range p.text {
			switch {
			case r == '*' && !p.literal:
				out = append(out, token{kind: anyRun})
			case r == '?' && !p.literal:
				out = append(out, token{kind: anyOne})
			default:
				out = append(out, token{kind: literal, literal: r})
			}
		}
	}
	return out
}
