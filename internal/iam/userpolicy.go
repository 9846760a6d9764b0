package iam

import (
	"errors"

	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func registerUserPolicies(r *service.Registry, s *Service) {
	service.WritePrepared(r, iamapi.OpPutUserPolicy, onPutUserPolicy, prepareUserPolicy, s.putUserPolicy)
	service.Read(r, iamapi.OpGetUserPolicy, onGetUserPolicy, getUserPolicy)
	service.Write(r, iamapi.OpDeleteUserPolicy, onDeleteUserPolicy, deleteUserPolicy)
	service.Read(r, iamapi.OpListUserPolicies, onListUserPolicies, listUserPolicies)
}

func onPutUserPolicy(c *service.Call, r state.Reader, in *iamapi.PutUserPolicyRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

func onGetUserPolicy(c *service.Call, r state.Reader, in *iamapi.GetUserPolicyRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

func onDeleteUserPolicy(c *service.Call, r state.Reader, in *iamapi.DeleteUserPolicyRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

func onListUserPolicies(c *service.Call, r state.Reader, in *iamapi.ListUserPoliciesRequest) ([]authz.Target, error) {
	return userTarget(c, r, *in.UserName)
}

// checkedPolicy is a document and what compiling it gave. Its error waits until the user was found, which comes first.
type checkedPolicy struct {
	compiled *policy.Policy
	err      error
}

func prepareUserPolicy(_ *service.Call, _ *state.View, in *iamapi.PutUserPolicyRequest) (checkedPolicy, error) {
	compiled, err := policy.Load(*in.PolicyDocument, policy.Identity)
	if err != nil {
		return checkedPolicy{err: malformed(err)}, nil
	}
	return checkedPolicy{compiled: compiled}, nil
}

// malformed says what is wrong with a document in the words of docs/spec/policy-language.md 12, or that this version would not enforce it.
func malformed(err error) error {
	var e *policy.Error
	if !errors.As(err, &e) {
		return err
	}
	return iamapi.MalformedPolicyDocument.New("%s", e.Message)
}

func (s *Service) putUserPolicy(c *service.Call, tx *state.Tx, in *iamapi.PutUserPolicyRequest, checked checkedPolicy) (*wire.Empty, error) {
	a, u, err := userNamed(c, tx, *in.UserName)
	if err != nil {
		return nil, err
	}
	if checked.err != nil {
		return nil, checked.err
	}
	size := policy.CountedSize(*in.PolicyDocument)
	for p := range a.InlinePolicies(u.Id, "") {
		if p.Name != *in.PolicyName {
			size += policy.CountedSize(p.Document)
		}
	}
	if size > s.quotas.UserPolicySize {
		return nil, iamapi.LimitExceeded.New("Maximum policy size of %d bytes exceeded for user %s", s.quotas.UserPolicySize, u.Name)
	}
	p := a.InlinePolicy(u.Id, *in.PolicyName)
	if p == nil {
		p = &state.InlinePolicy{}
		p.Owner, p.Name = u.Id, *in.PolicyName
	}
	tx.Put(a.Unit(), p.WithDocument(checked.compiled))
	return nil, nil
}

func userPolicyNamed(c *service.Call, r state.Reader, user, name string) (*state.Account, *state.User, *state.InlinePolicy, error) {
	a, u, err := userNamed(c, r, user)
	if err != nil {
		return nil, nil, nil, err
	}
	p := a.InlinePolicy(u.Id, name)
	if p == nil {
		return nil, nil, nil, iamapi.NoSuchEntity.New("The user policy with name %s cannot be found.", name)
	}
	return a, u, p, nil
}

func getUserPolicy(c *service.Call, r state.Reader, in *iamapi.GetUserPolicyRequest) (*iamapi.GetUserPolicyResponse, error) {
	_, u, p, err := userPolicyNamed(c, r, *in.UserName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetUserPolicyResponse{UserName: &u.Name, PolicyName: &p.Name, PolicyDocument: &p.Document}, nil
}

func deleteUserPolicy(c *service.Call, tx *state.Tx, in *iamapi.DeleteUserPolicyRequest) (*wire.Empty, error) {
	a, _, p, err := userPolicyNamed(c, tx, *in.UserName, *in.PolicyName)
	if err != nil {
		return nil, err
	}
	tx.Delete(a.Unit(), p)
	return nil, nil
}

func listUserPolicies(c *service.Call, r state.Reader, in *iamapi.ListUserPoliciesRequest) (*iamapi.ListUserPoliciesResponse, error) {
	a, u, err := userNamed(c, r, *in.UserName)
	if err != nil {
		return nil, err
	}
	from, err := after("userpolicies", in.Marker)
	if err != nil {
		return nil, err
	}
	policies, marker := page("userpolicies", in.MaxItems, a.InlinePolicies(u.Id, from), func(p *state.InlinePolicy) string { return p.Name })
	out := &iamapi.ListUserPoliciesResponse{PolicyNames: make([]string, len(policies)), IsTruncated: new(marker != nil), Marker: marker}
	for i, p := range policies {
		out.PolicyNames[i] = p.Name
	}
	return out, nil
}
