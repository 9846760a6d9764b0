package policytest

import (
	"fmt"
	"slices"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Changed is the case after changes that policy.Explain names for it, which name its policies by name. A statement that goes leaves one that
// is about no request where it was the only one of its policy. Want is that of c.
func (c *Case) Changed(changes ...policy.Change) (*Case, error) {
	next := *c
	next.Policies = slices.Clone(c.Policies)
	for i := range next.Policies {
		if err := next.Policies[i].change(changes); err != nil {
			return nil, fmt.Errorf("policy %s: %w", next.Policies[i].Name, err)
		}
	}
	for i, change := range changes {
		if change.Kind == policy.AddStatement && change.Policy == nil {
			text := `{"Version":"2012-10-17","Statement":` + change.Text + `}`
			next.Policies = append(next.Policies, Policy{Layer: change.Layer, Level: change.Level, Name: fmt.Sprintf("change-%d", i), Text: text})
		}
	}
	return &next, nil
}

func (p *Policy) change(changes []policy.Change) error {
	var added []string
	removed := make(map[int]bool)
	for _, change := range changes {
		switch {
		case change.Policy == nil || change.Policy.Name != p.Name:
		case change.Kind == policy.RemoveStatement:
			removed[change.Statement] = true
		default:
			added = append(added, change.Text)
		}
	}
	if len(added)+len(removed) == 0 {
		return nil
	}
	d, err := policy.Decode(p.Text, Kind(p.Layer))
	if err != nil {
		return err
	}
	var statements []policy.Statement
	for i, s := range d.Statements {
		if !removed[i] {
			statements = append(statements, s)
		}
	}
	for _, text := range added {
		more, err := policy.Decode(`{"Statement":`+text+`}`, Kind(p.Layer))
		if err != nil {
			return err
		}
		statements = append(statements, more.Statements...)
	}
	if len(statements) == 0 {
		narrowed := d.Statements[0]
		narrowed.Actions, narrowed.NotAction = []string{"none:None"}, false
		statements = append(statements, narrowed)
	}
	d.Statements = statements
	p.Text = d.JSON()
	return nil
}
