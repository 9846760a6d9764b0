package keyring

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// MasterBytes is the length of a master key in bytes.
const MasterBytes = 32

// ErrWrongMaster: the cell keyset is wrapped under another master key than the given ones.
var ErrWrongMaster = errors.New("wrong master key")

// Master wraps the cell keyset. It lives outside the store: in a file here, in a KMS, Vault or HSM elsewhere. Implementations are safe for
// concurrent use.
type Master interface {
	// ID names the key, is not secret and never changes: 1 to MaxName bytes. It is stored beside what the key wraps.
	ID() string
	// Wrap encrypts a few KB. Unwrap gives them back for the same associated data only.
	Wrap(ctx context.Context, plaintext, associatedData []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped, associatedData []byte) ([]byte, error)
}

// localMaster is a master key in this process's memory.
type localMaster struct {
	id   string
	aead tink.AEAD
}

// MasterFromBytes makes a master of MasterBytes bytes, which must come from a good random source. The bytes are not kept.
func MasterFromBytes(key []byte) (Master, error) {
	m, err := newLocalMaster(key)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func newLocalMaster(key []byte) (*localMaster, error) {
	if len(key) != MasterBytes {
		return nil, fmt.Errorf("keyring: a master key has %d bytes, got %d: %w", MasterBytes, len(key), ErrFormat)
	}
	if bytes.Count(key, key[:1]) == len(key) {
		return nil, fmt.Errorf("keyring: a master key of %d equal bytes is no key: %w", len(key), ErrFormat)
	}
	// The id is public, so neither it nor the wrapping key is the master key itself.
	id, err := hkdf.Expand(sha256.New, key, "gatehouse master key 1: id", 8)
	if err != nil {
		return nil, fmt.Errorf("keyring: master key: %w", err)
	}
	wrap, err := hkdf.Expand(sha256.New, key, "gatehouse master key 1: wrap", 32)
	if err != nil {
		return nil, fmt.Errorf("keyring: master key: %w", err)
	}
	defer clear(wrap)
	a, err := subtle.NewXChaCha20Poly1305(wrap)
	if err != nil {
		return nil, fmt.Errorf("keyring: master key: %w", err)
	}
	return &localMaster{id: hex.EncodeToString(id), aead: a}, nil
}

func (m *localMaster) ID() string     { return m.id }
func (m *localMaster) String() string { return "master key " + m.id }

func (m *localMaster) Wrap(_ context.Context, plaintext, associatedData []byte) ([]byte, error) {
	return m.aead.Encrypt(plaintext, associatedData)
}

func (m *localMaster) Unwrap(_ context.Context, wrapped, associatedData []byte) ([]byte, error) {
	plaintext, err := m.aead.Decrypt(wrapped, associatedData)
	if err != nil {
		return nil, ErrOpen
	}
	return plaintext, nil
}

// The text form of a master key: one line with the key's id, so that a damaged copy is noticed, and comment lines.
const (
	masterTag  = "gatehouse-master-1"
	masterNote = `# Gatehouse master key. Whoever has this file and the store can read every secret.
# Keep a copy in a safe place, apart from the backups: without it no secret can ever be read again.
`
	maxMasterText = 4 << 10
)

// NewMasterText makes a new master key in text form, as LoadOrCreateMaster writes it and ParseMaster reads it.
func NewMasterText() (Secret, error) {
	var key [MasterBytes]byte
	rand.Read(key[:])
	defer clear(key[:])
	m, err := newLocalMaster(key[:])
	if err != nil {
		return Secret{}, err
	}
	return NewSecret(masterNote + masterTag + ":" + m.id + ":" + base64.StdEncoding.EncodeToString(key[:]) + "\n"), nil
}

// ParseMaster reads the text form of a master key, from a master key file or a secret given by the environment. A line with nothing but
// the standard base64 of 32 random bytes (openssl rand -base64 32) does as well. Errors (ErrFormat, ErrLimit) never quote the text.
func ParseMaster(text Secret) (Master, error) {
	if text.Len() > maxMasterText {
		return nil, fmt.Errorf("keyring: master key text of %d bytes, the limit is %d: %w", text.Len(), maxMasterText, ErrLimit)
	}
	bad := func(why string) (Master, error) {
		return nil, fmt.Errorf("keyring: the master key text is not usable: %s: %w", why, ErrFormat)
	}
	line := ""
	for l := range strings.Lines(text.Reveal()) {
		l = strings.TrimSpace(l)
		switch {
		case l == "" || strings.HasPrefix(l, "#"):
		case line != "":
			return bad("more than one line")
		default:
			line = l
		}
	}
	switch {
	case line == "":
		return bad("it holds no key")
	case strings.Contains(line, "\r"): // the base64 package would skip it
		return bad("a line end inside the key")
	}
	encoded, wantID := line, ""
	if tag, rest, found := strings.Cut(line, ":"); found {
		if tag != masterTag {
			return bad("it does not begin with " + masterTag)
		}
		if wantID, encoded, found = strings.Cut(rest, ":"); !found || wantID == "" {
			return bad("it is cut off")
		}
	}
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return bad("the key is not base64")
	}
	defer clear(key)
	if len(key) != MasterBytes {
		return bad(fmt.Sprintf("%d bytes of key, %d are needed", len(key), MasterBytes))
	}
	m, err := newLocalMaster(key)
	if err != nil {
		return nil, err
	}
	if wantID != "" && wantID != m.id {
		return bad("the key does not match its id, the copy is damaged")
	}
	return m, nil
}
