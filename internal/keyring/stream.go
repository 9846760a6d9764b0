package keyring

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"strconv"
)

// SeedBytes is the length of a seed in bytes.
const SeedBytes = 32

// Seed is what a Stream begins with: SeedBytes secret random bytes. It prints as "[redacted]". The zero Seed is not usable.
type Seed struct{ bytes *string } // a pointer for the reason given at Secret, and to a string: fmt follows one to an array

// NewSeed reads a seed from the operating system's random source.
func NewSeed() Seed {
	var b [SeedBytes]byte
	rand.Read(b[:])
	return SeedFromBytes(b)
}

// SeedFromBytes makes a seed that is known: for tests and replays.
func SeedFromBytes(b [SeedBytes]byte) Seed {
	s := string(b[:])
	return Seed{&s}
}

func (s Seed) String() string               { return redacted }
func (s Seed) GoString() string             { return redacted }
func (s Seed) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (s Seed) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Seed) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Stream yields ids and secrets that depend only on its seed and on the order of the calls: a transaction that runs twice with the same
// seed makes the same ones. Not safe for concurrent use. A seed is used for one transaction only, however often that runs.
//
// Ids come from ChaCha8 keyed with a hash of the seed, secrets from HKDF-SHA256 of the seed itself: ids are public, and whatever they give
// away leads to no secret. Secrets and ids are numbered apart, so drawing one does not move the other.
type Stream struct{ state **streamState } // fmt follows a pointer to a struct, but not one to a pointer

type streamState struct {
	ids     mathrand.ChaCha8
	seed    string
	secrets int
}

// NewStream begins at the start of a seed. It panics for the zero Seed.
func NewStream(seed Seed) *Stream {
	if seed.bytes == nil {
		panic("keyring: the zero Seed yields no stream")
	}
	both := &struct {
		Stream
		streamState
		at *streamState
	}{}
	both.at = &both.streamState
	both.state = &both.at
	both.seed = *seed.bytes
	both.ids.Seed(sha256.Sum256([]byte("gatehouse stream 1: ids\x00" + both.seed)))
	return &both.Stream
}

func (s Stream) String() string               { return redacted }
func (s Stream) GoString() string             { return redacted }
func (s Stream) Format(f fmt.State, _ rune)   { io.WriteString(f, redacted) }
func (s Stream) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (s Stream) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// UniqueID makes an id of 21 characters (20 for AKIA, ASIA, APKA) that carries the account: docs/spec/wire.md 5.1, 5.2. The account must
// have 12 digits, else it panics.
func (s *Stream) UniqueID(prefix Prefix, account string) string {
	var raw [rawID]byte
	(*s.state).ids.Read(raw[:])
	return packID(prefix, mustAccountNumber(account), &raw)
}

// AccessKeyID makes an AKIA… id of 20 characters that carries the account.
func (s *Stream) AccessKeyID(account string) string { return s.UniqueID(AccessKeyPrefix, account) }

// TemporaryAccessKeyID makes an ASIA… id of 20 characters that carries the account.
func (s *Stream) TemporaryAccessKeyID(account string) string {
	return s.UniqueID(TemporaryAccessKeyPrefix, account)
}

// AccountID makes an account id: a number from 100000000000 to 999999999999, each equally likely. The caller draws again when it is taken.
func (s *Stream) AccountID() string {
	return accountID(minAccount + uniform(maxAccount-minAccount+1, (*s.state).ids.Uint64))
}

// UUID makes a UUID (version 4, lower case).
func (s *Stream) UUID() string {
	var raw [16]byte
	(*s.state).ids.Read(raw[:])
	return formatUUID(raw)
}

// Text makes n (at most 4096) characters of an alphabet, such as Upper for ids of SAML providers, each equally likely. It is no secret:
// see Secret.
func (s *Stream) Text(n int, alphabet string) string {
	return text(n, alphabet, func(p []byte) { (*s.state).ids.Read(p) })
}

// Secret makes a secret of n (at most 4096) characters of an alphabet, each equally likely.
func (s *Stream) Secret(n int, alphabet string) Secret {
	// Each fill is a derivation of its own, since the number of fills depends on how many bytes were refused.
	return NewSecret(text(n, alphabet, s.derive))
}

// SecretAccessKey makes a secret of 40 characters A-Z a-z 0-9 + / out of 30 bytes: docs/spec/wire.md 5.3.
func (s *Stream) SecretAccessKey() Secret {
	var raw [30]byte
	s.derive(raw[:])
	return NewSecret(base64.StdEncoding.EncodeToString(raw[:]))
}

// ServicePassword makes a service-specific password of 44 characters, base64 of 32 bytes: docs/spec/wire.md 5.3.
func (s *Stream) ServicePassword() Secret {
	var raw [32]byte
	s.derive(raw[:])
	return NewSecret(base64.StdEncoding.EncodeToString(raw[:]))
}

// SecretBytes makes n (at most 4096) secret bytes. The caller keeps them from being printed.
func (s *Stream) SecretBytes(n int) []byte {
	b := make([]byte, n)
	s.derive(b)
	return b
}

func (s *Stream) derive(p []byte) {
	state := *s.state
	state.secrets++
	b, err := hkdf.Expand(sha256.New, []byte(state.seed), "gatehouse stream 1: secret "+strconv.Itoa(state.secrets), len(p))
	if err != nil {
		panic(fmt.Sprintf("keyring: %d secret bytes: %v", len(p), err))
	}
	copy(p, b)
	clear(b)
}
