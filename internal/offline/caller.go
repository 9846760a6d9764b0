package offline

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Caller is who asks.
type Caller struct {
	policy.Caller
	Root bool   // needs no identity policy, see policy.Sets
	Name string // as answers show it; "" for nobody in particular
}

// ParseCaller reads what simulate.ParseCaller reads, and with more words:
//
//	arn:aws:iam::111111111111:role/path/app as SESSION                      a session of a role with a path
//	arn:aws:sts::111111111111:federated-user/bob by USER-OR-ROOT-USER-ARN   a federated user, and who issued the session
//	service NAME [NAME…]                                                    a service by all its names
//	provider NAME                                                           an identity provider of any name
func ParseCaller(s string) (Caller, error) {
	words := strings.Fields(s)
	if len(words) == 0 {
		return Caller{}, errors.New("the caller is empty")
	}
	c := Caller{Name: words[0]}
	switch {
	case words[0] == "service" && len(words) > 1 && len(words) <= 11:
		c.Kind, c.Names, c.Name = policy.ServiceCaller, words[1:], words[1]
		return c, nil
	case words[0] == "provider" && len(words) == 2:
		c.Kind, c.Names, c.Name = policy.ProviderCaller, words[1:], words[1]
		return c, nil
	case len(words) != 1 && len(words) != 3:
		return c, fmt.Errorf("caller %q: one of the forms ARN, ARN as SESSION, ARN by ARN, service NAME, provider NAME, anonymous is expected", clip(s))
	}
	one, err := simulate.ParseCaller(words[0])
	if err != nil {
		return c, fmt.Errorf("caller %w", err)
	}
	c.Caller, c.Root = one, one.Kind == policy.RootCaller
	if len(words) == 1 {
		if c.Kind == policy.FederatedCaller {
			return c, fmt.Errorf("caller %q: who issued the session? Write: %s by arn:aws:iam::%s:user/NAME, or by its root user", clip(s), words[0], c.Account)
		}
		if c.Kind == policy.RoleCaller && c.Session == "" {
			return c.as("session")
		}
		return c, nil
	}
	switch words[1] {
	case "as":
		return c.as(words[2])
	case "by":
		return c.by(words[2])
	}
	return c, fmt.Errorf("caller %q: \"as\" or \"by\" is expected, not %q", clip(s), clip(words[1]))
}

// as makes the caller a session of its role.
func (c Caller) as(session string) (Caller, error) {
	role, err := arn.Parse(c.ARN)
	if err != nil || c.Kind != policy.RoleCaller || c.Session != "" {
		return c, fmt.Errorf("caller %q: only the ARN of a role goes with \"as\"", clip(c.Name))
	}
	if strings.Contains(session, "/") {
		return c, fmt.Errorf("caller %q: %q is no name of a session", clip(c.Name), clip(session))
	}
	name := role.Resource[strings.LastIndexByte(role.Resource, '/')+1:]
	c.Session = arn.STS(role.Partition, role.Account, "assumed-role/"+name+"/"+session)
	c.Name = c.Session
	return c, nil
}

// by says who issued the federated user's session.
func (c Caller) by(issuer string) (Caller, error) {
	i, err := simulate.ParseCaller(issuer)
	switch {
	case err != nil:
		return c, fmt.Errorf("caller %w", err)
	case c.Kind != policy.FederatedCaller:
		return c, fmt.Errorf("caller %q: only the ARN of a federated user goes with \"by\"", clip(c.Name))
	case i.Account != c.Account || i.Kind != policy.UserCaller && i.Kind != policy.RootCaller:
		return c, fmt.Errorf("caller %q: only a user or the root user of the same account issues such a session, not %s", clip(c.Name), clip(issuer))
	}
	c.Root = i.Kind == policy.RootCaller
	if !c.Root {
		c.ARN = issuer
	}
	return c, nil
}

// caller is that of a principal of a dump.
func (p *Principal) caller() (Caller, error) {
	s := p.ARN
	if p.Session != "" {
		s += " as " + p.Session
	}
	c, err := ParseCaller(s)
	c.ID = p.ID
	return c, err
}
