// Command thirdparty prints the licences of everything that is linked into a Go program, for the archive that is given to others.
//
//	go -C tools run ./cmd/thirdparty -C .. ./cmd/gatehouse > THIRD_PARTY_LICENSES
//
// It looks at the dependencies on every platform that is released. A module without a licence file is an error: nobody may pass it on.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

var platforms = []string{"linux", "darwin", "windows"}

// legal files of a module: its licence and the notices that must travel with it.
var legal = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)(-\w+)?(\.(txt|md))?$`)

var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying)`)

type module struct{ Path, Version, Dir string }

func main() {
	dir := flag.String("C", ".", "directory of the program's module")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "thirdparty: name the packages of the program")
		os.Exit(2)
	}
	if err := run(os.Stdout, *dir, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "thirdparty:", err)
		os.Exit(1)
	}
}

func run(w io.Writer, dir string, packages []string) error {
	modules, err := linked(dir, packages)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "This program contains the following modules, each under its own licence.\n"); err != nil {
		return err
	}
	for _, m := range modules {
		if err := m.write(w); err != nil {
			return err
		}
	}
	return nil
}

// linked lists the modules that packages are built from, the standard library first, without the main module.
func linked(dir string, packages []string) ([]module, error) {
	root, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, err
	}
	goroot, version, ok := strings.Cut(strings.TrimSpace(string(root)), "\n")
	if !ok {
		return nil, fmt.Errorf("go env says %q", root)
	}
	found := map[string]module{}
	for _, goos := range platforms {
		list := exec.Command("go", append([]string{"list", "-deps", "-json=Module"}, packages...)...)
		list.Dir, list.Stderr = dir, os.Stderr
		list.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", goos, err)
		}
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var p struct {
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if m := p.Module; m != nil && !m.Main {
				found[m.Path] = module{m.Path, m.Version, m.Dir}
			}
		}
	}
	modules := []module{{"Go standard library", strings.TrimPrefix(version, "go"), goroot}}
	return append(modules, slices.SortedFunc(maps.Values(found), func(a, b module) int { return cmp.Compare(a.Path, b.Path) })...), nil
}

func (m module) write(w io.Writer) error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return fmt.Errorf("%s: %w", m.Path, err)
	}
	licensed := false
	for _, e := range entries {
		if e.IsDir() || !legal.MatchString(e.Name()) {
			continue
		}
		licensed = licensed || licence.MatchString(e.Name())
		text, err := os.ReadFile(filepath.Join(m.Dir, e.Name()))
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "\n%s\n%s %s: %s\n\n%s\n", strings.Repeat("=", 80), m.Path, m.Version, e.Name(), bytes.TrimSpace(text)); err != nil {
			return err
		}
	}
	if !licensed {
		return fmt.Errorf("%s %s has no licence file in %s", m.Path, m.Version, m.Dir)
	}
	return nil
}
