package sigv4_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

const (
	testID     = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var (
	testTime  = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	testCreds = sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret}
	iam       = &sigv4.Expect{Service: "iam", Regions: []string{"us-east-1"}}
	s3        = &sigv4.Expect{Service: "s3", AnyRegion: true, SingleEncodePath: true, HonourExpires: true, AllowUnsignedPayload: true}
)

// overWire returns the request as a server sees it: written as a client writes it and read as a server reads it.
func overWire(t testing.TB, r *http.Request, body []byte) *http.Request {
	t.Helper()
	raw := wireBytes(t, r, body)
	got, gotBody, err := readWire(raw)
	if err != nil {
		t.Fatalf("the server cannot read the request: %v\n%s", err, raw)
	}
	if !bytes.Equal(gotBody, body) {
		t.Fatalf("body %q arrived as %q", body, gotBody)
	}
	return got
}

func wireBytes(t testing.TB, r *http.Request, body []byte) []byte {
	t.Helper()
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	if len(body) == 0 {
		r.Body = http.NoBody
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatalf("write: %v", err)
	}
	return b.Bytes()
}

func readWire(raw []byte) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// check does all that a server does, with the secret of testCreds.
func check(r *http.Request, body []byte, e *sigv4.Expect, now time.Time) (sigv4.Claim, error) {
	c, err := sigv4.Parse(r)
	if err != nil {
		return c, err
	}
	if err := c.CheckScope(e, now); err != nil {
		return c, err
	}
	key := sigv4.DeriveKey(testSecret, c.Scope)
	return c, c.Verify(r, body, &key, e)
}

func newRequest(t testing.TB, method, url string, header ...string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func wantError(t testing.TB, err error, kind sigv4.Kind, message string) {
	t.Helper()
	var e *sigv4.Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want %v: %s", err, kind, message)
	}
	if e.Kind != kind || e.Message != message {
		t.Fatalf("got  %v: %q\nwant %v: %q", e.Kind, e.Message, kind, message)
	}
}
