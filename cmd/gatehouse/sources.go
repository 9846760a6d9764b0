package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"
)

const (
	configVariable = "GATEHOUSE_CONFIG"
	maxConfigFile  = 1 << 20
	maxSecretFile  = 64 << 10
)

// addFlags gives a command the flags of its settings.
func addFlags(cmd *cobra.Command, names ...string) {
	f := cmd.Flags()
	f.SortFlags = false
	for _, name := range names {
		s := settingNamed(name)
		usage := s.usage
		if s.preset != "" {
			usage += " (default " + s.preset + ")"
		}
		switch s.form {
		case one:
			f.String(name, "", usage)
		case toggle:
			f.Bool(name, false, usage)
		case many:
			f.StringSlice(name, nil, usage)
		}
	}
	f.String("config", "", "YAML `file` with settings by the names of their flags")
}

// resolve fills o from the command's flags, the environment and the configuration file, in this order of precedence. names are the
// settings that the command takes; what the file says beside them is for other commands.
func (a *app) resolve(cmd *cobra.Command, o *options, names []string) error {
	var errs []error
	file, err := a.configFile(cmd.Flags())
	if err != nil {
		return usageError{err}
	}
	for _, name := range names {
		s := settingNamed(name)
		values, from, err := a.given(cmd.Flags(), s, file)
		if err == nil && values != nil {
			err = s.set(o, values)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", from, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return usageError{err}
	}
	return nil
}

// given finds the values of a setting and says where. No values: it was given nowhere.
func (a *app) given(flags *pflag.FlagSet, s *setting, file map[string]entry) (values []string, from string, err error) {
	if f := flags.Lookup(s.name); f != nil && f.Changed {
		if list, ok := f.Value.(pflag.SliceValue); ok {
			return list.GetSlice(), "--" + s.name, nil
		}
		return []string{f.Value.String()}, "--" + s.name, nil
	}
	variable := s.variable()
	value := a.env(variable)
	if s.form == secret {
		fileOf := a.env(variable + "_FILE")
		if s.name == "master-key" {
			fileOf = "" // master-key-file is a setting
		}
		switch {
		case value != "" && fileOf != "":
			return nil, variable, fmt.Errorf("%s_FILE is set as well: choose one", variable)
		case fileOf != "":
			value, err = readSecret(fileOf)
			return []string{value}, variable + "_FILE", err
		case value != "":
			return []string{value}, variable, nil
		}
		if e, ok := file[s.name+"-file"]; ok {
			value, err = readSecret(e.values[0])
			return []string{value}, e.place, err
		}
		return nil, "", nil
	}
	if value != "" {
		if s.form == many {
			return splitList(value), variable, nil
		}
		return []string{value}, variable, nil
	}
	if e, ok := file[s.name]; ok {
		if s.form != many && len(e.values) != 1 {
			return nil, e.place, fmt.Errorf("one value is expected")
		}
		return e.values, e.place, nil
	}
	return nil, "", nil
}

func splitList(s string) []string {
	var list []string
	for v := range strings.SplitSeq(s, ",") {
		if v = strings.TrimSpace(v); v != "" {
			list = append(list, v)
		}
	}
	return list
}

// env is a variable's value; an empty one counts as none.
func (a *app) env(name string) string {
	for _, v := range slices.Backward(a.environ) {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	return ""
}

// readSecret reads a file that holds one secret. A line end behind it is not part of it.
func readSecret(path string) (string, error) {
	b, err := readAtMost(path, maxSecretFile)
	if err != nil {
		return "", err
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
	if s == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return s, nil
}

func readAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", path, most)
	}
	return b, err
}

// entry is a line of the configuration file.
type entry struct {
	values []string
	place  string
}

// configFile reads the configuration file, if there is one. Keys that are no setting, or stand twice, are refused with their line.
func (a *app) configFile(flags *pflag.FlagSet) (map[string]entry, error) {
	path := a.env(configVariable)
	if f := flags.Lookup("config"); f != nil && f.Changed {
		path = f.Value.String()
	}
	if path == "" {
		return nil, nil
	}
	text, err := readAtMost(path, maxConfigFile)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	return parseConfig(path, text)
}

func parseConfig(path string, text []byte) (map[string]entry, error) {
	d := yaml.NewDecoder(strings.NewReader(string(text)))
	var doc yaml.Node
	if err := d.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, nil // nothing but comments
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: it holds more than one document", path)
	}
	top := doc.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: settings are expected, as name: value", path, top.Line)
	}
	file := map[string]entry{}
	var errs []error
	for i := 0; i < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		place := fmt.Sprintf("%s:%d: %s", path, key.Line, key.Value)
		values, err := configValues(key.Value, value)
		if _, twice := file[key.Value]; twice {
			err = errors.New("it stands there twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", place, err))
			continue
		}
		file[key.Value] = entry{values, place}
	}
	return file, errors.Join(errs...)
}

// configValues reads the value of one key.
func configValues(key string, value *yaml.Node) ([]string, error) {
	s := settingNamed(key)
	if s == nil {
		if base, ok := strings.CutSuffix(key, "-file"); ok && settingNamed(base) != nil && settingNamed(base).form == secret {
			s = &setting{name: key}
		} else {
			return nil, errors.New("there is no such setting")
		}
	}
	if s.form == secret {
		return nil, fmt.Errorf("secrets do not stand in the configuration file: name a file with %s-file, or set %s", key, s.variable())
	}
	switch {
	case value.Kind == yaml.ScalarNode && value.Tag != "!!null":
		if s.form == many {
			return splitList(value.Value), nil
		}
		return []string{value.Value}, nil
	case value.Kind == yaml.SequenceNode && s.form == many:
		values := []string{}
		for _, v := range value.Content {
			if v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
				return nil, fmt.Errorf("line %d: a plain value is expected", v.Line)
			}
			values = append(values, v.Value)
		}
		return values, nil
	case value.Kind == yaml.MappingNode && key == "quota":
		values := []string{}
		for i := 0; i < len(value.Content); i += 2 {
			values = append(values, value.Content[i].Value+"="+value.Content[i+1].Value)
		}
		return values, nil
	case s.form == many:
		return nil, errors.New("a list is expected")
	}
	return nil, errors.New("one value is expected")
}

// unknownVariables lists variables that look like settings and are none. Those that Kubernetes sets for a service named gatehouse are left
// out.
func (a *app) unknownVariables() []string {
	var list []string
	for _, v := range a.environ {
		name, value, _ := strings.Cut(v, "=")
		rest, ours := strings.CutPrefix(name, "GATEHOUSE_")
		if !ours || value == "" || name == configVariable || strings.HasPrefix(rest, "E2E") ||
			strings.HasPrefix(rest, "SERVICE_") || rest == "PORT" || strings.HasPrefix(rest, "PORT_") {
			continue
		}
		known := slices.ContainsFunc(settings, func(s setting) bool {
			return name == s.variable() || s.form == secret && name == s.variable()+"_FILE"
		})
		if !known {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
