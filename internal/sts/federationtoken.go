package sts

import (
	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// onGetFederationToken is docs/spec/evaluation.md 8.4. Only long-term keys come here (package authn).
func onGetFederationToken(c *service.Call, _ state.Reader, in *stsapi.GetFederationTokenRequest) ([]authz.Target, error) {
	tags, err := newTags(in.Tags, nil, nil)
	if err != nil {
		return nil, err
	}
	target := authz.Target{ARN: arn.FederatedUser(state.Partition, c.Caller.Account, *in.Name), Keys: requestTagKeys(nil, tags)}
	if len(tags) == 0 {
		return []authz.Target{target}, nil
	}
	tagging := target
	tagging.Action = tagSession
	return []authz.Target{target, tagging}, nil
}

func getFederationToken(c *service.Call, r state.Reader, in *stsapi.GetFederationTokenRequest) (*stsapi.GetFederationTokenResponse, error) {
	tags, err := newTags(in.Tags, nil, nil)
	if err != nil {
		return nil, err
	}
	claims := session.Claims{Kind: state.FederatedUser, Account: c.Caller.Account, ID: c.Caller.ID, Name: *in.Name, Tags: tags}
	packed, err := limit(&claims, r.Account(c.Caller.Account), in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	credentials, err := issue(c, r, &claims, userSeconds(c, in.DurationSeconds))
	if err != nil {
		return nil, err
	}
	p := state.Principal{Kind: state.FederatedUser, Account: claims.Account, ID: claims.ID, Session: claims.Name}
	id, name := p.UserID(), p.ARN()
	return &stsapi.GetFederationTokenResponse{
		Credentials: credentials, FederatedUser: &stsapi.FederatedUser{FederatedUserId: &id, Arn: &name}, PackedPolicySize: &packed,
	}, nil
}
