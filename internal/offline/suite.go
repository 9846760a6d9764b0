package offline

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Suite is a test suite: questions with what is expected (docs/simulate.md).
type Suite struct {
	Name           string
	AccountDetails string   // file of a dump, "" if there is none
	Services       []string // files of own services
	PoliciesOnly   bool     // see Asker
	Unchecked      bool     // see Asker
	Cases          []*Question
}

// ReadSuite reads a suite. name is the file's: errors say it with the line, and files that the suite names are relative to it. Every fault of the
// form is an error: unknown, repeated and missing members, values of another type.
func ReadSuite(name, text string) (*Suite, error) {
	if len(text) > MaxSuite {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, MaxSuite)
	}
	d := yaml.NewDecoder(strings.NewReader(text))
	var doc yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s is empty", name)
	} else if err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: it holds more than one YAML document", name)
	}
	r := &suiteReader{file: name, dir: filepath.Dir(name)}
	s, err := r.suite(doc.Content[0])
	if err != nil {
		if f, ok := errors.AsType[*nodeFault](err); ok {
			return nil, fmt.Errorf("%s:%d: %s", name, f.line, f.message)
		}
		return nil, err
	}
	return s, nil
}

// suiteReader turns the nodes of one file into a suite.
type suiteReader struct {
	file, dir string
	asked     int // checks of calls so far
}

func (r *suiteReader) suite(n *yaml.Node) (*Suite, error) {
	s := &Suite{}
	base := &Question{}
	var cases *yaml.Node
	take := r.question(base)
	catalogue := true
	take["name"] = stringInto(&s.Name)
	take["account-details"] = r.pathInto(&s.AccountDetails)
	take["services"] = func(n *yaml.Node) error {
		return each(n, "files of services", func(n *yaml.Node) error {
			var file string
			err := r.pathInto(&file)(n)
			s.Services = append(s.Services, file)
			return err
		})
	}
	take["catalog"] = boolInto(&catalogue)
	take["unchecked"] = boolInto(&s.Unchecked)
	take["cases"] = func(n *yaml.Node) error {
		cases = n
		return nil
	}
	if err := mapping(n, take); err != nil {
		return nil, err
	}
	s.PoliciesOnly = !catalogue
	if s.Name == "" {
		s.Name = filepath.Base(r.file)
	}
	if cases == nil {
		return nil, atNode(n, "member cases is missing")
	}
	seen := map[string]int{}
	err := each(cases, "cases", func(n *yaml.Node) error {
		if len(s.Cases) == MaxCases {
			return atNode(n, "more than %d cases", MaxCases)
		}
		q, err := r.oneCase(n, base)
		if err != nil {
			return err
		}
		if other, twice := seen[q.Name]; twice {
			return atNode(n, "case %q is also at line %d", clip(q.Name), other)
		}
		seen[q.Name] = n.Line
		s.Cases = append(s.Cases, q)
		return nil
	})
	if err == nil && len(s.Cases) == 0 {
		err = atNode(cases, "there is no case")
	}
	return s, err
}

// oneCase reads a case over what the suite says for all.
func (r *suiteReader) oneCase(n *yaml.Node, base *Question) (*Question, error) {
	q := &Question{}
	var e expectation
	take := r.question(q)
	maps.Copy(take, r.check(q, &e))
	take["name"] = stringInto(&q.Name)
	take["resource"] = stringInto(&q.Resource)
	take["checks"] = r.checksInto(&q.Checks)
	take["per-item"] = boolInto(&q.PerItem)
	if err := mapping(n, take); err != nil {
		return nil, err
	}
	needed := []member{{"name", q.Name}, {"action", q.Action}, {"resource", q.Resource}, {"expect", e.effect}}
	switch {
	case q.Checks != nil && (q.Action != "" || q.Resource != ""):
		return nil, atNode(n, "checks stand in the place of action and resource")
	case q.Checks != nil:
		needed = slices.Delete(needed, 1, 3)
	case q.PerItem:
		return nil, atNode(n, "per-item goes with checks")
	}
	if err := missing(n, needed...); err != nil {
		return nil, err
	}
	var err error
	if q.Expect, err = e.read(n); err != nil {
		return nil, err
	}
	q.Place = fmt.Sprintf("%s:%d", r.file, n.Line)
	q.under(base)
	return q, nil
}

// member is one that has to be there.
type member struct{ name, value string }

func missing(n *yaml.Node, members ...member) error {
	for _, m := range members {
		if m.value == "" {
			return atNode(n, "member %s is missing", m.name)
		}
	}
	return nil
}

// under fills what the case leaves out from what its suite says for all.
func (q *Question) under(base *Question) {
	q.Policies = q.Policies.over(&base.Policies)
	if q.Caller == "" && q.Principal == "" {
		q.Caller, q.CallerID, q.Canonical, q.Principal = base.Caller, base.CallerID, base.Canonical, base.Principal
	}
	if q.Owner == "" {
		q.Owner = base.Owner
	}
	if q.Grantees == nil {
		q.Grantees = base.Grantees
	}
	q.Context = over(q.Context, base.Context)
}

// question is what may stand both in a case and in the suite for all its cases.
func (r *suiteReader) question(q *Question) map[string]func(*yaml.Node) error {
	return map[string]func(*yaml.Node) error{
		"policies":  func(n *yaml.Node) error { return mapping(n, r.policies(&q.Policies)) },
		"principal": stringInto(&q.Principal),
		"caller": func(n *yaml.Node) error {
			if n.Kind != yaml.MappingNode {
				return callerInto(&q.Caller)(n)
			}
			err := mapping(n, map[string]func(*yaml.Node) error{"who": callerInto(&q.Caller), "id": stringInto(&q.CallerID), "canonical-id": stringInto(&q.Canonical)})
			if err == nil && q.Caller == "" {
				err = atNode(n, "member who is missing")
			}
			return err
		},
		"owner": func(n *yaml.Node) error {
			if err := stringInto(&q.Owner)(n); err != nil {
				return err
			}
			if len(q.Owner) != 12 || strings.Trim(q.Owner, "0123456789") != "" {
				return atNode(n, "owner %q is not the id of an account, 12 digits", clip(q.Owner))
			}
			return nil
		},
		"context": contextInto(&q.Context),
		"acl": func(n *yaml.Node) error {
			q.Grantees = []string{}
			return each(n, "grantees", func(n *yaml.Node) error {
				var g string
				err := stringInto(&g)(n)
				q.Grantees = append(q.Grantees, grantee(g))
				return err
			})
		},
	}
}

// policies are the layers.
func (r *suiteReader) policies(p *Policies) map[string]func(*yaml.Node) error {
	one := func(into **PolicyRef) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			ref, err := r.ref(n)
			*into = &ref
			return err
		}
	}
	several := func(into *[]PolicyRef) func(*yaml.Node) error {
		return func(n *yaml.Node) (err error) {
			*into, err = r.refs(n)
			return err
		}
	}
	levels := func(into *[][]PolicyRef) func(*yaml.Node) error {
		return func(n *yaml.Node) error {
			*into = [][]PolicyRef{}
			return each(n, "levels, the organization's root first", func(n *yaml.Node) error {
				level, err := r.refs(n)
				*into = append(*into, level)
				return err
			})
		}
	}
	return map[string]func(*yaml.Node) error{
		"identity": several(&p.Identity), "session": several(&p.Session), "boundary": one(&p.Boundary),
		"scp": levels(&p.SCP), "rcp": levels(&p.RCP),
		"resource": one(&p.Resource), "trust": one(&p.Trust), "endpoint": one(&p.Endpoint),
		"gateway": boolInto(&p.Gateway),
	}
}

// refs reads one policy, or a list of them.
func (r *suiteReader) refs(n *yaml.Node) ([]PolicyRef, error) {
	refs := []PolicyRef{}
	if n.Kind != yaml.SequenceNode {
		ref, err := r.ref(n)
		return append(refs, ref), err
	}
	err := each(n, "policies", func(n *yaml.Node) error {
		ref, err := r.ref(n)
		refs = append(refs, ref)
		return err
	})
	return refs, err
}

// ref reads a policy: the name of a file or of an AWS policy, or a mapping with file, text or document.
func (r *suiteReader) ref(n *yaml.Node) (PolicyRef, error) {
	ref := PolicyRef{line: n.Line}
	if n.Kind == yaml.ScalarNode {
		ref.Name = n.Value
		err := r.pathInto(&ref.File)(n)
		return ref, err
	}
	sources, written := 0, "policy at line "+strconv.Itoa(n.Line)
	err := mapping(n, map[string]func(*yaml.Node) error{
		"name": stringInto(&ref.Name), "arn": stringInto(&ref.ARN),
		"file": func(n *yaml.Node) error {
			sources++
			written = n.Value
			return r.pathInto(&ref.File)(n)
		},
		"text": func(n *yaml.Node) error { sources++; return stringInto(&ref.Text)(n) },
		"document": func(n *yaml.Node) (err error) {
			sources++
			ref.Text, err = jsonOf(n)
			return err
		},
	})
	if err == nil && sources != 1 {
		err = atNode(n, "a policy has exactly one of file, text and document")
	}
	if ref.Name == "" {
		ref.Name = written
	}
	return ref, err
}
