package session

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// Limits of claims, in bytes and entries. They are wider than those of the STS operations, which a token never meets first: they keep a
// decoder from building what no operation could have issued.
const (
	maxID     = 128 // of a user, a role or an access key
	maxName   = 256 // 64 characters: RoleSessionName, federated users, SourceIdentity
	maxPolicy = 16 << 10
	maxARNs   = 10
	maxARN    = 2048
	maxTags   = 200     // 50 given and those inherited along a chain of roles
	maxKey    = 4 * 128 // characters of up to 4 bytes
	maxValue  = 4 * 256

	secretLength = 40 // base64 of secretBytes
	secretBytes  = 30

	maxSeconds = math.MaxUint32 // of Unix time
)

// ErrTooLarge: the claims pass one of the limits of a token. Callers that compare PackedSize with 100 first, and hold the limits of the STS
// operations, do not meet it.
var ErrTooLarge = errors.New("session: the claims are too large for a token")

// check holds whatever is sealed, and whatever was opened, to the form of claims.
func (c *Claims) check() error {
	if err := c.checkPrincipal(); err != nil {
		return err
	}
	if err := c.checkTimes(); err != nil {
		return err
	}
	if account, ok := keyring.AccountOfAccessKeyID(c.AccessKeyID); !ok || account != c.Account || !temporary(c.AccessKeyID) {
		return fmt.Errorf("session: %q is no temporary access key id of account %s", c.AccessKeyID, c.Account)
	}
	if !isSecret(c.Secret) {
		return fmt.Errorf("session: the secret of %s is not the base64 of %d bytes", c.AccessKeyID, secretBytes)
	}
	return c.checkSizes()
}

func (c *Claims) checkPrincipal() error {
	if c.ID == "" {
		return errors.New("session: claims without the id of their principal")
	}
	switch c.Kind {
	case state.IAMUser, state.RootUser:
		if c.Name != "" {
			return errors.New("session: a user's own session has a name")
		}
	case state.RoleSession, state.FederatedUser:
		if c.Name == "" {
			return errors.New("session: a role session or federated user without a name")
		}
	default:
		return fmt.Errorf("session: principal of kind %d", c.Kind)
	}
	return nil
}

func (c *Claims) checkTimes() error {
	for _, t := range []time.Time{c.Issued, c.Expires, c.MFA} {
		if t.Nanosecond() != 0 {
			return errors.New("session: a time that is not a whole second")
		}
	}
	life := c.Expires.Sub(c.Issued)
	switch {
	case c.Issued.Unix() <= 0 || c.Issued.Unix() > maxSeconds:
		return errors.New("session: the time of issue is out of range")
	case life <= 0 || life > keyring.MaxTokenLife:
		return fmt.Errorf("session: a life of %v, want more than 0 and at most %v", life, keyring.MaxTokenLife)
	case !c.MFA.IsZero() && (c.MFA.Unix() <= 0 || c.MFA.After(c.Issued)):
		return errors.New("session: the second factor was proved after the session was issued")
	}
	return nil
}

func (c *Claims) checkSizes() error {
	if len(c.ID) > maxID || len(c.IssuingKey) > maxID || len(c.Name) > maxName || len(c.SourceIdentity) > maxName || len(c.Policy) > maxPolicy ||
		len(c.PolicyARNs) > maxARNs || len(c.Tags) > maxTags {
		return ErrTooLarge
	}
	for _, a := range c.PolicyARNs {
		if len(a) > maxARN {
			return ErrTooLarge
		}
		if a == "" {
			return errors.New("session: an empty policy ARN")
		}
	}
	for i, t := range c.Tags {
		if len(t.Key) > maxKey || len(t.Value) > maxValue {
			return ErrTooLarge
		}
		if slices.ContainsFunc(c.Tags[:i], func(u Tag) bool { return policy.SameKey(u.Key, t.Key) }) {
			return errors.New("session: a tag key stands twice")
		}
	}
	return nil
}

// temporary tells ASIA… from AKIA… among what keyring.AccountOfAccessKeyID takes.
func temporary(accessKeyID string) bool {
	return strings.HasPrefix(accessKeyID, string(keyring.TemporaryAccessKeyPrefix))
}

func isSecret(s keyring.Secret) bool {
	var raw [secretBytes]byte
	if s.Len() != secretLength || strings.ContainsAny(s.Reveal(), "\r\n") { // which base64 passes over
		return false
	}
	n, err := base64.StdEncoding.Decode(raw[:], []byte(s.Reveal()))
	return err == nil && n == secretBytes
}
