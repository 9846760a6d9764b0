package policytest

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Generate makes a random case of what this version evaluates, without Want. The same state of rng gives the same case. Patterns and requests
// come from one small alphabet, and most patterns are the request with parts replaced, so that matches, near misses and
// the places where wildcards meet colons are all common. Callers, principals, keys and values come from small lists that hold what
// the specification has a rule for.
func Generate(rng *rand.Rand) *Case {
	g := generator{rng}
	c := &Case{Name: "generated", Spec: "evaluation.md 4.2", Why: "generated", Caller: g.caller()}
	c.Owner = g.pick(AccountA, AccountA, AccountA, AccountB, "")
	c.NeedsResourcePolicy = g.one(4)
	c.Action, c.Resource = g.action(), g.resource()
	c.Context = g.context()
	if g.one(3) {
		c.Tags = map[string]string{g.pick("tt", "TT"): g.pick(texts...)}
	}
	for i := range g.rng.IntN(3) {
		c.Policies = append(c.Policies, g.policy(c, policy.LayerIdentity, fmt.Sprintf("p%d", i)))
	}
	if g.one(3) {
		c.Policies = append(c.Policies, g.policy(c, policy.LayerBoundary, "pb"))
	}
	if c.Caller.Session != "" || c.Caller.Kind == policy.FederatedCaller || g.one(8) {
		for i := range g.rng.IntN(3) {
			c.Policies = append(c.Policies, g.policy(c, policy.LayerSession, fmt.Sprintf("sp%d", i)))
		}
	}
	switch g.rng.IntN(4) {
	case 0:
		c.Policies = append(c.Policies, g.policy(c, policy.LayerTrust, "tp"))
	case 1, 2:
		c.Policies = append(c.Policies, g.policy(c, policy.LayerResource, "rp"))
	}
	return c
}

// policy makes a policy for the layer. Most of its statements cover the action and the resource, so that what follows decides.
func (g generator) policy(c *Case, layer policy.Layer, name string) Policy {
	d := policy.Document{Version: g.pick("", policy.Version2008, policy.Version2012, policy.Version2012, policy.Version2012)}
	withPrincipal := layer == policy.LayerResource || layer == policy.LayerTrust
	for range 1 + g.rng.IntN(3) {
		s := policy.Statement{Effect: g.pick("Allow", "Allow", "Allow", "Deny"), NotAction: g.one(8), NotResource: g.one(8)}
		for range 1 + g.rng.IntN(2) {
			s.Actions = append(s.Actions, g.actionPattern(c.Action))
		}
		for range 1 + g.rng.IntN(2) {
			s.Resources = append(s.Resources, g.resourcePattern(c.Resource))
		}
		if withPrincipal {
			if g.one(3) {
				s.Resources, s.NotResource = nil, false
			}
			if !g.one(20) {
				s.Principal = g.principal(c.Caller)
			}
		}
		if g.one(2) {
			s.Conditions = g.conditions()
		}
		d.Statements = append(d.Statements, s)
	}
	return Policy{Layer: layer, Name: name, Text: d.JSON()}
}

// GenerateResource makes a random request resource and a pattern near it.
func GenerateResource(rng *rand.Rand) (pattern, resource string) {
	g := generator{rng}
	resource = g.resource()
	return g.resourcePattern(resource), resource
}

type generator struct{ rng *rand.Rand }

// one is true once in n times.
func (g generator) one(n int) bool { return g.rng.IntN(n) == 0 }

func (g generator) pick(choices ...string) string { return choices[g.rng.IntN(len(choices))] }

func (g generator) text(alphabet string, limit int) string {
	runes := []rune(alphabet)
	var b strings.Builder
	for range g.rng.IntN(limit + 1) {
		b.WriteRune(runes[g.rng.IntN(len(runes))])
	}
	return b.String()
}

func (g generator) action() string {
	if g.one(40) {
		return g.text("ab:*é", 5)
	}
	return g.pick("s3", "S3", "iam", "a", "ab") + ":" + g.pick("Get", "get", "GetAb", "abab", "aab", "A", "Ü")
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

// resourcePattern makes a pattern near the resource that a document of this version may hold.
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
