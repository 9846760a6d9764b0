package main

import (
	"archive/zip"
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// service is an entry of the file, in the format of docs/catalog.md.
type service struct {
	Prefix        string         `json:"prefix"`
	Name          string         `json:"name"`
	Keys          []key          `json:"keys,omitempty"`
	ResourceTypes []resourceType `json:"resourceTypes,omitempty"`
	Actions       []action       `json:"actions,omitempty"`
}

type key struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type resourceType struct {
	Name string   `json:"name"`
	ARN  string   `json:"arn"`
	Keys []string `json:"keys,omitempty"`
}

type action struct {
	Name      string     `json:"name"`
	Level     string     `json:"level"`
	Resources []resource `json:"resources,omitempty"`
	Keys      []string   `json:"keys,omitempty"`
}

type resource struct {
	Type     string   `json:"type"`
	Required bool     `json:"required,omitempty"`
	Keys     []string `json:"keys,omitempty"`
}

// convert makes the file: one entry for each service, and "_keys.json" with all condition keys, so that a key is found without opening services.
func convert(files map[string][]byte, want pin) ([]byte, error) {
	var about struct{ Name, Version, License string }
	if err := decode(files, "package.json", &about); err != nil {
		return nil, err
	}
	if about.Name != want.name || about.Version != want.version || about.License != "MIT" {
		return nil, fmt.Errorf("the package is %s %s under %q, not %s %s under MIT", about.Name, about.Version, about.License, want.name, want.version)
	}
	var prefixes []string
	if err := decode(files, "data/services.json", &prefixes); err != nil {
		return nil, err
	}
	var names map[string]string
	if err := decode(files, "data/serviceNames.json", &names); err != nil {
		return nil, err
	}
	slices.Sort(prefixes)
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	total, all := 0, map[string]string{}
	for _, prefix := range prefixes {
		s, err := convertService(files, prefix, names[prefix])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", prefix, err)
		}
		total += len(s.Actions)
		for _, k := range s.Keys {
			// Where services differ in the type of a key, that of the key's own service counts.
			if _, ok := all[k.Name]; !ok || strings.HasPrefix(k.Name, prefix+":") {
				all[k.Name] = k.Type
			}
		}
		if err := add(w, prefix+".json", s); err != nil {
			return nil, err
		}
	}
	if len(prefixes) != want.services || total != want.actions {
		return nil, fmt.Errorf("%d services with %d actions, not %d with %d", len(prefixes), total, want.services, want.actions)
	}
	var list []key
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, key{name, all[name]})
	}
	if err := add(w, "_keys.json", list); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

func convertService(files map[string][]byte, prefix, name string) (*service, error) {
	s := &service{Prefix: prefix, Name: name}
	var conditionKeys map[string]struct{ Key, Type string }
	if err := decode(files, "data/conditionKeys/"+prefix+".json", &conditionKeys); err != nil {
		return nil, err
	}
	for _, k := range conditionKeys {
		one := key{nameOf(k.Key), k.Type}
		if i := slices.IndexFunc(s.Keys, func(other key) bool { return other.Name == one.Name }); i < 0 {
			s.Keys = append(s.Keys, one)
		} else if s.Keys[i].Type != one.Type {
			return nil, fmt.Errorf("key %s is of the types %s and %s", one.Name, s.Keys[i].Type, one.Type)
		}
	}
	var resourceTypes map[string]struct {
		Key, ARN      string
		ConditionKeys []string
	}
	if err := decode(files, "data/resourceTypes/"+prefix+".json", &resourceTypes); err != nil {
		return nil, err
	}
	for _, t := range resourceTypes {
		s.ResourceTypes = append(s.ResourceTypes, resourceType{t.Key, t.ARN, namesOf(t.ConditionKeys)})
	}
	var list map[string]struct {
		Name, AccessLevel string
		ResourceTypes     []struct {
			Name          string
			Required      bool
			ConditionKeys []string
		}
		ConditionKeys []string
	}
	if err := decode(files, "data/actions/"+prefix+".json", &list); err != nil {
		return nil, err
	}
	for _, a := range list {
		level, err := levelOf(a.AccessLevel)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		one := action{Name: a.Name, Level: level, Keys: namesOf(a.ConditionKeys)}
		for _, r := range a.ResourceTypes {
			t, ok := resourceTypes[strings.ToLower(r.Name)]
			if !ok {
				return nil, fmt.Errorf("%s: the service has no resource type %s", a.Name, r.Name)
			}
			one.Resources = addResource(one.Resources, resource{t.Key, r.Required, namesOf(r.ConditionKeys)})
		}
		s.Actions = append(s.Actions, one)
	}
	slices.SortFunc(s.Keys, func(a, b key) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.ResourceTypes, func(a, b resourceType) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(s.Actions, func(a, b action) int { return cmp.Compare(a.Name, b.Name) })
	return s, nil
}

// nameOf is the name of a key with its variable part in the form "${TagKey}": of some services the reference has "ResourceTag/tag-key", of others
// "ResourceTag/" with nothing behind.
func nameOf(key string) string {
	if head, ok := strings.CutSuffix(key, "/tag-key"); ok {
		key = head + "/"
	}
	if strings.HasSuffix(key, "/") {
		key += "${TagKey}"
	}
	return key
}

// namesOf are names of keys, each once.
func namesOf(keys []string) []string {
	var list []string
	for _, k := range keys {
		if name := nameOf(k); !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// addResource makes one of two entries for the same type: the package has some.
func addResource(list []resource, r resource) []resource {
	i := slices.IndexFunc(list, func(other resource) bool { return other.Type == r.Type })
	if i < 0 {
		return append(list, r)
	}
	list[i].Required = list[i].Required || r.Required
	for _, k := range r.Keys {
		if !slices.Contains(list[i].Keys, k) {
			list[i].Keys = append(list[i].Keys, k)
		}
	}
	return list
}

// levelOf brings the words of the package back to AWS's five levels: it has "Tagging, Write" where AWS has Tagging.
func levelOf(words string) (string, error) {
	switch words {
	case "List", "Read", "Write":
		return words, nil
	case "Tagging, Write":
		return "Tagging", nil
	case "Permissions management, Write":
		return "Permissions management", nil
	}
	return "", fmt.Errorf("access level %q is not known", words)
}

func decode(files map[string][]byte, name string, to any) error {
	text, ok := files[name]
	if !ok {
		return fmt.Errorf("the package has no file %s", name)
	}
	if err := json.Unmarshal(text, to); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// add writes an entry without a time, so that the same content gives the same bytes.
func add(w *zip.Writer, name string, content any) error {
	entry, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
	if err != nil {
		return err
	}
	e := json.NewEncoder(entry)
	e.SetEscapeHTML(false)
	return e.Encode(content)
}
