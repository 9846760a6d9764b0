package reference

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// class is how a Principal names a caller, chapter 8.2.
type class int

const (
	none class = iota
	account
	issuer
	role
	wildcard
	direct
)

// rank orders the classes: DIRECT = WILDCARD > ROLE = ISSUER > ACCOUNT.
func (c class) rank() int {
	return [...]int{none: 0, account: 1, issuer: 2, role: 2, wildcard: 3, direct: 3}[c]
}

// principalClass is line 3 of docs/spec/evaluation.md 3 for a statement of a kind with Principal.
func (q *question) principalClass(d *policy.Document, s *policy.Statement) class {
	switch {
	case s.Principal == nil:
		return none // 12.6: a stored statement without one never matches
	case !s.Principal.Not && q.gateway:
		return gatewayClass(s.Principal, q.caller)
	case !s.Principal.Not:
		return listedClass(d.Kind, s.Principal, q.caller)
	case s.Effect == "Allow":
		if listedClass(d.Kind, s.Principal, q.caller) == none { // 8.3
			return wildcard
		}
	case q.gateway || q.boundary || !allListed(d.Kind, s.Principal, q.caller):
		return wildcard
	}
	return none
}

// gatewayClass is docs/spec/evaluation.md 6.4: at a gateway only "*" names anybody, and the account its root user.
func gatewayClass(p *policy.Principal, caller policy.Caller) class {
	best := none
	if p.Any {
		best = wildcard
	}
	for _, v := range p.Values {
		switch {
		case v.Type != "AWS":
		case v.Value == "*":
			best = wildcard
		case caller.Kind == policy.RootCaller && namesAccount(v.Value, caller) && best == none:
			best = account
		}
	}
	return best
}

func listedClass(kind policy.Kind, p *policy.Principal, caller policy.Caller) class {
	if p.Any {
		return wildcard
	}
	best := none
	for _, v := range p.Values {
		if c := valueClass(kind, v, caller); c.rank() > best.rank() {
			best = c
		}
	}
	return best
}

// valueClass is the table of 8.2, one form after the other.
func valueClass(kind policy.Kind, v policy.PrincipalValue, caller policy.Caller) class {
	inAccount := hasAccount(caller)
	switch v.Type {
	case "AWS":
		switch {
		case v.Value == "*":
			return wildcard
		case !inAccount || v.Value == "":
			return none
		case namesAccount(v.Value, caller):
			return account
		case namesSession(v.Value, caller):
			return direct
		case !namesEntity(v.Value, caller):
			return none
		}
		switch caller.Kind {
		case policy.UserCaller:
			return direct
		case policy.RoleCaller:
			return role
		case policy.FederatedCaller:
			return issuer
		}
	case "Service":
		if caller.Kind == policy.ServiceCaller && slices.Contains(caller.Names, v.Value) {
			return direct
		}
	case "Federated":
		if kind == policy.Trust && caller.Kind == policy.ProviderCaller && slices.Contains(caller.Names, v.Value) {
			return direct
		}
	case "CanonicalUser":
		if kind == policy.Resource && inAccount && caller.Canonical != "" && v.Value == caller.Canonical {
			return account
		}
	}
	return none
}

// namesAccount: the account id, or the root ARN of the account in the caller's partition.
func namesAccount(value string, caller policy.Caller) bool {
	if caller.Account == "" {
		return false
	}
	return value == caller.Account || value == "arn:"+partition(caller)+":iam::"+caller.Account+":root"
}

// partition is the second part of the caller's ARN. Root has no ARN of its own; Gatehouse's accounts are in aws.
func partition(caller policy.Caller) string {
	for _, arn := range []string{caller.ARN, caller.Session} {
		if parts := strings.Split(arn, ":"); len(parts) >= 6 {
			return parts[1]
		}
	}
	return "aws"
}

func namesSession(value string, caller policy.Caller) bool {
	return (caller.Kind == policy.RoleCaller || caller.Kind == policy.FederatedCaller) && value == caller.Session
}

// namesEntity: ARN or id of the user, of the session's role, or of the user that issued the session.
func namesEntity(value string, caller policy.Caller) bool {
	return caller.Kind != policy.RootCaller && (value == caller.ARN || value == caller.ID)
}

// allListed is the first row of 8.3: whether every member of the identity chain is listed literally.
func allListed(kind policy.Kind, p *policy.Principal, caller policy.Caller) bool {
	listed := func(named func(v policy.PrincipalValue) bool) bool {
		return slices.ContainsFunc(p.Values, named)
	}
	aws := func(named func(string, policy.Caller) bool) bool {
		return listed(func(v policy.PrincipalValue) bool { return v.Type == "AWS" && v.Value != "" && named(v.Value, caller) })
	}
	accountListed := aws(namesAccount) // a canonical id does not list it (inferred)
	switch caller.Kind {
	case policy.RootCaller:
		return accountListed
	case policy.UserCaller:
		return accountListed && aws(namesEntity)
	case policy.RoleCaller:
		return accountListed && aws(namesEntity) && aws(namesSession)
	case policy.FederatedCaller:
		return accountListed && aws(namesSession)
	case policy.ServiceCaller, policy.ProviderCaller:
		return listed(func(v policy.PrincipalValue) bool {
			return v.Type != "AWS" && valueClass(kind, v, caller) == direct
		})
	}
	return false // nothing but "*" names an anonymous caller, and that is not literal
}
