package reference

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// collected are E1 to E8 of docs/spec/evaluation.md 4.2. A pointer is nil, and a list empty, where the set is NA.
type collected struct {
	id       evaluated
	pb, sp   *evaluated
	scp, rcp []evaluated
	rbp      evaluated
	ep       *evaluated
	acl      class
}

// Decide is docs/spec/evaluation.md 4.2 for the sets of this package, step by step, and T1 of 4.1.
func Decide(s Sets, r policy.Request) (Decision, error) {
	if err := s.check(); err != nil {
		return Decision{}, err
	}
	if !evaluable(r) {
		return Decision{}, nil // fail closed, before anything else: also for a call that is exempt (inferred)
	}
	if r.Exempt { // T1
		return Decision{Effect: policy.Allow, Layer: policy.LayerExempt}, nil
	}
	owner := r.Owner
	if owner == "" || r.Resource == "*" {
		owner = s.Caller.Account
	}
	same := mayHaveAccount(s.Caller) && s.Caller.Account == owner
	c := s.collect(r, same)

	if d, found := c.explicitDeny(s.resourceLayer()); found { // D1
		return d, nil
	}
	if level := silent(c.rcp); level >= 0 { // G1
		return Decision{Layer: policy.LayerRCP, Level: level}, nil
	}
	if level := silent(c.scp); level >= 0 { // G2
		return Decision{Layer: policy.LayerSCP, Level: level}, nil
	}
	if c.ep != nil && len(c.ep.allows) == 0 { // G3
		return Decision{Layer: policy.LayerEndpoint}, nil
	}
	switch {
	case !mayHaveAccount(s.Caller):
		return c.withoutAccount(&s), nil
	case same:
		return c.sameAccount(&s, r.NeedsResourcePolicy), nil
	}
	return c.crossAccount(&s), nil
}

// collect asks every set.
func (s *Sets) collect(r policy.Request, same bool) collected {
	boundary := s.Boundary
	if s.Caller.Kind == policy.RootCaller || s.Caller.ServiceLinked { // 6.3, 6.6
		boundary = nil
	}
	q := question{Request: r, caller: s.Caller, boundary: boundary != nil}
	var c collected
	c.id = q.evalSet(s.Identity) // E1; a root has none, and if it has, a deny in it counts (inferred)
	if boundary != nil {         // E2
		pb := q.evalSet([]*policy.Document{boundary})
		c.pb = &pb
	}
	switch { // E3
	case s.Session != nil:
		sp := q.evalSet(s.Session)
		c.sp = &sp
	case s.Caller.Kind == policy.FederatedCaller:
		c.sp = &evaluated{}
	}
	if mayHaveAccount(s.Caller) && !s.Caller.ServiceLinked { // E4, 6.1.1
		for _, level := range s.SCP {
			c.scp = append(c.scp, q.evalSet(level))
		}
	}
	if !s.Caller.ServiceLinked { // E5, 6.2.1
		for _, level := range s.RCP {
			c.rcp = append(c.rcp, q.evalSet(level))
		}
	}
	if s.Endpoint != nil { // E7
		through := q
		through.gateway = r.Gateway
		ep := through.evalSet([]*policy.Document{s.Endpoint})
		c.ep = &ep
	}
	if r.PolicyContext != nil { // 1.4: what only the trust policy sees
		q.Context = r.PolicyContext
	}
	c.rbp = q.evalSet([]*policy.Document{s.Resource}) // E6
	c.acl = aclClass(r.Grantees, s.Caller, same)      // E8
	return c
}

// explicitDeny is D1, in the order of 10.3.
func (c *collected) explicitDeny(resource policy.Layer) (Decision, bool) {
	for _, chain := range []struct {
		layer  policy.Layer
		levels []evaluated
	}{{policy.LayerSCP, c.scp}, {policy.LayerRCP, c.rcp}} {
		for i, level := range chain.levels { // 10.2: from the root down
			if len(level.denies) > 0 {
				return Decision{Effect: policy.DenyExplicit, Layer: chain.layer, Level: i, Denies: level.denies}, true
			}
		}
	}
	for _, set := range []struct {
		layer policy.Layer
		set   *evaluated
	}{
		{policy.LayerEndpoint, c.ep}, {policy.LayerIdentity, &c.id}, {policy.LayerBoundary, c.pb}, {policy.LayerSession, c.sp}, {resource, &c.rbp},
	} {
		if set.set != nil && len(set.set.denies) > 0 {
			return Decision{Effect: policy.DenyExplicit, Layer: set.layer, Denies: set.set.denies}, true
		}
	}
	return Decision{}, false
}

// silent is the first level without an allow, or -1.
func silent(levels []evaluated) int {
	return slices.IndexFunc(levels, func(level evaluated) bool { return len(level.allows) == 0 })
}

// withoutAccount is S1.
func (c *collected) withoutAccount(s *Sets) Decision {
	if free := c.rbp.classes(wildcard, direct); len(free) > 0 {
		return Decision{Effect: policy.Allow, Layer: s.resourceLayer(), Allows: places(free)}
	}
	if s.Caller.Kind == policy.AnonymousCaller && c.acl == wildcard {
		return Decision{Effect: policy.Allow, Layer: policy.LayerACL}
	}
	return Decision{Layer: s.resourceLayer()}
}

// own is what the caller's own sets say of an identity allow.
func (c *collected) own(root bool) (idAllows, pbOK, spOK bool) {
	return root || len(c.id.allows) > 0, c.pb == nil || len(c.pb.allows) > 0, c.sp == nil || len(c.sp.allows) > 0
}

// byIdentity is an allow that names the identity policies, or nothing where the root's own allow stands for them.
func (c *collected) byIdentity(root bool) Decision {
	d := Decision{Effect: policy.Allow, Layer: policy.LayerIdentity}
	if !root {
		d.Allows = places(c.id.allows)
	}
	return d
}

// sameAccount is S2.
func (c *collected) sameAccount(s *Sets, needsResourcePolicy bool) Decision {
	idAllows, pbOK, spOK := c.own(s.Root)
	idOK := idAllows && pbOK && spOK
	if free := c.rbp.classes(direct, wildcard); len(free) > 0 { // a
		return Decision{Effect: policy.Allow, Layer: s.resourceLayer(), Allows: places(free)}
	}
	if limited := c.rbp.classes(role, issuer); len(limited) > 0 && pbOK && spOK { // b
		return Decision{Effect: policy.Allow, Layer: s.resourceLayer(), Allows: places(limited)}
	}
	if idOK && (!needsResourcePolicy || len(c.rbp.classes(account)) > 0) { // c
		return c.byIdentity(s.Root)
	}
	if needsResourcePolicy && len(c.rbp.allows) == 0 { // d, 10.3
		return Decision{Layer: s.resourceLayer()}
	}
	return Decision{Layer: firstSilent(idAllows, pbOK)}
}

// crossAccount is S3.
func (c *collected) crossAccount(s *Sets) Decision {
	idAllows, pbOK, spOK := c.own(s.Root)
	idOK := idAllows && pbOK && spOK
	granted := len(c.rbp.allows) > 0 || c.acl != none // a
	if granted && idOK {                              // b
		return c.byIdentity(s.Root)
	}
	// c, with the table of 10.3. A grant of an ACL stands there as its class does in 6.5 (inferred).
	delegatesOnly := len(c.rbp.classes(direct, wildcard, role, issuer)) == 0 && c.acl != wildcard
	if !granted || !idAllows && delegatesOnly {
		return Decision{Layer: s.resourceLayer()}
	}
	return Decision{Layer: firstSilent(idAllows, pbOK)}
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

// aclClass is 6.5: how an ACL grants the caller.
func aclClass(grantees []string, caller policy.Caller, same bool) class {
	if same {
		return none // "ACLs never decide for principals of the owner's account"
	}
	authenticated := hasAccount(caller)
	anonymous := caller.Kind == policy.AnonymousCaller
	best := none
	for _, g := range grantees {
		switch {
		case g == policy.AllUsers && (authenticated || anonymous):
			best = wildcard
		case g == policy.AuthenticatedUsers && authenticated:
			best = wildcard
		case g == caller.Canonical && g != "" && authenticated && best == none:
			best = account
		}
	}
	return best
}

func hasAccount(c policy.Caller) bool {
	switch c.Kind {
	case policy.RootCaller, policy.UserCaller, policy.RoleCaller, policy.FederatedCaller:
		return true
	}
	return false
}

// mayHaveAccount is hasAccount, and true for a caller without kind, whom no principal names: what limits callers limits that one (inferred).
func mayHaveAccount(c policy.Caller) bool { return c.Kind == 0 || hasAccount(c) }

// question is the request with what the statements need to know of the caller.
type question struct {
	policy.Request
	caller   policy.Caller
	boundary bool // the caller has a boundary that counts
	gateway  bool // the set is the policy of a gateway endpoint
}

// evalSet is docs/spec/evaluation.md 3. A nil document is no document.
func (q *question) evalSet(documents []*policy.Document) evaluated {
	var out evaluated
	for i, d := range documents {
		if d == nil {
			continue
		}
		for j := range d.Statements {
			statement := &d.Statements[j]
			if !actionApplies(statement, q.Action) || !resourceApplies(d, statement, q.Resource, q.Context) ||
				!conditionsHold(d, statement, q.Context) {
				continue
			}
			how := wildcard // kinds without Principal
			if d.Kind == policy.Resource || d.Kind == policy.Trust || d.Kind == policy.Endpoint || d.Kind == policy.RCP {
				if how = q.principalClass(d, statement); how == none {
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

// evaluable says whether a request is one at all: prefix:name on a resource, within the bounds of package policy.
func evaluable(r policy.Request) bool {
	for _, context := range [][]policy.Entry{r.Context, r.PolicyContext} {
		size := 0
		for _, e := range context {
			for _, v := range e.Values {
				if size += len(v) + 64; !utf8.ValidString(v) { // MaxContextText: each counted 64 longer than it is
					return false
				}
			}
		}
		if size > policy.MaxContextText || len(context) > policy.MaxContext {
			return false
		}
	}
	parts := strings.Split(r.Action, ":")
	return len(parts) == 2 && parts[0] != "" && parts[1] != "" && r.Resource != "" && len(r.Action) <= policy.MaxAction &&
		len(r.Resource) <= policy.MaxResource && utf8.ValidString(r.Action) && utf8.ValidString(r.Resource)
}
