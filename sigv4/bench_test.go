package sigv4_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"hash"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// The bodies are of a call with one parameter, and of calls with a short, a usual and a long policy.
var benchBodies = []struct {
	name string
	body []byte
}{
	{"100B", append([]byte("Action=GetUser&Version=2010-05-08&UserName="), bytes.Repeat([]byte("u"), 57)...)},
	{"500B", policyBody(500)},
	{"2000B", policyBody(2000)},
	{"8000B", policyBody(8000)},
}

func policyBody(size int) []byte {
	b := []byte("Action=PutUserPolicy&Version=2010-05-08&PolicyDocument=")
	return append(b, bytes.Repeat([]byte("%7B"), size/3)...)[:size]
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
	if key := cache.Prepared(c.AccessKeyID, c.Scope, a); key != nil {
		return c.VerifyPrepared(r, body, key, iam)
	}
	key := sigv4.DeriveKey(a.secret, c.Scope)
	if err := c.Verify(r, body, &key, iam); err != nil {
		return err
	}
	cache.Put(c.AccessKeyID, c.Scope, a, key)
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

// BenchmarkVerifyAgainstFloor compares a whole verification with the hashing alone of the same bytes, which no verification can do
// without. Machines are noisy: both are run in turns, in short batches, and the fastest batch of each counts.
// Let it run for some seconds.
func BenchmarkVerifyAgainstFloor(b *testing.B) {
	for _, c := range benchBodies {
		b.Run(c.name, func(b *testing.B) {
			const batch = 50
			r := benchRequest(b, c.body)
			cache := sigv4.NewKeyCache[*account](1000)
			a := &account{testSecret}
			hashing := newFloor(b, r, c.body)
			verification, floor := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
			for b.Loop() {
				start := time.Now()
				for range batch {
					if err := verifyCached(r, c.body, cache, a); err != nil {
						b.Fatal(err)
					}
				}
				between := time.Now()
				for range batch {
					if !hashing.run() {
						b.Fatal("the floor hashes other bytes than the verification")
					}
				}
				verification, floor = min(verification, between.Sub(start)), min(floor, time.Since(between))
			}
			b.ReportMetric(0, "ns/op") // of a pair of batches, which says nothing
			b.ReportMetric(float64(verification.Nanoseconds())/batch, "verify-ns")
			b.ReportMetric(float64(floor.Nanoseconds())/batch, "floor-ns")
			b.ReportMetric(float64(verification)/float64(floor), "ratio")
		})
	}
}

// floor is the hashing of one request: its body, its canonical request, and the HMAC of its string to sign with a prepared key.
type floor struct {
	body, canonical, toSign, want []byte
	hash, mac                     hash.Hash
	sum                           [sha256.Size]byte
}

func newFloor(t testing.TB, r *http.Request, body []byte) *floor {
	canonical, toSign := reference(r, body, false, "iam")
	key := sigv4.DeriveKey(testSecret, sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"})
	auth := r.Header.Get("Authorization")
	want, err := hex.DecodeString(auth[len(auth)-64:])
	if err != nil {
		t.Fatal(err)
	}
	return &floor{body: body, canonical: []byte(canonical), toSign: []byte(toSign), want: want,
		hash: sha256.New(), mac: hmac.New(sha256.New, key[:])}
}

// run reports whether the hashing gives the signature of the request.
func (f *floor) run() bool {
	f.hash.Reset()
	f.hash.Write(f.body)
	f.hash.Sum(f.sum[:0])
	f.hash.Reset()
	f.hash.Write(f.canonical)
	f.hash.Sum(f.sum[:0])
	f.mac.Reset()
	f.mac.Write(f.toSign)
	return subtle.ConstantTimeCompare(f.mac.Sum(f.sum[:0]), f.want) == 1
}

func BenchmarkDeriveKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		sigv4.DeriveKey(testSecret, sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"})
	}
}

func BenchmarkKeyCacheHit(b *testing.B) {
	c := sigv4.NewKeyCache[*account](1000)
	a := &account{}
	s := sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"}
	c.Put("AKIAIOSFODNN7EXAMPLE", s, a, sigv4.Key{})
	for b.Loop() {
		if c.Prepared("AKIAIOSFODNN7EXAMPLE", s, a) == nil {
			b.Fatal("miss")
		}
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
