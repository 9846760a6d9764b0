package reference

import (
	"math/big"
	"strings"
)

// parseDate is 10.2: the instant in seconds since 1970, exactly.
func parseDate(s string) (*big.Rat, bool) {
	if !strings.ContainsAny(s, "Tt-") {
		return parseEpoch(s)
	}
	day, clock := s, ""
	if i := strings.IndexAny(s, "Tt"); i >= 0 {
		day, clock = s[:i], s[i+1:]
	}
	days, ok := parseDay(day)
	if !ok {
		return nil, false
	}
	seconds, ok := parseClock(clock)
	if !ok {
		return nil, false
	}
	return seconds.Add(seconds, new(big.Rat).SetInt64(days*86400)), true
}

// parseEpoch takes whole seconds, at evaluation time with a fraction.
func parseEpoch(s string) (*big.Rat, bool) {
	whole, fraction, point := strings.Cut(s, ".")
	if !onlyDigits(whole) || point && !onlyDigits(fraction) {
		return nil, false
	}
	n, _ := new(big.Int).SetString(whole, 10)
	if !n.IsInt64() {
		return nil, false
	}
	return decimal(whole, fraction), true
}

func decimal(whole, fraction string) *big.Rat {
	n, _ := new(big.Int).SetString(whole+fraction, 10)
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(len(fraction))), nil)
	return new(big.Rat).SetFrac(n, unit)
}

// parseDay takes [-]year[-month[-day]] and gives the days since 1970-01-01 of the Gregorian calendar, extended in both directions.
func parseDay(s string) (int64, bool) {
	negative := strings.HasPrefix(s, "-")
	parts := strings.Split(strings.TrimPrefix(s, "-"), "-")
	if len(parts) > 3 {
		return 0, false
	}
	limit := int64(292278993)
	if negative {
		limit = 292275054
	}
	year, ok := field(parts[0], 9, 0, limit)
	if !ok {
		return 0, false
	}
	if negative {
		year = -year
	}
	month, day := int64(1), int64(1)
	if len(parts) > 1 {
		if month, ok = field(parts[1], 2, 1, 12); !ok {
			return 0, false
		}
	}
	if len(parts) > 2 {
		if day, ok = field(parts[2], 2, 1, daysIn(year, month)); !ok {
			return 0, false
		}
	}
	cycles := year / 400 // of 146097 days each
	if year%400 < 0 {
		cycles--
	}
	days := cycles*146097 + day - 1
	for y := cycles * 400; y < year; y++ {
		days += 365
		if leap(y) {
			days++
		}
	}
	for m := int64(1); m < month; m++ {
		days += daysIn(year, m)
	}
	const year0to1970 = 719528
	return days - year0to1970, true
}

func leap(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year, month int64) int64 {
	switch month {
	case 2:
		if leap(year) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// parseClock takes hour[:minute[:second[.fraction]]][zone], or nothing, and gives the seconds since midnight UTC.
func parseClock(s string) (*big.Rat, bool) {
	if s == "" {
		return new(big.Rat), true
	}
	var zone int64 // seconds east
	if last := s[len(s)-1]; last == 'Z' || last == 'z' {
		s = s[:len(s)-1]
	} else if i := strings.IndexAny(s, "+-"); i >= 0 {
		parts := strings.Split(s[i+1:], ":")
		if len(parts) > 2 {
			return nil, false
		}
		for j, unit := range []int64{3600, 60} {
			if j == len(parts) {
				break
			}
			n, ok := field(parts[j], 2, 0, []int64{23, 59}[j])
			if !ok || len(parts[j]) != 2 {
				return nil, false
			}
			zone += n * unit
		}
		if s[i] == '-' {
			zone = -zone
		}
		s = s[:i]
	}
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return nil, false
	}
	fraction := ""
	if len(parts) == 3 {
		var point bool
		if parts[2], fraction, point = strings.Cut(parts[2], "."); point && (!onlyDigits(fraction) || len(fraction) > 9) {
			return nil, false
		}
	}
	seconds := -zone
	for i, part := range parts {
		n, ok := field(part, 2, 0, []int64{23, 59, 59}[i])
		if !ok {
			return nil, false
		}
		seconds += n * []int64{3600, 60, 1}[i]
	}
	out := decimal("0", fraction)
	return out.Add(out, new(big.Rat).SetInt64(seconds)), true
}

// field takes 1 to width digits whose number lies in from..to.
func field(s string, width int, from, to int64) (int64, bool) {
	if len(s) > width || !onlyDigits(s) {
		return 0, false
	}
	n, _ := new(big.Int).SetString(s, 10)
	return n.Int64(), n.Int64() >= from && n.Int64() <= to
}
