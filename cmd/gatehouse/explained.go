package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/offline"
)

// explanation is the server's answer (docs/explain.md).
type explanation struct {
	DecisionID       string `json:"DecisionId"`
	Time             time.Time
	Revision         int64
	Caller           string
	Action           string
	Resource         string
	Decision         string
	Layer            string
	Level            int
	Policy           *policyName
	Statement        *statementPlace
	Message          string
	Refusal          string
	Catalog          *struct{ Verdict, Message string }
	Obstacle         string
	Layers           []layerVerdict
	MissingKeys      []string
	Changes          []change
	DependentActions []struct{ Action, When string }
}

type policyName struct{ Arn, Name, Owner string }

type statementPlace struct {
	Index      *int
	Sid        string
	Start, End int
	Text       string
}

type layerVerdict struct {
	Layer      string
	Level      int
	Effect     string
	Withheld   bool
	Statements []statementVerdict
	Omitted    int
}

type statementVerdict struct {
	Policy      policyName
	Statement   statementPlace
	Effect      string
	Applies     bool
	Failed      string
	Condition   *conditionVerdict
	MissingKeys []string
}

type conditionVerdict struct {
	Operator, Key  string
	Expected, Seen []string
	Cut            bool
}

type change struct {
	Kind, Layer, Side string
	Level             int
	Policy            *policyName
	Statement         statementPlace
}

// layerNames are the layers in words.
var layerNames = map[string]string{
	"SCP": "service control policies", "RCP": "resource control policies", "endpoint": "VPC endpoint policy", "identity": "identity-based policies",
	"boundary": "permissions boundary", "session": "session policies", "trust": "role trust policy", "resource": "resource-based policy", "ACL": "ACL", "exempt": "no permission is needed",
}

var effectNames = map[string]string{"Allow": "allowed", "ExplicitDeny": "explicit deny", "ImplicitDeny": "not allowed"}

// sideNames are those who can make a change.
var sideNames = map[string]string{
	"CallerAccount": "the account of the caller", "RoleService": "the service whose role this is", "SessionMaker": "whoever made the session",
	"ResourceAccount": "the account of the resource", "EndpointOwner": "the owner of the VPC endpoint", "Organization": "the management of the organization",
}

func (p *policyName) String() string {
	switch {
	case p.Arn != "":
		return oneLine(p.Arn)
	case p.Owner != "" && p.Name == "":
		return "the policy of " + oneLine(p.Owner)
	case p.Owner != "":
		return fmt.Sprintf("inline policy %s of %s", oneLine(p.Name), oneLine(p.Owner))
	case p.Name != "":
		return oneLine(p.Name)
	}
	return "the policy"
}

func (s *statementPlace) String() string {
	out := "statement"
	if s.Index != nil {
		out = fmt.Sprintf("statement %d", *s.Index+1)
	}
	if s.Sid != "" {
		out += " (" + oneLine(s.Sid) + ")"
	}
	return out
}

// text is the explanation for reading.
func (e *explanation) text() string {
	var b strings.Builder
	e.head(&b)
	e.layers(&b)
	e.keys(&b)
	e.changes(&b)
	return b.String()
}

func (e *explanation) head(b *strings.Builder) {
	if e.DecisionID != "" {
		fmt.Fprintf(b, "Decision %s, %s", e.DecisionID, e.Time.UTC().Format(time.RFC3339))
		if e.Revision != 0 {
			fmt.Fprintf(b, ", revision %d", e.Revision)
		}
		b.WriteByte('\n')
	}
	verdict := "may not"
	if e.Decision == "Allow" {
		verdict = "may"
	}
	fmt.Fprintf(b, "%s %s %s on %s\n", oneLine(e.Caller), verdict, oneLine(e.Action), oneLine(e.Resource))
	for _, line := range []string{e.Message, e.Refusal, e.Obstacle} {
		if line != "" {
			fmt.Fprintf(b, "  %s\n", oneLine(line))
		}
	}
	if e.Catalog != nil {
		fmt.Fprintf(b, "  %s\n", oneLine(firstOf(e.Catalog.Message, e.Catalog.Verdict)))
	}
	if e.Statement != nil && e.Policy != nil {
		fmt.Fprintf(b, "\nDecided by %s of %s (bytes %d to %d):\n  %s\n", e.Statement, e.Policy, e.Statement.Start, e.Statement.End, oneLine(e.Statement.Text))
	}
}

func (e *explanation) layers(b *strings.Builder) {
	for i := range e.Layers {
		l := &e.Layers[i]
		fmt.Fprintf(b, "\n%s", firstOf(layerNames[l.Layer], l.Layer))
		if l.Layer == "SCP" || l.Layer == "RCP" {
			fmt.Fprintf(b, ", level %d", l.Level)
		}
		switch {
		case l.Withheld:
			b.WriteString(": told to the account of the resource only\n")
			continue
		case l.Layer == "exempt":
			b.WriteByte('\n')
			continue
		}
		fmt.Fprintf(b, ": %s\n", firstOf(effectNames[l.Effect], l.Effect))
		others := l.Omitted
		for j := range l.Statements {
			if st := &l.Statements[j]; st.Failed == "Action" {
				others++
			} else {
				st.write(b)
			}
		}
		switch {
		case others == 1:
			b.WriteString("  1 statement is about other actions\n")
		case others > 1:
			fmt.Fprintf(b, "  %d statements are about other actions\n", others)
		case len(l.Statements) == 0 && l.Effect == "ImplicitDeny":
			b.WriteString("  no policy\n")
		}
	}
}

func (st *statementVerdict) write(b *strings.Builder) {
	fmt.Fprintf(b, "  %s %s of %s: ", st.Effect, &st.Statement, &st.Policy)
	switch c := st.Condition; {
	case st.Applies:
		b.WriteString("applies\n")
	case c == nil:
		fmt.Fprintf(b, "its %s is another\n", st.Failed)
	default:
		fmt.Fprintf(b, "%s of %s does not hold\n    expected  %s\n    seen      %s\n", oneLine(c.Operator), oneLine(c.Key), listed(c.Expected, c.Cut), seen(c))
	}
}

func seen(c *conditionVerdict) string {
	if c.Seen == nil {
		return "nothing: the request does not have the key"
	}
	return listed(c.Seen, c.Cut)
}

func listed(values []string, cut bool) string {
	if len(values) == 0 {
		return "no value"
	}
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = fmt.Sprintf("%q", v)
	}
	text := strings.Join(out, ", ")
	if cut {
		text += " (shortened)"
	}
	return text
}

func (e *explanation) keys(b *strings.Builder) {
	if len(e.MissingKeys) > 0 {
		fmt.Fprintf(b, "\nKeys that these statements read and the request does not have: %s\n", oneLine(strings.Join(e.MissingKeys, ", ")))
	}
	for i, d := range e.DependentActions {
		if i == 0 {
			fmt.Fprintf(b, "\nActions that a call of %s may need too:\n", oneLine(e.Action))
		}
		fmt.Fprintf(b, "  %s", d.Action)
		if d.When != "" {
			fmt.Fprintf(b, " (%s)", d.When)
		}
		b.WriteByte('\n')
	}
}

func (e *explanation) changes(b *strings.Builder) {
	if len(e.Changes) == 0 {
		return
	}
	b.WriteString("\nWhat would allow it")
	if len(e.Changes) > 1 {
		b.WriteString(", all of it")
	}
	b.WriteString(":\n")
	for i := range e.Changes {
		c := &e.Changes[i]
		fmt.Fprintf(b, "  %s ", firstOf(sideNames[c.Side], c.Side))
		if c.Kind == "RemoveStatement" {
			fmt.Fprintf(b, "removes or narrows %s of %s:\n", &c.Statement, c.Policy)
		} else {
			fmt.Fprintf(b, "adds to %s:\n", c.place())
		}
		fmt.Fprintf(b, "    %s\n", oneLine(c.Statement.Text))
	}
	for i := range e.Layers {
		if e.Layers[i].Withheld {
			b.WriteString("The account of the resource may have to allow it too.\n")
			return
		}
	}
}

// place is where a statement is added.
func (c *change) place() string {
	if c.Policy != nil {
		return c.Policy.String()
	}
	place := "the " + firstOf(layerNames[c.Layer], c.Layer)
	if c.Layer == "SCP" || c.Layer == "RCP" {
		place += fmt.Sprintf(", level %d", c.Level)
	}
	return place
}

// oneLine is a text without its line ends and without what a terminal would obey.
func oneLine(s string) string { return offline.Printable(strings.Join(strings.Fields(s), " ")) }
