package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding"
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
	// Only this first key can be longer than a block.
	first := hmac.New(sha256.New, append(append(make([]byte, 0, 4+len(secret)), "AWS4"...), secret...))
	first.Write([]byte(s.Date))
	var k Key
	first.Sum(k[:0])
	scratch := scratches.Get().(*scratch)
	for _, part := range [...]string{s.Region, s.Service, terminator} {
		scratch.buf = append(scratch.buf[:0], part...)
		signingKey{plain: &k}.mac(scratch, scratch.buf)
		k = scratch.sum
	}
	clear(scratch.sum[:])
	scratch.release()
	return k
}

const blockSize = sha256.BlockSize

// The pads of RFC 2104.
const innerPad, outerPad = 0x36, 0x5c

// signingKey is one of its two fields. It is no interface, so that a Key does not escape to the heap.
type signingKey struct {
	plain    *Key
	prepared *PreparedKey
}

// mac sets s.sum to HMAC-SHA256(key, message). crypto/hmac allocates for each key, which would be most of the allocations of a
// verification; for a key shorter than a block HMAC is no more than two hashes.
func (k signingKey) mac(s *scratch, message []byte) {
	if k.prepared != nil {
		s.restore(k.prepared.inner)
	} else {
		s.hash.Reset()
		k.plain.writePad(s, innerPad)
	}
	s.hash.Write(message)
	s.hash.Sum(s.sum[:0])
	if k.prepared != nil {
		s.restore(k.prepared.outer)
	} else {
		s.hash.Reset()
		k.plain.writePad(s, outerPad)
	}
	s.hash.Write(s.sum[:])
	s.hash.Sum(s.sum[:0])
	// The scratch outlives the verification; nothing of the key may stay in it.
	s.hash.Reset()
}

// writePad hashes the block that an HMAC begins with.
func (k *Key) writePad(s *scratch, pad byte) {
	for i := range s.block {
		s.block[i] = pad
	}
	subtle.XORBytes(s.block[:], s.block[:len(k)], k[:])
	s.hash.Write(s.block[:])
	clear(s.block[:])
}

// PreparedKey is a [Key] with the part of every HMAC computed that does not depend on the message. It is worth having for a key that
// checks many requests; [KeyCache.Prepared] gives one. It is not changed by use, and safe for use from many goroutines. It is as secret
// as the key.
type PreparedKey struct {
	key          Key
	inner, outer []byte // the states of the two hashes after their first block
}

// String hides the key.
func (PreparedKey) String() string { return "sigv4.PreparedKey(hidden)" }

// GoString hides the key.
func (PreparedKey) GoString() string { return "sigv4.PreparedKey(hidden)" }

// Prepare makes k ready for [Claim.VerifyPrepared]. The result is independent of k.
func (k *Key) Prepare() *PreparedKey {
	s := scratches.Get().(*scratch)
	defer s.release()
	p := &PreparedKey{key: *k}
	p.inner, p.outer = k.stateAfter(s, innerPad), k.stateAfter(s, outerPad)
	s.hash.Reset()
	return p
}

func (k *Key) stateAfter(s *scratch, pad byte) []byte {
	s.hash.Reset()
	k.writePad(s, pad)
	state, err := s.hash.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("sigv4: crypto/sha256 does not give its state: " + err.Error())
	}
	return state
}

func (s *scratch) restore(state []byte) {
	if err := s.state.UnmarshalBinary(state); err != nil {
		panic("sigv4: crypto/sha256 does not take its own state: " + err.Error())
	}
}
