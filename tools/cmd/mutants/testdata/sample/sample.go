// Package sample has a place for every change that the command makes, and tests that notice some of them.
package sample

import "errors"

// Most is a constant, which is never changed where it is declared.
const Most = 10 * 2

var errEmpty = errors.New("empty")

type span struct{ from, to int }

func (s *span) holds(n int) bool { return s.from <= n && n < s.to }

func first(text string) (head byte, rest string, err error) {
	if len(text) == 0 {
		return 0, "", errEmpty
	}
	return text[0], text[1:], nil
}

func again(text string) (byte, string, error) { return first(text) }

func count(list []int, skip func(int) bool) (n int) {
	for i := 0; i < len(list); {
		v := list[i]
		i++
		if skip(v) {
			continue
		}
		n++
		if !(n < Most) {
			break
		}
	}
	return n
}

func kind(n int) string {
	switch {
	case n < 0, n > 100:
		return "out"
	case n == 7:
		return "lucky"
	}
	switch n {
	case 1, 2:
		return "small"
	}
	return ""
}

func fixed(lucky bool) (bool, string) {
	if lucky || kind(7) != "lucky" {
		return true, "yes"
	}
	return false, ""
}

func wide(text string) bool {
	return len(text) > 3 && // a comment
		text[len(text)-1] == '.'
}

func never() int { return 1 }

func drained(n int) int {
	for n > 0 {
		n--
	}
	return n
}
