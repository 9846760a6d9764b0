package iam

import (
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func registerAttachments(r *service.Registry, s *Service) {
	service.Write(r, iamapi.OpAttachUserPolicy, onAttachUserPolicy, s.attachUserPolicy)
	service.Write(r, iamapi.OpAttachGroupPolicy, onAttachGroupPolicy, s.attachGroupPolicy)
	service.Write(r, iamapi.OpAttachRolePolicy, onAttachRolePolicy, s.attachRolePolicy)
	service.Write(r, iamapi.OpDetachUserPolicy, onDetachUserPolicy, detachUserPolicy)
	service.Write(r, iamapi.OpDetachGroupPolicy, onDetachGroupPolicy, detachGroupPolicy)
	service.Write(r, iamapi.OpDetachRolePolicy, onDetachRolePolicy, detachRolePolicy)
	service.Read(r, iamapi.OpListAttachedUserPolicies, onListAttachedUserPolicies, listAttachedUserPolicies)
	service.Read(r, iamapi.OpListAttachedGroupPolicies, onListAttachedGroupPolicies, listAttachedGroupPolicies)
	service.Read(r, iamapi.OpListAttachedRolePolicies, onListAttachedRolePolicies, listAttachedRolePolicies)
}

func onAttachUserPolicy(c *service.Call, r state.Reader, in *iamapi.AttachUserPolicyRequest) ([]authz.Target, error) {
	return attachTarget(c, r, users, *in.UserName, *in.PolicyArn)
}

func onAttachGroupPolicy(c *service.Call, r state.Reader, in *iamapi.AttachGroupPolicyRequest) ([]authz.Target, error) {
	return attachTarget(c, r, groups, *in.GroupName, *in.PolicyArn)
}

func onAttachRolePolicy(c *service.Call, r state.Reader, in *iamapi.AttachRolePolicyRequest) ([]authz.Target, error) {
	return attachTarget(c, r, roles, *in.RoleName, *in.PolicyArn)
}

func onDetachUserPolicy(c *service.Call, r state.Reader, in *iamapi.DetachUserPolicyRequest) ([]authz.Target, error) {
	return attachTarget(c, r, users, *in.UserName, *in.PolicyArn)
}

func onDetachGroupPolicy(c *service.Call, r state.Reader, in *iamapi.DetachGroupPolicyRequest) ([]authz.Target, error) {
	return attachTarget(c, r, groups, *in.GroupName, *in.PolicyArn)
}

func onDetachRolePolicy(c *service.Call, r state.Reader, in *iamapi.DetachRolePolicyRequest) ([]authz.Target, error) {
	return attachTarget(c, r, roles, *in.RoleName, *in.PolicyArn)
}

func onListAttachedUserPolicies(c *service.Call, r state.Reader, in *iamapi.ListAttachedUserPoliciesRequest) ([]authz.Target, error) {
	return holderAlone(c, r, users, *in.UserName)
}

func onListAttachedGroupPolicies(c *service.Call, r state.Reader, in *iamapi.ListAttachedGroupPoliciesRequest) ([]authz.Target, error) {
	return holderAlone(c, r, groups, *in.GroupName)
}

func onListAttachedRolePolicies(c *service.Call, r state.Reader, in *iamapi.ListAttachedRolePoliciesRequest) ([]authz.Target, error) {
	return holderAlone(c, r, roles, *in.RoleName)
}

// attachTarget is who the policy is attached to, with the policy as iam:PolicyARN.
func attachTarget(c *service.Call, r state.Reader, of kindOfHolder, name, policyARN string) ([]authz.Target, error) {
	if err := checkPolicyARN(policyARN); err != nil {
		return nil, err
	}
	t, err := holderTarget(c, r, of, name)
	if err != nil {
		return nil, err
	}
	t.Keys = append(t.Keys, single("iam:PolicyARN", policyARN))
	return []authz.Target{t}, nil
}

func (s *Service) attachUserPolicy(c *service.Call, tx *state.Tx, in *iamapi.AttachUserPolicyRequest) (*wire.Empty, error) {
	return nil, attach(c, tx, users, *in.UserName, *in.PolicyArn, "PoliciesPerUser", s.quotas.PoliciesPerUser)
}

func (s *Service) attachGroupPolicy(c *service.Call, tx *state.Tx, in *iamapi.AttachGroupPolicyRequest) (*wire.Empty, error) {
	return nil, attach(c, tx, groups, *in.GroupName, *in.PolicyArn, "PoliciesPerGroup", s.quotas.PoliciesPerGroup)
}

func (s *Service) attachRolePolicy(c *service.Call, tx *state.Tx, in *iamapi.AttachRolePolicyRequest) (*wire.Empty, error) {
	return nil, attach(c, tx, roles, *in.RoleName, *in.PolicyArn, "PoliciesPerRole", s.quotas.PoliciesPerRole)
}

// attachedTo is the holder whose policies are to be changed. Roles of AWS's own services are refused (docs/spec/evaluation.md 6.9).
func attachedTo(c *service.Call, r state.Reader, of kindOfHolder, name string) (holder, error) {
	h, err := holderNamed(c, r, of, name)
	if err == nil && h.kind == "role" {
		err = modifiable(h.account.Role(h.id))
	}
	return h, err
}

// attach is the same for all holders: who, which policy, whether it may be attached at all, and how many there are. Attaching what is
// attached changes nothing.
func attach(c *service.Call, tx *state.Tx, of kindOfHolder, name, policyARN, quota string, most int) error {
	h, err := attachedTo(c, tx, of, name)
	if err != nil {
		return err
	}
	p, ok := findPolicy(h.account, policyARN)
	if !ok {
		return notAttachable(policyARN)
	}
	if p.ofServiceRole() {
		return onlyForServiceRoles()
	}
	if h.account.Attachment(h.id, policyARN) != nil {
		return nil
	}
	count, last := 0, uint32(0)
	for t := range h.account.Attachments(h.id) {
		count, last = count+1, t.Seq // in order of Seq
	}
	if count >= most {
		return exceeded(quota, most)
	}
	t := &state.Attachment{}
	t.Owner, t.Policy, t.Seq = h.id, policyARN, last+1
	tx.Put(h.account.Unit(), t)
	return nil
}

func detachUserPolicy(c *service.Call, tx *state.Tx, in *iamapi.DetachUserPolicyRequest) (*wire.Empty, error) {
	return nil, detach(c, tx, users, *in.UserName, *in.PolicyArn)
}

func detachGroupPolicy(c *service.Call, tx *state.Tx, in *iamapi.DetachGroupPolicyRequest) (*wire.Empty, error) {
	return nil, detach(c, tx, groups, *in.GroupName, *in.PolicyArn)
}

func detachRolePolicy(c *service.Call, tx *state.Tx, in *iamapi.DetachRolePolicyRequest) (*wire.Empty, error) {
	return nil, detach(c, tx, roles, *in.RoleName, *in.PolicyArn)
}

// detach does not ask whether the policy is known: what is attached can always be detached.
func detach(c *service.Call, tx *state.Tx, of kindOfHolder, name, policyARN string) error {
	h, err := attachedTo(c, tx, of, name)
	if err != nil {
		return err
	}
	t := h.account.Attachment(h.id, policyARN)
	if t == nil {
		return noSuchPolicy(policyARN)
	}
	tx.Delete(h.account.Unit(), t)
	return nil
}

func listAttachedUserPolicies(c *service.Call, r state.Reader, in *iamapi.ListAttachedUserPoliciesRequest) (*iamapi.ListAttachedUserPoliciesResponse, error) {
	policies, marker, err := listAttached(c, r, users, *in.UserName, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListAttachedUserPoliciesResponse{AttachedPolicies: policies, IsTruncated: new(marker != nil), Marker: marker}, nil
}

func listAttachedGroupPolicies(c *service.Call, r state.Reader, in *iamapi.ListAttachedGroupPoliciesRequest) (*iamapi.ListAttachedGroupPoliciesResponse, error) {
	policies, marker, err := listAttached(c, r, groups, *in.GroupName, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListAttachedGroupPoliciesResponse{AttachedPolicies: policies, IsTruncated: new(marker != nil), Marker: marker}, nil
}

func listAttachedRolePolicies(c *service.Call, r state.Reader, in *iamapi.ListAttachedRolePoliciesRequest) (*iamapi.ListAttachedRolePoliciesResponse, error) {
	policies, marker, err := listAttached(c, r, roles, *in.RoleName, in.PathPrefix, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &iamapi.ListAttachedRolePoliciesResponse{AttachedPolicies: policies, IsTruncated: new(marker != nil), Marker: marker}, nil
}

// listAttached is a page of what is attached to a holder, in order of attachment. A marker remembers the number in that order.
func listAttached(c *service.Call, r state.Reader, of kindOfHolder, name string, pathPrefix, from *string, maxItems *int32) ([]iamapi.AttachedPolicy, *string, error) {
	h, err := holderNamed(c, r, of, name)
	if err != nil {
		return nil, nil, err
	}
	place, err := after("attached", from)
	if err != nil {
		return nil, nil, err
	}
	last := uint64(0)
	if place != "" {
		if last, err = strconv.ParseUint(place, 10, 32); err != nil {
			return nil, nil, invalidMarker()
		}
	}
	prefix := value(pathPrefix)
	below := filter(h.account.Attachments(h.id), func(t *state.Attachment) bool {
		path, _ := policyName(t.Policy)
		return uint64(t.Seq) > last && strings.HasPrefix(path, prefix)
	})
	attached, marker := page("attached", maxItems, below, func(t *state.Attachment) string { return strconv.FormatUint(uint64(t.Seq), 10) })
	return xAttached(attached), marker, nil
}

func xAttached(attached []*state.Attachment) []iamapi.AttachedPolicy {
	x := make([]iamapi.AttachedPolicy, len(attached))
	for i, t := range attached {
		_, name := policyName(t.Policy)
		x[i] = iamapi.AttachedPolicy{PolicyName: &name, PolicyArn: &t.Policy}
	}
	return x
}

// policyName is the path and the name in a policy's ARN.
func policyName(policyARN string) (path, name string) {
	parsed, err := arn.Parse(policyARN)
	if err != nil { // not attached by any call
		return "/", policyARN
	}
	_, path, name, _ = parsed.Entity()
	return path, name
}
