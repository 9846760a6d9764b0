package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"testing"
)

func TestGenerate(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("leaf.proto", "syntax = \"proto3\";\npackage a;\noption go_package = \"example.com/a\";\nmessage Leaf { string name = 1; }\n")
	write("tree.proto", `syntax = "proto3";
package a;
option go_package = "example.com/a";
import "leaf.proto";
import "google/protobuf/timestamp.proto";
// Tree is documented.
message Tree {
  optional int64 age = 1;
  repeated Leaf leaves = 2;
  map<string, bytes> more = 3;
  google.protobuf.Timestamp planted = 4;
  oneof one { string s = 5; uint32 u = 6; }
}
`)
	if err := generate(filepath.Join(dir, "tree.proto"), nil, out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "tree.pb.go"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "tree.pb.go", text, 0); err != nil {
		t.Errorf("generated code does not parse: %v", err)
	}
	for _, want := range []string{"// Tree is documented.", "Age ", "*int64", "[]*Leaf", "map[string][]byte", "*timestamppb.Timestamp", "isTree_One"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("generated code lacks %q:\n%s", want, text)
		}
	}
	write("bad.proto", "syntax = \"proto3\";\nmessage {")
	if err := generate(filepath.Join(dir, "bad.proto"), nil, out); err == nil {
		t.Error("a file with a syntax error was accepted")
	}
}
