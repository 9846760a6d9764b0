package keyring

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cell is the opened keyset of a store. It seals the keysets of accounts and the session tokens. Immutable, safe for concurrent use.
type Cell struct{ r *ring }

// NewCell makes a cell keyset with one key, for the unit where it will be stored (such as "cell").
func NewCell(unit string, now time.Time) (*Cell, error) {
	r, err := newRing(forCell, unit, now)
	return cellOf(r, err)
}

func cellOf(r *ring, err error) (*Cell, error) {
	if err != nil {
		return nil, err
	}
	return &Cell{r}, nil
}

// Wrap gives the form to store, encrypted by master and bound to the cell's unit. Each call gives other bytes.
func (c *Cell) Wrap(ctx context.Context, master Master) ([]byte, error) {
	id := master.ID()
	if id == "" || len(id) > MaxName {
		return nil, fmt.Errorf("keyring: wrap %v: the master key's id has %d bytes: %w", c.r, len(id), ErrFormat)
	}
	b, err := c.r.store(ctx, id, &wrapping{encrypt: master.Wrap, decrypt: master.Unwrap})
	if err != nil {
		return nil, fmt.Errorf("keyring: wrap %v under master key %s: %w", c.r, id, err)
	}
	return b, nil
}

// OpenCell opens what Wrap gave for the same unit. Of the masters, that one is used whose id stands in the wrapped form, so that a node
// may start with the new master key and the previous one while the master is being replaced.
// Errors: ErrFormat, ErrLimit, ErrWrongMaster (none of the masters wrapped it), ErrOpen, or what the master returns.
func OpenCell(ctx context.Context, unit string, wrapped []byte, masters ...Master) (*Cell, error) {
	s, err := parseStored(wrapped, forCell)
	if err != nil {
		return nil, fmt.Errorf("keyring: open %s: %w", unit, err)
	}
	i := slices.IndexFunc(masters, func(m Master) bool { return m.ID() == s.master })
	if i < 0 {
		var given []string
		for _, m := range masters {
			given = append(given, m.ID())
		}
		return nil, fmt.Errorf("keyring: open %s: it is wrapped under master key %q, given: %q: %w", unit, s.master, strings.Join(given, ", "), ErrWrongMaster)
	}
	r, err := loadRing(ctx, forCell, unit, s, &wrapping{encrypt: masters[i].Wrap, decrypt: masters[i].Unwrap})
	if err != nil {
		return nil, fmt.Errorf("keyring: open %s with master key %s: %w", unit, s.master, err)
	}
	return &Cell{r}, nil
}

// MasterID names the master key under which a cell keyset is wrapped. It reads the plain head only and proves nothing.
func MasterID(wrapped []byte) (string, error) {
	s, err := parseStored(wrapped, forCell)
	if err != nil {
		return "", fmt.Errorf("keyring: %w", err)
	}
	return s.master, nil
}

// Rewrap is the rotation of the master key: it opens the cell keyset with one of the from masters and wraps it under to. The keys in the
// keyset stay the same, so nothing else has to be written. When the result is stored, from is needed for older backups only.
func Rewrap(ctx context.Context, unit string, wrapped []byte, to Master, from ...Master) ([]byte, error) {
	c, err := OpenCell(ctx, unit, wrapped, from...)
	if err != nil {
		return nil, err
	}
	return c.Wrap(ctx, to)
}

// Seal encrypts plaintext under the primary key for one record: a kind (such as "session") and its id. Both are needed again to open.
// Limits: MaxPlaintext, MaxName. kind must not be empty.
func (c *Cell) Seal(kind, id string, plaintext []byte) ([]byte, error) {
	return c.r.seal(kind, id, plaintext)
}

// Open gives the plaintext of what Seal gave for the same kind and id. Errors: ErrFormat, ErrLimit, ErrUnknownKey, ErrOpen.
func (c *Cell) Open(kind, id string, sealed []byte) ([]byte, error) {
	return c.r.open(kind, id, sealed)
}

// Reseal seals anew under the primary key. changed is false, and the bytes are returned unread, when they are under it already.
func (c *Cell) Reseal(kind, id string, sealed []byte) (fresh []byte, changed bool, err error) {
	return c.r.reseal(kind, id, sealed)
}

// Keys lists the keys in the order they were made. The slice is the caller's.
func (c *Cell) Keys() []KeyInfo { return slices.Clone(c.r.keys) }

// AddKey gives a cell keyset with one more key, which is not primary, and the id of that key.
func (c *Cell) AddKey(now time.Time) (*Cell, uint32, error) {
	r, id, err := c.r.addKey(now)
	next, err := cellOf(r, err)
	return next, id, err
}

// Promote makes a key primary and retires the previous one. The caller's duty: every live node has a keyset that holds the key, or that
// node cannot open what others seal. Promoting the primary key changes nothing; a retired key is not promoted again (ErrKeyState).
func (c *Cell) Promote(id uint32, now time.Time) (*Cell, error) { return cellOf(c.r.promote(id, now)) }

// RemoveKey drops a key that is not primary. The caller's duty: nothing that is sealed under it is needed any more, not an account's
// keyset, not a living token. Errors: ErrUnknownKey, ErrKeyState.
func (c *Cell) RemoveKey(id uint32) (*Cell, error) { return cellOf(c.r.removeKey(id)) }

// String names the keyset and its primary key, never key material.
func (c *Cell) String() string { return c.r.String() }
