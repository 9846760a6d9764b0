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

func registerInlinePolicies(r *service.Registry, s *Service) {
	putInline(r, s, iamapi.OpPutUserPolicy, func(in *iamapi.PutUserPolicyRequest) inline {
		return inline{users, *in.UserName, *in.PolicyName, *in.PolicyDocument}
	})
	putInline(r, s, iamapi.OpPutGroupPolicy, func(in *iamapi.PutGroupPolicyRequest) inline {
		return inline{groups, *in.GroupName, *in.PolicyName, *in.PolicyDocument}
	})
	putInline(r, s, iamapi.OpPutRolePolicy, func(in *iamapi.PutRolePolicyRequest) inline {
		return inline{roles, *in.RoleName, *in.PolicyName, *in.PolicyDocument}
	})

	getInline(r, iamapi.OpGetUserPolicy, func(in *iamapi.GetUserPolicyRequest) inline {
		return inline{of: users, holder: *in.UserName, name: *in.PolicyName}
	}, func(holder *string, p *state.InlinePolicy) *iamapi.GetUserPolicyResponse {
		return &iamapi.GetUserPolicyResponse{UserName: holder, PolicyName: &p.Name, PolicyDocument: &p.Document}
	})
	getInline(r, iamapi.OpGetGroupPolicy, func(in *iamapi.GetGroupPolicyRequest) inline {
		return inline{of: groups, holder: *in.GroupName, name: *in.PolicyName}
	}, func(holder *string, p *state.InlinePolicy) *iamapi.GetGroupPolicyResponse {
		return &iamapi.GetGroupPolicyResponse{GroupName: holder, PolicyName: &p.Name, PolicyDocument: &p.Document}
	})
	getInline(r, iamapi.OpGetRolePolicy, func(in *iamapi.GetRolePolicyRequest) inline {
		return inline{of: roles, holder: *in.RoleName, name: *in.PolicyName}
	}, func(holder *string, p *state.InlinePolicy) *iamapi.GetRolePolicyResponse {
		return &iamapi.GetRolePolicyResponse{RoleName: holder, PolicyName: &p.Name, PolicyDocument: &p.Document}
	})

	deleteInline(r, iamapi.OpDeleteUserPolicy, func(in *iamapi.DeleteUserPolicyRequest) inline {
		return inline{of: users, holder: *in.UserName, name: *in.PolicyName}
	})
	deleteInline(r, iamapi.OpDeleteGroupPolicy, func(in *iamapi.DeleteGroupPolicyRequest) inline {
		return inline{of: groups, holder: *in.GroupName, name: *in.PolicyName}
	})
	deleteInline(r, iamapi.OpDeleteRolePolicy, func(in *iamapi.DeleteRolePolicyRequest) inline {
		return inline{of: roles, holder: *in.RoleName, name: *in.PolicyName}
	})

	listInline(r, iamapi.OpListUserPolicies, func(in *iamapi.ListUserPoliciesRequest) (kindOfHolder, string, *string, *int32) {
		return users, *in.UserName, in.Marker, in.MaxItems
	}, func(names []string, marker *string) *iamapi.ListUserPoliciesResponse {
		return &iamapi.ListUserPoliciesResponse{PolicyNames: names, IsTruncated: new(marker != nil), Marker: marker}
	})
	listInline(r, iamapi.OpListGroupPolicies, func(in *iamapi.ListGroupPoliciesRequest) (kindOfHolder, string, *string, *int32) {
		return groups, *in.GroupName, in.Marker, in.MaxItems
	}, func(names []string, marker *string) *iamapi.ListGroupPoliciesResponse {
		return &iamapi.ListGroupPoliciesResponse{PolicyNames: names, IsTruncated: new(marker != nil), Marker: marker}
	})
	listInline(r, iamapi.OpListRolePolicies, func(in *iamapi.ListRolePoliciesRequest) (kindOfHolder, string, *string, *int32) {
		return roles, *in.RoleName, in.Marker, in.MaxItems
	}, func(names []string, marker *string) *iamapi.ListRolePoliciesResponse {
		return &iamapi.ListRolePoliciesResponse{PolicyNames: names, IsTruncated: new(marker != nil), Marker: marker}
	})
}

// inline is the inline policy that a request is about.
type inline struct {
	of       kindOfHolder
	holder   string
	name     string
	document string // that is to be put
}

// inlineChange is the target of what changes an inline policy. Of the operations here these have iam:PermissionsBoundary (Service
// Authorization Reference, IAM).
func inlineChange[In any](of func(*In) inline) service.Target[In] {
	return func(c *service.Call, r state.Reader, in *In) ([]authz.Target, error) {
		i := of(in)
		t, err := holderTarget(c, r, i.of, i.holder)
		return []authz.Target{t}, err
	}
}

// checkedPolicy is a document and what compiling it gave. Its error waits until the holder was found, which comes first.
type checkedPolicy struct {
	compiled *policy.Policy
	err      error
}

func checkPolicy(document string, kind policy.Kind) checkedPolicy {
	compiled, err := policy.Load(document, kind)
	if err != nil {
		return checkedPolicy{err: malformed(err)}
	}
	return checkedPolicy{compiled: compiled}
}

// malformed says what is wrong with a document in the words of docs/spec/policy-language.md 12.
func malformed(err error) error {
	var e *policy.Error
	if !errors.As(err, &e) {
		return err
	}
	return iamapi.MalformedPolicyDocument.New("%s", e.Message)
}

func putInline[In any](r *service.Registry, s *Service, op wire.Op[In, wire.Empty], of func(*In) inline) {
	service.WritePrepared(r, op, inlineChange(of),
		func(_ *service.Call, _ *state.View, in *In) (checkedPolicy, error) {
			return checkPolicy(of(in).document, policy.Identity), nil
		},
		func(c *service.Call, tx *state.Tx, in *In, checked checkedPolicy) (*wire.Empty, error) {
			return nil, s.putInlinePolicy(c, tx, of(in), checked)
		})
}

func (s *Service) putInlinePolicy(c *service.Call, tx *state.Tx, i inline, checked checkedPolicy) error {
	h, err := changeableHolder(c, tx, i)
	if err != nil {
		return err
	}
	if checked.err != nil {
		return checked.err
	}
	size, most := policy.CountedSize(i.document), s.quotas.inlineSize(h.kind)
	for p := range h.account.InlinePolicies(h.id, "") {
		if p.Name != i.name {
			size += policy.CountedSize(p.Document)
		}
	}
	if size > most {
		return iamapi.LimitExceeded.New("Maximum policy size of %d bytes exceeded for %s %s", most, h.kind, h.name)
	}
	p := h.account.InlinePolicy(h.id, i.name)
	if p == nil {
		p = &state.InlinePolicy{}
		p.Owner, p.Name = h.id, i.name
	}
	tx.Put(h.account.Unit(), p.WithDocument(checked.compiled))
	return nil
}

// inlineSize is how much all inline policies of a user, group or role may count together.
func (q *Quotas) inlineSize(kind string) int {
	switch kind {
	case "group":
		return q.GroupPolicySize
	case "role":
		return q.RolePolicySize
	}
	return q.UserPolicySize
}

// changeableHolder is the holder of a policy that is to be changed.
func changeableHolder(c *service.Call, r state.Reader, i inline) (holder, error) {
	h, err := holderNamed(c, r, i.of, i.holder)
	if err != nil || h.kind != "role" {
		return h, err
	}
	return h, modifiable(h.account.Role(h.id))
}

// policyOf is the inline policy of a holder, or NoSuchEntity.
func policyOf(h holder, name string) (*state.InlinePolicy, error) {
	p := h.account.InlinePolicy(h.id, name)
	if p == nil {
		return nil, iamapi.NoSuchEntity.New("The %s policy with name %s cannot be found.", h.kind, name)
	}
	return p, nil
}

func getInline[In, Out any](r *service.Registry, op wire.Op[In, Out], of func(*In) inline, show func(holder *string, p *state.InlinePolicy) *Out) {
	service.Read(r, op,
		func(c *service.Call, r state.Reader, in *In) ([]authz.Target, error) {
			i := of(in)
			return holderAlone(c, r, i.of, i.holder)
		},
		func(c *service.Call, r state.Reader, in *In) (*Out, error) {
			i := of(in)
			h, err := holderNamed(c, r, i.of, i.holder)
			if err != nil {
				return nil, err
			}
			p, err := policyOf(h, i.name)
			if err != nil {
				return nil, err
			}
			return show(&h.name, p), nil
		})
}

func deleteInline[In any](r *service.Registry, op wire.Op[In, wire.Empty], of func(*In) inline) {
	service.Write(r, op, inlineChange(of), func(c *service.Call, tx *state.Tx, in *In) (*wire.Empty, error) {
		i := of(in)
		h, err := changeableHolder(c, tx, i)
		if err != nil {
			return nil, err
		}
		p, err := policyOf(h, i.name)
		if err != nil {
			return nil, err
		}
		tx.Delete(h.account.Unit(), p)
		return nil, nil
	})
}

func listInline[In, Out any](r *service.Registry, op wire.Op[In, Out],
	of func(*In) (holders kindOfHolder, name string, marker *string, maxItems *int32), show func(names []string, marker *string) *Out) {
	service.Read(r, op,
		func(c *service.Call, r state.Reader, in *In) ([]authz.Target, error) {
			holders, name, _, _ := of(in)
			return holderAlone(c, r, holders, name)
		},
		func(c *service.Call, r state.Reader, in *In) (*Out, error) {
			holders, name, marker, maxItems := of(in)
			h, err := holderNamed(c, r, holders, name)
			if err != nil {
				return nil, err
			}
			list := h.kind + "policies"
			from, err := after(list, marker)
			if err != nil {
				return nil, err
			}
			policies, next := page(list, maxItems, h.account.InlinePolicies(h.id, from), (*state.InlinePolicy).GetName)
			names := make([]string, len(policies))
			for i, p := range policies {
				names[i] = p.Name
			}
			return show(names, next), nil
		})
}
