package authz

import (
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Explanation is why a check was decided as it was, for whoever may know it: see Withheld.
type Explanation struct {
	Answer
	Record   *Record
	Caller   string // as messages name it
	Distance Distance
	Policies *policy.Explanation // nil where no policy was asked: Record.Refusal says why
	// Objection is why the catalogue does not know what was asked, "" where it does. It denies, unless root asked about what nobody knows.
	Objection string
	// Dependent are the actions that a call may need beside this one.
	Dependent []catalog.Dependent
}

// Explain decides a query and explains the outcome, also where it is allowed.
func (z *Authorizer) Explain(r state.Reader, q *Query) *Explanation {
	k := check{z: z, r: r, q: q, all: true}
	a := k.answer()
	a.Catalog = k.noted.Catalog
	e := &Explanation{Answer: a, Record: k.noted, Caller: k.name(), Distance: k.distance}
	z.explain(e)
	return e
}

// ExplainDenial explains a denial that has its Record, as of when it was made.
func (z *Authorizer) ExplainDenial(d *Denial) *Explanation {
	e := &Explanation{
		Answer: Answer{Decision: d.Decision, Denial: d, Catalog: d.Record.Catalog}, Record: d.Record, Caller: d.Principal, Distance: d.Distance,
	}
	z.explain(e)
	return e
}

func (z *Authorizer) explain(e *Explanation) {
	r := &e.Record.Request
	if e.Record.Refusal == "" {
		e.Policies = policy.Explain(&e.Record.Sets, r)
	}
	if z.catalog == nil {
		return
	}
	e.Objection = z.objection(e.Catalog, r.Action)
	if a := z.catalog.Action(r.Action); a != nil {
		e.Dependent = a.Dependent
	}
}

// objection says in a sentence what is wrong with the action or its resource.
func (z *Authorizer) objection(v catalog.Verdict, action string) string {
	prefix, name, _ := strings.Cut(action, ":")
	switch v {
	case catalog.UnknownService:
		return "No service has the prefix " + prefix + "." + z.nearest(action) + " The services of your own programs are registered with --catalog."
	case catalog.UnknownAction:
		return "The service " + prefix + " has no action " + name + "." + z.nearest(action)
	case catalog.WrongResource:
		return action + " does not act on such a resource, but on " + forms(z.catalog.Action(action)) + "."
	case catalog.NoResource:
		return `Permission for ` + action + ` is asked on "*" only, on no single resource.`
	}
	return ""
}

func (z *Authorizer) nearest(action string) string {
	if name, ok := z.catalog.NearestAction(action); ok {
		return " The nearest name is " + name + "."
	}
	return ""
}

// maxForms is how many types of resources an objection lists.
const maxForms = 5

func forms(a *catalog.Action) string {
	var b strings.Builder
	for i, r := range a.Resources {
		switch {
		case i == maxForms:
			b.WriteString(" and others")
			return b.String()
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(r.Type.Name + " (" + r.Type.ARN + ")")
	}
	return b.String()
}

// Withheld says whether what a layer says is for the account of the resource alone: what is attached to the resource of another account,
// and the resource control policies of another organization. Whoever asked gave them itself, and knows them.
func (e *Explanation) Withheld(layer policy.Layer) bool {
	if e.Record.Asked || e.Distance == SameAccount {
		return false
	}
	switch layer {
	case policy.LayerResource, policy.LayerTrust, policy.LayerACL:
		return true
	case policy.LayerRCP:
		return e.Distance == Foreign
	}
	return false
}
