package sigv4

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"hash"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// scratch is the memory of one verification or signing.
type scratch struct {
	buf   []byte // the text to hash
	query []byte // encoded names and values
	pairs []pair
	hash  hash.Hash
	state encoding.BinaryUnmarshaler // of hash
	block [blockSize]byte
	sum   [sha256.Size]byte
}

// pair marks a name and a value in scratch.query.
type pair struct{ name, value, end int }

// maxKept bounds what a scratch in the pool holds on to after an unusually large request.
const maxKept = 64 << 10

var scratches = sync.Pool{New: func() any {
	s := &scratch{buf: make([]byte, 0, 2048), query: make([]byte, 0, 512), pairs: make([]pair, 0, 16), hash: sha256.New()}
	s.state = s.hash.(encoding.BinaryUnmarshaler)
	return s
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

// appendHex appends 64 lower-case digits.
func appendHex(b []byte, sum *[32]byte) []byte {
	n := len(b)
	b = slices.Grow(b, 64)[:n+64]
	putHex((*[64]byte)(b[n:]), sum)
	return b
}

// putHex writes the eight words one by one: a loop takes half as long again.
func putHex(text *[64]byte, sum *[32]byte) {
	binary.LittleEndian.PutUint64(text[0:], eightDigits(binary.LittleEndian.Uint32(sum[0:])))
	binary.LittleEndian.PutUint64(text[8:], eightDigits(binary.LittleEndian.Uint32(sum[4:])))
	binary.LittleEndian.PutUint64(text[16:], eightDigits(binary.LittleEndian.Uint32(sum[8:])))
	binary.LittleEndian.PutUint64(text[24:], eightDigits(binary.LittleEndian.Uint32(sum[12:])))
	binary.LittleEndian.PutUint64(text[32:], eightDigits(binary.LittleEndian.Uint32(sum[16:])))
	binary.LittleEndian.PutUint64(text[40:], eightDigits(binary.LittleEndian.Uint32(sum[20:])))
	binary.LittleEndian.PutUint64(text[48:], eightDigits(binary.LittleEndian.Uint32(sum[24:])))
	binary.LittleEndian.PutUint64(text[56:], eightDigits(binary.LittleEndian.Uint32(sum[28:])))
}

// eightDigits makes the digits of four bytes at a time, in the bytes of one word, the first in the lowest. One by one they would take
// longer than hashing them.
func eightDigits(v uint32) uint64 {
	const each = 0x0101010101010101
	x := uint64(v)
	x = (x<<16 | x) & 0x0000ffff0000ffff
	x = (x<<8 | x) & 0x00ff00ff00ff00ff
	x = (x>>4 | x<<8) & (0x0f * each)
	letter := (x + 6*each) >> 4 & each // 1 in every byte above 9
	return x + '0'*each + letter*('a'-'0'-10)
}

// appendPath appends the canonical URI. It works on the path as net/url gives it, so that the path that is verified is the path that
// the service routes by.
func appendPath(b []byte, u *url.URL, single bool) ([]byte, error) {
	if u.Opaque != "" {
		return b, errTarget
	}
	if u.RawPath == "" && (u.Path == "/" || u.Path == "") { // as nearly always
		return append(b, '/'), nil
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

// appendFolded appends a header value without outer white space and with runs of spaces made one.
func appendFolded(b []byte, value string) []byte {
	for len(value) > 0 && (value[0] == ' ' || value[0] == '\t') {
		value = value[1:]
	}
	for len(value) > 0 && (value[len(value)-1] == ' ' || value[len(value)-1] == '\t') {
		value = value[:len(value)-1]
	}
	if !hasRun(value) {
		return append(b, value...)
	}
	for i := range len(value) {
		if value[i] != ' ' || value[i-1] != ' ' {
			b = append(b, value[i])
		}
	}
	return b
}

// hasRun reports whether there are two spaces together in value, which does not end with a space. It is faster than
// strings.Contains, because most values have few spaces.
func hasRun(value string) bool {
	for {
		i := strings.IndexByte(value, ' ')
		if i < 0 {
			return false
		}
		value = value[i+1:]
		if value[0] == ' ' {
			return true
		}
	}
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
	host         string
	headers      *headerList
	singleEncode bool
	payload      string // UNSIGNED-PAYLOAD, or empty when the hash of the body counts
	date         *[len(basicISO)]byte
	scope        string // with its terminator
}

const unsignedPayload = "UNSIGNED-PAYLOAD"

// sign computes the signature of r, as bytes in s.sum. bodySum may be &s.sum. found is the number of keys of r.Header that are covered.
// ok is false when no canonical request exists for the list of signed headers.
func (s *scratch) sign(r *http.Request, bodySum *[32]byte, q *canonicalRequest, key signingKey) (found int, ok bool, err error) {
	b := s.buf[:0]
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	if method != http.MethodPost && strings.IndexByte(method, '\n') >= 0 {
		return 0, false, nil
	}
	b = append(append(b, method...), '\n')
	if b, err = appendPath(b, r.URL, q.singleEncode); err != nil {
		return 0, false, err
	}
	b = append(b, '\n')
	if r.URL.RawQuery != "" {
		b = s.appendQuery(b, r.URL.RawQuery)
	}
	b = append(b, '\n')
	if q.headers.valid {
		b, found, ok = appendHeaders(b, r, q.host, q.headers)
	}
	s.buf = b // keep the memory if it has grown
	if !ok {
		return 0, false, nil
	}
	if q.payload != "" {
		b = append(b, q.payload...)
	} else {
		b = appendHex(b, bodySum)
	}
	s.buf = b
	s.hashOf(b)

	b = append(b[:0], algorithm+"\n"...)
	b = append(append(b, q.date[:]...), '\n')
	b = append(append(b, q.scope...), '\n')
	b = appendHex(b, &s.sum)
	s.buf = b
	key.mac(s, b)
	return found, true, nil
}

// hashOf sets s.sum. The hash is kept because making one for every text takes half as long as hashing a block.
func (s *scratch) hashOf(text []byte) {
	s.hash.Reset()
	s.hash.Write(text)
	s.hash.Sum(s.sum[:0])
}
