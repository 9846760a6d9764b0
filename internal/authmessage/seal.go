package authmessage

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/authz"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

// MaxMessage is the most characters that a message has: what sts:DecodeAuthorizationMessage takes (docs/spec/wire.md 10.7).
const MaxMessage = 10_240

const (
	prefix = "GatehouseAM1" // of this form: another one gets another
	kind   = "authorization-message"

	sealing = 45 // bytes that sealing adds: see package keyring
	maxText = (MaxMessage-len(prefix))*3/4 - sealing
)

// ErrInvalid: the text is no message of this account, or was changed, or its key is gone.
var ErrInvalid = errors.New("authmessage: not a message of this account")

var encoding = base64.RawURLEncoding.Strict()

// Seal gives the message of a denial that has its Record, for those who may read it in the account of the keyset.
func Seal(k *keyring.Account, d *authz.Denial) (string, error) {
	sealed, err := k.Seal(kind, "", messageOf(d).within(maxText))
	if err != nil {
		return "", err
	}
	text := prefix + encoding.EncodeToString(sealed)
	if len(text) > MaxMessage {
		return "", fmt.Errorf("authmessage: a message has %d characters", len(text))
	}
	return text, nil
}

// Open gives the JSON that was sealed for the account. The error is ErrInvalid.
func Open(k *keyring.Account, text string) (string, error) {
	body, ok := strings.CutPrefix(text, prefix)
	if !ok || len(text) > MaxMessage || strings.ContainsAny(body, "\r\n") { // which base64 passes over
		return "", ErrInvalid
	}
	sealed, err := encoding.DecodeString(body)
	if err != nil {
		return "", ErrInvalid
	}
	opened, err := k.Open(kind, "", sealed)
	if err != nil {
		return "", ErrInvalid
	}
	return string(opened), nil
}
