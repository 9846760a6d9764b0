package keyring

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/xchacha20poly1305"
	"github.com/tink-crypto/tink-go/v2/keyset"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Limits. MaxPlaintext is in bytes, MaxName is the length in bytes of a unit, kind or record id, MaxKeys counts the keys of a keyset.
const (
	MaxPlaintext = 1 << 20
	MaxName      = 2048
	MaxKeys      = 8

	maxSealed       = MaxPlaintext + sealOverhead
	maxKeysetBytes  = 64 << 10
	sealOverhead    = prefixBytes + 24 + 16 // key id, nonce, tag
	prefixBytes     = 5
	tinkPrefix      = 0x01
	keysetMagic     = 'K'
	keysetVersion   = 1
	keyRecordBytes  = 4 + 3*8
	keysetHeadBytes = 3
)

var (
	// ErrOpen: the bytes do not open. They were changed, or were sealed for another unit, kind or id, or by another keyset.
	ErrOpen = errors.New("cannot be opened: changed, or sealed for something else")
	// ErrUnknownKey: sealed under a key that the keyset does not hold (any more), or a key id that it does not hold.
	ErrUnknownKey = errors.New("key not in the keyset")
	// ErrFormat: the bytes do not have the form of what they should be.
	ErrFormat = errors.New("malformed")
	// ErrLimit: one of the package's limits is exceeded.
	ErrLimit = errors.New("too large")
	// ErrKeyState: the key cannot take this step of the rotation.
	ErrKeyState = errors.New("wrong step of the key rotation")
)

// KeyInfo is what may be known of a key without the key. Times are UTC with millisecond precision.
type KeyInfo struct {
	ID       uint32
	Primary  bool      // new things are sealed under it
	Made     time.Time // added to the keyset
	Promoted time.Time // became primary; zero when it never was
	Retired  time.Time // ceased to be primary; zero when it has not
}

// purpose tells what a keyset is for. It stands in the stored form and in the associated data.
type purpose byte

const (
	forCell    purpose = 'c'
	forAccount purpose = 'a'
)

func (p purpose) String() string {
	if p == forCell {
		return "cell keyset"
	}
	return "account keyset"
}

// ring is what Cell and Account share: an opened keyset of one unit. Immutable.
type ring struct {
	purpose purpose
	unit    string
	handle  *keyset.Handle
	aead    tink.AEAD
	keys    []KeyInfo // in the order they were made
	primary uint32
}

func newRing(p purpose, unit string, now time.Time) (*ring, error) {
	if unit == "" || len(unit) > MaxName {
		return nil, fmt.Errorf("keyring: new %v: unit name of %d bytes: %w", p, len(unit), ErrFormat)
	}
	manager := keyset.NewManager()
	id, err := addKey(manager)
	if err != nil {
		return nil, fmt.Errorf("keyring: new %v: %w", p, err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("keyring: new %v: %w", p, err)
	}
	at := stamp(now)
	return finishRing(p, unit, manager, []KeyInfo{{ID: id, Primary: true, Made: at, Promoted: at}})
}

func addKey(m *keyset.Manager) (uint32, error) {
	params, err := xchacha20poly1305.NewParameters(xchacha20poly1305.VariantTink)
	if err != nil {
		return 0, err
	}
	return m.AddNewKeyFromParameters(params)
}

func finishRing(p purpose, unit string, m *keyset.Manager, keys []KeyInfo) (*ring, error) {
	handle, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("keyring: %v of %s: %w", p, unit, err)
	}
	return ringOf(p, unit, handle, keys)
}

func ringOf(p purpose, unit string, handle *keyset.Handle, keys []KeyInfo) (*ring, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("keyring: %v of %s: %w", p, unit, err)
	}
	r := &ring{purpose: p, unit: unit, handle: handle, aead: primitive, keys: keys}
	i := slices.IndexFunc(keys, func(k KeyInfo) bool { return k.Primary })
	if i < 0 {
		return nil, fmt.Errorf("keyring: %v of %s has no primary key: %w", p, unit, ErrFormat)
	}
	r.primary = keys[i].ID
	return r, nil
}

// stamp gives the precision that is stored.
func stamp(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

func (r *ring) find(id uint32) int {
	return slices.IndexFunc(r.keys, func(k KeyInfo) bool { return k.ID == id })
}

func (r *ring) String() string {
	return fmt.Sprintf("%v of %s (primary %08x)", r.purpose, r.unit, r.primary)
}

// Rotation. Each step returns a new ring and leaves r as it was.

func (r *ring) addKey(now time.Time) (*ring, uint32, error) {
	if len(r.keys) >= MaxKeys {
		return nil, 0, fmt.Errorf("keyring: %v has %d keys already, remove one first: %w", r, len(r.keys), ErrLimit)
	}
	m := keyset.NewManagerFromHandle(r.handle)
	id, err := addKey(m)
	if err != nil {
		return nil, 0, fmt.Errorf("keyring: %v: %w", r, err)
	}
	next, err := finishRing(r.purpose, r.unit, m, append(slices.Clone(r.keys), KeyInfo{ID: id, Made: stamp(now)}))
	return next, id, err
}

func (r *ring) promote(id uint32, now time.Time) (*ring, error) {
	i, old := r.find(id), r.find(r.primary)
	switch {
	case i < 0:
		return nil, fmt.Errorf("keyring: promote key %08x of %v: %w", id, r, ErrUnknownKey)
	case i == old:
		return r, nil
	case !r.keys[i].Retired.IsZero():
		return nil, fmt.Errorf("keyring: promote key %08x of %v: it was retired already: %w", id, r, ErrKeyState)
	}
	m := keyset.NewManagerFromHandle(r.handle)
	if err := m.SetPrimary(id); err != nil {
		return nil, fmt.Errorf("keyring: %v: %w", r, err)
	}
	// A clock that went back must not make the retired key look older than it is: it would be removed too early.
	at := stamp(now)
	for _, t := range []time.Time{r.keys[old].Promoted, r.keys[i].Made} {
		if t.After(at) {
			at = t
		}
	}
	keys := slices.Clone(r.keys)
	keys[old].Primary, keys[old].Retired = false, at
	keys[i].Primary, keys[i].Promoted = true, at
	return finishRing(r.purpose, r.unit, m, keys)
}

func (r *ring) removeKey(id uint32) (*ring, error) {
	i := r.find(id)
	switch {
	case i < 0:
		return nil, fmt.Errorf("keyring: remove key %08x of %v: %w", id, r, ErrUnknownKey)
	case id == r.primary:
		return nil, fmt.Errorf("keyring: remove key %08x of %v: it is the primary key: %w", id, r, ErrKeyState)
	}
	m := keyset.NewManagerFromHandle(r.handle)
	if err := m.Delete(id); err != nil {
		return nil, fmt.Errorf("keyring: %v: %w", r, err)
	}
	return finishRing(r.purpose, r.unit, m, slices.Delete(slices.Clone(r.keys), i, i+1))
}

// Sealing.

// What is sealed is named in the associated data; the first byte keeps records and keysets apart.
const (
	adRecord = 'r'
	adKeyset = 'k'
)

func appendName(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (r *ring) recordAD(kind, id string) []byte {
	b := make([]byte, 0, 8+len(r.unit)+len(kind)+len(id))
	b = append(b, adRecord, byte(r.purpose))
	b = appendName(b, r.unit)
	b = appendName(b, kind)
	return append(b, id...)
}

func checkNames(kind, id string, size, limit int) error {
	switch {
	case kind == "":
		return fmt.Errorf("kind is empty: %w", ErrFormat)
	case len(kind) > MaxName || len(id) > MaxName:
		return fmt.Errorf("kind or id is over %d bytes: %w", MaxName, ErrLimit)
	case size > limit:
		return fmt.Errorf("%d bytes, the limit is %d: %w", size, limit, ErrLimit)
	}
	return nil
}

func (r *ring) seal(kind, id string, plaintext []byte) ([]byte, error) {
	if err := checkNames(kind, id, len(plaintext), MaxPlaintext); err != nil {
		return nil, fmt.Errorf("keyring: seal for %s: %w", r.unit, err)
	}
	sealed, err := r.aead.Encrypt(plaintext, r.recordAD(kind, id))
	if err != nil {
		return nil, fmt.Errorf("keyring: seal %s %q for %s: %w", kind, id, r.unit, err)
	}
	return sealed, nil
}

func (r *ring) open(kind, id string, sealed []byte) ([]byte, error) {
	if err := checkNames(kind, id, len(sealed), maxSealed); err != nil {
		return nil, fmt.Errorf("keyring: open for %s: %w", r.unit, err)
	}
	plaintext, err := r.aead.Decrypt(sealed, r.recordAD(kind, id))
	if err != nil {
		return nil, fmt.Errorf("keyring: %s %q of %s: %w", kind, id, r.unit, r.whyNot(sealed))
	}
	return plaintext, nil
}

// whyNot explains a failed opening as far as the plain prefix can tell.
func (r *ring) whyNot(sealed []byte) error {
	id, ok := KeyID(sealed)
	switch {
	case !ok:
		return fmt.Errorf("%d bytes without a key id: %w", len(sealed), ErrFormat)
	case r.find(id) < 0:
		return fmt.Errorf("sealed under key %08x: %w", id, ErrUnknownKey)
	}
	return ErrOpen
}

func (r *ring) reseal(kind, id string, sealed []byte) ([]byte, bool, error) {
	if under, ok := KeyID(sealed); ok && under == r.primary {
		return sealed, false, nil
	}
	plaintext, err := r.open(kind, id, sealed)
	if err != nil {
		return nil, false, err
	}
	fresh, err := r.seal(kind, id, plaintext)
	clear(plaintext)
	return fresh, err == nil, err
}

// KeyID tells under which key something is sealed: the result of Seal or of Account.Sealed. It reads the prefix only and proves nothing.
// ok is false when the bytes have neither form.
func KeyID(sealed []byte) (id uint32, ok bool) {
	if len(sealed) > 0 && sealed[0] == keysetMagic {
		s, err := parseStored(sealed, forAccount)
		if err != nil {
			return 0, false
		}
		sealed = s.ciphertext
	}
	if len(sealed) < sealOverhead || sealed[0] != tinkPrefix {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:prefixBytes]), true
}

// stored is the form in which a keyset is kept. Everything before the ciphertext is plain, and authenticated as associated data:
//
//	'K' version purpose | uvarint length, id of the master key | count | count × (key id, made, promoted, retired) | primary id | ciphertext
//
// Numbers are big-endian, times are milliseconds of Unix time with 0 for none. The master's id is empty in account keysets.
type stored struct {
	master     string
	keys       []KeyInfo
	head       []byte
	ciphertext []byte
}

func (r *ring) appendHead(master string) []byte {
	b := []byte{keysetMagic, keysetVersion, byte(r.purpose)}
	b = appendName(b, master)
	b = append(b, byte(len(r.keys)))
	for _, k := range r.keys {
		b = binary.BigEndian.AppendUint32(b, k.ID)
		for _, t := range []time.Time{k.Made, k.Promoted, k.Retired} {
			var ms int64
			if !t.IsZero() {
				ms = t.UnixMilli()
			}
			b = binary.BigEndian.AppendUint64(b, uint64(ms))
		}
	}
	return binary.BigEndian.AppendUint32(b, r.primary)
}

func keysetAD(unit string, head []byte) []byte {
	b := append(make([]byte, 0, 8+len(unit)+len(head)), adKeyset)
	return append(appendName(b, unit), head...)
}

func parseStored(b []byte, want purpose) (stored, error) {
	bad := func(why string) (stored, error) {
		return stored{}, fmt.Errorf("%v of %d bytes: %s: %w", want, len(b), why, ErrFormat)
	}
	switch {
	case len(b) > maxKeysetBytes:
		return stored{}, fmt.Errorf("%v of %d bytes, the limit is %d: %w", want, len(b), maxKeysetBytes, ErrLimit)
	case len(b) < keysetHeadBytes || b[0] != keysetMagic:
		return bad("not a keyset")
	case b[1] != keysetVersion:
		return bad(fmt.Sprintf("version %d is not known to this program", b[1]))
	case purpose(b[2]) != want:
		return bad("a keyset for something else")
	}
	rest := b[keysetHeadBytes:]
	n, size := binary.Uvarint(rest)
	if size <= 0 || n > MaxName || uint64(len(rest)-size) < n {
		return bad("id of the master key")
	}
	s := stored{master: string(rest[size : size+int(n)])}
	rest = rest[size+int(n):]
	if len(rest) == 0 || rest[0] == 0 || rest[0] > MaxKeys || len(rest) < 1+int(rest[0])*keyRecordBytes+4 {
		return bad("list of keys")
	}
	count := int(rest[0])
	rest = rest[1:]
	primary := binary.BigEndian.Uint32(rest[count*keyRecordBytes:])
	s.keys = make([]KeyInfo, count)
	primaries := 0
	for i := range s.keys {
		k := rest[i*keyRecordBytes:]
		at := func(offset int) time.Time {
			if ms := int64(binary.BigEndian.Uint64(k[offset:])); ms != 0 {
				return time.UnixMilli(ms).UTC()
			}
			return time.Time{}
		}
		id := binary.BigEndian.Uint32(k)
		s.keys[i] = KeyInfo{ID: id, Primary: id == primary, Made: at(4), Promoted: at(12), Retired: at(20)}
		if id == primary {
			primaries++
		}
	}
	if primaries != 1 {
		return bad("not exactly one primary key")
	}
	s.ciphertext = rest[count*keyRecordBytes+4:]
	s.head = b[:len(b)-len(s.ciphertext)]
	return s, nil
}

// wrapping is the key that encrypts a keyset: a master or the cell's primary key. It keeps its error, which Tink would flatten to text.
type wrapping struct {
	encrypt func(ctx context.Context, plaintext, ad []byte) ([]byte, error)
	decrypt func(ctx context.Context, ciphertext, ad []byte) ([]byte, error)
	err     error
}

func (w *wrapping) EncryptWithContext(ctx context.Context, plaintext, ad []byte) (b []byte, err error) {
	b, w.err = w.encrypt(ctx, plaintext, ad)
	return b, w.err
}

func (w *wrapping) DecryptWithContext(ctx context.Context, ciphertext, ad []byte) (b []byte, err error) {
	b, w.err = w.decrypt(ctx, ciphertext, ad)
	return b, w.err
}

// ciphertextOnly carries an encrypted keyset without Tink's plain KeysetInfo, which nothing would authenticate.
type ciphertextOnly struct{ b []byte }

func (c *ciphertextOnly) Read() (*tinkpb.Keyset, error) { return nil, errors.New("not in the clear") }
func (c *ciphertextOnly) Write(*tinkpb.Keyset) error    { return errors.New("not in the clear") }
func (c *ciphertextOnly) ReadEncrypted() (*tinkpb.EncryptedKeyset, error) {
	return &tinkpb.EncryptedKeyset{EncryptedKeyset: c.b}, nil
}
func (c *ciphertextOnly) WriteEncrypted(k *tinkpb.EncryptedKeyset) error {
	c.b = k.GetEncryptedKeyset()
	return nil
}

func (r *ring) store(ctx context.Context, master string, w *wrapping) ([]byte, error) {
	head := r.appendHead(master)
	var out ciphertextOnly
	if err := r.handle.WriteWithContext(ctx, &out, w, keysetAD(r.unit, head)); err != nil {
		return nil, causeOf(w.err, err)
	}
	b := append(head, out.b...)
	if len(b) > maxKeysetBytes {
		return nil, fmt.Errorf("%d bytes, the limit is %d: %w", len(b), maxKeysetBytes, ErrLimit)
	}
	return b, nil
}

func loadRing(ctx context.Context, p purpose, unit string, s stored, w *wrapping) (*ring, error) {
	handle, err := keyset.ReadWithContext(ctx, &ciphertextOnly{s.ciphertext}, w, keysetAD(unit, s.head))
	if err != nil {
		return nil, causeOf(w.err, err)
	}
	if handle.Len() != len(s.keys) {
		return nil, fmt.Errorf("%d keys listed, %d held: %w", len(s.keys), handle.Len(), ErrFormat)
	}
	for i, k := range s.keys {
		e, err := handle.Entry(i)
		if err != nil {
			return nil, err
		}
		if e.KeyID() != k.ID || e.IsPrimary() != k.Primary || e.KeyStatus() != keyset.Enabled {
			return nil, fmt.Errorf("key %08x is not as listed: %w", k.ID, ErrFormat)
		}
	}
	return ringOf(p, unit, handle, s.keys)
}

// causeOf prefers the cause over Tink's account of it.
func causeOf(cause, err error) error {
	if cause != nil {
		return cause
	}
	return err
}
