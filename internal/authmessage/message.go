package authmessage

import (
	"bytes"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// list is how the JSON has lists.
type list[T any] struct {
	Items []T `json:"items"`
}

type value struct {
	Value string `json:"value"`
}

type message struct {
	Allowed           bool            `json:"allowed"`
	ExplicitDeny      bool            `json:"explicitDeny"`
	MatchedStatements list[statement] `json:"matchedStatements"`
	Failures          list[value]     `json:"failures"`
	Context           request         `json:"context"`
}

type statement struct {
	StatementID     string          `json:"statementId"`
	Effect          string          `json:"effect"`
	Principals      list[value]     `json:"principals"`
	PrincipalGroups list[value]     `json:"principalGroups"`
	Actions         list[value]     `json:"actions"`
	Resources       list[value]     `json:"resources"`
	Conditions      list[condition] `json:"conditions"`
}

type condition struct {
	Key    string      `json:"key"`
	Values list[value] `json:"values"`
}

type request struct {
	Principal  principal       `json:"principal"`
	Action     string          `json:"action"`
	Resource   string          `json:"resource"`
	Conditions list[condition] `json:"conditions"`
}

type principal struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"` // of users
	ARN  string `json:"arn,omitempty"`
}

func values(texts []string) list[value] {
	l := list[value]{make([]value, 0, len(texts))}
	for _, t := range texts {
		l.Items = append(l.Items, value{t})
	}
	return l
}

// messageOf is what is said of a denial.
func messageOf(d *authz.Denial) *message {
	r := &d.Record.Request
	m := &message{ExplicitDeny: d.Decision.Effect == policy.DenyExplicit}
	m.MatchedStatements.Items, m.Failures.Items = []statement{}, []value{}
	if m.ExplicitDeny && d.Decision.Policy != nil {
		m.MatchedStatements.Items = append(m.MatchedStatements.Items, statementOf(d))
	}
	m.Context = request{Principal: principalOf(d), Action: r.Action, Resource: r.Resource, Conditions: contextOf(r.Context)}
	return m
}

func principalOf(d *authz.Denial) principal {
	p := d.Record.Principal
	if p == nil {
		return principal{ID: d.Principal}
	}
	who := principal{ID: p.UserID(), ARN: d.Principal}
	if p.Kind == state.IAMUser {
		who.Name = p.Name
	}
	return who
}

func statementOf(d *authz.Denial) statement {
	s := &d.Decision.Policy.Policy.Document().Statements[d.Decision.Statement]
	out := statement{StatementID: s.Sid, Effect: "DENY", Principals: principalsOf(d, s), PrincipalGroups: values(nil), Actions: values(nil), Resources: values(nil)}
	if !s.NotAction {
		out.Actions = values(s.Actions)
	}
	if !s.NotResource {
		out.Resources = values(s.Resources)
	}
	out.Conditions.Items = make([]condition, 0, len(s.Conditions))
	for i := range s.Conditions {
		out.Conditions.Items = append(out.Conditions.Items, condition{s.Conditions[i].Key, values(s.Conditions[i].Values)})
	}
	return out
}

func principalsOf(d *authz.Denial, s *policy.Statement) list[value] {
	switch p := s.Principal; {
	case p == nil:
		id := d.Record.Sets.Caller.ID
		if id == "" {
			id = d.Record.Sets.Caller.Account
		}
		return values([]string{id})
	case p.Not:
		return values(nil)
	case p.Any:
		return values([]string{"*"})
	default:
		texts := make([]string, len(p.Values))
		for i := range p.Values {
			texts[i] = p.Values[i].Value
		}
		return values(texts)
	}
}

// contextOf are the keys that the request has, each once.
func contextOf(entries []policy.Entry) list[condition] {
	l := list[condition]{make([]condition, 0, len(entries))}
	seen := make(map[string]bool, len(entries))
	for i := range entries {
		e := &entries[i]
		key := e.Key
		if !strings.Contains(key, "/") { // tag keys that differ by case are several (docs/spec/policy-language.md 9.1)
			key = strings.ToLower(key)
		}
		if !seen[key] && len(e.Values) > 0 {
			l.Items = append(l.Items, condition{e.Key, values(e.Values)})
		}
		seen[key] = true
	}
	return l
}

func (m *message) json() []byte { return jsonOf(m) }

// jsonOf never fails: the types hold texts and lists only.
func jsonOf(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// within is the message in so many bytes. What has no room is left out, in this order, as far as needed: of the statement that matched its
// conditions, its resources, its actions, its principals and its Sid; keys of the context, the last ones first; then texts are cut to half,
// the longest one first.
func (m *message) within(most int) []byte {
	text := m.json()
	if len(text) <= most {
		return text
	}
	for i := range m.MatchedStatements.Items {
		s := &m.MatchedStatements.Items[i]
		for _, leave := range [...]func(){
			func() { s.Conditions.Items = []condition{} }, func() { s.Resources = values(nil) }, func() { s.Actions = values(nil) },
			func() { s.Principals = values(nil) }, func() { s.StatementID = "" },
		} {
			leave()
			if text = m.json(); len(text) <= most {
				return text
			}
		}
	}
	m.trimContext(most)
	for text = m.json(); len(text) > most; text = m.json() {
		m.cutLongest()
	}
	return text
}

// trimContext keeps as many keys as fit.
func (m *message) trimContext(most int) {
	all := m.Context.Conditions.Items
	m.Context.Conditions.Items = []condition{}
	room := most - len(m.json())
	n := 0
	for n < len(all) {
		if room -= len(jsonOf(&all[n])) + len(","); room < 0 {
			break
		}
		n++
	}
	m.Context.Conditions.Items = all[:n]
}

func (m *message) cutLongest() {
	c := &m.Context
	longest := &c.Resource
	for _, s := range [...]*string{&c.Principal.ARN, &c.Principal.ID, &c.Principal.Name, &c.Action} {
		if len(*s) > len(*longest) {
			longest = s
		}
	}
	n := len(*longest) / 2
	for n > 0 && !utf8.RuneStart((*longest)[n]) {
		n--
	}
	*longest = (*longest)[:n]
}
