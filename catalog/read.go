package catalog

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// MaxFileSize is the longest file of services that Read takes, in bytes.
const MaxFileSize = 4 << 20

// Read reads services of somebody's own in the format of docs/catalog.md, and what extends services of AWS's. Unknown, repeated and missing
// members are errors, as is everything that would not hold: an action on a type that does not exist, a key of another service. Errors
// say where in the file.
//
// An extension comes as AWS's service with what it adds; With puts it into a catalogue.
func Read(r io.Reader) ([]*Service, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxFileSize+1))
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	if len(text) > MaxFileSize {
		return nil, fmt.Errorf("catalog: the file has more than %d bytes", MaxFileSize)
	}
	if err := checkMembers(text); err != nil {
		return nil, err
	}
	var file fileText
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, placed(text, d.InputOffset(), err)
	}
	switch {
	case len(file.Services) == 0:
		return nil, errors.New("catalog: the file has no services")
	case len(file.Services) > maxServices:
		return nil, fmt.Errorf("catalog: %d services are more than %d", len(file.Services), maxServices)
	}
	services := make([]*Service, 0, len(file.Services))
	for i := range file.Services {
		text := &file.Services[i]
		s, err := text.service()
		if err != nil {
			return nil, fmt.Errorf("catalog: services[%d] (%.80q): %w", i, cmp.Or(text.Extends, text.Prefix), err)
		}
		if slices.ContainsFunc(services, func(other *Service) bool { return other.Prefix == s.Prefix }) {
			return nil, fmt.Errorf("catalog: services[%d]: %q stands twice", i, s.Prefix)
		}
		services = append(services, s)
	}
	return services, nil
}

func (s *serviceText) service() (*Service, error) {
	if s.Extends != "" {
		return extended(s)
	}
	return build(s, true)
}

// maxDepth is deeper than any value of the format.
const maxDepth = 16

// checkMembers refuses members that stand twice, which the decoder would take in silence, and what follows the value.
func checkMembers(text []byte) error {
	type object struct {
		members map[string]bool
		value   bool // the next token is a member's value
	}
	d := json.NewDecoder(bytes.NewReader(text))
	var open []*object // nil for a list
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && len(open) == 0 && d.InputOffset() > 0 {
			return nil
		}
		if err != nil {
			return placed(text, d.InputOffset(), err)
		}
		var in *object
		if len(open) > 0 {
			in = open[len(open)-1]
		}
		switch name, isText := token.(string); {
		case token == json.Delim('}') || token == json.Delim(']'):
			open = open[:len(open)-1]
			if len(open) == 0 && len(bytes.TrimSpace(text[d.InputOffset():])) > 0 {
				return placed(text, d.InputOffset(), errors.New("something follows the end"))
			}
			continue
		case isText && in != nil && !in.value:
			if in.members[fold(name)] {
				return placed(text, d.InputOffset(), fmt.Errorf("member %.80q stands twice", name))
			}
			in.members[fold(name)] = true
			in.value = true
			continue
		}
		if in != nil {
			in.value = false
		}
		switch token {
		case json.Delim('{'):
			open = append(open, &object{members: map[string]bool{}})
		case json.Delim('['):
			open = append(open, nil)
		}
		if len(open) > maxDepth {
			return placed(text, d.InputOffset(), errors.New("the values are nested too deeply"))
		}
	}
}

// placed puts line and column before an error of the decoder.
func placed(text []byte, offset int64, err error) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &wrong):
		offset = wrong.Offset
		err = fmt.Errorf("%s is not what it should be: the file has a JSON %s there", cmp.Or(wrong.Field, "the file"), wrong.Value)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		offset, err = int64(len(text)), errors.New("the file ends too early")
	}
	before := text[:min(offset, int64(len(text)))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("catalog: line %d, column %d: %w", line, column, err)
}
