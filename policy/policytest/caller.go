package policytest

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Caller is who asks, as a case file writes it.
type Caller struct {
	Kind      policy.CallerKind
	Account   string // "" for callers without one
	Name      string // of the user or role with its path, of the federated user, the service or the provider
	Session   string // name of the role session
	Issuer    string // of a federated user: the user's name; "" where root issued the session
	Temporary bool   // a user with GetSessionToken credentials
}

// Alice is the default caller.
var Alice = Caller{Kind: policy.UserCaller, Account: AccountA, Name: "alice"}

// String prints the caller as a case file writes it.
func (c Caller) String() string {
	s := ""
	switch c.Kind {
	case policy.RootCaller:
		s = "root"
	case policy.UserCaller:
		s = "user " + c.Name
	case policy.RoleCaller:
		s = "session " + c.Name + " " + c.Session
	case policy.FederatedCaller:
		s = "federated " + c.Name + " by " + c.Issuer
		if c.Issuer == "" {
			s += "root"
		}
	case policy.ServiceCaller:
		return "service " + c.Name
	case policy.ProviderCaller:
		return "provider " + c.Name
	case policy.AnonymousCaller:
		return "anonymous"
	}
	if c.Account != AccountA {
		s += " in " + c.Account
	}
	if c.Temporary {
		s += " via GetSessionToken"
	}
	return s
}

// parseCaller reads what String prints.
func parseCaller(value string) (Caller, error) {
	words := strings.Fields(value)
	c := Caller{Account: AccountA}
	if n := len(words); n > 2 && words[n-2] == "via" && words[n-1] == "GetSessionToken" {
		c.Temporary, words = true, words[:n-2]
	}
	if n := len(words); n > 2 && words[n-2] == "in" {
		c.Account, words = words[n-1], words[:n-2]
	}
	if len(words) == 0 {
		return c, errors.New("a caller has a kind")
	}
	wrong := fmt.Errorf("bad caller %q", value)
	counts := map[string]int{"user": 2, "root": 1, "session": 3, "federated": 4, "service": 2, "provider": 2, "anonymous": 1}
	n, known := counts[words[0]]
	switch {
	case !known:
		return c, fmt.Errorf("unknown caller %q", value)
	case len(words) != n, c.Temporary && words[0] != "user":
		return c, wrong
	}
	if n > 1 {
		c.Name = words[1]
	}
	switch words[0] {
	case "user":
		c.Kind = policy.UserCaller
	case "root":
		c.Kind = policy.RootCaller
	case "session":
		c.Kind, c.Session = policy.RoleCaller, words[2]
	case "federated":
		if words[2] != "by" {
			return c, wrong
		}
		c.Kind = policy.FederatedCaller
		if words[3] != "root" {
			c.Issuer = words[3]
		}
	default:
		if c.Account != AccountA {
			return c, wrong
		}
		c.Account = ""
		c.Kind = map[string]policy.CallerKind{
			"service": policy.ServiceCaller, "provider": policy.ProviderCaller, "anonymous": policy.AnonymousCaller,
		}[words[0]]
	}
	return c, nil
}

// Root says whether the caller needs no identity policy, as policy.Sets has it.
func (c Caller) Root() bool {
	return c.Kind == policy.RootCaller || c.Kind == policy.FederatedCaller && c.Issuer == ""
}

// Policy is the caller as package policy sees it. Ids are AIDA or AROA and the name in capitals. Roles
// whose path begins with aws-service-role/ are service-linked.
func (c Caller) Policy() policy.Caller {
	out := policy.Caller{Kind: c.Kind, Account: c.Account}
	if c.Account != "" {
		out.Canonical = strings.Repeat(c.Account, 6)[:64]
	}
	user := func(name string) {
		out.ID, out.ARN = "AIDA"+strings.ToUpper(path.Base(name)), "arn:aws:iam::"+c.Account+":user/"+name
	}
	switch c.Kind {
	case policy.UserCaller:
		user(c.Name)
	case policy.RoleCaller:
		out.ID, out.ARN = "AROA"+strings.ToUpper(path.Base(c.Name)), "arn:aws:iam::"+c.Account+":role/"+c.Name
		out.Session = "arn:aws:sts::" + c.Account + ":assumed-role/" + path.Base(c.Name) + "/" + c.Session
		out.ServiceLinked = strings.HasPrefix(c.Name, "aws-service-role/")
	case policy.FederatedCaller:
		if c.Issuer != "" {
			user(c.Issuer)
		}
		out.Session = "arn:aws:sts::" + c.Account + ":federated-user/" + c.Name
	case policy.ServiceCaller, policy.ProviderCaller:
		out.Names = []string{c.Name}
	}
	return out
}
