package wire

import "sync/atomic"

// Protocol is the wire protocol of a service (docs/spec/wire.md 1).
type Protocol uint8

// The protocols.
const (
	Query    Protocol = iota + 1 // awsQuery: form parameters in, XML (or JSON, 1.4) out
	JSON11                       // awsJson1_1: X-Amz-Target, JSON in and out
	RestJSON                     // restJson1: method and path, JSON in and out
)

// String returns the name AWS gives the protocol.
func (p Protocol) String() string {
	switch p {
	case Query:
		return "awsQuery"
	case JSON11:
		return "awsJson1_1"
	case RestJSON:
		return "restJson1"
	}
	return "unknown"
}

// Service describes one AWS API. Values are generated and never change after package initialisation.
type Service struct {
	ID             string // prefix of its actions in policies: iam, sts, organizations, access-analyzer
	Name           string // full name, as in the model
	SigningName    string // service part of the credential scope
	EndpointPrefix string
	APIVersion     string // Version parameter of awsQuery, e.g. 2010-05-08
	XMLNamespace   string // awsQuery only
	TargetPrefix   string // awsJson1_1 only: X-Amz-Target is <TargetPrefix>.<Operation>
	GlobalRegion   string // signing region of the global endpoint; "" for a service that has regional endpoints only
	Protocol       Protocol
	Strict         bool         // JSON requests with members that the shapes do not have, or that occur twice, are errors
	Operations     []*Operation // sorted by name

	router atomic.Pointer[router] // restJson1, built on first use
}

// Operation returns the operation called name (case-sensitive), nil if the service has none.
func (s *Service) Operation(name string) *Operation {
	lo, hi := 0, len(s.Operations)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if s.Operations[mid].Name < name {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(s.Operations) && s.Operations[lo].Name == name {
		return s.Operations[lo]
	}
	return nil
}

// Operation describes one operation of a service.
type Operation struct {
	Service       *Service
	Name          string
	Method, URI   string // URI is a template: /analyzer/{analyzerName}
	Status        int    // HTTP status of success
	In            *Shape // nil: the operation has no input
	Out           *Shape // nil: the operation has no output
	ResultWrapper string // awsQuery element around the output, "" without output
	Errors        []*Fault
	NoAuth        bool // needs no signature (AssumeRoleWithSAML, AssumeRoleWithWebIdentity)
	ReadOnly      bool // the model says so; only accessanalyzer's model has the hint
	Idempotent    bool
	Pagination    *Pagination
}

// Action returns the action as policies name it, e.g. iam:CreateUser. It allocates.
func (o *Operation) Action() string { return o.Service.ID + ":" + o.Name }

// Pagination names the members that page an operation (models/README.md).
type Pagination struct {
	InputToken, OutputToken, LimitKey, MoreResults string
	ResultKey                                      []string
}

// Op is a typed handle of an operation: In and Out are the generated structs, Empty where the model has no shape.
type Op[In, Out any] struct{ *Operation }

// Empty is the input or output of an operation which has none.
type Empty struct{}

// Kind is the type of a shape.
type Kind uint8

// The kinds, with the Go type of a member of that kind.
const (
	Structure Kind = iota + 1 // *T, in lists and maps T
	List                      // []T; nil = absent, empty = present and empty
	Map                       // map[string]T; nil = absent
	String                    // *string, in lists and maps string
	Integer                   // *int32
	Long                      // *int64
	Double                    // *float64
	Boolean                   // *bool
	Timestamp                 // *time.Time
	Blob                      // []byte; nil = absent
	Document                  // any: what JSON allows, see Request.Decode; nil = absent, in lists and maps null
)

// Shape describes a type of the model and its constraints.
type Shape struct {
	Name           string
	Kind           Kind
	HasMin, HasMax bool
	Sensitive      bool  // never echoed in messages
	ISO8601        bool  // timestamps in JSON are strings, not epoch seconds
	Min, Max       int64 // length of strings, lists, maps and blobs; value of numbers
	Pattern        string
	Enum           []string
	Members        []Member // Structure; Members[i] is field i of the generated struct
	Elem           *Shape   // List
	Key, Value     *Shape   // Map

	constraint atomic.Uint32           // see isConstrained
	matcher    atomic.Pointer[matcher] // compiled Pattern
	plan       atomic.Pointer[plan]    // Structure: what encoders and decoders need, built on first use
}

// Location says where in an HTTP request or answer a member travels (restJson1).
type Location uint8

// The locations.
const (
	InBody Location = iota
	InURI
	InQuery
	InHeader
)

// Member is one member of a structure.
type Member struct {
	Name           string // as on the wire
	Shape          *Shape
	Required       bool
	Location       Location
	LocationName   string // name at Location, "" in the body
	PolicyDocument bool   // awsQuery answers carry it percent-encoded (docs/spec/wire.md 1.3); handlers give the stored text
	Token          bool   // idempotency token
}
