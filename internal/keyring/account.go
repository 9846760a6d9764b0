package keyring

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Account is the opened keyset of one account. Immutable, safe for concurrent use, about 1 KB of memory.
//
// Opening costs some 5 µs, so callers keep the handle: for one request, or in an AccountCache.
type Account struct{ r *ring }

// NewAccountKeyset makes an account keyset with one key, for the unit where it will be stored (such as "acct/123456789012").
// Sealed gives the bytes to store.
func NewAccountKeyset(unit string, now time.Time) (*Account, error) {
	r, err := newRing(forAccount, unit, now)
	return accountOf(r, err)
}

func accountOf(r *ring, err error) (*Account, error) {
	if err != nil {
		return nil, err
	}
	return &Account{r}, nil
}

func (c *Cell) wrapping() *wrapping {
	return &wrapping{
		encrypt: func(_ context.Context, plaintext, ad []byte) ([]byte, error) { return c.r.aead.Encrypt(plaintext, ad) },
		decrypt: func(_ context.Context, ciphertext, ad []byte) ([]byte, error) {
			b, err := c.r.aead.Decrypt(ciphertext, ad)
			if err != nil {
				err = c.r.whyNot(ciphertext)
			}
			return b, err
		},
	}
}

// Sealed gives the form to store, sealed under the primary key of the cell and bound to the account's unit. Each call gives other bytes.
func (a *Account) Sealed(c *Cell) ([]byte, error) {
	b, err := a.r.store(context.Background(), "", c.wrapping())
	if err != nil {
		return nil, fmt.Errorf("keyring: seal %v: %w", a.r, err)
	}
	return b, nil
}

// OpenAccount opens what Sealed gave for the same unit. Errors: ErrFormat, ErrLimit, ErrUnknownKey (sealed under a key that the cell
// does not hold), ErrOpen.
func OpenAccount(c *Cell, unit string, sealed []byte) (*Account, error) {
	s, err := parseStored(sealed, forAccount)
	if err != nil {
		return nil, fmt.Errorf("keyring: open %s: %w", unit, err)
	}
	if s.master != "" {
		return nil, fmt.Errorf("keyring: open %s: an account keyset names no master key: %w", unit, ErrFormat)
	}
	r, err := loadRing(context.Background(), forAccount, unit, s, c.wrapping())
	if err != nil {
		return nil, fmt.Errorf("keyring: open account keyset of %s: %w", unit, err)
	}
	return &Account{r}, nil
}

// ResealAccount seals an account keyset anew under the cell's primary key. changed is false, and the bytes are returned unread, when they
// are under it already.
func ResealAccount(c *Cell, unit string, sealed []byte) (fresh []byte, changed bool, err error) {
	if under, ok := KeyID(sealed); ok && under == c.r.primary {
		return sealed, false, nil
	}
	a, err := OpenAccount(c, unit, sealed)
	if err != nil {
		return nil, false, err
	}
	fresh, err = a.Sealed(c)
	return fresh, err == nil, err
}

// Seal encrypts plaintext under the primary key for one record: a kind (such as "access-key") and its id. Both are needed again to open.
// Limits: MaxPlaintext, MaxName. kind must not be empty.
func (a *Account) Seal(kind, id string, plaintext []byte) ([]byte, error) {
	return a.r.seal(kind, id, plaintext)
}

// Open gives the plaintext of what Seal gave for the same kind and id. Errors: ErrFormat, ErrLimit, ErrUnknownKey, ErrOpen.
func (a *Account) Open(kind, id string, sealed []byte) ([]byte, error) {
	return a.r.open(kind, id, sealed)
}

// Reseal seals anew under the primary key. changed is false, and the bytes are returned unread, when they are under it already.
func (a *Account) Reseal(kind, id string, sealed []byte) (fresh []byte, changed bool, err error) {
	return a.r.reseal(kind, id, sealed)
}

// Keys lists the keys in the order they were made. The slice is the caller's.
func (a *Account) Keys() []KeyInfo { return slices.Clone(a.r.keys) }

// AddKey gives an account keyset with one more key, which is not primary, and the id of that key. The result must be sealed and stored.
func (a *Account) AddKey(now time.Time) (*Account, uint32, error) {
	r, id, err := a.r.addKey(now)
	next, err := accountOf(r, err)
	return next, id, err
}

// Promote makes a key primary and retires the previous one. The caller's duty: every live node has a keyset that holds the key.
// Promoting the primary key changes nothing; a retired key is not promoted again (ErrKeyState).
func (a *Account) Promote(id uint32, now time.Time) (*Account, error) {
	return accountOf(a.r.promote(id, now))
}

// RemoveKey drops a key that is not primary. The caller's duty: no record is sealed under it. Errors: ErrUnknownKey, ErrKeyState.
func (a *Account) RemoveKey(id uint32) (*Account, error) { return accountOf(a.r.removeKey(id)) }

// String names the keyset and its primary key, never key material.
func (a *Account) String() string { return a.r.String() }
