package policytest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// hints are what a generated case remembers of its policies, to make more requests near them.
type hints struct{ actions, resources []string }

// Generate makes a random case of all layers, without Want. The same state of rng gives the same case. Patterns and requests
// come from one small alphabet, and most patterns are the request with parts replaced, so that matches, near misses and
// the places where wildcards meet colons are all common. Callers, principals, keys and values come from small lists that hold what
// the specification has a rule for.
func Generate(rng *rand.Rand) *Case {
	g := generator{rng}
	c := &Case{Name: "generated", Spec: "evaluation.md 4.2", Why: "generated"}
	c.Action, c.Resource = g.action(), g.resource()
	g.request(c)
	for i := range g.rng.IntN(3) {
		c.Policies = append(c.Policies, g.policy(c, policy.LayerIdentity, fmt.Sprintf("p%d", i)))
	}
	if g.one(largeOneIn) {
		c.Policies = append(c.Policies, g.large(c, policy.LayerIdentity)...)
		g.rng.Shuffle(len(c.Policies), func(i, j int) { c.Policies[i], c.Policies[j] = c.Policies[j], c.Policies[i] })
	}
	if g.one(3) {
		c.Policies = append(c.Policies, g.policy(c, policy.LayerBoundary, "pb"))
	}
	if c.Caller.Session != "" || c.Caller.Kind == policy.FederatedCaller || g.one(8) {
		for i := range g.rng.IntN(3) {
			c.Policies = append(c.Policies, g.policy(c, policy.LayerSession, fmt.Sprintf("sp%d", i)))
		}
	}
	if g.one(3 * largeOneIn) {
		c.Policies = append(c.Policies, g.large(c, policy.LayerSession)...)
	}
	switch g.rng.IntN(4) {
	case 0:
		c.Policies = append(c.Policies, g.policy(c, policy.LayerTrust, "tp"))
	case 1, 2:
		c.Policies = append(c.Policies, g.policy(c, policy.LayerResource, "rp"))
	}
	if g.one(4) {
		c.SCPLevels = g.chain(c, policy.LayerSCP)
	}
	if g.one(4) {
		c.RCPLevels = g.chain(c, policy.LayerRCP)
	}
	if g.one(4) {
		c.Gateway = g.one(2)
		c.Policies = append(c.Policies, g.permitting(c, policy.LayerEndpoint, "ep"))
	}
	return c
}

// GenerateRequest makes a case with the policies of c and another request, near the one of c or near one of its policies.
func GenerateRequest(rng *rand.Rand, c *Case) *Case {
	g := generator{rng}
	next := *c
	switch g.rng.IntN(5) {
	case 0, 1:
		if a := g.instance(g.hint(c.hints.actions)); strings.Count(a, ":") == 1 {
			next.Action = a
		}
	case 2:
		next.Action = g.action()
	}
	switch g.rng.IntN(5) {
	case 0, 1:
		if r := g.hint(c.hints.resources); r != "*" && r != "" {
			next.Resource = g.instance(r)
		}
	case 2:
		next.Resource = g.mutate(c.Resource, "ab:/*?é")
	case 3:
		next.Resource = g.resource()
	}
	if g.one(2) {
		g.request(&next)
		if !g.one(3) {
			next.Caller, next.Owner = c.Caller, c.Owner
		}
	}
	return &next
}

func (g generator) hint(patterns []string) string {
	if len(patterns) == 0 {
		return ""
	}
	return g.pick(patterns...)
}

// request makes what a request has besides its action and resource.
func (g generator) request(c *Case) {
	c.Caller = g.caller()
	c.Owner = g.pick(c.Caller.Account, c.Caller.Account, AccountA, AccountA, AccountB, "", g.account())
	c.NeedsResourcePolicy = g.one(5)
	c.Exempt = g.one(50)
	c.Context, c.PolicyContext = g.context(), nil
	if g.one(20) {
		c.PolicyContext = g.context()
	}
	c.Tags, c.Grantees = nil, nil
	if g.one(3) {
		c.Tags = map[string]string{g.pick("tt", "TT"): g.pick(texts...)}
	}
	if g.one(5) {
		for range 1 + g.rng.IntN(2) {
			c.Grantees = append(c.Grantees, g.pick(policy.AllUsers, policy.AllUsers, policy.AuthenticatedUsers, Alice.Policy().Canonical, "ab"))
		}
	}
}

// chain makes the policies of one to three levels, some of them without any.
func (g generator) chain(c *Case, layer policy.Layer) (levels int) {
	levels = 1 + g.rng.IntN(3)
	for level := range levels {
		if g.one(12) {
			continue
		}
		for i := range g.pickInt(1, 1, 1, 2) {
			name := strings.ToLower(layer.String()[:1]) + fmt.Sprintf("%d%d", level, i)
			p := g.policy(c, layer, name)
			if i == 0 {
				p = g.permitting(c, layer, name)
			}
			p.Level = level
			c.Policies = append(c.Policies, p)
		}
	}
	return levels
}

// permitting makes a policy of a layer that limits. Mostly it allows everything besides, so that what is below it decides.
func (g generator) permitting(c *Case, layer policy.Layer, name string) Policy {
	if g.one(5) {
		return g.policy(c, layer, name)
	}
	d := g.document(c, layer, g.rng.IntN(2))
	everything := policy.Statement{Effect: "Allow", Actions: []string{"*"}, Resources: []string{"*"}}
	if withPrincipal(layer) {
		everything.Principal = &policy.Principal{Any: true}
	}
	d.Statements = slices.Insert(d.Statements, g.rng.IntN(len(d.Statements)+1), everything)
	return Policy{Layer: layer, Name: name, Text: d.JSON()}
}

func withPrincipal(layer policy.Layer) bool {
	return layer == policy.LayerResource || layer == policy.LayerTrust || layer == policy.LayerEndpoint || layer == policy.LayerRCP
}

// policy makes a policy for the layer. Most of its statements cover the action and the resource, so that what follows decides.
func (g generator) policy(c *Case, layer policy.Layer, name string) Policy {
	d := g.document(c, layer, 1+g.rng.IntN(3))
	return Policy{Layer: layer, Name: name, Text: d.JSON()}
}

func (g generator) document(c *Case, layer policy.Layer, statements int) *policy.Document {
	d := &policy.Document{Version: g.pick("", policy.Version2008, policy.Version2012, policy.Version2012, policy.Version2012)}
	for range statements {
		s := policy.Statement{Effect: g.pick("Allow", "Allow", "Allow", "Deny"), NotAction: g.one(8), NotResource: g.one(8)}
		for range 1 + g.rng.IntN(2) {
			s.Actions = append(s.Actions, g.actionPattern(c.Action))
		}
		for range 1 + g.rng.IntN(2) {
			s.Resources = append(s.Resources, g.resourcePattern(c.Resource))
		}
		c.hints.actions, c.hints.resources = append(c.hints.actions, s.Actions...), append(c.hints.resources, s.Resources...)
		if (layer == policy.LayerResource || layer == policy.LayerTrust) && g.one(3) {
			s.Resources, s.NotResource = nil, false
		}
		switch {
		case !withPrincipal(layer) || layer != policy.LayerRCP && g.one(20): // an RCP must have one
		case layer == policy.LayerRCP && !g.one(8):
			s.Principal = &policy.Principal{Any: true}
		default:
			s.Principal = g.principal(c.Caller)
			if s.Principal.Not && g.one(2) {
				s.Effect = "Deny"
			}
		}
		if g.one(2) {
			s.Conditions = g.conditions()
		}
		d.Statements = append(d.Statements, s)
	}
	return d
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

func (g generator) pickInt(choices ...int) int { return choices[g.rng.IntN(len(choices))] }

func (g generator) text(alphabet string, limit int) string {
	runes := []rune(alphabet)
	var b strings.Builder
	for range g.rng.IntN(limit + 1) {
		b.WriteRune(runes[g.rng.IntN(len(runes))])
	}
	return b.String()
}
