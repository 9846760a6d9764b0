package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/gatehouse-iam/gatehouse/catalog"
	"github.com/gatehouse-iam/gatehouse/internal/iam"
	"github.com/gatehouse-iam/gatehouse/internal/keyring"
)

// DefaultListen is where Gatehouse listens unless told otherwise.
const DefaultListen = "127.0.0.1:8400"

// Config is everything a server can be told. The zero value of a field means its default; see Check for what does not go together.
type Config struct {
	Listen  string // host:port
	DataDir string // of the embedded store; empty keeps everything in memory (dev)

	MasterKey     keyring.Secret // base64 text; empty: the file
	MasterKeyFile string         // empty: master.key in DataDir

	TLSCert, TLSKey string // PEM files, read again when they change
	InsecureHTTP    bool   // plain HTTP on an address other than loopback

	TrustedProxies []netip.Prefix // whose X-Forwarded-For, X-Forwarded-Proto and PROXY v2 headers are believed

	Bootstrap     Bootstrap
	BootstrapFile string // where secrets made at the first start are written, unless they are shown
	Show          bool   // the caller shows Server.Made to its user, and to nobody else

	Quotas    iam.Quotas
	Retention time.Duration // how far back the log of the embedded store reaches

	RotateKeys time.Duration // age at which the keys of the store are replaced; 0: only on demand

	SeedFile string // dev: JSON description applied at start and after each reset
	Dev      bool   // serves POST /_dev/reset

	RemoteReset bool // dev: take resets from other machines too

	CatalogFile string // JSON file with the services of the operator's own programs, and what extends those of AWS
	DenialIDs   bool   // the ids of decisions stand in denials' messages too

	Logger *slog.Logger

	catalog   *catalog.Catalog
	undecided prometheus.Counter // decisions that could not be made; nil where nobody reads metrics
}

// Bootstrap is what the first start makes: the management account and its root user. Empty fields are made up.
type Bootstrap struct {
	AccountID           string
	AccountName         string
	RootEmail           string
	RootPassword        keyring.Secret
	RootAccessKeyID     string
	RootSecretAccessKey keyring.Secret
}

var (
	accountIDForm   = regexp.MustCompile(`^[0-9]{12}$`)
	accessKeyIDForm = regexp.MustCompile(`^\w{16,128}$`)
	emailForm       = regexp.MustCompile(`^[^\s@]+@[^\s@]+$`)
)

// Check fills in defaults and reports everything that is wrong, each with what to do.
func (c *Config) Check() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Listen == "" {
		c.Listen = DefaultListen
	}
	host, _, err := net.SplitHostPort(c.Listen)
	switch {
	case err != nil:
		bad("listen address %q: %w", c.Listen, err)
	case c.TLSCert == "" && !c.InsecureHTTP && !loopback(host):
		bad("listen address %q is not a loopback address: give --tls-cert and --tls-key, or --insecure-http if something else encrypts", c.Listen)
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		bad("--tls-cert and --tls-key go together")
	}
	if c.MasterKey.Len() > 0 && c.MasterKeyFile != "" {
		bad("a master key and a master key file were both given: choose one")
	}
	if c.MasterKeyFile == "" && c.DataDir != "" {
		c.MasterKeyFile = filepath.Join(c.DataDir, "master.key")
	}
	if c.BootstrapFile != "" && c.DataDir != "" && within(c.DataDir, c.BootstrapFile) {
		bad("--bootstrap-file %s lies in the data directory: a backup would hold the root user's secrets in the clear", c.BootstrapFile)
	}
	if c.Quotas == (iam.Quotas{}) {
		c.Quotas = iam.DefaultQuotas
	}
	if c.Retention == 0 {
		c.Retention = 7 * 24 * time.Hour
	}
	if c.Retention < time.Hour {
		bad("a retention of %s is less than an hour", c.Retention)
	}
	if c.RotateKeys != 0 && c.RotateKeys < 24*time.Hour {
		bad("keys that are replaced every %s: at least 24h, or 0 for only on demand", c.RotateKeys)
	}
	if c.SeedFile != "" && !c.Dev {
		bad("a seed is for dev servers")
	}
	if c.catalog == nil {
		if c.catalog, err = readCatalog(c.CatalogFile); err != nil {
			bad("--catalog: %w", err)
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	b := &c.Bootstrap
	if b.AccountID != "" && !accountIDForm.MatchString(b.AccountID) {
		bad("account id %q: it has 12 digits", b.AccountID)
	}
	if b.RootEmail != "" && (!emailForm.MatchString(b.RootEmail) || len(b.RootEmail) > 64) {
		bad("root e-mail address %q is not one, or longer than 64 characters", b.RootEmail)
	}
	if n := utf8.RuneCountInString(b.AccountName); n > 50 || strings.ContainsFunc(b.AccountName, unicode.IsControl) {
		bad("an account name has at most 50 characters and no control characters, %q has %d", b.AccountName, n)
	}
	if (b.RootAccessKeyID == "") != (b.RootSecretAccessKey.Len() == 0) {
		bad("a root access key id and a root secret access key go together")
	}
	if b.RootAccessKeyID != "" {
		if err := checkAccessKey(b.RootAccessKeyID, b.RootSecretAccessKey); err != nil {
			bad("the root access key: %w", err)
		}
	}
	if n := b.RootPassword.Len(); n > 0 && (n < 8 || n > 128) {
		bad("a root password has 8 to 128 characters, this one has %d", n)
	}
	return errors.Join(errs...)
}

// readCatalog is what is built in and, unless file is empty, what stands there.
func readCatalog(file string) (*catalog.Catalog, error) {
	if file == "" {
		return catalog.Builtin(), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	own, err := catalog.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	c, err := catalog.Builtin().With(own...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// checkAccessKey checks the form of an access key that was chosen elsewhere.
func checkAccessKey(id string, secret keyring.Secret) error {
	switch n := secret.Len(); {
	case !accessKeyIDForm.MatchString(id):
		return fmt.Errorf("access key id %q: it has 16 to 128 letters, digits and underscores", id)
	case n < 16 || n > 128:
		return fmt.Errorf("a secret access key has 16 to 128 characters, this one has %d", n)
	}
	return nil
}

// SetQuota changes one quota from its default, by its name in LimitExceeded messages.
func (c *Config) SetQuota(name string, n int) error {
	if c.Quotas == (iam.Quotas{}) {
		c.Quotas = iam.DefaultQuotas
	}
	return c.Quotas.Set(name, n)
}

// TLS reports whether the server speaks TLS itself.
func (c *Config) TLS() bool { return c.TLSCert != "" }

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func within(dir, file string) bool {
	d, err1 := filepath.Abs(dir)
	f, err2 := filepath.Abs(file)
	if err1 != nil || err2 != nil {
		return true
	}
	rel, err := filepath.Rel(d, f)
	return err != nil || rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}
