package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// ParseCaller reads who asks:
//
//	111111111111, arn:aws:iam::111111111111:root, arn:aws:sts::111111111111:assumed-root   a root user
//	arn:aws:iam::111111111111:user/path/name                                               a user
//	arn:aws:sts::111111111111:assumed-role/name/session                                    a session of the role arn:aws:iam::111111111111:role/name
//	arn:aws:iam::111111111111:role/path/name                                               some session of the role
//	arn:aws:sts::111111111111:federated-user/name                                          a federated user
//	arn:aws:iam::111111111111:saml-provider/name, …:oidc-provider/url, accounts.google.com an identity provider
//	ec2.amazonaws.com                                                                      a service
//	anonymous                                                                              nobody
//
// Unique ids and the issuer of a federated user are for the asker to add, and the path of a role that a session's ARN does not tell.
func ParseCaller(text string) (policy.Caller, error) {
	switch {
	case text == "anonymous":
		return policy.Caller{Kind: policy.AnonymousCaller}, nil
	case product.IsAccount(text):
		return rootOf(text), nil
	case slices.Contains(builtinProviders, text):
		return policy.Caller{Kind: policy.ProviderCaller, Names: []string{text}}, nil
	case strings.HasSuffix(text, ".amazonaws.com") && !strings.ContainsAny(text, ":/*? "):
		return policy.Caller{Kind: policy.ServiceCaller, Names: []string{text}}, nil
	}
	name, err := arn.Parse(text)
	if err != nil || name.Region != "" || !product.IsAccount(name.Account) || strings.ContainsAny(text, "*?") {
		return policy.Caller{}, noCaller(text)
	}
	kind, rest, _ := strings.Cut(name.Resource, "/")
	_, _, _, entity := name.Entity()
	c := policy.Caller{Account: name.Account, ARN: text}
	switch name.Service + ":" + kind {
	case "iam:root", "sts:assumed-root":
		if name.Resource == kind {
			return rootOf(name.Account), nil
		}
	case "iam:user":
		if c.Kind = policy.UserCaller; entity {
			return c, nil
		}
	case "iam:role":
		if c.Kind, c.ServiceLinked = policy.RoleCaller, strings.HasPrefix("/"+rest, product.ServiceLinkedPath); entity {
			return c, nil
		}
	case "sts:assumed-role":
		role, session, ok := strings.Cut(rest, "/")
		if ok && role != "" && session != "" && !strings.Contains(session, "/") {
			c.Kind, c.Session, c.ARN = policy.RoleCaller, text, arn.Role(name.Partition, name.Account, "/", role)
			return c, nil
		}
	case "sts:federated-user":
		if rest != "" && !strings.Contains(rest, "/") {
			return policy.Caller{Kind: policy.FederatedCaller, Account: name.Account, Session: text}, nil
		}
	case "iam:saml-provider", "iam:oidc-provider":
		if rest != "" {
			return policy.Caller{Kind: policy.ProviderCaller, Names: []string{text}}, nil
		}
	}
	return policy.Caller{}, noCaller(text)
}

// builtinProviders need no registration (docs/spec/policy-language.md 8.1).
var builtinProviders = []string{"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}

func rootOf(account string) policy.Caller {
	return policy.Caller{Kind: policy.RootCaller, Account: account, ARN: arn.Root("aws", account)}
}

func noCaller(text string) error {
	return fmt.Errorf("%q is not a principal: it is neither the ARN of a root user, a user, a role, a session of a role or a federated user, nor a service or anonymous", text)
}

// SetsOf are sets without policies for a caller: its Root is right for all but the federated users of a root user.
func SetsOf(c policy.Caller) *policy.Sets {
	return &policy.Sets{Caller: c, Root: c.Kind == policy.RootCaller}
}

// CallerKeys are the context keys that a caller implies (docs/spec/evaluation.md 11.1; their values: 1.2), those of its tags included. What
// c does not say, such as a unique id, is absent.
func CallerKeys(c *policy.Caller, tags map[string]string) []policy.Entry {
	var keys []policy.Entry
	set := func(key, value string) {
		if value != "" {
			keys = append(keys, policy.Entry{Key: key, Values: []string{value}})
		}
	}
	last := func(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }
	switch c.Kind {
	case policy.RootCaller:
		set("aws:PrincipalArn", c.ARN)
		set("aws:PrincipalType", "Account")
		set("aws:userid", c.Account)
	case policy.UserCaller:
		set("aws:PrincipalArn", c.ARN)
		set("aws:PrincipalType", "User")
		set("aws:userid", c.ID)
		set("aws:username", last(c.ARN))
	case policy.RoleCaller:
		set("aws:PrincipalArn", c.ARN)
		set("aws:PrincipalType", "AssumedRole")
		if c.ID != "" && c.Session != "" {
			set("aws:userid", c.ID+":"+last(c.Session))
		}
	case policy.FederatedCaller:
		set("aws:PrincipalArn", c.Session)
		set("aws:PrincipalType", "FederatedUser")
		set("aws:userid", c.Account+":"+last(c.Session))
	case policy.ServiceCaller:
		set("aws:PrincipalType", "Service")
		set("aws:userid", c.Names[0])
	case policy.AnonymousCaller:
		set("aws:PrincipalAccount", "anonymous")
		set("aws:PrincipalType", "Anonymous")
		set("aws:userid", "anonymous")
	}
	set("aws:PrincipalAccount", c.Account)
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		keys = append(keys, policy.Entry{Key: "aws:PrincipalTag/" + key, Values: []string{tags[key]}})
	}
	return keys
}
