package gatehouseapi

import (
	"maps"
	"slices"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/authmessage"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// onAuthorize: the permission is on who is asked about, "*" for those that belong to no account; of a federated user that the asker describes on
// its issuer too.
func onAuthorize(c *service.Call, r state.Reader, in *ghapi.AuthorizeRequest) ([]authz.Target, error) {
	s, err := subjectOf(c, r, in.Principal)
	if err != nil {
		return nil, err
	}
	targets := []authz.Target{{ARN: s.arn, Account: s.account, Tags: s.tags}}
	if in.Principal.IssuerArn != nil { // the asker chooses it, and the answer tells what its policies say
		targets = append(targets, authz.Target{ARN: *in.Principal.IssuerArn, Account: s.account, Tags: s.tags})
	}
	return targets, nil
}

// authorize decides one check.
func (s *Service) authorize(c *service.Call, r state.Reader, in *ghapi.AuthorizeRequest) (*ghapi.AuthorizeResponse, error) {
	q, err := queryOf(c, r, in)
	if err != nil {
		return nil, err
	}
	a := s.authorizer.Ask(r, q)
	out := xAnswer(&a)
	if a.Denial == nil {
		return out, nil
	}
	s.authorizer.Keep(c.Caller.Account, c.Request.ID, a.Denial)
	out.DecisionId = &c.Request.ID
	keyset, err := c.Vault.Account(r, r.Account(c.Caller.Account))
	if err != nil {
		return nil, err
	}
	encoded, err := authmessage.Seal(keyset, a.Denial)
	if err != nil {
		return nil, err
	}
	out.EncodedAuthorizationMessage = &encoded
	return out, nil
}

func queryOf(c *service.Call, r state.Reader, in *ghapi.AuthorizeRequest) (*authz.Query, error) {
	who, err := subjectOf(c, r, in.Principal)
	if err != nil {
		return nil, err
	}
	if who.fault != nil {
		return nil, who.fault
	}
	return newQuery(c, who, in)
}

func newQuery(c *service.Call, who *subject, in *ghapi.AuthorizeRequest) (*authz.Query, error) {
	q := &authz.Query{
		Principal: who.principal, Session: who.session, Service: in.Principal.Service, Anonymous: in.Principal.Anonymous != nil,
		Action: *in.Action, Resource: *in.Resource, Grantees: in.AclGrantees, Time: c.Environment.Time, AssumedRoot: who.assumed,
		NeedsResourcePolicy: in.ResourcePolicyRequired != nil && *in.ResourcePolicyRequired,
	}
	if in.Principal.Federated != nil {
		q.Provider = *in.Principal.Federated
	}
	if in.Principal.FederatedProvider != nil {
		q.FederatedProvider = *in.Principal.FederatedProvider
	}
	if in.Principal.CanonicalUserId != nil {
		q.Canonical = *in.Principal.CanonicalUserId
	}
	var err error
	if q.Owner, err = ownerOf(in); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(in.ResourceTags)) {
		q.ResourceTags = append(q.ResourceTags, &statepb.Tag{Key: key, Value: in.ResourceTags[key]})
	}
	if q.Context, err = contextOf(in.Context); err != nil {
		return nil, err
	}
	if err := readDocuments(q, in); err != nil {
		return nil, err
	}
	return q, nil
}

// ownerOf is the account that the resource belongs to; "" where there is no resource.
func ownerOf(in *ghapi.AuthorizeRequest) (string, error) {
	switch {
	case len(*in.Action) > policy.MaxAction:
		return "", invalid("Action has more than %d bytes.", policy.MaxAction)
	case len(*in.Resource) > policy.MaxResource:
		return "", invalid("Resource has more than %d bytes.", policy.MaxResource)
	case *in.Resource == "*":
		return "", nil
	}
	name, err := arn.Parse(*in.Resource)
	switch {
	case err != nil:
		return "", invalid("Resource %s is neither * nor an ARN.", *in.Resource)
	case in.ResourceAccount != nil:
		return *in.ResourceAccount, nil
	case product.IsAccount(name.Account):
		return name.Account, nil
	}
	return "", invalid("ResourceAccount is required: %s does not name the account that it belongs to.", *in.Resource)
}

// xAnswer leaves out what did not decide.
func xAnswer(a *authz.Answer) *ghapi.AuthorizeResponse {
	d := a.Decision
	out := &ghapi.AuthorizeResponse{Decision: new(ghapi.DecisionAllow), Explicit: new(d.Effect == policy.DenyExplicit)}
	if a.Denial != nil || d.Effect != policy.Allow {
		out.Decision = new(ghapi.DecisionDeny)
	}
	if a.Denial != nil {
		out.Message = new(a.Denial.Error())
	}
	if a.Catalog != catalog.Known {
		out.Catalog = &ghapi.CatalogVerdict{Verdict: new(a.Catalog.String())}
	}
	if d.Layer != policy.LayerNone {
		out.Layer = new(d.Layer.String())
	}
	if *out.Decision == ghapi.DecisionDeny && (d.Layer == policy.LayerSCP || d.Layer == policy.LayerRCP) {
		out.Level = new(int32(d.Level))
	}
	if p := d.Policy; p != nil {
		out.Policy = xPolicy(p)
		out.Statement = &ghapi.DecidingStatement{Index: new(int32(d.Statement))}
		if statements := p.Policy.Document().Statements; d.Statement < len(statements) {
			out.Statement.Sid = text(statements[d.Statement].Sid)
		}
	}
	return out
}

func xPolicy(p *policy.Attached) *ghapi.DecidingPolicy {
	return &ghapi.DecidingPolicy{Arn: text(p.ARN), Name: text(p.Name), Owner: text(p.Owner)}
}

// text is a member that is left out where it is empty.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
