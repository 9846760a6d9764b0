package policy

import (
	"cmp"
	"strconv"
	"strings"
)

// instant is a point in time, exact: seconds since 1970 and the digits of the fraction that is added, without zeros at the end.
type instant struct {
	seconds  int64
	fraction string
}

// parseInstant reads docs/spec/policy-language.md 10.2: what validDate takes, if the day is in the calendar, and epochs with a fraction.
func parseInstant(v string) (instant, bool) {
	if seconds, ok := commonInstant(v); ok {
		return instant{seconds: seconds}, true
	}
	i := strings.IndexAny(v, "Tt")
	if i < 0 && !strings.Contains(v, "-") {
		return parseEpoch(v)
	}
	date, clock := v, ""
	if i >= 0 {
		date, clock = v[:i], v[i+1:]
	}
	if !validDay(date) || !validClock(clock) {
		return instant{}, false
	}
	days, ok := parseDay(date)
	if !ok {
		return instant{}, false
	}
	out := parseClock(clock)
	out.seconds += days * secondsPerDay
	return out, true
}

const secondsPerDay = 24 * 60 * 60

// commonInstant reads the one form that servers write: 2026-06-15T12:30:00Z. It leaves everything else to the rules.
func commonInstant(v string) (int64, bool) {
	if len(v) != len("2026-06-15T12:30:00Z") || v[4] != '-' || v[7] != '-' || v[10] != 'T' || v[13] != ':' || v[16] != ':' || v[19] != 'Z' {
		return 0, false
	}
	century, year, month, day := twoDigits(v, 0), twoDigits(v, 2), twoDigits(v, 5), twoDigits(v, 8)
	hour, minute, second := twoDigits(v, 11), twoDigits(v, 14), twoDigits(v, 17)
	if century|year|month|day|hour|minute|second < 0 || month == 0 || month > 12 || day == 0 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	year += century * 100
	if day > 28 && day > daysIn(year, month) {
		return 0, false
	}
	return (daysBefore(year, month)+day-1)*secondsPerDay + hour*3600 + minute*60 + second, true
}

// twoDigits is the number at i, or negative.
func twoDigits(v string, i int) int64 {
	a, b := v[i]-'0', v[i+1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int64(a)*10 + int64(b)
}

func parseEpoch(v string) (instant, bool) {
	whole, fraction, point := strings.Cut(v, ".")
	if !validEpoch(whole) || point && !allDigits(fraction) {
		return instant{}, false
	}
	return instant{seconds: int64(atoi(whole)), fraction: strings.TrimRight(fraction, "0")}, true
}

// atoi reads digits that were validated; "" is 0.
func atoi(v string) int {
	n, err := strconv.Atoi(v)
	if err != nil {
		return 0
	}
	return n
}

// parseDay is the number of days since 1970 of a valid day in the proleptic Gregorian calendar. It fails for the 31st of a shorter month.
func parseDay(v string) (int64, bool) {
	v, negative := strings.CutPrefix(v, "-")
	first, rest, _ := strings.Cut(v, "-")
	second, third, _ := strings.Cut(rest, "-")
	year, month, day := int64(atoi(first)), int64(1), int64(1)
	if negative {
		year = -year
	}
	if second != "" {
		month = int64(atoi(second))
	}
	if third != "" {
		day = int64(atoi(third))
	}
	if day > daysIn(year, month) {
		return 0, false
	}
	return daysBefore(year, month) + day - 1, true
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

// daysBefore is the number of days from 1970-01-01 to the first of the month.
func daysBefore(year, month int64) int64 {
	const (
		perCycle = 146097 // days in 400 years
		to1970   = 719528 // days from 0000-01-01
	)
	cycle := year / 400
	if year%400 < 0 {
		cycle--
	}
	y := year - cycle*400
	days := y*365 + daysToMonth[month-1]
	if y > 0 {
		days += (y-1)/4 - (y-1)/100 + 1 // leap years before y; year 0 of a cycle is one
	}
	if month > 2 && leap(y) {
		days++
	}
	return cycle*perCycle + days - to1970
}

// daysToMonth is the number of days before each month of a year that is no leap year.
var daysToMonth = [...]int64{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

// parseClock reads a valid time of day with its zone, UTC where there is none, as seconds after midnight UTC of the day that is written.
func parseClock(v string) instant {
	if v == "" {
		return instant{}
	}
	zone := int64(0)
	if n := len(v) - 1; v[n] == 'Z' || v[n] == 'z' {
		v = v[:n]
	} else if i := strings.IndexAny(v, "+-"); i >= 0 {
		hour, minute, _ := strings.Cut(v[i+1:], ":")
		zone = int64(atoi(hour)*3600 + atoi(minute)*60)
		if v[i] == '-' {
			zone = -zone
		}
		v = v[:i]
	}
	hour, rest, _ := strings.Cut(v, ":")
	minute, rest, _ := strings.Cut(rest, ":")
	second, fraction, _ := strings.Cut(rest, ".")
	return instant{
		seconds:  int64(atoi(hour)*3600+atoi(minute)*60+atoi(second)) - zone,
		fraction: strings.TrimRight(fraction, "0"),
	}
}

func matchInstant(v string, values []instant, o Operator) bool {
	d, ok := parseInstant(v)
	if !ok {
		return false
	}
	for i := range values {
		c := cmp.Compare(d.seconds, values[i].seconds)
		if c == 0 {
			c = strings.Compare(d.fraction, values[i].fraction)
		}
		if o.accepts(c) {
			return true
		}
	}
	return false
}
