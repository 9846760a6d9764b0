package sigv4_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/sigv4"
)

func TestPreparedKey(t *testing.T) {
	t.Parallel()
	body := []byte("Action=ListUsers")
	for _, secret := range []string{testSecret, "other", strings.Repeat("long", 40)} {
		r := benchRequest(t, body)
		c, err := sigv4.Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		key := sigv4.DeriveKey(secret, c.Scope)
		prepared := key.Prepare()
		if err := c.VerifyPrepared(r, body, prepared, iam); !errors.Is(err, sigv4.ErrUnchecked) {
			t.Errorf("before CheckScope: %v", err)
		}
		if err := c.CheckScope(iam, testTime); err != nil {
			t.Fatal(err)
		}
		key = sigv4.Key{} // prepared must not need it
		for range 2 {
			err = c.VerifyPrepared(r, body, prepared, iam)
			if secret != testSecret {
				wantError(t, err, sigv4.SignatureDoesNotMatch, mismatch)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			wantError(t, c.VerifyPrepared(r, append(body, 'x'), prepared, iam), sigv4.SignatureDoesNotMatch, mismatch)
		}
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
			if got := fmt.Sprintf(format, prepared); got != "sigv4.PreparedKey(hidden)" && format != "%x" ||
				got != fmt.Sprintf("%x", "sigv4.PreparedKey(hidden)") && format == "%x" {
				t.Errorf("%s shows %q", format, got)
			}
		}
	}
}

func TestPreparedFromCache(t *testing.T) {
	t.Parallel()
	c := sigv4.NewKeyCache[int](10)
	s := sigv4.Scope{Date: "20150830", Region: "us-east-1", Service: "iam"}
	c.Put("AKID", s, 1, sigv4.DeriveKey(testSecret, s))
	if c.Prepared("AKID", s, 1) == nil {
		t.Error("nothing for what was put")
	}
	if c.Prepared("AKID", s, 2) != nil || c.Prepared("AKID", s, 1) != nil {
		t.Error("a key for another secret, or still there after that")
	}
}

// TestCacheSpellings has scopes that differ in one place only, wherever it is.
func TestCacheSpellings(t *testing.T) {
	t.Parallel()
	c := sigv4.NewKeyCache[int](100_000)
	var scopes []sigv4.Scope
	for n := range 40 {
		for i := range n {
			text := strings.Repeat("a", i) + "b" + strings.Repeat("a", n-i-1)
			scopes = append(scopes, sigv4.Scope{Date: text}, sigv4.Scope{Region: text}, sigv4.Scope{Service: text})
		}
	}
	for i, s := range scopes {
		c.Put("AKID", s, 0, sigv4.Key{byte(i), byte(i >> 8)})
	}
	hits := 0
	for i, s := range scopes {
		if k, ok := c.Get("AKID", s, 0); ok {
			hits++
			if k != (sigv4.Key{byte(i), byte(i >> 8)}) {
				t.Errorf("%q: the key of another scope", s)
			}
		}
	}
	if hits < len(scopes)/10 {
		t.Errorf("%d of %d found", hits, len(scopes))
	}
}

// TestUnsignedAmz compares which requests are refused for an unsigned header with the plain rule, for lists that are seen for the first
// time and for remembered ones.
func TestUnsignedAmz(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(7, 8))
	usual := []string{"User-Agent", "Accept-Encoding", "Content-Length", "Content-Type", "Via", "Accept", "X-Forwarded-For", "X-Amzn-Trace-Id"}
	amz := []string{"X-Amz-Target", "X-Amz-Meta-A", "X-Amz-Content-Sha256", "X-Amz-", "x-amz-odd", "X-AMZ-DATE", "x-amz-content-sha256"}
	counts := map[bool]int{}
	for range 4000 {
		r := newRequest(t, "POST", "https://h/", "X-Amz-Date", "20150830T123600Z")
		list := []string{"host", "x-amz-date"}
		unsigned := []string{}
		for i, name := range slices.Concat(usual, amz) {
			if rnd.IntN(3) > 0 && i < len(usual) || rnd.IntN(8) > 0 && i >= len(usual) {
				continue
			}
			r.Header[name] = []string{"1"}
			lower := strings.ToLower(name)
			canonical := http.CanonicalHeaderKey(name) == name
			if canonical && rnd.IntN(2) == 0 {
				list = append(list, lower)
			} else if strings.HasPrefix(lower, "x-amz-") && name != "X-Amz-Content-Sha256" {
				unsigned = append(unsigned, lower)
			}
		}
		if slices.Contains(list, "content-length") {
			r.ContentLength = 1
		}
		slices.Sort(list)
		resign(r, nil, "iam", strings.Join(list, ";"))
		for _, known := range []bool{false, true} {
			_, err := check(r, nil, iam, testTime)
			if len(unsigned) == 0 {
				if err != nil {
					t.Fatalf("known %v: %v, header %q", known, err, r.Header)
				}
			} else if e, ok := errors.AsType[*sigv4.Error](err); !ok || e.Kind != sigv4.HeadersNotSigned ||
				!slices.Equal(slices.Sorted(slices.Values(e.Headers)), slices.Sorted(slices.Values(unsigned))) {
				t.Fatalf("known %v: %v, header %q, want %q unsigned", known, err, slices.Sorted(maps.Keys(r.Header)), unsigned)
			}
			counts[len(unsigned) == 0]++
		}
	}
	if counts[true] < 100 || counts[false] < 100 {
		t.Errorf("one-sided: %v", counts)
	}
}

// TestManyHeaderLists uses more lists than are remembered, from many goroutines.
func TestManyHeaderLists(t *testing.T) {
	t.Parallel()
	done := make(chan error)
	for g := range 4 {
		go func() {
			for i := range 600 {
				name := fmt.Sprint("x-list-", (i*7+g)%400)
				r := newRequest(t, "GET", "https://h/", "X-Amz-Date", "20150830T123600Z", name, "v")
				resign(r, nil, "iam", "host;x-amz-date;"+name)
				if _, err := check(r, nil, iam, testTime); err != nil {
					done <- fmt.Errorf("%s: %w", name, err)
					return
				}
				r.Header.Set(name, "w")
				if _, err := check(r, nil, iam, testTime); err == nil {
					done <- fmt.Errorf("%s: accepted with another value", name)
					return
				}
			}
			done <- nil
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestUsualAuthorization changes the Authorization header of a client in every place. It is read in one way when it looks exactly like
// that and in a more general one otherwise; a space at its end, which means nothing, forces the second.
func TestUsualAuthorization(t *testing.T) {
	t.Parallel()
	r := benchRequest(t, nil)
	usual := r.Header.Get("Authorization")
	read := 0
	same := func(a string) {
		parse := func(a string) (string, bool) {
			r.Header["Authorization"] = []string{a}
			c, err := sigv4.Parse(r)
			if err != nil {
				return fmt.Sprint(err), false
			}
			return fmt.Sprintf("%+v", c), true
		}
		one, ok1 := parse(a)
		two, ok2 := parse(a + " ")
		if ok1 != ok2 || ok1 && one != two {
			t.Errorf("%q is read as\n%s\nand with a space at the end as\n%s", a, one, two)
		}
		if ok1 {
			read++
		}
	}
	same(usual)
	for i := range len(usual) + 1 {
		for _, put := range []string{" ", ",", "=", ";", "/", "x", ", Signature=", ", SignedHeaders=", " Credential="} {
			same(usual[:i] + put + usual[i:])
			if i < len(usual) {
				same(usual[:i] + put + usual[i+1:])
			}
		}
		same(usual[:i])
		same(usual[i:])
		if i < len(usual) {
			same(usual[:i] + usual[i+1:])
		}
	}
	if read < 1000 {
		t.Errorf("only %d were read", read)
	}
}
