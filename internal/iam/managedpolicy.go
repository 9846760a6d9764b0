package iam

import (
	"iter"
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func registerManagedPolicies(r *service.Registry, s *Service) {
	service.WritePrepared(r, iamapi.OpCreatePolicy, onNewPolicy, prepareNewPolicy, s.createPolicy)
	service.Read(r, iamapi.OpGetPolicy, onGetPolicy, getPolicy)
	service.Write(r, iamapi.OpDeletePolicy, onDeletePolicy, deletePolicy)
	service.Read(r, iamapi.OpListPolicies, onListPolicies, listPolicies)
}

// onNewPolicy is the policy as it will be. Tags need iam:TagPolicy too: AWS denies the whole call with "is not authorized to perform:
// iam:TagPolicy" where only iam:CreatePolicy is allowed (seen in public logs of CreatePolicy calls; docs/spec/evaluation.md 7, 6.).
func onNewPolicy(c *service.Call, _ state.Reader, in *iamapi.CreatePolicyRequest) ([]authz.Target, error) {
	return onNew(arn.Policy(state.Partition, c.Caller.Account, pathOr(in.Path), *in.PolicyName), "iam:TagPolicy", in.Tags, nil), nil
}

func onGetPolicy(c *service.Call, r state.Reader, in *iamapi.GetPolicyRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

func onDeletePolicy(c *service.Call, r state.Reader, in *iamapi.DeletePolicyRequest) ([]authz.Target, error) {
	return policyTarget(c, r, *in.PolicyArn)
}

// onListPolicies is the policies below the path prefix: docs/spec/evaluation.md 7.2.
func onListPolicies(c *service.Call, _ state.Reader, in *iamapi.ListPoliciesRequest) ([]authz.Target, error) {
	return one(arn.IAM(state.Partition, c.Caller.Account, "policy/"+strings.TrimPrefix(value(in.PathPrefix), "/"))), nil
}

// policyTarget is the policy that an ARN names, with its tags. An ARN that cannot be parsed ends the call before authorization, as what a
// parameter looks like comes first (docs/spec/wire.md 1.8).
func policyTarget(c *service.Call, r state.Reader, policyARN string) ([]authz.Target, error) {
	return policyTargetWith(c, r, policyARN, nil)
}

// policyTargetWith is policyTarget with further context keys.
func policyTargetWith(c *service.Call, r state.Reader, policyARN string, keys []policy.Entry) ([]authz.Target, error) {
	if err := checkPolicyARN(policyARN); err != nil {
		return nil, err
	}
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	t := authz.Target{ARN: policyARN, Keys: keys}
	if p := a.ManagedPolicyByARN(policyARN); p != nil {
		t.Tags = p.Tags
	}
	return []authz.Target{t}, nil
}

// checkPolicyARN refuses what is no ARN, and ARNs of something else than a managed policy (docs/spec/wire.md 3; the second as for boundaries,
// 4.8).
func checkPolicyARN(text string) error {
	parsed, err := arn.Parse(text)
	if err != nil {
		return wire.ValidationError.New("ARN %s is not valid.", text)
	}
	if kind, _, _, ok := parsed.Entity(); !ok || kind != "policy" || parsed.Service != "iam" {
		return iamapi.InvalidInput.New("ARN %s is not valid.", text)
	}
	return nil
}

// managedPolicy is a customer managed policy, or one of AWS; one of the two is nil.
type managedPolicy struct {
	account *state.Account // of the caller
	own     *state.ManagedPolicy
	aws     *awspolicy.Policy
}

// findPolicy looks for a policy that the account can use: its own, or one of AWS that is known here.
func findPolicy(a *state.Account, policyARN string) (managedPolicy, bool) {
	if awspolicy.Is(policyARN) {
		p := awspolicy.ByARN(policyARN)
		return managedPolicy{account: a, aws: p}, p != nil
	}
	p := a.ManagedPolicyByARN(policyARN)
	return managedPolicy{account: a, own: p}, p != nil
}

// policyAt is findPolicy in the caller's account, or NoSuchEntity.
func policyAt(c *service.Call, r state.Reader, policyARN string) (managedPolicy, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return managedPolicy{}, err
	}
	p, ok := findPolicy(a, policyARN)
	if !ok {
		return managedPolicy{}, noSuchPolicy(policyARN)
	}
	return p, nil
}

// ownPolicy is the customer managed policy that is to be changed; nil if there is none. Policies of others, those of AWS among them, are
// refused with the text given, known or not (docs/spec/evaluation.md 6.9).
func ownPolicy(c *service.Call, r state.Reader, policyARN, refusal string) (*state.Account, *state.ManagedPolicy, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, nil, err
	}
	if parsed, err := arn.Parse(policyARN); err == nil && parsed.Account != a.ID {
		return nil, nil, wire.AccessDenied.New("%s", refusal)
	}
	return a, a.ManagedPolicyByARN(policyARN), nil
}

// ownPolicyAt is ownPolicy, or NoSuchEntity.
func ownPolicyAt(c *service.Call, r state.Reader, policyARN, refusal string) (*state.Account, *state.ManagedPolicy, error) {
	a, p, err := ownPolicy(c, r, policyARN, refusal)
	if err == nil && p == nil {
		err = noSuchPolicy(policyARN)
	}
	return a, p, err
}

// What the refusal of a change to a policy of AWS says (docs/spec/wire.md 8).
const (
	cannotDelete        = "Cannot delete policies outside your own account."
	cannotDeleteVersion = "Cannot delete policy versions for policies outside your own account."
	cannotUpdate        = "Cannot update policies outside your own account."
)

func noSuchPolicy(policyARN string) *wire.Error {
	return iamapi.NoSuchEntity.New("Policy %s was not found.", policyARN)
}

func notAttachable(policyARN string) *wire.Error {
	return iamapi.NoSuchEntity.New("Policy %s does not exist or is not attachable.", policyARN)
}

func onlyForServiceRoles() *wire.Error {
	return iamapi.PolicyNotAttachable.New("Cannot attach a Service Role Policy to a Customer Role.")
}

func (p managedPolicy) arn() string {
	if p.aws != nil {
		return p.aws.ARN()
	}
	return p.own.ARN(p.account.ID)
}

func (p managedPolicy) path() string {
	if p.aws != nil {
		return p.aws.Path
	}
	return p.own.Path
}

// ofServiceRole says whether only service-linked roles have the policy.
func (p managedPolicy) ofServiceRole() bool {
	return strings.HasPrefix(p.path(), awspolicy.ServiceRolePath)
}

// prepareNewPolicy compiles the document. Its error waits until the tags were looked at.
func prepareNewPolicy(_ *service.Call, _ *state.View, in *iamapi.CreatePolicyRequest) (checkedPolicy, error) {
	return checkPolicy(*in.PolicyDocument, policy.Managed), nil
}

// fits refuses a document that is malformed or too long.
func (s *Service) fits(checked checkedPolicy) error {
	if checked.err != nil {
		return checked.err
	}
	if policy.CountedSize(checked.compiled.Text()) > s.quotas.PolicySize {
		return exceeded("PolicySize", s.quotas.PolicySize)
	}
	return nil
}

func (s *Service) createPolicy(c *service.Call, tx *state.Tx, in *iamapi.CreatePolicyRequest, checked checkedPolicy) (*iamapi.CreatePolicyResponse, error) {
	a, err := callersAccount(c, tx)
	if err != nil {
		return nil, err
	}
	tags, err := policyTags.read(in.Tags)
	if err != nil {
		return nil, err
	}
	if err := s.fits(checked); err != nil {
		return nil, err
	}
	if a.ManagedPolicyByName(*in.PolicyName) != nil {
		return nil, iamapi.EntityAlreadyExists.New("A policy called %s already exists. Duplicate names are not allowed.", *in.PolicyName)
	}
	if a.ManagedPolicyCount() >= s.quotas.PoliciesPerAccount {
		return nil, exceeded("PoliciesPerAccount", s.quotas.PoliciesPerAccount)
	}
	p := &state.ManagedPolicy{}
	p.Id = tx.IDs().UniqueID(keyring.PolicyPrefix, a.ID)
	p.Name, p.Path, p.Description, p.Tags = *in.PolicyName, pathOr(in.Path), value(in.Description), tags
	p.Created = tx.Now().UnixMicro()
	p.Updated, p.DefaultVersion, p.LastVersion = p.Created, 1, 1
	tx.Put(a.Unit(), p)
	tx.Put(a.Unit(), newVersion(p, checked.compiled))
	x := managedPolicy{account: a, own: p}.shown()
	if len(p.Tags) > 0 {
		x.Tags = xTags(p.Tags)
	}
	return &iamapi.CreatePolicyResponse{Policy: &x}, nil
}

func getPolicy(c *service.Call, r state.Reader, in *iamapi.GetPolicyRequest) (*iamapi.GetPolicyResponse, error) {
	p, err := policyAt(c, r, *in.PolicyArn)
	if err != nil {
		return nil, err
	}
	x := p.shown()
	x.Tags = []iamapi.Tag{} // shown even if there are none
	switch {
	case p.aws != nil:
		x.Description = &p.aws.Description
	default:
		x.Tags = xTags(p.own.Tags)
		if p.own.Description != "" {
			x.Description = &p.own.Description
		}
	}
	return &iamapi.GetPolicyResponse{Policy: &x}, nil
}

func deletePolicy(c *service.Call, tx *state.Tx, in *iamapi.DeletePolicyRequest) (*wire.Empty, error) {
	a, p, err := ownPolicyAt(c, tx, *in.PolicyArn, cannotDelete)
	if err != nil {
		return nil, err
	}
	for _, boundary := range [...]bool{false, true} {
		for range a.AttachmentsOf(*in.PolicyArn, boundary) {
			return nil, iamapi.DeleteConflict.New("Cannot delete a policy attached to entities.")
		}
	}
	var versions []*state.PolicyVersion
	for v := range a.PolicyVersions(p.Id) {
		versions = append(versions, v)
	}
	if len(versions) > 1 {
		return nil, iamapi.DeleteConflict.New("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	for _, v := range versions {
		tx.Delete(a.Unit(), v)
	}
	tx.Delete(a.Unit(), p)
	return nil, nil
}

func listPolicies(c *service.Call, r state.Reader, in *iamapi.ListPoliciesRequest) (*iamapi.ListPoliciesResponse, error) {
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	from, err := after("policies", in.Marker)
	if err != nil {
		return nil, err
	}
	scope, prefix := value(in.Scope), value(in.PathPrefix)
	listed := filter(policiesAfter(a, from, scope != iamapi.PolicyScopeTypeAws, scope != iamapi.PolicyScopeTypeLocal), func(p managedPolicy) bool {
		return strings.HasPrefix(p.path(), prefix) && p.usedAs(value(in.OnlyAttached), value(in.PolicyUsageFilter))
	})
	policies, marker := page("policies", in.MaxItems, listed, managedPolicy.place)
	out := &iamapi.ListPoliciesResponse{Policies: make([]iamapi.Policy, len(policies)), IsTruncated: new(marker != nil), Marker: marker}
	for i, p := range policies {
		out.Policies[i] = p.shown()
	}
	return out, nil
}

// usedAs says whether a list that is to show only policies in use shows p. To be attached is to be used as a permissions policy, unless
// the list is about boundaries.
func (p managedPolicy) usedAs(onlyAttached bool, usage string) bool {
	switch {
	case usage == iamapi.PolicyUsageTypePermissionsBoundary:
		return p.isUsed(true)
	case onlyAttached, usage == iamapi.PolicyUsageTypePermissionsPolicy:
		return p.isUsed(false)
	}
	return true
}

func (p managedPolicy) isUsed(asBoundary bool) bool {
	for range p.account.AttachmentsOf(p.arn(), asBoundary) {
		return true
	}
	return false
}

// place is what a marker remembers of a policy in a list: of the account's own the name, of AWS's the number in their fixed order.
func (p managedPolicy) place() string {
	if p.aws == nil {
		return "l" + p.own.Name
	}
	for i, other := range awspolicy.All() {
		if other == p.aws {
			return "a" + strconv.Itoa(i+1)
		}
	}
	return "a"
}

// policiesAfter walks the account's own policies in order of name, then those of AWS in theirs, beginning behind a place ("" = all).
func policiesAfter(a *state.Account, place string, own, aws bool) iter.Seq[managedPolicy] {
	name, skip := "", 0
	switch {
	case strings.HasPrefix(place, "l"):
		name = place[1:]
	case place != "":
		n, err := strconv.Atoi(strings.TrimPrefix(place, "a"))
		own, skip = false, n
		if err != nil || n < 0 {
			skip = len(awspolicy.All())
		}
	}
	return func(yield func(managedPolicy) bool) {
		if own {
			for p := range a.ManagedPolicies(name) {
				if !yield(managedPolicy{account: a, own: p}) {
					return
				}
			}
		}
		if !aws {
			return
		}
		all := awspolicy.All()
		for _, p := range all[min(skip, len(all)):] {
			if !yield(managedPolicy{account: a, aws: p}) {
				return
			}
		}
	}
}

// shown is a policy as answers show it, without what only some of them have: description and tags (docs/spec/wire.md 8).
func (p managedPolicy) shown() iamapi.Policy {
	policyARN := p.arn()
	x := iamapi.Policy{
		Arn: &policyARN, IsAttachable: new(true),
		AttachmentCount: new(p.count(policyARN, false)), PermissionsBoundaryUsageCount: new(p.count(policyARN, true)),
	}
	if p.aws != nil {
		x.PolicyName, x.PolicyId, x.Path, x.DefaultVersionId = &p.aws.Name, &p.aws.ID, &p.aws.Path, new(p.aws.VersionID())
		x.CreateDate, x.UpdateDate = new(p.aws.Created()), new(p.aws.Updated())
		return x
	}
	x.PolicyName, x.PolicyId, x.Path = &p.own.Name, &p.own.Id, &p.own.Path
	x.DefaultVersionId = new(versionID(p.own.DefaultVersion))
	x.CreateDate, x.UpdateDate = xTime(p.own.Created), xTime(p.own.Updated)
	return x
}

func (p managedPolicy) count(policyARN string, boundary bool) (n int32) {
	for range p.account.AttachmentsOf(policyARN, boundary) {
		n++
	}
	return n
}

func versionID(number uint32) string { return "v" + strconv.FormatUint(uint64(number), 10) }
