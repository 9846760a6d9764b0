package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The commands that need no server have their outputs as goldens. A file has blocks of "$ gatehouse …", what it prints, lines of standard error
// with "! " before them, and the exit code where it is not 0. go test ./cmd/gatehouse -update runs the lines anew.
func TestOfflineCommands(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/offline/*.golden")
	if err != nil || len(files) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for line := range strings.Lines(string(text)) {
				if command, ok := strings.CutPrefix(line, "$ gatehouse "); ok {
					runLine(t, &got, strings.TrimSuffix(command, "\n"))
				}
			}
			golden(t, filepath.Join("offline", filepath.Base(file)), got.String())
		})
	}
}

// runLine runs one command and writes the block.
func runLine(t *testing.T, b *strings.Builder, line string) {
	t.Helper()
	fmt.Fprintf(b, "$ gatehouse %s\n", line)
	w := newWorld(t)
	command, input, ok := strings.Cut(line, " < ")
	if ok {
		text, err := os.ReadFile(input)
		if err != nil {
			t.Fatal(err)
		}
		w.stdin = strings.NewReader(string(text))
	}
	code, stdout, stderr := w.do(t, words(command)...)
	b.WriteString(stdout)
	for l := range strings.Lines(stderr) {
		b.WriteString("! " + l)
	}
	if code != exitOK {
		fmt.Fprintf(b, "exit code %d\n", code)
	}
	b.WriteString("\n")
}

// words splits a command line as a shell does, as far as single quotation marks.
func words(line string) []string {
	var out []string
	var word strings.Builder
	inside, begun := false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			inside, begun = !inside, true
		case r == ' ' && !inside:
			if begun {
				out = append(out, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	return out
}
