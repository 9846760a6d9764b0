package policy

import (
	"strconv"
	"strings"
)

// validDate says whether v passes the check of Date values that AWS makes when a policy is written
// (docs/spec/policy-language.md 10.2). A value that passes may still name no day of the calendar.
func validDate(v string) bool {
	i := strings.IndexAny(v, "Tt")
	if i < 0 && !strings.Contains(v, "-") {
		return validEpoch(v)
	}
	date, clock := v, ""
	if i >= 0 {
		date, clock = v[:i], v[i+1:]
	}
	return validDay(date) && validClock(clock)
}

// validEpoch takes whole seconds from 0 to 2^63-1.
func validEpoch(v string) bool {
	if !allDigits(v) {
		return false
	}
	_, err := strconv.ParseInt(v, 10, 64)
	return err == nil
}

// validDay takes [-]year[-month[-day]].
func validDay(v string) bool {
	negative := strings.HasPrefix(v, "-")
	year, rest, more := strings.Cut(strings.TrimPrefix(v, "-"), "-")
	limit := 292278993
	if negative {
		limit = 292275054
	}
	if !inRange(year, 9, 0, limit) {
		return false
	}
	if !more {
		return true
	}
	month, day, more := strings.Cut(rest, "-")
	return inRange(month, 2, 1, 12) && (!more || inRange(day, 2, 1, 31))
}

// validClock takes hour[:minute[:second[.fraction]]] with a zone, or nothing.
func validClock(v string) bool {
	if v == "" {
		return true
	}
	if n := len(v) - 1; v[n] == 'Z' || v[n] == 'z' {
		v = v[:n]
	} else if i := strings.IndexAny(v, "+-"); i >= 0 {
		if !validZone(v[i+1:]) {
			return false
		}
		v = v[:i]
	}
	hour, rest, more := strings.Cut(v, ":")
	if !inRange(hour, 2, 0, 23) {
		return false
	}
	if !more {
		return true
	}
	minute, rest, more := strings.Cut(rest, ":")
	if !inRange(minute, 2, 0, 59) {
		return false
	}
	if !more {
		return true
	}
	second, fraction, more := strings.Cut(rest, ".")
	return inRange(second, 2, 0, 59) && (!more || len(fraction) <= 9 && allDigits(fraction))
}

// validZone takes hh or hh:mm, two digits each.
func validZone(v string) bool {
	hour, minute, more := strings.Cut(v, ":")
	return len(hour) == 2 && inRange(hour, 2, 0, 23) && (!more || len(minute) == 2 && inRange(minute, 2, 0, 59))
}

func allDigits(v string) bool {
	for i := range len(v) {
		if v[i] < '0' || v[i] > '9' {
			return false
		}
	}
	return v != ""
}

// inRange takes 1 to width digits whose number lies in from..to.
func inRange(v string, width, from, to int) bool {
	if len(v) > width || !allDigits(v) {
		return false
	}
	n, err := strconv.Atoi(v)
	return err == nil && n >= from && n <= to
}
