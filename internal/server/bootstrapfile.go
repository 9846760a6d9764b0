package server

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

const (
	bootstrapHeading = "# Gatehouse: credentials of the root user, written once."
	maxBootstrapFile = 64 << 10
)

// The names under which the environment and a bootstrap file give what the first start makes.
const (
	EnvAccountID           = "GATEHOUSE_ACCOUNT_ID"
	EnvAccountName         = "GATEHOUSE_ACCOUNT_NAME"
	EnvRootEmail           = "GATEHOUSE_ROOT_EMAIL"
	EnvRootPassword        = "GATEHOUSE_ROOT_PASSWORD"
	EnvRootAccessKeyID     = "GATEHOUSE_ROOT_ACCESS_KEY_ID"
	EnvRootSecretAccessKey = "GATEHOUSE_ROOT_SECRET_ACCESS_KEY"
)

// SecretFile is a file that was made, empty, to take secrets: the name is taken before anything else happens. Either Write or Discard
// must follow.
type SecretFile struct {
	path string
	f    *os.File
}

// ClaimSecretFile makes the file with mode 0600. It must not exist.
func ClaimSecretFile(path string) (*SecretFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("the bootstrap file %s exists already and is never overwritten: move it away, or name another one", path)
	}
	if err != nil {
		return nil, fmt.Errorf("the bootstrap file: %w", err)
	}
	return &SecretFile{path, f}, nil
}

// Write fills and closes the file. Without error its content survives a crash of the machine.
func (s *SecretFile) Write(m *Made) error {
	_, err := s.f.WriteString(m.text().Reveal())
	err = errors.Join(err, s.f.Sync(), s.f.Close())
	if err != nil {
		os.Remove(s.path)
		return fmt.Errorf("the bootstrap file: %w", err)
	}
	return nil
}

// Discard removes the file, written or not.
func (s *SecretFile) Discard() {
	s.f.Close()
	os.Remove(s.path)
}

// text is the form of the file: assignments that a shell can read.
func (m *Made) text() keyring.Secret {
	var b strings.Builder
	b.WriteString(bootstrapHeading + "\n# Keep them in a safe place and remove this file. gatehouse init --bootstrap-file takes it.\n")
	for _, a := range []struct{ name, value string }{
		{EnvAccountID, m.AccountID},
		{EnvAccountName, m.AccountName},
		{EnvRootEmail, m.RootEmail},
		{EnvRootAccessKeyID, m.RootAccessKeyID},
		{EnvRootSecretAccessKey, m.RootSecretAccessKey.Reveal()},
		{EnvRootPassword, m.RootPassword.Reveal()},
	} {
		if a.value != "" {
			fmt.Fprintf(&b, "%s='%s'\n", a.name, strings.ReplaceAll(a.value, "'", `'\''`))
		}
	}
	return keyring.NewSecret(b.String())
}

// ReadBootstrapFile reads what SecretFile.Write wrote. A missing file is fs.ErrNotExist.
func ReadBootstrapFile(path string) (Bootstrap, error) {
	var b Bootstrap
	text, err := readLimited(path, maxBootstrapFile)
	if err != nil {
		return b, fmt.Errorf("the bootstrap file: %w", err)
	}
	if !bytes.HasPrefix(text, []byte(bootstrapHeading)) {
		return b, fmt.Errorf("the bootstrap file %s was not written by Gatehouse", path)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		if len(value) < 2 || value[0] != '\'' || value[len(value)-1] != '\'' {
			return b, fmt.Errorf("the bootstrap file %s is damaged in line %d", path, n)
		}
		value = strings.ReplaceAll(value[1:len(value)-1], `'\''`, "'")
		switch name {
		case EnvAccountID:
			b.AccountID = value
		case EnvAccountName:
			b.AccountName = value
		case EnvRootEmail:
			b.RootEmail = value
		case EnvRootAccessKeyID:
			b.RootAccessKeyID = value
		case EnvRootSecretAccessKey:
			b.RootSecretAccessKey = keyring.NewSecret(value)
		case EnvRootPassword:
			b.RootPassword = keyring.NewSecret(value)
		default:
			return b, fmt.Errorf("the bootstrap file %s has %q in line %d, which this version does not know", path, name, n)
		}
	}
	return b, nil
}

// or gives b with what it leaves open taken from other. An access key is taken as a whole.
func (b Bootstrap) or(other Bootstrap) Bootstrap {
	if b.AccountID == "" {
		b.AccountID = other.AccountID
	}
	if b.AccountName == "" {
		b.AccountName = other.AccountName
	}
	if b.RootEmail == "" {
		b.RootEmail = other.RootEmail
	}
	if b.RootAccessKeyID == "" {
		b.RootAccessKeyID, b.RootSecretAccessKey = other.RootAccessKeyID, other.RootSecretAccessKey
	}
	if b.RootPassword.Len() == 0 {
		b.RootPassword = other.RootPassword
	}
	return b
}

// ErrNowhereToTell: the first start would make secrets that nobody could learn.
var ErrNowhereToTell = errors.New("the first start makes an access key for the root user, and there is nowhere to tell it: standard output is not a terminal. " +
	"Give --bootstrap-file FILE (written once, mode 0600, outside the data directory), " +
	"or choose the key with " + EnvRootAccessKeyID + " and " + EnvRootSecretAccessKey + " (or " + EnvRootSecretAccessKey + "_FILE). Nothing was made")

// readyToTell makes sure, before anything is made, that the secrets of a first start can be told. The file is nil where they are shown, or
// where none are made: a root user whose key was chosen and whose password cannot be told gets no password.
func (c *Config) readyToTell() (file *SecretFile, err error) {
	switch {
	case c.Show:
		return nil, nil
	case c.BootstrapFile != "":
		if c.Dev { // the file of an earlier start: the new server gets the same keys
			switch b, err := ReadBootstrapFile(c.BootstrapFile); {
			case err == nil:
				c.Bootstrap = c.Bootstrap.or(b)
				return nil, c.Check()
			case !errors.Is(err, fs.ErrNotExist):
				return nil, err
			}
		}
		if c.Bootstrap.RootAccessKeyID != "" && c.Bootstrap.RootPassword.Len() > 0 {
			return nil, nil // nothing is made
		}
		return ClaimSecretFile(c.BootstrapFile)
	case c.Bootstrap.RootAccessKeyID == "":
		return nil, ErrNowhereToTell
	}
	return nil, nil
}

// tells reports whether a secret that the first start makes gets known.
func (c *Config) tells() bool { return c.Show || c.BootstrapFile != "" }
