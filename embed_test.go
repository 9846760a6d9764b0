package gatehouse_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// maxEmbedded is how many bytes a program may have that takes a public package and does little else: who embeds the engine pays for
// what it does, and not for a package that came along.
const maxEmbedded = 3_000_000

// sigv4 is not among them: it takes net/http, which is bigger than the bound alone.
func TestEmbeddedSize(t *testing.T) {
	t.Parallel()
	const empty = "package main\n\nimport _ %q\n\nfunc main() {}\n"
	const decides = `package main

import (
	"os"

	"github.com/gatehouse-iam/gatehouse/policy"
)

func main() {
	p, err := policy.Load(os.Args[1], policy.Managed)
	if err != nil {
		panic(err)
	}
	sets := &policy.Sets{Identity: policy.NewSet(&policy.Attached{Policy: p})}
	println(policy.Decide(sets, &policy.Request{Action: os.Args[2], Resource: os.Args[3]}).Effect.String())
}
`
	for name, source := range map[string]string{
		"arn":                   fmt.Sprintf(empty, modulePath+"/arn"),
		"policy":                fmt.Sprintf(empty, modulePath+"/policy"),
		"policy with decisions": decides,
	} {
		dir := t.TempDir()
		main, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program")
		if err := os.WriteFile(main, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, main).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		info, err := os.Stat(program)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > maxEmbedded {
			t.Errorf("a program with %s has %d bytes, more than %d", name, info.Size(), maxEmbedded)
		}
	}
}

// The public packages' API is in other people's programs. testdata/api holds it as it stands.
func TestFrozenAPI(t *testing.T) {
	t.Parallel()
	packages := []string{"arn", "catalog", "policy", "sigv4"}
	imports := exported(t, packages)
	for _, name := range packages {
		pkg, err := imports.Import(modulePath + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got := api(pkg)
		if len(got) < 10 {
			t.Fatalf("only %d declarations were found in %s", len(got), name)
		}
		file := filepath.Join("testdata", "api", name+".txt")
		if *update {
			if err := os.WriteFile(file, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("package %s: the API is frozen, and this is gone or has changed: %s", name, line)
			}
		}
		for _, line := range got {
			if !slices.Contains(want, line) {
				t.Errorf("package %s: the API is frozen, and this is new: %s\nIf it is meant to stay for ever: go test -run '^TestFrozenAPI$' . -update", name, line)
			}
		}
	}
}

// exported reads the types of packages of this module, and of all that they need, from what the compiler wrote.
func exported(t *testing.T, packages []string) types.Importer {
	t.Helper()
	args := []string{"list", "-export", "-deps", "-json=ImportPath,Export"}
	for _, p := range packages {
		args = append(args, "./"+p)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		files[p.ImportPath] = p.Export
	}
	return importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
}

// api lists what a package exports, a line each: names, signatures with the names of parameters, fields, methods, values of constants.
func api(pkg *types.Package) []string {
	short := func(p *types.Package) string {
		if p == pkg {
			return ""
		}
		return p.Name()
	}
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, name := range pkg.Scope().Names() {
		o := pkg.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		if c, ok := o.(*types.Const); ok {
			add("%s = %s", types.ObjectString(c, short), c.Val().ExactString())
			continue
		}
		declared, ok := o.(*types.TypeName)
		if !ok {
			add("%s", types.ObjectString(o, short))
			continue
		}
		named, ok := declared.Type().(*types.Named)
		if !ok || declared.IsAlias() {
			add("%s", types.ObjectString(o, short))
			continue
		}
		fields, ok := named.Underlying().(*types.Struct)
		if !ok {
			add("%s", types.ObjectString(o, short))
		} else {
			add("type %s struct", types.TypeString(named, short))
			for f := range fields.Fields() {
				if f.Exported() {
					add("type %s struct: %s %s", name, f.Name(), types.TypeString(f.Type(), short))
				}
			}
		}
		for m := range named.Methods() {
			if m.Exported() {
				add("%s", types.ObjectString(m, short))
			}
		}
	}
	return lines
}

// The README shows the examples of package policy as they are compiled and run.
func TestReadmeShowsTheExamples(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(readme), "\n## In a Go program\n")
	if !ok {
		t.Fatal("README.md has no section \"In a Go program\"")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var shown []string
	for i, part := range strings.Split(section, "```") {
		if i%2 == 1 {
			code, ok := strings.CutPrefix(part, "go\n")
			if !ok {
				t.Errorf("a block of the section is not Go:\n%s", part)
			}
			shown = append(shown, code)
		}
	}
	wanted := []string{"Example", "Example_resourcePolicy", "Example_organization"}
	if len(shown) != len(wanted) {
		t.Fatalf("the section has %d blocks of code, want %s", len(shown), strings.Join(wanted, ", "))
	}
	const file = "policy/example_test.go"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	bodies := map[string]string{}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			inner := text[files.Position(fn.Body.Lbrace).Offset+2 : files.Position(fn.Body.Rbrace).Offset]
			bodies[fn.Name.Name] = strings.ReplaceAll("\n"+string(inner), "\n\t", "\n")[1:]
		}
	}
	for i, name := range wanted {
		if shown[i] != bodies[name] {
			t.Errorf("README.md, \"In a Go program\", block %d is not the body of %s in %s:\n%s\nThe example is\n%s", i+1, name, file, shown[i], bodies[name])
		}
	}
}
