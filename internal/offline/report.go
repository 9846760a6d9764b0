package offline

import (
	"fmt"
	"io"
	"strings"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Reporter writes answers as they come, so that none need be kept.
type Reporter interface {
	// Begin begins a suite, or with "" the questions of a command line.
	Begin(suite string) error
	Answer(a *Answer) error
	// Close writes what stands behind all answers.
	Close() error
}

// NewReporter makes the reporter of a form: table, json or junit.
func NewReporter(form string, w io.Writer) (Reporter, error) {
	switch form {
	case "table":
		return &textReporter{p: printer{w: w}}, nil
	case "json":
		return &jsonReporter{p: printer{w: w}}, nil
	case "junit":
		return &junitReporter{w: w}, nil
	}
	return nil, fmt.Errorf("%q is none of table, json, junit", clip(form))
}

// why says in words why the answer is what it is.
func (a *Answer) why() string {
	c, d := a.Check, &a.Decision
	switch {
	case a.Checks != nil:
		return a.callWhy()
	case c.Refusal != "" && d.Effect != policy.Allow:
		return c.Refusal
	case a.ByCatalogue:
		return a.catalogueWhy()
	case d.Effect != policy.Allow && c.Explanation.Obstacle != policy.ObstacleNone:
		return c.Explanation.Obstacle.String()
	case d.Effect == policy.DenyExplicit:
		return d.Reason(c.Action) + ": " + a.statement(d.Policy, d.Statement) + a.atLevel(d.Layer, d.Level)
	case d.Effect == policy.DenyImplicit:
		return d.Reason(c.Action) + a.atLevel(d.Layer, d.Level)
	case d.Policy != nil:
		return "allowed by " + a.statement(d.Policy, d.Statement)
	case d.Layer == policy.LayerExempt:
		return "the call needs no permission"
	case d.Layer == policy.LayerACL:
		return "the resource's ACL grants it"
	}
	return "the root user needs no policy"
}

func (a *Answer) atLevel(l policy.Layer, level int) string {
	if l != policy.LayerSCP && l != policy.LayerRCP {
		return ""
	}
	return fmt.Sprintf(" (level %d)", level)
}

// catalogueWhy says what the catalogue has against the action or the resource.
func (a *Answer) catalogueWhy() string {
	c := a.Check
	hint := ""
	if a.Hint != "" {
		hint = ": did you mean " + a.Hint + "?"
	}
	switch c.Verdict {
	case catalog.UnknownService:
		prefix, _, _ := strings.Cut(c.Action, ":")
		return "there is no service " + clip(prefix) + hint
	case catalog.UnknownAction:
		return "there is no action " + clip(c.Action) + hint
	case catalog.NoResource:
		return c.Action + " takes no resource: ask it on \"*\""
	case catalog.WrongResource:
		return c.Action + " does not act on such a resource"
	}
	return "the catalogue does not allow it"
}

// policyName is what a policy is called in texts.
func policyName(p *policy.Attached) string {
	switch {
	case p.Owner != "":
		return p.Name + " of " + p.Owner
	case p.Name == "":
		return p.ARN
	}
	return p.Name
}

// statement names a statement by its policy, its index and its Sid, and where it is: "read.json statement 0 (Read) at 3:5".
func (a *Answer) statement(p *policy.Attached, index int) string {
	d := a.document(p)
	s := &d.Statements[index]
	text := fmt.Sprintf("%s statement %d", policyName(p), index)
	if s.Sid != "" {
		text += " (" + s.Sid + ")"
	}
	if place := a.dump.locate(p.Policy, d.start[index]); place != "" {
		return text + " at " + place
	}
	return text + " at " + d.start[index].String()
}

// readDocument is a policy's document with the places of its statements.
type readDocument struct {
	*policy.Document
	start, end []Position
}

// document is a policy's, decoded once for an answer.
func (a *Answer) document(p *policy.Attached) *readDocument {
	d := a.documents[p]
	if d != nil {
		return d
	}
	if a.documents == nil {
		a.documents = map[*policy.Attached]*readDocument{}
	}
	d = &readDocument{Document: p.Policy.Document()}
	at := place{Position: Position{1, 1}}
	for i := range d.Statements {
		d.start = append(d.start, at.to(d.Text(), d.Statements[i].Start))
		d.end = append(d.end, at.to(d.Text(), d.Statements[i].End))
	}
	a.documents[p] = d
	return d
}

// maxNear bounds the statements that a text shows as nearly allowing.
const maxNear = 5

// near are the Allow statements whose action matches and that fail at something else, in words, of the layer that denies.
func (a *Answer) near() []string {
	if a.Decision.Effect != policy.DenyImplicit || a.ByCatalogue {
		return nil
	}
	var out []string
	for i := range a.Check.Explanation.Layers {
		layer := &a.Check.Explanation.Layers[i]
		if layer.Layer != a.Decision.Layer || layer.Level != a.Decision.Level {
			continue
		}
		for j := range layer.Statements {
			s := &layer.Statements[j]
			if s.Denies || s.Applies || s.Failed <= policy.ElementAction {
				continue
			}
			if len(out) == maxNear {
				return append(out, "and more")
			}
			out = append(out, a.statement(s.Policy, s.Statement)+" does not match by its "+s.Failed.String()+conditionWords(s.Condition))
		}
	}
	return out
}

func conditionWords(c *policy.ConditionVerdict) string {
	if c == nil {
		return ""
	}
	seen := "it is absent"
	if c.Seen != nil {
		seen = "it is " + valueWords(c.Seen)
	}
	return fmt.Sprintf(" %s %s %s: %s", c.Operator, c.Key, valueWords(c.Expected), seen)
}

func valueWords(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = clip(v)
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// changeable are the smallest changes of policies that help: none where the catalogue or the kind of the caller stands against it.
func (a *Answer) changeable() []policy.Change {
	if a.Check.Refusal != "" || a.Check.Verdict != catalog.Known && !a.policiesOnly {
		return nil
	}
	return a.Check.Explanation.Changes
}

// changes are the smallest change in words, each part with who can make it.
func (a *Answer) changes() []string {
	var out []string
	for _, c := range a.changeable() {
		var text string
		switch {
		case c.Kind == policy.RemoveStatement:
			text = "remove or narrow " + a.statement(c.Policy, c.Statement)
		case c.Policy != nil:
			text = "add to " + policyName(c.Policy) + ": " + c.Text
		default:
			text = "add to " + layerWords(c.Layer, c.Level) + ": " + c.Text
		}
		out = append(out, text+" ("+who(c.Side)+")")
	}
	return out
}

// who can make a change.
func who(s policy.Side) string { return "the " + s.String() }

// layerWords say where a new statement may stand.
func layerWords(l policy.Layer, level int) string {
	switch l {
	case policy.LayerIdentity:
		return "an identity policy"
	case policy.LayerBoundary:
		return "the permissions boundary"
	case policy.LayerSession:
		return "a session policy"
	case policy.LayerTrust:
		return "the trust policy"
	case policy.LayerResource:
		return "the resource's policy"
	case policy.LayerEndpoint:
		return "the endpoint's policy"
	case policy.LayerSCP:
		return fmt.Sprintf("a service control policy of level %d", level)
	case policy.LayerRCP:
		return fmt.Sprintf("a resource control policy of level %d", level)
	}
	return l.String()
}

// printer writes, and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// Printable takes out what would change a terminal: others wrote it.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '�'
		}
		return r
	}, s)
}

// textReporter writes for a person.
type textReporter struct {
	p           printer
	suite       string
	asked, good int
}

func (r *textReporter) Begin(suite string) error {
	r.end()
	r.suite, r.asked, r.good = suite, 0, 0
	return r.p.err
}

func (r *textReporter) Answer(a *Answer) error {
	r.asked++
	if a.Difference == "" {
		r.good++
	}
	a.print(&r.p)
	return r.p.err
}

func (r *textReporter) Close() error {
	r.end()
	return r.p.err
}

// end sums up a suite.
func (r *textReporter) end() {
	if r.suite != "" {
		r.p.printf("%s: %d of %d as expected\n", Printable(r.suite), r.good, r.asked)
	}
}

// print writes an answer: one that is as a suite expects in a line, others in full.
func (a *Answer) print(p *printer) {
	q := a.Question
	switch {
	case q.Name == "":
		a.full(p, "")
		return
	case a.Difference == "":
		p.printf("ok     %s\n", Printable(q.Name))
		return
	}
	p.printf("FAIL   %s (%s)\n", Printable(q.Name), Printable(q.Place))
	p.line("", "wrong", a.Difference)
	p.line("", "asked", a.asked())
	a.details(p, "")
}

// line writes a part of an answer.
func (p *printer) line(indent, label, text string) {
	p.printf("%s  %-9s%s\n", indent, label, Printable(text))
}

// full is an answer under what was asked.
func (a *Answer) full(p *printer, indent string) {
	word := "DENY"
	if a.Decision.Effect == policy.Allow {
		word = "ALLOW"
	}
	p.printf("%s%-5s  %s\n", indent, word, Printable(a.asked()))
	if a.Difference != "" {
		p.line(indent, "wrong", a.Difference)
	}
	a.details(p, indent)
}

// details say why the answer is what it is; of a call they have the answers to its checks.
func (a *Answer) details(p *printer, indent string) {
	p.line(indent, "why", a.why())
	for _, d := range a.Dependent {
		p.line(indent, "may need", d.Action+": "+d.When)
	}
	if a.Checks != nil {
		for _, c := range a.Checks {
			c.full(p, indent+"  ")
		}
		return
	}
	for _, text := range a.near() {
		p.line(indent, "near", text)
	}
	if a.Decision.Effect != policy.Allow {
		if missing := a.Check.Missing; len(missing) > 0 {
			p.line(indent, "missing", strings.Join(missing, ", ")+" (absent from the context)")
		}
		for _, text := range a.changes() {
			p.line(indent, "change", text)
		}
	}
	if a.Check.Verdict != catalog.Known && !a.ByCatalogue {
		p.line(indent, "note", a.catalogueWhy())
	}
}
