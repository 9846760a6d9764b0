package wire

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Request is an API request while it is served. It is used by one goroutine.
type Request struct {
	HTTP      *http.Request
	ID        string // request id (a UUID); set by the caller after Identify
	Body      []byte
	Protocol  Protocol   // 0 only if no service could be told
	Service   *Service   // nil if no service could be told
	Operation *Operation // nil if the service has no such operation: see Unknown
	Action    string     // operation name as the client wrote it; restJson1: of the operation found
	Version   string     // awsQuery: Version as the client wrote it
	WantsJSON bool       // awsQuery: Accept: application/json (docs/spec/wire.md 1.4)

	params []param  // awsQuery and restJson1: every parameter, query string first
	labels []string // restJson1: decoded values of the URI template, in its order
	inline [8]param // room for params of small requests
}

// ReadBody reads the request body of at most max bytes. A longer one is RequestEntityTooLarge, one that ends early IncompleteBody.
func ReadBody(r *http.Request, max int64) ([]byte, *Error) {
	if r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0 {
		return nil, nil
	}
	if r.ContentLength > max {
		return nil, tooLarge(max)
	}
	// The length a client announces is not trusted with more memory than a small body needs.
	const trusted = 64 << 10
	size := int64(512)
	if r.ContentLength > 0 {
		size = min(r.ContentLength+1, trusted) // +1: room to meet the end without growing
	}
	body := make([]byte, 0, size)
	for {
		n, err := r.Body.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		if int64(len(body)) > max {
			return nil, tooLarge(max)
		}
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				return nil, tooLarge(max)
			}
			return nil, IncompleteBody.New("The request body could not be read to its end.")
		}
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
	}
}

func tooLarge(max int64) *Error {
	return RequestEntityTooLarge.New("The request body is larger than %d bytes.", max)
}

// Identify finds service and operation of a request (docs/spec/wire.md 1.1). signingName is the service in the credential scope, ""
// for an unsigned request. The request is returned even with an error, so that WriteError can answer in its protocol. An operation
// that does not exist is no error yet, because it is reported after authentication (1.8): Operation is nil and Unknown gives the error.
// The caller sets ID before it writes an answer.
func Identify(r *http.Request, body []byte, services []*Service, signingName string) (*Request, *Error) {
	q := &Request{HTTP: r, Body: body}
	s := byTarget(r, services)
	if signingName != "" {
		if signed := bySigningName(services, signingName); signed != nil {
			s = signed
		}
	}
	if s != nil {
		q.serve(s)
		switch s.Protocol {
		case JSON11:
			return q, q.identifyTarget()
		case RestJSON:
			return q, q.identifyRoute()
		}
	}
	q.WantsJSON = wantsJSON(r.Header)
	err := q.readParams()
	if s == nil {
		s = q.byVersion(services)
		if s == nil && q.Action == "" && err == nil && (r.URL.Path != "/" && r.URL.Path != "") {
			for _, s := range services {
				if s.Protocol == RestJSON && s.route(r.Method, r.URL.EscapedPath()) != nil {
					q.serve(s)
					return q, q.identifyRoute()
				}
			}
		}
		if s == nil {
			s = defaultService(services, q.Action)
		}
		if s == nil {
			return q, MissingAction.New("The request is missing an action or a required parameter.")
		}
		q.serve(s)
	}
	switch {
	case err != nil:
		return q, err
	case r.URL.Path != "/" && r.URL.Path != "", r.Method != http.MethodGet && r.Method != http.MethodPost:
		return q, unknownPath.Bare()
	case q.Action == "":
		return q, MissingAction.New("The request is missing an action or a required parameter.")
	}
	if q.Version == s.APIVersion {
		q.Operation = s.Operation(q.Action)
	}
	return q, nil
}

func (q *Request) serve(s *Service) { q.Service, q.Protocol = s, s.Protocol }

// Unknown returns the error for a request whose Operation is nil.
func (q *Request) Unknown() *Error {
	if q.Protocol != Query {
		return InvalidAction.Bare()
	}
	version := q.Version
	if version == "" {
		version = "NO_VERSION_SPECIFIED"
	}
	return InvalidAction.New("Could not find operation %s for version %s", q.Action, version)
}

// Param returns the first value of a parameter of an awsQuery request, as the client sent it, or of the query string under restJson1.
func (q *Request) Param(name string) (string, bool) {
	for i := range q.params {
		if q.params[i].name == name {
			return q.params[i].value, true
		}
	}
	return "", false
}

// Decode fills in, a pointer to the generated input struct of the operation (or to Empty). Values that cannot be parsed are
// MalformedInput without a message under awsQuery, SerializationException under awsJson1_1, ValidationException under restJson1.
// Unknown members are ignored and of repeated ones the last counts, unless the service is strict; null is an absent member. Values of the
// kind Document are nil, bool, string, json.Number, []any and map[string]any. The struct shares no memory with the request.
func (q *Request) Decode(in any) *Error {
	if q.Operation == nil {
		return q.Unknown()
	}
	if q.Operation.In == nil {
		return nil
	}
	v := target(in)
	switch q.Protocol {
	case Query:
		return decodeQuery(q.params, q.Operation.In, v)
	case JSON11:
		return q.decodeJSON(v)
	}
	if err := q.decodeJSON(v); err != nil {
		return err
	}
	return q.decodeRest(v)
}

func bySigningName(services []*Service, name string) *Service {
	for _, s := range services {
		if s.SigningName == name {
			return s
		}
	}
	return nil
}

func byTarget(r *http.Request, services []*Service) *Service {
	values := r.Header["X-Amz-Target"]
	if len(values) == 0 {
		return nil
	}
	prefix, _, _ := strings.Cut(values[0], ".")
	for _, s := range services {
		if s.Protocol == JSON11 && s.TargetPrefix == prefix {
			return s
		}
	}
	return nil
}

func (q *Request) identifyTarget() *Error {
	prefix, name, _ := strings.Cut(q.HTTP.Header.Get("X-Amz-Target"), ".")
	q.Action = name
	if prefix == q.Service.TargetPrefix && q.HTTP.Method == http.MethodPost {
		q.Operation = q.Service.Operation(name)
	}
	return nil
}

// readParams parses the query string and, of a POST, the form body.
func (q *Request) readParams() *Error {
	q.params = q.inline[:0]
	var err *Error
	if q.params, err = parseForm(q.params, q.HTTP.URL.RawQuery); err != nil {
		return err
	}
	if q.HTTP.Method == http.MethodPost && len(q.Body) > 0 && isForm(q.HTTP.Header) {
		if q.params, err = parseForm(q.params, string(q.Body)); err != nil {
			return err
		}
	}
	q.Action, _ = q.Param("Action")
	q.Version, _ = q.Param("Version")
	return nil
}

// isForm says whether the body is form data; a client which does not say so is taken to mean it.
func isForm(h http.Header) bool {
	const form = "application/x-www-form-urlencoded"
	values := h["Content-Type"]
	if len(values) == 0 || values[0] == "" {
		return true
	}
	text := values[0]
	return len(text) >= len(form) && (text[:len(form)] == form || strings.EqualFold(text[:len(form)], form))
}

func wantsJSON(h http.Header) bool {
	for _, accept := range h["Accept"] {
		for piece := range strings.SplitSeq(accept, ",") {
			media, _, _ := strings.Cut(piece, ";")
			if strings.EqualFold(strings.TrimSpace(media), "application/json") {
				return true
			}
		}
	}
	return false
}

func (q *Request) byVersion(services []*Service) *Service {
	if q.Action == "" {
		return nil
	}
	for _, s := range services {
		if s.Protocol == Query && s.APIVersion == q.Version {
			return s
		}
	}
	return nil
}

// defaultService answers what names no service: the query service which knows the action, else the first query service.
func defaultService(services []*Service, action string) *Service {
	var first *Service
	for _, s := range services {
		if s.Protocol != Query {
			continue
		}
		if s.Operation(action) != nil {
			return s
		}
		if first == nil {
			first = s
		}
	}
	return first
}

// router is the URI templates of a restJson1 service.
type router struct{ routes []route }

type route struct {
	operation *Operation
	segments  []string // "{name}" is a label
	literals  int
}

func (s *Service) routes() []route {
	if r := s.router.Load(); r != nil {
		return r.routes
	}
	r := new(router)
	for _, op := range s.Operations {
		path, _, _ := strings.Cut(op.URI, "?")
		segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
		literals := 0
		for _, segment := range segments {
			if segment[0] != '{' {
				literals++
			}
		}
		r.routes = append(r.routes, route{op, segments, literals})
	}
	s.router.Store(r)
	return r.routes
}

// route finds the operation of method and escaped path; of several templates the one with most literal segments.
func (s *Service) route(method, path string) *route {
	if !strings.HasPrefix(path, "/") || strings.Count(path, "/") > MaxDepth {
		return nil
	}
	segments := strings.Split(path[1:], "/")
	var best *route
	routes := s.routes()
	for i := range routes {
		r := &routes[i]
		if r.operation.Method == method && r.match(segments) && (best == nil || r.literals > best.literals) {
			best = r
		}
	}
	return best
}

func (r *route) match(segments []string) bool {
	if len(segments) != len(r.segments) {
		return false
	}
	for i, want := range r.segments {
		if want[0] == '{' && segments[i] != "" {
			continue
		}
		if want != segments[i] {
			return false
		}
	}
	return true
}

func (q *Request) identifyRoute() *Error {
	path := q.HTTP.URL.EscapedPath()
	r := q.Service.route(q.HTTP.Method, path)
	if r == nil {
		return nil
	}
	q.Operation, q.Action = r.operation, r.operation.Name
	var err *Error
	if q.params, err = parseForm(q.inline[:0], q.HTTP.URL.RawQuery); err != nil {
		return err
	}
	for i, segment := range strings.Split(path[1:], "/") {
		if r.segments[i][0] != '{' {
			continue
		}
		value, err := url.PathUnescape(segment)
		if err != nil || !clean(value) {
			return cannotParse("The path cannot be decoded.")
		}
		q.labels = append(q.labels, strings.Clone(value))
	}
	return nil
}
