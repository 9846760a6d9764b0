package session

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
)

// The binary form, which is what gets sealed:
//
//	version | form | body, deflated with the preset dictionary if form says so
//
// The body is, in this order (numbers are uvarints unless said otherwise, strings have their length in bytes before them):
//
//	kind (1 byte) | flags (1 byte) | account (5 bytes, big-endian) | secret (30 bytes) | ID | Name | IssuingKey | SourceIdentity |
//	issued (Unix seconds) | life (seconds) | if flagMFA: seconds from the MFA to the issue |
//	Policy | number of ARNs, each: prefix (1 byte), rest | number of tags, each: length of the key × 2 + transitive, key, value
//
// The access key id is not in it: the sealing is bound to it.
const (
	version = 1

	plain    = 0
	deflated = 1

	flagChained = 1 << 0
	flagMFA     = 1 << 1
	knownFlags  = flagChained | flagMFA

	compressAbove = 1 << 10  // bytes of the body
	maxBody       = 64 << 10 // bytes of the body; what inflates to more is refused
)

// The prefixes of policy ARNs that are written as a number.
const (
	otherARN    = iota // the whole ARN follows
	awsARN             // AWS managed
	accountARN         // of the session's own account
	prefixCount        // the first number that means nothing
)

const awsPolicies = "arn:aws:iam::aws:policy/"

func accountPolicies(account string) string { return "arn:aws:iam::" + account + ":policy/" }

// encode writes claims that were checked.
func (c *Claims) encode() ([]byte, error) {
	b := make([]byte, 2, 256+len(c.Policy))
	b[0], b[1] = version, plain
	b = c.appendBody(b)
	if len(b)-2 > maxBody {
		return nil, ErrTooLarge
	}
	if len(b)-2 <= compressAbove {
		return b, nil
	}
	return deflate([]byte{version, deflated}, b[2:], withDictionary), nil
}

func (c *Claims) appendBody(b []byte) []byte {
	var flags byte
	if c.Chained {
		flags |= flagChained
	}
	if !c.MFA.IsZero() {
		flags |= flagMFA
	}
	b = append(b, byte(c.Kind), flags)
	n, _ := strconv.ParseUint(c.Account, 10, 64)
	b = append(b, byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	b, _ = base64.StdEncoding.AppendDecode(b, []byte(c.Secret.Reveal()))
	b = appendString(b, c.ID)
	b = appendString(b, c.Name)
	b = appendString(b, c.IssuingKey)
	b = appendString(b, c.SourceIdentity)
	b = binary.AppendUvarint(b, uint64(c.Issued.Unix()))
	b = binary.AppendUvarint(b, uint64(c.Expires.Unix()-c.Issued.Unix()))
	if !c.MFA.IsZero() {
		b = binary.AppendUvarint(b, uint64(c.Issued.Unix()-c.MFA.Unix()))
	}
	return c.appendLimits(b)
}

// appendLimits writes what PackedSize measures.
func (c *Claims) appendLimits(b []byte) []byte {
	b = appendString(b, c.Policy)
	b = binary.AppendUvarint(b, uint64(len(c.PolicyARNs)))
	for _, a := range c.PolicyARNs {
		if rest, ok := strings.CutPrefix(a, awsPolicies); ok {
			b = appendString(append(b, awsARN), rest)
		} else if rest, ok := strings.CutPrefix(a, accountPolicies(c.Account)); ok {
			b = appendString(append(b, accountARN), rest)
		} else {
			b = appendString(append(b, otherARN), a)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(c.Tags)))
	for _, t := range c.Tags {
		n := uint64(len(t.Key)) << 1
		if t.Transitive {
			n |= 1
		}
		b = append(binary.AppendUvarint(b, n), t.Key...)
		b = appendString(b, t.Value)
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
