package session

import (
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Tag is a session tag.
type Tag struct {
	Key, Value string
	Transitive bool // handed on to the sessions that this one assumes
}

// Claims are what a session token says (docs/spec/evaluation.md 1.2, docs/spec/wire.md 10).
type Claims struct {
	Kind    state.PrincipalKind // IAMUser and RootUser: GetSessionToken; RoleSession; FederatedUser
	Account string
	ID      string // unique id of the user or role; of a federated user, and of root's sessions: who issued it, as in state.Principal
	Name    string // role sessions: the session's name; federated users: their name

	AccessKeyID string // ASIA…; the token opens with no other
	Secret      keyring.Secret
	IssuingKey  string // id of the access key that signed the call which made the session; it may be a session's own
	Issued      time.Time
	Expires     time.Time // whole seconds, as Issued
	MFA         time.Time // when the caller proved a second factor; zero = it did not

	SourceIdentity string // "" = none
	Chained        bool   // the role was assumed with a role session's credentials

	Policy     string   // the inline session policy as sent; "" = none
	PolicyARNs []string // managed session policies; they are read when a request is decided
	Tags       []Tag    // in the order they were given, inherited ones first; keys are unique without regard to case
}

// Limited says whether session policies limit the session (docs/spec/evaluation.md 6.3).
func (c *Claims) Limited() bool { return c.Policy != "" || len(c.PolicyARNs) > 0 }

// Session is an opened token. It is shared and never changes.
type Session struct {
	Claims
	Inline *policy.Policy // Claims.Policy, compiled; nil = none
}
