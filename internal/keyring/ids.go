package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"strings"
)

// Prefix is the first four characters of a unique id: docs/spec/wire.md 5.1.
type Prefix string

// The prefixes that Gatehouse makes.
const (
	UserPrefix               Prefix = "AIDA"
	RolePrefix               Prefix = "AROA"
	GroupPrefix              Prefix = "AGPA"
	PolicyPrefix             Prefix = "ANPA"
	PolicyVersionPrefix      Prefix = "ANVA"
	InstanceProfilePrefix    Prefix = "AIPA"
	ServerCertificatePrefix  Prefix = "ASCA"
	ServiceCredentialPrefix  Prefix = "ACCA"
	PublicKeyPrefix          Prefix = "APKA"
	AccessKeyPrefix          Prefix = "AKIA"
	TemporaryAccessKeyPrefix Prefix = "ASIA"
)

// short tells the ids of 20 characters from those of 21.
func (p Prefix) short() bool {
	return p == AccessKeyPrefix || p == TemporaryAccessKeyPrefix || p == PublicKeyPrefix
}

// Alphabets for Text.
const (
	Upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	Lower = "abcdefghijklmnopqrstuvwxyz0123456789"
	Mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

	base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
)

const (
	accountDigits = 12
	minAccount    = 100_000_000_000
	maxAccount    = 999_999_999_999
)

// accountNumber reads a 12-digit account id.
func accountNumber(account string) (uint64, bool) {
	if len(account) != accountDigits {
		return 0, false
	}
	var n uint64
	for i := range accountDigits {
		d := account[i] - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	return n, true
}

func mustAccountNumber(account string) uint64 {
	n, ok := accountNumber(account)
	if !ok {
		panic(fmt.Sprintf("keyring: %q is not a 12-digit account id", account))
	}
	return n
}

const (
	rawID   = 11 // random bytes that an id is made of
	maxText = 4096
)

// packID writes the account and random bits as docs/spec/wire.md 5.2 has it: 6 bytes Z = 1<<47 | account<<7 | 7 random bits, then 4 random
// bytes, in base32; ids of 21 characters have one more random character.
func packID(p Prefix, account uint64, raw *[rawID]byte) string {
	if len(p) != 4 {
		panic(fmt.Sprintf("keyring: %q is not a prefix of unique ids", string(p)))
	}
	z := 1<<47 | account<<7 | uint64(raw[5]&0x7f)
	raw[0], raw[1], raw[2], raw[3], raw[4], raw[5] = byte(z>>40), byte(z>>32), byte(z>>24), byte(z>>16), byte(z>>8), byte(z)
	var out [21]byte
	copy(out[:], p)
	at := 4
	for i := 0; i < 10; i += 5 {
		v := uint64(raw[i])<<32 | uint64(raw[i+1])<<24 | uint64(raw[i+2])<<16 | uint64(raw[i+3])<<8 | uint64(raw[i+4])
		for shift := 35; shift >= 0; shift -= 5 {
			out[at] = base32[v>>shift&31]
			at++
		}
	}
	if p.short() {
		return string(out[:at])
	}
	out[at] = base32[raw[10]&31]
	return string(out[:])
}

// AccountOfAccessKeyID gives the account that an access key id (AKIA… or ASIA…, 20 characters) was made for: docs/spec/wire.md 5.2. ok is
// false for anything else: other forms, ids of old keys that carry no account, numbers that are no account. It proves nothing: anyone can
// make such an id.
func AccountOfAccessKeyID(id string) (account string, ok bool) {
	if len(id) != 20 || (Prefix(id[:4]) != AccessKeyPrefix && Prefix(id[:4]) != TemporaryAccessKeyPrefix) {
		return "", false
	}
	return unpackAccount(id)
}

// AccountOfUniqueID is AccountOfAccessKeyID for unique ids of any prefix of this package (20 or 21 characters).
func AccountOfUniqueID(id string) (account string, ok bool) {
	if len(id) != 20 && len(id) != 21 {
		return "", false
	}
	switch p := Prefix(id[:4]); p {
	case UserPrefix, RolePrefix, GroupPrefix, PolicyPrefix, PolicyVersionPrefix, InstanceProfilePrefix, ServerCertificatePrefix,
		ServiceCredentialPrefix, PublicKeyPrefix, AccessKeyPrefix, TemporaryAccessKeyPrefix:
		if p.short() != (len(id) == 20) {
			return "", false
		}
	default:
		return "", false
	}
	return unpackAccount(id)
}

func unpackAccount(id string) (string, bool) {
	var z uint64 // the first 10 characters: 48 bits of Z and 2 more
	for i := 4; i < len(id); i++ {
		var v byte
		switch c := id[i]; {
		case 'A' <= c && c <= 'Z':
			v = c - 'A'
		case '2' <= c && c <= '7':
			v = c - '2' + 26
		default:
			return "", false
		}
		if i < 14 {
			z = z<<5 | uint64(v)
		}
	}
	z >>= 2
	n := z & 0x7fffffffff80 >> 7
	if z>>47 != 1 || n > maxAccount {
		return "", false
	}
	var out [accountDigits]byte
	for i := range out {
		out[accountDigits-1-i] = '0' + byte(n%10)
		n /= 10
	}
	return string(out[:]), true
}

func formatUUID(raw [16]byte) string {
	raw[6] = raw[6]&0x0f | 0x40 // version 4
	raw[8] = raw[8]&0x3f | 0x80 // RFC 9562
	const digits = "0123456789abcdef"
	out := [36]byte{8: '-', 13: '-', 18: '-', 23: '-'}
	for i, at := range [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34} {
		out[at], out[at+1] = digits[raw[i]>>4], digits[raw[i]&15]
	}
	return string(out[:])
}

func accountID(n uint64) string {
	return fmt.Sprintf("%012d", n)
}

// text draws n characters of an alphabet, each equally likely.
func text(n int, alphabet string, fill func([]byte)) string {
	if n < 0 || n > maxText || len(alphabet) < 2 || len(alphabet) > 256 {
		panic(fmt.Sprintf("keyring: text of %d characters (at most %d) out of an alphabet of %d (2 to 256)", n, maxText, len(alphabet)))
	}
	out := make([]byte, 0, n)
	fair := 256 - 256%len(alphabet) // bytes from here on would make the first characters likelier
	buf := make([]byte, n+8)
	for len(out) < n {
		fill(buf)
		for _, b := range buf {
			if int(b) < fair && len(out) < n {
				out = append(out, alphabet[int(b)%len(alphabet)])
			}
		}
	}
	clear(buf)
	return string(out)
}

// Fresh randomness. UUIDs and ids of temporary keys are public and made for every request: they come from the generator of the Go runtime
// (ChaCha8 per thread, keyed by the operating system). Secrets, seeds and commit ids are read from the operating system each time.

// UUID makes a random UUID (version 4, lower case) for request ids. It is unique, not secret: nothing may be allowed for knowing one.
func UUID() string {
	var raw [16]byte
	binary.NativeEndian.PutUint64(raw[:8], mathrand.Uint64())
	binary.NativeEndian.PutUint64(raw[8:], mathrand.Uint64())
	return formatUUID(raw)
}

// TemporaryAccessKeyID makes an ASIA… id for an account of 12 digits; it panics for anything else. Like every id it is no secret.
func TemporaryAccessKeyID(account string) string {
	var raw [16]byte
	binary.NativeEndian.PutUint64(raw[:8], mathrand.Uint64())
	binary.NativeEndian.PutUint64(raw[8:], mathrand.Uint64())
	return packID(TemporaryAccessKeyPrefix, mustAccountNumber(account), (*[rawID]byte)(raw[:]))
}

// CommitID makes the id of a storage commit: 16 random bytes.
func CommitID() (id [16]byte) {
	rand.Read(id[:])
	return id
}

// SecretAccessKey makes a secret of 40 characters A-Z a-z 0-9 + / out of 30 random bytes: docs/spec/wire.md 5.3.
func SecretAccessKey() Secret {
	var raw [30]byte
	rand.Read(raw[:])
	return NewSecret(base64.StdEncoding.EncodeToString(raw[:]))
}

// RandomSecret makes a secret of n (at most 4096) characters of an alphabet (2 to 256 characters), each equally likely.
func RandomSecret(n int, alphabet string) Secret {
	return NewSecret(text(n, alphabet, func(p []byte) { rand.Read(p) }))
}

// passwordClasses leave out characters that are read wrongly (0 O, 1 l I).
var passwordClasses = [...]string{"ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz", "23456789", "!@#%^*_+-="}

// Password makes a password of 24 characters, over 140 bits, with an upper and a lower case letter, a digit and a symbol (AWS's symbols:
// docs/spec/wire.md 9.4).
func Password() Secret {
	all := passwordClasses[0] + passwordClasses[1] + passwordClasses[2] + passwordClasses[3]
	for {
		s := text(24, all, func(p []byte) { rand.Read(p) })
		if hasClasses(s) {
			return NewSecret(s)
		}
	}
}

func hasClasses(s string) bool {
	for _, class := range passwordClasses {
		if !strings.ContainsAny(s, class) {
			return false
		}
	}
	return true
}

// uniform draws a number below n from 64-bit values, without bias.
func uniform(n uint64, next func() uint64) uint64 {
	fair := ^uint64(0) - ^uint64(0)%n
	for {
		if v := next(); v < fair {
			return v % n
		}
	}
}
