package offline

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// The members of a decision are those of the answer to Authorize (docs/authorize.md).

// jsonReporter writes one JSON object (docs/simulate.md).
type jsonReporter struct {
	p     printer
	suite string
	asked int
	wrong bool
}

func (r *jsonReporter) Begin(suite string) error {
	r.suite = suite
	return nil
}

func (r *jsonReporter) Answer(a *Answer) error {
	before := ",\n    "
	if r.asked == 0 {
		before = "{\n  \"Results\": [\n    "
	}
	r.asked++
	r.wrong = r.wrong || a.Difference != ""
	one := a.json()
	one.Suite = r.suite
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("    ", "  ")
	if err := e.Encode(one); err != nil {
		return err
	}
	r.p.printf("%s%s", before, bytes.TrimRight(b.Bytes(), "\n"))
	return r.p.err
}

func (r *jsonReporter) Close() error {
	if r.asked == 0 {
		r.p.printf("{\n  \"Results\": [")
	}
	r.p.printf("\n  ],\n  \"AsExpected\": %t\n}\n", !r.wrong)
	return r.p.err
}

// encode prints JSON for programs, and readable for people.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type answerJSON struct {
	Suite            string `json:",omitempty"`
	Name, Place      string `json:",omitempty"`
	Caller           string `json:",omitempty"`
	Action, Resource string `json:",omitempty"`
	Owner            string `json:",omitempty"`
	Decision         string
	Explicit         bool
	Layer            string         `json:",omitempty"`
	Level            *int           `json:",omitempty"`
	Policy           *policyJSON    `json:",omitempty"`
	Statement        *statementJSON `json:",omitempty"`
	Why              string
	Catalog          string           `json:",omitempty"`
	Nearest          string           `json:",omitempty"`
	Missing          []string         `json:",omitempty"`
	Changes          []changeJSON     `json:",omitempty"`
	Layers           []layerJSON      `json:",omitzero"` // a check has them always, a call never
	DependentActions []foundDependent `json:",omitempty"`
	Decides          *int             `json:",omitempty"`
	Checks           []answerJSON     `json:",omitempty"`
	Expect           string           `json:",omitempty"`
	AsExpected       *bool            `json:",omitempty"`
	Difference       string           `json:",omitempty"`
}

type policyJSON struct {
	Arn   string `json:",omitempty"`
	Name  string `json:",omitempty"`
	Owner string `json:",omitempty"`
}

type statementJSON struct {
	Index      int
	Sid        string `json:",omitempty"`
	Start, End Position
}

type changeJSON struct {
	Do        string
	Layer     string
	Level     *int            `json:",omitempty"`
	Policy    *policyJSON     `json:",omitempty"`
	Statement *statementJSON  `json:",omitempty"`
	Add       json.RawMessage `json:",omitempty"`
	Who       string
}

type layerJSON struct {
	Layer      string
	Level      *int `json:",omitempty"`
	Effect     string
	Statements []verdictJSON `json:",omitempty"`
}

type verdictJSON struct {
	Policy    *policyJSON
	Statement *statementJSON
	Effect    string
	Applies   bool
	Failed    string         `json:",omitempty"`
	Condition *conditionJSON `json:",omitempty"`
	Missing   []string       `json:",omitempty"`
}

type conditionJSON struct {
	Operator, Key string
	Expected      []string
	Seen          []string // null: the key is absent
}

func (a *Answer) json() answerJSON {
	q, d := a.Question, &a.Decision
	out := answerJSON{
		Name: q.Name, Place: q.Place, Caller: a.Caller, Action: q.Action, Resource: q.Resource,
		Decision: "Deny", Explicit: d.Effect == policy.DenyExplicit, Level: levelOf(d.Layer, d.Level), Why: a.why(),
	}
	if d.Effect == policy.Allow {
		out.Decision = "Allow"
	}
	if d.Layer != policy.LayerNone {
		out.Layer = d.Layer.String()
	}
	if d.Policy != nil {
		out.Policy, out.Statement = policyOf(d.Policy), a.statementJSON(d.Policy, d.Statement)
	}
	if q.Expect != nil {
		out.Expect, out.AsExpected, out.Difference = q.Expect.Effect, new(a.Difference == ""), a.Difference
	}
	for _, needed := range a.Dependent {
		out.DependentActions = append(out.DependentActions, foundDependent(needed))
	}
	if a.Checks == nil {
		a.checkJSON(&out)
		return out
	}
	if a.Decides >= 0 {
		out.Decides = &a.Decides
	}
	for _, c := range a.Checks {
		out.Checks = append(out.Checks, c.json())
	}
	return out
}

// checkJSON adds what there is to say of one check.
func (a *Answer) checkJSON(out *answerJSON) {
	c := a.Check
	out.Owner, out.Nearest, out.Missing, out.Layers = c.Owner, a.Hint, c.Missing, []layerJSON{}
	if c.Verdict != catalog.Known {
		out.Catalog = c.Verdict.String()
	}
	for _, change := range a.changeable() {
		out.Changes = append(out.Changes, a.changeJSON(&change))
	}
	for i := range c.Explanation.Layers {
		out.Layers = append(out.Layers, a.layerJSON(&c.Explanation.Layers[i]))
	}
}

func levelOf(l policy.Layer, level int) *int {
	if l == policy.LayerSCP || l == policy.LayerRCP {
		return new(level)
	}
	return nil
}

func policyOf(p *policy.Attached) *policyJSON {
	return &policyJSON{Arn: p.ARN, Name: p.Name, Owner: p.Owner}
}

func (a *Answer) statementJSON(p *policy.Attached, index int) *statementJSON {
	d := a.document(p)
	s := &d.Statements[index]
	return &statementJSON{Index: index, Sid: s.Sid, Start: d.start[index], End: d.end[index]}
}

func (a *Answer) changeJSON(c *policy.Change) changeJSON {
	out := changeJSON{Do: c.Kind.String(), Layer: c.Layer.String(), Level: levelOf(c.Layer, c.Level), Who: who(c.Side)}
	if c.Policy != nil {
		out.Policy = policyOf(c.Policy)
	}
	if c.Kind == policy.RemoveStatement {
		out.Statement = a.statementJSON(c.Policy, c.Statement)
	} else {
		out.Add = json.RawMessage(c.Text)
	}
	return out
}

func (a *Answer) layerJSON(l *policy.LayerVerdict) layerJSON {
	out := layerJSON{Layer: l.Layer.String(), Level: levelOf(l.Layer, l.Level), Effect: effectWord(l.Effect)}
	for i := range l.Statements {
		s := &l.Statements[i]
		v := verdictJSON{
			Policy: policyOf(s.Policy), Statement: a.statementJSON(s.Policy, s.Statement), Effect: "Allow", Applies: s.Applies,
			Failed: s.Failed.String(), Missing: s.Missing,
		}
		if s.Denies {
			v.Effect = "Deny"
		}
		if s.Condition != nil {
			v.Condition = &conditionJSON{s.Condition.Operator, s.Condition.Key, s.Condition.Expected, s.Condition.Seen}
		}
		out.Statements = append(out.Statements, v)
	}
	return out
}

// effectWord is an effect of a layer by itself: none where no statement applies.
func effectWord(e policy.Effect) string {
	switch e {
	case policy.Allow:
		return "Allow"
	case policy.DenyExplicit:
		return "Deny"
	}
	return "None"
}
