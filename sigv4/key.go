package sigv4

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
)

const terminator = "aws4_request"

// Scope is what a signing key is good for.
type Scope struct {
	Date    string // YYYYMMDD, UTC
	Region  string // us-east-1
	Service string // the signing name: iam, sts, s3
}

// Key is a signing key, derived from a secret access key for one [Scope]. It signs and verifies within that scope and says nothing
// about the secret. It is still a secret for the day: its text forms do not show it.
type Key [32]byte

// String hides the key.
func (Key) String() string { return "sigv4.Key(hidden)" }

// GoString hides the key.
func (Key) GoString() string { return "sigv4.Key(hidden)" }

// DeriveKey derives the signing key of secret for s (docs/spec/wire.md 2). It costs four HMACs; a server keeps the result in a
// [KeyCache].
func DeriveKey(secret string, s Scope) Key {
	b := make([]byte, 0, 4+len(secret))
	b = append(append(b, "AWS4"...), secret...)
	for _, part := range [...]string{s.Date, s.Region, s.Service, terminator} {
		h := hmac.New(sha256.New, b)
		h.Write([]byte(part))
		b = h.Sum(nil)
	}
	return Key(b)
}

const blockSize = sha256.BlockSize

// innerPad and outerPad are the ipad and opad of RFC 2104.
var innerPad, outerPad = [blockSize]byte(bytes.Repeat([]byte{0x36}, blockSize)), [blockSize]byte(bytes.Repeat([]byte{0x5c}, blockSize))

// mac returns HMAC-SHA256(key, message). crypto/hmac allocates for each key, which would be most of the allocations of a
// verification; for a key shorter than a block HMAC is no more than the two hashes below. The message must stand in
// padded[blockSize:]; the first block is overwritten.
func (k *Key) mac(padded []byte) [32]byte {
	copy(padded, innerPad[:])
	subtle.XORBytes(padded, innerPad[:len(k)], k[:])
	inner := sha256.Sum256(padded)
	var outer [blockSize + sha256.Size]byte
	copy(outer[:], outerPad[:])
	subtle.XORBytes(outer[:], outerPad[:len(k)], k[:])
	copy(outer[blockSize:], inner[:])
	// The pooled buffer outlives this call; nothing of the key may stay in it.
	clear(padded[:blockSize])
	return sha256.Sum256(outer[:])
}
