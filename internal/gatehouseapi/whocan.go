package gatehouseapi

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

const (
	defaultHolders = 100       // as IAM's lists
	defaultSession = "who-can" // the name of roles' sessions
	maxInquiries   = 2         // at once; others wait: each asks thousands of questions on several cores
	maxInquiry     = 20 * time.Second
)

// onWhoCan: the permission is on the account, which its root user's ARN names: the answer tells of all policies in it.
func onWhoCan(c *service.Call, _ state.Reader, _ *ghapi.WhoCanRequest) ([]authz.Target, error) {
	return []authz.Target{{ARN: arn.Root(state.Partition, c.Caller.Account)}}, nil
}

// whoCan answers for the caller's account.
func (s *Service) whoCan(c *service.Call, r state.Reader, in *ghapi.WhoCanRequest) (*ghapi.WhoCanResponse, error) {
	q, err := s.inquiryOf(c, r, in)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.Context, maxInquiry)
	defer cancel()
	select {
	case s.inquiries <- struct{}{}:
		defer func() { <-s.inquiries }()
	case <-ctx.Done():
		return nil, inquiryFault(ctx.Err())
	}
	h, err := s.authorizer.WhoCan(ctx, r, q)
	if err != nil {
		return nil, inquiryFault(err)
	}
	return xHolders(h), nil
}

func inquiryFault(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return ghapi.LimitExceeded.New("The question was not answered within %s.", maxInquiry)
	case errors.Is(err, authz.ErrTooManyPrincipals):
		return ghapi.LimitExceeded.New("The account has more than %d users and roles, of which this is not answered.", authz.MaxPrincipals)
	}
	return err
}

func (s *Service) inquiryOf(c *service.Call, r state.Reader, in *ghapi.WhoCanRequest) (*authz.Inquiry, error) {
	question := &ghapi.AuthorizeRequest{
		Principal: &ghapi.Principal{CanonicalUserId: in.CanonicalUserId}, Action: in.Action, Resource: in.Resource, ResourceAccount: in.ResourceAccount,
		ResourceTags: in.ResourceTags, ResourcePolicy: in.ResourcePolicy, ResourcePolicyRequired: in.ResourcePolicyRequired, AclGrantees: in.AclGrantees,
		EndpointPolicy: in.EndpointPolicy, EndpointType: in.EndpointType,
		ServiceControlPolicies: in.ServiceControlPolicies, ResourceControlPolicies: in.ResourceControlPolicies, Context: in.Context,
	}
	check, err := newQuery(c, &subject{}, question)
	if err != nil {
		return nil, err
	}
	if o := s.authorizer.Objection(*in.Action, *in.Resource); o != "" {
		return nil, invalid("%s", o)
	}
	if err := ownTrust(r, c.Caller.Account, check, question); err != nil {
		return nil, err
	}
	q := &authz.Inquiry{Account: c.Caller.Account, Check: *check, Session: defaultSession, Max: defaultHolders}
	if in.SessionName != nil {
		q.Session = *in.SessionName
	}
	if in.MaxItems != nil {
		q.Max = int(*in.MaxItems)
	}
	if in.Marker != nil {
		if q.After = placeOf(*in.Marker); q.After == nil {
			return nil, invalid("Marker %s is none that an answer had.", *in.Marker)
		}
	}
	return q, nil
}

// ownTrust takes what is asked of a role of the account, and not said, from the store: its trust policy and its tags.
func ownTrust(r state.Reader, account string, q *authz.Query, in *ghapi.AuthorizeRequest) error {
	if kindOf(in) != policy.Trust || in.ResourcePolicy != nil || q.Owner != account {
		return nil
	}
	role := r.Account(account).RoleByName(q.Resource[strings.LastIndexByte(q.Resource, '/')+1:])
	if role == nil || role.ARN(account) != q.Resource { // ARNs have case (docs/spec/wire.md 5.4)
		return ghapi.ResourceNotFound.New("The role %s cannot be found.", q.Resource)
	}
	q.ResourcePolicy = &policy.Attached{Policy: role.CompiledTrust, Owner: q.Resource}
	if in.ResourceTags == nil {
		q.ResourceTags = role.Tags
	}
	return nil
}

// A marker is "1", the kind of the last principal that was given, and its name, so that a page begins behind it whatever happened meanwhile.
var placeKinds = map[byte]state.PrincipalKind{'a': state.RootUser, 'u': state.IAMUser, 'r': state.RoleSession}

func markerOf(p authz.Place) *string {
	for letter, kind := range placeKinds {
		if kind == p.Kind {
			m := base64.RawURLEncoding.EncodeToString([]byte("1" + string(letter) + p.Name))
			return &m
		}
	}
	return nil
}

// placeOf is the place that a marker remembers; nil for a text that is no marker.
func placeOf(marker string) *authz.Place {
	raw, err := base64.RawURLEncoding.DecodeString(marker)
	if err != nil || len(raw) < 2 || raw[0] != '1' {
		return nil
	}
	p := &authz.Place{Kind: placeKinds[raw[1]], Name: string(raw[2:])}
	if p.Kind == 0 || (p.Kind == state.RootUser) != (p.Name == "") {
		return nil
	}
	return p
}

func xHolders(h *authz.Holders) *ghapi.WhoCanResponse {
	out := &ghapi.WhoCanResponse{
		Principals: make([]ghapi.HolderOfPermission, len(h.List)), IsTruncated: &h.More, Total: new(int32(h.Total)), Asked: new(int32(h.Asked)),
		Partial: &h.Partial, MissingContextKeys: h.Missing,
	}
	if h.Cut {
		out.MissingContextKeysTruncated = &h.Cut
	}
	for i := range h.List {
		p := &h.List[i]
		out.Principals[i] = ghapi.HolderOfPermission{Arn: &p.ARN, Steps: xSteps(p.Steps)}
	}
	if h.More {
		out.Marker = markerOf(h.List[len(h.List)-1].Place)
	}
	return out
}

func xSteps(steps []authz.Step) []ghapi.Step {
	out := make([]ghapi.Step, len(steps))
	for i := range steps {
		s := &steps[i]
		grants := make([]ghapi.AllowingStatement, len(s.Grants))
		for j := range s.Grants {
			grants[j] = xGrant(&s.Grants[j])
		}
		out[i] = ghapi.Step{Principal: &s.Principal, Action: &s.Action, Resource: &s.Resource, Grants: grants}
	}
	return out
}

func xGrant(g *authz.Grant) ghapi.AllowingStatement {
	out := ghapi.AllowingStatement{Layer: new(g.Layer.String()), GroupArn: text(g.Group)}
	if p := g.Policy; p != nil {
		out.Policy = &ghapi.DecidingPolicy{Arn: text(p.ARN), Name: text(p.Name), Owner: text(p.Owner)}
		out.Statement = &ghapi.DecidingStatement{Index: new(int32(g.Statement)), Sid: text(g.Sid)}
	}
	return out
}
