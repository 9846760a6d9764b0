package simulate

import (
	"errors"
	"fmt"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Input is what is to be simulated: every action on every resource.
type Input struct {
	// Catalog says which actions there are, and on which resources they act; nil means catalog.Builtin.
	Catalog *catalog.Catalog
	// Sets are the caller and the policies that apply to it whatever it asks for. Policies are made with LoadPolicy, or come from a store. What
	// results call a policy is made from its ARN, Name and Owner: see SourceID.
	Sets *policy.Sets
	// InOrganization: the caller's account is in an organization, so that results say whether that allows, even where no SCP applies. It need
	// not be set where Sets.SCP is.
	InOrganization bool

	Actions   []string // "prefix:Name", without wildcards
	Resources []string // ARNs, or "*"; empty means "*"

	// Owner is the account of all resources, whatever their ARNs say. Where it is "", it is the one that the ARN names, else DefaultOwner,
	// else the caller's.
	Owner, DefaultOwner string
	// Context are the keys of the request, the caller's (see CallerKeys) included: there are no defaults. It is bounded as in policy.Request.
	Context []policy.Entry
	// PolicyContext is what the policy of the resource reads in the place of Context; nil where it reads the same.
	PolicyContext []policy.Entry

	// ResourcePolicy is the policy on every resource, of the kind policy.Resource; Trust the same where the resource is a role and the action one of
	// STS, of the kind policy.Trust. Nil where there is none.
	ResourcePolicy, Trust *policy.Attached
	// ResourcePolicyUnknown: where there is no ResourcePolicy or Trust, that is because nobody knows it, and results say what the other policies
	// allow. Else KMS keys and roles that are assumed cannot be reached without it (docs/spec/evaluation.md 4.2).
	ResourcePolicyUnknown bool
	// NeedsResourcePolicy: the resources are of a type that only its policy opens. Of KMS keys and roles that are assumed it is known.
	NeedsResourcePolicy bool
	Grantees            []string      // see policy.Request
	RCP                 []*policy.Set // of the owner's organization, from the root down; where the owner is no member account it is nil
	AWSManaged          bool          // the resources are KMS keys that AWS manages: no RCP reaches them (docs/spec/evaluation.md 6.2)
	Endpoint            *policy.Attached
	Gateway             bool // of Endpoint
	// BucketForObjects: a bucket stands for its objects where an action is on those, as in AWS's simulator (recorded: s3:PutObject on the ARN of a
	// bucket is allowed). Else such an action cannot be allowed on it (docs/spec/evaluation.md 7, item 8).
	BucketForObjects bool
	// Exempt: the calls need no permission. Of sts:GetCallerIdentity and sts:GetSessionToken it is known.
	Exempt bool
	// PoliciesOnly: the policies alone decide. What the catalogue says of an action and a resource is told, and denies nothing.
	PoliciesOnly bool
}

// Bounds of what one Run does. A check costs about as much as the text of the policies is long, more where keys of the context have many
// values, of which each may meet every value of a policy, and more for each statement, which may be one that matched.
const (
	MaxChecks = 1000
	MaxWork   = 16 << 20 // checks times Cost
)

// ErrLimit is what Run and RunCall return for an input beyond MaxChecks or MaxWork, wrapped with the figures.
var ErrLimit = errors.New("the simulation is too large")

// LoadPolicy reads a policy for an Input, as strictly as where it would be stored: what AWS refuses is an *policy.Error. The name is what
// results call it. Principals of trust and resource policies are taken as they are written: nothing is asked whether they exist.
func LoadPolicy(name, text string, kind policy.Kind) (*policy.Attached, error) {
	d, err := policy.ParseWith(text, kind, policy.Options{UnscopedProviders: true})
	if err != nil {
		return nil, err
	}
	compiled, err := policy.Compile(d)
	if err != nil {
		return nil, err
	}
	return &policy.Attached{Policy: compiled, Name: name}, nil
}

// Checks is how many decisions the input is.
func (in *Input) Checks() int { return len(in.Actions) * max(1, len(in.Resources)) }

// Work is what the input costs, in the unit of MaxWork.
func (in *Input) Work() int { return in.Checks() * in.Cost() }

// Cost is what one check costs: bytes of text of all policies that may be asked, times how many values a key of the context has, in pairs and
// rounded up, and 1 KiB for each statement. It is at least 1.
func (in *Input) Cost() int {
	const together, perStatement = 2, 1 << 10
	size, statements, values := 1, 0, 1
	for _, context := range [][]policy.Entry{in.Context, in.PolicyContext} {
		for i := range context {
			values = max(values, len(context[i].Values))
		}
	}
	add := func(list ...*policy.Attached) {
		for _, a := range list {
			if a != nil && a.Policy != nil {
				size, statements = size+len(a.Policy.Text()), statements+a.Policy.Len()
			}
		}
	}
	for _, s := range []*policy.Set{in.Sets.Identity, in.Sets.Boundary, in.Sets.Session} {
		add(s.Policies()...)
	}
	for _, levels := range [][]*policy.Set{in.Sets.SCP, in.RCP} {
		for _, s := range levels {
			add(s.Policies()...)
		}
	}
	add(in.ResourcePolicy, in.Trust, in.Endpoint)
	return size*((values+together-1)/together) + statements*perStatement
}

func (in *Input) bounded() error {
	if n := in.Checks(); n > MaxChecks {
		return fmt.Errorf("%w: %d checks, at most %d", ErrLimit, n, MaxChecks)
	}
	if n := in.Work(); n > MaxWork {
		return fmt.Errorf("%w: %d checks that cost %d each, at most %d together", ErrLimit, in.Checks(), in.Cost(), MaxWork)
	}
	return nil
}

func (in *Input) catalog() *catalog.Catalog {
	if in.Catalog != nil {
		return in.Catalog
	}
	return catalog.Builtin()
}
