package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// Kind says what is wrong with a request's authentication. The caller maps it to the code and status of its protocol:
//
//	Kind                        awsQuery (IAM, STS)             awsJson, restJson
//	MissingAuthenticationToken  MissingAuthenticationToken 403  MissingAuthenticationTokenException
//	IncompleteSignature         IncompleteSignature 400         IncompleteSignatureException
//	SignatureDoesNotMatch       SignatureDoesNotMatch 403       InvalidSignatureException
//	HeadersNotSigned            SignatureDoesNotMatch 403       InvalidSignatureException     (S3: AccessDenied 403)
//	MalformedQuery              MalformedQueryString 404        MalformedQueryStringException
//	InvalidExpires              not used                        not used                      (S3: AuthorizationQueryParametersError 400)
//	RequestExpired              not used                        not used                      (S3: AccessDenied 403)
//
// The last two occur only with [Expect.HonourExpires].
type Kind uint8

// The kinds of error; see [Kind].
const (
	MissingAuthenticationToken Kind = iota + 1
	IncompleteSignature
	SignatureDoesNotMatch
	HeadersNotSigned
	MalformedQuery
	InvalidExpires
	RequestExpired
)

var kindNames = [...]string{
	MissingAuthenticationToken: "MissingAuthenticationToken",
	IncompleteSignature:        "IncompleteSignature",
	SignatureDoesNotMatch:      "SignatureDoesNotMatch",
	HeadersNotSigned:           "HeadersNotSigned",
	MalformedQuery:             "MalformedQuery",
	InvalidExpires:             "InvalidExpires",
	RequestExpired:             "RequestExpired",
}

// String returns the kind's name in this package.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "Kind(unknown)"
}

// Error is a refusal. Message is the text for the caller of the API, as AWS writes it (docs/spec/wire.md 4.2). It may quote the
// request's own bytes, so the wire layer escapes it.
type Error struct {
	Kind    Kind
	Message string
	// Headers are the lower-case sorted names of the headers concerned; only with HeadersNotSigned.
	Headers []string
}

// Error returns the kind and the message.
func (e *Error) Error() string { return e.Kind.String() + ": " + e.Message }

// ErrUnchecked is a mistake of the calling program, not of the request: Verify was called for a claim which CheckScope has not
// accepted with the same *Expect. It is no *Error, so that it is not mistaken for a refusal with a text.
var ErrUnchecked = errors.New("sigv4: Verify called for a claim that CheckScope has not accepted with the same Expect")

const mismatchText = "The request signature we calculated does not match the signature you provided. " +
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// The errors without details are shared: their fields are never written.
var (
	errMissingToken   = &Error{Kind: MissingAuthenticationToken, Message: "Request is missing Authentication Token"}
	errUnknownQuery   = &Error{Kind: MissingAuthenticationToken, Message: "Missing Authentication Token"}
	errMismatch       = &Error{Kind: SignatureDoesNotMatch, Message: mismatchText}
	errHostNotSigned  = &Error{Kind: SignatureDoesNotMatch, Message: "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."}
	errRequestExpired = &Error{Kind: RequestExpired, Message: "Request has expired"}
	// As DynamoDB words it; what IAM and STS say is not known.
	errBothForms = &Error{Kind: SignatureDoesNotMatch,
		Message: "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."}
	// The words of S3, the only service that reads the parameter.
	errExpiresNumber   = &Error{Kind: InvalidExpires, Message: "X-Amz-Expires should be a number"}
	errExpiresNegative = &Error{Kind: InvalidExpires, Message: "X-Amz-Expires must be non-negative"}
	errExpiresHuge     = &Error{Kind: InvalidExpires,
		Message: "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"}
	// No AWS text is known for the following; the words are ours.
	errRepeatedAuthorization = incomplete("Authorization header must be sent only once.")
	errLongAuthorization     = incomplete("Authorization header must not be longer than 8192 bytes.")
	errManySignedHeaders     = incomplete("SignedHeaders must not name more than 100 headers.")
	errQuerySyntax           = &Error{Kind: MalformedQuery, Message: "The query string contains a syntax error."}
	errLongQuery             = &Error{Kind: MalformedQuery, Message: "The query string must not be longer than 131072 bytes."}
	errManyParameters        = &Error{Kind: MalformedQuery, Message: "The query string must not have more than 4096 parameters."}
	errTarget                = &Error{Kind: MalformedQuery, Message: "The request target must be a path."}
)

func incomplete(text string) *Error { return &Error{Kind: IncompleteSignature, Message: text} }

// headerIncomplete ends the sentences of texts as AWS does since 2024: with the hash of the header instead of the header.
func headerIncomplete(authorization string, texts []string) *Error {
	sum := sha256.Sum256([]byte(authorization))
	return incomplete(strings.Join(texts, " ") +
		" (Hashed with SHA-256 and encoded with Base64) Authorization=" + base64.StdEncoding.EncodeToString(sum[:]))
}

func queryIncomplete(missing []string) *Error {
	var b strings.Builder
	for _, name := range missing {
		b.WriteString("AWS query-string parameters must include '" + name + "'. ")
	}
	return incomplete(b.String() + "Re-examine the query-string parameters.")
}

func badPair(pair, authorization string) *Error {
	return incomplete("'" + pair + "' not a valid key=value pair (missing equal-sign) in Authorization header: '" + authorization + "'")
}

func badDate(text string) *Error {
	return incomplete("Date must be in ISO-8601 'basic format'. Got '" + text + "'. See http://en.wikipedia.org/wiki/ISO_8601")
}

func badCredential(text string) *Error {
	return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '" + text + "'")
}

// repeated is our text: which of two values AWS takes is not known, and taking either would be a guess about identity.
func repeated(name string) *Error { return incomplete("'" + name + "' must be given only once.") }

// headersNotSigned puts the names into the sentence that AWS has for Host. S3 has its own text for this
// (docs/spec/wire.md 4.9); what IAM and STS say is not known.
func headersNotSigned(canonicalNames []string) *Error {
	e := &Error{Kind: HeadersNotSigned}
	var text strings.Builder // a request can have very many headers
	for i, name := range canonicalNames {
		if i > 0 {
			text.WriteByte(' ')
		}
		text.WriteString("'" + name + "' must be a 'SignedHeader' in the AWS Authorization.")
		e.Headers = append(e.Headers, strings.ToLower(name))
	}
	e.Message = text.String()
	return e
}
