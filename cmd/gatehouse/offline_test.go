package main

import (
	"encoding/json"
	"fmt"
	"net/url"
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

// The suite of the README runs, and says what it says there.
func TestReadmeSuite(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```yaml\n# policies.yaml\n")
	suite, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("README.md has no policies.yaml")
	}
	w := newWorld(t)
	file := writeFile(t, filepath.Join(w.dir, "policies.yaml"), suite)
	if code, stdout, stderr := w.do(t, "simulate", "--suite", file); code != exitOK || stdout != "ok     reads\nok     never deletes\npolicies.yaml: 2 of 2 as expected\n" {
		t.Errorf("code %d, %s%s", code, stdout, stderr)
	}
}

// The dump of the goldens in the API's own encoding of documents gives the same answers.
func TestEncodedDump(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/offline/account.json")
	if err != nil {
		t.Fatal(err)
	}
	var dump any
	if err := json.Unmarshal(text, &dump); err != nil {
		t.Fatal(err)
	}
	encoded := 0
	var encode func(v any)
	encode = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				encode(item)
			}
		case map[string]any:
			for name, value := range v {
				if name != "PolicyDocument" && name != "AssumeRolePolicyDocument" && name != "Document" {
					encode(value)
					continue
				}
				document, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				v[name] = url.PathEscape(string(document))
				encoded++
			}
		}
	}
	encode(dump)
	if text, err = json.Marshal(dump); err != nil || encoded < 4 {
		t.Fatalf("%d documents: %v", encoded, err)
	}
	w := newWorld(t)
	suite, err := os.ReadFile("testdata/offline/account.yaml")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(w.dir, "account.json"), string(text))
	file := writeFile(t, filepath.Join(w.dir, "account.yaml"), string(suite))
	if code, stdout, stderr := w.do(t, "simulate", "--suite", file); code != exitOK || !strings.Contains(stdout, "account: 4 of 4 as expected") {
		t.Errorf("code %d, %s%s", code, stdout, stderr)
	}
}
