package gatehouseapi

import (
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Bounds of an explanation's answer, which has at most some 4 MB. What conditions show is bounded by policy.ConditionVerdict.
const (
	maxStatements = 1000 // of all layers. Those whose action does not match are left out first
	maxChanges    = 100
	maxKeys       = 200
	maxStatement  = 8 << 10 // bytes of the text of a statement
)

// explained makes an answer of an explanation.
type explained struct {
	*authz.Explanation
	most bool // all statements are shown; else those whose action matches
	room int  // for further statements
}

func xExplanation(e *authz.Explanation) *ghapi.ExplainResponse {
	r := &e.Record.Request
	out := &ghapi.ExplainResponse{
		Time: new(e.Record.Time.UTC()), Caller: &e.Caller, Action: &r.Action, Resource: &r.Resource, ResourceAccount: text(r.Owner), Refusal: text(e.Record.Refusal),
	}
	if e.Record.Revision != 0 {
		out.Revision = new(int64(e.Record.Revision))
	}
	x := &explained{Explanation: e, room: maxStatements}
	x.decision(out)
	if e.Catalog != catalog.Known {
		out.Catalog = &ghapi.CatalogVerdict{Verdict: new(e.Catalog.String()), Message: text(e.Objection)}
	}
	for _, d := range e.Dependent {
		out.DependentActions = append(out.DependentActions, ghapi.DependentAction{Action: new(d.Action), When: text(d.When)})
	}
	if p := e.Policies; p != nil {
		out.Obstacle = text(p.Obstacle.String())
		x.layers(out)
		x.changes(out)
	}
	return out
}

// decision is as Authorize tells it. Where it is the policies of another account that decided, their account tells which.
func (x *explained) decision(out *ghapi.ExplainResponse) {
	a := xAnswer(&x.Answer)
	out.Decision, out.Explicit, out.Message = a.Decision, a.Explicit, a.Message
	d := &x.Decision
	if x.secret(d) {
		out.Explicit = new(false)
		return
	}
	out.Layer, out.Level = a.Layer, a.Level
	if d.Policy != nil && !x.Withheld(d.Layer) {
		out.Policy, out.Statement = a.Policy, x.place(d.Policy, d.Statement, true)
	}
}

// secret says whether not even the deciding layer is told. An implicit deny in one layer says that the ones before it allow.
func (x *explained) secret(d *policy.Decision) bool {
	return x.Denial != nil && x.Withheld(policy.LayerResource) && x.Distance == authz.Foreign && (d.Effect == policy.DenyImplicit || x.Withheld(d.Layer))
}

func (x *explained) layers(out *ghapi.ExplainResponse) {
	x.most = x.count() <= maxStatements
	var missing keys
	for i := range x.Policies.Layers {
		l := &x.Policies.Layers[i]
		v := ghapi.LayerVerdict{Layer: new(l.Layer.String())}
		if l.Layer == policy.LayerSCP || l.Layer == policy.LayerRCP {
			v.Level = new(int32(l.Level))
		}
		if x.Withheld(l.Layer) {
			if v.Withheld = new(true); l.Layer == policy.LayerResource && x.trusting() {
				v.Layer = new(ghapi.LayerTrust) // whether there is such a role is not told either
			}
			out.Layers = append(out.Layers, v)
			continue
		}
		v.Effect = new(effects[l.Effect])
		omitted := 0
		for j := range l.Statements {
			st := &l.Statements[j]
			missing.add(st.Missing)
			if x.room == 0 || !x.most && st.Failed == policy.ElementAction {
				omitted++
				continue
			}
			x.room--
			v.Statements = append(v.Statements, x.statement(st))
		}
		if omitted > 0 {
			v.Omitted = new(int32(omitted))
		}
		out.Layers = append(out.Layers, v)
	}
	out.MissingKeys = missing.list
}

var effects = [...]string{
	policy.Allow: ghapi.LayerEffectAllow, policy.DenyExplicit: ghapi.LayerEffectExplicitDeny, policy.DenyImplicit: ghapi.LayerEffectImplicitDeny,
}

// count is how many statements there are to be told.
func (x *explained) count() int {
	n := 0
	for i := range x.Policies.Layers {
		if l := &x.Policies.Layers[i]; !x.Withheld(l.Layer) {
			n += len(l.Statements)
		}
	}
	return n
}

// trusting says whether a trust policy is what would allow.
func (x *explained) trusting() bool {
	service, _, _ := strings.Cut(x.Record.Request.Action, ":")
	return x.Record.Request.NeedsResourcePolicy && policy.SameKey(service, "sts")
}

func (x *explained) statement(st *policy.StatementVerdict) ghapi.StatementVerdict {
	v := ghapi.StatementVerdict{
		Policy: xPolicy(st.Policy), Statement: x.place(st.Policy, st.Statement, false), Effect: new(ghapi.DecisionAllow), Applies: &st.Applies,
		Failed: text(st.Failed.String()), MissingKeys: atMost(st.Missing),
	}
	if st.Denies {
		v.Effect = new(ghapi.DecisionDeny)
	}
	if st.Applies {
		v.Reach = new(st.Reach.String())
	}
	if c := st.Condition; c != nil {
		v.Condition = &ghapi.ConditionVerdict{Operator: &c.Operator, Key: &c.Key, Expected: c.Expected, Seen: c.Seen}
		if c.Cut {
			v.Condition.Cut = &c.Cut
		}
	}
	return v
}

// place is a statement in its policy.
func (x *explained) place(a *policy.Attached, statement int, withText bool) *ghapi.StatementPlace {
	p := &ghapi.StatementPlace{Index: new(int32(statement))}
	s := x.Policies.Statement(&policy.StatementVerdict{Policy: a, Statement: statement})
	p.Sid, p.Start, p.End = text(s.Sid), new(int32(s.Start)), new(int32(s.End))
	if withText {
		p.Text = new(cut(a.Policy.Text()[s.Start:s.End], maxStatement))
	}
	return p
}

func (x *explained) changes(out *ghapi.ExplainResponse) {
	for i := range x.Policies.Changes {
		c := &x.Policies.Changes[i]
		if x.Withheld(c.Layer) {
			continue
		}
		if len(out.Changes) == maxChanges {
			return
		}
		v := ghapi.Change{Layer: new(c.Layer.String()), Side: new(sides[c.Side])}
		if c.Layer == policy.LayerSCP || c.Layer == policy.LayerRCP {
			v.Level = new(int32(c.Level))
		}
		if c.Policy != nil {
			v.Policy = xPolicy(c.Policy)
		}
		if c.Kind == policy.AddStatement {
			v.Kind, v.Statement = new(ghapi.ChangeKindAddStatement), &ghapi.StatementPlace{Text: &c.Text}
		} else {
			v.Kind, v.Statement = new(ghapi.ChangeKindRemoveStatement), x.place(c.Policy, c.Statement, true)
		}
		out.Changes = append(out.Changes, v)
	}
}

var sides = [...]string{
	policy.SideCaller: ghapi.SideCallerAccount, policy.SideService: ghapi.SideRoleService, policy.SideSession: ghapi.SideSessionMaker,
	policy.SideResource: ghapi.SideResourceAccount, policy.SideEndpoint: ghapi.SideEndpointOwner, policy.SideOrganization: ghapi.SideOrganization,
}

// keys are condition keys, each once, up to maxKeys.
type keys struct{ list []string }

func (k *keys) add(names []string) {
	for _, name := range names {
		if len(k.list) == maxKeys {
			return
		}
		if !k.has(name) {
			k.list = append(k.list, name)
		}
	}
}

func (k *keys) has(name string) bool {
	for _, other := range k.list {
		if policy.SameKey(other, name) {
			return true
		}
	}
	return false
}

func atMost(names []string) []string { return names[:min(len(names), maxKeys)] }

// cut shortens a text to so many bytes, between two characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
