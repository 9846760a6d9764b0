package reference

import (
	"encoding/base64"
	"net/netip"
	"strings"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// positive gives the operator that a negated one is the complement of.
func positive(o policy.Operator) (operator policy.Operator, negated bool) {
	switch o {
	case policy.StringNotEquals:
		return policy.StringEquals, true
	case policy.StringNotEqualsIgnoreCase:
		return policy.StringEqualsIgnoreCase, true
	case policy.StringNotLike:
		return policy.StringLike, true
	case policy.NumericNotEquals:
		return policy.NumericEquals, true
	case policy.DateNotEquals:
		return policy.DateEquals, true
	case policy.NotIPAddress:
		return policy.IPAddress, true
	case policy.ArnNotEquals, policy.ArnNotLike:
		return policy.ArnLike, true
	case policy.ArnEquals:
		return policy.ArnLike, false
	}
	return o, false
}

// compare is match(v, p) of chapter 10 for a positive operator: v from the request, p from the policy.
func compare(o policy.Operator, v, p string, version2012 bool, context []policy.Entry) bool {
	switch o {
	case policy.StringEquals, policy.StringEqualsIgnoreCase, policy.StringLike, policy.Bool, policy.ArnLike: // with variables
		pieces := plain(p)
		if version2012 {
			var ok bool
			if pieces, ok = expand(p, context); !ok {
				return false
			}
		}
		switch o {
		case policy.StringEquals:
			return v == text(pieces)
		case policy.StringEqualsIgnoreCase:
			return strings.EqualFold(v, text(pieces))
		case policy.StringLike:
			return match(wild(pieces), v, false)
		case policy.ArnLike:
			return arnLike(v, pieces)
		}
		return foldEqual(v, "true") && foldEqual(text(pieces), "true") || foldEqual(v, "false") && foldEqual(text(pieces), "false")
	case policy.BinaryEquals:
		a, err1 := base64.StdEncoding.DecodeString(v)
		b, err2 := base64.StdEncoding.DecodeString(p)
		lines := strings.ContainsAny(v+p, "\r\n") // which the decoder skips, though standard base64 has none
		return err1 == nil && err2 == nil && !lines && string(a) == string(b)
	case policy.IPAddress:
		return ipAddress(v, p)
	case policy.NumericEquals, policy.NumericLessThan, policy.NumericLessThanEquals, policy.NumericGreaterThan, policy.NumericGreaterThanEquals:
		a, ok1 := parseNumber(v)
		b, ok2 := parseNumber(p)
		return ok1 && ok2 && ordered(o, a.compare(b))
	case policy.DateEquals, policy.DateLessThan, policy.DateLessThanEquals, policy.DateGreaterThan, policy.DateGreaterThanEquals:
		a, ok1 := parseDate(v)
		b, ok2 := parseDate(p)
		return ok1 && ok2 && ordered(o, a.Cmp(b))
	}
	return false
}

// ordered says what an operator wants of v compared with p.
func ordered(o policy.Operator, sign int) bool {
	switch o {
	case policy.NumericEquals, policy.DateEquals:
		return sign == 0
	case policy.NumericLessThan, policy.DateLessThan:
		return sign < 0
	case policy.NumericLessThanEquals, policy.DateLessThanEquals:
		return sign <= 0
	case policy.NumericGreaterThan, policy.DateGreaterThan:
		return sign > 0
	}
	return sign >= 0
}

// arnLike is 10.4. The colons that part the policy's components are those of its own text, not those of a variable's value.
func arnLike(v string, pieces []piece) bool {
	components := [][]piece{nil}
	for _, p := range pieces {
		if p.literal {
			last := len(components) - 1
			components[last] = append(components[last], p)
			continue
		}
		for i, part := range strings.SplitN(p.text, ":", 7-len(components)) {
			if i > 0 {
				components = append(components, nil)
			}
			last := len(components) - 1
			components[last] = append(components[last], piece{text: part})
		}
	}
	values := strings.SplitN(v, ":", 6)
	if len(components) < 6 || len(values) < 6 {
		return false
	}
	for i := range values {
		if !match(wild(components[i]), values[i], false) {
			return false
		}
	}
	return true
}

// ipAddress is 10.3.
func ipAddress(v, p string) bool {
	address, err := netip.ParseAddr(v)
	if err != nil || address.Zone() != "" {
		return false
	}
	address = address.Unmap()
	if !strings.Contains(p, "/") {
		single, err := netip.ParseAddr(p)
		return err == nil && single.Zone() == "" && single.Unmap() == address
	}
	block, err := netip.ParsePrefix(p)
	if err != nil {
		return false
	}
	base, bits := block.Addr(), block.Bits()
	if base.Is4In6() { // turned into IPv4, which is the last 32 of 128 bits
		if bits < 96 {
			return false
		}
		base, bits = base.Unmap(), bits-96
	}
	if base.Is4() != address.Is4() {
		return false
	}
	a, b := base.AsSlice(), address.AsSlice()
	for i := range bits {
		mask := byte(0x80) >> (i % 8)
		if a[i/8]&mask != b[i/8]&mask {
			return false
		}
	}
	return true
}
