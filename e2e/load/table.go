package main

import (
	"fmt"
	"os"
	"strings"
)

const (
	tableBegin = "<!-- figures: begin, written by make bench -->\n"
	tableEnd   = "<!-- figures: end -->\n"
)

func render(figures []figure) string {
	var b strings.Builder
	b.WriteString("| Figure | Measured | Limit | Met | |\n|---|---|---|---|---|\n")
	for _, f := range figures {
		sign, met := "≥", "yes"
		if f.atMost {
			sign = "≤"
		}
		if !f.met() {
			met = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s %s | %s %s %s | %s | %s |\n", f.name, number(f.value), f.unit, sign, number(f.limit), f.unit, met, f.note)
	}
	return b.String()
}

func number(v float64) string {
	switch {
	case v >= 1000:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// replaceTable puts the table between the markers of a file.
func replaceTable(path, table string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok1 := strings.Cut(string(text), tableBegin)
	_, after, ok2 := strings.Cut(rest, tableEnd)
	if !ok1 || !ok2 {
		return fmt.Errorf("%s has no markers for the table", path)
	}
	return os.WriteFile(path, []byte(before+tableBegin+table+tableEnd+after), 0o644)
}

// compare reports the figures that the file says were met and that are not met now. It returns the exit code.
func compare(path string, figures []figure) int {
	text, err := os.ReadFile(path)
	check(err)
	code := 0
	for _, f := range figures {
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "| "+f.name+" |") && strings.Contains(line, "| yes |") && !f.met() {
				fmt.Printf("WORSE: %s was met, now %s %s against a limit of %s\n", f.name, number(f.value), f.unit, number(f.limit))
				code = 1
			}
		}
	}
	return code
}
