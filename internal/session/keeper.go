package session

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
	"github.com/gatehouse-iam/gatehouse/policy"
)

// MaxToken is the most characters that a token has.
const MaxToken = 6 << 10

const (
	// tokenPrefix begins every token. Its length is a multiple of 4, so that the whole is base64 too.
	tokenPrefix = "GatehouseST1"

	// sealKind is the kind under which claims are sealed; the id is that of the access key.
	sealKind = "session"
)

var (
	// ErrToken: the text is no session token, or that of another access key, or was changed.
	ErrToken = errors.New("session: not a session token of this access key")
	// ErrUnknownKey: the token was sealed under a cell key that is not in the keyset (any more).
	ErrUnknownKey = errors.New("session: the token is sealed under a key that is gone")
)

// encoding refuses texts that differ from what was issued in bits that carry nothing.
var encoding = base64.StdEncoding.Strict()

// Keeper issues and opens session tokens. Safe for concurrent use.
type Keeper struct {
	cell  func(state.Reader) (*keyring.Cell, error)
	cache *cache
}

// New makes a keeper that seals and opens with the cell keyset that cell gives for a reader. As long as the stored keyset is the same, cell
// should give the same pointer: what was opened with another is opened anew.
func New(cell func(state.Reader) (*keyring.Cell, error)) *Keeper {
	return &Keeper{cell: cell, cache: newCache(maxSessions, maxMemory)}
}

// Issued is what the client gets.
type Issued struct {
	AccessKeyID string
	Secret      keyring.Secret
	Token       string
	Expires     time.Time
}

// Issue makes the credentials of a session. AccessKeyID and Secret are made unless the claims have both. The session policy must be one that
// can be enforced, and the life at most keyring.MaxTokenLife. Nothing is written. Errors: ErrTooLarge; others are mistakes of the caller.
func (k *Keeper) Issue(r state.Reader, c Claims) (Issued, error) {
	cell, err := k.cell(r)
	if err != nil {
		return Issued{}, err
	}
	switch {
	case len(c.Account) != 12 || strings.Trim(c.Account, "0123456789") != "":
		return Issued{}, fmt.Errorf("session: %q is no account id", c.Account)
	case (c.AccessKeyID == "") != (c.Secret.Len() == 0):
		return Issued{}, errors.New("session: claims with one of access key id and secret")
	case c.AccessKeyID == "":
		c.AccessKeyID, c.Secret = keyring.TemporaryAccessKeyID(c.Account), keyring.SecretAccessKey()
	}
	if err := c.check(); err != nil {
		return Issued{}, err
	}
	if _, err := compile(&c); err != nil {
		return Issued{}, err
	}
	claims, err := c.encode()
	if err != nil {
		return Issued{}, err
	}
	sealed, err := cell.Seal(sealKind, c.AccessKeyID, claims)
	if err != nil {
		return Issued{}, err
	}
	clear(claims)
	token := tokenPrefix + encoding.EncodeToString(sealed)
	if len(token) > MaxToken {
		return Issued{}, ErrTooLarge
	}
	return Issued{c.AccessKeyID, c.Secret, token, c.Expires}, nil
}

// Open gives the session of a token that came with an access key id. The session may have expired: whoever uses it compares Expires with the
// time of the request, every time, also when it was remembered. Errors: ErrToken, ErrUnknownKey; others are not the client's.
func (k *Keeper) Open(r state.Reader, accessKeyID, token string) (*Session, error) {
	cell, err := k.cell(r)
	if err != nil {
		return nil, err
	}
	if s := k.cache.get(cell, accessKeyID, token); s != nil {
		return s, nil
	}
	s, err := open(cell, accessKeyID, token)
	if err != nil {
		return nil, err
	}
	k.cache.put(&entry{id: s.AccessKeyID, token: strings.Clone(token), cell: cell, session: s, cost: costOf(s, token)})
	return s, nil
}

func open(cell *keyring.Cell, accessKeyID, token string) (*Session, error) {
	text, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || len(token) > MaxToken || !temporary(accessKeyID) || strings.ContainsAny(text, "\r\n") { // base64 passes over these
		return nil, ErrToken
	}
	sealed, err := encoding.DecodeString(text)
	if err != nil {
		return nil, ErrToken
	}
	b, err := cell.Open(sealKind, accessKeyID, sealed)
	switch {
	case errors.Is(err, keyring.ErrUnknownKey):
		return nil, ErrUnknownKey
	case err != nil:
		return nil, ErrToken
	}
	defer clear(b)
	c, err := decode(b, strings.Clone(accessKeyID)) // which may be part of a whole request
	if err != nil {
		return nil, fmt.Errorf("session: a token of %s that was sealed here: %w", accessKeyID, err)
	}
	inline, err := compile(c)
	if err != nil {
		return nil, err
	}
	return &Session{*c, inline}, nil
}

// compile makes the inline session policy ready to decide with; nil if there is none. As for stored policies, one that was accepted under
// older rules goes on to be enforced.
func compile(c *Claims) (*policy.Policy, error) {
	if c.Policy == "" {
		return nil, nil
	}
	d, err := policy.Decode(c.Policy, policy.Session)
	if err != nil {
		return nil, fmt.Errorf("session: the session policy: %w", err)
	}
	p, err := policy.Compile(d)
	if err != nil {
		return nil, fmt.Errorf("session: the session policy: %w", err)
	}
	return p, nil
}

// costOf estimates the memory of a remembered session, in bytes. Compiled, ordinary policies take about as much as their text again, those
// made of the shortest patterns 16 times that.
func costOf(s *Session, token string) int {
	const (
		fixed    = 512 // the structs, ids and names
		compiled = 6   // times the length of the policy
		perTag   = 40
	)
	n := fixed + len(token) + (1+compiled)*len(s.Policy) + perTag*len(s.Tags)
	for _, a := range s.PolicyARNs {
		n += 16 + len(a)
	}
	for _, t := range s.Tags {
		n += len(t.Key) + len(t.Value)
	}
	return n
}
