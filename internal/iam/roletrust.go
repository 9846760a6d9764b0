package iam

import (
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func registerRoleTrust(r *service.Registry, s *Service) {
	service.WritePrepared(r, iamapi.OpUpdateAssumeRolePolicy, onUpdateAssumeRolePolicy, prepareTrust, s.updateAssumeRolePolicy)
}

func onUpdateAssumeRolePolicy(c *service.Call, r state.Reader, in *iamapi.UpdateAssumeRolePolicyRequest) ([]authz.Target, error) {
	return roleTarget(c, r, *in.RoleName)
}

func prepareTrust(_ *service.Call, v *state.View, in *iamapi.UpdateAssumeRolePolicyRequest) (trustDocument, error) {
	return readTrust(v, *in.PolicyDocument), nil
}

func (s *Service) updateAssumeRolePolicy(c *service.Call, tx *state.Tx, in *iamapi.UpdateAssumeRolePolicyRequest, trust trustDocument) (*wire.Empty, error) {
	a, role, err := roleNamed(c, tx, *in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := modifiable(role); err != nil {
		return nil, err
	}
	if err := trust.check(tx); err != nil {
		return nil, err
	}
	if err := s.trustFits(*in.PolicyDocument); err != nil {
		return nil, err
	}
	changed := role.Clone()
	changed.SetTrust(trust.compiled)
	tx.Put(a.Unit(), changed)
	return nil, nil
}

// trustFits holds the quota of trust policies, which counts the document as it was sent.
func (s *Service) trustFits(document string) error {
	if policy.CountedSize(document) > s.quotas.ACLSizePerRole {
		return exceeded("ACLSizePerRole", s.quotas.ACLSizePerRole)
	}
	return nil
}

// trustDocument is a trust policy that was read outside the transaction, and what it took for true. Its error waits until the role was
// found, which comes first.
type trustDocument struct {
	compiled *policy.Policy
	err      error
	resolved []resolvedPrincipal // those whose meaning may change
}

// resolvedPrincipal is a principal of a document, and what it stood for.
type resolvedPrincipal struct {
	value  policy.PrincipalValue
	stored string
	ok     bool
}

func readTrust(r state.Reader, document string) trustDocument {
	var t trustDocument
	resolve := func(v policy.PrincipalValue) (string, bool) {
		stored, ok := resolvePrincipal(r, v)
		t.resolved = append(t.resolved, resolvedPrincipal{v, stored, ok})
		return stored, ok
	}
	d, err := policy.ParseWith(document, policy.Trust, policy.Options{Resolve: resolve})
	if err == nil {
		t.compiled, err = policy.Compile(d)
	}
	if err != nil {
		t.err = malformed(err)
	}
	return t
}

// check is the document's error, or state.ErrStale if a user or role that it names came, went or got another name since it was read.
func (t *trustDocument) check(r state.Reader) error {
	changed := slices.ContainsFunc(t.resolved, func(p resolvedPrincipal) bool {
		stored, ok := resolvePrincipal(r, p.value)
		return stored != p.stored || ok != p.ok
	})
	if changed {
		return state.ErrStale
	}
	return t.err
}

// resolvePrincipal says what a principal of a trust policy is stored as (docs/spec/policy-language.md 8.4): users and roles under their
// unique id, everything else as it is. It is false for what does not exist. Accounts may be others than those of this cell, but nothing is
// known of their users and roles. Providers need not exist, as far as is known of AWS: a role can be made before them. Which service names
// AWS refuses is not known either, except that they are below amazonaws.com or amazon.com.
func resolvePrincipal(r state.Reader, v policy.PrincipalValue) (stored string, ok bool) {
	switch v.Type {
	case "AWS":
		return resolveAWS(r, v.Value)
	case "Service":
		return v.Value, strings.HasSuffix(v.Value, ".amazonaws.com") || strings.HasSuffix(v.Value, ".amazon.com")
	case "Federated":
		parts, _ := arn.Split(v.Value)
		return v.Value, parts[1] == state.Partition
	}
	return "", false
}

func resolveAWS(r state.Reader, v string) (stored string, ok bool) {
	if policy.PrincipalID(v) {
		return v, entityARN(r, v) != ""
	}
	parts, n := arn.Split(v)
	if n < 6 {
		return v, true // an account id
	}
	if parts[1] != state.Partition {
		return "", false
	}
	if parts[5] == "root" {
		return v, true
	}
	a := r.Account(parts[4])
	if a == nil {
		return "", false
	}
	id, is := "", ""
	name := parts[5][strings.LastIndexByte(parts[5], '/')+1:]
	if strings.HasPrefix(parts[5], "user/") {
		if u := a.UserByName(name); u != nil {
			id, is = u.Id, u.ARN(a.ID)
		}
	} else if role := a.RoleByName(name); role != nil {
		id, is = role.Id, role.ARN(a.ID)
	}
	return id, id != "" && is == v // path and letter case count
}

// entityARN is the ARN that the user or role with that unique id has now, "" if there is none.
func entityARN(r state.Reader, id string) string {
	account, ok := keyring.AccountOfUniqueID(id)
	if !ok {
		return ""
	}
	a := r.Account(account)
	if a == nil {
		return ""
	}
	if u := a.User(id); u != nil {
		return u.ARN(a.ID)
	}
	if role := a.Role(id); role != nil {
		return role.ARN(a.ID)
	}
	return ""
}

// shownTrust is the role's trust policy as answers show it: as it was sent, with the ARNs that its users and roles have now, and the bare id
// of those that are gone.
func shownTrust(r state.Reader, role *state.Role) string {
	return policy.RestorePrincipals(role.Trust, policy.Trust, func(id string) string {
		if name := entityARN(r, id); name != "" {
			return name
		}
		return id
	})
}
