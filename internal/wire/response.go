package wire

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"sync"
)

// faultNamespace is the namespace of InvalidAction errors and of answers for no service.
const faultNamespace = "http://webservices.amazon.com/AWSFault/2005-15-09"

// Header values are shared slices: they save an allocation, and nothing may change them.
var (
	typeXML    = []string{"text/xml"}
	typeJSON   = []string{"application/json"}
	typeJSON11 = []string{"application/x-amz-json-1.1"}
)

// maxPooled bounds the buffers that are kept for the next answer.
const maxPooled = 1 << 20

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// WriteResponse writes the answer of a successful operation and returns the number of body bytes written. out is a pointer to the
// generated output struct; nil or *Empty if the operation has no output. Lists print when they are not nil, so handlers set empty
// ones; members with PolicyDocument hold the plain text and are percent-encoded here. The header x-amzn-RequestId is stored in
// exactly that spelling, which http.Header.Get does not find. net/http adds Date. An error with 0 bytes means that nothing was
// written, not even the status.
func WriteResponse(w http.ResponseWriter, q *Request, out any) (int, error) {
	buffer := buffers.Get().(*[]byte)
	defer release(buffer)
	b, err := appendResponse((*buffer)[:0], q, out)
	*buffer = b
	if err != nil {
		return 0, err
	}
	contentType := typeXML
	switch {
	case q.Protocol == JSON11:
		contentType = typeJSON11
	case q.Protocol == RestJSON || q.WantsJSON:
		contentType = typeJSON
	}
	status := q.Operation.Status
	if status == 0 {
		status = http.StatusOK
	}
	return send(w, q, status, contentType, b)
}

func release(buffer *[]byte) {
	if cap(*buffer) <= maxPooled {
		buffers.Put(buffer)
	}
}

func send(w http.ResponseWriter, q *Request, status int, contentType []string, body []byte) (int, error) {
	h := w.Header()
	h["Content-Type"] = contentType
	values := []string{strconv.Itoa(len(body)), q.ID} // one allocation for both headers
	h["Content-Length"] = values[:1:1]
	if q.ID != "" {
		h["x-amzn-RequestId"] = values[1:]
	}
	w.WriteHeader(status)
	if len(body) == 0 {
		return 0, nil
	}
	return w.Write(body)
}

func appendResponse(b []byte, q *Request, out any) ([]byte, error) {
	op := q.Operation
	if op == nil {
		return b, fmt.Errorf("wire: an answer without an operation")
	}
	var v reflect.Value
	if op.Out != nil {
		r := reflect.ValueOf(out)
		if r.Kind() != reflect.Pointer || r.IsNil() || r.Elem().NumField() != len(op.Out.Members) {
			return b, fmt.Errorf("wire: %T is not the output of %s", out, op.Name)
		}
		v = r.Elem()
	}
	switch {
	case q.Protocol == Query && q.WantsJSON:
		return appendQueryJSON(b, q, v), nil
	case q.Protocol == Query:
		return appendQueryXML(b, q, v), nil
	case op.Out == nil && q.Protocol == JSON11:
		return b, nil
	case op.Out == nil:
		return append(b, "{}"...), nil
	}
	return appendJSONObject(b, q.Protocol, op.Out, v), nil
}

func appendQueryXML(b []byte, q *Request, v reflect.Value) []byte {
	op := q.Operation
	b = append(b, '<')
	b = append(b, op.Name...)
	b = append(b, `Response xmlns="`...)
	b = append(b, q.Service.XMLNamespace...)
	b = append(b, "\">\n"...)
	if op.Out != nil {
		b = append(b, "  <"...)
		b = append(b, op.ResultWrapper...)
		mark := len(b)
		b = append(b, ">\n"...)
		body := len(b)
		b = appendXMLMembers(b, op.Out, v, 2)
		if len(b) == body {
			b = append(b[:mark], "/>\n"...)
		} else {
			b = append(b, "  </"...)
			b = append(b, op.ResultWrapper...)
			b = append(b, ">\n"...)
		}
	}
	b = append(b, "  <ResponseMetadata>\n    <RequestId>"...)
	b = appendXMLText(b, q.ID)
	b = append(b, "</RequestId>\n  </ResponseMetadata>\n</"...)
	b = append(b, op.Name...)
	return append(b, "Response>\n"...)
}

func appendQueryJSON(b []byte, q *Request, v reflect.Value) []byte {
	op := q.Operation
	b = append(b, `{"`...)
	b = append(b, op.Name...)
	b = append(b, `Response":{`...)
	if op.Out != nil {
		b = append(b, '"')
		b = append(b, op.ResultWrapper...)
		b = append(b, `":`...)
		b = appendJSONObject(b, Query, op.Out, v)
		b = append(b, ',')
	}
	b = append(b, `"ResponseMetadata":{"RequestId":`...)
	b = appendJSONText(b, q.ID)
	return append(b, "}}}"...)
}

// WriteError writes an error in the form of the request's protocol (docs/spec/wire.md 1.5 to 1.7) and returns the number of body
// bytes written. q may be nil or partly filled: without a service the answer is awsQuery XML. A nil e is InternalFailure.
func WriteError(w http.ResponseWriter, q *Request, e *Error) (int, error) {
	if e == nil {
		e = InternalFailure.New(InternalFailureText)
	}
	if q == nil {
		q = &Request{}
	}
	f := e.fault()
	status := f.StatusFor(q.Protocol)
	if e.DecisionID != "" {
		w.Header()[decisionIDHeader] = []string{e.DecisionID}
	}
	switch q.Protocol {
	case JSON11:
		return sendErrorObject(w, q, e, status, typeJSON11)
	case RestJSON:
		w.Header()["x-amzn-ErrorType"] = []string{f.CodeFor(RestJSON)}
		for _, x := range e.Extra {
			if x.Name == retryAfter {
				w.Header().Set(retryAfter, fmt.Sprint(x.Value))
			}
		}
		return sendErrorObject(w, q, e, status, typeJSON)
	}
	if f == unknownPath {
		return send(w, q, status, typeXML, []byte("<UnknownOperationException/>\n"))
	}
	if q.WantsJSON {
		return send(w, q, status, typeJSON, queryErrorJSON(q, e, status))
	}
	return send(w, q, status, typeXML, queryErrorXML(q, e, status))
}

func sendErrorObject(w http.ResponseWriter, q *Request, e *Error, status int, contentType []string) (int, error) {
	body, bad := errorObject(e, q.Protocol)
	n, err := send(w, q, status, contentType, body)
	if err == nil {
		err = bad
	}
	return n, err
}

const (
	retryAfter       = "Retry-After"
	decisionIDHeader = "X-Gatehouse-Decision-Id"
)

func sender(status int) string {
	if status >= 500 {
		return "Receiver"
	}
	return "Sender"
}

func (e *Error) silent() bool { return e.NoMessage || e.fault().NoMessage }

func queryErrorXML(q *Request, e *Error, status int) []byte {
	f := e.fault()
	namespace := faultNamespace
	if q.Service != nil && f != InvalidAction {
		namespace = q.Service.XMLNamespace
	}
	b := make([]byte, 0, 512+len(e.Message))
	b = append(b, `<ErrorResponse xmlns="`...)
	b = append(b, namespace...)
	b = append(b, "\">\n  <Error>\n    <Type>"...)
	b = append(b, sender(status)...)
	b = append(b, "</Type>\n    <Code>"...)
	b = appendXMLText(b, f.Code)
	b = append(b, "</Code>\n"...)
	if !e.silent() {
		b = append(b, "    <Message>"...)
		b = appendXMLText(b, e.Message)
		b = append(b, "</Message>\n"...)
	}
	if e.DecisionID != "" {
		b = append(b, "    <DecisionId>"...)
		b = appendXMLText(b, e.DecisionID)
		b = append(b, "</DecisionId>\n"...)
	}
	b = append(b, "  </Error>\n  <RequestId>"...)
	b = appendXMLText(b, q.ID)
	return append(b, "</RequestId>\n</ErrorResponse>\n"...)
}

func queryErrorJSON(q *Request, e *Error, status int) []byte {
	b := append(make([]byte, 0, 256+len(e.Message)), `{"Error":{"Code":`...)
	b = appendJSONText(b, e.fault().Code)
	if !e.silent() {
		b = append(b, `,"Message":`...)
		b = appendJSONText(b, e.Message)
	}
	if e.DecisionID != "" {
		b = append(b, `,"DecisionId":`...)
		b = appendJSONText(b, e.DecisionID)
	}
	b = append(b, `,"Type":"`...)
	b = append(b, sender(status)...)
	b = append(b, `"},"RequestId":`...)
	b = appendJSONText(b, q.ID)
	return append(b, '}')
}

// errorObject is the body of a JSON error. Under awsJson1_1 modelled errors and AccessDenied say Message, framework errors message;
// under restJson1 only AccessDenied says Message. A member that cannot be encoded is left out and reported.
func errorObject(e *Error, protocol Protocol) (b []byte, bad error) {
	f := e.fault()
	b = append(b, '{')
	if protocol == JSON11 {
		b = append(b, `"__type":`...)
		b = appendJSONText(b, f.CodeFor(protocol))
	}
	comma := func() {
		if len(b) > 1 {
			b = append(b, ',')
		}
	}
	if !e.silent() {
		comma()
		key := `"message":`
		if f == AccessDenied || protocol == JSON11 && f.Shape != "" {
			key = `"Message":`
		}
		b = appendJSONText(append(b, key...), e.Message)
	}
	if e.DecisionID != "" {
		comma()
		b = appendJSONText(append(b, `"DecisionId":`...), e.DecisionID)
	}
	for _, x := range e.Extra {
		if x.Name == retryAfter {
			continue
		}
		value, err := json.Marshal(x.Value)
		if err != nil {
			bad = fmt.Errorf("wire: member %s of %s: %w", x.Name, f.Code, err)
			continue
		}
		comma()
		b = append(appendJSONText(b, x.Name), ':')
		b = append(b, value...)
	}
	return append(b, '}'), bad
}
