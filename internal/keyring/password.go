package keyring

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// The parameters of new password hashes: argon2id (RFC 9106) with 19 MiB, 2 passes and 1 lane, the OWASP recommendation.
const (
	PasswordMemory  = 19 << 10 // KiB
	PasswordPasses  = 2
	PasswordLanes   = 1
	passwordSalt    = 16   // bytes
	passwordHash    = 32   // bytes
	MaxPassword     = 1024 // bytes
	maxPasswordHash = 512  // bytes of a hash's text

	// What a stored hash may ask for, ours or one brought from elsewhere: a hostile one costs no more than this.
	maxMemory = 64 << 10 // KiB
	maxPasses = 8
	maxLanes  = 4
)

// ErrBusy: too many passwords are being hashed or waiting for it. The caller answers with a throttling error.
var ErrBusy = errors.New("too many password checks at once")

// Hasher hashes and checks passwords, a bounded number at once. Safe for concurrent use.
type Hasher struct {
	memory  *semaphore.Weighted // KiB
	size    int64
	waiting atomic.Int64
	most    int64
}

// NewHasher makes a hasher that works on at most atOnce passwords (19 MiB each) and lets at most queue callers wait; the next gets ErrBusy.
// atOnce 0: one per processor. queue 0: 64 per place.
func NewHasher(atOnce, queue int) *Hasher {
	if atOnce <= 0 {
		atOnce = runtime.GOMAXPROCS(0)
	}
	if queue <= 0 {
		queue = 64 * atOnce
	}
	size := int64(atOnce) * PasswordMemory
	return &Hasher{memory: semaphore.NewWeighted(size), size: size, most: int64(atOnce + queue)}
}

// Hash gives the PHC text ($argon2id$v=19$m=…) to store. Some 20 ms. Errors: ErrLimit (over MaxPassword bytes), ErrBusy, the context's.
func (h *Hasher) Hash(ctx context.Context, password Secret) (string, error) {
	p := phc{memory: PasswordMemory, passes: PasswordPasses, lanes: PasswordLanes, salt: make([]byte, passwordSalt), hash: make([]byte, passwordHash)}
	rand.Read(p.salt)
	var err error
	if p.hash, err = h.derive(ctx, password, p); err != nil {
		return "", err
	}
	return p.String(), nil
}

// Verify tells whether the password belongs to the hash, in time that does not depend on how they differ, and whether the hash should be
// made anew because its parameters are weaker than today's (only when ok). Errors: ErrFormat and ErrLimit for the hash, ErrLimit for the
// password, ErrBusy, the context's.
func (h *Hasher) Verify(ctx context.Context, password Secret, hash string) (ok, rehash bool, err error) {
	p, err := parsePHC(hash)
	if err != nil {
		return false, false, err
	}
	got, err := h.derive(ctx, password, p)
	if err != nil {
		return false, false, err
	}
	ok = subtle.ConstantTimeCompare(got, p.hash) == 1
	return ok, ok && p.weak(), nil
}

// VerifyNobody costs what Verify costs and finds nothing: for a user that does not exist or has no password, so that the time of the
// answer does not tell.
func (h *Hasher) VerifyNobody(ctx context.Context, password Secret) error {
	p := phc{memory: PasswordMemory, passes: PasswordPasses, lanes: PasswordLanes, salt: make([]byte, passwordSalt), hash: make([]byte, passwordHash)}
	_, err := h.derive(ctx, password, p)
	return err
}

func (h *Hasher) derive(ctx context.Context, password Secret, p phc) ([]byte, error) {
	if password.Len() > MaxPassword {
		return nil, fmt.Errorf("keyring: password of %d bytes, the limit is %d: %w", password.Len(), MaxPassword, ErrLimit)
	}
	if h.waiting.Add(1) > h.most {
		h.waiting.Add(-1)
		return nil, fmt.Errorf("keyring: %w", ErrBusy)
	}
	defer h.waiting.Add(-1)
	// A hash that asks for more than there is takes all of it, and works alone.
	weight := min(int64(p.memory), h.size)
	if err := h.memory.Acquire(ctx, weight); err != nil {
		return nil, fmt.Errorf("keyring: wait to check a password: %w", err)
	}
	defer h.memory.Release(weight)
	return argon2.IDKey([]byte(password.Reveal()), p.salt, p.passes, p.memory, p.lanes, uint32(len(p.hash))), nil
}

// phc is a parsed hash in the PHC string format.
type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, hash     []byte
}

var phcEncoding = base64.RawStdEncoding.Strict()

func (p phc) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.passes, p.lanes,
		phcEncoding.EncodeToString(p.salt), phcEncoding.EncodeToString(p.hash))
}

func (p phc) weak() bool {
	return p.memory < PasswordMemory || p.passes < PasswordPasses || len(p.salt) < passwordSalt || len(p.hash) < passwordHash
}

// CheckPasswordHash tells whether Verify would accept the form and the parameters of a hash, for hashes that are brought from elsewhere.
func CheckPasswordHash(hash string) error {
	_, err := parsePHC(hash)
	return err
}

// parsePHC reads a hash and refuses parameters that cost too much. Errors quote no part of salt or hash.
func parsePHC(text string) (phc, error) {
	bad := func(why string) (phc, error) {
		return phc{}, fmt.Errorf("keyring: password hash: %s: %w", why, ErrFormat)
	}
	if len(text) > maxPasswordHash {
		return phc{}, fmt.Errorf("keyring: password hash of %d bytes, the limit is %d: %w", len(text), maxPasswordHash, ErrLimit)
	}
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" {
		return bad("not of the form $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	}
	if parts[1] != "argon2id" {
		return bad("only argon2id is known")
	}
	if parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return bad("only version 19 is known")
	}
	params := strings.Split(parts[3], ",")
	if len(params) != 3 {
		return bad("parameters are m, t and p")
	}
	var n [3]uint32
	for i, want := range []struct {
		name     string
		min, max uint32
	}{{"m=", 8, maxMemory}, {"t=", 1, maxPasses}, {"p=", 1, maxLanes}} {
		digits, found := strings.CutPrefix(params[i], want.name)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !found || err != nil || strconv.FormatUint(v, 10) != digits {
			return bad("parameter " + want.name + " is not a plain number")
		}
		if uint32(v) < want.min || uint32(v) > want.max {
			return phc{}, fmt.Errorf("keyring: password hash: %s%d is not in %d…%d: %w", want.name, v, want.min, want.max, ErrLimit)
		}
		n[i] = uint32(v)
	}
	p := phc{memory: n[0], passes: n[1], lanes: uint8(n[2])}
	if p.memory < 8*uint32(p.lanes) {
		return bad("less than 8 KiB of memory per lane")
	}
	var err error
	if p.salt, err = phcEncoding.DecodeString(parts[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return bad("the salt is not 8 to 64 bytes of unpadded base64")
	}
	if p.hash, err = phcEncoding.DecodeString(parts[5]); err != nil || len(p.hash) < 16 || len(p.hash) > 64 {
		return bad("the hash is not 16 to 64 bytes of unpadded base64")
	}
	if p.String() != text { // the base64 package skips line ends
		return bad("line ends inside")
	}
	return p, nil
}
