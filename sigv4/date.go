package sigv4

import "time"

const basicISO = "20060102T150405Z"

// parseBasicISO is strict where time.Parse is not: no fraction, no second form of any field.
func parseBasicISO(s string) (time.Time, bool) {
	if len(s) != len(basicISO) || s[8] != 'T' || s[15] != 'Z' {
		return time.Time{}, false
	}
	var bad byte
	two := func(i int) int {
		hi, lo := s[i]-'0', s[i+1]-'0'
		if hi > 9 || lo > 9 {
			bad = 1
		}
		return int(hi)*10 + int(lo)
	}
	year, month, day := two(0)*100+two(2), two(4), two(6)
	hour, minute, second := two(9), two(11), two(13)
	if bad != 0 || month < 1 || month > 12 || day < 1 || day > daysIn(month, year) || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return time.Unix(int64(daysSince1970(year, month, day))*86400+int64(hour*3600+minute*60+second), 0).UTC(), true
}

func daysIn(month, year int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSince1970 counts in years that begin in March, so that the leap day is the last. It takes a tenth of the time of time.Date.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	year += 400 // keeps the divisions below positive in the year 0
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468 - 146097
}

// formatBasicISO formats a UTC time of the years 0 to 9999.
func formatBasicISO(t time.Time) (out [len(basicISO)]byte) {
	t.AppendFormat(out[:0], basicISO)
	return out
}
