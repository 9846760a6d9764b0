package gatehouse_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// maxLines is how long a file may be before its parts are no longer found by their names.
const maxLines = 600

// later marks work that nobody will do. What is missing stands in an issue, and what does not work says so.
var later = regexp.MustCompile(`\b(` + `TO` + `DO|FIX` + `ME|X` + `XX)\b`)

// withExamples are the packages that other programs import; the example is the first thing their users read.
var withExamples = []string{"arn", "catalog", "policy", "sigv4"}

func generated(file string) bool {
	return strings.HasSuffix(file, "_gen.go") || strings.HasSuffix(file, "_gen_test.go") || strings.HasSuffix(file, ".pb.go")
}

func TestFiles(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(text, []byte("\n")); n > maxLines && !generated(file) {
			t.Errorf("%s has %d lines, more than %d: split it by meaning", file, n, maxLines)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if word := later.FindString(line); word != "" && !generated(file) {
				t.Errorf("%s:%d: %s: put it into an issue, or do it", file, i+1, word)
			}
		}
	}
}

// What was recorded elsewhere keeps its origin and licence beside it (NOTICE).
func TestRecordingsHaveAnOrigin(t *testing.T) {
	t.Parallel()
	found := 0
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if base := path.Base(name); base == "node_modules" || strings.HasPrefix(base, ".") && name != "." {
			return fs.SkipDir
		}
		if path.Base(name) != "recorded" {
			return nil
		}
		found++
		for _, file := range []string{"ORIGIN", "ORIGIN.md", "README.md"} {
			text, err := os.ReadFile(path.Join(name, file))
			if err == nil && bytes.Contains(text, []byte("Apache-2.0")) && bytes.Contains(text, []byte("8b9a79f05846835cf4dff63ab7eefdde9df83783")) {
				return nil
			}
		}
		t.Errorf("%s has no ORIGIN or README.md with the commit and the licence of what was recorded", name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no recordings were found")
	}
}

// Every package says in one place what it knows and what it does not know: doc.go, or main.go of a command. Packages of tests or of
// generated files alone say it where they can.
func TestPackageComments(t *testing.T) {
	t.Parallel()
	type pkg struct{ comments, written []string }
	packages := map[string]*pkg{}
	for _, file := range goFiles(t) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, ".pb.go") { // the generator takes the comment of the .proto file's package, and has no way to a doc.go
			continue
		}
		dir := path.Dir(file)
		p := packages[dir]
		if p == nil {
			p = &pkg{}
			packages[dir] = p
		}
		if f.Doc != nil && strings.TrimSpace(f.Doc.Text()) != "" {
			p.comments = append(p.comments, file)
			if first := "Package " + f.Name.Name + " "; f.Name.Name != "main" && !strings.HasPrefix(f.Doc.Text(), first) {
				t.Errorf("%s: the package comment does not begin with %q", file, first)
			}
		}
		if !strings.HasSuffix(file, "_test.go") && !generated(file) {
			p.written = append(p.written, file)
		}
	}
	for dir, p := range packages {
		switch {
		case len(p.comments) == 0:
			t.Errorf("%s has no package comment", dir)
		case len(p.comments) > 1:
			t.Errorf("%s has more than one package comment: %s", dir, strings.Join(p.comments, ", "))
		case len(p.written) > 0 && path.Base(p.comments[0]) != "doc.go" && path.Base(p.comments[0]) != "main.go":
			t.Errorf("the package comment of %s stands in %s, not in doc.go", dir, p.comments[0])
		}
	}
}

func TestPublicPackagesHaveExamples(t *testing.T) {
	t.Parallel()
	found := map[string]bool{}
	for _, file := range goFiles(t) {
		dir := path.Dir(file)
		if !slices.Contains(withExamples, dir) || !strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Example") {
				found[dir] = true
			}
		}
	}
	for _, dir := range withExamples {
		if !found[dir] {
			t.Errorf("package %s has no example", dir)
		}
	}
}
