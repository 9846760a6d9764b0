package policy

import (
	"slices"
	"strings"
)

// class is how a Principal element matches a caller, which decides how far a grant is limited (docs/spec/policy-language.md 8.2).
type class uint8

const (
	classNone    class = iota
	classAccount       // the caller's account is named: a delegation to its identity policies
	classIssuer        // the role of the session, or the user that issued it
	classDirect        // the caller itself, or everyone
)

// principal is a compiled Principal or NotPrincipal element.
type principal struct {
	not    bool
	values []principalValue
}

type principalValue struct {
	form      principalKind
	text      string // account id, ARN, unique id, name of a service, provider or canonical id
	partition string // formAccount as an ARN: how the ARNs of its partition begin
}

type principalKind uint8

const (
	formNobody   principalKind = iota // a value that can name nobody
	formEveryone                      // "*"
	formAccount
	formARN // of a user, a role or a session
	formID  // unique id of a user or a role
	formService
	formProvider
	formCanonical
)

// compilePrincipal takes the element of a document of the kind. A nil element names nobody, and so does an empty one.
func compilePrincipal(p *Principal, kind Kind) principal {
	if p == nil {
		return principal{}
	}
	out := principal{not: p.Not}
	if p.Any {
		out.values = []principalValue{{form: formEveryone}}
		return out
	}
	out.values = make([]principalValue, len(p.Values))
	for i, v := range p.Values {
		out.values[i] = compilePrincipalValue(v, kind)
	}
	return out
}

// compilePrincipalValue is docs/spec/policy-language.md 8.1.
func compilePrincipalValue(v PrincipalValue, kind Kind) principalValue {
	out := principalValue{text: v.Value}
	switch {
	case v.Type == "AWS" && v.Value == "*":
		out.form = formEveryone
	case strings.ContainsAny(v.Value, "*?") || v.Value == "":
		out.form = formNobody
	case v.Type == "AWS":
		return compileAWSPrincipal(v.Value)
	case v.Type == "Service":
		out.form = formService
	case v.Type == "Federated" && kind == Trust:
		out.form = formProvider
	case v.Type == "CanonicalUser" && kind == Resource:
		out.form = formCanonical
	}
	return out
}

func compileAWSPrincipal(v string) principalValue {
	if len(v) == 12 && allDigits(v) {
		return principalValue{form: formAccount, text: v}
	}
	parts := strings.SplitN(v, ":", 6)
	switch {
	case len(parts) == 1:
		return principalValue{form: formID, text: v}
	case len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[4] == "":
		return principalValue{form: formNobody}
	case parts[2] == "iam" && parts[3] == "" && parts[5] == "root":
		return principalValue{form: formAccount, text: parts[4], partition: v[:len("arn:")+len(parts[1])+1]}
	}
	return principalValue{form: formARN, text: v}
}

// inPartition says whether a root ARN that begins so, or an account id, may mean the caller's account. The caller's partition is that of
// its ARN.
func (c *Caller) inPartition(partition string) bool {
	own := c.ARN
	if own == "" {
		own = c.Session
	}
	if own == "" {
		own = "arn:aws:"
	}
	return strings.HasPrefix(own, partition)
}

// class is the table of docs/spec/policy-language.md 8.2.
func (v *principalValue) class(c *Caller) class {
	switch v.form {
	case formEveryone:
		return classDirect
	case formAccount:
		if c.Kind.hasAccount() && c.Account == v.text && c.inPartition(v.partition) {
			return classAccount
		}
	case formARN, formID:
		return v.entity(c)
	case formService:
		if c.Kind == ServiceCaller && slices.Contains(c.Names, v.text) {
			return classDirect
		}
	case formProvider:
		if c.Kind == ProviderCaller && slices.Contains(c.Names, v.text) {
			return classDirect
		}
	case formCanonical:
		if c.Kind.hasAccount() && c.Canonical == v.text {
			return classAccount
		}
	}
	return classNone
}

// entity compares the ARN or the id of a user, a role or a session. A caller has those of its own kind only, so the text of
// the value need not be looked into.
func (v *principalValue) entity(c *Caller) class {
	own := c.ARN
	if v.form == formID {
		own = c.ID
	}
	switch c.Kind {
	case UserCaller:
		if own == v.text {
			return classDirect
		}
	case RoleCaller, FederatedCaller:
		if v.form == formARN && c.Session == v.text {
			return classDirect
		}
		if own == v.text {
			return classIssuer
		}
	}
	return classNone
}

// namesAtGateway says whether the value can name the caller in the policy of a gateway endpoint (docs/spec/evaluation.md 6.4).
func (v *principalValue) namesAtGateway(c *Caller) bool {
	return v.form == formEveryone || v.form == formAccount && c.Kind == RootCaller
}

// class is how the element matches the caller of q. deny is the effect of its statement.
func (p *principal) class(q *query, deny bool) class {
	best := classNone
	for i := range p.values {
		if v := &p.values[i]; !q.gateway || p.not || v.namesAtGateway(q.caller) {
			best = max(best, v.class(q.caller))
		}
	}
	switch {
	case !p.not:
		return best
	case deny && (q.boundary || q.gateway || !p.exempts(q.caller)), !deny && best == classNone && q.caller.Kind != 0:
		return classDirect
	}
	return classNone
}

// exempts says whether every member of the caller's identity chain is listed literally (docs/spec/policy-language.md 8.3). "*" lists
// nobody literally, nor does a canonical id list the account.
func (p *principal) exempts(c *Caller) bool {
	var account, entity, session bool
	for i := range p.values {
		v := &p.values[i]
		if v.form == formEveryone || v.form == formCanonical {
			continue
		}
		switch v.class(c) {
		case classAccount:
			account = true
		case classIssuer:
			entity = true
		case classDirect:
			session = true
		}
	}
	switch c.Kind {
	case RootCaller:
		return account
	case UserCaller: // the user itself matches directly
		return account && session
	case RoleCaller:
		return account && entity && session
	case FederatedCaller: // the user that issued the session is no member of its chain
		return account && session
	case ServiceCaller, ProviderCaller:
		return session
	}
	return false
}
