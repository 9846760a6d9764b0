package iam

import (
	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Service is the IAM API.
type Service struct {
	quotas  Quotas
	catalog *catalog.Catalog
}

// Register adds the operations of the IAM API that this version has. c has the actions that can be simulated; nil means catalog.Builtin.
func Register(r *service.Registry, q Quotas, c *catalog.Catalog) {
	if c == nil {
		c = catalog.Builtin()
	}
	s := &Service{quotas: q, catalog: c}
	registerUsers(r, s)
	registerUserTags(r, s)
	registerAccessKeys(r, s)
	registerGroups(r, s)
	registerGroupMembers(r, s)
	registerInlinePolicies(r, s)
	registerRoles(r, s)
	registerRoleTrust(r, s)
	registerRoleTags(r, s)
	registerBoundaries(r, s)
	registerManagedPolicies(r, s)
	registerPolicyVersions(r, s)
	registerPolicyTags(r, s)
	registerAttachments(r, s)
	registerPolicyUsers(r, s)
	registerSimulation(r, s)
	registerAuthorizationDetails(r, s)
	registerAccountAlias(r)
	registerAccountSummary(r, s)
}

// callersAccount is the account of the caller, in which every IAM call takes place.
func callersAccount(c *service.Call, r state.Reader) (*state.Account, error) {
	a := r.Account(c.Caller.Account)
	if a == nil { // removed since the signature was checked
		return nil, invalidToken()
	}
	return a, nil
}

func invalidToken() *wire.Error {
	return wire.InvalidClientTokenId.New("The security token included in the request is invalid.")
}

// userNamed is the user with that name in the caller's account, or NoSuchEntity.
func userNamed(c *service.Call, r state.Reader, name string) (*state.Account, *state.User, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, nil, err
	}
	u := a.UserByName(name)
	if u == nil {
		return nil, nil, noSuchHolder("user", name)
	}
	return a, u, nil
}

func noUserName() *wire.Error {
	return wire.ValidationError.New("Must specify userName when calling with non-User credentials")
}

// owner is who an operation with an optional UserName is about: a user, or the root user of the account (user nil).
type owner struct {
	account *state.Account
	user    *state.User
}

func (o owner) id() string {
	if o.user == nil {
		return o.account.ID
	}
	return o.user.Id
}

// name is the user's name as answers give it; the root user has none.
func (o owner) name() *string {
	if o.user == nil {
		return nil
	}
	return &o.user.Name
}

// userOrCaller is the named user, or the caller if the name is absent.
func userOrCaller(c *service.Call, r state.Reader, name *string) (owner, error) {
	if name != nil {
		a, u, err := userNamed(c, r, *name)
		return owner{a, u}, err
	}
	a, err := callersAccount(c, r)
	if err != nil {
		return owner{}, err
	}
	switch c.Caller.Kind {
	case state.RootUser:
		return owner{account: a}, nil
	case state.IAMUser:
		u := a.User(c.Caller.ID)
		if u == nil { // deleted since the signature was checked
			return owner{}, invalidToken()
		}
		return owner{a, u}, nil
	}
	return owner{}, noUserName()
}

func userTarget(c *service.Call, r state.Reader, name string, keys ...policy.Entry) ([]authz.Target, error) {
	return holderAlone(c, r, users, name, keys...)
}

// userOrCallerTarget is userTarget, or the caller if the name is absent (docs/spec/evaluation.md 7.2).
func userOrCallerTarget(c *service.Call, r state.Reader, name *string) ([]authz.Target, error) {
	if name != nil {
		return userTarget(c, r, *name)
	}
	o, err := userOrCaller(c, r, nil)
	if err != nil {
		return nil, err
	}
	if o.user == nil {
		return one(arn.Root(state.Partition, o.account.ID)), nil
	}
	return []authz.Target{{ARN: o.user.ARN(o.account.ID), Tags: o.user.Tags}}, nil // as it is called now: the caller may have been renamed since its signature was checked
}

func one(arn string) []authz.Target { return []authz.Target{{ARN: arn}} }

// value is what an optional parameter points to, or its zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// or is what an optional parameter points to, or the alternative.
func or[T any](p *T, alternative T) T {
	if p != nil {
		return *p
	}
	return alternative
}
