package sts

import (
	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// The checks beside sts:AssumeRole.
const (
	tagSession        = "sts:TagSession"
	setSourceIdentity = "sts:SetSourceIdentity"
)

// onAssumeRole are the checks of docs/spec/evaluation.md 8.1, in the order of docs/spec/wire.md 1.8: what can be said of the parameters alone
// comes first, then who calls. A role that is not there has no trust policy, and so nobody learns that it is not there.
func onAssumeRole(c *service.Call, r state.Reader, in *stsapi.AssumeRoleRequest) ([]authz.Target, error) {
	name, err := arn.Parse(*in.RoleArn)
	if err != nil {
		return nil, wire.ValidationError.New("%s is invalid", *in.RoleArn)
	}
	if len(in.ProvidedContexts) > 0 {
		return nil, wire.NotImplemented.New("AssumeRole with ProvidedContexts is not implemented by this version of Gatehouse.")
	}
	inherited := inheritedTags(c.Caller.Session)
	tags, err := newTags(in.Tags, in.TransitiveTagKeys, inherited)
	if err != nil {
		return nil, err
	}
	if c.Caller.Kind == state.RootUser {
		return nil, wire.AccessDenied.New("Roles may not be assumed by root accounts.")
	}
	if err := checkSecondFactor(in.SerialNumber, in.TokenCode); err != nil {
		return nil, err
	}
	target := authz.Target{ARN: *in.RoleArn, Account: name.Account, Keys: assumeRoleKeys(in, tags), MustTrust: true}
	if a := r.Account(name.Account); a != nil {
		if role := a.RoleByARN(*in.RoleArn); role != nil {
			target.Trust = &policy.Attached{Policy: role.CompiledTrust, Owner: *in.RoleArn}
			target.Tags, target.TrustTags = role.Tags, replaced(role.Tags, inherited)
		}
	}
	targets := []authz.Target{target}
	if len(tags)+len(inherited) > 0 {
		target.Action = tagSession
		targets = append(targets, target)
	}
	if sourceIdentity(c, in) != "" {
		target.Action = setSourceIdentity
		targets = append(targets, target)
	}
	return targets, nil
}

// assumeRoleKeys is docs/spec/evaluation.md 1.4: what the call passes, not what it inherits.
func assumeRoleKeys(in *stsapi.AssumeRoleRequest, tags []session.Tag) []policy.Entry {
	keys := make([]policy.Entry, 0, 5+len(tags))
	keys = append(keys, one("sts:RoleSessionName", *in.RoleSessionName))
	if in.ExternalId != nil {
		keys = append(keys, one("sts:ExternalId", *in.ExternalId))
	}
	if in.SourceIdentity != nil {
		keys = append(keys, one("sts:SourceIdentity", *in.SourceIdentity))
	}
	if len(in.TransitiveTagKeys) > 0 {
		keys = append(keys, policy.Entry{Key: "sts:TransitiveTagKeys", Values: in.TransitiveTagKeys, Multi: true})
	}
	return requestTagKeys(keys, tags)
}

// replaced are a role's tags with the values that inherited tags give them while its trust policy is evaluated, and then only: the caller's own
// policies see what the role has (docs/spec/evaluation.md 1.4). nil if there are no inherited tags.
func replaced(tags []*statepb.Tag, inherited []session.Tag) []*statepb.Tag {
	if len(inherited) == 0 {
		return nil
	}
	out := make([]*statepb.Tag, len(tags))
	for i, t := range tags {
		out[i] = t
		if j := findTag(inherited, t.Key); j >= 0 {
			out[i] = &statepb.Tag{Key: t.Key, Value: inherited[j].Value}
		}
	}
	return out
}

// sourceIdentity is that of the session which a call makes: passed, or inherited.
func sourceIdentity(c *service.Call, in *stsapi.AssumeRoleRequest) string {
	if in.SourceIdentity != nil {
		return *in.SourceIdentity
	}
	if c.Caller.Session != nil {
		return c.Caller.Session.SourceIdentity
	}
	return ""
}

func assumeRole(c *service.Call, r state.Reader, in *stsapi.AssumeRoleRequest) (*stsapi.AssumeRoleResponse, error) {
	name, err := arn.Parse(*in.RoleArn)
	if err != nil {
		return nil, wire.ValidationError.New("%s is invalid", *in.RoleArn)
	}
	account := r.Account(name.Account)
	var role *state.Role
	if account != nil {
		role = account.RoleByARN(*in.RoleArn)
	}
	if role == nil { // the checks deny what is not there; a mistake in them must not become a panic
		return nil, wire.AccessDenied.New("Not authorized to perform sts:AssumeRole")
	}
	chained := c.Caller.Kind == state.RoleSession
	identity := sourceIdentity(c, in)
	if old := c.Caller.Session; old != nil && old.SourceIdentity != "" && old.SourceIdentity != identity { // text not known from AWS
		return nil, wire.AccessDenied.New("The source identity of a session cannot be changed by the sessions it assumes.")
	}
	seconds, err := roleSeconds(in.DurationSeconds, role, chained)
	if err != nil {
		return nil, err
	}
	inherited := inheritedTags(c.Caller.Session)
	tags, err := newTags(in.Tags, in.TransitiveTagKeys, inherited)
	if err != nil {
		return nil, err
	}
	claims := session.Claims{
		Kind: state.RoleSession, Account: name.Account, ID: role.Id, Name: *in.RoleSessionName,
		SourceIdentity: identity, Chained: chained, Tags: append(inherited, tags...),
	}
	packed, err := limit(&claims, account, in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	out := &stsapi.AssumeRoleResponse{AssumedRoleUser: xAssumedRoleUser(&claims, role)}
	if claims.Limited() || len(tags) > 0 {
		out.PackedPolicySize = &packed
	}
	if identity != "" {
		out.SourceIdentity = &identity
	}
	out.Credentials, err = issue(c, r, &claims, seconds)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// roleSeconds is how long a role's credentials live: docs/spec/wire.md 10.1.
func roleSeconds(asked *int32, role *state.Role, chained bool) (int32, error) {
	longest := role.MaxSessionSeconds
	if longest == 0 {
		longest = defaultRoleSeconds
	}
	switch {
	case asked == nil:
		return defaultRoleSeconds, nil
	case chained && *asked > maxChainedSeconds:
		return 0, wire.ValidationError.New("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case *asked > longest:
		return 0, wire.ValidationError.New("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return *asked, nil
}

func xAssumedRoleUser(claims *session.Claims, role *state.Role) *stsapi.AssumedRoleUser {
	p := state.Principal{Kind: state.RoleSession, Account: claims.Account, ID: role.Id, Path: role.Path, Name: role.Name, Session: claims.Name}
	id, name := p.UserID(), p.ARN()
	return &stsapi.AssumedRoleUser{AssumedRoleId: &id, Arn: &name}
}
