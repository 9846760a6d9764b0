package state

import "github.com/gatehouse-iam/gatehouse/arn"

// Partition is the ARN partition of everything Gatehouse makes.
const Partition = "aws"

// PrincipalKind says what kind of identity signed a request (docs/spec/evaluation.md 1.2).
type PrincipalKind uint8

// The kinds of principals.
const (
	RootUser PrincipalKind = iota + 1
	IAMUser
)

// Principal is an identity of the store that can sign requests.
type Principal struct {
	Kind    PrincipalKind
	Account string
	ID      string // unique id; the account id for the root user
	Path    string // IAM users
	Name    string // IAM users
}

// ARN is the principal as denial messages and GetCallerIdentity print it.
func (p *Principal) ARN() string {
	if p.Kind == RootUser {
		return arn.Root(Partition, p.Account)
	}
	return arn.User(Partition, p.Account, p.Path, p.Name)
}

// ARN is the user's name for policies; account is the one it belongs to.
func (u *User) ARN(account string) string { return arn.User(Partition, account, u.Path, u.Name) }
