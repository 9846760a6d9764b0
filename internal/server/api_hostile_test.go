package server

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// TestHostileInput: whatever comes, the answer is a clear 4xx, nothing is changed, and little memory is taken. Every request is tried
// unsigned and, where it can be signed, signed by the root user.
//
// It does not run beside other tests: what they allocate cannot be told from what a request takes.
func TestHostileInput(t *testing.T) {
	x := openAPI(t)
	x.user(x.root, "bob")
	x.policy(x.root, "bob", "p", "Allow iam:* *")
	before := x.dump(x.root)

	const form = "application/x-www-form-urlencoded"
	const frame = "Action=CreateUser&Version=2010-05-08&UserName=new"
	repeat := strings.Repeat
	numbered := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i+1)
		}
		return b.String()
	}
	const malformed, notParsed = "400 MalformedInput", "404 MalformedQueryString The request contains percent-encoding that cannot be decoded."
	const badChar = malformed + " The request contains a character that is not allowed."
	const tooLarge = "413 RequestEntityTooLarge The request body is larger than 4194304 bytes."
	const tooMany = "404 MalformedQueryString The request has more than 5000 parameters."
	cases := []struct {
		what, query, body string
		want              string // "" means some 4xx
	}{
		{"a body over the limit", "", frame + "&Path=" + repeat("x", 4<<20), tooLarge},
		{"a body far over the limit", "", repeat("&", 16<<20), tooLarge},
		{"10,000 parameters", "", frame + numbered(10_000, "&P%d=x"), tooMany},
		{"10,000 tags", "", frame + numbered(4_990, "&Tags.member.%d.Key=k"), ""},
		{"100,000 empty parameters", "", frame + repeat("&", 100_000) + "&Path=x", badPath},
		{"10,000 parameters in the query", frame + numbered(10_000, "&P%d=x"), "", ""},
		{"deep names", "", frame + "&Tags" + repeat(".member.1", 1000) + "=x", "404 MalformedQueryString A parameter name is nested more than 16 levels deep."},
		{"deeper than the shape", "", frame + "&Tags.member.1.Key.member.1.Key.x=1&Path=x", ""},
		{"a list index out of all bounds", "", frame + "&Tags.member.99999999999999999999.Key=k", malformed},
		{"a list index over the limit", "", frame + "&Tags.member.100000.Key=k", malformed},
		{"the highest list index", "", frame + "&Tags.member.99999.Key=k", invalid("tags.1.member.value " + notNull)},
		{"list index 0", "", frame + "&Tags.member.0.Key=k", malformed},
		{"a negative list index", "", frame + "&Tags.member.-1.Key=k", malformed},
		{"a list index that is none", "", frame + "&Tags.member.x.Key=k", malformed},
		{"a list that is a text", "", frame + "&Tags=x", malformed},
		{"invalid UTF-8", "", frame + "&Path=%ff%fe", badChar},
		{"invalid UTF-8, raw", "", frame + "&Path=\xff\xfe", badChar},
		{"half a surrogate", "", frame + "&Path=%ed%a0%80", badChar},
		{"an overlong slash", "", frame + "&Path=%c0%af", badChar},
		{"NUL", "", frame + "&Path=/%00/", badChar},
		{"NUL in a name", "", frame + "&Pa%00th=x", badChar},
		{"NUL in the action", "", "Action=GetUser%00&Version=2010-05-08", badChar},
		{"a broken escape", "", frame + "&Path=%", notParsed},
		{"half an escape", "", frame + "&Path=%4", notParsed},
		{"an escape of no digits", "", frame + "&Path=%zz", notParsed},
		{"a broken escape in the query", "Action=GetUser&Version=2010-05-08&UserName=%zz", "", ""},
		{"control characters", "", frame + "&Path=/%01%02%1b%7f/", badPath},
		{"line breaks in a name", "", "Action=CreateUser&Version=2010-05-08&UserName=a%0d%0aSet-Cookie:x", badUserName},
		{"markup in a name", "", "Action=GetUser&Version=2010-05-08&UserName=%3Cscript%3E", badUserName},
		{"a name of 1 MB", "", "Action=GetUser&Version=2010-05-08&UserName=" + repeat("a", 1<<20), invalid("userName " + notOver + "128")},
		{"an action of 1 MB", "", "Version=2010-05-08&Action=" + repeat("a", 1<<20), ""},
		{"a policy of 1 MB", "", "Action=PutUserPolicy&Version=2010-05-08&UserName=bob&PolicyName=p&PolicyDocument=" + repeat("[", 1<<20), invalid("policyDocument " + notOver + "131072")},
		{"a deep policy", "", "Action=PutUserPolicy&Version=2010-05-08&UserName=bob&PolicyName=p&PolicyDocument=" + repeat("[", 131072), "400 MalformedPolicyDocument Syntax errors in policy."},
		{"a policy of many statements", "", `Action=PutUserPolicy&Version=2010-05-08&UserName=bob&PolicyName=p&PolicyDocument={"Statement":[` + repeat(`{},`, 40_000) + `{}]}`, ""},
		{"a policy with NUL", "", `Action=PutUserPolicy&Version=2010-05-08&UserName=bob&PolicyName=p&PolicyDocument={"Id":"\u0000"}`, ""},
		{"many faults", "", "Action=TagUser&Version=2010-05-08" + numbered(50, "&Tags.member.%d.Value=v"), ""},
		{"huge numbers", "", "Action=ListUsers&Version=2010-05-08&MaxItems=" + repeat("9", 10_000), malformed},
		{"MaxItems with a sign", "", "Action=ListUsers&Version=2010-05-08&MaxItems=0x10", malformed},
	}
	for _, c := range cases {
		for _, signed := range []bool{false, true} {
			r := httptest.NewRequest(http.MethodPost, "http://iam.amazonaws.com/", strings.NewReader(c.body))
			r.URL.RawQuery = c.query
			r.Header.Set("Content-Type", form)
			if signed {
				if err := sigv4.Sign(r, []byte(c.body), x.root.Credentials, "us-east-1", "iam", time.Now()); err != nil {
					continue // cannot be signed either
				}
			}
			var memory, after runtime.MemStats
			runtime.ReadMemStats(&memory)
			a := x.send(r)
			runtime.ReadMemStats(&after)
			got := a.String()
			if a.status < 400 || a.status >= 500 || signed && c.want != "" && got != c.want {
				t.Errorf("%s, signed %t\n got %.300s\nwant %.300s", c.what, signed, got, c.want)
			}
			if len(a.body) > 64<<10 && c.what != "an action of 1 MB" {
				t.Errorf("%s: an answer of %d bytes", c.what, len(a.body))
			}
			if used := after.TotalAlloc - memory.TotalAlloc; used > 48<<20 {
				t.Errorf("%s: %d MB were allocated", c.what, used>>20)
			}
		}
	}
	if after := x.dump(x.root); after != before {
		t.Errorf("the account has changed\nbefore %s\n after %s", before, after)
	}
}

func TestHostileHeaders(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	for _, value := range []string{
		"AWS4-HMAC-SHA256 " + strings.Repeat("x=y,", 10_000),
		"AWS4-HMAC-SHA256 Credential=" + strings.Repeat("/", 8000) + ", SignedHeaders=host, Signature=x",
		"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=" + strings.Repeat("h;", 2000) + "host, Signature=x",
		"AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=, Signature=x",
		"AWS4-HMAC-SHA256 Credential=////, SignedHeaders=host, Signature=x",
		"AWS4-HMAC-SHA256 Credential=\xff/20200101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=\xff",
		"AWS4-HMAC-SHA256 \x00\x01\x7f",
		"AWS4-HMAC-SHA256",
		strings.Repeat("A", 60_000),
	} {
		r, _ := request("iam", "GetUser", nil)
		r.Header["Authorization"] = []string{value}
		r.Header.Set("X-Amz-Date", time.Now().UTC().Format("20060102T150405Z"))
		if a := x.send(r); a.status != 400 && a.status != 403 {
			t.Errorf("%.60q: %d %s", value, a.status, a.body)
		}
		r.Header["Authorization"] = []string{value, value}
		if a := x.send(r); a.status != 400 && a.status != 403 {
			t.Errorf("%.60q twice: %d %s", value, a.status, a.body)
		}
	}
	for _, key := range []string{strings.Repeat("A", 7000), "acct", "..", "AKIA%2F", "self", "\xff"} { // what names no account must not become the name of anything
		r, body := request("iam", "GetUser", nil)
		x.must(sigv4.Sign(r, body, sigv4.Credentials{AccessKeyID: key, SecretAccessKey: "x"}, "us-east-1", "iam", time.Now()))
		if got := x.send(r).String(); got != badToken {
			t.Errorf("key %.40q: %s", key, got)
		}
	}
}

func TestHostileJSON(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	for _, c := range []struct{ what, body string }{
		{"deep lists", strings.Repeat("[", 100_000)},
		{"deep objects", strings.Repeat(`{"a":`, 100_000)},
		{"a deep unknown member", `{"x":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + "}"},
		{"many values", `{"x":[` + strings.Repeat("0,", 200_000) + "0]}"},
		{"invalid UTF-8", "{\"AccountName\":\"\xff\xfe\"}"},
		{"NUL", "{\"AccountName\":\"\x00\"}"},
		{"half a surrogate", `{"AccountName":"\ud800"}`},
		{"an unfinished text", `{"AccountName":"x`},
		{"a huge number", `{"MaxResults":` + strings.Repeat("9", 100_000) + "}"},
		{"a body over the limit", strings.Repeat(" ", 4<<20+1)},
		{"another type", `{"AccountName":[1]}`},
		{"no object", `"x"`},
	} {
		for _, op := range []string{"CreateAccount", "ListAccounts", "NoSuchOperation", "", strings.Repeat("x", 10_000)} {
			r := httptest.NewRequest(http.MethodPost, "http://organizations.us-east-1.amazonaws.com/", strings.NewReader(c.body))
			r.Header.Set("Content-Type", "application/x-amz-json-1.1")
			r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128."+op)
			x.must(sigv4.Sign(r, []byte(c.body), x.root.Credentials, "us-east-1", "organizations", time.Now()))
			if a := x.send(r); a.status < 400 || a.status >= 500 && a.status != 501 || len(a.body) > 4096 {
				t.Errorf("%s as %.20s: %d %.200s", c.what, op, a.status, a.body)
			}
		}
	}
}

// TestBodiesThatLie: an announced length is not trusted with memory, and a body that ends early or never is no call.
func TestBodiesThatLie(t *testing.T) {
	t.Parallel()
	x := openAPI(t)
	for _, c := range []struct {
		what   string
		length int64
		body   io.Reader
		want   string
	}{
		{"announces 1 EB", 1 << 60, strings.NewReader("x"), "413 RequestEntityTooLarge The request body is larger than 4194304 bytes."},
		{"never ends", -1, endless{}, "413 RequestEntityTooLarge The request body is larger than 4194304 bytes."},
		{"ends early", 100, io.MultiReader(strings.NewReader("Action=GetUser"), broken{}), "400 IncompleteBody The request body could not be read to its end."},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://iam.amazonaws.com/", c.body)
		r.ContentLength = c.length
		if got := x.send(r).String(); got != c.want {
			t.Errorf("a body that %s\n got %s\nwant %s", c.what, got, c.want)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// FuzzHandler serves raw requests, as they are and signed. Whatever they are: no panic, no 5xx but 501, and a call that fails writes
// nothing.
func FuzzHandler(f *testing.F) {
	x := newAPI(f)
	for _, s := range []string{
		"POST / HTTP/1.1\r\nHost: iam.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 51\r\n\r\nAction=CreateUser&Version=2010-05-08&UserName=alice",
		"GET /?Action=ListUsers&Version=2010-05-08&PathPrefix=%2Fa&MaxItems=5&Marker=MXVzZXJzCmE HTTP/1.1\r\nHost: iam.amazonaws.com\r\n\r\n",
		"POST /?Action=TagUser&Version=2010-05-08&UserName=bob&Tags.member.1.Key=k&Tags.member.1.Value=v HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /?Action=PutUserPolicy&Version=2010-05-08&UserName=bob&PolicyName=p&PolicyDocument=%7B%22Statement%22%3A%7B%22Effect%22%3A%22Deny%22%2C%22Action%22%3A%22*%22%2C%22Resource%22%3A%22*%22%7D%7D HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /?Action=GetAccessKeyInfo&Version=2011-06-15&AccessKeyId=ASIAQNZGKIQY56JQ7WML HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AWSOrganizationsV20161128.CreateAccount\r\nContent-Length: 2\r\n\r\n{}",
		"PUT /analyzer/a%2Fb/archive-rule/x?y=z HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
		"GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20200101%2Fus-east-1%2Fiam%2Faws4_request&X-Amz-Date=20200101T000000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0 HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=A/B/C/D/E, SignedHeaders=host;x, Signature=0\r\nX-Amz-Date: 20200101T000000Z\r\nContent-Length: 0\r\n\r\n",
		"POST /gatehouse/v1/authorize HTTP/1.1\r\nHost: x\r\nContent-Length: 105\r\n\r\n{\"Principal\":{\"Arn\":\"arn:aws:iam::111122223333:root\"},\"Action\":\"a:b\",\"Resource\":\"*\",\"Context\":{\"a:b\":[]}}",
		"GET /_dev/reset HTTP/1.1\r\nHost: x\r\n\r\n", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
	} {
		for mode := range byte(6) {
			f.Add(mode, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, mode byte, raw []byte) {
		x := x.sub(t)
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return // net/http answers those
		}
		body, err := io.ReadAll(io.LimitReader(r.Body, 5<<20))
		if err != nil {
			return
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.RemoteAddr = "192.0.2.1:1234"
		if services := []string{"", "iam", "sts", "organizations", "access-analyzer", "gatehouse"}; mode%6 > 0 {
			if err := sigv4.Sign(r, body, x.root.Credentials, "us-east-1", services[mode%6], time.Now()); err != nil {
				return
			}
		}
		before := x.revision()
		w := httptest.NewRecorder()
		x.handler.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w.Code >= 400 && x.revision() != before {
			t.Fatalf("a call that failed wrote: %d %s", w.Code, w.Body)
		}
		if mode%6 == 0 && x.revision() != before {
			t.Fatalf("a request without a signature of ours wrote: %d %s", w.Code, w.Body)
		}
	})
}
