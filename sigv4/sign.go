package sigv4

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials are what a client signs with. Their text forms show the access key id only.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string // empty for long-term access keys
}

// String shows the access key id only.
func (c Credentials) String() string { return "sigv4.Credentials(" + c.AccessKeyID + ")" }

// GoString shows the access key id only.
func (c Credentials) GoString() string { return c.String() }

// Signer signs requests for one service in one region. It is not changed by its methods.
type Signer struct {
	Credentials Credentials
	Region      string
	Service     string // the signing name: iam, sts, s3
	// S3 applies the rules of S3: the path is encoded once, and X-Amz-Content-Sha256 is sent.
	S3 bool
	// UnsignedPayload leaves the body out of the signature; only with S3.
	UnsignedPayload bool
}

// Sign signs r in the header form for service in region. The service name s3 selects the rules of S3; see [Signer.Sign].
func Sign(r *http.Request, body []byte, c Credentials, region, service string, at time.Time) error {
	return (&Signer{Credentials: c, Region: region, Service: service, S3: service == "s3"}).Sign(r, body, at)
}

// Presign signs r in the query form for service in region. The service name s3 selects the rules of S3, with an unsigned payload, as
// presigned URLs of S3 are; see [Signer.Presign].
func Presign(r *http.Request, body []byte, c Credentials, region, service string, at time.Time, expires time.Duration) error {
	s3 := service == "s3"
	return (&Signer{Credentials: c, Region: region, Service: service, S3: s3, UnsignedPayload: s3}).Presign(r, body, at, expires)
}

// unsignable headers are changed by clients and proxies on the way. X-Forwarded-* are left out too.
var unsignable = []string{
	"Accept-Encoding", "Authorization", "Cache-Control", "Connection", "Content-Length", "Expect", "Forwarded", "From", "Host",
	"Keep-Alive", "Max-Forwards", "Pragma", "Proxy-Authorization", "Proxy-Connection", "Referer", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "User-Agent", "Via", "X-Amzn-Trace-Id",
}

// Sign signs r in the header form at a time: it sets X-Amz-Date, X-Amz-Security-Token (removing it when there is no token),
// Authorization, and with S3 X-Amz-Content-Sha256. All other headers of r are signed except those that are changed on the way. body is
// what r will send; r.Body is not read. After an error r may have some of the headers.
func (s *Signer) Sign(r *http.Request, body []byte, at time.Time) error {
	if err := s.check(r, at); err != nil {
		return err
	}
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	var q queryAuth
	if err := q.scan(r.URL.RawQuery); err != nil {
		return err
	}
	if q.used() {
		return errBothForms
	}
	sum := sha256.Sum256(body)
	date := formatBasicISO(at.UTC())
	r.Header.Set("X-Amz-Date", string(date[:]))
	r.Header.Del("X-Amz-Security-Token")
	if s.Credentials.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.Credentials.SessionToken)
	}
	if s.S3 {
		stated := unsignedPayload
		if !s.UnsignedPayload {
			stated = string(appendHex(nil, &sum))
		}
		r.Header.Set(paramContentHash, stated)
	}
	list, err := signedList(r.Header)
	if err != nil {
		return err
	}
	signature, scope, err := s.compute(r, list, &sum, &date)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", algorithm+" Credential="+s.Credentials.AccessKeyID+"/"+scope+
		", SignedHeaders="+list+", Signature="+signature)
	return nil
}

// Presign signs r in the query form: it replaces r.URL.RawQuery by its canonical form with the X-Amz-* parameters added. expires is
// sent in whole seconds as X-Amz-Expires, at least 1 and at most 7 days; S3 heeds it, IAM and STS do not. The headers of r are signed
// as with Sign, and whoever sends the request must send them too. body is what will be sent; presigned requests of IAM and STS have
// none.
func (s *Signer) Presign(r *http.Request, body []byte, at time.Time, expires time.Duration) error {
	if err := s.check(r, at); err != nil {
		return err
	}
	seconds := int64(expires / time.Second)
	if seconds < 1 || seconds > maxExpires {
		return errors.New("sigv4: expires must be from 1 second to 7 days")
	}
	if r.Header.Get("Authorization") != "" {
		return errBothForms
	}
	var q queryAuth
	if err := q.scan(r.URL.RawQuery); err != nil {
		return err
	}
	if q.used() || q.date.count+q.expires.count+q.signedHeaders.count+q.token.count+q.contentHash.count > 0 {
		return errors.New("sigv4: the query already has X-Amz-* authentication parameters")
	}
	list, err := signedList(r.Header)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	date := formatBasicISO(at.UTC())
	add := make([]byte, 0, 512)
	parameter := func(name, value string) {
		add = append(append(append(add, '&'), name...), '=')
		for i := range len(value) {
			add = appendEncoded(add, value[i])
		}
	}
	parameter(paramAlgorithm, algorithm)
	parameter(paramCredential, s.Credentials.AccessKeyID+"/"+s.scope(&date).text())
	parameter(paramDate, string(date[:]))
	parameter(paramExpires, strconv.FormatInt(seconds, 10))
	parameter(paramSignedHeaders, list)
	if s.Credentials.SessionToken != "" {
		parameter(paramToken, s.Credentials.SessionToken)
	}
	if s.S3 {
		stated := unsignedPayload
		if !s.UnsignedPayload {
			stated = string(appendHex(nil, &sum))
		}
		parameter(paramContentHash, stated)
	}
	signed := *r
	u := *r.URL
	u.RawQuery += string(add)
	scratch := scratches.Get().(*scratch)
	u.RawQuery = string(scratch.appendQuery(nil, u.RawQuery))
	scratch.release()
	signed.URL = &u
	signature, _, err := s.compute(&signed, list, &sum, &date)
	if err != nil {
		return err
	}
	r.URL.RawQuery = u.RawQuery + "&" + paramSignature + "=" + signature
	return nil
}

func (s *Signer) check(r *http.Request, at time.Time) error {
	switch {
	case r.URL == nil:
		return errors.New("sigv4: the request has no URL")
	case host(r) == "":
		return errors.New("sigv4: the request has no host")
	case s.Credentials.AccessKeyID == "" || s.Credentials.SecretAccessKey == "":
		return errors.New("sigv4: the credentials are not complete")
	case strings.ContainsAny(s.Credentials.AccessKeyID, "/, ") || !isScopeElement(s.Region) || !isScopeElement(s.Service):
		return errors.New("sigv4: access key id, region and service must not contain slash, comma or space, nor be empty")
	case s.UnsignedPayload && !s.S3:
		return errors.New("sigv4: only S3 has unsigned payloads")
	case at.UTC().Year() < 0 || at.UTC().Year() > 9999:
		return errors.New("sigv4: the signing time must be in the years 0 to 9999")
	}
	for _, c := range []byte(host(r)) {
		if c <= ' ' || c >= 0x7f {
			return errors.New("sigv4: the host must be ASCII without spaces; write an international name in its xn-- form")
		}
	}
	return nil
}

func isScopeElement(s string) bool { return s != "" && !strings.ContainsAny(s, "/, \n") }

func host(r *http.Request) string {
	if r.Host != "" {
		return r.Host
	}
	return r.URL.Host
}

func signedList(h http.Header) (string, error) {
	names := []string{"host"}
	for name, values := range h {
		lower := strings.ToLower(name)
		if len(values) == 0 || slices.Contains(unsignable, http.CanonicalHeaderKey(name)) || strings.HasPrefix(lower, "x-forwarded-") {
			continue
		}
		if name != http.CanonicalHeaderKey(name) {
			return "", errors.New("sigv4: the header " + strconv.Quote(name) + " is not in canonical form; use Header.Set")
		}
		for _, value := range values {
			if strings.ContainsAny(value, "\r\n") {
				return "", errors.New("sigv4: the header " + name + " contains a line break")
			}
		}
		names = append(names, lower)
	}
	if len(names) > maxSignedHeaders {
		return "", errManySignedHeaders
	}
	slices.Sort(names)
	return strings.Join(names, ";"), nil
}

func (s *Signer) scope(date *[len(basicISO)]byte) Scope {
	return Scope{Date: string(date[:8]), Region: s.Region, Service: s.Service}
}

func (s Scope) text() string {
	return s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator
}

func (s *Signer) compute(r *http.Request, list string, sum *[32]byte, date *[len(basicISO)]byte) (signature, scopeText string, err error) {
	scope := s.scope(date)
	key := DeriveKey(s.Credentials.SecretAccessKey, scope)
	q := canonicalRequest{host: host(r), headers: newHeaderList(list), singleEncode: s.S3, date: date, scope: scope.text()}
	if s.UnsignedPayload {
		q.payload = unsignedPayload
	}
	scratch := scratches.Get().(*scratch)
	defer scratch.release()
	_, ok, err := scratch.sign(r, sum, &q, signingKey{plain: &key})
	if err != nil {
		return "", "", err
	}
	if !ok {
		return "", "", errors.New("sigv4: the method or a header name cannot be signed")
	}
	return string(appendHex(nil, &scratch.sum)), q.scope, nil
}
