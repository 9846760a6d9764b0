package reference

import (
	"math/big"
	"strings"
)

// number is sign * 0.digits * 10^exponent, with digits that neither begin nor end with a zero. Zero has no digits.
type number struct {
	sign     int
	digits   string
	exponent *big.Int // exponents are text of the request: 1e999999999 must not become a billion digits
}

// parseNumber is 10.1.
func parseNumber(s string) (number, bool) {
	n := number{sign: 1}
	switch {
	case strings.HasPrefix(s, "-"):
		n.sign, s = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	exponent := new(big.Int)
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		digits := strings.TrimPrefix(s[i+1:], "-")
		if digits == s[i+1:] {
			digits = strings.TrimPrefix(digits, "+")
		}
		if !onlyDigits(digits) {
			return number{}, false
		}
		if len(strings.TrimLeft(digits, "0")) > 17 {
			return number{}, false // a bound that package policy states
		}
		exponent.SetString(digits, 10)
		if s[i+1] == '-' {
			exponent.Neg(exponent)
		}
		s = s[:i]
	}
	whole, fraction, point := strings.Cut(s, ".")
	if !onlyDigits(whole) && whole != "" || !onlyDigits(fraction) && fraction != "" || whole == "" && (!point || fraction == "") {
		return number{}, false
	}
	n.digits = whole + fraction
	exponent.Add(exponent, big.NewInt(int64(len(whole))))
	for strings.HasPrefix(n.digits, "0") {
		n.digits = n.digits[1:]
		exponent.Sub(exponent, big.NewInt(1))
	}
	n.digits = strings.TrimRight(n.digits, "0")
	n.exponent = exponent
	if n.digits == "" {
		n.sign = 0
	}
	return n, true
}

func onlyDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}

// compare is negative, zero or positive as n is less than, equal to or greater than m.
func (n number) compare(m number) int {
	switch {
	case n.sign != m.sign:
		return n.sign - m.sign
	case n.sign == 0:
		return 0
	}
	if c := n.exponent.Cmp(m.exponent); c != 0 {
		return c * n.sign
	}
	return strings.Compare(n.digits, m.digits) * n.sign // neither begins with a zero, so text order is the order of the fractions
}
