package policy_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/gatehouse-iam/gatehouse/policy"
)

// malformedFiles are the files of testdata/malformed with the kinds whose rules they are.
var malformedFiles = map[string][]policy.Kind{
	"identity.txt":     {policy.Identity, policy.Managed, policy.Boundary, policy.Session},
	"managed.txt":      {policy.Managed},
	"session.txt":      {policy.Session},
	"trust.txt":        {policy.Trust},
	"resource.txt":     {policy.Resource},
	"endpoint.txt":     {policy.Endpoint},
	"organization.txt": {policy.SCP, policy.RCP},
	"scp.txt":          {policy.SCP},
	"rcp.txt":          {policy.RCP},
}

// malformedCase is one document of testdata/malformed.
type malformedCase struct {
	name, text, message, detail string
	offset                      int
	placed                      bool // offset is given
}

// All malformed documents are refused with their message.
func TestMalformed(t *testing.T) {
	t.Parallel()
	total := 0
	for file, kinds := range malformedFiles {
		for _, c := range malformedCases(t, file) {
			total++
			for _, kind := range kinds {
				d, err := policy.Parse(c.text, kind)
				if d != nil {
					t.Errorf("%s %s as %s: Parse returned a document\n%.300s", file, c.name, kind, c.text)
				}
				var e *policy.Error
				if !errors.As(err, &e) {
					t.Errorf("%s %s as %s: error %v\n%.300s", file, c.name, kind, err, c.text)
					continue
				}
				if e.Code != policy.MalformedPolicyDocument || e.Message != c.message || !strings.Contains(e.Detail, c.detail) {
					t.Errorf("%s %s as %s\n%.300s\ngot  %s %.300q (%s)\nwant %.300q (%s)", file, c.name, kind, c.text, e.Code, e.Message, e.Detail, c.message, c.detail)
				}
				if e.Offset < -1 || e.Offset > len(c.text) || c.placed && e.Offset != c.offset {
					t.Errorf("%s %s as %s: offset %d of %d\n%.300s", file, c.name, kind, e.Offset, len(c.text), c.text)
				}
			}
		}
	}
	if total < 300 {
		t.Errorf("only %d malformed documents were found", total)
	}
}

// Each message of the package, which is a constant named message…, is the answer to some malformed document.
func TestEveryMessageIsReached(t *testing.T) {
	t.Parallel()
	var answers []string
	for file := range malformedFiles {
		for _, c := range malformedCases(t, file) {
			answers = append(answers, c.message)
		}
	}
	reached := strings.Join(answers, "\n")
	messages := messageConstants(t)
	for name, text := range messages {
		pattern := "(?m)^" + strings.ReplaceAll(regexp.QuoteMeta(text), "%s", ".*") + "$"
		if !regexp.MustCompile(pattern).MatchString(reached) {
			t.Errorf("no malformed document is answered with %s %q", name, text)
		}
	}
	if len(messages) < 35 {
		t.Errorf("only %d messages were found in the source", len(messages))
	}
}

// messageConstants are the string constants of the package whose names begin with "message".
func messageConstants(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	messages := make(map[string]string)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			for i, name := range spec.Names {
				if strings.HasPrefix(name.Name, "message") && i < len(spec.Values) {
					messages[name.Name] = stringConstant(t, spec.Values[i])
				}
			}
			return true
		})
	}
	return messages
}

func stringConstant(t *testing.T, e ast.Expr) string {
	t.Helper()
	switch e := e.(type) {
	case *ast.BasicLit:
		s, err := strconv.Unquote(e.Value)
		if err != nil {
			t.Fatal(err)
		}
		return s
	case *ast.BinaryExpr:
		return stringConstant(t, e.X) + stringConstant(t, e.Y)
	}
	t.Fatalf("a message is a %T, which this test cannot read", e)
	return ""
}

// malformedCases reads a file of testdata/malformed; its README is the format.
func malformedCases(t testing.TB, file string) []malformedCase {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "malformed", file))
	if err != nil {
		t.Fatal(err)
	}
	var cases []malformedCase
	names := make(map[string]bool)
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		fail := func(what string) { t.Fatalf("%s:%d: %s: %.100s", file, i+1, what, line) }
		if name, ok := strings.CutPrefix(line, "case "); ok {
			if names[name] {
				fail("a second case of the name")
			}
			names[name] = true
			cases = append(cases, malformedCase{name: name})
			continue
		}
		field, value, ok := strings.Cut(line, ": ")
		if !ok || len(cases) == 0 {
			fail("not a field")
		}
		c := &cases[len(cases)-1]
		switch field {
		case "text":
			c.text = repeated(value)
		case "statement":
			c.text = document(repeated(value))
		case "quoted":
			if c.text, err = strconv.Unquote(value); err != nil {
				fail("not a Go string")
			}
		case "message":
			c.message = repeated(value)
		case "detail":
			c.detail = value
		case "offset":
			if c.offset, err = strconv.Atoi(value); err != nil {
				fail("not a number")
			}
			c.placed = true
		default:
			fail("unknown field")
		}
	}
	for _, c := range cases {
		if c.message == "" {
			t.Fatalf("%s: %s has no message", file, c.name)
		}
	}
	return cases
}

var repetition = regexp.MustCompile(`<<([0-9]+) x (.+?)>>`)

// repeated writes out <<N x TEXT>>.
func repeated(s string) string {
	return repetition.ReplaceAllStringFunc(s, func(m string) string {
		parts := repetition.FindStringSubmatch(m)
		n, err := strconv.Atoi(parts[1])
		if err != nil {
			panic(err)
		}
		return strings.Repeat(parts[2], n)
	})
}
