package sigv4_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
	"Consult the service documentation for details."

func hashOf(authorization string) string {
	sum := sha256.Sum256([]byte(authorization))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// The texts are those of docs/spec/wire.md 4.2.
func TestFailuresHeaderForm(t *testing.T) {
	t.Parallel()
	const (
		credential = "Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request"
		signature  = "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
		headers    = "SignedHeaders=host;x-amz-date"
		alg        = "AWS4-HMAC-SHA256 "
	)
	full := alg + credential + ", " + headers + ", " + signature
	const date = "20150830T123600Z"
	cases := []struct {
		name, authorization string
		date                []string // header name, value, …
		kind                sigv4.Kind
		message             string
	}{
		{"none", "", []string{"X-Amz-Date", date}, sigv4.MissingAuthenticationToken, "Request is missing Authentication Token"},
		{"basic", "Basic QQ==", nil, sigv4.MissingAuthenticationToken, "Request is missing Authentication Token"},
		{"version 2", "AWS AKIDEXAMPLE:sig", nil, sigv4.MissingAuthenticationToken, "Request is missing Authentication Token"},
		{"sigv4a", strings.Replace(full, "HMAC", "ECDSA-P256", 1), nil, sigv4.MissingAuthenticationToken, "Request is missing Authentication Token"},
		{"no space", "AWS4-HMAC-SHA256x", nil, sigv4.MissingAuthenticationToken, "Request is missing Authentication Token"},
		{"no credential", alg + headers + ", " + signature, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Authorization header requires 'Credential' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=<hash>"},
		{"no signed headers", alg + credential + "," + signature, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Authorization header requires 'SignedHeaders' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=<hash>"},
		{"no signature", alg + credential + "," + headers, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Authorization header requires 'Signature' parameter. (Hashed with SHA-256 and encoded with Base64) Authorization=<hash>"},
		{"nothing", "AWS4-HMAC-SHA256", nil, sigv4.IncompleteSignature,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
				"(Hashed with SHA-256 and encoded with Base64) Authorization=<hash>"},
		{"no date", full, nil, sigv4.IncompleteSignature,
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. (Hashed with SHA-256 and encoded with Base64) Authorization=<hash>"},
		{"extended date", full, []string{"X-Amz-Date", "2015-08-30T12:36:00Z"}, sigv4.IncompleteSignature,
			"Date must be in ISO-8601 'basic format'. Got '2015-08-30T12:36:00Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"HTTP date in X-Amz-Date", full, []string{"X-Amz-Date", "Sun, 30 Aug 2015 12:36:00 GMT"}, sigv4.IncompleteSignature,
			"Date must be in ISO-8601 'basic format'. Got 'Sun, 30 Aug 2015 12:36:00 GMT'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"no such day", full, []string{"X-Amz-Date", "20150229T123600Z"}, sigv4.IncompleteSignature,
			"Date must be in ISO-8601 'basic format'. Got '20150229T123600Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"two dates", full, []string{"X-Amz-Date", date, "X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Date must be in ISO-8601 'basic format'. Got '20150830T123600Z,20150830T123600Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"bad Date", full, []string{"Date", "yesterday"}, sigv4.IncompleteSignature,
			"Date must be in ISO-8601 'basic format'. Got 'yesterday'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"credential of four", strings.Replace(full, "/iam", "", 1), []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/aws4_request'"},
		{"credential of six", strings.Replace(full, "/iam", "/iam/x", 1), []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/iam/x/aws4_request'"},
		{"credential without slash", alg + "Credential=x," + headers + "," + signature, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'x'"},
		{"no equal-sign", alg + "Credential, " + headers, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"'Credential' not a valid key=value pair (missing equal-sign) in Authorization header: '" + alg + "Credential, " + headers + "'"},
		{"space after equal-sign", alg + "Credential= AKID/x, " + headers, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"'AKID/x' not a valid key=value pair (missing equal-sign) in Authorization header: '" + alg + "Credential= AKID/x, " + headers + "'"},
		{"credential twice", full + ", " + credential, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature, "'Credential' must be given only once."},
		{"signed headers twice", full + ", " + headers, []string{"X-Amz-Date", date}, sigv4.IncompleteSignature, "'SignedHeaders' must be given only once."},
		{"authorization twice", full, []string{"X-Amz-Date", date, "Authorization", full}, sigv4.IncompleteSignature, "Authorization header must be sent only once."},
		{"long authorization", full + strings.Repeat(" ", 8192), []string{"X-Amz-Date", date}, sigv4.IncompleteSignature,
			"Authorization header must not be longer than 8192 bytes."},
		{"many signed headers", strings.Replace(full, "host;", "host;"+strings.Repeat("a;", 99), 1), []string{"X-Amz-Date", date},
			sigv4.IncompleteSignature, "SignedHeaders must not name more than 100 headers."},
		{"host not signed", strings.Replace(full, "host;", "", 1), []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"no headers signed", strings.Replace(full, "host;x-amz-date", "", 1), []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"scope date", strings.Replace(full, "/20150830", "/20150829", 1), []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'."},
		{"region", strings.Replace(full, "us-east-1", "eu-west-1", 1), []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch,
			"Credential should be scoped to a valid region. "},
		{"service", strings.Replace(full, "/iam/", "/sts/", 1), []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch,
			"Credential should be scoped to correct service: 'iam'. "},
		{"terminator", strings.Replace(full, "aws4_request", "AWS4_REQUEST", 1), []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch,
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'AWS4_REQUEST'."},
		{"all of the scope", strings.Replace(full, "/20150830/us-east-1/iam/aws4_request", "/b/c/d/e", 1), []string{"X-Amz-Date", date},
			sigv4.SignatureDoesNotMatch, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20150830', " +
				"from '20150830T123600Z'. Credential should be scoped to a valid region. Credential should be scoped to correct service: 'iam'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 'e'."},
		{"too old", full, []string{"X-Amz-Date", "20150830T122059Z"}, sigv4.SignatureDoesNotMatch,
			"Signature expired: 20150830T122059Z is now earlier than 20150830T122100Z (20150830T123600Z - 15 min.)"},
		{"too early", full, []string{"X-Amz-Date", "20150830T125101Z"}, sigv4.SignatureDoesNotMatch,
			"Signature not yet current: 20150830T125101Z is still later than 20150830T125100Z (20150830T123600Z + 15 min.)"},
		{"clock before scope", strings.Replace(full, "/iam/", "/sts/", 1), []string{"X-Amz-Date", "20150830T115959Z"}, sigv4.SignatureDoesNotMatch,
			"Signature expired: 20150830T115959Z is now earlier than 20150830T122100Z (20150830T123600Z - 15 min.)"},
		{"signature differs", full, []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch, mismatch},
		{"signature short", full[:len(full)-1], []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch, mismatch},
		{"signed header not sent", strings.Replace(full, "host;", "host;x-absent;", 1), []string{"X-Amz-Date", date}, sigv4.SignatureDoesNotMatch, mismatch},
		{"signed headers not sorted", strings.Replace(full, "host;x-amz-date", "x-amz-date;host", 1), []string{"X-Amz-Date", date},
			sigv4.SignatureDoesNotMatch, mismatch},
		{"amz header not signed", full, []string{"X-Amz-Date", date, "X-Amz-Target", "t", "X-Amz-A", ""}, sigv4.HeadersNotSigned,
			"'X-Amz-A' must be a 'SignedHeader' in the AWS Authorization. 'X-Amz-Target' must be a 'SignedHeader' in the AWS Authorization."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(t, "GET", "https://iam.amazonaws.com/", c.date...)
			if c.authorization != "" {
				r.Header["Authorization"] = append([]string{c.authorization}, r.Header["Authorization"]...)
			}
			_, err := check(r, nil, iam, testTime)
			wantError(t, err, c.kind, strings.ReplaceAll(c.message, "<hash>", hashOf(c.authorization)))
		})
	}
}

func TestFailuresQueryForm(t *testing.T) {
	t.Parallel()
	const full = "Action=ListUsers&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fiam%2Faws4_request" +
		"&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" +
		"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	without := func(name string) string {
		return strings.Join(slices.DeleteFunc(strings.Split(full, "&"), func(p string) bool { return strings.HasPrefix(p, name+"=") }), "&")
	}
	missing := func(name string) string {
		return "AWS query-string parameters must include '" + name + "'. Re-examine the query-string parameters."
	}
	cases := []struct {
		name, query string
		header      []string
		kind        sigv4.Kind
		message     string
	}{
		{"unknown algorithm", strings.Replace(full, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", 1), nil, sigv4.MissingAuthenticationToken, "Missing Authentication Token"},
		{"no algorithm", without("X-Amz-Algorithm"), nil, sigv4.IncompleteSignature, missing("X-Amz-Algorithm")},
		{"no credential", without("X-Amz-Credential"), nil, sigv4.IncompleteSignature, missing("X-Amz-Credential")},
		{"no date", without("X-Amz-Date"), nil, sigv4.IncompleteSignature, missing("X-Amz-Date")},
		{"no signed headers", without("X-Amz-SignedHeaders"), nil, sigv4.IncompleteSignature, missing("X-Amz-SignedHeaders")},
		{"no signature", without("X-Amz-Signature"), nil, sigv4.IncompleteSignature, missing("X-Amz-Signature")},
		{"only algorithm", "X-Amz-Algorithm=AWS4-HMAC-SHA256", nil, sigv4.IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Credential'. " +
			"AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. " +
			"AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"version 2", "Action=ListUsers&SignatureVersion=2&Signature=x&AWSAccessKeyId=AKIDEXAMPLE", nil, sigv4.IncompleteSignature,
			"AWS query-string parameters must include 'X-Amz-Algorithm'. AWS query-string parameters must include 'X-Amz-Credential'. " +
				"AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. " +
				"AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"both forms", full, []string{"Authorization", "AWS4-HMAC-SHA256 Credential=x"}, sigv4.SignatureDoesNotMatch,
			"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"half of both forms", "%58-Amz-Signature=x", []string{"Authorization", "Basic QQ=="}, sigv4.SignatureDoesNotMatch,
			"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"signature twice", full + "&X-Amz-Signature=x", nil, sigv4.IncompleteSignature, "'X-Amz-Signature' must be given only once."},
		{"credential twice", full + "&X-Amz%2DCredential=x", nil, sigv4.IncompleteSignature, "'X-Amz-Credential' must be given only once."},
		{"token twice", full + "&X-Amz-Security-Token=x&X-Amz-Security-Token=y", nil, sigv4.IncompleteSignature, "'X-Amz-Security-Token' must be given only once."},
		{"bad date", strings.Replace(full, "20150830T123600Z", "20150830", 1), nil, sigv4.IncompleteSignature,
			"Date must be in ISO-8601 'basic format'. Got '20150830'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"bad credential", strings.Replace(full, "%2Fiam", "", 1), nil, sigv4.IncompleteSignature,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'AKIDEXAMPLE/20150830/us-east-1/aws4_request'"},
		{"bad escape", full + "&a=%zz", nil, sigv4.MalformedQuery, "The query string contains a syntax error."},
		{"cut escape", full + "&a=%4", nil, sigv4.MalformedQuery, "The query string contains a syntax error."},
		{"semicolon", full + "&a;b=1", nil, sigv4.MalformedQuery, "The query string contains a syntax error."},
		{"long", full + "&a=" + strings.Repeat("x", 128<<10), nil, sigv4.MalformedQuery, "The query string must not be longer than 131072 bytes."},
		{"many", full + strings.Repeat("&a=", 4096), nil, sigv4.MalformedQuery, "The query string must not have more than 4096 parameters."},
		{"host not signed", strings.Replace(full, "=host", "=x", 1), nil, sigv4.SignatureDoesNotMatch,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"too old", strings.Replace(full, "T123600Z", "T122059Z", 1), nil, sigv4.SignatureDoesNotMatch,
			"Signature expired: 20150830T122059Z is now earlier than 20150830T122100Z (20150830T123600Z - 15 min.)"},
		{"signature differs", full, nil, sigv4.SignatureDoesNotMatch, mismatch},
		{"amz header not signed", full, []string{"X-Amz-Security-Token", "x"}, sigv4.HeadersNotSigned,
			"'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(t, "GET", "https://iam.amazonaws.com/?"+c.query, c.header...)
			_, err := check(r, nil, iam, testTime)
			wantError(t, err, c.kind, c.message)
		})
	}
}

func TestExpires(t *testing.T) {
	t.Parallel()
	presigned := func(service, expires string) *http.Request {
		r := newRequest(t, "GET", "https://h/key")
		if err := sigv4.Presign(r, nil, testCreds, "us-east-1", service, testTime, time.Hour); err != nil {
			t.Fatal(err)
		}
		q := r.URL.Query()
		q.Set("X-Amz-Expires", expires)
		if expires == "" {
			q.Del("X-Amz-Expires")
		}
		r.URL.RawQuery = q.Encode()
		return r
	}
	_, err := check(presigned("s3", "3600"), nil, s3, testTime.Add(time.Hour))
	if err != nil {
		t.Errorf("S3, last second: %v", err)
	}
	for expires, message := range map[string]string{
		"":                     "AWS query-string parameters must include 'X-Amz-Expires'. Re-examine the query-string parameters.",
		"abc":                  "X-Amz-Expires should be a number",
		"1.5":                  "X-Amz-Expires should be a number",
		"+5":                   "X-Amz-Expires should be a number",
		"-1":                   "X-Amz-Expires must be non-negative",
		"99999999999999999999": "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
		"604801":               "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
	} {
		kind := sigv4.InvalidExpires
		if expires == "" {
			kind = sigv4.IncompleteSignature
		}
		_, err := check(presigned("s3", expires), nil, s3, testTime)
		wantError(t, err, kind, message)
	}
	_, err = check(presigned("s3", "3600"), nil, s3, testTime.Add(time.Hour+time.Second))
	wantError(t, err, sigv4.RequestExpired, "Request has expired")
	_, err = check(presigned("s3", "3600"), nil, s3, testTime.Add(-16*time.Minute))
	wantError(t, err, sigv4.SignatureDoesNotMatch,
		"Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z (20150830T122000Z + 15 min.)")

	// IAM and STS ignore the parameter whatever it says, so the clock check passes and only the signature is looked at.
	for _, expires := range []string{"", "abc", "-1", "99999999999999999999", "1"} {
		for _, skew := range []time.Duration{-15 * time.Minute, 15*time.Minute + 999*time.Millisecond} {
			c, err := sigv4.Parse(presigned("iam", expires))
			if err != nil {
				t.Fatal(err)
			}
			if err := c.CheckScope(iam, testTime.Add(skew)); err != nil {
				t.Errorf("X-Amz-Expires %q, skew %v: %v", expires, skew, err)
			}
		}
	}
}

func TestWindowOfFiveMinutes(t *testing.T) {
	t.Parallel()
	r := newRequest(t, "POST", "https://h/")
	if err := sigv4.Sign(r, nil, testCreds, "us-east-1", "organizations", testTime); err != nil {
		t.Fatal(err)
	}
	e := &sigv4.Expect{Service: "organizations", AnyRegion: true, Window: 5 * time.Minute}
	if _, err := check(r, nil, e, testTime.Add(5*time.Minute)); err != nil {
		t.Error(err)
	}
	_, err := check(r, nil, e, testTime.Add(5*time.Minute+time.Second))
	wantError(t, err, sigv4.SignatureDoesNotMatch,
		"Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)")
}

func TestVerifyNeedsCheckScope(t *testing.T) {
	t.Parallel()
	r := newRequest(t, "GET", "https://h/")
	if err := sigv4.Sign(r, nil, testCreds, "us-east-1", "iam", testTime); err != nil {
		t.Fatal(err)
	}
	c, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	key := sigv4.DeriveKey(testSecret, c.Scope)
	if err := c.Verify(r, nil, &key, iam); !errors.Is(err, sigv4.ErrUnchecked) {
		t.Errorf("before CheckScope: %v", err)
	}
	if err := c.CheckScope(iam, testTime); err != nil {
		t.Fatal(err)
	}
	other := *iam
	if err := c.Verify(r, nil, &key, &other); !errors.Is(err, sigv4.ErrUnchecked) {
		t.Errorf("with another Expect: %v", err)
	}
	if err := c.CheckScope(iam, testTime.Add(time.Hour)); err == nil {
		t.Fatal("an hour late was accepted")
	}
	if err := c.Verify(r, nil, &key, iam); !errors.Is(err, sigv4.ErrUnchecked) {
		t.Errorf("after a failed CheckScope: %v", err)
	}
}

// TestDateHeader signs by hand, because Sign always sends X-Amz-Date.
func TestDateHeader(t *testing.T) {
	t.Parallel()
	for _, date := range []string{"20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT"} {
		r := newRequest(t, "GET", "https://h/", "Date", date)
		resign(r, nil, "iam", "date;host")
		c, err := check(overWire(t, r, nil), nil, iam, testTime)
		if err != nil {
			t.Errorf("%s: %v", date, err)
		}
		if !c.Time.Equal(testTime) {
			t.Errorf("%s read as %v", date, c.Time)
		}
	}
}

// TestFormsServersSee has what net/http moves out of the header map, other separators, and what AWS ignores.
func TestFormsServersSee(t *testing.T) {
	t.Parallel()
	const date = "20150830T123600Z"
	body := []byte("Action=ListUsers")
	accepted := func(name, list string, edit func(r *http.Request)) {
		t.Helper()
		r := newRequest(t, "POST", "https://h/", "X-Amz-Date", date)
		r.ContentLength = int64(len(body))
		edit(r)
		resign(r, body, "iam", list)
		edit(r)
		if _, err := check(r, body, iam, testTime); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	nothing := func(*http.Request) {}
	accepted("content-length", "content-length;host;x-amz-date", nothing)
	accepted("authority", ":authority;x-amz-date", nothing)
	accepted("transfer-encoding", "host;transfer-encoding;x-amz-date", func(r *http.Request) { r.TransferEncoding = []string{"chunked"} })
	accepted("long header name", "host;x-amz-date;x-"+strings.Repeat("long-", 20)+"name", func(r *http.Request) {
		r.Header.Set("X-"+strings.Repeat("long-", 20)+"name", "v")
	})
	accepted("separators", "host;x-amz-date", func(r *http.Request) {
		r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", ","))
	})
	accepted("more separators", "host;x-amz-date", func(r *http.Request) {
		r.Header.Set("Authorization", strings.ReplaceAll(r.Header.Get("Authorization"), ", ", "  ,  "))
	})
	accepted("unknown part", "host;x-amz-date", func(r *http.Request) {
		if a := r.Header.Get("Authorization"); a != "" {
			r.Header.Set("Authorization", a+", Extra=1")
		}
	})
	accepted("signed bogus content hash", "host;x-amz-content-sha256;x-amz-date", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "bogus") })
	accepted("unsigned bogus content hash", "host;x-amz-date", func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") })
	accepted("trace id not signed", "host;x-amz-date", func(r *http.Request) { r.Header.Set("X-Amzn-Trace-Id", "Root=1") })
	accepted("plus is space", "host;x-amz-date", func(r *http.Request) { r.URL.RawQuery = "a=x+y" })
}

// UNSIGNED-PAYLOAD means nothing outside S3.
func TestUnsignedPayload(t *testing.T) {
	t.Parallel()
	r := newRequest(t, "PUT", "https://h/key")
	s := sigv4.Signer{Credentials: testCreds, Region: "us-east-1", Service: "s3", S3: true, UnsignedPayload: true}
	if err := s.Sign(r, nil, testTime); err != nil {
		t.Fatal(err)
	}
	if _, err := check(r, []byte("any body"), s3, testTime); err != nil {
		t.Errorf("S3: %v", err)
	}
	strict := *s3
	strict.AllowUnsignedPayload = false
	_, err := check(r, []byte("any body"), &strict, testTime)
	wantError(t, err, sigv4.SignatureDoesNotMatch, mismatch)
	r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
	_, err = check(r, []byte("any body"), s3, testTime)
	wantError(t, err, sigv4.SignatureDoesNotMatch, mismatch)
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	good := func() *http.Request { return newRequest(t, "GET", "https://h/") }
	for name, f := range map[string]func() error{
		"no secret":       func() error { return sigv4.Sign(good(), nil, sigv4.Credentials{AccessKeyID: "A"}, "r", "s", testTime) },
		"slash in region": func() error { return sigv4.Sign(good(), nil, testCreds, "r/x", "s", testTime) },
		"no host":         func() error { return sigv4.Sign(newRequest(t, "GET", "/x"), nil, testCreds, "r", "s", testTime) },
		"bad query": func() error {
			return sigv4.Sign(newRequest(t, "GET", "https://h/?a=%z"), nil, testCreds, "r", "s", testTime)
		},
		"line break": func() error {
			return sigv4.Sign(newRequest(t, "GET", "https://h/", "X-A", "a\nb"), nil, testCreds, "r", "s", testTime)
		},
		"expires":      func() error { return sigv4.Presign(good(), nil, testCreds, "r", "s", testTime, 0) },
		"long expires": func() error { return sigv4.Presign(good(), nil, testCreds, "r", "s", testTime, 169*time.Hour) },
		"presign twice": func() error {
			r := good()
			if err := sigv4.Presign(r, nil, testCreds, "r", "s", testTime, time.Hour); err != nil {
				t.Error(err)
			}
			return sigv4.Presign(r, nil, testCreds, "r", "s", testTime, time.Hour)
		},
	} {
		if f() == nil {
			t.Errorf("%s was signed", name)
		}
	}
}

func TestNothingSecretInText(t *testing.T) {
	t.Parallel()
	key := sigv4.DeriveKey(testSecret, sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"})
	for _, s := range []string{key.String(), key.GoString(), testCreds.String(), testCreds.GoString()} {
		if strings.Contains(s, testSecret) || strings.Contains(s, "c4afb1cc") || strings.Contains(s, string(key[:4])) {
			t.Errorf("secret in %q", s)
		}
	}
}
