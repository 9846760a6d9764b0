package wire

import (
	"fmt"
	"net/http"
)

// Fault is one kind of error: a modelled one of a service (generated, iamapi.NoSuchEntity) or a common one (AccessDenied).
type Fault struct {
	Shape  string // name of the shape in the model, "" for common faults
	Code   string // code on the wire of awsQuery, and elsewhere where JSONCode is empty
	Status int    // HTTP status under awsQuery, and elsewhere where JSONStatus or RESTStatus is 0

	JSONCode   string // code under awsJson1_1 and restJson1
	JSONStatus int    // status under awsJson1_1
	RESTStatus int    // status under restJson1
	NoMessage  bool   // always rendered without a message (ReportInProgress, MalformedInput)
}

// Common faults, docs/spec/wire.md 1.6, 1.7 and 4.1 to 4.3. Services have no modelled shape for them.
var (
	AccessDenied                = &Fault{Code: "AccessDenied", Status: 403, JSONCode: "AccessDeniedException", JSONStatus: 400}
	ExpiredToken                = &Fault{Code: "ExpiredToken", Status: 403, JSONCode: "ExpiredTokenException", JSONStatus: 400}
	IncompleteSignature         = &Fault{Code: "IncompleteSignature", Status: 400, JSONCode: "IncompleteSignatureException", RESTStatus: 403}
	IncompleteBody              = &Fault{Code: "IncompleteBody", Status: 400, JSONCode: "SerializationException"}
	InternalFailure             = &Fault{Code: "InternalFailure", Status: 500}
	InvalidAction               = &Fault{Code: "InvalidAction", Status: 400, JSONCode: "UnknownOperationException", RESTStatus: 404}
	InvalidClientTokenId        = &Fault{Code: "InvalidClientTokenId", Status: 403, JSONCode: "UnrecognizedClientException", JSONStatus: 400}
	InvalidParameterCombination = &Fault{Code: "InvalidParameterCombination", Status: 400}
	InvalidParameterValue       = &Fault{Code: "InvalidParameterValue", Status: 400}
	InvalidQueryParameter       = &Fault{Code: "InvalidQueryParameter", Status: 400}
	MalformedInput              = &Fault{Code: "MalformedInput", Status: 400, JSONCode: "SerializationException"}
	MalformedQueryString        = &Fault{Code: "MalformedQueryString", Status: 404, JSONCode: "SerializationException", JSONStatus: 400, RESTStatus: 400}
	MissingAction               = &Fault{Code: "MissingAction", Status: 400, JSONCode: "UnknownOperationException"}
	MissingAuthenticationToken  = &Fault{Code: "MissingAuthenticationToken", Status: 403, JSONCode: "MissingAuthenticationTokenException", JSONStatus: 400}
	MissingParameter            = &Fault{Code: "MissingParameter", Status: 400, JSONCode: "ValidationException"}
	NotAuthorized               = &Fault{Code: "NotAuthorized", Status: 400}
	NotImplemented              = &Fault{Code: "NotImplemented", Status: 501, JSONCode: "NotImplementedException"}
	OptInRequired               = &Fault{Code: "OptInRequired", Status: 403, JSONStatus: 400}
	RequestEntityTooLarge       = &Fault{Code: "RequestEntityTooLarge", Status: 413, JSONCode: "RequestEntityTooLargeException"}
	RequestExpired              = &Fault{Code: "RequestExpired", Status: 400, JSONCode: "RequestExpiredException"}
	ServiceUnavailable          = &Fault{Code: "ServiceUnavailable", Status: 503, JSONCode: "ServiceUnavailableException"}
	SignatureDoesNotMatch       = &Fault{Code: "SignatureDoesNotMatch", Status: 403, JSONCode: "InvalidSignatureException", JSONStatus: 400}
	Throttling                  = &Fault{Code: "Throttling", Status: 400, JSONCode: "ThrottlingException", RESTStatus: 429}
	ValidationError             = &Fault{Code: "ValidationError", Status: 400, JSONCode: "ValidationException"}
)

// unknownPath is the answer to a request whose path or method no service has; awsQuery sends a body of its own form.
var unknownPath = &Fault{Code: "UnknownOperationException", Status: 404}

// Texts of common faults that have one fixed text.
const (
	InternalFailureText = "The request processing has failed because of an unknown error, exception or failure."
	ThrottlingText      = "Rate exceeded"
)

// New makes an error of this kind. Without args format is the message itself, % signs included.
func (f *Fault) New(format string, args ...any) *Error {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return &Error{Fault: f, Message: format}
}

// Bare makes an error of this kind that carries no message at all (docs/spec/wire.md 1.5).
func (f *Fault) Bare() *Error { return &Error{Fault: f, NoMessage: true} }

// CodeFor returns the error code as protocol p prints it.
func (f *Fault) CodeFor(p Protocol) string {
	if p != Query && p != 0 && f.JSONCode != "" {
		return f.JSONCode
	}
	return f.Code
}

// StatusFor returns the HTTP status under protocol p.
func (f *Fault) StatusFor(p Protocol) int {
	status := f.Status
	switch {
	case p == JSON11 && f.JSONStatus != 0:
		status = f.JSONStatus
	case p == RestJSON && f.RESTStatus != 0:
		status = f.RESTStatus
	}
	if status == 0 {
		return http.StatusBadRequest
	}
	return status
}

// Error is an error as a client sees it. The zero Fault is InternalFailure.
type Error struct {
	Fault     *Fault
	Message   string
	NoMessage bool    // no message element or key at all
	Extra     []Extra // further members of JSON errors, in order (Reason, resourceId, fieldList)
	// DecisionID names the decision that denied the call: the element or member DecisionId under every protocol, which AWS does not send
	// and clients pass over, and a header. "" for all other errors.
	DecisionID string
}

// Extra is a member of a JSON error beside its code and message. Value must be encodable by encoding/json. Under restJson1 the name
// Retry-After makes it a header.
type Extra struct {
	Name  string
	Value any
}

// With adds a member to a JSON error and returns e.
func (e *Error) With(name string, value any) *Error {
	e.Extra = append(e.Extra, Extra{name, value})
	return e
}

// Error returns code and message, for logs.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.fault().Code
	}
	return e.fault().Code + ": " + e.Message
}

// IsFault says whether e is of kind f. A nil e is of no kind.
func (e *Error) IsFault(f *Fault) bool { return e != nil && e.fault() == f }

func (e *Error) fault() *Fault {
	if e.Fault == nil {
		return InternalFailure
	}
	return e.Fault
}
