package policy

import (
	"cmp"
	"strconv"
	"strings"
)

// number is an exact decimal: 0.DIGITS times ten to the power of exponent, where DIGITS are whole and then fraction, without zeros
// at either end. Zero has no digits, whatever its sign and exponent. It shares memory with the text it was read from.
type number struct {
	negative        bool
	integer         bool // value is the number: most numbers are like that, and need no digits to be compared
	whole, fraction string
	exponent        int64
	value           int64
}

// integerDigits is how many digits an integer may have to be compared as one.
const integerDigits = 18

// commonInteger reads a few digits without anything else. It leaves everything else to the rules.
func commonInteger(v string) (int64, bool) {
	if v == "" || len(v) > integerDigits {
		return 0, false
	}
	value := int64(0)
	for i := range len(v) {
		digit := v[i] - '0'
		if digit > 9 {
			return 0, false
		}
		value = value*10 + int64(digit)
	}
	return value, true
}

// maxExponent is how many digits an exponent may have, leading zeros not counted. A number with more is no number: "1e999999999" is.
const maxExponent = 17

// parseNumber reads docs/spec/policy-language.md 10.1.
func parseNumber(v string) (number, bool) {
	n, ok := parseDigits(v)
	n.value, n.integer = commonInteger(v)
	return n, ok
}

// parseDigits is parseNumber without the short way for integers.
func parseDigits(v string) (number, bool) {
	var n number
	v, n.negative = cutSign(v)
	mantissa, exponent := v, int64(0)
	if i := strings.IndexAny(v, "eE"); i >= 0 {
		var ok bool
		if exponent, ok = parseExponent(v[i+1:]); !ok {
			return number{}, false
		}
		mantissa = v[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	switch {
	case whole == "" && fraction == "":
		return number{}, false
	case whole != "" && !allDigits(whole), fraction != "" && !allDigits(fraction):
		return number{}, false
	}
	n.whole = strings.TrimLeft(whole, "0")
	n.exponent = int64(len(n.whole)) + exponent
	if n.whole == "" {
		n.fraction = strings.TrimLeft(fraction, "0")
		n.exponent = int64(len(n.fraction)-len(fraction)) + exponent
	} else {
		n.fraction = fraction
	}
	if n.fraction = strings.TrimRight(n.fraction, "0"); n.fraction == "" {
		n.whole = strings.TrimRight(n.whole, "0")
	}
	return n, true
}

// cutSign takes a leading sign away and says whether it was a minus.
func cutSign(v string) (string, bool) {
	if v != "" && (v[0] == '+' || v[0] == '-') {
		return v[1:], v[0] == '-'
	}
	return v, false
}

func parseExponent(v string) (int64, bool) {
	digits, negative := cutSign(v)
	if !allDigits(digits) {
		return 0, false
	}
	if digits = strings.TrimLeft(digits, "0"); digits == "" {
		return 0, true
	}
	if len(digits) > maxExponent {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}

func (n *number) sign() int {
	switch {
	case n.whole == "" && n.fraction == "":
		return 0
	case n.negative:
		return -1
	}
	return 1
}

// compareNumbers is -1, 0 or 1. It takes time in proportion to the digits that are written, whatever the exponents are.
func compareNumbers(a, b *number) int {
	sign := a.sign()
	if c := cmp.Compare(sign, b.sign()); c != 0 || sign == 0 {
		return c
	}
	if c := cmp.Compare(a.exponent, b.exponent); c != 0 {
		return c * sign
	}
	n := min(a.digits(), b.digits())
	for i := range n {
		if c := cmp.Compare(a.digit(i), b.digit(i)); c != 0 {
			return c * sign
		}
	}
	return cmp.Compare(a.digits(), b.digits()) * sign
}

func (n *number) digits() int { return len(n.whole) + len(n.fraction) }

func (n *number) digit(i int) byte {
	if i < len(n.whole) {
		return n.whole[i]
	}
	return n.fraction[i-len(n.whole)]
}

func matchNumber(v string, values []number, o Operator) bool {
	if n, ok := commonInteger(v); ok {
		return matchInteger(n, v, values, o)
	}
	n, ok := parseNumber(v)
	return ok && anyNumber(&n, values, o)
}

// matchInteger compares with the numbers that are integers too, and leaves the others to their digits.
func matchInteger(n int64, v string, values []number, o Operator) bool {
	for i := range values {
		if !values[i].integer {
			n, ok := parseNumber(v)
			return ok && anyNumber(&n, values[i:], o)
		}
		if o.accepts(cmp.Compare(n, values[i].value)) {
			return true
		}
	}
	return false
}

func anyNumber(n *number, values []number, o Operator) bool {
	for i := range values {
		if o.accepts(compareNumbers(n, &values[i])) {
			return true
		}
	}
	return false
}

// accepts says whether the outcome of comparing the request's value with the policy's satisfies a Numeric or Date operator.
func (o Operator) accepts(c int) bool {
	switch o {
	case NumericEquals, DateEquals:
		return c == 0
	case NumericLessThan, DateLessThan:
		return c < 0
	case NumericLessThanEquals, DateLessThanEquals:
		return c <= 0
	case NumericGreaterThan, DateGreaterThan:
		return c > 0
	case NumericGreaterThanEquals, DateGreaterThanEquals:
		return c >= 0
	}
	return false
}
