package authz

import (
	"slices"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Step is one call, and what allows it.
type Step struct {
	Principal        string // ARN of the user, role or root user
	Action, Resource string
	// Grants are what the allow rests on: the statement that decides, and one of the resource's policy where that must allow too.
	Grants []Grant
}

// Grant is a statement that allows a step, or a rule that does without one: Policy is nil for root users, ACLs and exempt calls.
type Grant struct {
	Layer     policy.Layer
	Policy    *policy.Attached
	Statement int
	Sid       string
	Group     string // ARN of the group that a user has an identity policy from; "" where it is its own
}

// holder describes how the candidate can. said are the steps described before, by who takes them and the role that they assume.
func (w *search) holder(i int32, said map[[2]int32]Step) Holder {
	p := &w.all[i].principal
	h := Holder{Place: Place{p.Kind, p.Name}, ARN: w.all[i].arn()}
	for {
		c := &w.all[i]
		next := int32(-1)
		if c.length > 1 {
			next = c.next
		}
		key := [2]int32{i, next}
		step, ok := said[key]
		if !ok {
			step = w.step(c, next)
			said[key] = step
		}
		h.Steps = append(h.Steps, step)
		if next < 0 {
			return h
		}
		i = next
	}
}

// arn is the ARN of the user, role or root user.
func (c *candidate) arn() string {
	if c.role != nil {
		return c.role.ARN(c.principal.Account)
	}
	return c.principal.ARN()
}

// step decides once more, and says by what. next is the role that is assumed; less than 0: none, it is the inquiry's action.
func (w *search) step(c *candidate, next int32) Step {
	q := w.q.Check
	if next >= 0 {
		q = w.assuming(next)
	}
	q.Principal, q.Session = &c.principal, c.session
	s := Step{Principal: c.arn(), Action: q.Action, Resource: q.Resource}
	k := check{z: w.z, r: w.r, q: &q, all: true}
	if k.safely(); k.decision.Effect == policy.Allow && k.noted != nil {
		s.Grants = w.grants(c, k.decision, k.noted)
	}
	return s
}

func (w *search) grants(c *candidate, d policy.Decision, n *Record) []Grant {
	first := Grant{Layer: d.Layer, Policy: d.Policy, Statement: d.Statement}
	if d.Layer == policy.LayerIdentity && d.Policy != nil && c.principal.Kind == state.IAMUser {
		first.Group = groupOf(w.account, c.principal.ID, slices.Index(n.Sets.Identity.Policies(), d.Policy))
	}
	list := []Grant{first}
	foreign := n.Request.Resource != "*" && n.Request.Owner != "" && n.Request.Owner != w.account.ID
	if d.Layer == policy.LayerIdentity && (foreign || n.Request.NeedsResourcePolicy) {
		list = append(list, onResource(policy.Explain(&n.Sets, &n.Request)))
	}
	for i := range list {
		if a := list[i].Policy; a != nil {
			if statements := a.Policy.Document().Statements; list[i].Statement < len(statements) {
				list[i].Sid = statements[list[i].Statement].Sid
			}
		}
	}
	return list
}

// onResource is the statement of the resource's policy that reaches furthest, else its ACL.
func onResource(x *policy.Explanation) Grant {
	g, best := Grant{Layer: policy.LayerACL}, policy.ReachNone
	for i := range x.Layers {
		layer := &x.Layers[i]
		if layer.Layer != policy.LayerResource && layer.Layer != policy.LayerTrust {
			continue
		}
		for j := range layer.Statements {
			if v := &layer.Statements[j]; v.Applies && !v.Denies && v.Reach > best {
				g, best = Grant{Layer: layer.Layer, Policy: v.Policy, Statement: v.Statement}, v.Reach
			}
		}
	}
	return g
}

// groupOf is the ARN of the group that the user has the policy from that stands at that place of its set; "" for its own. The order is that
// of memo.user.
func groupOf(a *state.Account, user string, at int) string {
	left := at - policiesOf(a, user)
	if left < 0 {
		return ""
	}
	for g := range a.GroupsOf(user) {
		if left -= policiesOf(a, g.Id); left < 0 {
			return g.ARN(a.ID)
		}
	}
	return ""
}

// policiesOf is how many policies attached adds for the owner.
func policiesOf(a *state.Account, owner string) int {
	return count(a.InlinePolicies(owner, "")) + count(a.Attachments(owner))
}
