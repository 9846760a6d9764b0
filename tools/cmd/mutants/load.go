package main

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
)

// source is a file of the package.
type source struct {
	name string // from the root of the module
	path string
	text []byte
	ast  *ast.File
}

// program is a package with its types, and its mutants once find has looked for them.
type program struct {
	name    string // directory from the root of the module
	dir     string
	files   *token.FileSet
	sources []*source
	info    *types.Info
	pkg     *types.Package

	mutants []*mutant
	points  map[ast.Node]*point
	starts  []int // the first mutant of each point
}

// load reads and checks a package. What it imports comes from what the compiler wrote.
func load(module, name string) (*program, error) {
	cmd := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,Dir,GoFiles,DepOnly", "./"+name)
	cmd.Dir, cmd.Stderr = module, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	type listed struct {
		ImportPath, Export, Dir string
		GoFiles                 []string
		DepOnly                 bool
	}
	exports := map[string]string{}
	var self listed
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := d.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		exports[l.ImportPath] = l.Export
		if !l.DepOnly {
			self = l
		}
	}
	p := &program{name: name, dir: self.Dir, files: token.NewFileSet(), points: map[ast.Node]*point{}}
	var parsed []*ast.File
	for _, file := range self.GoFiles {
		s := &source{name: filepath.ToSlash(filepath.Join(name, file)), path: filepath.Join(self.Dir, file)}
		if s.text, err = os.ReadFile(s.path); err != nil {
			return nil, err
		}
		if s.ast, err = parser.ParseFile(p.files, s.path, s.text, parser.ParseComments|parser.SkipObjectResolution); err != nil {
			return nil, err
		}
		p.sources, parsed = append(p.sources, s), append(parsed, s.ast)
	}
	imports := importer.ForCompiler(p.files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	p.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
	p.pkg, err = (&types.Config{Importer: imports}).Check(self.ImportPath, p.files, parsed, p.info)
	return p, err
}
