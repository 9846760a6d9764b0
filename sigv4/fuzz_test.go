package sigv4_test

import (
	"bytes"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// FuzzParse takes any bytes as a request. Nothing may panic, and nothing may verify with a key that no seed was signed with.
func FuzzParse(f *testing.F) {
	for _, raw := range mutationSubjects(f) {
		f.Add(raw)
	}
	f.Add([]byte("GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=%&X-Amz-Date=2 HTTP/1.1\r\nHost: h\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e,SignedHeaders=;,Signature=\r\nDate: x\r\n\r\n"))
	key := sigv4.DeriveKey("never signed with", sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"})
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, body, err := readWire(raw)
		if err != nil {
			return
		}
		c, err := sigv4.Parse(r)
		if err != nil {
			if err.Error() == "" {
				t.Error("error without a text")
			}
			return
		}
		for _, e := range []*sigv4.Expect{iam, s3} {
			any := *e
			any.Service, any.AnyRegion = c.Scope.Service, true
			if c.CheckScope(&any, c.Time) == nil && c.Verify(r, body, &key, &any) == nil {
				t.Fatalf("verified without a signature: %q", raw)
			}
		}
	})
}

// FuzzVerify signs what it is given, sends it, and compares with the reference: what was signed verifies, and any other body,
// method, path, query or header value does not.
func FuzzVerify(f *testing.F) {
	f.Add("POST", "/", "", "Content-Type", "text/plain", []byte("Action=ListUsers"), false, false)
	f.Add("GET", "/a//b/../%2f/é", "b=1&a=%20+&&c", "X-Amz-Meta-A", "  x   y ", []byte(nil), true, true)
	f.Fuzz(func(t *testing.T, method, path, query, name, value string, body []byte, presign, isS3 bool) {
		u, err := url.Parse("https://h/" + path)
		if err != nil || u.Host != "h" || u.Opaque != "" || u.User != nil {
			return
		}
		u.RawQuery, u.Fragment, u.ForceQuery = query, "", false
		r := &http.Request{Method: method, URL: u, Header: http.Header{}, Host: "h"}
		if http.CanonicalHeaderKey(name) == name && name != "" {
			r.Header.Set(name, value)
		}
		service, e := "iam", iam
		if isS3 {
			service, e = "s3", s3
		}
		if presign {
			err = sigv4.Presign(r, body, testCreds, "us-east-1", service, testTime, time.Hour)
		} else {
			err = sigv4.Sign(r, body, testCreds, "us-east-1", service, testTime)
		}
		if err != nil {
			return
		}
		var raw bytes.Buffer
		r.Body, r.ContentLength = http.NoBody, 0
		if len(body) > 0 {
			r.Body, r.ContentLength = nopBody{bytes.NewReader(body)}, int64(len(body))
		}
		if r.Write(&raw) != nil {
			return
		}
		got, gotBody, err := readWire(raw.Bytes())
		if err != nil || !bytes.Equal(body, gotBody) || got.Method != method {
			return
		}
		for name, values := range r.Header { // what the HTTP client itself changes or drops is not signed for
			if len(got.Header[name]) != len(values) {
				return
			}
		}
		if _, err := check(got, gotBody, e, testTime); err != nil {
			canonical, _ := reference(got, gotBody, isS3, service)
			t.Fatalf("%v\nwire %q\nreference %q", err, raw.Bytes(), canonical)
		}
		for what, edit := range map[string]func(r *http.Request){
			"method": func(r *http.Request) { r.Method += "X" },
			"path":   func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"x", "" },
			"query":  func(r *http.Request) { r.URL.RawQuery += "&zz=1" },
			"host":   func(r *http.Request) { r.Host += "h" },
			"amz":    func(r *http.Request) { r.Header.Set("X-Amz-Zz", "1") },
		} {
			changed := got.Clone(got.Context())
			edit(changed)
			if _, err := check(changed, gotBody, e, testTime); err == nil {
				t.Errorf("accepted with another %s: %q", what, raw.Bytes())
			}
		}
	})
}

type nopBody struct{ *bytes.Reader }

func (nopBody) Close() error { return nil }
