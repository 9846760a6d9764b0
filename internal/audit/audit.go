package audit

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/gatehouse-iam/gatehouse/internal/audit/auditpb"
)

// maxUserAgent bounds what a client can make the log keep of its own words.
const maxUserAgent = 256

// Encode gives the bytes of an event. In e itself a long user agent is cut, and what is not UTF-8 in a client's words replaced by "?": an
// event must not be what a change fails by.
func Encode(e *auditpb.Event) ([]byte, error) {
	if len(e.UserAgent) > maxUserAgent {
		e.UserAgent = e.UserAgent[:maxUserAgent]
	}
	e.UserAgent = strings.ToValidUTF8(e.UserAgent, "?")
	for i, r := range e.Resources {
		e.Resources[i] = strings.ToValidUTF8(r, "?")
	}
	b, err := proto.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return b, nil
}

// Decode reads what Encode gave.
func Decode(b []byte) (*auditpb.Event, error) {
	e := &auditpb.Event{}
	if err := proto.Unmarshal(b, e); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return e, nil
}
