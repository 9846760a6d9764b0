package simulate

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Call is an API call that needs several checks (docs/spec/evaluation.md 7): one for every resource that it names, and one for each action that its
// parameters need besides, such as iam:PassRole.
type Call struct {
	// Checks are Inputs of one action and one resource each, all with the same Sets, Catalog and PoliciesOnly. The first is of the operation that
	// is called, and so are all with the same action. Their contexts have the keys that they alone have.
	Checks []*Input
	// Context are the keys of the whole call, the caller's included. Of the keys of its action's service a check sees those that the catalogue has
	// for the action and the resource, and all of other prefixes. What a check says itself goes before.
	Context []policy.Entry
	// PerItem: the service tells of each resource whether it was denied, and does not fail the call for it (DeleteObjects).
	PerItem bool
}

// CallResult is the outcome of a call.
type CallResult struct {
	Effect policy.Effect // the worst of all checks, but for those of items
	Checks []Check       // of Call.Checks, in their order
	// Decides is the index of the first check that has the Effect and takes part in it; -1 where a call is allowed that denied all its items.
	Decides int
}

// RunCall simulates a call. It fails for one that is not valid, and with ErrLimit.
func RunCall(c *Call) (*CallResult, error) {
	if err := c.Valid(); err != nil {
		return nil, err
	}
	out := &CallResult{Effect: policy.Allow, Checks: make([]Check, 0, len(c.Checks))}
	for i := range c.Checks {
		results, err := Run(c.input(i))
		if err != nil {
			return nil, err
		}
		check := results[0].Checks[0]
		if !c.isItem(&check) {
			out.Effect = worse(out.Effect, check.Decision.Effect)
		}
		out.Checks = append(out.Checks, check)
	}
	out.Decides = slices.IndexFunc(out.Checks, func(check Check) bool {
		return check.Decision.Effect == out.Effect && (out.Effect == policy.Allow || !c.isItem(&check))
	})
	return out, nil
}

// operation is the action of the call.
func (c *Call) operation() string { return c.Checks[0].Actions[0] }

// isItem says whether the check is of something that can be denied without failing the call.
func (c *Call) isItem(check *Check) bool {
	return c.PerItem && policy.SameKey(check.Action, c.operation())
}

// input is a check with what it sees of the call.
func (c *Call) input(i int) *Input {
	in := *c.Checks[i]
	context := c.Context
	if !in.PoliciesOnly {
		context = keysOn(in.catalog().Action(in.Actions[0]), in.Resources[0], context)
	}
	in.Context = Overlay(context, in.Context...)
	if in.PolicyContext != nil {
		in.PolicyContext = Overlay(context, in.PolicyContext...)
	}
	return &in
}

// Valid is an error where there is no such call: it has no check, more than MaxChecks, or not the resources that every call of its operation has.
// That the catalogue does not name an action among those that the operation may need is no fault: it does not have all of them.
func (c *Call) Valid() error {
	if n := len(c.Checks); n > MaxChecks {
		return fmt.Errorf("%w: a call with %d checks, at most %d", ErrLimit, n, MaxChecks)
	}
	for _, in := range c.Checks {
		if len(in.Actions) != 1 || len(in.Resources) != 1 {
			return errors.New("each check of a call has one action and one resource")
		}
	}
	if len(c.Checks) == 0 {
		return errors.New("a call has one check at least")
	}
	a := c.Checks[0].catalog().Action(c.operation())
	if a == nil || c.Checks[0].PoliciesOnly {
		return nil
	}
	var resources []string
	for _, in := range c.Checks {
		if policy.SameKey(in.Actions[0], c.operation()) {
			resources = append(resources, in.Resources[0])
		}
	}
	return required(a, resources)
}

// Cost is what all checks cost together, see Input.Cost.
func (c *Call) Cost() int {
	n := 0
	for i := range c.Checks {
		n += c.input(i).Cost()
	}
	return n
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
