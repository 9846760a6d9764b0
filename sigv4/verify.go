package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"net/http"
)

func hash(b []byte) [32]byte { return sha256.Sum256(b) }

// Verify compares the signature of r, from which the claim was parsed, with the one that key gives (docs/spec/wire.md 2). body is the
// whole body as received; nil when there is none. key must be the signing key of the claim's access key for the claim's Scope, and e
// must be the *Expect that CheckScope accepted: otherwise the error is [ErrUnchecked]. Any other error is an [*Error] of kind
// SignatureDoesNotMatch, HeadersNotSigned or MalformedQuery. The comparison takes the same time wherever the signatures differ.
//
// Headers outside SignedHeaders are not covered and may have been changed on the way. The path is covered as normalised, unless
// e.SingleEncodePath: a service must not treat /a//b or /a/./b as another resource than /a/b.
func (c *Claim) Verify(r *http.Request, body []byte, key *Key, e *Expect) error {
	sum := hash(body)
	return c.VerifyHash(r, &sum, key, e)
}

// VerifyHash is Verify with the SHA-256 of the body, for a body that is not in memory. A caller that passes the value which the request
// states in X-Amz-Content-Sha256 must compare it with the body before it acts.
func (c *Claim) VerifyHash(r *http.Request, bodySum *[32]byte, key *Key, e *Expect) error {
	if c.accepted == nil || c.accepted != e {
		return ErrUnchecked
	}
	s := scratches.Get().(*scratch)
	want, amz, ok, err := s.sign(r, &canonicalRequest{
		host:          r.Host,
		signedHeaders: c.SignedHeaders,
		singleEncode:  e.SingleEncodePath,
		payload:       c.payload(r, e),
		sum:           bodySum,
		date:          &c.date,
		scope:         &c.Scope,
	}, key)
	s.release()
	if err != nil {
		return err
	}
	if ok {
		for name := range r.Header {
			if name != "" && name[0]|0x20 == 'x' && isAmz(name) {
				amz--
			}
		}
		if amz != 0 {
			return headersNotSigned(unsignedAmz(r.Header, c.SignedHeaders))
		}
	}
	if !ok || !equal(&want, c.signature) {
		return errMismatch
	}
	return nil
}

// equal compares in a time that depends on the length only. It differs from subtle.ConstantTimeCompare in taking eight bytes at once.
func equal(want *[64]byte, got string) bool {
	var b [len(want)]byte
	if copy(b[:], got) != len(got) || len(got) != len(b) {
		return false
	}
	var different uint64
	for i := 0; i < len(b); i += 8 {
		different |= binary.LittleEndian.Uint64(want[i:]) ^ binary.LittleEndian.Uint64(b[i:])
	}
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
