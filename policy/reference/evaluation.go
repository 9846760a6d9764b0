package reference

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Sets are the caller and the documents that apply to it, docs/spec/evaluation.md 2, as package policy has them.
type Sets struct {
	Caller   policy.Caller
	Identity []*policy.Document
	Root     bool
	Boundary *policy.Document
	Session  []*policy.Document
	// Resource is the policy of the check's resource, of kind Resource or Trust. The one in policy.Request is not looked at.
	Resource *policy.Document
}

// Place names a statement: its document's index in the deciding set and its own.
type Place struct{ Policy, Statement int }

// Decision is the answer with every statement of the deciding layer that could have been named as its cause, in the order of the set.
type Decision struct {
	Effect policy.Effect
	Layer  policy.Layer
	Denies []Place // for DenyExplicit
	Allows []Place // for Allow; none when it is root's own
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

// Decide is docs/spec/evaluation.md 4.2 for the sets of this package.
func Decide(s Sets, r policy.Request) (Decision, error) {
	if s.Caller.Kind == policy.RootCaller {
		s.Boundary = nil
	}
	rbpLayer, err := s.check()
	if err != nil {
		return Decision{}, err
	}
	if !evaluable(r, r.Context) || !evaluable(r, r.PolicyContext) {
		return Decision{}, nil
	}
	hasAccount := s.Caller.Kind != policy.ServiceCaller && s.Caller.Kind != policy.ProviderCaller && s.Caller.Kind != policy.AnonymousCaller
	owner := r.Owner
	if owner == "" || r.Resource == "*" {
		owner = s.Caller.Account
	}
	same := hasAccount && owner == s.Caller.Account

	id := s.evalSet(s.Identity, r)                     // E1
	pb := s.evalSet([]*policy.Document{s.Boundary}, r) // E2
	sp := s.evalSet(s.Session, r)                      // E3
	if r.PolicyContext != nil {
		r.Context = r.PolicyContext
	}
	rbp := s.evalSet([]*policy.Document{s.Resource}, r) // E6

	for _, layer := range []struct {
		layer policy.Layer
		set   evaluated
	}{{policy.LayerIdentity, id}, {policy.LayerBoundary, pb}, {policy.LayerSession, sp}, {rbpLayer, rbp}} { // D1, order of 10.3
		if len(layer.set.denies) > 0 {
			return Decision{Effect: policy.DenyExplicit, Layer: layer.layer, Denies: layer.set.denies}, nil
		}
	}

	idAllows := s.Root || len(id.allows) > 0
	pbOK := s.Boundary == nil || len(pb.allows) > 0
	spOK := len(s.Session) == 0 && s.Caller.Kind != policy.FederatedCaller || len(sp.allows) > 0
	idOK := idAllows && pbOK && spOK

	byIdentity := Decision{Effect: policy.Allow, Layer: policy.LayerIdentity, Allows: places(id.allows)}
	if s.Root {
		byIdentity.Allows = nil
	}
	free := rbp.classes(wildcard, direct)
	limited := rbp.classes(role, issuer)
	delegated := rbp.classes(account)

	if !hasAccount { // S1
		if len(free) > 0 {
			return Decision{Effect: policy.Allow, Layer: rbpLayer, Allows: places(free)}, nil
		}
		return Decision{Layer: rbpLayer}, nil
	}
	if same { // S2
		switch {
		case len(free) > 0: // a
			return Decision{Effect: policy.Allow, Layer: rbpLayer, Allows: places(free)}, nil
		case len(limited) > 0 && pbOK && spOK: // b
			return Decision{Effect: policy.Allow, Layer: rbpLayer, Allows: places(limited)}, nil
		case idOK && (!r.NeedsResourcePolicy || len(delegated) > 0): // c
			return byIdentity, nil
		case r.NeedsResourcePolicy && len(rbp.allows) == 0: // 10.3, same account
			return Decision{Layer: rbpLayer}, nil
		}
		return Decision{Layer: firstSilent(idAllows, pbOK)}, nil
	}
	switch { // S3
	case len(rbp.allows) > 0 && idOK:
		return byIdentity, nil
	case len(rbp.allows) == 0: // 10.3, cross-account
		return Decision{Layer: rbpLayer}, nil
	case !idAllows && len(free)+len(limited) == 0:
		return Decision{Layer: rbpLayer}, nil
	}
	return Decision{Layer: firstSilent(idAllows, pbOK)}, nil
}

// firstSilent is the end of both lists of 10.3 for a request that some set of the caller's own did not allow.
func firstSilent(idAllows, pbOK bool) policy.Layer {
	switch {
	case !idAllows:
		return policy.LayerIdentity
	case !pbOK:
		return policy.LayerBoundary
	}
	return policy.LayerSession
}

// evalSet is docs/spec/evaluation.md 3. A nil document is no document.
func (s *Sets) evalSet(documents []*policy.Document, r policy.Request) evaluated {
	var out evaluated
	for i, d := range documents {
		if d == nil {
			continue
		}
		for j := range d.Statements {
			statement := &d.Statements[j]
			if !actionApplies(statement, r.Action) || !resourceApplies(d, statement, r.Resource, r.Context) ||
				!conditionsHold(d, statement, r.Context) {
				continue
			}
			how := wildcard // kinds without Principal
			if d.Kind == policy.Resource || d.Kind == policy.Trust {
				if how = principalClass(d, statement, s.Caller, s.Boundary != nil); how == none {
					continue
				}
			}
			switch statement.Effect {
			case "Deny":
				out.denies = append(out.denies, Place{i, j})
			case "Allow":
				out.allows = append(out.allows, grant{Place{i, j}, how})
			}
		}
	}
	return out
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

// check refuses documents in sets where they have no meaning, and names the layer of the resource's policy.
func (s *Sets) check() (policy.Layer, error) {
	for _, d := range append(append([]*policy.Document{s.Boundary}, s.Identity...), s.Session...) {
		if d != nil && d.Kind != policy.Identity && d.Kind != policy.Managed && d.Kind != policy.Boundary && d.Kind != policy.Session {
			return policy.LayerNone, fmt.Errorf("reference: a document of kind %d among the caller's policies", d.Kind)
		}
	}
	switch {
	case s.Resource == nil || s.Resource.Kind == policy.Resource:
		return policy.LayerResource, nil
	case s.Resource.Kind == policy.Trust:
		return policy.LayerTrust, nil
	}
	return policy.LayerNone, fmt.Errorf("reference: a document of kind %d as the resource's policy", s.Resource.Kind)
}

// evaluable says whether a request is one at all: prefix:name on a resource, within the bounds of package policy.
func evaluable(r policy.Request, context []policy.Entry) bool {
	size := 0
	for _, e := range context {
		for _, v := range e.Values {
			if size += len(v) + 1; !utf8.ValidString(v) {
				return false
			}
		}
	}
	parts := strings.Split(r.Action, ":")
	return size <= policy.MaxContextText && len(parts) == 2 && parts[0] != "" && parts[1] != "" && r.Resource != "" &&
		len(r.Action) <= 256 && len(r.Resource) <= 4096 && len(context) <= policy.MaxContext &&
		utf8.ValidString(r.Action) && utf8.ValidString(r.Resource)
}
