package policytest

import "github.com/gatehouse-iam/gatehouse/policy"

// account is mostly a member of the organization.
func (g generator) account() string {
	return g.pick(AccountA, AccountA, AccountA, AccountA, AccountA, AccountA, AccountB, AccountB, AccountM, AccountX)
}

// caller makes a caller of any kind.
func (g generator) caller() Caller {
	account := g.account()
	switch g.rng.IntN(12) {
	case 0, 1, 2, 3:
		return Caller{Kind: policy.UserCaller, Account: account, Name: g.pick("alice", "team/bob")}
	case 4, 5, 6:
		return Caller{Kind: policy.RoleCaller, Account: account, Name: g.pick("p/app", "app", "app", "aws-service-role/s.amazonaws.com/app"), Session: g.pick("s1", "alice")}
	case 7:
		return Caller{Kind: policy.FederatedCaller, Account: account, Name: g.pick("fed1", "alice"), Issuer: g.pick("alice", "bob", "")}
	case 8:
		return Caller{Kind: policy.RootCaller, Account: account}
	case 9:
		return Caller{Kind: policy.ServiceCaller, Name: g.pick("s.amazonaws.com", "t.amazonaws.com")}
	case 10:
		return Caller{Kind: policy.ProviderCaller, Name: g.pick("accounts.google.com", "arn:aws:iam::111111111111:oidc-provider/idp.example.com")}
	}
	return Caller{Kind: policy.AnonymousCaller}
}

// principal makes an element whose values are those of the caller, or near them.
func (g generator) principal(c Caller) *policy.Principal {
	p := &policy.Principal{Not: g.one(5)}
	if g.one(6) {
		p.Any = true
		return p
	}
	own := c.Policy()
	aws := []string{own.Account, "arn:aws:iam::" + own.Account + ":root", own.ARN, own.ID, own.Session}
	other := g.caller().Policy()
	near := []string{"*", AccountA, AccountB, "arn:aws-cn:iam::" + AccountA + ":root", other.ARN, other.ID, other.Session, "arn:aws:iam::111111111111:role/*",
		"arn:aws:iam::111111111111:user/alice", "arn:aws:sts::111111111111:assumed-role/app/s1", "AIDAALICE", "1", ""}
	if p.Not && g.one(2) { // who is listed whole, or but for one member
		missing := g.rng.IntN(2 * len(aws))
		for i, value := range aws {
			if i == missing {
				continue
			}
			p.Values = append(p.Values, policy.PrincipalValue{Type: "AWS", Value: value})
		}
		for _, name := range own.Names {
			p.Values = append(p.Values, policy.PrincipalValue{Type: g.pick("Service", "Federated"), Value: name})
		}
		return p
	}
	for range g.pickInt(0, 1, 1, 2, 2, 3) {
		value := g.pick(aws...)
		if g.one(3) {
			value = g.pick(near...)
		}
		p.Values = append(p.Values, policy.PrincipalValue{Type: "AWS", Value: value})
	}
	for _, t := range []struct {
		name   string
		values []string
	}{
		{"Service", []string{"s.amazonaws.com", "t.amazonaws.com", "*", "S.amazonaws.com"}},
		{"Federated", []string{"accounts.google.com", "arn:aws:iam::111111111111:oidc-provider/idp.example.com", "*"}},
		{"CanonicalUser", []string{Alice.Policy().Canonical, "", "ab"}},
	} {
		if g.one(4) {
			p.Values = append(p.Values, policy.PrincipalValue{Type: t.name, Value: g.pick(t.values...)})
		}
	}
	return p
}
