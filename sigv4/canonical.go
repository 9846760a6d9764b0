package sigv4

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// scratch is the memory of one verification or signing.
type scratch struct {
	buf   []byte // blockSize bytes for the HMAC pad, then the text to hash
	query []byte // encoded names and values
	pairs []pair
}

// pair marks a name and a value in scratch.query.
type pair struct{ name, value, end int }

// maxKept bounds what a scratch in the pool holds on to after an unusually large request.
const maxKept = 64 << 10

var scratches = sync.Pool{New: func() any {
	return &scratch{buf: make([]byte, blockSize, 2048), query: make([]byte, 0, 512), pairs: make([]pair, 0, 16)}
}}

func (s *scratch) release() {
	if cap(s.buf) <= maxKept && cap(s.query) <= maxKept && cap(s.pairs) <= 1024 {
		scratches.Put(s)
	}
}

const upperHex = "0123456789ABCDEF"

// unreserved are the bytes that RFC 3986 never encodes.
var unreserved = func() (t [256]bool) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~") {
		t[b] = true
	}
	return t
}()

func appendEncoded(b []byte, c byte) []byte {
	if unreserved[c] {
		return append(b, c)
	}
	return append(b, '%', upperHex[c>>4], upperHex[c&15])
}

// appendReencoded decodes the percent escapes of raw and encodes every byte again in the one canonical way. A percent sign without two
// hex digits, which Parse refuses, stands for itself.
func appendReencoded(b []byte, raw string, plusIsSpace bool) []byte {
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '%' && i+2 < len(raw) && isHex(raw[i+1]) && isHex(raw[i+2]):
			c = unhex(raw[i+1])<<4 | unhex(raw[i+2])
			i += 2
		case c == '+' && plusIsSpace:
			c = ' '
		}
		b = appendEncoded(b, c)
	}
	return b
}

func validEscapes(s string) bool {
	for {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			return true
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return false
		}
		s = s[i+3:]
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unhex needs a hex digit.
func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10
}

// appendHex appends 64 lower-case digits. It makes eight of them at a time, in the bytes of one word: three such texts are in every
// verification, and digit by digit they would take longer than hashing them.
func appendHex(b []byte, sum *[32]byte) []byte {
	const (
		each   = 0x0101010101010101
		nibble = 0x0f * each
	)
	var text [64]byte
	for i := 0; i < len(sum); i += 4 {
		x := uint64(binary.BigEndian.Uint32(sum[i:]))
		x = (x<<16 | x) & 0x0000ffff0000ffff
		x = (x<<8 | x) & 0x00ff00ff00ff00ff
		x = (x<<4 | x) & nibble
		letter := (x + 6*each) >> 4 & each // 1 in every byte above 9
		binary.BigEndian.PutUint64(text[2*i:], x+'0'*each+letter*('a'-'0'-10))
	}
	return append(b, text[:]...)
}

// appendPath appends the canonical URI. It works on the path as net/url gives it, so that the path that is verified is the path that
// the service routes by.
func appendPath(b []byte, u *url.URL, single bool) ([]byte, error) {
	if u.Opaque != "" {
		return b, errTarget
	}
	path := u.EscapedPath()
	if path == "" || path == "/" {
		return append(b, '/'), nil
	}
	if single {
		for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
			b = append(b, '/')
			b = appendReencoded(b, segment, false)
		}
		return b, nil
	}
	start := len(b)
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			if i := bytes.LastIndexByte(b[start:], '/'); i >= 0 {
				b = b[:start+i]
			}
		default:
			b = append(b, '/')
			for i := range len(segment) {
				b = appendEncoded(b, segment[i])
			}
		}
	}
	if len(b) == start || path[len(path)-1] == '/' {
		b = append(b, '/')
	}
	return b, nil
}

// appendQuery appends the canonical query string without X-Amz-Signature. raw has passed queryAuth.scan.
func (s *scratch) appendQuery(b []byte, raw string) []byte {
	s.query, s.pairs = s.query[:0], s.pairs[:0]
	for len(raw) > 0 {
		var text string
		text, raw, _ = strings.Cut(raw, "&")
		if text == "" {
			continue
		}
		name, value, _ := strings.Cut(text, "=")
		p := pair{name: len(s.query)}
		s.query = appendReencoded(s.query, name, true)
		p.value = len(s.query)
		if string(s.query[p.name:p.value]) == paramSignature {
			s.query = s.query[:p.name]
			continue
		}
		s.query = appendReencoded(s.query, value, true)
		p.end = len(s.query)
		s.pairs = append(s.pairs, p)
	}
	q := s.query
	slices.SortFunc(s.pairs, func(x, y pair) int {
		return cmp.Or(bytes.Compare(q[x.name:x.value], q[y.name:y.value]), bytes.Compare(q[x.value:x.end], q[y.value:y.end]))
	})
	for i, p := range s.pairs {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(b, q[p.name:p.value]...)
		b = append(b, '=')
		b = append(b, q[p.value:p.end]...)
	}
	return b
}

// appendHeaders appends the canonical headers named in list, which must be lower-case, sorted and free of repetitions: that is the
// only list a canonical request can hold. ok is false when it is not, or when a header is absent. amz is the number of x-amz-*
// headers appended, X-Amz-Content-Sha256 not counted.
func appendHeaders(b []byte, r *http.Request, host, list string) (out []byte, amz int, ok bool) {
	start, lines := len(b), 0
	previous := ""
	for more := true; more; lines++ {
		name := list
		if i := strings.IndexByte(list, ';'); i >= 0 {
			name, list = list[:i], list[i+1:]
		} else {
			more = false
		}
		if name <= previous {
			return b, 0, false
		}
		previous = name
		b = append(append(b, name...), ':')
		if name == "host" || name == ":authority" {
			b = append(appendFolded(b, host), '\n')
			continue
		}
		values, valid := headerValues(r.Header, name)
		if !valid {
			return b, 0, false
		}
		if len(values) == 0 {
			// net/http moves these out of the header map.
			switch {
			case name == "content-length" && r.ContentLength >= 0:
				b = append(strconv.AppendInt(b, r.ContentLength, 10), '\n')
				continue
			case name == "transfer-encoding" && len(r.TransferEncoding) > 0:
				values = r.TransferEncoding
			default:
				return b, 0, false
			}
		}
		for i, value := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendFolded(b, value)
		}
		b = append(b, '\n')
		if strings.HasPrefix(name, "x-amz-") && name != "x-amz-content-sha256" {
			amz++
		}
	}
	// No server lets a line feed through, but a canonical line must not be forged in a request built by hand either.
	return b, amz, bytes.Count(b[start:], []byte{'\n'}) == lines
}

// headerValues looks a lower-case name up in a header map of net/http. valid is false for a name that has an upper-case letter or that
// no header can have.
func headerValues(h http.Header, name string) (values []string, valid bool) {
	switch name { // what AWS clients usually sign
	case "amz-sdk-invocation-id":
		return h["Amz-Sdk-Invocation-Id"], true
	case "amz-sdk-request":
		return h["Amz-Sdk-Request"], true
	case "content-length":
		return h["Content-Length"], true
	case "content-type":
		return h["Content-Type"], true
	case "x-amz-date":
		return h["X-Amz-Date"], true
	case "x-amz-security-token":
		return h["X-Amz-Security-Token"], true
	}
	// For names of usual length this lookup does not allocate; textproto.CanonicalMIMEHeaderKey would.
	var buf [64]byte
	key, upper := buf[:0], true
	for i := range len(name) {
		c := name[i]
		if c <= ' ' || c >= 0x7f || 'A' <= c && c <= 'Z' {
			return nil, false
		}
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		upper = c == '-'
		key = append(key, c)
	}
	return h[string(key)], true
}

// appendFolded appends a header value without outer white space and with runs of spaces made one.
func appendFolded(b []byte, value string) []byte {
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for len(value) > 0 && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	if !strings.Contains(value, "  ") {
		return append(b, value...)
	}
	for i := range len(value) {
		if value[i] != ' ' || value[i-1] != ' ' {
			b = append(b, value[i])
		}
	}
	return b
}

// isAmz reports whether a header must be signed when it is sent. X-Amz-Content-Sha256 is left out: IAM and STS ignore it unless it
// is signed (docs/spec/wire.md 2), and where S3 heeds it, its value is in the canonical request as the payload hash.
func isAmz(name string) bool {
	const prefix = "X-Amz-"
	return len(name) >= len(prefix) && name[0]|0x20 == 'x' && name[1] == '-' && strings.EqualFold(name[:len(prefix)], prefix) &&
		name != paramContentHash
}

// unsignedAmz returns the x-amz-* headers of h that list does not name.
func unsignedAmz(h http.Header, list string) (names []string) {
	signed := strings.Split(list, ";")
	for name := range h {
		// A key that is not canonical is not found by its signed name, so it counts as unsigned.
		if isAmz(name) && (name != textproto.CanonicalMIMEHeaderKey(name) || !slices.Contains(signed, strings.ToLower(name))) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// canonicalRequest is what a signature covers besides the *http.Request itself.
type canonicalRequest struct {
	host          string
	signedHeaders string
	singleEncode  bool
	payload       string    // UNSIGNED-PAYLOAD, or empty when sum counts
	sum           *[32]byte // SHA-256 of the body
	date          *[len(basicISO)]byte
	scope         *Scope
}

const unsignedPayload = "UNSIGNED-PAYLOAD"

// sign computes the signature of r, in lower-case hex. amz is the number of x-amz-* headers covered. ok is false when no canonical
// request exists for the list of signed headers.
func (s *scratch) sign(r *http.Request, q *canonicalRequest, key *Key) (signature [64]byte, amz int, ok bool, err error) {
	b := s.buf[:blockSize]
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	if strings.IndexByte(method, '\n') >= 0 {
		return signature, 0, false, nil
	}
	b = append(append(b, method...), '\n')
	if b, err = appendPath(b, r.URL, q.singleEncode); err != nil {
		return signature, 0, false, err
	}
	b = append(b, '\n')
	if r.URL.RawQuery != "" {
		b = s.appendQuery(b, r.URL.RawQuery)
	}
	b = append(b, '\n')
	if b, amz, ok = appendHeaders(b, r, q.host, q.signedHeaders); !ok {
		s.buf = b
		return signature, 0, false, nil
	}
	b = append(b, '\n')
	b = append(append(b, q.signedHeaders...), '\n')
	if q.payload != "" {
		b = append(b, q.payload...)
	} else {
		b = appendHex(b, q.sum)
	}
	s.buf = b // keep the memory if it has grown
	sum := hash(b[blockSize:])

	b = append(b[:blockSize], algorithm+"\n"...)
	b = append(append(b, q.date[:]...), '\n')
	b = append(append(b, q.scope.Date...), '/')
	b = append(append(b, q.scope.Region...), '/')
	b = append(append(b, q.scope.Service...), "/"+terminator+"\n"...)
	b = appendHex(b, &sum)
	mac := key.mac(b)
	appendHex(signature[:0], &mac)
	return signature, amz, true, nil
}
