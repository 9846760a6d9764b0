package sigv4_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

// resign signs exactly the headers of list with the reference writing of the rules.
func resign(r *http.Request, body []byte, service, list string) {
	scope := sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: service}
	head := "AWS4-HMAC-SHA256 Credential=" + testID + "/20150830/us-east-1/" + service + "/aws4_request, SignedHeaders=" + list + ", Signature="
	r.Header.Set("Authorization", head)
	canonical := referenceWith(r, body, list)
	sum := sha256.Sum256([]byte(canonical))
	key := sigv4.DeriveKey(testSecret, scope)
	mac := hmac.New(sha256.New, key[:])
	fmt.Fprintf(mac, "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/%s/aws4_request\n%x", service, sum)
	r.Header.Set("Authorization", head+hex.EncodeToString(mac.Sum(nil)))
}

// referenceWith is reference for a list with names that are not in the header map.
func referenceWith(r *http.Request, body []byte, list string) string {
	r = r.Clone(r.Context())
	for name := range strings.SplitSeq(list, ";") {
		if name == ":authority" {
			r.Header[":authority"] = []string{r.Host}
		}
		if name == "transfer-encoding" {
			r.Header.Set(name, strings.Join(r.TransferEncoding, ","))
		}
	}
	canonical, _ := reference(r, body, false, "")
	return canonical
}

// meaning is what a service can read from a verified request.
func meaning(r *http.Request, body []byte) string {
	query := r.URL.Query()
	auth := r.Header.Get("Authorization")
	_, list, _ := strings.Cut(auth, "SignedHeaders=")
	if i := strings.IndexAny(list, ", "); i >= 0 {
		list = list[:i]
	}
	if auth == "" {
		list = query.Get("X-Amz-SignedHeaders")
	}
	p := path.Clean("/" + r.URL.EscapedPath())
	if strings.HasSuffix(r.URL.EscapedPath(), "/") && p != "/" {
		p += "/"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s host %s body %q\n", r.Method, p, r.Host, body)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		slices.Sort(query[name])
		fmt.Fprintf(&b, "%q=%q\n", name, query[name])
	}
	for name := range strings.SplitSeq(list, ";") {
		var values []string
		for _, v := range r.Header.Values(name) {
			values = append(values, strings.Trim(runs.ReplaceAllString(v, " "), " \t"))
		}
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(values, ","))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if strings.HasPrefix(name, "X-Amz-") && name != "X-Amz-Content-Sha256" {
			fmt.Fprintf(&b, "%s %q\n", name, runs.ReplaceAllString(strings.Join(r.Header[name], ","), " "))
		}
	}
	return b.String()
}

func mutationSubjects(t testing.TB) map[string][]byte {
	creds := testCreds
	creds.SessionToken = "IQoJb3JpZ2luX2Vj/+token=="
	body := []byte("Action=PutUserPolicy&Version=2010-05-08&UserName=a")
	post := newRequest(t, "POST", "https://iam.amazonaws.com/some/path%2Fx/?b=2&a=1&a=%20x", "Content-Type", "application/x-www-form-urlencoded",
		"X-Amz-Target", "a  b", "X-Multi", "1", "X-Multi", "2")
	if err := sigv4.Sign(post, body, creds, "us-east-1", "iam", testTime); err != nil {
		t.Fatal(err)
	}
	get := newRequest(t, "GET", "https://iam.amazonaws.com/p/?Action=GetUser&Tag=&Tag=%C3%A9", "X-K8s-Aws-Id", "cluster")
	if err := sigv4.Presign(get, nil, creds, "us-east-1", "iam", testTime, time.Minute); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"header form": wireBytes(t, post, body), "query form": wireBytes(t, get, nil)}
}

// TestMutations changes the bytes on the wire. A changed request may be accepted only when it means the same as the signed one, as
// a percent escape in other letters does.
func TestMutations(t *testing.T) {
	t.Parallel()
	for name, raw := range mutationSubjects(t) {
		r, body, err := readWire(raw)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := check(r, body, iam, testTime); err != nil {
			t.Fatalf("%s: the request itself: %v", name, err)
		}
		signed := meaning(r, body)
		read, refused, same := 0, 0, 0
		try := func(mutated []byte) {
			r, body, err := readWire(mutated)
			if err != nil {
				return
			}
			read++
			if _, err := check(r, body, iam, testTime); err != nil {
				refused++
				return
			}
			same++
			if got := meaning(r, body); got != signed {
				t.Errorf("%s: accepted a changed request\n%q\nsigned:\n%s\nmeans now:\n%s", name, mutated, signed, got)
			}
		}
		rnd := rand.New(rand.NewPCG(5, 6))
		for i := range raw {
			for bit := range 8 { // every bit
				m := bytes.Clone(raw)
				m[i] ^= 1 << bit
				try(m)
			}
			try(slices.Delete(bytes.Clone(raw), i, i+1))              // every byte left out
			try(slices.Insert(bytes.Clone(raw), i, raw[i]))           // every byte doubled
			try(slices.Insert(bytes.Clone(raw), i, byte(rnd.Uint()))) // a byte put in everywhere
		}
		lines := bytes.Split(raw, []byte("\r\n"))
		for i := range lines { // every line left out, and doubled
			try(bytes.Join(slices.Delete(slices.Clone(lines), i, i+1), []byte("\r\n")))
			try(bytes.Join(slices.Insert(slices.Clone(lines), i, lines[i]), []byte("\r\n")))
		}
		t.Logf("%s: %d mutations read as HTTP, %d refused, %d accepted with the same meaning", name, read, refused, same)
		if refused < read/2 || refused < 1000 {
			t.Errorf("%s: only %d of %d refused; the mutations do not reach what is signed", name, refused, read)
		}
	}
}

// TestChangesRefused has one change for everything that a signature covers.
func TestChangesRefused(t *testing.T) {
	t.Parallel()
	edits := map[string]func(r *http.Request){
		"method":            func(r *http.Request) { r.Method = "PUT" },
		"host":              func(r *http.Request) { r.Host = "sts.amazonaws.com" },
		"path":              func(r *http.Request) { r.URL.Path, r.URL.RawPath = r.URL.Path+"x", "" },
		"escaped slash":     func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/some/path/x/", "" },
		"query added":       func(r *http.Request) { r.URL.RawQuery += "&z=1" },
		"query removed":     func(r *http.Request) { r.URL.RawQuery = strings.Replace(r.URL.RawQuery, "b=2&", "", 1) },
		"query repeated":    func(r *http.Request) { r.URL.RawQuery += "&a=1" },
		"token removed":     func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") },
		"token changed":     func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") },
		"signed changed":    func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"signed order":      func(r *http.Request) { r.Header["X-Multi"] = []string{"2", "1"} },
		"signed added":      func(r *http.Request) { r.Header.Add("X-Multi", "3") },
		"amz added":         func(r *http.Request) { r.Header.Set("X-Amz-Other", "1") },
		"amz, odd spelling": func(r *http.Request) { r.Header["x-amz-other"] = []string{"1"} },
		"amz date, again":   func(r *http.Request) { r.Header["x-amz-date"] = []string{"20150830T123600Z"} },
		"date":              func(r *http.Request) { r.Header.Set("X-Amz-Date", "20150830T123601Z") },
		"key id": func(r *http.Request) { // another key, so another secret
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Signature=", "Signature=0", 1))
		},
		"line feed": func(r *http.Request) { r.Header.Set("X-Multi", "1,2\nx-other:3") },
		"opaque":    func(r *http.Request) { r.URL.Opaque = "x" },
	}
	for name, edit := range edits {
		r, body, err := readWire(mutationSubjects(t)["header form"])
		if err != nil {
			t.Fatal(err)
		}
		edit(r)
		if _, err := check(r, body, iam, testTime); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	// Another secret, and the right secret in another scope.
	r, body, _ := readWire(mutationSubjects(t)["header form"])
	c, err := sigv4.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckScope(iam, testTime); err != nil {
		t.Fatal(err)
	}
	for _, key := range []sigv4.Key{sigv4.DeriveKey("other", c.Scope),
		sigv4.DeriveKey(testSecret, sigv4.Scope{Date: "20150831", Region: "us-east-1", Service: "iam"}), {}} {
		wantError(t, c.Verify(r, body, &key, iam), sigv4.SignatureDoesNotMatch, mismatch)
	}
	key := sigv4.DeriveKey(testSecret, c.Scope)
	sum := sha256.Sum256(body)
	if err := c.VerifyHash(r, &sum, &key, iam); err != nil {
		t.Errorf("VerifyHash: %v", err)
	}
}
