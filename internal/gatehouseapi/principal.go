package gatehouseapi

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/arn"
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/authn"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/internal/state/statepb"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// subject is who is asked about.
type subject struct {
	arn       string           // "*" for those without an account
	account   string           // of the ARN
	principal *state.Principal // nil for those without an account, and where there is none
	session   *session.Session // nil for a long-term key
	assumed   bool             // the session is one of AssumeRoot
	tags      []*statepb.Tag   // of the user or role
	fault     *wire.Error      // told only to those who may ask about the ARN
}

// subjectOf finds out who is asked about. The error is of what can be said before anybody knows who asks.
func subjectOf(c *service.Call, r state.Reader, in *ghapi.Principal) (*subject, error) {
	given := 0
	for _, is := range []bool{in.Arn != nil, in.AccessKeyId != nil, in.Service != nil, in.Federated != nil, in.Anonymous != nil} {
		if is {
			given++
		}
	}
	session := in.SessionPolicies != nil || in.SessionTags != nil || in.SourceIdentity != nil || in.MultiFactorAuthPresent != nil || in.TokenIssueTime != nil || in.FederatedProvider != nil
	switch {
	case given != 1:
		return nil, invalid("Principal must have exactly one of Arn, AccessKeyId, Service, Federated and Anonymous.")
	case in.SessionToken != nil && in.AccessKeyId == nil:
		return nil, invalid("Principal.SessionToken goes with AccessKeyId.")
	case in.Arn == nil && (session || in.IssuerArn != nil):
		return nil, invalid("IssuerArn, SessionPolicies, SessionTags, SourceIdentity, MultiFactorAuthPresent, TokenIssueTime and FederatedProvider of Principal go with Arn.")
	case in.CanonicalUserId != nil && in.Arn == nil && in.AccessKeyId == nil:
		return nil, invalid("Principal.CanonicalUserId goes with Arn or AccessKeyId: it is that of their account.")
	case in.Arn != nil:
		return subjectOfARN(r, in)
	case in.AccessKeyId != nil:
		return subjectOfKey(c, r, in)
	case in.Anonymous != nil && !*in.Anonymous:
		return nil, invalid("Principal.Anonymous must be true.")
	}
	return &subject{arn: "*"}, nil
}

// subjectOfKey finds whose credentials these are. An access key of another account is one that is not there, as in iam:GetAccessKeyLastUsed.
func subjectOfKey(c *service.Call, r state.Reader, in *ghapi.Principal) (*subject, error) {
	token := ""
	if in.SessionToken != nil {
		token = *in.SessionToken
	} else if strings.HasPrefix(*in.AccessKeyId, "ASIA") {
		return nil, invalid("Principal.SessionToken is required: the credentials are temporary.")
	}
	who, err := authn.Resolve(r, c.Sessions, *in.AccessKeyId, token, c.Environment.Time)
	s := &subject{}
	switch {
	case errors.Is(err, authn.ErrToken):
		return nil, ghapi.InvalidCredentials.New("Principal.SessionToken is not a session token of this access key.")
	case errors.Is(err, authn.ErrGone):
		return nil, ghapi.InvalidCredentials.New("The user or role that Principal.SessionToken was issued for is gone.")
	case errors.Is(err, authn.ErrNoKey), who.Account != "" && who.Account != c.Caller.Account:
		return nil, wire.AccessDenied.New("User: %s is not authorized to perform: gatehouse:Authorize on resource: access key %s", c.Caller.ARN(), *in.AccessKeyId)
	case errors.Is(err, authn.ErrInactive):
		s.fault = ghapi.InvalidCredentials.New("The access key %s is inactive.", *in.AccessKeyId)
	case errors.Is(err, authn.ErrExpired):
		s.fault = ghapi.InvalidCredentials.New("Principal.SessionToken has expired.")
	case err != nil:
		return nil, err
	}
	s.principal, s.session = &who.Principal, who.Session
	s.arn, s.account, s.tags = who.ARN(), who.Account, tagsOf(r, &who.Principal)
	return s, nil
}

func subjectOfARN(r state.Reader, in *ghapi.Principal) (*subject, error) {
	name, err := arn.Parse(*in.Arn)
	if err != nil || name.Partition != state.Partition || name.Region != "" {
		return nil, invalid("Principal.Arn %s is not the ARN of a principal.", *in.Arn)
	}
	s := &subject{arn: *in.Arn, account: name.Account}
	kind, rest, _ := strings.Cut(name.Resource, "/")
	switch form := name.Service + ":" + kind; {
	case form == "iam:root" && name.Resource == kind:
		err = s.root(r, in)
	case form == "iam:user" && rest != "":
		err = s.user(r, in)
	case form == "sts:assumed-root" && name.Resource == kind:
		err = s.assumedRoot(r, in)
	case form == "sts:assumed-role":
		err = s.roleSession(r, in, rest)
	case form == "sts:federated-user":
		err = s.federated(r, in, rest)
	case form == "iam:role":
		return nil, invalid("Principal.Arn %s is a role. Ask about a session of it: arn:aws:sts::%s:assumed-role/%s/SESSION.",
			*in.Arn, name.Account, rest[strings.LastIndexByte(rest, '/')+1:])
	default:
		return nil, invalid("Principal.Arn %s is not the ARN of a user, a root user, or a session of a role, of a federated user or of AssumeRoot.", *in.Arn)
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

func (s *subject) root(r state.Reader, in *ghapi.Principal) error {
	if in.SessionPolicies != nil {
		return invalid("Principal.SessionPolicies of a root user go with the ARN of an AssumeRoot session: arn:aws:sts::%s:assumed-root.", s.account)
	}
	return s.ofRoot(r, in)
}

// assumedRoot is a session of AssumeRoot (docs/spec/evaluation.md 6.3): it has a task policy, or it would be the root user.
func (s *subject) assumedRoot(r state.Reader, in *ghapi.Principal) error {
	if len(in.SessionPolicies) == 0 {
		return invalid("Principal.SessionPolicies is required with an AssumeRoot session: it has the task policy.")
	}
	s.assumed = true
	if err := s.ofRoot(r, in); err != nil || s.fault != nil {
		return err
	}
	if s.session == nil {
		s.session = s.newSession()
	}
	return nil
}

func (s *subject) ofRoot(r state.Reader, in *ghapi.Principal) error {
	if err := noClaims(in); err != nil {
		return err
	}
	if r.Account(s.account) == nil {
		s.fault = ghapi.ResourceNotFound.New("The account %s cannot be found.", s.account)
		return nil
	}
	s.principal = &state.Principal{Kind: state.RootUser, Account: s.account, ID: s.account}
	return s.temporary(in)
}

func (s *subject) user(r state.Reader, in *ghapi.Principal) error {
	if in.SessionPolicies != nil {
		return invalid("Principal.SessionPolicies goes with sessions; the permissions of a user are limited by its boundary.")
	}
	if err := noClaims(in); err != nil {
		return err
	}
	var u *state.User
	if a := r.Account(s.account); a != nil {
		u = a.UserByARN(s.arn)
	}
	if u == nil {
		s.fault = ghapi.ResourceNotFound.New("The user %s cannot be found.", s.arn)
		return nil
	}
	s.tags = u.Tags
	s.principal = &state.Principal{Kind: state.IAMUser, Account: s.account, ID: u.Id, Path: u.Path, Name: u.Name}
	return s.temporary(in)
}

// noClaims refuses what only sessions of roles and of federated users have.
func noClaims(in *ghapi.Principal) error {
	if in.IssuerArn != nil || in.SessionTags != nil || in.SourceIdentity != nil || in.FederatedProvider != nil {
		return invalid("IssuerArn, SessionTags, SourceIdentity and FederatedProvider of Principal go with role sessions and federated users.")
	}
	return nil
}

func (s *subject) roleSession(r state.Reader, in *ghapi.Principal, resource string) error {
	role, name, _ := strings.Cut(resource, "/")
	switch {
	case !sessionName(name) || role == "":
		return invalid("Principal.Arn %s is not the ARN of a role session.", *in.Arn)
	case in.IssuerArn != nil:
		return invalid("Principal.IssuerArn goes with federated users.")
	}
	var found *state.Role
	if a := r.Account(s.account); a != nil {
		found = a.RoleByName(role)
	}
	if found == nil || found.Name != role {
		s.fault = ghapi.ResourceNotFound.New("The role with name %s cannot be found.", role)
		return nil
	}
	s.tags = found.Tags
	s.principal = &state.Principal{Kind: state.RoleSession, Account: s.account, ID: found.Id, Path: found.Path, Name: found.Name, Session: name}
	return s.claims(in)
}

func (s *subject) federated(r state.Reader, in *ghapi.Principal, name string) error {
	switch {
	case !sessionName(name):
		return invalid("Principal.Arn %s is not the ARN of a federated user.", *in.Arn)
	case in.IssuerArn == nil:
		return invalid("Principal.IssuerArn is required with a federated user: its permissions are those of who issued the session.")
	case in.SourceIdentity != nil, in.FederatedProvider != nil:
		return invalid("SourceIdentity and FederatedProvider of Principal go with role sessions.")
	}
	s.principal = &state.Principal{Kind: state.FederatedUser, Account: s.account, ID: s.account, Session: name}
	a := r.Account(s.account)
	var u *state.User
	if a != nil {
		u = a.UserByARN(*in.IssuerArn)
	}
	switch {
	case a != nil && *in.IssuerArn == arn.Root(state.Partition, s.account):
	case u != nil:
		s.tags = u.Tags
		s.principal.ID, s.principal.Path, s.principal.Name = u.Id, u.Path, u.Name
	default:
		s.principal = nil
		s.fault = ghapi.ResourceNotFound.New("The issuer %s cannot be found in the account of the federated user.", *in.IssuerArn)
		return nil
	}
	return s.claims(in)
}

// claims makes the session of a role or of a federated user.
func (s *subject) claims(in *ghapi.Principal) error {
	if err := s.temporary(in); err != nil {
		return err
	}
	if s.session == nil {
		s.session = s.newSession()
	}
	if in.SourceIdentity != nil {
		s.session.SourceIdentity = *in.SourceIdentity
	}
	for key, value := range in.SessionTags {
		if len(key) >= 4 && policy.SameKey(key[:4], "aws:") {
			return invalid("Principal.SessionTags has %s: keys that begin with aws: are reserved.", key)
		}
		s.session.Tags = append(s.session.Tags, session.Tag{Key: key, Value: value})
	}
	slices.SortFunc(s.session.Tags, func(a, b session.Tag) int { return strings.Compare(a.Key, b.Key) })
	for i := range s.session.Tags {
		for _, t := range s.session.Tags[:i] {
			if policy.SameKey(t.Key, s.session.Tags[i].Key) {
				return invalid("Principal.SessionTags has %s and %s, which are one key: tag keys of sessions are case insensitive.", t.Key, s.session.Tags[i].Key)
			}
		}
	}
	return nil
}

// temporary makes the session of temporary credentials, where the asker says anything of them.
func (s *subject) temporary(in *ghapi.Principal) error {
	factor := in.MultiFactorAuthPresent != nil && *in.MultiFactorAuthPresent
	switch {
	case in.TokenIssueTime == nil && in.MultiFactorAuthPresent == nil:
		return nil
	case factor && in.TokenIssueTime == nil:
		return invalid("Principal.TokenIssueTime is required with MultiFactorAuthPresent: it says how long ago that was.")
	case factor && (s.principal.Kind == state.FederatedUser || in.FederatedProvider != nil):
		return invalid("Principal.MultiFactorAuthPresent is never true for federated users and for sessions that an identity provider began.")
	}
	s.session = s.newSession()
	if in.TokenIssueTime != nil {
		s.session.Issued = in.TokenIssueTime.UTC().Truncate(time.Second)
	}
	if factor {
		s.session.MFA = s.session.Issued
	}
	return nil
}

func (s *subject) newSession() *session.Session {
	p := s.principal
	return &session.Session{Claims: session.Claims{Kind: p.Kind, Account: p.Account, ID: p.ID, Name: p.Session}}
}

func tagsOf(r state.Reader, p *state.Principal) []*statepb.Tag {
	a := r.Account(p.Account)
	if p.Kind == state.RoleSession {
		if role := a.Role(p.ID); role != nil {
			return role.Tags
		}
	} else if u := a.User(p.ID); u != nil {
		return u.Tags
	}
	return nil
}

// sessionName says whether a session or federated user can have that name (docs/spec/wire.md 10.1, 10.2).
func sessionName(name string) bool {
	const min, max = 2, 64
	return len(name) >= min && len(name) <= max && !strings.ContainsFunc(name, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_+=,.@-", r))
	})
}
