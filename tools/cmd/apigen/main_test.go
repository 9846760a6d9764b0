package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUpToDate fails if the generated packages are not what the models give.
func TestUpToDate(t *testing.T) {
	t.Parallel()
	if err := run("../../../models", "../../../internal/api", true); err != nil {
		t.Error(err)
	}
}

func TestCheckSeesChange(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if err := run("../../../models", out, false); err != nil {
		t.Fatal(err)
	}
	if err := run("../../../models", out, true); err != nil {
		t.Errorf("two runs differ: %v", err)
	}
	path := filepath.Join(out, "iamapi", "errors_gen.go")
	if err := os.WriteFile(path, []byte("package iamapi\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run("../../../models", out, true); err == nil || !strings.Contains(err.Error(), "errors_gen.go") {
		t.Errorf("got %v", err)
	}
}

func TestGenerateRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, model, want string }{
		{"renamed member", `{"metadata":{"protocol":"query"},"operations":{"A":{"http":{},"input":{"shape":"In"}}},"shapes":{"In":{"type":"structure","members":{"B":{"shape":"S","locationName":"c"}}},"S":{"type":"string"}}}`, "renamed members"},
		{"unknown type", `{"metadata":{"protocol":"query"},"operations":{"A":{"http":{},"input":{"shape":"In"}}},"shapes":{"In":{"type":"structure","members":{"B":{"shape":"S"}}},"S":{"type":"bigdecimal"}}}`, `unknown type "bigdecimal"`},
		{"unknown protocol", `{"metadata":{"protocol":"ec2"},"operations":{},"shapes":{}}`, "unknown protocol ec2"},
		{"same Go name", `{"metadata":{"protocol":"query"},"operations":{"A":{"http":{},"input":{"shape":"in"},"output":{"shape":"In"}}},"shapes":{"in":{"type":"structure"},"In":{"type":"structure"}}}`, "both called In"},
		{"policy member gone", `{"metadata":{"protocol":"query"},"operations":{},"shapes":{}}`, "no member Role.Doc"},
	} {
		path := filepath.Join(t.TempDir(), "m.json")
		if err := os.WriteFile(path, []byte(c.model), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := readModel(path)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		target := target{Package: "p", ID: "x"}
		if strings.HasPrefix(c.name, "policy") {
			target.PolicyMembers = []string{"Role.Doc"}
		}
		if _, err := generate(target, m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}
