package sigv4_test

import (
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

func TestDeriveKeyPublished(t *testing.T) {
	t.Parallel()
	key := sigv4.DeriveKey(testSecret, sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"})
	if got, want := hex.EncodeToString(key[:]), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"; got != want {
		t.Fatalf("key %s, want %s", got, want)
	}
}

// The signatures are those AWS publishes: the IAM user guide, the SigV4 test suite (service "service"), and the S3 API reference.
func TestPublishedSignatures(t *testing.T) {
	t.Parallel()
	const form = "application/x-www-form-urlencoded"
	cases := []struct {
		name, method, url, body string
		header                  []string
		service, signed         string
		signature               string
	}{
		{"IAM ListUsers", "GET", "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", "",
			[]string{"Content-Type", form + "; charset=utf-8"}, "iam", "content-type;host;x-amz-date",
			"5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"},
		{"get-vanilla", "GET", "https://example.amazonaws.com/", "", nil, "service", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post-vanilla", "POST", "https://example.amazonaws.com/", "", nil, "service", "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"get-vanilla-query-order-key-case", "GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1", "", nil, "service",
			"host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-unreserved", "GET", "https://example.amazonaws.com/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", nil,
			"service", "host;x-amz-date", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{"get-relative", "GET", "https://example.amazonaws.com/example/..", "", nil, "service", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slash-dot-slash", "GET", "https://example.amazonaws.com/./", "", nil, "service", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-slashes", "GET", "https://example.amazonaws.com//example//", "", nil, "service", "host;x-amz-date",
			"9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
		{"get-header-value-trim", "GET", "https://example.amazonaws.com/", "",
			[]string{"My-Header1", " value1", "My-Header2", ` "a   b   c"`}, "service", "host;my-header1;my-header2;x-amz-date",
			"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{"get-header-key-duplicate", "GET", "https://example.amazonaws.com/", "",
			[]string{"My-Header1", "value2", "My-Header1", "value2", "My-Header1", "value1"}, "service", "host;my-header1;x-amz-date",
			"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		{"post-x-www-form-urlencoded", "POST", "https://example.amazonaws.com/", "Param1=value1",
			[]string{"Content-Type", form}, "service", "content-type;host;x-amz-date",
			"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRequest(t, c.method, c.url, c.header...)
			if err := sigv4.Sign(r, []byte(c.body), testCreds, "us-east-1", c.service, testTime); err != nil {
				t.Fatal(err)
			}
			want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" + c.service + "/aws4_request, SignedHeaders=" + c.signed +
				", Signature=" + c.signature
			if got := r.Header.Get("Authorization"); got != want {
				t.Fatalf("got  %s\nwant %s", got, want)
			}
			claim, err := check(overWire(t, r, []byte(c.body)), []byte(c.body),
				&sigv4.Expect{Service: c.service, Regions: []string{"us-east-1"}}, testTime)
			if err != nil {
				t.Fatal(err)
			}
			if claim.AccessKeyID != testID || !claim.Time.Equal(testTime) || claim.Presigned || claim.SignedHeaders != c.signed {
				t.Errorf("claim %+v", claim)
			}
		})
	}
}

func TestPublishedS3(t *testing.T) {
	t.Parallel()
	creds := sigv4.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	at := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	key := sigv4.DeriveKey(creds.SecretAccessKey, sigv4.Scope{Date: "20130524", Region: "us-east-1", Service: "s3"})
	verify := func(t *testing.T, r *http.Request, now time.Time) {
		t.Helper()
		r = overWire(t, r, nil)
		c, err := sigv4.Parse(r)
		if err == nil {
			err = c.CheckScope(s3, now)
		}
		if err == nil {
			err = c.Verify(r, nil, &key, s3)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("GET object", func(t *testing.T) {
		r := newRequest(t, "GET", "https://examplebucket.s3.amazonaws.com/test.txt", "Range", "bytes=0-9")
		if err := sigv4.Sign(r, nil, creds, "us-east-1", "s3", at); err != nil {
			t.Fatal(err)
		}
		const want = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
		if got := r.Header.Get("Authorization"); !strings.HasSuffix(got, "Signature="+want) {
			t.Fatalf("got %s\nwant signature %s", got, want)
		}
		verify(t, r, at)
	})
	t.Run("presigned GET", func(t *testing.T) {
		verify(t, newRequest(t, "GET", "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"+
			"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z"+
			"&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"+
			"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"), at.Add(24*time.Hour))
	})
}
