package authn

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/iamapi"
	"github.com/gatehouse-iam/gatehouse/internal/api/stsapi"
	"github.com/gatehouse-iam/gatehouse/internal/product"
	"github.com/gatehouse-iam/gatehouse/internal/session"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

func (c *Caller) credentials() product.Credentials {
	return session.CredentialsOf(c.Kind, c.Session, false)
}

// admitted says whether the service knows credentials of the caller's kind.
func admitted(c *Caller, s *wire.Service) bool {
	return s != iamapi.Service || c.credentials()&product.ForIAM != 0
}

// refused is the refusal of credentials whose signature is right. The texts for GetSessionToken and GetFederationToken are AWS's
// (docs/spec/wire.md 4.3); those for the other operations follow them.
func refused(c *Caller, op *wire.Operation) *wire.Error {
	if op == nil || op.Service != stsapi.Service || c.credentials()&product.ForSTS(op.Action()) != 0 {
		return nil
	}
	return wire.AccessDenied.New("Cannot call %s with session credentials", op.Name)
}
