package sigv4_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// generated is a request before it is signed.
type generated struct {
	method, url string
	header      http.Header
	body        []byte
	creds       sigv4.Credentials
	s3, presign bool
	unsigned    bool // S3: UNSIGNED-PAYLOAD
}

var words = []string{"a", "B7", "z-._~", "user name", "é", "日本", "🔑", "a+b", "50%", "a/b", "x=y", "p&q", "s;t", "'q'", "\"d\"", "<h>", "!*()", ":@$,",
	"%41", "\\", "|", "^", "`", "{}", "[]", "#", "?", "..x", "\x7f", "\u00a0"}

func pick(rnd *rand.Rand, list []string) string { return list[rnd.IntN(len(list))] }

func generate(rnd *rand.Rand) generated {
	g := generated{
		method:  pick(rnd, []string{"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH"}),
		header:  http.Header{},
		creds:   testCreds,
		s3:      rnd.IntN(3) == 0,
		presign: rnd.IntN(3) == 0,
	}
	g.unsigned = g.s3 && rnd.IntN(2) == 0
	var path strings.Builder
	for range rnd.IntN(5) {
		path.WriteByte('/')
		word := pick(rnd, words) + pick(rnd, words)
		if rnd.IntN(3) == 0 && g.s3 {
			word = pick(rnd, []string{"", ".", ".."}) // only S3 takes these as they are; see TestPathNormalisation
		}
		// The SDK signs the path of S3 as it is written, so that it has to be written in the canonical way.
		path.WriteString(strings.ReplaceAll(url.QueryEscape(word), "+", "%20"))
	}
	if path.Len() == 0 || rnd.IntN(4) == 0 {
		path.WriteByte('/')
	}
	p := path.String()
	if !g.s3 {
		p = strings.NewReplacer("%21", "!", "%24", "$", "%C3%A9", "%c3%a9", "//", "/").Replace(p)
	}
	var pairs []string
	for range rnd.IntN(6) {
		name := pick(rnd, []string{"Action", "Tags.member.1.Key", "b", "B", "a b", "é", "x-amz", "="})
		value := pick(rnd, append(words, "", "", "1"))
		escape := url.QueryEscape
		if rnd.IntN(2) == 0 {
			escape = func(s string) string {
				return strings.ToLower(url.PathEscape(strings.NewReplacer(";", "", "+", "", "&", "").Replace(s)))
			}
		}
		pair := escape(name) + "=" + escape(value)
		if name == "=" {
			pair = "flag" // neither sign nor value
		}
		pairs = append(pairs, pair)
		if rnd.IntN(6) == 0 {
			pairs = append(pairs, pair) // repeated
		}
	}
	g.url = "https://" + pick(rnd, []string{"iam.amazonaws.com", "localhost:8080", "[::1]:8443", "bucket.s3.example.org"}) + p
	if len(pairs) > 0 {
		g.url += "?" + strings.Join(pairs, "&")
	}
	for range rnd.IntN(4) {
		name := pick(rnd, []string{"Content-Type", "X-Amz-Target", "X-Custom", "X-Amz-Meta-Name", "Accept", "X-K8s-Aws-Id", "Content-Md5"})
		value := pick(rnd, []string{"", "v", "two  spaces", "a   b    c", " edge ", "application/json; charset=utf-8", `"quoted   text"`, "é", "a,b", "tab\tx"})
		g.header.Add(name, value)
		if rnd.IntN(4) == 0 {
			g.header.Add(name, "second  "+value)
		}
	}
	if g.method != "GET" && g.method != "HEAD" && rnd.IntN(4) > 0 {
		g.body = make([]byte, rnd.IntN(300))
		for i := range g.body {
			g.body[i] = byte(rnd.Uint32())
		}
	}
	if rnd.IntN(2) == 0 {
		g.creds.SessionToken = "IQoJb3JpZ2luX2Vj" + strings.Repeat("A/+=", rnd.IntN(50))
	}
	return g
}

func (g *generated) request(t testing.TB) *http.Request {
	r, err := http.NewRequest(g.method, g.url, nil)
	if err != nil {
		t.Fatalf("%q: %v", g.url, err)
	}
	r.Header = g.header.Clone()
	return r
}

func (g *generated) payloadHash() string {
	if g.unsigned {
		return "UNSIGNED-PAYLOAD"
	}
	sum := sha256.Sum256(g.body)
	return hex.EncodeToString(sum[:])
}

func (g *generated) service() string {
	if g.s3 {
		return "s3"
	}
	return "iam"
}

func (g *generated) expect() *sigv4.Expect {
	if g.s3 {
		return s3
	}
	return iam
}

func (g *generated) sdkCreds() aws.Credentials {
	return aws.Credentials{AccessKeyID: g.creds.AccessKeyID, SecretAccessKey: g.creds.SecretAccessKey, SessionToken: g.creds.SessionToken}
}

// accept checks a signed request as a server would, and that the claim is what was signed.
func (g *generated) accept(t *testing.T, r *http.Request) {
	t.Helper()
	got := overWire(t, r, g.body)
	c, err := check(got, g.body, g.expect(), testTime.Add(time.Minute))
	if err != nil {
		canonical, _ := reference(got, g.body, g.s3, g.service())
		t.Fatalf("%v\nrequest %s %s\nheader %q\nreference canonical request:\n%s", err, got.Method, got.RequestURI, got.Header, canonical)
	}
	if c.AccessKeyID != g.creds.AccessKeyID || c.SessionToken != g.creds.SessionToken || c.Presigned != g.presign || !c.Time.Equal(testTime) {
		t.Fatalf("claim %+v of a request signed with %+v", c, g.creds)
	}
	if _, err := check(got, append(bytes.Clone(g.body), 'x'), g.expect(), testTime); err == nil && !g.unsigned {
		t.Fatalf("accepted another body: %s %s", got.Method, got.RequestURI)
	}
}

const sdkRequests = 5000

// TestVerifySDK verifies what the signer of the AWS SDK signs.
func TestVerifySDK(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	signer := v4.NewSigner()
	for range sdkRequests {
		g := generate(rnd)
		r := g.request(t)
		r.ContentLength = int64(len(g.body))
		option := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = g.s3 }
		if g.s3 {
			r.Header.Set("X-Amz-Content-Sha256", g.payloadHash())
		}
		if !g.presign {
			if err := signer.SignHTTP(context.Background(), g.sdkCreds(), r, g.payloadHash(), g.service(), "us-east-1", testTime, option); err != nil {
				t.Fatal(err)
			}
			g.accept(t, r)
			continue
		}
		q := r.URL.Query()
		q.Set("X-Amz-Expires", "900")
		r.URL.RawQuery = q.Encode()
		uri, header, err := signer.PresignHTTP(context.Background(), g.sdkCreds(), r, g.payloadHash(), g.service(), "us-east-1", testTime, option)
		if err != nil {
			t.Fatal(err)
		}
		presigned, err := http.NewRequest(g.method, uri, nil)
		if err != nil {
			t.Fatal(err)
		}
		presigned.Header = header
		presigned.Host = header.Get("Host")
		header.Del("Host")
		header.Del("Content-Length")
		g.accept(t, presigned)
	}
}

// TestSignLikeSDK signs the same requests with this package and with the SDK and compares the results, then verifies ours.
func TestSignLikeSDK(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(3, 4))
	signer := v4.NewSigner()
	for range sdkRequests {
		g := generate(rnd)
		ours, theirs := g.request(t), g.request(t)
		s := &sigv4.Signer{Credentials: g.creds, Region: "us-east-1", Service: g.service(), S3: g.s3, UnsignedPayload: g.unsigned}
		option := func(o *v4.SignerOptions) {
			o.DisableURIPathEscaping = g.s3
			o.DisableHeaderHoisting = true
		}
		if !g.presign {
			if g.s3 {
				theirs.Header.Set("X-Amz-Content-Sha256", g.payloadHash())
			}
			if err := s.Sign(ours, g.body, testTime); err != nil {
				t.Fatal(err)
			}
			if err := signer.SignHTTP(context.Background(), g.sdkCreds(), theirs, g.payloadHash(), g.service(), "us-east-1", testTime, option); err != nil {
				t.Fatal(err)
			}
			if a, b := ours.Header, theirs.Header; !maps.EqualFunc(a, b, slices.Equal) {
				t.Fatalf("%s\nours   %q\ntheirs %q", g.url, a, b)
			}
			g.accept(t, ours)
			continue
		}
		q := theirs.URL.Query()
		q.Set("X-Amz-Expires", "900")
		if g.s3 {
			q.Set("X-Amz-Content-Sha256", g.payloadHash())
		}
		theirs.URL.RawQuery = q.Encode()
		if err := s.Presign(ours, g.body, testTime, 15*time.Minute); err != nil {
			t.Fatal(err)
		}
		uri, _, err := signer.PresignHTTP(context.Background(), g.sdkCreds(), theirs, g.payloadHash(), g.service(), "us-east-1", testTime, option)
		if err != nil {
			t.Fatal(err)
		}
		if ours.URL.String() != uri {
			t.Fatalf("ours   %s\ntheirs %s", ours.URL, uri)
		}
		g.accept(t, ours)
	}
}

// TestPathNormalisation has the cases in which the SDK's signer differs from docs/spec/wire.md 2: it does not normalise.
func TestPathNormalisation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b string }{
		{"/a/b", "/a//b"}, {"/a/b", "/a/./b"}, {"/a/b", "/x/../a/b"}, {"/", "/.."}, {"/a/", "//a//"}, {"/a", "/a/."}, {"/a", "/a/b/.."}, {"/", "/a/../"},
	} {
		sign := func(path string) string {
			r := newRequest(t, "GET", "https://h"+path)
			if err := sigv4.Sign(r, nil, testCreds, "us-east-1", "iam", testTime); err != nil {
				t.Fatal(err)
			}
			if _, err := check(overWire(t, r, nil), nil, iam, testTime); err != nil {
				t.Errorf("%s: %v", path, err)
			}
			return r.Header.Get("Authorization")
		}
		if sign(c.a) != sign(c.b) {
			t.Errorf("%s and %s have different signatures", c.a, c.b)
		}
		if sign(c.a) == sign(c.b+"c") {
			t.Errorf("%s and %s have the same signature", c.a, c.b+"c")
		}
	}
}
