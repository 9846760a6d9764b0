package wire

import (
	"net/http"
)

// Request is an API request while it is served.
type Request struct {
	HTTP      *http.Request
	ID        string // request id (a UUID); set by the caller after Identify
	Body      []byte
	Protocol  Protocol   // 0 only if no service could be told
	Service   *Service   // nil if no service could be told
	Operation *Operation // nil if the service has no such operation: see UnknownOperation
	Action    string     // operation name as the client wrote it
	Version   string     // awsQuery: Version as the client wrote it
	WantsJSON bool       // awsQuery: Accept: application/json (docs/spec/wire.md 1.4)

	params []param // awsQuery: every parameter, query string first
	labels []param // restJson1: values of the URI template
}

type param struct{ name, value string }
