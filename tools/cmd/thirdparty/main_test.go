package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The tools module itself is a program with dependencies at hand.
func TestRunPrintsEveryLinkedModule(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := run(&out, "../..", []string{"./cmd/protogen"}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Go standard library 1.", "github.com/bufbuild/protocompile v", "google.golang.org/protobuf v", "Apache License", "PATENTS"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in:\n%.2000s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "gatehouse/tools") {
		t.Error("the program's own module is no third party")
	}
}

func TestModuleWithoutLicence(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := module{"example.com/m", "v1.0.0", dir}
	if err := os.WriteFile(filepath.Join(dir, "NOTICE"), []byte("n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := m.write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "example.com/m v1.0.0 has no licence file") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE.txt"), []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := m.write(&out); err != nil || !strings.Contains(out.String(), "example.com/m v1.0.0: LICENSE.txt\n\ntext") {
		t.Errorf("got %v, %q", err, out.String())
	}
}
