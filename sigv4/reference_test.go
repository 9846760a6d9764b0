package sigv4_test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var runs = regexp.MustCompile(` +`)

func encode(s string) string {
	return strings.NewReplacer("+", "%20").Replace(url.QueryEscape(s))
}

// reference is a second, slow writing of docs/spec/wire.md 2, from the parsed forms of net/url. It gives the canonical request and
// the string to sign of a request signed in either form for testTime in us-east-1.
func reference(r *http.Request, body []byte, single bool, service string) (canonical, toSign string) {
	var lines []string
	p := r.URL.EscapedPath()
	if single {
		var segments []string
		for s := range strings.SplitSeq(p, "/") {
			plain, err := url.PathUnescape(s)
			if err != nil {
				panic(err)
			}
			segments = append(segments, encode(plain))
		}
		p = strings.Join(segments, "/")
	} else {
		clean := path.Clean("/" + p)
		if strings.HasSuffix(p, "/") && clean != "/" {
			clean += "/"
		}
		segments := strings.Split(clean, "/")
		for i, s := range segments {
			segments[i] = encode(s)
		}
		p = strings.Join(segments, "/")
	}
	if p == "" {
		p = "/"
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		panic(err)
	}
	presigned := query.Has("X-Amz-Signature")
	var pairs [][2]string
	for name, values := range query {
		for _, v := range values {
			if name != "X-Amz-Signature" {
				pairs = append(pairs, [2]string{encode(name), encode(v)})
			}
		}
	}
	slices.SortFunc(pairs, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	var q []string
	for _, pr := range pairs {
		q = append(q, pr[0]+"="+pr[1])
	}
	list := query.Get("X-Amz-SignedHeaders")
	payload := fmt.Sprintf("%x", sha256.Sum256(body))
	if !presigned {
		_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "SignedHeaders=")
		list, _, _ = strings.Cut(rest, ",")
	}
	if single && (r.Header.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD" || presigned && !query.Has("X-Amz-Content-Sha256") ||
		query.Get("X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD") {
		payload = "UNSIGNED-PAYLOAD"
	}
	lines = append(lines, r.Method, p, strings.Join(q, "&"))
	for name := range strings.SplitSeq(list, ";") {
		var values []string
		for _, v := range r.Header.Values(name) {
			values = append(values, strings.Trim(runs.ReplaceAllString(v, " "), " \t"))
		}
		if name == "host" {
			values = []string{r.Host}
		}
		if name == "content-length" {
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		lines = append(lines, name+":"+strings.Join(values, ","))
	}
	lines = append(lines, "", list, payload)
	canonical = strings.Join(lines, "\n")
	sum := sha256.Sum256([]byte(canonical))
	return canonical, "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/" + service + "/aws4_request\n" + hex.EncodeToString(sum[:])
}
