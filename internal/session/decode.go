package session

import (
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/state"
)

// errForm: the sealed bytes are not claims of a version that this program knows.
var errForm = errors.New("session: the claims cannot be read")

// decode reads what encode wrote for the access key id.
func decode(b []byte, accessKeyID string) (*Claims, error) {
	switch {
	case len(b) < 2:
		return nil, errForm
	case b[0] != version:
		return nil, fmt.Errorf("%w: version %d", errForm, b[0])
	}
	body := b[2:]
	switch b[1] {
	case plain:
	case deflated:
		var err error
		if body, err = inflate(body); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("%w: form %d", errForm, b[1])
	}
	if len(body) > maxBody {
		return nil, errForm
	}
	r := reader{rest: string(body)}
	c := r.claims(accessKeyID)
	if r.failed || r.rest != "" {
		return nil, errForm
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// reader takes a body apart. Once it has failed it gives nothing but zeros. What it gives shares the body's memory.
type reader struct {
	rest   string
	failed bool
}

func (r *reader) claims(accessKeyID string) *Claims {
	c := &Claims{AccessKeyID: accessKeyID, Kind: state.PrincipalKind(r.byte())}
	flags := r.byte()
	if flags&^knownFlags != 0 {
		r.failed = true
	}
	c.Account = r.account()
	c.Secret = keyring.NewSecret(base64.StdEncoding.EncodeToString([]byte(r.take(secretBytes))))
	c.ID = r.string(maxID)
	c.Name = r.string(maxName)
	c.IssuingKey = r.string(maxID)
	c.SourceIdentity = r.string(maxName)
	issued := int64(r.number(maxSeconds))
	c.Issued = time.Unix(issued, 0).UTC()
	c.Expires = time.Unix(issued+int64(r.number(uint64(keyring.MaxTokenLife/time.Second))), 0).UTC()
	c.Chained = flags&flagChained != 0
	if flags&flagMFA != 0 {
		c.MFA = time.Unix(issued-int64(r.number(maxSeconds)), 0).UTC()
	}
	c.Policy = r.string(maxPolicy)
	if n := r.number(maxARNs); n > 0 {
		c.PolicyARNs = make([]string, n)
		for i := range c.PolicyARNs {
			c.PolicyARNs[i] = r.arn(c.Account)
		}
	}
	if n := r.number(maxTags); n > 0 {
		c.Tags = make([]Tag, n)
		for i := range c.Tags {
			n := r.number(maxKey<<1 | 1)
			c.Tags[i] = Tag{Transitive: n&1 != 0, Key: r.take(int(n >> 1)), Value: r.string(maxValue)}
		}
	}
	return c
}

func (r *reader) arn(account string) string {
	code := r.byte()
	rest := r.string(maxARN)
	switch code {
	case otherARN:
		return rest
	case awsARN:
		return awsPolicies + rest
	case accountARN:
		return accountPolicies(account) + rest
	}
	r.failed = true
	return ""
}

func (r *reader) take(n int) string {
	if r.failed || n > len(r.rest) {
		r.failed = true
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) byte() byte {
	if s := r.take(1); s != "" {
		return s[0]
	}
	return 0
}

// number reads a uvarint of at most most, which is below 1<<35.
func (r *reader) number(most uint64) uint64 {
	const longest = 5
	var n uint64
	for i := range longest {
		b := r.byte()
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if n > most {
				break
			}
			return n
		}
	}
	r.failed = true
	return 0
}

func (r *reader) string(most int) string { return r.take(int(r.number(uint64(most)))) }

func (r *reader) account() string {
	const digits = 12
	var n uint64
	for range 5 {
		n = n<<8 | uint64(r.byte())
	}
	var out [digits]byte
	for i := range out {
		out[digits-1-i] = '0' + byte(n%10)
		n /= 10
	}
	if n != 0 {
		r.failed = true
	}
	return string(out[:])
}
