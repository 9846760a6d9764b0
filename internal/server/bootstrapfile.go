package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

const maxBootstrapFile = 64 << 10

// The environment variables that messages name.
const (
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
	text, err := m.text()
	if err == nil {
		_, err = s.f.WriteString(text.Reveal())
	}
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

// bootstrapFile is the form of the file.
type bootstrapFile struct {
	Note            string `json:"note,omitempty"`
	AccountID       string `json:"account_id"`
	AccountName     string `json:"account_name,omitempty"`
	RootEmail       string `json:"root_email,omitempty"`
	AccessKeyID     string `json:"access_key_id,omitempty"`
	SecretAccessKey string `json:"secret_access_key,omitempty"`
	Password        string `json:"password,omitempty"`
}

func (m *Made) text() (keyring.Secret, error) {
	b, err := json.MarshalIndent(bootstrapFile{
		Note:      "Credentials of Gatehouse's root user, written once. Keep them in a safe place and remove this file.",
		AccountID: m.AccountID, AccountName: m.AccountName, RootEmail: m.RootEmail,
		AccessKeyID: m.RootAccessKeyID, SecretAccessKey: m.RootSecretAccessKey.Reveal(), Password: m.RootPassword.Reveal(),
	}, "", "  ")
	return keyring.NewSecret(string(b) + "\n"), err
}

// ReadBootstrapFile reads what SecretFile.Write wrote. A missing file is fs.ErrNotExist.
func ReadBootstrapFile(path string) (Bootstrap, error) {
	text, err := readLimited(path, maxBootstrapFile)
	if err != nil {
		return Bootstrap{}, fmt.Errorf("the bootstrap file: %w", err)
	}
	var f bootstrapFile
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil || d.More() || f.AccountID == "" {
		return Bootstrap{}, fmt.Errorf("the bootstrap file %s was not written by Gatehouse, or is damaged", path)
	}
	return Bootstrap{
		AccountID: f.AccountID, AccountName: f.AccountName, RootEmail: f.RootEmail, RootAccessKeyID: f.AccessKeyID,
		RootSecretAccessKey: keyring.NewSecret(f.SecretAccessKey), RootPassword: keyring.NewSecret(f.Password),
	}, nil
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
//
// A dev server takes what a bootstrap file of an earlier start says: it begins with the same keys each time.
func (c *Config) readyToTell() (file *SecretFile, err error) {
	if c.Dev && c.BootstrapFile != "" {
		switch b, err := ReadBootstrapFile(c.BootstrapFile); {
		case err == nil:
			c.Bootstrap = c.Bootstrap.or(b)
			return nil, c.Check()
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	switch b := &c.Bootstrap; {
	case c.Show, b.RootAccessKeyID != "" && b.RootPassword.Len() > 0:
		return nil, nil
	case c.BootstrapFile != "":
		return ClaimSecretFile(c.BootstrapFile)
	case b.RootAccessKeyID == "":
		return nil, ErrNowhereToTell
	}
	return nil, nil
}

// tells reports whether a secret that the first start makes gets known.
func (c *Config) tells() bool { return c.Show || c.BootstrapFile != "" }
