package catalog

import (
	"archive/zip"
	"bytes"
	_ "embed" // the facts
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// awsZip has one entry for each of AWS's services, "s3.json", and allKeysEntry. Written by tools/cmd/catalog; ORIGIN.md says from what.
//
//go:embed aws.zip
var awsZip []byte

// gatehouseJSON is Gatehouse's own service, in the format of services of one's own.
//
//go:embed gatehouse.json
var gatehouseJSON []byte

const (
	gatehouse    = "gatehouse"
	allKeysEntry = "_keys.json"
)

// maxEntry bounds an entry. The largest has 300 KB.
const maxEntry = 4 << 20

// slot is a built-in service that may not have been asked for yet.
type slot struct {
	prefix string
	entry  *zip.File // nil for Gatehouse's own
	mu     sync.Mutex
	loaded atomic.Pointer[Service]
}

var archive = sync.OnceValue(func() *zip.Reader {
	r, err := zip.NewReader(bytes.NewReader(awsZip), int64(len(awsZip)))
	if err != nil {
		panic("catalog: aws.zip: " + err.Error()) // what is embedded is right, or the tests have not been run
	}
	return r
})

var builtin = sync.OnceValue(newBuiltin)

func newBuiltin() *Catalog {
	files := archive().File
	c := &Catalog{builtin: make(map[string]*slot, len(files)), prefixes: make([]string, 0, len(files))}
	add := func(s *slot) {
		c.builtin[s.prefix] = s
		c.prefixes = append(c.prefixes, s.prefix)
	}
	add(&slot{prefix: gatehouse})
	for _, entry := range files {
		if entry.Name != allKeysEntry {
			add(&slot{prefix: strings.TrimSuffix(entry.Name, ".json"), entry: entry})
		}
	}
	slices.Sort(c.prefixes)
	return c
}

// service decodes it on first use.
func (s *slot) service() *Service {
	if v := s.loaded.Load(); v != nil {
		return v
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.loaded.Load(); v != nil {
		return v
	}
	v, err := s.decode()
	if err != nil {
		panic(fmt.Sprintf("catalog: built-in service %s: %v", s.prefix, err))
	}
	s.loaded.Store(v)
	return v
}

func (s *slot) decode() (*Service, error) {
	if s.entry == nil {
		own, err := Read(bytes.NewReader(gatehouseJSON))
		if err != nil {
			return nil, err
		}
		return own[0], nil
	}
	text, err := s.text()
	if err != nil {
		return nil, err
	}
	return build(text, false)
}

// text is that of a service of AWS's, with the rows of additions.txt.
func (s *slot) text() (*serviceText, error) {
	var text serviceText
	if err := readEntry(s.entry, &text); err != nil {
		return nil, err
	}
	if err := additions().apply(&text); err != nil {
		return nil, err
	}
	return &text, nil
}

func readEntry(entry *zip.File, to any) error {
	r, err := entry.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxEntry))
	if err != nil {
		return err
	}
	return json.Unmarshal(text, to)
}
