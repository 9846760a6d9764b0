package sigv4

import "time"

const basicISO = "20060102T150405Z"

// parseBasicISO is strict where time.Parse is not: no fraction, no second form of any field.
func parseBasicISO(s string) (time.Time, bool) {
	if len(s) != len(basicISO) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	number := func(from, to int) int {
		n := 0
		for _, b := range []byte(s[from:to]) {
			if b < '0' || b > '9' {
				return -1
			}
			n = n*10 + int(b-'0')
		}
		return n
	}
	year, month, day := number(0, 4), number(4, 6), number(6, 8)
	hour, minute, second := number(9, 11), number(11, 13), number(13, 15)
	if year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 ||
		minute < 0 || minute > 59 || second < 0 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	// time.Date turns February 30 into March 1 or 2.
	return t, day <= 28 || t.Day() == day
}

// formatBasicISO formats a UTC time of the years 0 to 9999.
func formatBasicISO(t time.Time) (out [len(basicISO)]byte) {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	two := func(i, n int) {
		out[i], out[i+1] = byte('0'+n/10), byte('0'+n%10)
	}
	two(0, year/100%100)
	two(2, year%100)
	two(4, int(month))
	two(6, day)
	out[8] = 'T'
	two(9, hour)
	two(11, minute)
	two(13, second)
	out[15] = 'Z'
	return out
}
