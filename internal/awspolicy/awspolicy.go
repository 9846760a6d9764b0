package awspolicy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// Prefix begins the ARN of every AWS managed policy.
const Prefix = "arn:aws:iam::aws:policy/"

// ServiceRolePath begins the path of policies that only service-linked roles have: no call attaches them.
const ServiceRolePath = "/aws-service-role/"

// Is says whether an ARN is one of an AWS managed policy, known here or not.
func Is(arn string) bool { return strings.HasPrefix(arn, Prefix) }

// Policy is an AWS managed policy with its default version. It never changes.
type Policy struct {
	Name        string
	Path        string
	ID          string
	Version     uint32 // number of the default version, the only one held
	Description string
	Document    string // of the default version

	created, updated string
	compiled         func() *policy.Policy
}

// ARN is the policy's ARN, the same in every account.
func (p *Policy) ARN() string { return Prefix + p.Path[1:] + p.Name }

// VersionID is the name of the default version.
func (p *Policy) VersionID() string { return "v" + strconv.FormatUint(uint64(p.Version), 10) }

// Created is when AWS published the policy, to the minute.
func (p *Policy) Created() time.Time { return parsed(p.created) }

// Updated is when AWS made the default version, to the minute.
func (p *Policy) Updated() time.Time { return parsed(p.updated) }

func parsed(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err) // a mistake in the table; the package's test reads all of them
	}
	return t
}

// Compiled is the default version ready to decide. It is compiled once per process, when first asked for.
func (p *Policy) Compiled() *policy.Policy { return p.compiled() }

type catalog struct {
	ordered []*Policy
	byARN   map[string]*Policy
}

var known = sync.OnceValue(func() *catalog {
	c := &catalog{byARN: map[string]*Policy{}}
	for i := range table {
		p := &table[i]
		p.compiled = sync.OnceValue(func() *policy.Policy {
			compiled, err := policy.Load(p.Document, policy.Managed)
			if err != nil {
				return nil // denies everything; the package's test compiles all of them
			}
			return compiled
		})
		c.ordered, c.byARN[p.ARN()] = append(c.ordered, p), p
	}
	slices.SortFunc(c.ordered, func(a, b *Policy) int {
		return cmp.Or(cmp.Compare(a.created, b.created), cmp.Compare(a.Name, b.Name))
	})
	return c
})

// All are the known policies in the order in which AWS lists them: of creation (docs/spec/wire.md 6), those of the same minute by name.
// The slice is shared.
func All() []*Policy { return known().ordered }

// ByARN returns the policy with that ARN, compared with regard to case; nil if it is not known.
func ByARN(arn string) *Policy { return known().byARN[arn] }

// Compiled returns the default version of the policy with that ARN, ready to decide; nil if the policy is not known.
func Compiled(arn string) *policy.Policy {
	if p := ByARN(arn); p != nil {
		return p.Compiled()
	}
	return nil
}
