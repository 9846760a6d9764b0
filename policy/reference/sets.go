package reference

import (
	"fmt"
	"slices"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Sets are the caller and all documents that apply to a check, docs/spec/evaluation.md 2. The policies in policy.Request are not looked at.
type Sets struct {
	Caller   policy.Caller
	Identity []*policy.Document
	Root     bool
	Boundary *policy.Document
	Session  []*policy.Document // nil where no session policy was passed
	// Resource is the policy of the check's resource, of kind Resource or Trust.
	Resource *policy.Document
	// Endpoint is the policy of the VPC endpoint that the call came through; policy.Request says whether that is a gateway.
	Endpoint *policy.Document
	// SCP and RCP have one list for each level from the root down; nil where no policies of the type apply.
	SCP, RCP [][]*policy.Document
}

// check refuses documents in sets where they have no meaning.
func (s *Sets) check() error {
	callers := []policy.Kind{policy.Identity, policy.Managed, policy.Boundary, policy.Session}
	sets := []struct {
		what      string
		documents []*policy.Document
		kinds     []policy.Kind
	}{
		{"among the caller's policies", s.Identity, callers},
		{"as the boundary", []*policy.Document{s.Boundary}, callers},
		{"among the session policies", s.Session, callers},
		{"as the resource's policy", []*policy.Document{s.Resource}, []policy.Kind{policy.Resource, policy.Trust}},
		{"as the endpoint's policy", []*policy.Document{s.Endpoint}, []policy.Kind{policy.Endpoint}},
		{"among the SCPs", slices.Concat(s.SCP...), []policy.Kind{policy.SCP}},
		{"among the RCPs", slices.Concat(s.RCP...), []policy.Kind{policy.RCP}},
	}
	for _, set := range sets {
		for _, d := range set.documents {
			if d != nil && !slices.Contains(set.kinds, d.Kind) {
				return fmt.Errorf("reference: a document of kind %s %s", d.Kind, set.what)
			}
			if d != nil && d.Kind == policy.RCP && slices.ContainsFunc(d.Statements, func(s policy.Statement) bool { return s.Principal == nil }) {
				return fmt.Errorf("reference: a statement without Principal %s", set.what) // docs/spec/evaluation.md 6.2.7
			}
		}
	}
	return nil
}

// resourceLayer is what the policy of the resource is called.
func (s *Sets) resourceLayer() policy.Layer {
	if s.Resource != nil && s.Resource.Kind == policy.Trust {
		return policy.LayerTrust
	}
	return policy.LayerResource
}

// Place names a statement: its document's index in the deciding set, or level of a set, and its own.
type Place struct{ Policy, Statement int }

// Decision is the answer with every statement of the deciding layer that could have been named as its cause, in the order of the set.
type Decision struct {
	Effect policy.Effect
	Layer  policy.Layer
	Level  int     // of LayerSCP and LayerRCP
	Denies []Place // for DenyExplicit
	Allows []Place // for Allow; none when no statement allowed: root's own allow, an ACL, an exempt call
}

// grant is an allowing statement with how it names the caller.
type grant struct {
	place Place
	class class
}

// evaluated is what evalSet gives.
type evaluated struct {
	denies []Place
	allows []grant
}

// classes are the allows of the given classes.
func (e *evaluated) classes(wanted ...class) []grant {
	var out []grant
	for _, g := range e.allows {
		if slices.Contains(wanted, g.class) {
			out = append(out, g)
		}
	}
	return out
}

func places(grants []grant) []Place {
	var out []Place
	for _, g := range grants {
		out = append(out, g.place)
	}
	return out
}
