package policytest

import (
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func (g generator) action() string {
	if g.one(60) {
		return g.text("ab:*é", 5)
	}
	return g.pick("s3", "s3", "S3", "sts", "iam", "ab") + ":" + g.pick("Get", "get", "GetAb", "abab", "aab", "A", "Ü")
}

func (g generator) actionPattern(action string) string {
	switch g.rng.IntN(8) {
	case 0, 1, 2:
		return "*"
	case 3:
		return g.pick("s3", "iam", "a*", "?3", "*", "s*") + ":" + g.pick("*", "", "Get", "*b", "?et*", "a*b*b", "$ x")
	}
	prefix, name, ok := strings.Cut(action, ":")
	if !ok || strings.Contains(name, ":") {
		return "x:y"
	}
	return g.mutate(prefix, "ab3*?") + ":" + g.mutate(name, "abGt*?é")
}

// long is the length from which resources and patterns are hostile: long runs that meet many stars.
const long = 300

func (g generator) resource() string {
	if g.one(300) {
		return "arn:aws:x:a:b:" + strings.Repeat(g.pick("a", "ab", "a/"), long+g.rng.IntN(long)) + g.pick("", "b", ":")
	}
	switch g.rng.IntN(12) {
	case 0:
		return "*"
	case 1:
		return g.text("ab:/*", 14)
	}
	parts := []string{"arn", "aws", g.pick("s3", "x", "iam")}
	for range 2 {
		parts = append(parts, g.pick("", "", "a", "ab", "ba", "aab", "1"))
	}
	for range 1 + g.rng.IntN(4) {
		parts = append(parts, g.text("aab/é*?$", 6))
	}
	return strings.Join(parts, ":")
}

// resourcePattern makes a pattern near the resource.
func (g generator) resourcePattern(resource string) string {
	if g.one(3) {
		return "*"
	}
	if len(resource) >= long && !g.one(4) {
		return g.pick("arn:aws:x:a:b:", "arn:aws:*:b:", "*", "arn:*") + strings.Repeat(g.pick("*a", "*a?", "a?", "?a*", "*"), g.rng.IntN(long)) + g.pick("", "*", "b", "?")
	}
	p := g.mutate(resource, "ab:/*?é")
	for range g.rng.IntN(3) { // let stars swallow whole segments
		parts := strings.Split(p, ":")
		i := g.rng.IntN(len(parts))
		j := i + g.rng.IntN(min(3, len(parts)-i)+1)
		parts = append(parts[:i:i], append([]string{g.pick("*", "a*", "*a*", "*b", "", "?*")}, parts[j:]...)...)
		p = strings.Join(parts, ":")
	}
	if g.one(8) {
		p += g.pick("${*}", "${?}", "${$}", "${*}*", "a${$}{b}", "${", "${x:s}", "${X:S}*", "${x:none, 'ab'}", "${x:none}")
	}
	if g.one(10) {
		p = strings.Join(strings.SplitN(p, ":", 6)[:min(strings.Count(p, ":")+1, 1+g.rng.IntN(5))], ":")
	}
	return p
}

// mutate replaces, inserts and removes a few characters.
func (g generator) mutate(s, alphabet string) string {
	runes := []rune(s)
	for range g.rng.IntN(4) {
		i := g.rng.IntN(len(runes) + 1)
		j := i + g.rng.IntN(min(3, len(runes)-i)+1)
		runes = append(runes[:i:i], append([]rune(g.text(alphabet, 2)), runes[j:]...)...)
	}
	return string(runes)
}

// instance is a text that the pattern covers, or nearly.
func (g generator) instance(pattern string) string {
	if !strings.ContainsAny(pattern, "*?") || g.one(10) {
		return pattern
	}
	var b strings.Builder
	for _, r := range pattern {
		switch r {
		case '*':
			b.WriteString(g.pick("", "a", "ab", "b:a", "a/b"))
		case '?':
			b.WriteString(g.pick("a", "b", ":", "é", ""))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// A large policy comes up once in so many cases, and has so many statements.
const (
	largeOneIn            = 100
	largeLeast, largeMost = 50, 300
)

// large makes an identity policy of many statements about few families of actions and resources, as an index has to tell them apart:
// equal literals, literals that begin alike, wildcards at the end, inside and before the literal part, and what no index can help with.
func (g generator) large(c *Case, name string) Policy {
	d := &policy.Document{Version: policy.Version2012}
	stem := "arn:aws:" + g.pick("s3", "x", "*", "${*}") + ":" + g.pick("", "a", "*") + "::"
	kinds := 1 + g.rng.IntN(6) // of patterns in this policy
	actions := 1 + g.rng.IntN(12)
	resources := 1 + g.rng.IntN(60)
	denies := g.pickInt(0, 1, 10, 50)
	for range largeLeast + g.rng.IntN(largeMost-largeLeast+1) {
		s := policy.Statement{Effect: "Allow", NotAction: g.one(100), NotResource: g.one(100)}
		if g.rng.IntN(100) < denies {
			s.Effect = "Deny"
		}
		for range g.pickInt(1, 1, 2) {
			s.Actions = append(s.Actions, g.largeAction(g.rng.IntN(kinds), g.rng.IntN(actions)))
		}
		for range g.pickInt(1, 1, 1, 2, 3) {
			s.Resources = append(s.Resources, g.largeResource(stem, g.rng.IntN(kinds), g.rng.IntN(resources)))
		}
		c.hints.actions, c.hints.resources = append(c.hints.actions, s.Actions...), append(c.hints.resources, s.Resources...)
		if g.one(10) {
			s.Conditions = g.conditions()
		}
		d.Statements = append(d.Statements, s)
	}
	return Policy{Layer: policy.LayerIdentity, Name: name, Text: d.JSON()}
}

func (g generator) largeAction(kind, n int) string {
	name := fmt.Sprintf("%s%d", g.pick("Get", "get", "Put"), n)
	switch kind {
	case 3:
		return g.pick("s3", "S3", "x") + ":" + name[:3] + "*"
	case 4:
		return g.pick("s3:*", "x:*", "*:"+name, "s?:"+name)
	case 5:
		return g.pick("*", "s3:"+name+"?", "s3:*"+name[3:])
	}
	return g.pick("s3", "s3", "S3", "x") + ":" + name
}

func (g generator) largeResource(stem string, kind, n int) string {
	text := fmt.Sprintf("%sb%d/", stem, n)
	switch kind {
	case 1:
		return text + "*"
	case 2:
		return text[:len(text)-1-g.rng.IntN(2)] + "*"
	case 3:
		return fmt.Sprintf("%s*/b%d", stem, n)
	case 4:
		return fmt.Sprintf("%sb%d/*/%s", stem, n, g.pick("a", "b", "*", "?"))
	case 5:
		return g.pick("*", "arn:*", "*"+text, "arn:aws:s3", fmt.Sprintf("%sb%d/${x:s}", stem, n), fmt.Sprintf("%s${x:s}%d/*", stem, n), stem+"?"+text[len(stem)+1:])
	}
	return text + g.pick("a", "ab", "", "a/b")
}
