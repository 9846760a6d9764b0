package reference

import (
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/policy"
)

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
	ends := make([]bool, len(runes)+1)
	ends[0] = true
	for _, t := range tokens {
		next := make([]bool, len(runes)+1)
		run := t.kind == anyRun || t.kind == noColonRun
		for j := range next {
			next[j] = run && ends[j] ||
				j > 0 && t.takes(runes[j-1], fold) && (ends[j-1] || run && next[j-1])
		}
		ends = next
	}
	return ends[len(runes)]
}

// MatchAction is chapter 5: whether a value of Action covers the action.
func MatchAction(value, action string) bool {
	if value == "*" {
		return true
	}
	v, a := strings.Split(value, ":"), strings.Split(action, ":")
	return len(v) == 2 && len(a) == 2 && match(actionTokens(v[0]), a[0], true) && match(actionTokens(v[1]), a[1], true)
}

func actionTokens(s string) []token {
	var out []token
	for _, r := range s {
		switch r {
		case '*':
			out = append(out, token{kind: anyRun})
		case '?':
			out = append(out, token{kind: anyOne})
		default:
			out = append(out, token{kind: literal, literal: r})
		}
	}
	return out
}

// MatchResource is chapter 7.2 for an identity policy: whether a value of Resource covers the resource. version2012 says whether the
// escapes of chapter 3 have a meaning.
func MatchResource(value, resource string, version2012 bool) bool {
	if value == "*" { // step 1
		return true
	}
	if resource == "*" { // step 2
		return false
	}
	if match(resourceTokens(value, version2012), resource, false) { // step 4
		return true
	}
	missing := 6 - len(strings.Split(value, ":")) // step 5
	if missing <= 0 {
		return false
	}
	for range missing {
		value += ":*"
	}
	return match(resourceTokens(value, version2012), resource, false)
}

// resourceTokens is step 4 of chapter 7.2, with the escapes of chapter 3.2 in the tail.
func resourceTokens(value string, version2012 bool) []token {
	var out []token
	runes := []rune(value)
	colons := 0
	for i := 0; i < len(runes); i++ {
		r := runes[i]
		tail := colons >= 5
		if tail && version2012 && r == '$' && i+3 < len(runes) && runes[i+1] == '{' && runes[i+3] == '}' &&
			strings.ContainsRune("*?$", runes[i+2]) {
			out = append(out, token{kind: literal, literal: runes[i+2]})
			i += 3
			continue
		}
		segmentFinal := i+1 == len(runes) || runes[i+1] == ':'
		switch {
		case r == '*' && (tail || segmentFinal):
			out = append(out, token{kind: anyRun})
		case r == '*':
			out = append(out, token{kind: noColonRun})
		case r == '?' && tail:
			out = append(out, token{kind: anyOne})
		case r == '?':
			out = append(out, token{kind: noColonOne})
		default:
			out = append(out, token{kind: literal, literal: r})
		}
		if r == ':' {
			colons++
		}
	}
	return out
}

// actionApplies and resourceApplies are lines 1 and 2 of docs/spec/evaluation.md 3.
func actionApplies(s *policy.Statement, action string) bool {
	listed := false
	for _, v := range s.Actions {
		listed = listed || MatchAction(v, action)
	}
	return listed != s.NotAction
}

func resourceApplies(s *policy.Statement, resource string, version2012 bool) bool {
	listed := false
	for _, v := range s.Resources {
		listed = listed || MatchResource(v, resource, version2012)
	}
	return listed != s.NotResource
}

// evaluable says whether a request is one at all: prefix:name on a resource, within the bounds of package policy.
func evaluable(r policy.Request) bool {
	parts := strings.Split(r.Action, ":")
	return len(parts) == 2 && parts[0] != "" && parts[1] != "" && r.Resource != "" &&
		len(r.Action) <= 256 && len(r.Resource) <= 4096 && utf8.ValidString(r.Action) && utf8.ValidString(r.Resource)
}
