package reference

import (
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Sets are the documents that apply to one caller, docs/spec/evaluation.md 2.
type Sets struct {
	Identity []*policy.Document
	Root     bool
}

// Place names a statement: its document's index in the set and its own.
type Place struct{ Policy, Statement int }

// Decision is the answer with every statement that could have been named as its cause, in the order of the set.
type Decision struct {
	Effect policy.Effect
	Layer  policy.Layer
	Denies []Place
	Allows []Place
}

// Decide is docs/spec/evaluation.md 4.2 for identity policies and root.
func Decide(s Sets, r policy.Request) (Decision, error) {
	for _, d := range s.Identity {
		if err := evaluated(d); err != nil {
			return Decision{}, err
		}
	}
	if !evaluable(r) {
		return Decision{}, nil
	}
	out := Decision{Layer: policy.LayerIdentity}
	for i, d := range s.Identity { // E1
		for j := range d.Statements {
			statement := &d.Statements[j]
			if !actionApplies(statement, r.Action) || !resourceApplies(statement, r.Resource, d.Version == "2012-10-17") {
				continue
			}
			switch statement.Effect {
			case "Deny":
				out.Denies = append(out.Denies, Place{i, j})
			case "Allow":
				out.Allows = append(out.Allows, Place{i, j})
			}
		}
	}
	switch {
	case len(out.Denies) > 0: // D1
		out.Effect = policy.DenyExplicit
	case s.Root || len(out.Allows) > 0: // S2c
		out.Effect = policy.Allow
	}
	return out, nil
}

// evaluated refuses a document that needs chapters which are not written here yet.
func evaluated(d *policy.Document) error {
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Principal != nil || len(s.Conditions) > 0 {
			return fmt.Errorf("reference: statement %d has a Principal or a Condition", i)
		}
		for _, r := range s.Resources {
			parts := strings.SplitN(r, ":", 6)
			if d.Version != "2012-10-17" || len(parts) < 6 {
				continue
			}
			tail := parts[5]
			for _, escape := range []string{"${*}", "${?}", "${$}"} {
				tail = strings.ReplaceAll(tail, escape, "")
			}
			if before, after, found := strings.Cut(tail, "${"); found && strings.Contains(after, "}") {
				return fmt.Errorf("reference: statement %d has a policy variable after %q", i, before)
			}
		}
	}
	return nil
}
