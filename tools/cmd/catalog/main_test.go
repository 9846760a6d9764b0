package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small is a package with one service.
func small() map[string][]byte {
	return map[string][]byte{
		"package.json":              []byte(`{"name":"n","version":"1","license":"MIT"}`),
		"LICENSE.txt":               []byte("MIT"),
		"data/services.json":        []byte(`["x"]`),
		"data/serviceNames.json":    []byte(`{"x":"X & Co"}`),
		"data/conditionKeys/x.json": []byte(`{"x:k":{"key":"x:k","description":"prose","type":"String"}}`),
		"data/resourceTypes/x.json": []byte(`{"t":{"key":"T","arn":"arn:${Partition}:x:::t","conditionKeys":["x:k"]}}`),
		"data/actions/x.json": []byte(`{"tag":{"name":"Tag","description":"prose","accessLevel":"Tagging, Write","resourceTypes":[
			{"name":"T","required":false,"conditionKeys":["x:k"]},{"name":"T","required":true,"conditionKeys":["x:k","x:l"]}],"conditionKeys":[]},
			"do":{"name":"Do","accessLevel":"Permissions management, Write","resourceTypes":[],"conditionKeys":["x:k"]}}`),
	}
}

var smallPin = pin{name: "n", version: "1", services: 1, actions: 2}

func TestConvert(t *testing.T) {
	t.Parallel()
	data, err := convert(small(), smallPin)
	if err != nil {
		t.Fatal(err)
	}
	again, err := convert(small(), smallPin)
	if err != nil || !bytes.Equal(data, again) {
		t.Errorf("the same package gives other bytes (%v)", err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range r.File {
		entry, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(entry)
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name] = string(text)
	}
	want := map[string]string{
		"_keys.json": `[{"name":"x:k","type":"String"}]` + "\n",
		"x.json": `{"prefix":"x","name":"X & Co","keys":[{"name":"x:k","type":"String"}],"resourceTypes":[{"name":"T","arn":"arn:${Partition}:x:::t","keys":["x:k"]}],` +
			`"actions":[{"name":"Do","level":"Permissions management","keys":["x:k"]},` +
			`{"name":"Tag","level":"Tagging","resources":[{"type":"T","required":true,"keys":["x:k","x:l"]}]}]}` + "\n",
	}
	if !maps.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// However the reference writes the part of a key that stands for anything, it is written in one way, once.
func TestConvertVariableKeys(t *testing.T) {
	t.Parallel()
	files := small()
	files["data/conditionKeys/x.json"] = []byte(`{"a":{"key":"x:Tag/","type":"String"},"b":{"key":"x:Tag/${TagKey}","type":"String"},"c":{"key":"x:R/tag-key","type":"ARN"},"d":{"key":"x:tag-key","type":"String"}}`)
	files["data/resourceTypes/x.json"] = []byte(`{"t":{"key":"T","arn":"arn:${Partition}:x:::t","conditionKeys":["x:Tag/${TagKey}","x:Tag/","x:R/tag-key"]}}`)
	files["data/actions/x.json"] = []byte(`{"tag":{"name":"Tag","accessLevel":"Read","resourceTypes":[{"name":"T","conditionKeys":["x:Tag/"]}],"conditionKeys":["x:R/tag-key","x:tag-key"]},
		"do":{"name":"Do","accessLevel":"Read"}}`)
	s, err := convertService(files, "x", "X")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(s.Keys, s.ResourceTypes, s.Actions[1].Resources, s.Actions[1].Keys),
		"[{x:R/${TagKey} ARN} {x:Tag/${TagKey} String} {x:tag-key String}] [{T arn:${Partition}:x:::t [x:Tag/${TagKey} x:R/${TagKey}]}] [{T false [x:Tag/${TagKey}]}] [x:R/${TagKey} x:tag-key]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	files["data/conditionKeys/x.json"] = []byte(`{"a":{"key":"x:Tag/","type":"String"},"b":{"key":"x:Tag/${TagKey}","type":"ARN"}}`)
	if _, err := convertService(files, "x", "X"); err == nil || !strings.HasPrefix(err.Error(), "key x:Tag/${TagKey} is of the types ") {
		t.Errorf("one key of two types: %v", err)
	}
}

func TestConvertRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ file, text, want string }{
		{"package.json", `{"name":"n","version":"2","license":"MIT"}`, `the package is n 2 under "MIT", not n 1 under MIT`},
		{"package.json", `{"name":"n","version":"1","license":"GPL"}`, `under "GPL"`},
		{"package.json", `{`, "package.json: unexpected end"},
		{"data/services.json", `[]`, "0 services with 0 actions, not 1 with 2"},
		{"data/services.json", `["x","y"]`, "y: the package has no file data/conditionKeys/y.json"},
		{"data/actions/x.json", `{"do":{"name":"Do","accessLevel":"Forbidden"}}`, `x: Do: access level "Forbidden" is not known`},
		{"data/actions/x.json", `{"do":{"name":"Do","accessLevel":"Read","resourceTypes":[{"name":"u"}]}}`, "x: Do: the service has no resource type u"},
	} {
		files := small()
		files[tt.file] = []byte(tt.text)
		if _, err := convert(files, smallPin); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %s: got %v, want %s", tt.file, tt.text, err, tt.want)
		}
	}
}

// Archive and directory are the same package; what is not looked at does not count.
func TestSources(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	unpacked, archive := filepath.Join(dir, "package"), filepath.Join(dir, "p.tgz")
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	tarred := tar.NewWriter(zipped)
	files := small()
	files["dist/code.js"] = []byte("code")
	for name, text := range files {
		path := filepath.Join(unpacked, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := tarred.WriteHeader(&tar.Header{Name: "package/" + name, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := tarred.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := tarred.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	want := smallPin
	want.digest = digestOf(small())
	for _, source := range []string{unpacked, archive} {
		out := filepath.Join(dir, "out.zip")
		if err := run(source, out, want); err != nil {
			t.Errorf("%s: %v", source, err)
		}
		if err := run(source, out, smallPin); err == nil || !strings.Contains(err.Error(), "adds up to") {
			t.Errorf("%s with another digest: %v", source, err)
		}
	}
	if err := run(filepath.Join(dir, "none"), filepath.Join(dir, "x.zip"), want); err == nil {
		t.Error("a package that is not there is taken")
	}
}
