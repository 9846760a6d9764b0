package gatehouseapi

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// maxDocuments bounds the bytes of all documents of one question together: they are read anew for each.
const maxDocuments = 1 << 20

// Documents of a question are named after their members, with places counted from 1 as in the simulator (docs/spec/evaluation.md 11.3):
// SessionPolicies.2, ServiceControlPolicies.1.3.
const (
	inSession  = "SessionPolicies"
	inResource = "ResourcePolicy"
	inEndpoint = "EndpointPolicy"
	inSCP      = "ServiceControlPolicies"
	inRCP      = "ResourceControlPolicies"
)

// readDocuments compiles what the asker gives into the query.
func readDocuments(q *authz.Query, in *ghapi.AuthorizeRequest) (err error) {
	if sizeOf(in) > maxDocuments {
		return invalid("The policy documents have more than %d bytes together.", maxDocuments)
	}
	if in.EndpointType != nil && in.EndpointPolicy == nil {
		return invalid("EndpointType goes with EndpointPolicy.")
	}
	if q.SessionPolicies, err = loadAll(in.Principal.SessionPolicies, policy.Session, inSession); err != nil {
		return err
	}
	if in.ResourcePolicy != nil {
		if q.ResourcePolicy, err = load(*in.ResourcePolicy, kindOf(in), inResource); err != nil {
			return err
		}
	}
	if in.EndpointPolicy != nil {
		q.Gateway = in.EndpointType != nil && *in.EndpointType == ghapi.EndpointTypeGateway
		if q.Endpoint, err = load(*in.EndpointPolicy, policy.Endpoint, inEndpoint); err != nil {
			return err
		}
	}
	if q.SCP, err = loadLevels(in.ServiceControlPolicies, policy.SCP, inSCP); err != nil {
		return err
	}
	q.RCP, err = loadLevels(in.ResourceControlPolicies, policy.RCP, inRCP)
	return err
}

func sizeOf(in *ghapi.AuthorizeRequest) int {
	size := 0
	add := func(documents ...string) {
		for _, d := range documents {
			size += len(d)
		}
	}
	add(in.Principal.SessionPolicies...)
	for _, d := range []*string{in.ResourcePolicy, in.EndpointPolicy} {
		if d != nil {
			add(*d)
		}
	}
	for _, levels := range [][][]string{in.ServiceControlPolicies, in.ResourceControlPolicies} {
		for _, level := range levels {
			add(level...)
		}
	}
	return size
}

// kindOf is the kind of the resource's policy: what STS does with a role is decided by its trust policy (docs/spec/evaluation.md 8.1).
func kindOf(in *ghapi.AuthorizeRequest) policy.Kind {
	service, _, _ := strings.Cut(*in.Action, ":")
	name, err := arn.Parse(*in.Resource)
	if err == nil && policy.SameKey(service, "sts") && name.Service == "iam" && strings.HasPrefix(name.Resource, "role/") {
		return policy.Trust
	}
	return policy.Resource
}

func load(text string, kind policy.Kind, member string) (*policy.Attached, error) {
	d, err := policy.Decode(text, kind)
	if err != nil {
		return nil, malformed(err, member)
	}
	p, err := policy.Compile(d)
	if err != nil {
		return nil, malformed(err, member)
	}
	return &policy.Attached{Policy: p, Name: member}, nil
}

func malformed(err error, member string) error {
	var e *policy.Error
	if !errors.As(err, &e) || e.Code != policy.MalformedPolicyDocument {
		return fmt.Errorf("%s: %w", member, err)
	}
	message := member + ": " + e.Message
	if e.Detail != "" {
		message += " " + e.Detail
		if e.Offset >= 0 {
			message += fmt.Sprintf(" (byte %d)", e.Offset)
		}
	}
	return ghapi.MalformedPolicyDocument.New("%s", message)
}

func loadAll(texts []string, kind policy.Kind, member string) ([]*policy.Attached, error) {
	var list []*policy.Attached
	for i, text := range texts {
		a, err := load(text, kind, fmt.Sprintf("%s.%d", member, i+1))
		if err != nil {
			return nil, err
		}
		list = append(list, a)
	}
	return list, nil
}

// loadLevels makes one set of each level; an empty one has no policy, and so allows nothing.
func loadLevels(levels [][]string, kind policy.Kind, member string) ([]*policy.Set, error) {
	var sets []*policy.Set
	for i, level := range levels {
		list, err := loadAll(level, kind, fmt.Sprintf("%s.%d", member, i+1))
		if err != nil {
			return nil, err
		}
		sets = append(sets, policy.NewSet(list...))
	}
	return sets, nil
}
