package state

import (
	"github.com/gatehouse-iam/gatehouse/arn"
)

// Partition is the ARN partition of everything Gatehouse makes.
const Partition = "aws"

// PrincipalKind says what kind of identity signed a request (docs/spec/evaluation.md 1.2).
type PrincipalKind uint8

// The kinds of principals.
const (
	RootUser      PrincipalKind = iota + 1
	IAMUser                     // with its own key, or with GetSessionToken credentials
	RoleSession                 // of AssumeRole
	FederatedUser               // of GetFederationToken
)

// Principal is an identity of the store that can sign requests.
type Principal struct {
	Kind    PrincipalKind
	Account string
	ID      string // unique id of the user or of the session's role; the account id for the root user. Of a federated user: who issued it
	Path    string // of the user or role that ID names; "" for root
	Name    string // of the user or role that ID names; "" for root
	Session string // role sessions: the session's name; federated users: their name
}

// ARN is the principal as denial messages and GetCallerIdentity print it.
func (p *Principal) ARN() string {
	switch p.Kind {
	case RootUser:
		return arn.Root(Partition, p.Account)
	case RoleSession:
		return arn.AssumedRole(Partition, p.Account, p.Name, p.Session)
	case FederatedUser:
		return arn.FederatedUser(Partition, p.Account, p.Session)
	}
	return arn.User(Partition, p.Account, p.Path, p.Name)
}

// UserID is aws:userid, and the UserId of GetCallerIdentity (docs/spec/evaluation.md 1.2).
func (p *Principal) UserID() string {
	switch p.Kind {
	case RoleSession:
		return p.ID + ":" + p.Session
	case FederatedUser:
		return p.Account + ":" + p.Session
	}
	return p.ID
}
