package keyring

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Hashes of "password" that other programs made: the reference implementation's own tests, and libsodium's parameters with p=1.
const referenceHash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestPasswords(t *testing.T) {
	t.Parallel()
	h := NewHasher(1, 0)
	hash, err := h.Hash(t.Context(), NewSecret("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || CheckPasswordHash(hash) != nil {
		t.Errorf("hash %s", hash)
	}
	if other, _ := h.Hash(t.Context(), NewSecret("correct horse")); other == hash {
		t.Error("two hashes with the same salt")
	}
	weak := "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" + strings.Repeat("A", 43)
	for _, tc := range []struct {
		name, password, hash string
		ok, rehash           bool
		err                  error
	}{
		{"right", "correct horse", hash, true, false, nil},
		{"wrong", "correct hors", hash, false, false, nil},
		{"empty", "", hash, false, false, nil},
		{"reference implementation", "password", referenceHash, true, true, nil}, // its salt has 8 bytes only
		{"reference implementation, wrong", "Password", referenceHash, false, false, nil},
		{"weak parameters, wrong", "x", weak, false, false, nil},
		{"no hash", "x", "", false, false, ErrFormat},
		{"long password", strings.Repeat("x", MaxPassword+1), hash, false, false, ErrLimit},
	} {
		ok, rehash, err := h.Verify(t.Context(), NewSecret(tc.password), tc.hash)
		if ok != tc.ok || rehash != tc.rehash || !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, %v, %v; want %v, %v, %v", tc.name, ok, rehash, err, tc.ok, tc.rehash, tc.err)
		}
	}
	if err := h.VerifyNobody(t.Context(), NewSecret("x")); err != nil {
		t.Error(err)
	}
}

func TestRehash(t *testing.T) {
	t.Parallel()
	salt, sum := make([]byte, 16), make([]byte, 32)
	for _, tc := range []struct {
		p    phc
		want bool
	}{
		{phc{PasswordMemory, PasswordPasses, PasswordLanes, salt, sum}, false},
		{phc{maxMemory, maxPasses, maxLanes, salt, sum}, false},
		{phc{PasswordMemory - 1, PasswordPasses, PasswordLanes, salt, sum}, true},
		{phc{PasswordMemory, PasswordPasses - 1, PasswordLanes, salt, sum}, true},
		{phc{PasswordMemory, PasswordPasses, PasswordLanes, salt[:15], sum}, true},
		{phc{PasswordMemory, PasswordPasses, PasswordLanes, salt, sum[:31]}, true},
	} {
		back, err := parsePHC(tc.p.String())
		if err != nil || tc.p.weak() != tc.want || back.weak() != tc.want || back.String() != tc.p.String() {
			t.Errorf("%s: weak %v, want %v; parsed again %s, %v", tc.p, tc.p.weak(), tc.want, back, err)
		}
	}
}

var badHashes = []struct {
	name, hash string
	want       error
}{
	{"empty", "", ErrFormat},
	{"plain text", "hunter2", ErrFormat},
	{"bcrypt", "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", ErrFormat},
	{"argon2i", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"version", "$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"4 TiB of memory", "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrLimit},
	{"memory that wraps around", "$argon2id$v=19$m=4294967304,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"memory just over", "$argon2id$v=19$m=65537,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrLimit},
	{"many passes", "$argon2id$v=19$m=65536,t=9,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrLimit},
	{"no passes", "$argon2id$v=19$m=65536,t=0,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrLimit},
	{"no lanes", "$argon2id$v=19$m=65536,t=2,p=0$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrLimit},
	{"many lanes", "$argon2id$v=19$m=65536,t=2,p=255$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrLimit},
	{"less memory than lanes need", "$argon2id$v=19$m=8,t=2,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"sign", "$argon2id$v=19$m=+65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"leading zero", "$argon2id$v=19$m=065536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"order", "$argon2id$v=19$t=2,m=65536,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"no salt", "$argon2id$v=19$m=65536,t=2,p=1$$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"empty hash", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$", ErrFormat},
	{"padding", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ=$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", ErrFormat},
	{"line end inside", "$argon2id$v=19$m=10,t=1,p=1$000\r00000000$00000000000000000000000", ErrFormat},
	{"one field more", referenceHash + "$x", ErrFormat},
	{"long", referenceHash + strings.Repeat("A", maxPasswordHash), ErrLimit},
}

func TestHostileHashes(t *testing.T) {
	t.Parallel()
	for _, tc := range badHashes {
		wantErr(t, tc.name, CheckPasswordHash(tc.hash), tc.want)
		if err := CheckPasswordHash(tc.hash); strings.Contains(fmt.Sprint(err), "CTFh") || strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: the error quotes the hash: %v", tc.name, err)
		}
	}
}

func TestHasherIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(1, 1)
		if err := h.memory.Acquire(t.Context(), h.size); err != nil { // as if one were at work
			t.Fatal(err)
		}
		h.waiting.Add(1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		done := make(chan error)
		go func() { done <- h.VerifyNobody(ctx, NewSecret("x")) }()
		synctest.Wait()
		wantErr(t, "one more than the queue holds", h.VerifyNobody(t.Context(), NewSecret("x")), ErrBusy)
		wantErr(t, "the waiting one, after its second", <-done, context.DeadlineExceeded)
		h.memory.Release(h.size)
		h.waiting.Add(-1)
		if err := h.VerifyNobody(t.Context(), NewSecret("x")); err != nil {
			t.Errorf("afterwards: %v", err)
		}
		// A hash that wants more than there is must not wait for ever.
		if ok, _, err := h.Verify(t.Context(), NewSecret("password"), referenceHash); !ok || err != nil {
			t.Errorf("64 MiB with a budget of 19: %v, %v", ok, err)
		}
		if n := h.waiting.Load(); n != 0 {
			t.Errorf("%d are counted as waiting", n)
		}
	})
}
