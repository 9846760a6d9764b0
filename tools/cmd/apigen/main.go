// Command apigen turns API models into Go: structs, operations, shape tables and faults (internal/api/*).
//
//	go -C tools run ./cmd/apigen -models ../models -out ../internal/api
//
// The same models give the same bytes. With -check nothing is written; the command fails if a file would change.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
)

// target is one package to generate. What the models do not say about a service stands here.
type target struct {
	Model, Package string
	ID             string // action prefix
	Title          string
	GlobalRegion   string
	Strict         bool
	Operations     int      // how many the model must have
	PolicyMembers  []string // shape.member whose text answers carry percent-encoded: docs/spec/wire.md 1.3
	NoMessage      []string // codes whose errors have no message: docs/spec/wire.md 4.1
}

var targets = []target{
	{
		Model: "iam.json", Package: "iamapi", Operations: 176, ID: "iam", Title: "IAM", GlobalRegion: "us-east-1",
		PolicyMembers: []string{
			"Role.AssumeRolePolicyDocument", "RoleDetail.AssumeRolePolicyDocument",
			"GetUserPolicyResponse.PolicyDocument", "GetGroupPolicyResponse.PolicyDocument", "GetRolePolicyResponse.PolicyDocument",
			"PolicyDetail.PolicyDocument", "PolicyVersion.Document",
		},
		NoMessage: []string{"ReportExpired", "ReportInProgress", "ReportNotPresent"},
	},
	{Model: "sts.json", Package: "stsapi", Operations: 11, ID: "sts", Title: "STS", GlobalRegion: "us-east-1"},
	{Model: "organizations.json", Package: "orgapi", Operations: 63, ID: "organizations", Title: "Organizations", GlobalRegion: "us-east-1"},
	{Model: "accessanalyzer.json", Package: "aaapi", Operations: 39, ID: "access-analyzer", Title: "IAM Access Analyzer"},
	{Model: "gatehouse.json", Package: "ghapi", Operations: 3, ID: "gatehouse", Title: "Gatehouse", Strict: true},
}

func main() {
	models := flag.String("models", "../models", "directory of the models")
	out := flag.String("out", "../internal/api", "directory of the generated packages")
	check := flag.Bool("check", false, "write nothing, fail if a file would change")
	flag.Parse()
	if err := run(*models, *out, *check); err != nil {
		fmt.Fprintln(os.Stderr, "apigen:", err)
		os.Exit(1)
	}
}

func run(models, out string, check bool) error {
	for _, t := range targets {
		m, err := readModel(filepath.Join(models, t.Model))
		if err != nil {
			return err
		}
		if n := len(m.Operations.Keys); n != t.Operations {
			return fmt.Errorf("%s has %d operations, not %d", t.Model, n, t.Operations)
		}
		files, err := generate(t, m)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Model, err)
		}
		dir := filepath.Join(out, t.Package)
		if !check {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(keys(files)) {
			text, err := format.Source(files[name])
			if err != nil {
				return fmt.Errorf("%s/%s: %w\n%s", t.Package, name, err, files[name])
			}
			path := filepath.Join(dir, name)
			old, err := os.ReadFile(path)
			if err == nil && bytes.Equal(old, text) {
				continue
			}
			if check {
				return fmt.Errorf("%s is not what the models give; run apigen", path)
			}
			if err := os.WriteFile(path, text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

func keys(m map[string][]byte) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
