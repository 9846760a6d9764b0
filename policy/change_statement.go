package policy

import (
	"strings"
	"unicode/utf8"
)

// naming is a Principal that names the caller.
type naming struct {
	principal *Principal
	class     class
}

var everyone = naming{&Principal{Any: true}, classDirect}

// namings are the Principals that name the caller in policies of the kind, the best first. The last one is everyone.
func (c *Caller) namings(kind Kind) []naming {
	var out []naming
	add := func(kindOfName, name string) {
		value := PrincipalValue{Type: kindOfName, Value: name}
		v := compilePrincipalValue(value, kind)
		if class := v.class(c); class != classNone && utf8.ValidString(name) {
			out = append(out, naming{&Principal{Values: []PrincipalValue{value}}, class})
		}
	}
	add("AWS", c.ARN)
	if c.Kind == RootCaller {
		add("AWS", c.Account)
	}
	add("AWS", c.Session)
	for _, name := range c.Names {
		add("Service", name)
		add("Federated", name)
	}
	return append(out, everyone)
}

// addition is an Allow of the request in a layer. n is whom a policy of the resource names.
func (x *explainer) addition(layer Layer, level int, n *naming) Change {
	c := Change{Kind: AddStatement, Layer: layer, Level: level, Side: x.s.Caller.side(layer)}
	add := Statement{Effect: "Allow", Actions: []string{x.r.Action}}
	switch layer {
	case LayerBoundary:
		if policies := x.s.Boundary.Policies(); len(policies) > 0 {
			c.Policy = policies[0]
		}
	case LayerEndpoint:
		c.Policy, n = x.r.Endpoint, &everyone
		if !x.r.Gateway { // where nobody else can be named
			n = &x.s.Caller.namings(Endpoint)[0]
		}
	case LayerResource, LayerTrust:
		c.Policy = x.r.ResourcePolicy
	case LayerRCP:
		n, add.Actions = &everyone, []string{"*"}
	}
	if n != nil {
		add.Principal = n.principal
	}
	switch layer {
	case LayerTrust: // has no Resource
		add.Conditions = x.tenant(n.principal, c.Policy)
	case LayerRCP:
		add.Resources = []string{"*"}
	default:
		add.Resources = []string{x.exactly(x.r.Resource, c.Policy)}
	}
	var b strings.Builder
	add.print(&b)
	c.Text = b.String()
	return c
}

// exactly is the Resource that matches the resource and, where the policy's Version lets it be said, nothing else.
func (x *explainer) exactly(resource string, a *Attached) string {
	tail := tailOffset(resource)
	return resource[:tail] + x.literally(resource[tail:], a)
}

// literally is the pattern that matches the text and, where the policy's Version lets it be said, nothing else. A new policy has the
// Version with variables.
func (x *explainer) literally(text string, a *Attached) string {
	if !strings.ContainsAny(text, "*?$") || a != nil && !x.e.document(a.Policy).Variables() {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		switch c := text[i]; c {
		case '*', '?', '$':
			b.WriteString("${" + string(rune(c)) + "}")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// tenant is the condition without which no policy may trust a provider of many tenants: that it speaks of the one that asks
// (docs/spec/policy-language.md 8.5). Nil for other providers, and where the request does not say which tenant asks.
func (x *explainer) tenant(p *Principal, a *Attached) []Condition {
	context := x.r.Context
	if x.r.PolicyContext != nil {
		context = x.r.PolicyContext
	}
	for i := range p.Values {
		keys, _ := tenantKeys(&p.Values[i])
		for _, key := range keys {
			for _, e := range context {
				if SameKey(e.Key, key) && len(e.Values) == 1 {
					return []Condition{{Name: StringEquals.String(), Operator: StringEquals, Key: key, Values: []string{x.literally(e.Values[0], a)}}}
				}
			}
		}
	}
	return nil
}
