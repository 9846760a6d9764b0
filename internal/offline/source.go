package offline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/awspolicy"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// fullRCP is the name of the policy that stands on every level of resource control policies.
const fullRCP = "RCPFullAWSAccess"

// Files reads a file of at most so many bytes, and fails for a longer one. Its errors name the file.
type Files func(name string, most int64) (string, error)

// PolicyRef is a policy of a question: a file, or a text that stands in a suite.
type PolicyRef struct {
	File string // "" where Text is given
	Text string
	Name string // what answers call it; that of the file where it is ""
	ARN  string // of a managed policy, if it is known
	line int    // in the suite, of a text
}

// name is what answers call the policy.
func (r *PolicyRef) name() string {
	if r.Name != "" {
		return r.Name
	}
	return r.File
}

// Policies are those of a question, by layer (docs/spec/evaluation.md 2).
type Policies struct {
	Identity, Session         []PolicyRef
	Boundary                  *PolicyRef
	SCP, RCP                  [][]PolicyRef // by level, the organization's root first; a level without policies allows nothing
	Resource, Trust, Endpoint *PolicyRef
	Gateway                   bool // Endpoint is the policy of a gateway endpoint
}

// over lays the policies over those of a suite: a layer that is given replaces that layer.
func (p Policies) over(base *Policies) Policies {
	if p.Identity == nil {
		p.Identity = base.Identity
	}
	if p.Session == nil {
		p.Session = base.Session
	}
	if p.Boundary == nil {
		p.Boundary = base.Boundary
	}
	if p.SCP == nil {
		p.SCP = base.SCP
	}
	if p.RCP == nil {
		p.RCP = base.RCP
	}
	if p.Resource == nil {
		p.Resource = base.Resource
	}
	if p.Trust == nil {
		p.Trust = base.Trust
	}
	if p.Endpoint == nil {
		p.Endpoint, p.Gateway = base.Endpoint, base.Gateway
	}
	return p
}

// count is how many policies there are.
func (p *Policies) count() int {
	n := len(p.Identity) + len(p.Session)
	for _, levels := range [][][]PolicyRef{p.SCP, p.RCP} {
		for _, level := range levels {
			n += len(level)
		}
	}
	for _, one := range []*PolicyRef{p.Boundary, p.Resource, p.Trust, p.Endpoint} {
		if one != nil {
			n++
		}
	}
	return n
}

// library reads and compiles policies, each once.
type library struct {
	files   Files
	checked bool
	texts   map[string]string
	bytes   int // of texts
	ready   map[libraryKey]*policy.Attached
}

type libraryKey struct {
	PolicyRef
	kind policy.Kind
}

func (l *library) attached(r *PolicyRef, kind policy.Kind) (*policy.Attached, error) {
	key := libraryKey{*r, kind}
	if a := l.ready[key]; a != nil {
		return a, nil
	}
	if a, err := awsOwn(r, kind); a != nil || err != nil {
		return a, err
	}
	text := r.Text
	if r.File != "" {
		var ok bool
		if text, ok = l.texts[r.File]; !ok {
			var err error
			if text, err = l.files(r.File, MaxPolicyFile); err != nil {
				return nil, err
			}
			if l.bytes += len(text); l.bytes > MaxPolicyText {
				return nil, fmt.Errorf("the policies together are larger than %d bytes", MaxPolicyText)
			}
			l.texts[r.File] = text
		}
	}
	compiled, err := compile(text, kind, l.checked)
	if err != nil {
		return nil, policyFault(r, kind, text, err)
	}
	a := &policy.Attached{Policy: compiled, Name: r.name(), ARN: r.ARN}
	l.ready[key] = a
	return a, nil
}

// awsOwn finds the policies that everybody has: AWS managed ones by ARN, and those of every organization by name. It is nil for other references.
func awsOwn(r *PolicyRef, kind policy.Kind) (*policy.Attached, error) {
	name := r.File
	if awspolicy.Is(name) {
		p := awspolicy.ByARN(name)
		if p == nil || p.Compiled() == nil {
			return nil, fmt.Errorf("%s is not among the AWS managed policies that Gatehouse knows: save its document in a file", clip(name))
		}
		return &policy.Attached{Policy: p.Compiled(), ARN: name, Name: p.Name}, nil
	}
	for _, p := range awspolicy.OrganizationPolicies() {
		if p.Name == name && p.Kind == kind {
			return &policy.Attached{Policy: p.Compiled(), ARN: p.ARN, Name: p.Name}, nil
		}
	}
	return nil, nil
}

// set is nil where there is no policy.
func (l *library) set(refs []PolicyRef, kind policy.Kind) ([]*policy.Attached, error) {
	var out []*policy.Attached
	for i := range refs {
		a, err := l.attached(&refs[i], kind)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// chain makes the levels. Those of resource control policies all have RCPFullAWSAccess, which nobody can detach (docs/spec/evaluation.md
// 6.2), unless policies are taken as they are.
func (l *library) chain(levels [][]PolicyRef, kind policy.Kind) ([]*policy.Set, error) {
	var out []*policy.Set
	for _, level := range levels {
		if kind == policy.RCP && l.checked && !slices.ContainsFunc(level, func(r PolicyRef) bool { return r.File == fullRCP }) {
			level = append(slices.Clone(level), PolicyRef{File: fullRCP})
		}
		list, err := l.set(level, kind)
		if err != nil {
			return nil, err
		}
		out = append(out, policy.NewSet(list...))
	}
	return out, nil
}

// compile makes a policy ready: checked as AWS checks it where it is stored, or by the grammar alone, as what is stored is read.
func compile(text string, kind policy.Kind, checked bool) (*policy.Policy, error) {
	var d *policy.Document
	var err error
	if checked {
		d, err = policy.Parse(text, kind)
	} else {
		d, err = policy.Decode(text, kind)
	}
	if err != nil {
		return nil, err
	}
	return policy.Compile(d)
}

// policyFault says where a policy is wrong.
func policyFault(r *PolicyRef, kind policy.Kind, text string, err error) error {
	f, ok := errors.AsType[*policy.Error](err)
	switch {
	case !ok:
		return fmt.Errorf("%s: %w", r.name(), err)
	case r.File == "":
		return fmt.Errorf("policy %s (line %d of the suite), as a policy of the kind %s: %s", clip(r.name()), r.line, kind, describe(f))
	case f.Offset < 0:
		return fmt.Errorf("%s: as a policy of the kind %s: %s", r.File, kind, describe(f))
	}
	return fmt.Errorf("%s:%s: as a policy of the kind %s: %s", r.File, positionOf(text, f.Offset), kind, describe(f))
}

// describe is AWS's message, and what is wrong in our own words.
func describe(f *policy.Error) string {
	message := strings.TrimSuffix(f.Message, ".")
	if f.Detail != "" {
		message += " (" + f.Detail + ")"
	}
	return message
}
