package policytest

import "strings"

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
	if g.one(12) { // a short ARN
		return strings.Join(strings.SplitN(resource, ":", 6)[:min(strings.Count(resource, ":")+1, 1+g.rng.IntN(5))], ":") + g.pick("", "", "*", ":*")
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
			b.WriteString(g.pick("", "a", "ab", "b:a", "a/b", "/app-001"))
		case '?':
			b.WriteString(g.pick("a", "b", ":", "é", ""))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
