package sigv4_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"testing"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// The bodies are those of a call without parameters and of one with a policy.
var benchBodies = []struct {
	name string
	body []byte
}{
	{"100B", append([]byte("Action=GetUser&Version=2010-05-08&UserName="), bytes.Repeat([]byte("u"), 57)...)},
	{"2000B", append([]byte("Action=PutUserPolicy&Version=2010-05-08&PolicyDocument="), bytes.Repeat([]byte("%7B"), 648)...)},
}

// benchRequest is what an AWS SDK sends.
func benchRequest(t testing.TB, body []byte) *http.Request {
	r := newRequest(t, "POST", "https://iam.amazonaws.com/", "Content-Type", "application/x-www-form-urlencoded; charset=utf-8",
		"Amz-Sdk-Invocation-Id", "5d3f7a5f-3c02-4c3c-b4fb-0a1b6d5b2f0e", "Amz-Sdk-Request", "attempt=1; max=3")
	if err := sigv4.Sign(r, body, testCreds, "us-east-1", "iam", testTime); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("User-Agent", "aws-sdk-go-v2/1.47.7 ua/2.1 os/linux lang/go#1.26 md/GOOS#linux md/GOARCH#amd64 api/iam#1.64.8")
	r.Header.Set("Accept-Encoding", "gzip")
	return overWire(t, r, body)
}

type account struct{ secret string }

func verifyCached(r *http.Request, body []byte, cache *sigv4.KeyCache[*account], a *account) error {
	c, err := sigv4.Parse(r)
	if err != nil {
		return err
	}
	if err := c.CheckScope(iam, testTime); err != nil {
		return err
	}
	key, ok := cache.Get(c.AccessKeyID, c.Scope, a)
	if !ok {
		key = sigv4.DeriveKey(a.secret, c.Scope)
	}
	if err := c.Verify(r, body, &key, iam); err != nil {
		return err
	}
	if !ok {
		cache.Put(c.AccessKeyID, c.Scope, a, key)
	}
	return nil
}

func BenchmarkVerify(b *testing.B) {
	for _, c := range benchBodies {
		b.Run(c.name, func(b *testing.B) {
			r := benchRequest(b, c.body)
			cache := sigv4.NewKeyCache[*account](1000)
			a := &account{testSecret}
			b.ReportAllocs()
			for b.Loop() {
				if err := verifyCached(r, c.body, cache, a); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("presigned", func(b *testing.B) {
		r := newRequest(b, "GET", "https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15")
		if err := sigv4.Presign(r, nil, testCreds, "us-east-1", "iam", testTime, 60e9); err != nil {
			b.Fatal(err)
		}
		r = overWire(b, r, nil)
		cache := sigv4.NewKeyCache[*account](1000)
		a := &account{testSecret}
		b.ReportAllocs()
		for b.Loop() {
			if err := verifyCached(r, nil, cache, a); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkFloor is the hashing alone of the same bytes: what a verification cannot do without.
func BenchmarkFloor(b *testing.B) {
	for _, c := range benchBodies {
		b.Run(c.name, func(b *testing.B) {
			r := benchRequest(b, c.body)
			canonical, toSign := reference(r, c.body, false, "iam")
			scope := sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"}
			key := sigv4.DeriveKey(testSecret, scope)
			mac := hmac.New(sha256.New, key[:])
			h := sha256.New()
			msg, request := []byte(toSign), []byte(canonical)
			auth := r.Header.Get("Authorization")
			want, _ := hex.DecodeString(auth[len(auth)-64:])
			var sum [32]byte
			b.ReportAllocs()
			for b.Loop() {
				h.Reset()
				h.Write(c.body)
				h.Sum(sum[:0])
				h.Reset()
				h.Write(request)
				h.Sum(sum[:0])
				mac.Reset()
				mac.Write(msg)
				if subtle.ConstantTimeCompare(mac.Sum(sum[:0]), want) != 1 {
					b.Fatal("the floor hashes other bytes than the verification")
				}
			}
		})
	}
}

func TestVerifyAllocations(t *testing.T) {
	for _, c := range benchBodies {
		r := benchRequest(t, c.body)
		cache := sigv4.NewKeyCache[*account](1000)
		a := &account{testSecret}
		n := testing.AllocsPerRun(500, func() {
			if err := verifyCached(r, c.body, cache, a); err != nil {
				t.Fatal(err)
			}
		})
		if n > 1 {
			t.Errorf("%s: %v allocations per verification, want at most 1", c.name, n)
		}
	}
}
