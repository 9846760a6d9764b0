package simulate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Call is an API call, which may need several checks (docs/spec/evaluation.md 7): one for every resource that it names, and the actions that
// depend on its parameters.
type Call struct {
	Input   *Input // without Actions and Resources. Its Context has the keys of the whole call
	Part           // of the operation
	With    []Part // the dependent actions that its parameters need: iam:PassRole, sts:TagSession, …
	PerItem bool   // the service tells of each resource whether it was denied, and does not fail the call for it (DeleteObjects)
}

// Part is one action of a call.
type Part struct {
	Action    string
	Resources []string       // those that the call names; none for an action that takes "*" only
	Context   []policy.Entry // keys of this part, over those of the Input
	// ResourcePolicy is the policy of these resources, in the place of the Input's; nil where that holds, or there is none.
	ResourcePolicy *policy.Attached
	Owner          string // of these resources, in the place of the Input's
}

// CallResult is the outcome of a call.
type CallResult struct {
	Effect policy.Effect // of the whole call: all checks must allow it, but for those of items
	Checks []Check       // of the operation, then of the parts, each in the order of its resources
	Denied *Check        // the first check that did not allow; nil if all did. Where the call is PerItem it may be allowed all the same
}

// RunCall simulates a call. It fails for one that cannot be made, because a required resource is not named or an action is no part of the
// operation, and with ErrLimit. Each check sees those keys of the service that its action has on its resource, and all others.
func RunCall(c *Call) (*CallResult, error) {
	operation := c.Input.catalog().Action(c.Action)
	if operation != nil {
		if err := required(operation, c.Resources); err != nil {
			return nil, err
		}
	}
	out := &CallResult{Effect: policy.Allow}
	for i := range 1 + len(c.With) {
		part := &c.Part
		if i > 0 {
			if part = &c.With[i-1]; !depends(operation, part.Action) {
				return nil, fmt.Errorf("%s is no part of a call of %s", part.Action, c.Action)
			}
		}
		checks, err := c.part(part)
		if err != nil {
			return nil, err
		}
		if out.Checks = append(out.Checks, checks...); len(out.Checks) > MaxChecks {
			return nil, fmt.Errorf("%w: more than %d checks", ErrLimit, MaxChecks)
		}
		for j := range checks {
			if i > 0 || !c.PerItem {
				out.Effect = worse(out.Effect, checks[j].Decision.Effect)
			}
		}
	}
	if i := slices.IndexFunc(out.Checks, func(c Check) bool { return c.Decision.Effect != policy.Allow }); i >= 0 {
		out.Denied = &out.Checks[i]
	}
	return out, nil
}

// part makes the checks of one action.
func (c *Call) part(p *Part) ([]Check, error) {
	in := *c.Input
	if p.Owner != "" {
		in.Owner = p.Owner
	}
	if p.ResourcePolicy != nil {
		in.ResourcePolicy, in.Trust = p.ResourcePolicy, p.ResourcePolicy
	}
	resources := p.Resources
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	action := in.catalog().Action(p.Action)
	context, policyContext := Overlay(in.Context, p.Context...), in.PolicyContext
	if policyContext != nil {
		policyContext = Overlay(policyContext, p.Context...)
	}
	var checks []Check
	for _, resource := range resources {
		one := in
		one.Actions, one.Resources = []string{p.Action}, []string{resource}
		one.Context, one.PolicyContext = keysOn(action, resource, context), keysOn(action, resource, policyContext)
		results, err := Run(&one)
		if err != nil {
			return nil, err
		}
		checks = append(checks, results[0].Checks...)
	}
	return checks, nil
}

// required says which type of resource is not named, though every call has one (docs/spec/evaluation.md 7, item 3).
func required(a *catalog.Action, resources []string) error {
	if slices.Equal(resources, []string{"*"}) {
		return nil
	}
	for i := range a.Resources {
		if t := a.Resources[i].Type; a.Resources[i].Required && !slices.ContainsFunc(resources, func(r string) bool { return a.TypeOf(r) == t }) {
			// What fits no type at all is denied for that; it may have been meant for this one.
			if !slices.ContainsFunc(resources, func(r string) bool { return a.TypeOf(r) == nil }) {
				return fmt.Errorf("a call of %s has a resource of the type %s: %s", a, t.Name, t.ARN)
			}
		}
	}
	return nil
}

// depends says whether a call of the operation can need the action too.
func depends(operation *catalog.Action, action string) bool {
	return operation != nil && slices.ContainsFunc(operation.Dependent, func(d catalog.Dependent) bool { return policy.SameKey(d.Action, action) })
}

// keysOn are the keys that a check of the action on the resource has: those of its service that are keys of other types are absent.
func keysOn(a *catalog.Action, resource string, context []policy.Entry) []policy.Entry {
	if a == nil || context == nil {
		return context
	}
	var own []string
	if t := a.TypeOf(resource); t != nil {
		for i := range a.Resources {
			if a.Resources[i].Type == t {
				own = a.Resources[i].Keys
			}
		}
		if len(own) == 0 {
			own = t.Keys
		}
	}
	out := make([]policy.Entry, 0, len(context))
	for _, e := range context {
		prefix, _, _ := strings.Cut(e.Key, ":")
		if !policy.SameKey(prefix, a.Service.Prefix) || hasKey(own, e.Key) || hasKey(a.Keys, e.Key) {
			out = append(out, e)
		}
	}
	return out
}

// hasKey says whether a key is one of the names, in which ${…} at the end stands for anything.
func hasKey(names []string, key string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		if i := strings.Index(name, "${"); i >= 0 {
			return len(key) > i && policy.SameKey(key[:i], name[:i])
		}
		return policy.SameKey(key, name)
	})
}
