package sigv4

import (
	"crypto/subtle"
	"encoding/binary"
	"net/http"
)

// Verify compares the signature of r, from which the claim was parsed, with the one that key gives (docs/spec/wire.md 2). body is the
// whole body as received; nil when there is none. key must be the signing key of the claim's access key for the claim's Scope, and e
// must be the *Expect that CheckScope accepted: otherwise the error is [ErrUnchecked]. Any other error is an [*Error] of kind
// SignatureDoesNotMatch, HeadersNotSigned or MalformedQuery. The comparison takes the same time wherever the signatures differ.
//
// Headers outside SignedHeaders are not covered and may have been changed on the way. The path is covered as normalised, unless
// e.SingleEncodePath: a service must not treat /a//b or /a/./b as another resource than /a/b.
func (c *Claim) Verify(r *http.Request, body []byte, key *Key, e *Expect) error {
	return c.verify(r, body, nil, signingKey{plain: key}, e)
}

// VerifyPrepared is Verify with a prepared key, which saves two of the blocks to hash.
func (c *Claim) VerifyPrepared(r *http.Request, body []byte, key *PreparedKey, e *Expect) error {
	return c.verify(r, body, nil, signingKey{prepared: key}, e)
}

// VerifyHash is Verify with the SHA-256 of the body, for a body that is not in memory. A caller that passes the value which the request
// states in X-Amz-Content-Sha256 must compare it with the body before it acts.
func (c *Claim) VerifyHash(r *http.Request, bodySum *[32]byte, key *Key, e *Expect) error {
	return c.verify(r, nil, bodySum, signingKey{plain: key}, e)
}

// verify hashes the body when bodySum is nil.
func (c *Claim) verify(r *http.Request, body []byte, bodySum *[32]byte, key signingKey, e *Expect) error {
	if c.accepted == nil || c.accepted != e {
		return ErrUnchecked
	}
	headers := c.headers
	if headers == nil || headers.text != c.SignedHeaders {
		headers = newHeaderList(c.SignedHeaders)
	}
	s := scratches.Get().(*scratch)
	if bodySum == nil {
		s.hashOf(body)
		bodySum = &s.sum
	}
	found, ok, err := s.sign(r, bodySum, &canonicalRequest{
		host:         r.Host,
		headers:      headers,
		singleEncode: e.SingleEncodePath,
		payload:      c.payload(r, e),
		date:         &c.date,
		scope:        c.scopeText,
	}, key)
	right := ok && equal(&s.sum, c.signature)
	s.release()
	if err != nil {
		return err
	}
	if ok && !headers.covers(r.Header, found) {
		return headersNotSigned(unsignedAmz(r.Header, c.SignedHeaders))
	}
	if !right {
		return errMismatch
	}
	if headers != c.headers {
		headers.remember()
	}
	return nil
}

// equal reports whether got is want in lower-case hex. Its time depends on the length of got only.
func equal(want *[32]byte, got string) bool {
	if len(got) != 2*len(want) {
		return false
	}
	var different uint64 // written out as in putHex
	different |= eightDigits(binary.LittleEndian.Uint32(want[0:])) ^ eight(got[0:])
	different |= eightDigits(binary.LittleEndian.Uint32(want[4:])) ^ eight(got[8:])
	different |= eightDigits(binary.LittleEndian.Uint32(want[8:])) ^ eight(got[16:])
	different |= eightDigits(binary.LittleEndian.Uint32(want[12:])) ^ eight(got[24:])
	different |= eightDigits(binary.LittleEndian.Uint32(want[16:])) ^ eight(got[32:])
	different |= eightDigits(binary.LittleEndian.Uint32(want[20:])) ^ eight(got[40:])
	different |= eightDigits(binary.LittleEndian.Uint32(want[24:])) ^ eight(got[48:])
	different |= eightDigits(binary.LittleEndian.Uint32(want[28:])) ^ eight(got[56:])
	return subtle.ConstantTimeEq(int32(different>>32), 0)&subtle.ConstantTimeEq(int32(uint32(different)), 0) == 1
}

// payload returns what stands for the payload hash, or nothing when it is the hash of the body.
func (c *Claim) payload(r *http.Request, e *Expect) string {
	if !e.AllowUnsignedPayload {
		return ""
	}
	stated := c.contentHash
	if values := r.Header[paramContentHash]; len(values) > 0 {
		stated = values[0]
	}
	if stated == unsignedPayload || stated == "" && c.Presigned {
		return unsignedPayload
	}
	return ""
}
