package simulate

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Run simulates every action of the input on every resource: a Result for each action, in their order. What cannot be decided, such as a text
// that is no action, is denied and explained; the only error is ErrLimit. It changes nothing of the input, which may be run again.
func Run(in *Input) ([]Result, error) {
	if err := in.bounded(); err != nil {
		return nil, err
	}
	r := newRun(in)
	resources := in.Resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	results := make([]Result, 0, len(in.Actions))
	for _, action := range in.Actions {
		checks := make([]Check, 0, len(resources))
		for _, resource := range resources {
			checks = append(checks, r.check(action, resource))
		}
		results = append(results, r.result(action, checks))
	}
	return results, nil
}

// run is an Input while it is simulated.
type run struct {
	in      *Input
	catalog *catalog.Catalog
	places  map[*policy.Policy][]place // of the policies that were shown
}

func newRun(in *Input) *run {
	return &run{in: in, catalog: in.catalog(), places: make(map[*policy.Policy][]place)}
}

// check is one decision, and what there is to say about it.
func (r *run) check(action, resource string) Check {
	c := Check{Action: action, Resource: resource, Verdict: r.catalog.Verdict(action, resource)}
	if c.Verdict == catalog.WrongResource && r.in.BucketForObjects && isBucket(resource) && r.catalog.Verdict(action, resource+"/object") == catalog.Known {
		c.Verdict = catalog.Known
	}
	p := r.rules(action, resource)
	if c.Verdict == catalog.NoResource && p.listsIAM() {
		c.Verdict = catalog.Known
	}
	c.Owner = p.owner
	if c.Refusal = p.refused(); c.Refusal != "" {
		c.Explanation = &policy.Explanation{}
		return c
	}
	c.Explanation = policy.Explain(r.in.Sets, p.request())
	c.Decision = c.Explanation.Decision
	if c.Decision.Effect == policy.Allow {
		if c.Refusal = p.reserved(); c.Refusal != "" || !r.in.PoliciesOnly && product.CatalogDenies(c.Verdict, &r.in.Sets.Caller, c.Owner) {
			c.Decision = policy.Decision{}
		}
	}
	c.Missing = c.Explanation.Missing
	c.Matched = r.matched(&c)
	c.sides(r.in)
	return c
}

// sides fills what the organization, the boundary and the two accounts say by themselves.
func (c *Check) sides(in *Input) {
	if in.InOrganization || in.Sets.SCP != nil {
		c.AllowedByOrganization = new(c.allowedBy(policy.LayerSCP))
	}
	bounded := slices.ContainsFunc(c.Explanation.Layers, func(v policy.LayerVerdict) bool { return v.Layer == policy.LayerBoundary })
	if bounded {
		c.AllowedByBoundary = new(c.allowedBy(policy.LayerBoundary))
	}
	account := in.Sets.Caller.Account
	switch {
	case c.Resource == "*" || c.AllowedByOrganization != nil && !*c.AllowedByOrganization:
	case account == "" || c.Owner == account:
		c.Details = map[string]policy.Effect{}
	default:
		c.Details = map[string]policy.Effect{
			identityPolicy: c.says(policy.LayerIdentity),
			resourcePolicy: worstOf(c.says(policy.LayerResource), c.says(policy.LayerTrust)),
		}
		if bounded {
			c.Details[boundaryPolicy] = c.says(policy.LayerBoundary)
		}
	}
}

// worstOf is what a resource's policy says, which stands in one of two layers.
func worstOf(resource, trust policy.Effect) policy.Effect {
	if trust != policy.DenyImplicit {
		return trust
	}
	return resource
}

// allowedBy says whether all levels of the layer allow. A layer that takes no part does.
func (c *Check) allowedBy(layer policy.Layer) bool {
	for i := range c.Explanation.Layers {
		if v := &c.Explanation.Layers[i]; v.Layer == layer && v.Effect != policy.Allow {
			return false
		}
	}
	return c.Explanation.Obstacle == policy.ObstacleNone
}

// says is what a layer without levels says by itself.
func (c *Check) says(layer policy.Layer) policy.Effect {
	for i := range c.Explanation.Layers {
		if v := &c.Explanation.Layers[i]; v.Layer == layer {
			return v.Effect
		}
	}
	return policy.DenyImplicit
}

// matched are the statements of docs/spec/evaluation.md 11.2: of an explicit deny all that deny, of an allow those of the identity's and the
// resource's policies that allow.
func (r *run) matched(c *Check) []Match {
	if c.Decision.Effect == policy.DenyImplicit {
		return nil
	}
	denied := c.Decision.Effect == policy.DenyExplicit
	var list []Match
	for i := range c.Explanation.Layers {
		layer := &c.Explanation.Layers[i]
		if !denied && layer.Layer != policy.LayerIdentity && layer.Layer != policy.LayerResource && layer.Layer != policy.LayerTrust {
			continue
		}
		for j := range layer.Statements {
			if s := &layer.Statements[j]; s.Applies && s.Denies == denied {
				list = append(list, r.match(layer.Layer, s.Policy, s.Statement))
			}
		}
	}
	return list
}

// result is what all checks of an action say together.
func (r *run) result(action string, checks []Check) Result {
	out := Result{Action: action, Resource: r.resourceName(action, checks), Effect: policy.Allow, Checks: checks}
	for i := range checks {
		out.Effect = worse(out.Effect, checks[i].Decision.Effect)
	}
	seen := make(map[statementKey]bool)
	for i := range checks {
		c := &checks[i]
		if c.Decision.Effect == out.Effect {
			for _, m := range c.Matched {
				if key := m.key(); !seen[key] {
					seen[key] = true
					out.Matched = append(out.Matched, m)
				}
			}
		}
		if c.Resource == "*" {
			out.Missing = joined(out.Missing, c.Missing)
		}
		out.AllowedByOrganization = both(out.AllowedByOrganization, c.AllowedByOrganization)
		out.AllowedByBoundary = both(out.AllowedByBoundary, c.AllowedByBoundary)
		if c.Details != nil && out.Details == nil {
			out.Details = map[string]policy.Effect{}
		}
		for side, effect := range c.Details {
			if other, ok := out.Details[side]; ok {
				effect = worse(other, effect)
			}
			out.Details[side] = effect
		}
	}
	if out.AllowedByOrganization != nil && !*out.AllowedByOrganization {
		out.Details = nil
	}
	return out
}

// both is whether both are true, where they are there.
func both(a, b *bool) *bool {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return new(*a && *b)
}

// joined adds the keys that are not in the list yet.
func joined(list, more []string) []string {
	for _, key := range more {
		if !slices.ContainsFunc(list, func(other string) bool { return policy.SameKey(other, key) }) {
			list = append(list, key)
		}
	}
	return list
}

// resourceName is EvalResourceName: of several resources the form of the ARNs of the type that the action is on.
func (r *run) resourceName(action string, checks []Check) string {
	if len(checks) == 1 {
		return checks[0].Resource
	}
	a := r.catalog.Action(action)
	if a == nil {
		return "*"
	}
	var name string
	for i := range checks {
		t := a.TypeOf(checks[i].Resource)
		if t == nil || name != "" && name != t.ARN {
			return "*"
		}
		name = t.ARN
	}
	first, _, _ := strings.Cut(name, ", ") // of a type whose ARNs have several forms
	return first
}
