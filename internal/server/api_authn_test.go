package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// front is a call to one of the four APIs, with the names its protocol gives to errors.
type front struct {
	service string
	make    func() (*http.Request, []byte) // unsigned
	codes   map[string]string              // of awsQuery to those of the protocol; nil: the same
	status  func(int) int
	window  time.Duration
}

var jsonCodes = map[string]string{
	"MissingAuthenticationToken": "MissingAuthenticationTokenException", "IncompleteSignature": "IncompleteSignatureException",
	"SignatureDoesNotMatch": "InvalidSignatureException", "InvalidClientTokenId": "UnrecognizedClientException",
}

var fronts = []front{
	{"iam", func() (*http.Request, []byte) { return request("iam", "GetUser", nil) }, nil, func(s int) int { return s }, 15 * time.Minute},
	{"sts", func() (*http.Request, []byte) { return request("sts", "GetCallerIdentity", nil) }, nil, func(s int) int { return s }, 15 * time.Minute},
	{"organizations", func() (*http.Request, []byte) {
		body := []byte("{}")
		r := httptest.NewRequest(http.MethodPost, "http://organizations.us-east-1.amazonaws.com/", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128.DescribeOrganization")
		return r, body
	}, jsonCodes, func(int) int { return 400 }, 5 * time.Minute},
	{"access-analyzer", func() (*http.Request, []byte) {
		return httptest.NewRequest(http.MethodGet, "http://access-analyzer.us-east-1.amazonaws.com/analyzer", http.NoBody), nil
	}, jsonCodes, func(int) int { return 403 }, 5 * time.Minute},
}

// accepted is how a call of the front ends whose signature is right: what is not built yet says so.
func (f *front) accepted(a *answer) bool {
	if f.codes == nil {
		return a.status == 200
	}
	return a.status == 501 && strings.Contains(string(a.body), "is not implemented")
}

// check compares an answer with an error of docs/spec/wire.md 4.2.
func (f *front) check(t *testing.T, what string, a *answer, status int, code, message string) {
	t.Helper()
	gotCode, gotMessage := "", ""
	if f.codes == nil {
		if a.xml == nil {
			t.Fatalf("%s: %s: not XML: %s", f.service, what, a.body)
		}
		gotCode, gotMessage = a.code(), a.value("Error", "Message")
	} else {
		code, status = f.codes[code], f.status(status)
		var body map[string]string
		if err := json.Unmarshal(a.body, &body); err != nil {
			t.Fatalf("%s: %s: %v: %s", f.service, what, err, a.body)
		}
		gotCode, gotMessage = body["__type"], body["message"]
		if f.service == "access-analyzer" {
			gotCode = strings.Join(a.header[errorTypeHeader], ",")
		}
	}
	gotMessage = timeOfDay.ReplaceAllString(gotMessage, "TIME")
	message = timeOfDay.ReplaceAllString(message, "TIME")
	if a.status != status || gotCode != code || gotMessage != message {
		t.Errorf("%s: %s\n got %d %s %s\nwant %d %s %s", f.service, what, a.status, gotCode, gotMessage, status, code, message)
	}
}

var timeOfDay = regexp.MustCompile(`\b\d{8}T\d{6}Z`)

const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."

// hashed is the end of messages about the Authorization header.
func hashed(authorization string) string {
	sum := sha256.Sum256([]byte(authorization))
	return " (Hashed with SHA-256 and encoded with Base64) Authorization=" + base64.StdEncoding.EncodeToString(sum[:])
}

// TestAuthenticationFailures: every row of docs/spec/wire.md 4.2, for every API.
func TestAuthenticationFailures(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow * *")
	gone := x.key(x.root, "bob")
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", gone.AccessKeyID)
	off := x.key(x.root, "bob")
	x.ok(x.root, "UpdateAccessKey", "UserName", "bob", "AccessKeyId", off.AccessKeyID, "Status", "Inactive")
	now := time.Now()
	sign := func(r *http.Request, body []byte, c sigv4.Credentials, region, service string, at time.Time) {
		t.Helper()
		if err := sigv4.Sign(r, body, c, region, service, at); err != nil {
			t.Fatal(err)
		}
	}
	// edited signs a request and then changes its Authorization header; it returns the header too.
	edited := func(f *front, edit func(string) string) (*http.Request, string) {
		t.Helper()
		r, body := f.make()
		sign(r, body, bob.Credentials, "us-east-1", f.service, now)
		value := edit(r.Header.Get("Authorization"))
		r.Header.Set("Authorization", value)
		return r, value
	}
	cut := func(pattern string) func(string) string {
		re := regexp.MustCompile(pattern)
		return func(s string) string {
			if !re.MatchString(s) {
				t.Fatalf("nothing to edit in %s", s)
			}
			return re.ReplaceAllString(s, "")
		}
	}
	replace := func(from, to string) func(string) string {
		return func(s string) string {
			if !strings.Contains(s, from) {
				t.Fatalf("no %s in %s", from, s)
			}
			return strings.Replace(s, from, to, 1)
		}
	}
	day := now.UTC().Format("20060102")

	for _, f := range fronts {
		const missing, incomplete, differs, token = "MissingAuthenticationToken", "IncompleteSignature", "SignatureDoesNotMatch", "InvalidClientTokenId"

		// What is right is accepted, so that everything below fails for its own reason only.
		for _, by := range []caller{bob, x.root} {
			for _, skew := range []time.Duration{0, f.window - 5*time.Second, 5*time.Second - f.window} {
				r, body := f.make()
				sign(r, body, by.Credentials, "us-east-1", f.service, now.Add(skew))
				if a := x.send(r); !f.accepted(a) {
					t.Errorf("%s by %s, signed %s from now: %d %s", f.service, by.name, skew, a.status, a.body)
				}
			}
		}

		r, _ := f.make()
		f.check(t, "unsigned", x.send(r), 403, missing, "Request is missing Authentication Token")
		for _, value := range []string{"Basic dXNlcjpwYXNz", "Bearer x", "AWS AKIA:sig", "AWS4-ECDSA-P256-SHA256 Credential=x", "AWS4-HMAC-SHA256x Credential=x", "aws4-hmac-sha256 Credential=x"} {
			r, _ := f.make()
			r.Header.Set("Authorization", value)
			f.check(t, value, x.send(r), 403, missing, "Request is missing Authentication Token")
		}
		for _, c := range []struct {
			edit func(string) string
			part string
		}{
			{cut(`Credential=[^,]*, `), "Credential"}, {cut(`SignedHeaders=[^,]*, `), "SignedHeaders"}, {cut(`, Signature=.*`), "Signature"},
		} {
			r, value := edited(&f, c.edit)
			f.check(t, "no "+c.part, x.send(r), 400, incomplete, "Authorization header requires '"+c.part+"' parameter."+hashed(value))
		}
		r, value := edited(&f, cut(` .*`))
		f.check(t, "nothing but the algorithm", x.send(r), 400, incomplete, "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "+
			"Authorization header requires 'SignedHeaders' parameter."+hashed(value))
		r, value = edited(&f, func(s string) string { return s })
		r.Header.Del("X-Amz-Date")
		f.check(t, "no date", x.send(r), 400, incomplete, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."+hashed(value))
		for _, date := range []string{"2022-08-30T12:36:00Z", "yesterday", "20220830", "Mon, 02 Jan 2006 15:04:05 GMT"} {
			r, _ := edited(&f, func(s string) string { return s })
			r.Header.Set("X-Amz-Date", date)
			f.check(t, "date "+date, x.send(r), 400, incomplete, "Date must be in ISO-8601 'basic format'. Got '"+date+"'. See http://en.wikipedia.org/wiki/ISO_8601")
		}
		for _, credential := range []string{"AKIA", "AKIA/" + day + "/us-east-1/" + f.service, "AKIA/" + day + "/us-east-1/" + f.service + "/aws4_request/x"} {
			r, _ := edited(&f, func(s string) string {
				return regexp.MustCompile(`Credential=[^,]*`).ReplaceAllString(s, "Credential="+credential)
			})
			f.check(t, "credential "+credential, x.send(r), 400, incomplete, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"+credential+"'")
		}
		r, value = edited(&f, replace("Signature=", "Signature"))
		pair := value[strings.LastIndexByte(value, ' ')+1:]
		f.check(t, "no equal-sign", x.send(r), 400, incomplete, "'"+pair+"' not a valid key=value pair (missing equal-sign) in Authorization header: '"+value+"'")
		r, _ = edited(&f, func(s string) string { return regexp.MustCompile(`;?host`).ReplaceAllString(s, "") })
		f.check(t, "host not signed", x.send(r), 403, differs, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")

		for _, c := range []struct{ what, from, to, message string }{
			{"date", day, "20200101", "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20200101' != '" + day + "', from '20200101T000000Z'."},
			{"terminator", "aws4_request", "aws5", "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5'."},
		} {
			r, _ := edited(&f, replace(c.from, c.to))
			f.check(t, "scope with another "+c.what, x.send(r), 403, differs, c.message)
		}
		if f.service == "iam" || f.service == "organizations" {
			r, body := f.make()
			sign(r, body, bob.Credentials, "eu-west-1", f.service, now)
			f.check(t, "scope with another region", x.send(r), 403, differs, "Credential should be scoped to a valid region. ")
		} else {
			r, body := f.make()
			sign(r, body, bob.Credentials, "eu-west-1", f.service, now)
			if a := x.send(r); !f.accepted(a) {
				t.Errorf("%s in another region: %s", f.service, a.body)
			}
		}

		r, body := f.make()
		sign(r, body, bob.Credentials, "us-east-1", f.service, now.Add(-f.window-time.Minute))
		minutes := fmt.Sprint(int(f.window.Minutes()))
		f.check(t, "too old", x.send(r), 403, differs, "Signature expired: 20200101T000000Z is now earlier than 20200101T000000Z (20200101T000000Z - "+minutes+" min.)")
		r, body = f.make()
		sign(r, body, bob.Credentials, "us-east-1", f.service, now.Add(f.window+time.Minute))
		f.check(t, "too early", x.send(r), 403, differs, "Signature not yet current: 20200101T000000Z is still later than 20200101T000000Z (20200101T000000Z + "+minutes+" min.)")

		const badToken = "The security token included in the request is invalid."
		withToken := bob.Credentials
		withToken.SessionToken = "IQoJb3JpZ2luX2Vj"
		for _, c := range []struct {
			what  string
			creds sigv4.Credentials
		}{
			{"unknown key", sigv4.Credentials{AccessKeyID: "AKIAAAAAAAAAAAAAAAAA", SecretAccessKey: "x"}},
			{"key id in small letters", sigv4.Credentials{AccessKeyID: strings.ToLower(bob.AccessKeyID), SecretAccessKey: bob.SecretAccessKey}},
			{"temporary key of nobody", sigv4.Credentials{AccessKeyID: "ASIA" + bob.AccessKeyID[4:], SecretAccessKey: bob.SecretAccessKey}},
			{"deleted key", gone.Credentials}, {"inactive key", off.Credentials},
			{"session token with a long-term key", withToken},
			{"the account's id as key", sigv4.Credentials{AccessKeyID: testAccount, SecretAccessKey: "x"}},
		} {
			r, body := f.make()
			sign(r, body, c.creds, "us-east-1", f.service, now)
			f.check(t, c.what, x.send(r), 403, token, badToken)
		}

		wrong := bob.Credentials
		wrong.SecretAccessKey = strings.Repeat("x", 40)
		for range 2 { // the second time the right derived key is cached
			r, body = f.make()
			sign(r, body, wrong, "us-east-1", f.service, now)
			f.check(t, "wrong secret", x.send(r), 403, differs, mismatch)
		}
		wrong.SecretAccessKey = x.root.SecretAccessKey
		r, body = f.make()
		sign(r, body, wrong, "us-east-1", f.service, now)
		f.check(t, "secret of another key", x.send(r), 403, differs, mismatch)
		r, _ = edited(&f, func(s string) string { // one digit of the signature
			last := s[len(s)-1]
			return s[:len(s)-1] + string(rune('0'+('1'-'0')*b2i(last == '0')))
		})
		if strings.HasSuffix(r.Header.Get("Authorization"), "x") {
			t.Fatal("the signature was not changed")
		}
		f.check(t, "one digit changed", x.send(r), 403, differs, mismatch)
		for _, edit := range []func(string) string{
			func(s string) string { return s[:len(s)-1] },
			func(s string) string { return s + "0" },
			func(s string) string { i := strings.LastIndexByte(s, '='); return s[:i+1] + strings.ToUpper(s[i+1:]) },
		} {
			r, value := edited(&f, edit)
			f.check(t, "signature "+value[strings.LastIndexByte(value, '=')+1:], x.send(r), 403, differs, mismatch)
		}

		tampered := map[string]func(r *http.Request){
			"body added to": func(r *http.Request) {
				_, body := f.make()
				changed := append(bytes.Clone(body), '&')
				r.Body, r.ContentLength = http.NoBody, 0
				*r = *withBody(r, changed)
			},
			"query added":    func(r *http.Request) { r.URL.RawQuery = "UserName=root" },
			"host changed":   func(r *http.Request) { r.Host = "evil.example.com" },
			"method changed": func(r *http.Request) { r.Method = map[string]string{"POST": "GET", "GET": "POST"}[r.Method] },
			"date moved": func(r *http.Request) {
				r.Header.Set("X-Amz-Date", now.Add(time.Minute).UTC().Format("20060102T150405Z"))
			},
			"content type":     func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
			"signed twice":     func(r *http.Request) { r.Header.Add("X-Amz-Date", r.Header.Get("X-Amz-Date")) },
			"x-amz-* unsigned": nil,
		}
		for what, change := range tampered {
			r, body := f.make()
			if what == "content type" && r.Header.Get("Content-Type") == "" {
				continue
			}
			sign(r, body, bob.Credentials, "us-east-1", f.service, now)
			if change == nil {
				r.Header.Set("X-Amz-Meta", "added")
				f.check(t, what, x.send(r), 403, differs, "'X-Amz-Meta' must be a 'SignedHeader' in the AWS Authorization.")
				continue
			}
			change(r)
			a := x.send(r)
			switch {
			case f.service == "access-analyzer" && what == "method changed": // another operation of the service, or none
				if a.status < 400 || f.accepted(a) {
					t.Errorf("%s: %s: %d %s", f.service, what, a.status, a.body)
				}
			case what == "signed twice" || f.codes == nil && (what == "method changed" || what == "content type"): // the last two hide the action
				if a.status < 400 {
					t.Errorf("%s: %s: %d %s", f.service, what, a.status, a.body)
				}
			default:
				f.check(t, what, a, 403, differs, mismatch)
			}
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func withBody(r *http.Request, body []byte) *http.Request {
	c := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
	c.Header, c.Host = r.Header, r.Host
	return c
}

// TestServiceOfTheScope: a signature is for one service. What the request names beside it does not change that.
func TestServiceOfTheScope(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob")
	for _, c := range []struct{ op, scope, want string }{
		{"GetUser", "sts", "400 InvalidAction Could not find operation GetUser for version 2010-05-08"},
		{"GetCallerIdentity", "iam", "400 InvalidAction Could not find operation GetCallerIdentity for version 2011-06-15"},
		{"GetUser", "s3", "403 SignatureDoesNotMatch Credential should be scoped to correct service: 'iam'. "},
		{"GetCallerIdentity", "ec2", "403 SignatureDoesNotMatch Credential should be scoped to correct service: 'sts'. "},
	} {
		r, body := request(serviceOf(c.op), c.op, nil)
		x.must(sigv4.Sign(r, body, bob.Credentials, "us-east-1", c.scope, time.Now()))
		if got := x.send(r).String(); got != c.want {
			t.Errorf("%s signed for %s\n got %s\nwant %s", c.op, c.scope, got, c.want)
		}
	}
	r, body := request("iam", "GetUser", nil) // several faults at once
	x.must(sigv4.Sign(r, body, bob.Credentials, "eu-west-1", "s3", time.Now()))
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "aws4_request", "x", 1))
	want := "403 SignatureDoesNotMatch Credential should be scoped to a valid region. Credential should be scoped to correct service: 'iam'. " +
		"Credential should be scoped with a valid terminator: 'aws4_request', not 'x'."
	if got := x.send(r).String(); got != want {
		t.Errorf("several faults\n got %s\nwant %s", got, want)
	}
}

func TestPresigned(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "/team/bob")
	arn := arnHere + "user/team/bob"
	identity := "UserId=AIDA Account=" + testAccount + " Arn=" + arn
	make := func(host, query string, headers ...string) *http.Request {
		r := httptest.NewRequest(http.MethodGet, "http://"+host+"/?"+query, http.NoBody)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	const call = "Action=GetCallerIdentity&Version=2011-06-15"
	presign := func(r *http.Request, at time.Time) {
		t.Helper()
		if err := sigv4.Presign(r, nil, bob.Credentials, "us-east-1", "sts", at, time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	// As aws-iam-authenticator and Vault send it: an extra signed header, an answer in JSON.
	r := make("sts.us-east-1.amazonaws.com", call, "X-K8s-Aws-Id", "my-cluster")
	presign(r, time.Now())
	r.Header.Set("Accept", "application/json")
	a := x.send(r)
	var got struct {
		Response struct {
			Result   struct{ Account, Arn, UserId string } `json:"GetCallerIdentityResult"`
			Metadata struct{ RequestId string }            `json:"ResponseMetadata"`
		} `json:"GetCallerIdentityResponse"`
	}
	if err := json.Unmarshal(a.body, &got); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	res := got.Response.Result
	if a.status != 200 || a.header.Get("Content-Type") != "application/json" || res.Account != testAccount || res.Arn != arn || !strings.HasPrefix(res.UserId, "AIDA") ||
		got.Response.Metadata.RequestId != a.header[requestIDHeader][0] {
		t.Errorf("%d %s: %s", a.status, a.header, a.body)
	}
	for _, edit := range []func(r *http.Request){
		func(r *http.Request) { r.Header.Set("X-K8s-Aws-Id", "another-cluster") },
		func(r *http.Request) { r.Header.Del("X-K8s-Aws-Id") },
		func(r *http.Request) { r.URL.RawQuery += "&Extra=1" },
		func(r *http.Request) {
			r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "X-Amz-Expires=60", "X-Amz-Expires=61", 1)
		},
		func(r *http.Request) { r.Host = "sts.eu-west-1.amazonaws.com" },
		func(r *http.Request) { *r = *withBody(r, []byte("x")) },
	} {
		r := make("sts.us-east-1.amazonaws.com", call, "X-K8s-Aws-Id", "my-cluster")
		presign(r, time.Now())
		edit(r)
		if got := x.send(r).String(); got != "403 SignatureDoesNotMatch "+mismatch {
			t.Errorf("%s %s\n got %s", r.URL.RawQuery, r.Header, got)
		}
	}

	send := func(want string, r *http.Request) {
		t.Helper()
		if got := x.send(r).String(); timeOfDay.ReplaceAllString(got, "TIME") != timeOfDay.ReplaceAllString(want, "TIME") {
			t.Errorf("%s\n got %s\nwant %s", r.URL.RawQuery, got, want)
		}
	}
	r = make("sts.amazonaws.com", call)
	presign(r, time.Now().Add(-14*time.Minute)) // long after X-Amz-Expires, which STS does not heed
	send(identity, r)
	r = make("sts.amazonaws.com", call)
	presign(r, time.Now().Add(-16*time.Minute))
	send("403 SignatureDoesNotMatch Signature expired: 20200101T000000Z is now earlier than 20200101T000000Z (20200101T000000Z - 15 min.)", r)

	r = make("sts.amazonaws.com", call)
	presign(r, time.Now())
	query := r.URL.RawQuery
	for _, c := range []struct{ drop, want string }{
		{"X-Amz-Algorithm", "400 IncompleteSignature AWS query-string parameters must include 'X-Amz-Algorithm'. Re-examine the query-string parameters."},
		{"X-Amz-Credential", "400 IncompleteSignature AWS query-string parameters must include 'X-Amz-Credential'. Re-examine the query-string parameters."},
		{"X-Amz-Signature", "400 IncompleteSignature AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters."},
		{"X-Amz-SignedHeaders", "400 IncompleteSignature AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters."},
		{"X-Amz-Date", "400 IncompleteSignature AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
	} {
		send(c.want, make("sts.amazonaws.com", regexp.MustCompile(c.drop+`=[^&]*&?`).ReplaceAllString(query, "")))
	}
	send("403 MissingAuthenticationToken Missing Authentication Token", make("sts.amazonaws.com", strings.Replace(query, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1", 1)))
	both := make("sts.amazonaws.com", query, "Authorization", "AWS4-HMAC-SHA256 Credential=x/20200101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=x")
	send("403 SignatureDoesNotMatch Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.", both)
	send(badToken, func() *http.Request {
		r := make("sts.amazonaws.com", call)
		withToken := bob.Credentials
		withToken.SessionToken = "token"
		x.must(sigv4.Presign(r, nil, withToken, "us-east-1", "sts", time.Now(), time.Minute))
		return r
	}())

	// IAM takes the query form as well, and POST with its parameters in the query.
	r = make("iam.amazonaws.com", "Action=GetUser&Version=2010-05-08&UserName=bob")
	x.must(sigv4.Presign(r, nil, x.root.Credentials, "us-east-1", "iam", time.Now(), time.Minute))
	send("User("+userAs("/team/", "bob")+")", r)
}

func TestWhereParametersStand(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	x.ok(x.root, "CreateUser", "UserName", "bob")
	x.ok(x.root, "CreateUser", "UserName", "eve")
	user := func(name string) string { return "User(" + userAs("/", name) + ")" }
	for _, c := range []struct{ method, query, contentType, body, want string }{
		{"GET", "Action=GetUser&Version=2010-05-08&UserName=bob", "", "", user("bob")},
		{"POST", "Action=GetUser&Version=2010-05-08&UserName=bob", "", "", user("bob")},
		{"POST", "Action=GetUser&Version=2010-05-08", "application/x-www-form-urlencoded", "UserName=bob", user("bob")},
		{"POST", "", "", "Action=GetUser&Version=2010-05-08&UserName=bob", user("bob")},
		{"POST", "", "APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8", "Action=GetUser&Version=2010-05-08&UserName=bo%62", user("bob")},
		{"POST", "UserName=bob", "", "Action=GetUser&Version=2010-05-08&UserName=eve", user("bob")},      // the query comes first
		{"GET", "Action=GetUser&Version=2010-05-08&UserName=bob&UserName=eve", "", "", user("bob")},      // the first of two
		{"GET", "Action=GetUser&Action=DeleteUser&Version=2010-05-08&UserName=bob", "", "", user("bob")}, // of two actions too
		{"GET", "Action=GetUser&Version=2010-05-08&UserName=bob", "", "Action=DeleteUser", user("bob")},  // a GET's body says nothing
		{"POST", "Action=GetUser&Version=2010-05-08&UserName=bob", "text/plain", "UserName=eve", user("bob")},
		{"GET", "", "", "", "400 MissingAction The request is missing an action or a required parameter."},
		{"POST", "Version=2010-05-08", "", "", "400 MissingAction The request is missing an action or a required parameter."},
		{"POST", "", "application/json", `{"Action":"GetUser"}`, "400 MissingAction The request is missing an action or a required parameter."},
		{"GET", "Action=getuser&Version=2010-05-08", "", "", "400 InvalidAction Could not find operation getuser for version 2010-05-08"},
		{"GET", "Action=GetUser&Version=2010-05-09", "", "", "400 InvalidAction Could not find operation GetUser for version 2010-05-09"},
		{"GET", "Action=GetUser", "", "", "400 InvalidAction Could not find operation GetUser for version NO_VERSION_SPECIFIED"},
		{"GET", "Action=GetUser&Version=", "", "", "400 InvalidAction Could not find operation GetUser for version NO_VERSION_SPECIFIED"},
		{"GET", "Action=<b>%26&Version=2010-05-08", "", "", "400 InvalidAction Could not find operation <b>& for version 2010-05-08"},
	} {
		r := httptest.NewRequest(c.method, "http://iam.amazonaws.com/?"+c.query, strings.NewReader(c.body))
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		x.must(sigv4.Sign(r, []byte(c.body), x.root.Credentials, "us-east-1", "iam", time.Now()))
		if got := x.send(r).String(); got != c.want {
			t.Errorf("%s /?%s with %q\n got %s\nwant %s", c.method, c.query, c.body, got, c.want)
		}
	}
}

// TestActionsThatAreNotServed: what does not exist, and what is not built, is told only to who has signed.
func TestActionsThatAreNotServed(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	bob := x.user(x.root, "bob") // without any permission
	x.want("501 NotImplemented iam:CreateInstanceProfile is not implemented by this version of Gatehouse.", bob, "CreateInstanceProfile")
	x.want("501 NotImplemented iam:CreateInstanceProfile is not implemented by this version of Gatehouse.", x.root, "CreateInstanceProfile", "InstanceProfileName", "a b")
	x.want("400 InvalidAction Could not find operation CreateUsers for version 2010-05-08", bob, "CreateUsers")
	for _, op := range []string{"CreateInstanceProfile", "CreateUsers"} {
		r, _ := request("iam", op, nil)
		if got := x.send(r).String(); got != "403 MissingAuthenticationToken Request is missing Authentication Token" {
			t.Errorf("%s unsigned: %s", op, got)
		}
	}
	served := map[string]bool{}
	for _, op := range Operations() {
		served[op.Action()] = true
	}
	for _, s := range Services {
		for _, op := range s.Operations {
			if served[op.Action()] || s.SigningName != "iam" {
				continue
			}
			x.want("501 NotImplemented "+op.Action()+" is not implemented by this version of Gatehouse.", bob, op.Name)
		}
	}
	for _, c := range []struct{ method, path string }{{"PUT", "/"}, {"DELETE", "/"}, {"PATCH", "/"}, {"POST", "/x"}, {"GET", "/a/b"}} {
		r := httptest.NewRequest(c.method, "http://iam.amazonaws.com"+c.path+"?Action=GetUser&Version=2010-05-08", http.NoBody)
		x.must(sigv4.Sign(r, nil, bob.Credentials, "us-east-1", "iam", time.Now()))
		if a := x.send(r); a.status != 404 || a.xml.String() != "UnknownOperationException()" {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
	}
}

// TestKeysBroughtFromOutside: an id that says another account, or none, is found through the directory; and an id that says an account
// which has no such key is not somebody else's.
func TestKeysBroughtFromOutside(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	other := x.addAccount(testAccount2)
	x.want("UserId="+testAccount2+" Account="+testAccount2+" Arn=arn:aws:iam::"+testAccount2+":root", other, "GetCallerIdentity")
	bob := x.user(x.root, "bob")
	eve := x.user(other, "eve")
	// Bob's key id, as the directory's entry for the other account: the account that the id says goes first.
	x.must(x.cell.store.Update(t.Context(), []string{state.DirectoryUnit}, func(tx *state.Tx) error {
		tx.Put(state.DirectoryUnit, directoryName("key", bob.AccessKeyID, testAccount2))
		tx.Put(state.DirectoryUnit, directoryName("key", "EVESKEYFROMNOWHERE", "999999999999"))
		return nil
	}))
	x.want("UserId=AIDA Account="+testAccount+" Arn="+arnHere+"user/bob", bob, "GetCallerIdentity")
	mixed := caller{sigv4.Credentials{AccessKeyID: "EVESKEYFROMNOWHERE", SecretAccessKey: eve.SecretAccessKey}, "a key of no account"}
	x.want(badToken, mixed, "GetCallerIdentity")
	x.ok(x.root, "DeleteAccessKey", "UserName", "bob", "AccessKeyId", bob.AccessKeyID)
	x.want(badToken, bob, "GetCallerIdentity")
}
