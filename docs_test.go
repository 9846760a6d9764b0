package gatehouse_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// documents are pages that speak of the code by name: `pkg.Name` or `pkg.(*Type).Method`.
var documents = []string{"ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "README.md"}

var (
	codeName = regexp.MustCompile("`([a-z][a-z0-9]*)\\.(?:\\(\\*?(\\w+)\\)\\.)?(\\w+)`")
	fileLink = regexp.MustCompile(`\]\(([^)#]+)\)`)
)

// A page that names what is no longer there sends its reader the wrong way.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	t.Parallel()
	declared, packages := declarations(t)
	names := 0
	for _, file := range documents {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range codeName.FindAllStringSubmatch(string(text), -1) {
			pkg, receiver, name := m[1], m[2], m[3]
			if !packages[pkg] || receiver == "" && (name == "go" || name == "md") {
				continue // not of ours: a file, an address, a standard package
			}
			names++
			if receiver != "" {
				name = receiver + "." + name
			}
			if !declared[pkg+"."+name] {
				t.Errorf("%s: there is no %s", file, m[0])
			}
		}
		for _, m := range fileLink.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(m[1]); err != nil {
				t.Errorf("%s links to %s, which is not there", file, m[1])
			}
		}
	}
	if names < 20 {
		t.Errorf("only %d names of the code were found in the documents", names)
	}
}

// declarations lists what the packages declare, as pkg.Name and pkg.Type.Method, by the last element of the package's path.
func declarations(t *testing.T) (declared, packages map[string]bool) {
	t.Helper()
	declared, packages = map[string]bool{}, map[string]bool{}
	for _, file := range goFiles(t) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		pkg := path.Base(path.Dir(file))
		packages[pkg] = true
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					// A method counts by its bare name too: prose says iam.createUser where the receiver does not matter.
					declared[pkg+"."+name] = true
					name = receiverName(d.Recv.List[0].Type) + "." + name
				}
				declared[pkg+"."+name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						declared[pkg+"."+s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							declared[pkg+"."+n.Name] = true
						}
					}
				}
			}
		}
	}
	return declared, packages
}

func receiverName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiverName(e.X)
	case *ast.IndexExpr:
		return receiverName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
