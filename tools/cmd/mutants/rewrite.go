package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// write puts the package with all its mutants into dir and returns the file that makes the go command build it in the place of the
// original (-overlay). Only one mutant is on at a time, so what stands in the place of an expression contains no other one.
func (p *program) write(dir string) (overlay string, err error) {
	replace := map[string]string{}
	for i, s := range p.sources {
		file := filepath.Join(dir, fmt.Sprintf("source%d.go", i))
		text := p.render(s, s.ast, 0, len(s.text))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return "", err
		}
		replace[s.path] = file
	}
	file := filepath.Join(dir, "switch.go")
	text := strings.NewReplacer("PACKAGE", p.pkg.Name(), "IDS", strconv.Itoa(len(p.mutants)+1)).Replace(switchFile)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", err
	}
	replace[filepath.Join(p.dir, "zz_mutants_switch.go")] = file
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, list, 0o600)
}

// render is the source from one offset to another, which is that of n, with the points below n.
func (p *program) render(s *source, n ast.Node, from, to int) string {
	var below []*point
	ast.Inspect(n, func(child ast.Node) bool {
		if at := p.points[child]; child != n && at != nil {
			below = append(below, at)
			return false
		}
		return true
	})
	slices.SortFunc(below, func(a, b *point) int { return cmp.Compare(a.node.Pos(), b.node.Pos()) })
	var b strings.Builder
	for _, at := range below {
		start, end := p.files.Position(at.node.Pos()).Offset, p.files.Position(at.node.End()).Offset
		b.Write(s.text[from:start])
		b.WriteString(at.render(p.render(s, at.node, start, end)))
		from = end
	}
	b.Write(s.text[from:to])
	return b.String()
}

// render is the code of the place, where unchanged is what it does when none of its mutants is on.
func (at *point) render(unchanged string) string {
	first, last := at.mutants[0].id, at.mutants[len(at.mutants)-1].id
	off := fmt.Sprintf("mutantsOff(%d, %d)", first, last)
	switch at.form {
	case integer:
		return fmt.Sprintf("(%s + mutantAdds(%d))", unchanged, first)
	case statement:
		return fmt.Sprintf("if %s { %s }", off, unchanged)
	case returning:
		var b strings.Builder
		for i, m := range at.mutants {
			fmt.Fprintf(&b, "if mutantOn(%d) { %s }; ", m.id, at.code[i])
		}
		return b.String() + unchanged
	}
	var others []string
	for i, m := range at.mutants {
		on := "mutantOn(" + strconv.Itoa(m.id) + ")"
		switch at.code[i] {
		case "true":
			others = append(others, on)
		case "false":
		default:
			others = append(others, on+" && ("+at.code[i]+")")
		}
	}
	if len(others) == 0 {
		return fmt.Sprintf("(%s && (%s))", off, unchanged)
	}
	return fmt.Sprintf("(%s && (%s) || !%s && (%s))", off, unchanged, off, strings.Join(others, " || "))
}

// switchFile goes into the package beside its sources. The variable is read before anything that asks for it, because the language
// initializes variables after those that they depend on. Recording allocates nothing, since tests count allocations.
const switchFile = `package PACKAGE

import (
	"encoding/binary"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"time"
)

var mutantActive = mutantRead()

var mutantLog struct {
	sync.Mutex
	file *os.File
	id   [4]byte
	seen [IDS]bool
}

func mutantRead() int {
	if name := os.Getenv("MUTANTS_RECORD"); name != "" {
		mutantLog.file, _ = os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
		return -1
	}
	n, _ := strconv.Atoi(os.Getenv("MUTANTS_ACTIVE"))
	if n > 0 {
		debug.SetMaxStack(32 << 20)
		go mutantGuard()
	}
	return n
}

// mutantGuard ends what allocates without end before the machine does.
func mutantGuard() {
	for {
		time.Sleep(20 * time.Millisecond)
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		if m.HeapAlloc > 1<<30 {
			println("mutants: more than a gigabyte")
			os.Exit(3)
		}
	}
}

//go:noinline
func mutantReached(id int) {
	mutantLog.Lock()
	defer mutantLog.Unlock()
	if !mutantLog.seen[id] {
		mutantLog.seen[id] = true
		binary.LittleEndian.PutUint32(mutantLog.id[:], uint32(id))
		mutantLog.file.Write(mutantLog.id[:])
	}
}

func mutantsOff(first, last int) bool {
	if mutantActive < 0 {
		mutantReached(first)
	}
	return mutantActive < first || mutantActive > last
}

func mutantOn(id int) bool {
	if mutantActive < 0 {
		mutantReached(id)
	}
	return mutantActive == id
}

func mutantAdds(id int) int {
	if mutantOn(id) {
		return 1
	}
	return 0
}
`
