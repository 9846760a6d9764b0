package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// profileFiles are where AWS clients keep profiles.
type profileFiles struct{ config, credentials string }

func (a *app) profileFiles() profileFiles {
	f := profileFiles{a.env("AWS_CONFIG_FILE"), a.env("AWS_SHARED_CREDENTIALS_FILE")}
	if f.config == "" {
		f.config = filepath.Join(a.home, ".aws", "config")
	}
	if f.credentials == "" {
		f.credentials = filepath.Join(a.home, ".aws", "credentials")
	}
	return f
}

var profileForm = regexp.MustCompile(`^[\w.@+-]{1,64}$`)

func configSection(profile string) string {
	if profile == "default" {
		return "[default]"
	}
	return "[profile " + profile + "]"
}

// check reports why a profile cannot be written: what is there is never changed.
func (f profileFiles) check(profile string) error {
	if !profileForm.MatchString(profile) {
		return usageErrorf("profile name %q: 1 to 64 letters, digits and . _ @ + -", profile)
	}
	for path, section := range map[string]string{f.config: configSection(profile), f.credentials: "[" + profile + "]"} {
		text, err := readAtMost(path, 16<<20)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for line := range bytes.Lines(text) {
			if strings.Join(strings.Fields(strings.Trim(strings.TrimSpace(string(line)), "[]")), " ") == strings.Trim(section, "[]") &&
				bytes.HasPrefix(bytes.TrimSpace(line), []byte("[")) {
				return fmt.Errorf("%s has a profile %s already, which is not changed: choose another name", path, profile)
			}
		}
	}
	return nil
}

// write appends the profile to both files.
func (f profileFiles) write(profile, settings, credentials string) error {
	if err := appendSection(f.credentials, "["+profile+"]\n"+credentials); err != nil {
		return err
	}
	return appendSection(f.config, configSection(profile)+"\n"+settings)
}

func appendSection(path, section string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err = f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' {
			section = "\n" + section
		}
		section = "\n" + section
	}
	if err == nil {
		_, err = f.WriteString(section)
	}
	return errors.Join(err, f.Close())
}
