package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/simulate"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// fill adds what a simulation was given to the caller and its policies.
func (s *simulation) fill(question *simulate.Input, tags map[string]string) error {
	question.BucketForObjects, question.ResourcePolicyUnknown = true, true
	for _, add := range []func(*simulate.Input) error{s.actions, s.resources, s.owner, s.handling, s.policies, s.resourcePolicy} {
		if err := add(question); err != nil {
			return err
		}
	}
	return s.context(question, tags)
}

func (s *simulation) actions(question *simulate.Input) error {
	if len(s.Actions) == 0 {
		return iamapi.InvalidInput.New("ActionNames is empty.")
	}
	for _, name := range s.Actions {
		if question.Catalog.Action(name) != nil {
			continue
		}
		if nearest, ok := question.Catalog.NearestAction(name); ok && !strings.ContainsAny(name, "*?") {
			return iamapi.InvalidInput.New("Invalid action: %s. The nearest action is %s.", name, nearest)
		}
		return iamapi.InvalidInput.New("Invalid action: %s", name)
	}
	question.Actions = s.Actions
	return nil
}

func (s *simulation) resources(question *simulate.Input) error {
	for _, name := range s.Resources {
		if _, err := arn.Parse(name); err != nil && name != "*" {
			return iamapi.InvalidInput.New("Invalid resource: %s is neither * nor an ARN.", name)
		}
	}
	question.Resources = s.Resources
	return nil
}

// owner is the account of resources that do not name theirs: an account id, or an ARN that has one.
func (s *simulation) owner(question *simulate.Input) error {
	if s.ResourceOwner == nil {
		return nil
	}
	account := *s.ResourceOwner
	if parsed, err := arn.Parse(account); err == nil {
		account = parsed.Account
	}
	if !product.IsAccount(account) {
		return iamapi.InvalidInput.New("ResourceOwner %s is neither an account id nor the ARN of something that belongs to an account.", *s.ResourceOwner)
	}
	if question.Owner != "" { // of everything, for want of a caller
		question.Owner = account
	}
	question.DefaultOwner = account
	return nil
}

// scenarios are the values of ResourceHandlingOption, each with the types of resources that it must have (AWS IAM API Reference,
// SimulateCustomPolicy).
var scenarios = map[string][]string{
	"EC2-Classic-InstanceStore":    {"instance", "image", "security-group"},
	"EC2-Classic-EBS":              {"instance", "image", "security-group", "volume"},
	"EC2-VPC-InstanceStore":        {"instance", "image", "security-group", "network-interface"},
	"EC2-VPC-InstanceStore-Subnet": {"instance", "image", "security-group", "network-interface", "subnet"},
	"EC2-VPC-EBS":                  {"instance", "image", "security-group", "network-interface", "volume"},
	"EC2-VPC-EBS-Subnet":           {"instance", "image", "security-group", "network-interface", "subnet", "volume"},
}

func (s *simulation) handling(question *simulate.Input) error {
	if s.ResourceHandlingOption == nil {
		return nil
	}
	option := *s.ResourceHandlingOption
	types, ok := scenarios[option]
	if !ok {
		return iamapi.InvalidInput.New("Invalid resource handling option: %s", option)
	}
	ec2 := question.Catalog.Service("ec2")
	for _, name := range types {
		t := ec2.ResourceType(name)
		if !slices.ContainsFunc(s.Resources, t.Match) {
			return iamapi.InvalidInput.New("ResourceArns has no %s, which the resource handling option %s needs.", name, option)
		}
	}
	return nil
}

// policies adds those of the request to those of the caller. A boundary takes the place of the caller's.
func (s *simulation) policies(question *simulate.Input) error {
	given, err := loadList("PolicyInputList", s.Policies, policy.Identity)
	if err != nil {
		return err
	}
	if len(s.Boundary) > 1 {
		return iamapi.InvalidInput.New("The list of Permissions Boundary policies cannot exceed 1 items.")
	}
	boundary, err := loadList("PermissionsBoundaryPolicyInputList", s.Boundary, policy.Boundary)
	if err != nil {
		return err
	}
	if len(given) > 0 || question.Sets.Identity == nil {
		question.Sets.Identity = policy.NewSet(slices.Concat(question.Sets.Identity.Policies(), given)...)
	}
	if len(boundary) > 0 {
		question.Sets.Boundary = policy.NewSet(boundary...)
	}
	return nil
}

// loadList reads the documents of a member.
func loadList(member string, texts []string, kind policy.Kind) ([]*policy.Attached, error) {
	var list []*policy.Attached
	for i, text := range texts {
		a, err := loadDocument(fmt.Sprintf("%s.%d", member, i+1), text, kind)
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

func loadDocument(name, text string, kind policy.Kind) (*policy.Attached, error) {
	a, err := simulate.LoadPolicy(name, text, kind)
	if fault, ok := errors.AsType[*policy.Error](err); ok {
		return nil, iamapi.InvalidInput.New("%s: %s", name, fault.Message)
	}
	return a, err
}

// resourcePolicy is one document for every resource: the trust policy of roles where STS is asked, and the policy of a resource elsewhere.
func (s *simulation) resourcePolicy(question *simulate.Input) (err error) {
	if s.ResourcePolicy == nil {
		return nil
	}
	const member = "ResourcePolicy"
	trust, other := s.kindsOfResourcePolicy()
	if trust {
		if question.Trust, err = loadDocument(member, *s.ResourcePolicy, policy.Trust); err != nil {
			return err
		}
	}
	if other {
		question.ResourcePolicy, err = loadDocument(member, *s.ResourcePolicy, policy.Resource)
	}
	return err
}

func (s *simulation) kindsOfResourcePolicy() (trust, other bool) {
	sts := func(action string) bool { return len(action) > 4 && policy.SameKey(action[:4], "sts:") }
	role := func(resource string) bool {
		parsed, err := arn.Parse(resource)
		return err == nil && parsed.Service == "iam" && strings.HasPrefix(parsed.Resource, "role/")
	}
	trust = slices.ContainsFunc(s.Actions, sts) && slices.ContainsFunc(s.Resources, role)
	onlySTS := !slices.ContainsFunc(s.Actions, func(a string) bool { return !sts(a) })
	onlyRoles := len(s.Resources) > 0 && !slices.ContainsFunc(s.Resources, func(r string) bool { return !role(r) })
	return trust, !onlySTS || !onlyRoles
}

// Bounds of the context of a simulation.
const (
	maxSimulatedContext = policy.MaxContext - 100 // entries, beside those of the caller
	maxSimulatedText    = 32 << 10                // bytes of all values, each counted as valueOverhead longer than it is
	valueOverhead       = 64
)

// context is what the caller implies, and over it what was given (docs/spec/evaluation.md 11.1).
func (s *simulation) context(question *simulate.Input, tags map[string]string) error {
	if len(s.ContextEntries) > maxSimulatedContext {
		return iamapi.InvalidInput.New("ContextEntries has more than %d entries.", maxSimulatedContext)
	}
	given, size := make([]policy.Entry, 0, len(s.ContextEntries)), 0
	for i, in := range s.ContextEntries {
		place := fmt.Sprintf("ContextEntries.%d", i+1)
		e, err := simulate.TypedEntry(value(in.ContextKeyName), or(in.ContextKeyType, "string"), in.ContextKeyValues)
		if err != nil {
			return iamapi.InvalidInput.New("%s: %s.", place, err)
		}
		for _, other := range given {
			if policy.SameKey(other.Key, e.Key) && (other.Key == e.Key || !strings.Contains(e.Key, "/")) { // of tags the case counts (docs/spec/policy-language.md 9.1)
				return iamapi.InvalidInput.New("%s: the key %s stands twice.", place, e.Key)
			}
		}
		for _, v := range e.Values {
			if !utf8.ValidString(v) {
				return iamapi.InvalidInput.New("%s: a value of %s is not UTF-8.", place, e.Key)
			}
			if size += len(v) + valueOverhead; size > maxSimulatedText {
				return iamapi.InvalidInput.New("The values in ContextEntries have more than %d bytes, each counted %d longer than it is.", maxSimulatedText, valueOverhead)
			}
		}
		given = append(given, e)
	}
	question.Context = simulate.Overlay(simulate.CallerKeys(&question.Sets.Caller, tags), given...)
	return nil
}

func contextKeysForCustomPolicy(_ *service.Call, _ state.Reader, in *iamapi.GetContextKeysForCustomPolicyRequest) (*iamapi.GetContextKeysForPolicyResponse, error) {
	return contextKeys(nil, in.PolicyInputList)
}

func contextKeysForPrincipalPolicy(c *service.Call, r state.Reader, in *iamapi.GetContextKeysForPrincipalPolicyRequest) (*iamapi.GetContextKeysForPolicyResponse, error) {
	h, err := sourceHolder(c, r, *in.PolicySourceArn)
	if err != nil {
		return nil, err
	}
	sets := policy.Sets{Identity: setsOfHolder(r, h).Identity}
	if err := evaluable(&sets); err != nil {
		return nil, err
	}
	return contextKeys(sets.Identity.Policies(), in.PolicyInputList)
}

// contextKeys are those that policies of the store and given ones read.
func contextKeys(stored []*policy.Attached, texts []string) (*iamapi.GetContextKeysForPolicyResponse, error) {
	given, err := loadList("PolicyInputList", texts, policy.Identity)
	if err != nil {
		return nil, err
	}
	var all []*policy.Policy
	for _, a := range slices.Concat(stored, given) {
		all = append(all, a.Policy)
	}
	return &iamapi.GetContextKeysForPolicyResponse{ContextKeyNames: simulate.ContextKeys(all...)}, nil
}
