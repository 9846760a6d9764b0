package iam

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func registerSimulation(r *service.Registry, s *Service) {
	service.Read(r, iamapi.OpSimulateCustomPolicy, service.Account, s.simulateCustomPolicy)
	service.Read(r, iamapi.OpSimulatePrincipalPolicy, onSimulatePrincipalPolicy, s.simulatePrincipalPolicy)
	service.Read(r, iamapi.OpGetContextKeysForCustomPolicy, service.Account, contextKeysForCustomPolicy)
	service.Read(r, iamapi.OpGetContextKeysForPrincipalPolicy, onContextKeysForPrincipalPolicy, contextKeysForPrincipalPolicy)
}

func onSimulatePrincipalPolicy(c *service.Call, r state.Reader, in *iamapi.SimulatePrincipalPolicyRequest) ([]authz.Target, error) {
	return policySourceTarget(c, r, *in.PolicySourceArn)
}

func onContextKeysForPrincipalPolicy(c *service.Call, r state.Reader, in *iamapi.GetContextKeysForPrincipalPolicyRequest) ([]authz.Target, error) {
	return policySourceTarget(c, r, *in.PolicySourceArn)
}

// policySourceTarget is the user, group or role that an ARN names, with its tags. What is no such ARN ends the call before authorization, as what
// a parameter looks like comes first (docs/spec/wire.md 1.8).
func policySourceTarget(c *service.Call, r state.Reader, sourceARN string) ([]authz.Target, error) {
	kind, _, err := policySource(sourceARN)
	if err != nil {
		return nil, err
	}
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	t := authz.Target{ARN: sourceARN}
	if h, ok := kind.of(a, sourceARN); ok {
		t.Tags = h.tags
	}
	return []authz.Target{t}, nil
}

// sourceKind finds users, groups or roles by their ARN.
type sourceKind struct {
	kind  string
	named kindOfHolder
}

var sourceKinds = [...]sourceKind{{"user", users}, {"group", groups}, {"role", roles}}

// policySource reads a PolicySourceArn.
func policySource(sourceARN string) (of sourceKind, name string, err error) {
	parsed, parseErr := arn.Parse(sourceARN)
	if parseErr == nil && parsed.Service == "iam" {
		if kind, _, name, ok := parsed.Entity(); ok {
			for _, k := range sourceKinds {
				if k.kind == kind {
					return k, name, nil
				}
			}
		}
	}
	return sourceKind{}, "", iamapi.InvalidInput.New("Invalid Entity Arn: %s is not the ARN of a user, a group or a role.", sourceARN)
}

// of is the holder with exactly that ARN, which has case.
func (k sourceKind) of(a *state.Account, sourceARN string) (holder, bool) {
	h, ok := k.named(a, sourceARN[strings.LastIndexByte(sourceARN, '/')+1:])
	return h, ok && h.arn == sourceARN
}

func sourceHolder(c *service.Call, r state.Reader, sourceARN string) (holder, error) {
	kind, name, err := policySource(sourceARN)
	if err != nil {
		return holder{}, err
	}
	a, err := callersAccount(c, r)
	if err != nil {
		return holder{}, err
	}
	h, ok := kind.of(a, sourceARN)
	if !ok {
		return holder{}, noSuchHolder(kind.kind, name)
	}
	return h, nil
}

// simulation is what both operations have in common.
type simulation struct {
	Policies, Boundary     []string
	Actions, Resources     []string
	ResourcePolicy         *string
	ResourceOwner          *string
	CallerArn              *string
	ContextEntries         []iamapi.ContextEntry
	ResourceHandlingOption *string
	MaxItems               *int32
	Marker                 *string
}

func (s *Service) simulateCustomPolicy(c *service.Call, r state.Reader, in *iamapi.SimulateCustomPolicyRequest) (*iamapi.SimulatePolicyResponse, error) {
	asked := simulation{
		in.PolicyInputList, in.PermissionsBoundaryPolicyInputList, in.ActionNames, in.ResourceArns, in.ResourcePolicy, in.ResourceOwner, in.CallerArn,
		in.ContextEntries, in.ResourceHandlingOption, in.MaxItems, in.Marker,
	}
	a, err := callersAccount(c, r)
	if err != nil {
		return nil, err
	}
	// Nothing of the store is read: the permission is not one on any user.
	caller := policy.Caller{Kind: policy.UserCaller, Account: a.ID}
	switch {
	case asked.CallerArn != nil:
		if caller, err = simulatedUser(*asked.CallerArn); err != nil {
			return nil, err
		}
	case asked.ResourcePolicy != nil:
		return nil, iamapi.InvalidInput.New("CallerArn is required with ResourcePolicy: its principals are compared with it.")
	}
	question := &simulate.Input{Catalog: s.catalog, Sets: &policy.Sets{Caller: caller}}
	if asked.CallerArn == nil { // somebody of the account that owns the resources, whatever their ARNs say
		question.Owner = caller.Account
	}
	return asked.answer(question, nil)
}

func (s *Service) simulatePrincipalPolicy(c *service.Call, r state.Reader, in *iamapi.SimulatePrincipalPolicyRequest) (*iamapi.SimulatePolicyResponse, error) {
	asked := simulation{
		in.PolicyInputList, in.PermissionsBoundaryPolicyInputList, in.ActionNames, in.ResourceArns, in.ResourcePolicy, in.ResourceOwner, in.CallerArn,
		in.ContextEntries, in.ResourceHandlingOption, in.MaxItems, in.Marker,
	}
	h, err := sourceHolder(c, r, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	if h.kind == "group" && asked.ResourcePolicy != nil && asked.CallerArn == nil {
		return nil, iamapi.InvalidInput.New("CallerArn is required with ResourcePolicy and a group: its principals are compared with it.")
	}
	question := &simulate.Input{Catalog: s.catalog, Sets: setsOfHolder(r, h), InOrganization: r.Membership(h.account.ID) != nil}
	var tags map[string]string
	if asked.CallerArn == nil || *asked.CallerArn == h.arn {
		tags = make(map[string]string, len(h.tags))
		for _, t := range h.tags {
			tags[t.Key] = t.Value
		}
	} else if question.Sets.Caller, err = simulatedUser(*asked.CallerArn); err != nil { // as if it had the policies of the source
		return nil, err
	}
	if err := evaluable(question.Sets); err != nil {
		return nil, err
	}
	return asked.answer(question, tags)
}

// setsOfHolder are the policies of a user, the sessions of a role, or a user who would have only those of a group.
func setsOfHolder(r state.Reader, h holder) *policy.Sets {
	var sets *policy.Sets
	switch h.kind {
	case "user":
		sets = authz.SetsOf(r, h.account, h.id, policy.UserCaller)
	case "role":
		sets = authz.SetsOf(r, h.account, h.id, policy.RoleCaller)
	}
	if sets != nil {
		return sets
	}
	sets = &policy.Sets{
		Caller:   policy.Caller{Kind: policy.UserCaller, Account: h.account.ID},
		Identity: policy.NewSet(authz.PoliciesOf(h.account, h.id, h.arn)...),
	}
	if m := r.Membership(h.account.ID); m != nil {
		sets.SCP = m.SCP
	}
	return sets
}

// evaluable says which policy of the store cannot be evaluated, if there is one: a simulation with it would deny everything.
func evaluable(s *policy.Sets) error {
	for _, set := range slices.Concat([]*policy.Set{s.Identity, s.Boundary}, s.SCP) {
		for _, a := range set.Policies() {
			if a.Policy == nil {
				return iamapi.PolicyEvaluation.New("The policy %s could not be evaluated.", simulate.SourceID(a))
			}
		}
	}
	return nil
}

// simulatedUser is a CallerArn.
func simulatedUser(callerARN string) (policy.Caller, error) {
	caller, err := simulate.ParseCaller(callerARN)
	if err != nil || caller.Kind != policy.UserCaller {
		return policy.Caller{}, iamapi.InvalidInput.New("CallerArn %s is not the ARN of a user.", callerARN)
	}
	return caller, nil
}

// answer simulates what a page of the answer has. tags are those of the caller.
func (s *simulation) answer(question *simulate.Input, tags map[string]string) (*iamapi.SimulatePolicyResponse, error) {
	if err := s.fill(question, tags); err != nil {
		return nil, err
	}
	from, to, err := s.pageOf(question)
	if err != nil {
		return nil, err
	}
	page := *question
	page.Actions = question.Actions[from:to]
	results, err := simulate.Run(&page)
	if err != nil {
		return nil, err
	}
	out := &iamapi.SimulatePolicyResponse{EvaluationResults: make([]iamapi.EvaluationResult, 0, len(results)), IsTruncated: new(to < len(question.Actions))}
	if to < len(question.Actions) {
		out.Marker = markerOf(simulationList, strconv.Itoa(to))
	}
	for i := range results {
		out.EvaluationResults = append(out.EvaluationResults, xEvaluation(&results[i], len(s.Resources) > 0))
	}
	return out, nil
}

const simulationList = "simulation"

// pageOf is which actions the page is about: as many as were asked for, as one page may cost, but one at least.
func (s *simulation) pageOf(question *simulate.Input) (from, to int, err error) {
	place, err := after(simulationList, s.Marker)
	if err != nil {
		return 0, 0, err
	}
	if place != "" {
		if from, err = strconv.Atoi(place); err != nil || from <= 0 || from >= len(question.Actions) {
			return 0, 0, invalidMarker()
		}
	}
	each := max(1, len(question.Resources))
	affordable := min(simulate.MaxChecks/each, simulate.MaxWork/question.Cost()/each)
	if affordable == 0 {
		return 0, 0, iamapi.InvalidInput.New("The policies, the context and the %d resources are too much for one simulation: simulate fewer of them at once.", each)
	}
	return from, min(len(question.Actions), from+min(int(or(s.MaxItems, defaultMaxItems)), affordable)), nil
}
