package gatehouseapi

import (
	"reflect"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// onExplain: the permission is on whom the decision is about, as for Authorize. A decision that the caller's account did not ask for is one
// that is not there.
func (s *Service) onExplain(c *service.Call, r state.Reader, in *ghapi.ExplainRequest) ([]authz.Target, error) {
	if in.DecisionId == nil {
		question, err := questionOf(in)
		if err != nil {
			return nil, err
		}
		return onAuthorize(c, r, question)
	}
	d, err := s.denial(c, in)
	if err != nil {
		return nil, err
	}
	return aboutDenial(r, d), nil
}

// aboutDenial are the principals that an explanation of the denial tells about.
func aboutDenial(r state.Reader, d *authz.Denial) []authz.Target {
	p := d.Record.Principal
	if p == nil {
		return []authz.Target{{ARN: "*"}}
	}
	target := authz.Target{ARN: p.ARN(), Account: p.Account}
	if r.Account(p.Account) != nil {
		target.Tags = tagsOf(r, p)
	}
	if d.Record.Sets.Caller.Kind != policy.FederatedCaller {
		return []authz.Target{target}
	}
	issuer := target
	if issuer.ARN = d.Record.Sets.Caller.ARN; issuer.ARN == "" {
		issuer.ARN = arn.Root(state.Partition, p.Account)
	}
	return []authz.Target{target, issuer}
}

// explain answers as of the revision of the decision, or of now where the decision is made here.
func (s *Service) explain(c *service.Call, r state.Reader, in *ghapi.ExplainRequest) (*ghapi.ExplainResponse, error) {
	if in.DecisionId != nil {
		d, err := s.denial(c, in)
		if err != nil {
			return nil, err
		}
		out := xExplanation(s.authorizer.ExplainDenial(d))
		out.DecisionId = in.DecisionId
		return out, nil
	}
	question, err := questionOf(in)
	if err != nil {
		return nil, err
	}
	q, err := queryOf(c, r, question)
	if err != nil {
		return nil, err
	}
	return xExplanation(s.authorizer.Explain(r, q)), nil
}

func (s *Service) denial(c *service.Call, in *ghapi.ExplainRequest) (*authz.Denial, error) {
	rest := *in
	rest.DecisionId = nil
	if !reflect.ValueOf(rest).IsZero() {
		return nil, invalid("DecisionId goes without other members: the decision has its own.")
	}
	d := s.authorizer.Kept(c.Caller.Account, *in.DecisionId)
	if d == nil {
		return nil, ghapi.ResourceNotFound.New("The decision %s cannot be found. The server keeps denials only, in memory: the last %d, of one account the last %d, "+
			"and fewer if they are large.", *in.DecisionId, authz.KeptDenials, authz.KeptDenialsOfAccount)
	}
	return d, nil
}

// questionOf is a question that comes without a decision.
func questionOf(in *ghapi.ExplainRequest) (*ghapi.AuthorizeRequest, error) {
	if in.Principal == nil || in.Action == nil || in.Resource == nil {
		return nil, invalid("Give DecisionId, or Principal, Action and Resource.")
	}
	return &ghapi.AuthorizeRequest{
		Principal: in.Principal, Action: in.Action, Resource: in.Resource, ResourceAccount: in.ResourceAccount, ResourceTags: in.ResourceTags,
		ResourcePolicy: in.ResourcePolicy, ResourcePolicyRequired: in.ResourcePolicyRequired, AclGrantees: in.AclGrantees,
		EndpointPolicy: in.EndpointPolicy, EndpointType: in.EndpointType,
		ServiceControlPolicies: in.ServiceControlPolicies, ResourceControlPolicies: in.ResourceControlPolicies, Context: in.Context,
	}, nil
}
