package sigv4

import (
	"crypto/sha256"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits on what Parse reads. The size of all headers together is the HTTP server's to limit.
const (
	maxAuthorization   = 8 << 10   // bytes of the Authorization header
	maxSignedHeaders   = 100       // names
	maxQuery           = 128 << 10 // bytes of the raw query
	maxQueryParameters = 4096
)

const (
	algorithm = "AWS4-HMAC-SHA256"

	paramAlgorithm     = "X-Amz-Algorithm"
	paramCredential    = "X-Amz-Credential"
	paramDate          = "X-Amz-Date"
	paramExpires       = "X-Amz-Expires"
	paramSignedHeaders = "X-Amz-SignedHeaders"
	paramSignature     = "X-Amz-Signature"
	paramToken         = "X-Amz-Security-Token"
	paramContentHash   = "X-Amz-Content-Sha256"
)

// Claim is what a request says about its signer. Nothing in it is proven until [Claim.Verify] has returned nil. Its strings share
// the memory of the request's headers.
type Claim struct {
	AccessKeyID string
	Scope       Scope
	Terminator  string // the last element of the credential; CheckScope wants aws4_request
	// Time is the signing time: X-Amz-Date, or in the header form also Date. UTC, whole seconds.
	Time time.Time
	// SessionToken is empty when none was sent. In the query form only the query parameter counts.
	SessionToken string
	// Presigned tells the query form from the header form.
	Presigned bool
	// Expires is the text of X-Amz-Expires; empty in the header form.
	Expires string
	// SignedHeaders is the list as sent: names separated by semicolons.
	SignedHeaders string

	date        [len(basicISO)]byte // Time, as in the string to sign
	signature   string              // as sent
	contentHash string              // the query parameter X-Amz-Content-Sha256
	scopeText   string              // Scope and Terminator as sent
	headers     *headerList         // SignedHeaders, if it is a remembered list
	accepted    *Expect             // what CheckScope accepted the claim for
}

// Parse reads the signature of r in the header form or the query form (docs/spec/wire.md 2). It checks presence and form only.
// The error is an [*Error] of kind MissingAuthenticationToken, IncompleteSignature, MalformedQuery, or SignatureDoesNotMatch (both
// forms together). r is as net/http parsed it; its Body is not read.
func Parse(r *http.Request) (c Claim, err error) {
	values := r.Header["Authorization"]
	if r.URL.RawQuery == "" && len(values) == 1 && values[0] != "" { // as most requests are
		err = c.parseHeader(r.Header, values[0])
	} else {
		err = c.parseEither(r, values)
	}
	if err != nil {
		return Claim{}, err
	}
	return c, nil
}

func (c *Claim) parseEither(r *http.Request, values []string) error {
	var q queryAuth
	if err := q.scan(r.URL.RawQuery); err != nil {
		return err
	}
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		if q.used() {
			return c.parseQuery(&q)
		}
		if q.version2 {
			// All that SigV4 needs is missing. AWS refuses SigV2 with this code; which text it uses is not known.
			return queryIncomplete(q.missing())
		}
		return errMissingToken
	}
	if q.used() {
		return errBothForms
	}
	if len(values) > 1 {
		return errRepeatedAuthorization
	}
	return c.parseHeader(r.Header, values[0])
}

// parseHeader needs an empty claim. After an error it may have set some of it.
func (c *Claim) parseHeader(h http.Header, authorization string) error {
	credential, list, signature, err := splitAuthorization(authorization)
	if err != nil {
		return err
	}
	c.SignedHeaders = list.value
	dates := h["X-Amz-Date"]
	if len(dates) == 0 || len(dates) == 1 && dates[0] == "" {
		dates = h["Date"]
	}
	if credential == "" || signature == "" || !list.given || len(dates) == 0 {
		return headerIncomplete(authorization, missingParts(credential, signature, list.given, len(dates) > 0))
	}
	date := dates[0]
	if len(dates) > 1 {
		date = strings.Join(dates, ",")
	}
	var ok bool
	if c.Time, ok = parseBasicISO(date); ok {
		copy(c.date[:], date)
	} else {
		// Only Date may hold an HTTP date; X-Amz-Date may not.
		t, err := http.ParseTime(date)
		if err != nil || len(h["X-Amz-Date"]) > 0 && h["X-Amz-Date"][0] != "" || t.Year() < 0 || t.Year() > 9999 {
			return badDate(date)
		}
		c.Time = t.UTC()
		c.date = formatBasicISO(c.Time)
	}
	if err := c.finish(credential, signature); err != nil {
		return err
	}
	switch tokens := h["X-Amz-Security-Token"]; len(tokens) {
	case 0:
	case 1:
		c.SessionToken = tokens[0]
	default: // joined as it is signed; no session has such a token
		c.SessionToken = strings.Join(tokens, ",")
	}
	return nil
}

// signedHeaders is a list that may be given and empty.
type signedHeaders struct {
	value string
	given bool
}

// splitAuthorization returns the parts of the Authorization header; those that are missing are empty.
func splitAuthorization(authorization string) (credential string, list signedHeaders, signature string, err error) {
	rest, ok := strings.CutPrefix(authorization, algorithm)
	if !ok || rest != "" && rest[0] != ' ' {
		return "", list, "", errMissingToken
	}
	if len(authorization) > maxAuthorization {
		return "", list, "", errLongAuthorization
	}
	if credential, list.value, signature, list.given = splitUsual(rest); list.given {
		return credential, list, signature, nil
	}
	// AWS takes commas and spaces alike as separators, so a space after an equal-sign ends the value.
	for len(rest) > 0 {
		if rest[0] == ' ' || rest[0] == ',' {
			rest = rest[1:]
			continue
		}
		pair := rest
		if i := strings.IndexByte(pair, ','); i >= 0 {
			pair = pair[:i]
		}
		if i := strings.IndexByte(pair, ' '); i >= 0 {
			pair = pair[:i]
		}
		rest = rest[len(pair):]
		equal := strings.IndexByte(pair, '=')
		if equal < 0 {
			return "", list, "", badPair(pair, authorization)
		}
		name, value := pair[:equal], pair[equal+1:]
		again := false
		switch name {
		case "Credential":
			again, credential = credential != "", value
		case "SignedHeaders":
			again, list = list.given, signedHeaders{value, true}
		case "Signature":
			again, signature = signature != "", value
		}
		if again {
			return "", list, "", repeated(name)
		}
	}
	return credential, list, signature, nil
}

// splitUsual splits what follows the algorithm when it is written exactly as AWS clients write it. It finds nothing else than the
// general way does, in half the time.
func splitUsual(s string) (credential, list, signature string, ok bool) {
	const first, second, third = " Credential=", ", SignedHeaders=", ", Signature="
	last := len(s) - 2*sha256.Size
	if last < len(third) || s[last-len(third):last] != third || !strings.HasPrefix(s, first) {
		return "", "", "", false
	}
	comma := strings.IndexByte(s, ',')
	if !strings.HasPrefix(s[comma:], second) || comma+len(second) > last-len(third) || comma == len(first) ||
		strings.Count(s, ",") != 2 || strings.Count(s, " ") != 3 {
		return "", "", "", false
	}
	return s[len(first):comma], s[comma+len(second) : last-len(third)], s[last:], true
}

func missingParts(credential, signature string, signedHeaders, date bool) (texts []string) {
	for _, part := range [...]struct {
		name string
		have bool
	}{{"Credential", credential != ""}, {"Signature", signature != ""}, {"SignedHeaders", signedHeaders}} {
		if !part.have {
			texts = append(texts, "Authorization header requires '"+part.name+"' parameter.")
		}
	}
	if !date {
		texts = append(texts, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return texts
}

// finish sets what both forms have in common; Time, date and SignedHeaders are set already.
func (c *Claim) finish(credential, signature string) error {
	rest := credential
	var parts [4]string
	for i := range parts {
		slash := strings.IndexByte(rest, '/')
		if slash < 0 {
			return badCredential(credential)
		}
		parts[i], rest = rest[:slash], rest[slash+1:]
	}
	if rest != terminator && strings.IndexByte(rest, '/') >= 0 {
		return badCredential(credential)
	}
	c.AccessKeyID, c.Terminator = parts[0], rest
	c.Scope = Scope{Date: parts[1], Region: parts[2], Service: parts[3]}
	c.scopeText = credential[len(c.AccessKeyID)+1:]
	if c.headers = knownHeaderList(c.SignedHeaders); c.headers == nil && strings.Count(c.SignedHeaders, ";") >= maxSignedHeaders {
		return errManySignedHeaders
	}
	c.signature = signature
	return nil
}

// queryAuth holds the authentication parameters of a query string, still percent-encoded.
type queryAuth struct {
	algorithm, credential, date, expires, signedHeaders, signature, token, contentHash parameter
	version2                                                                           bool
}

type parameter struct {
	raw   string
	count int
}

// used reports whether the request claims the query form. One of the three is enough, so that no half of it goes unnoticed.
func (q *queryAuth) used() bool {
	return q.algorithm.count > 0 || q.credential.count > 0 || q.signature.count > 0
}

// scan checks the syntax of the whole query and finds the parameters. A query that net/url would silently drop parts of is refused:
// what is verified must be what the service later reads.
func (q *queryAuth) scan(raw string) error {
	if len(raw) > maxQuery {
		return errLongQuery
	}
	n := 0
	for len(raw) > 0 {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		if n++; n > maxQueryParameters {
			return errManyParameters
		}
		name, value, _ := strings.Cut(pair, "=")
		p := q.find(name)
		if p != nil {
			p.raw = value
			p.count++
		}
		// Some clients leave the semicolons of X-Amz-SignedHeaders as they are; net/url drops that parameter, and no service reads it.
		if !validEscapes(name) || !validEscapes(value) || p != &q.signedHeaders && strings.IndexByte(pair, ';') >= 0 {
			return errQuerySyntax
		}
	}
	return nil
}

func (q *queryAuth) find(rawName string) *parameter {
	if rawName == "" || rawName[0] != 'X' && rawName[0] != 'S' && rawName[0] != 'A' && rawName[0] != '%' {
		return nil
	}
	name := unescape(rawName)
	switch name {
	case paramAlgorithm:
		return &q.algorithm
	case paramCredential:
		return &q.credential
	case paramDate:
		return &q.date
	case paramExpires:
		return &q.expires
	case paramSignedHeaders:
		return &q.signedHeaders
	case paramSignature:
		return &q.signature
	case paramToken:
		return &q.token
	case paramContentHash:
		return &q.contentHash
	case "SignatureVersion", "AWSAccessKeyId":
		q.version2 = true
	}
	return nil
}

func (q *queryAuth) missing() (names []string) {
	for _, p := range [...]struct {
		name string
		raw  string
	}{
		{paramAlgorithm, q.algorithm.raw}, {paramCredential, q.credential.raw}, {paramSignature, q.signature.raw},
		{paramSignedHeaders, q.signedHeaders.raw}, {paramDate, q.date.raw},
	} {
		if p.raw == "" {
			names = append(names, p.name)
		}
	}
	return names
}

func (c *Claim) parseQuery(q *queryAuth) error {
	for _, p := range [...]struct {
		name string
		n    int
	}{
		{paramAlgorithm, q.algorithm.count}, {paramCredential, q.credential.count}, {paramSignature, q.signature.count},
		{paramSignedHeaders, q.signedHeaders.count}, {paramDate, q.date.count}, {paramExpires, q.expires.count},
		{paramToken, q.token.count}, {paramContentHash, q.contentHash.count},
	} {
		if p.n > 1 {
			return repeated(p.name)
		}
	}
	if a := unescape(q.algorithm.raw); a != "" && a != algorithm {
		return errUnknownQuery
	}
	if names := q.missing(); len(names) > 0 {
		return queryIncomplete(names)
	}
	*c = Claim{
		Presigned:     true,
		Expires:       unescape(q.expires.raw),
		SessionToken:  unescape(q.token.raw),
		SignedHeaders: unescape(q.signedHeaders.raw),
		contentHash:   unescape(q.contentHash.raw),
	}
	date := unescape(q.date.raw)
	var ok bool
	if c.Time, ok = parseBasicISO(date); !ok {
		return badDate(date)
	}
	copy(c.date[:], date)
	return c.finish(unescape(q.credential.raw), unescape(q.signature.raw))
}

// unescape form-decodes a name or a value. It is called before and after the syntax check; text with a bad escape stays as it is
// and is refused by that check.
func unescape(raw string) string {
	if strings.IndexByte(raw, '%') < 0 && strings.IndexByte(raw, '+') < 0 {
		return raw
	}
	text, err := url.QueryUnescape(raw)
	if err != nil {
		return raw
	}
	return text
}
