package gatehouseapi

import (
	"github.com/gatehouse-iam/gatehouse/internal/api/ghapi"
	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/service"
	"github.com/gatehouse-iam/gatehouse/internal/wire"
)

// Service has what the operations need beside the call.
type Service struct {
	authorizer *authz.Authorizer
	inquiries  chan struct{} // one for each that is being answered
}

// Register adds the operations. z is the authorizer that decides for r too: there is one answer in the building.
func Register(r *service.Registry, z *authz.Authorizer) {
	s := &Service{authorizer: z, inquiries: make(chan struct{}, maxInquiries)}
	service.Read(r, ghapi.OpAuthorize, onAuthorize, s.authorize)
	service.Read(r, ghapi.OpExplain, s.onExplain, s.explain)
	service.Read(r, ghapi.OpWhoCan, onWhoCan, s.whoCan)
}

// invalid is a ValidationException whose message is ours.
func invalid(format string, args ...any) *wire.Error {
	return wire.ValidationError.New(format, args...).With("reason", "other")
}
