package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)

const unit1, unit2 = "acct/123456789012", "acct/210987654321"

func testMaster(t testing.TB, fill byte) Master {
	t.Helper()
	key := bytes.Repeat([]byte{fill}, MasterBytes)
	key[0] ^= 0xff
	m, err := MasterFromBytes(key)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func testCell(t testing.TB) *Cell {
	t.Helper()
	c, err := NewCell("cell", t0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func testAccount(t testing.TB, unit string) *Account {
	t.Helper()
	a, err := NewAccountKeyset(unit, t0)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: error %v, want %v", what, err, want)
	}
}

func TestHierarchyRoundTrip(t *testing.T) {
	t.Parallel()
	master, c, a := testMaster(t, 1), testCell(t), testAccount(t, unit1)
	wrapped, err := c.Wrap(t.Context(), master)
	if err != nil {
		t.Fatal(err)
	}
	sealedKeyset, err := a.Sealed(c)
	if err != nil {
		t.Fatal(err)
	}
	token, err := c.Seal("session", "ASIAQNZGKIQY56JQ7WML", []byte("claims"))
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range [][]byte{nil, []byte("x"), []byte("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), bytes.Repeat([]byte("z"), MaxPlaintext)} {
		sealed, err := a.Seal("access-key", "AKIA1", plain)
		if err != nil {
			t.Fatal(err)
		}
		// As after a restart: everything from stored bytes.
		c2, err := OpenCell(t.Context(), "cell", wrapped, testMaster(t, 9), testMaster(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		a2, err := OpenAccount(c2, unit1, sealedKeyset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := a2.Open("access-key", "AKIA1", sealed)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: got %d bytes, %v", len(plain), len(got), err)
		}
		if got, err := c2.Open("session", "ASIAQNZGKIQY56JQ7WML", token); err != nil || string(got) != "claims" {
			t.Fatalf("token: %q, %v", got, err)
		}
		if k, want := fmt.Sprint(a2.Keys(), c2.Keys()), fmt.Sprint(a.Keys(), c.Keys()); k != want {
			t.Fatalf("keys %s, want %s", k, want)
		}
	}
	if k := a.Keys(); len(k) != 1 || !k[0].Primary || !k[0].Made.Equal(t0) || !k[0].Promoted.Equal(t0) || !k[0].Retired.IsZero() {
		t.Errorf("keys of a new keyset: %+v", k)
	}
	if id, err := MasterID(wrapped); err != nil || id != master.ID() {
		t.Errorf("MasterID = %q, %v, want %q", id, err, master.ID())
	}
	if id, ok := KeyID(sealedKeyset); !ok || id != c.Keys()[0].ID {
		t.Errorf("KeyID of the account keyset = %x, %v", id, ok)
	}
	if id, ok := KeyID(token); !ok || id != c.Keys()[0].ID {
		t.Errorf("KeyID of the token = %x, %v", id, ok)
	}
	if _, ok := KeyID(wrapped); ok {
		t.Error("KeyID of a cell keyset: a master is no key of a keyset")
	}
}

// Nonces must never repeat, and a key must not be shared between accounts.
func TestSealingIsFresh(t *testing.T) {
	t.Parallel()
	a := testAccount(t, unit1)
	seen := map[string]bool{}
	for range 2000 {
		b, err := a.Seal("k", "i", []byte("same"))
		if err != nil {
			t.Fatal(err)
		}
		nonce := string(b[prefixBytes : prefixBytes+24])
		if seen[nonce] {
			t.Fatal("nonce used twice")
		}
		seen[nonce] = true
	}
}

func TestTampering(t *testing.T) {
	t.Parallel()
	master, c, a := testMaster(t, 1), testCell(t), testAccount(t, unit1)
	a, _, err := a.AddKey(t0.Add(time.Hour)) // so that the stored form has more than one key
	if err != nil {
		t.Fatal(err)
	}
	wrapped, _ := c.Wrap(t.Context(), master)
	keyset, _ := a.Sealed(c)
	sealed, _ := a.Seal("access-key", "AKIA1", []byte("secret"))
	token, _ := c.Seal("session", "ASIA1", []byte("claims"))
	for name, tc := range map[string]struct {
		good []byte
		open func([]byte) error
	}{
		"cell":    {wrapped, func(b []byte) error { _, err := OpenCell(t.Context(), "cell", b, master); return err }},
		"account": {keyset, func(b []byte) error { _, err := OpenAccount(c, unit1, b); return err }},
		"record":  {sealed, func(b []byte) error { _, err := a.Open("access-key", "AKIA1", b); return err }},
		"token":   {token, func(b []byte) error { _, err := c.Open("session", "ASIA1", b); return err }},
	} {
		if err := tc.open(tc.good); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for i := range tc.good {
			for bit := range 8 {
				bad := bytes.Clone(tc.good)
				bad[i] ^= 1 << bit
				if tc.open(bad) == nil {
					t.Errorf("%s: opens with bit %d of byte %d of %d changed", name, bit, i, len(bad))
				}
			}
			if tc.open(tc.good[:i]) == nil {
				t.Errorf("%s: opens when cut to %d of %d bytes", name, i, len(tc.good))
			}
		}
		if tc.open(append(bytes.Clone(tc.good), 0)) == nil {
			t.Errorf("%s: opens with a byte more", name)
		}
	}
}

func TestNothingOpensElsewhere(t *testing.T) {
	t.Parallel()
	m1, m2 := testMaster(t, 1), testMaster(t, 2)
	c, c2 := testCell(t), testCell(t)
	a := testAccount(t, unit1)
	wrapped, _ := c.Wrap(t.Context(), m1)
	keyset, _ := a.Sealed(c)
	sealed, _ := a.Seal("access-key", "AKIA1", []byte("secret"))
	token, _ := c.Seal("session", "ASIA1", []byte("claims"))

	// The same keys under the name of another unit, as after copying the bytes in the store.
	thief := &Account{&ring{purpose: forAccount, unit: unit2, handle: a.r.handle, aead: a.r.aead, keys: a.r.keys, primary: a.r.primary}}
	asCell := &Cell{&ring{purpose: forCell, unit: unit1, handle: a.r.handle, aead: a.r.aead, keys: a.r.keys, primary: a.r.primary}}
	cases := []struct {
		name string
		open func() error
		want error
	}{
		{"record, other kind", func() error { _, err := a.Open("totp", "AKIA1", sealed); return err }, ErrOpen},
		{"record, other id", func() error { _, err := a.Open("access-key", "AKIA2", sealed); return err }, ErrOpen},
		{"record, kind and id shifted", func() error { _, err := a.Open("access-keyA", "KIA1", sealed); return err }, ErrOpen},
		{"record, other unit, same keys", func() error { _, err := thief.Open("access-key", "AKIA1", sealed); return err }, ErrOpen},
		{"record, other purpose, same keys", func() error { _, err := asCell.Open("access-key", "AKIA1", sealed); return err }, ErrOpen},
		{"record, other account", func() error { _, err := testAccount(t, unit2).Open("access-key", "AKIA1", sealed); return err }, ErrUnknownKey},
		{"token, other id", func() error { _, err := c.Open("session", "ASIA2", token); return err }, ErrOpen},
		{"token, other cell", func() error { _, err := c2.Open("session", "ASIA1", token); return err }, ErrUnknownKey},
		{"account keyset, other unit", func() error { _, err := OpenAccount(c, unit2, keyset); return err }, ErrOpen},
		{"account keyset, other cell", func() error { _, err := OpenAccount(c2, unit1, keyset); return err }, ErrUnknownKey},
		{"account keyset as record", func() error { _, err := c.Open("account", unit1, keyset); return err }, ErrOpen},
		{"account keyset as cell", func() error { _, err := OpenCell(t.Context(), "cell", keyset, m1); return err }, ErrFormat},
		{"cell as account keyset", func() error { _, err := OpenAccount(c, unit1, wrapped); return err }, ErrFormat},
		{"record as account keyset", func() error { _, err := OpenAccount(c, unit1, sealed); return err }, ErrFormat},
		{"cell, other unit", func() error { _, err := OpenCell(t.Context(), "cell/2", wrapped, m1); return err }, ErrOpen},
		{"cell, other master", func() error { _, err := OpenCell(t.Context(), "cell", wrapped, m2); return err }, ErrWrongMaster},
		{"cell, no master", func() error { _, err := OpenCell(t.Context(), "cell", wrapped); return err }, ErrWrongMaster},
		{"cell, master with a borrowed id", func() error {
			_, err := OpenCell(t.Context(), "cell", wrapped, renamed{m2, m1.ID()})
			return err
		}, ErrOpen},
		{"empty", func() error { _, err := a.Open("access-key", "AKIA1", nil); return err }, ErrFormat},
	}
	for _, tc := range cases {
		wantErr(t, tc.name, tc.open(), tc.want)
	}
	_, err := OpenCell(t.Context(), "cell", wrapped, m2)
	if msg := fmt.Sprint(err); !strings.Contains(msg, m1.ID()) || !strings.Contains(msg, m2.ID()) {
		t.Errorf("the error must name both master keys: %v", err)
	}
}

type renamed struct {
	Master
	id string
}

func (r renamed) ID() string { return r.id }

func TestLimits(t *testing.T) {
	t.Parallel()
	a := testAccount(t, unit1)
	long := strings.Repeat("n", MaxName+1)
	check := func(name string, want error, f func() error) { t.Helper(); wantErr(t, name, f(), want) }
	check("plaintext", ErrLimit, func() error { _, err := a.Seal("k", "i", make([]byte, MaxPlaintext+1)); return err })
	check("kind", ErrLimit, func() error { _, err := a.Seal(long, "i", nil); return err })
	check("id", ErrLimit, func() error { _, err := a.Seal("k", long, nil); return err })
	check("empty kind", ErrFormat, func() error { _, err := a.Seal("", "i", nil); return err })
	check("sealed", ErrLimit, func() error { _, err := a.Open("k", "i", make([]byte, maxSealed+1)); return err })
	check("empty unit", ErrFormat, func() error { _, err := NewCell("", t0); return err })
	check("long unit", ErrFormat, func() error { _, err := NewAccountKeyset(long, t0); return err })
	check("keyset bytes", ErrLimit, func() error {
		_, err := OpenAccount(testCell(t), unit1, append([]byte("K\x01a"), make([]byte, maxKeysetBytes)...))
		return err
	})
	check("master without id", ErrFormat, func() error { _, err := testCell(t).Wrap(t.Context(), renamed{testMaster(t, 1), ""}); return err })
	if _, err := a.Seal("k", "", nil); err != nil {
		t.Errorf("an empty id is allowed: %v", err)
	}
	for range MaxKeys - 1 {
		var err error
		if a, _, err = a.AddKey(t0); err != nil {
			t.Fatal(err)
		}
	}
	check("one key too many", ErrLimit, func() error { _, _, err := a.AddKey(t0); return err })
	// The longest form must still be readable.
	c := testCell(t)
	b, err := a.Sealed(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OpenAccount(c, unit1, b); err != nil || len(got.Keys()) != MaxKeys {
		t.Errorf("%d keys: %v", MaxKeys, err)
	}
}

var errKMS = errors.New("KMS is not reachable")

type failing struct{ Master }

func (failing) Wrap(context.Context, []byte, []byte) ([]byte, error)   { return nil, errKMS }
func (failing) Unwrap(context.Context, []byte, []byte) ([]byte, error) { return nil, errKMS }

// What a KMS says must reach the operator, and the caller's errors.Is.
func TestMasterErrorsAreKept(t *testing.T) {
	t.Parallel()
	m, c := testMaster(t, 1), testCell(t)
	wrapped, err := c.Wrap(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenCell(t.Context(), "cell", wrapped, failing{m})
	wantErr(t, "unwrap", err, errKMS)
	_, err = c.Wrap(t.Context(), failing{m})
	wantErr(t, "wrap", err, errKMS)
}

func TestRewrap(t *testing.T) {
	t.Parallel()
	old, next := testMaster(t, 1), testMaster(t, 2)
	c := testCell(t)
	token, _ := c.Seal("session", "ASIA1", []byte("claims"))
	before, _ := c.Wrap(t.Context(), old)
	after, err := Rewrap(t.Context(), "cell", before, next, old)
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenCell(t.Context(), "cell", after, old)
	wantErr(t, "the old master after Rewrap", err, ErrWrongMaster)
	c2, err := OpenCell(t.Context(), "cell", after, next)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c2.Open("session", "ASIA1", token); err != nil || string(got) != "claims" {
		t.Errorf("token after Rewrap: %q, %v", got, err)
	}
	_, err = Rewrap(t.Context(), "cell", after, next, old)
	wantErr(t, "Rewrap from the wrong master", err, ErrWrongMaster)
}

// The head is plain; what it says must be what the ciphertext holds even for someone who has the wrapping key.
func TestHeadMustMatchKeyset(t *testing.T) {
	t.Parallel()
	m, c := testMaster(t, 1), testCell(t)
	c2, id, err := c.AddKey(t0)
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string][]KeyInfo{
		"one key less": c2.r.keys[:1],
		"other primary": {
			{ID: c2.r.keys[0].ID}, {ID: id, Primary: true},
		},
		"other id": {c2.r.keys[0], {ID: id + 1}},
	} {
		forged := *c2.r
		forged.keys = keys
		if name == "other primary" {
			forged.primary = id
		}
		b, err := (&Cell{&forged}).Wrap(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		_, err = OpenCell(t.Context(), "cell", b, m)
		wantErr(t, name, err, ErrFormat)
	}
}
