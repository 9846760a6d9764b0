package gatehouse_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const modulePath = "github.com/gatehouse-iam/gatehouse"

// place is where a package stands. A package imports packages of lower layers, and of its own layer only those beside it.
type place struct {
	pkg    string // "x/..." stands for x and everything below
	layer  int
	beside []string
	kind   kind
}

type kind uint8

const (
	ordinary kind = iota
	library       // public: standard library and public packages only, so that any Go program can take it
	service       // an API; services share state, never each other
	engine        // a storage engine; only the server names one
	records       // generated messages; knows nothing of ours
	kit           // for tests only
	command       // flags and commands: everything else is behind the server
)

// table is the architecture (ARCHITECTURE.md, "Layers"). Who adds a package adds a line here, and the line is what review is about.
var table = []place{
	{"arn", 0, nil, library},
	{"policy", 0, []string{"arn"}, library},
	{"policy/reference", 0, []string{"policy"}, library}, // the second evaluator: of policy only the types
	{"sigv4", 0, nil, library},
	{"catalog", 1, nil, library},

	{"internal/wire", 1, nil, ordinary},
	{"internal/api/iamapi", 1, []string{"internal/wire"}, ordinary},
	{"internal/api/stsapi", 1, []string{"internal/wire"}, ordinary},
	{"internal/api/orgapi", 1, []string{"internal/wire"}, ordinary},
	{"internal/api/aaapi", 1, []string{"internal/wire"}, ordinary},
	{"internal/api/ghapi", 1, []string{"internal/wire"}, ordinary},
	{"internal/storage", 1, nil, ordinary},
	{"internal/storage/field", 1, []string{"internal/storage"}, ordinary}, // how engines write their records
	{"internal/keyring", 1, nil, ordinary},
	{"internal/awspolicy", 1, nil, ordinary},
	{"internal/product", 1, []string{"catalog"}, ordinary},
	{"internal/simulate", 1, []string{"catalog", "internal/product"}, ordinary},
	{"internal/state/statepb", 1, nil, records},
	{"internal/audit/auditpb", 1, nil, records},
	{"internal/usage/usagepb", 1, nil, records},

	{"internal/state", 2, nil, ordinary},
	{"internal/storage/bolt", 2, nil, engine},
	{"internal/storage/etcd", 2, nil, engine},
	{"internal/storage/memory", 2, nil, engine},

	{"internal/session", 3, nil, ordinary},
	{"internal/authn", 3, []string{"internal/session"}, ordinary},
	{"internal/authz", 3, []string{"internal/session"}, ordinary},
	{"internal/audit", 3, nil, ordinary},
	{"internal/usage", 3, nil, ordinary},

	{"internal/service", 4, nil, ordinary},
	{"internal/authmessage", 4, nil, ordinary},
	{"internal/offline", 4, nil, ordinary}, // questions about policies in files, which need no server

	{"internal/iam", 5, nil, service},
	{"internal/sts", 5, nil, service},
	{"internal/gatehouseapi", 5, nil, service},

	{"internal/server", 6, nil, ordinary},

	{"cmd/gatehouse", 7, nil, command},

	// Test kits import what they test; nothing but tests imports them.
	{"policy/policytest", 8, []string{"policy/reference"}, kit},
	{"internal/wire/wiretest", 8, nil, kit},
	{"internal/state/statetest", 8, nil, kit},
	{"internal/storage/storagetest", 8, nil, kit},

	// The whole from outside.
	{".", 9, nil, kit},
	{"e2e/...", 9, []string{"e2e/..."}, kit},
	{"bench/...", 9, []string{"bench/..."}, kit},
}

// commandImports are the packages that cmd may name beside the public ones: the server, the type that keeps secrets out of logs on the
// way there, and what answers questions about policies in files.
var commandImports = []string{"internal/server", "internal/keyring", "internal/offline"}

// random makes ids and keys. One package has it, so that "where does this come from" has one answer.
var random = []string{"crypto/rand", "math/rand", "math/rand/v2"}

// outside is what pure packages may not import: their results would depend on more than their arguments.
var outside = []string{"os", "os/exec", "os/signal", "os/user", "net", "net/http", "syscall", "log", "log/syslog"}

// pure packages give the same result for the same arguments: an update may run twice, a decision must be explainable tomorrow.
var pure = []string{"arn", "policy", "policy/reference", "catalog", "internal/product", "internal/simulate", "internal/state", "internal/iam", "internal/sts", "internal/gatehouseapi"}

// testLibraries are for tests and test kits; the binary must not grow by them.
var testLibraries = []string{
	"github.com/aws/aws-sdk-go-v2", "github.com/anishathalye/porcupine", "github.com/google/go-cmp",
	"go.etcd.io/etcd/server/v3", "testing", "net/http/httptest",
}

// source is what the rules see of one Go file.
type source struct {
	pkg, file string
	test      bool
	imports   []string
}

func TestImports(t *testing.T) {
	t.Parallel()
	sources := tree(t)
	if len(sources) < 100 {
		t.Fatalf("only %d Go files were found", len(sources))
	}
	for _, s := range sources {
		for _, broken := range s.broken() {
			t.Error(broken)
		}
	}
}

// broken lists what s does against the rules, each with the rule.
func (s source) broken() (list []string) {
	bad := func(imported, format string, args ...any) {
		list = append(list, fmt.Sprintf("%s: %s imports %s: %s", s.file, s.pkg, imported, fmt.Sprintf(format, args...)))
	}
	from, ok := placeOf(s.pkg)
	if !ok {
		return []string{fmt.Sprintf("%s: package %s is not in the import table: add it to deps_test.go with its layer", s.file, s.pkg)}
	}
	exempt := s.test || from.kind == kit
	for _, imported := range s.imports {
		name, ours := ourPackage(imported)
		if !ours {
			switch {
			case exempt:
			case from.kind == library && !standard(imported):
				bad(imported, "public packages use the standard library only")
			case slices.Contains(random, imported) && s.pkg != "internal/keyring":
				bad(imported, "only internal/keyring has randomness")
			case slices.Contains(outside, imported) && slices.Contains(pure, s.pkg):
				bad(imported, "%s is pure: time, randomness and files come in as arguments", s.pkg)
			case below(imported, testLibraries):
				bad(imported, "it is for tests")
			}
			continue
		}
		to, ok := placeOf(name)
		if !ok {
			bad(name, "it is not in the import table")
			continue
		}
		switch {
		case from.kind == service && to.kind == service && from.pkg != to.pkg:
			bad(name, "services never import each other; what they share is internal/state")
		case exempt:
		case to.kind == kit:
			bad(name, "test kits are for tests")
		case from.kind == records:
			bad(name, "generated records know nothing of ours")
		case from.kind == library && to.kind != library:
			bad(name, "public packages import public packages only")
		case to.kind == engine && s.pkg != "internal/server":
			bad(name, "only internal/server names a storage engine")
		case from.kind == command && to.kind != library && !slices.Contains(commandImports, name):
			bad(name, "commands call the server, or package offline, and nothing behind them")
		case to.layer > from.layer:
			bad(name, "layer %d imports layer %d", from.layer, to.layer)
		case to.layer == from.layer && name != s.pkg && !slices.Contains(from.beside, to.pkg):
			bad(name, "both are of layer %d, and the table has no edge between them", from.layer)
		}
	}
	return list
}

func placeOf(pkg string) (place, bool) {
	for _, p := range table {
		prefix, open := strings.CutSuffix(p.pkg, "/...")
		if p.pkg == pkg || open && (pkg == prefix || strings.HasPrefix(pkg, prefix+"/")) {
			return p, true
		}
	}
	return place{}, false
}

func ourPackage(imported string) (string, bool) {
	if imported == modulePath {
		return ".", true
	}
	return strings.CutPrefix(imported, modulePath+"/")
}

func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

func below(imported string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return imported == p || strings.HasPrefix(imported, p+"/") })
}

// The rules themselves are held by breaking each of them once.
func TestImportRules(t *testing.T) {
	t.Parallel()
	const m = modulePath + "/"
	tests := []struct {
		pkg, imports, want string // want "" = allowed
		test               bool
	}{
		{pkg: "policy", imports: m + "arn"},
		{pkg: "policy", imports: "golang.org/x/text/cases", want: "standard library only"},
		{pkg: "policy", imports: m + "internal/wire", want: "public packages only"},
		{pkg: "policy", imports: m + "policy/reference", want: "no edge"},
		{pkg: "policy", imports: "os", want: "is pure"},
		{pkg: "policy", imports: m + "policy/policytest", want: "test kits"},
		{pkg: "policy", imports: m + "policy/policytest", test: true},
		{pkg: "sigv4", imports: "math/rand/v2", want: "randomness"},
		{pkg: "sigv4", imports: "github.com/aws/aws-sdk-go-v2/aws/signer/v4", want: "standard library only"},
		{pkg: "sigv4", imports: "github.com/aws/aws-sdk-go-v2/aws/signer/v4", test: true},
		{pkg: "internal/keyring", imports: "crypto/rand"},
		{pkg: "internal/wire", imports: m + "internal/api/iamapi", want: "no edge"},
		{pkg: "internal/api/iamapi", imports: m + "internal/wire"},
		{pkg: "internal/state", imports: m + "internal/authz", want: "layer 2 imports layer 3"},
		{pkg: "internal/state", imports: m + "internal/storage/memory", want: "only internal/server names"},
		{pkg: "internal/state", imports: m + "internal/storage/memory", test: true},
		{pkg: "internal/state/statepb", imports: m + "arn", want: "generated records"},
		{pkg: "internal/storage/bolt", imports: m + "internal/storage/memory", want: "only internal/server names"},
		{pkg: "internal/authz", imports: m + "internal/authn", want: "no edge"},
		{pkg: "internal/authz", imports: "testing", want: "for tests"},
		{pkg: "internal/iam", imports: m + "internal/sts", want: "services never import each other"},
		{pkg: "internal/iam", imports: m + "internal/sts", test: true, want: "services never import each other"},
		{pkg: "internal/server", imports: m + "internal/storage/bolt"},
		{pkg: "cmd/gatehouse", imports: m + "internal/server"},
		{pkg: "cmd/gatehouse", imports: m + "sigv4"},
		{pkg: "cmd/gatehouse", imports: m + "internal/state", want: "commands call the server"},
		{pkg: "e2e/clients", imports: m + "internal/storage/bolt"},
		{pkg: "internal/common", imports: "fmt", want: "not in the import table"},
		{pkg: "internal/server", imports: m + "internal/common", want: "not in the import table"},
	}
	for _, tt := range tests {
		got := source{pkg: tt.pkg, file: "f.go", test: tt.test, imports: []string{tt.imports}}.broken()
		if tt.want == "" && len(got) != 0 || tt.want != "" && (len(got) != 1 || !strings.Contains(got[0], tt.want)) {
			t.Errorf("%s imports %s (test %t): got %q, want %q", tt.pkg, tt.imports, tt.test, got, tt.want)
		}
	}
}

// The reference evaluator is worth something only as long as it shares no code with what it checks.
func TestReferenceUsesTypesOnly(t *testing.T) {
	t.Parallel()
	functions, used := map[string]bool{}, 0
	for _, file := range goFiles(t) {
		dir := path.Dir(file)
		if strings.HasSuffix(file, "_test.go") || dir != "policy" && dir != "policy/reference" {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if dir == "policy" { // stands before policy/reference in the order of the walk
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
					functions[fn.Name.Name] = true
				}
			}
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok {
				if name, ok := x.X.(*ast.Ident); ok && name.Name == "policy" {
					used++
					if functions[x.Sel.Name] {
						t.Errorf("%s calls policy.%s: the reference uses policy's types only", file, x.Sel.Name)
					}
				}
			}
			return true
		})
	}
	if used == 0 || !functions["Decide"] {
		t.Errorf("nothing was looked at: %d uses of policy, policy.Decide found: %t", used, functions["Decide"])
	}
}

// tree reads the imports of every Go file of this module, for all platforms.
func tree(t *testing.T) []source {
	t.Helper()
	var sources []source
	for _, file := range goFiles(t) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		s := source{pkg: path.Dir(file), file: file, test: strings.HasSuffix(file, "_test.go")}
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			s.imports = append(s.imports, name)
		}
		sources = append(sources, s)
	}
	return sources
}

// goFiles lists the Go files of this module, by their path from the root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := path.Base(name)
		if d.IsDir() {
			if name == "." {
				return nil
			}
			if _, err := os.Stat(path.Join(name, "go.mod")); err == nil {
				return fs.SkipDir // a module of its own
			}
			if base == "testdata" || base == "node_modules" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") {
				return fs.SkipDir // as the go command does
			}
			return nil
		}
		if strings.HasSuffix(base, ".go") && !strings.HasPrefix(base, ".") && !strings.HasPrefix(base, "_") {
			files = append(files, name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
