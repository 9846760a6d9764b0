package state

import (
	"errors"
	"iter"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// InlinePolicy is an inline policy of a user, group or role, with its compiled form.
type InlinePolicy struct {
	statepb.InlinePolicy
	Compiled *policy.Policy
}

// WithDocument returns the policy's record with another document in place of its own. Fields that this version does not know are kept.
func (p *InlinePolicy) WithDocument(compiled *policy.Policy) *InlinePolicy {
	c := &InlinePolicy{Compiled: compiled}
	proto.Merge(&c.InlinePolicy, &p.InlinePolicy)
	c.Document = compiled.Text()
	return c
}

func (p *InlinePolicy) place() (string, string) {
	return inlinePolicySchema.name, p.Owner + "/" + p.Name
}
func (p *InlinePolicy) marshal() ([]byte, error) { return marshal(&p.InlinePolicy) }
func (p *InlinePolicy) size() int                { return proto.Size(&p.InlinePolicy) }
func (p *InlinePolicy) check() error             { return sameDocument(p.Compiled, p.Document) }

// sameDocument keeps a policy from being written that says one thing and does another.
func sameDocument(compiled *policy.Policy, document string) error {
	switch {
	case compiled == nil:
		return errors.New("the policy is not compiled")
	case compiled.Text() != document:
		return errors.New("the compiled policy is not the one of the document")
	}
	return nil
}

// compileStored compiles a document of the store. It does not repeat Parse's checks: what was valid when it was stored stays readable.
func compileStored(document string, kind policy.Kind) (*policy.Policy, error) {
	d, err := policy.Decode(document, kind)
	if err != nil {
		return nil, err
	}
	return policy.Compile(d)
}

var inlinePolicySchema = &schema[InlinePolicy]{
	name: "userpolicy", // from when only users had them
	key:  func(p *InlinePolicy) string { return p.Owner + "/" + p.Name },
	less: func(a, b *InlinePolicy) bool {
		if c := strings.Compare(a.Owner, b.Owner); c != 0 {
			return c < 0
		}
		return a.Name < b.Name
	},
	decode: func(_ string, v []byte) (*InlinePolicy, error) {
		r := &InlinePolicy{}
		if err := proto.Unmarshal(v, &r.InlinePolicy); err != nil {
			return nil, err
		}
		var err error
		r.Compiled, err = compileStored(r.Document, policy.Identity)
		return r, err
	},
}

// InlinePolicy returns the inline policy of a user, group or role, given by its unique id, or nil. Policy names are case-sensitive
// (docs/spec/wire.md 5.5).
func (a *Account) InlinePolicy(owner, name string) *InlinePolicy {
	return at[InlinePolicy](&a.tables, inlinePolicyTable).get(owner + "/" + name)
}

// InlinePolicies walks the inline policies of a user, group or role in order of name, beginning behind the name after ("" = all).
func (a *Account) InlinePolicies(owner, after string) iter.Seq[*InlinePolicy] {
	pivot := &InlinePolicy{}
	pivot.Owner, pivot.Name = owner, after
	t := at[InlinePolicy](&a.tables, inlinePolicyTable)
	return func(yield func(*InlinePolicy) bool) {
		for p := range t.from(pivot) {
			if p.Owner != owner {
				return
			}
			if after != "" && p.Name == after {
				continue
			}
			if !yield(p) {
				return
			}
		}
	}
}
