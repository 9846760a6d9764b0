package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/server"
)

// options are what the settings of all commands fill.
type options struct {
	server.Config
	logLevel  slog.Level
	logFormat string
	endpoint  string // init
	caFile    string // init
}

// setting is one thing that can be configured, wherever it is given.
type setting struct {
	name   string // of the flag and in the configuration file; the variable follows from it
	form   form
	usage  string
	preset string // shown in --help
	set    func(o *options, values []string) error
}

type form uint8

const (
	one    form = iota // one value
	toggle             // true or false
	many               // several values: the flag repeated, or separated by commas
	noFlag             // one value, without a flag
	secret             // no flag, not in the configuration file: a variable, or a file that …_FILE (…-file in the configuration file) names
)

// variable is the environment variable of a setting.
func (s *setting) variable() string {
	return "GATEHOUSE_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

// settings are all that exist, by name. Each command says which it takes.
var settings = []setting{
	{name: "listen", usage: "address to listen on, host:port", preset: server.DefaultListen, set: text(func(o *options) *string { return &o.Listen })},
	{name: "data-dir", usage: "directory of the store", set: text(func(o *options) *string { return &o.DataDir })},
	{name: "tls-cert", usage: "PEM `file` with the certificate chain; read again when it changes", set: text(func(o *options) *string { return &o.TLSCert })},
	{name: "tls-key", usage: "PEM `file` with the certificate's key", set: text(func(o *options) *string { return &o.TLSKey })},
	{name: "insecure-http", form: toggle, usage: "serve plain HTTP on an address other than loopback", set: boolean(func(o *options) *bool { return &o.InsecureHTTP })},
	{name: "trusted-proxies", form: many, usage: "`networks` (CIDR) whose X-Forwarded-For, X-Forwarded-Proto and PROXY headers are believed", set: setProxies},
	{name: "log-level", usage: "debug, info, warn or error", preset: "info", set: setLogLevel},
	{name: "log-format", usage: "json or text", preset: "json", set: setLogFormat},
	{name: "bootstrap-file", usage: "`file` for secrets that are made, where standard output is no terminal; must not exist, and not lie in the data directory",
		set: text(func(o *options) *string { return &o.BootstrapFile })},
	{name: "master-key-file", usage: "`file` with the key that unlocks the store; made at the first start", preset: "master.key in the data directory",
		set: text(func(o *options) *string { return &o.MasterKeyFile })},
	{name: "retention", usage: "how far back the store's log reaches, as 168h or 7d", preset: "7d", set: setDuration(func(o *options) *time.Duration { return &o.Retention })},
	{name: "rotate-keys-every", usage: "age at which the store's keys are replaced, as 90d; 0: only on demand", preset: "90d",
		set: setDuration(func(o *options) *time.Duration { return &o.RotateKeys })},
	{name: "quota", form: many, usage: "`NAME=N` changes a quota of every account, such as UsersPerAccount or PolicySize; an unknown NAME lists them all", set: setQuotas},
	{name: "catalog", usage: "JSON `file` with the services that your own programs ask about, and what AWS's lack: what is in no catalogue is denied",
		set: text(func(o *options) *string { return &o.CatalogFile })},
	{name: "denial-ids", form: toggle, usage: "put the id that gatehouse explain takes at the end of each AccessDenied message; clients see it in the error's DecisionId in any case",
		set: boolean(func(o *options) *bool { return &o.DenialIDs })},
	{name: "seed", usage: "JSON `file` with users, keys and policies to begin with", set: text(func(o *options) *string { return &o.SeedFile })},
	{name: "allow-remote-reset", form: toggle, usage: "take POST /_dev/reset from other machines too", set: boolean(func(o *options) *bool { return &o.RemoteReset })},
	{name: "endpoint", usage: "`URL` of the server", preset: "http://" + server.DefaultListen, set: text(func(o *options) *string { return &o.endpoint })},
	{name: "ca-file", usage: "PEM `file` with the authorities that the server's certificate may come from", preset: "those of the system",
		set: text(func(o *options) *string { return &o.caFile })},

	{name: "account-id", form: noFlag, set: text(func(o *options) *string { return &o.Bootstrap.AccountID })},
	{name: "account-name", form: noFlag, set: text(func(o *options) *string { return &o.Bootstrap.AccountName })},
	{name: "root-email", form: noFlag, set: text(func(o *options) *string { return &o.Bootstrap.RootEmail })},
	{name: "root-access-key-id", form: noFlag, set: text(func(o *options) *string { return &o.Bootstrap.RootAccessKeyID })},
	{name: "root-secret-access-key", form: secret, set: hidden(func(o *options) *keyring.Secret { return &o.Bootstrap.RootSecretAccessKey })},
	{name: "root-password", form: secret, set: hidden(func(o *options) *keyring.Secret { return &o.Bootstrap.RootPassword })},
	// Its file is a setting of its own, because that is made where it is missing.
	{name: "master-key", form: secret, set: hidden(func(o *options) *keyring.Secret { return &o.MasterKey })},
}

// What commands have in common.
var (
	logSettings       = []string{"log-level", "log-format"}
	bootstrapSettings = []string{"account-id", "account-name", "root-email", "root-access-key-id", "root-secret-access-key", "root-password"}
	listenSettings    = []string{"listen", "tls-cert", "tls-key", "insecure-http", "trusted-proxies", "quota", "catalog", "denial-ids", "bootstrap-file"}
	storeSettings     = []string{"data-dir", "master-key-file", "master-key"}
)

func settingNamed(name string) *setting {
	for i := range settings {
		if settings[i].name == name {
			return &settings[i]
		}
	}
	return nil
}

func text(field func(*options) *string) func(*options, []string) error {
	return func(o *options, values []string) error {
		*field(o) = values[0]
		return nil
	}
}

func hidden(field func(*options) *keyring.Secret) func(*options, []string) error {
	return func(o *options, values []string) error {
		*field(o) = keyring.NewSecret(values[0])
		return nil
	}
}

func boolean(field func(*options) *bool) func(*options, []string) error {
	return func(o *options, values []string) error {
		switch values[0] {
		case "true", "1":
			*field(o) = true
		case "false", "0":
			*field(o) = false
		default:
			return fmt.Errorf("%q is neither true nor false", values[0])
		}
		return nil
	}
}

// setDuration reads Go's form of durations, and days.
func setDuration(field func(*options) *time.Duration) func(*options, []string) error {
	return func(o *options, values []string) error {
		d, err := time.ParseDuration(values[0])
		if days, ok := strings.CutSuffix(values[0], "d"); ok {
			var n int
			n, err = strconv.Atoi(days)
			if err == nil && (n < 0 || n > 36500) {
				err = strconv.ErrRange
			}
			d = time.Duration(n) * 24 * time.Hour
		}
		if err != nil || d < 0 {
			return fmt.Errorf("%q is no duration such as 36h or 90d", values[0])
		}
		*field(o) = d
		return nil
	}
}

func setLogLevel(o *options, values []string) error {
	if err := o.logLevel.UnmarshalText([]byte(values[0])); err != nil {
		return fmt.Errorf("%q is none of debug, info, warn, error", values[0])
	}
	return nil
}

func setLogFormat(o *options, values []string) error {
	if values[0] != "json" && values[0] != "text" {
		return fmt.Errorf("%q is neither json nor text", values[0])
	}
	o.logFormat = values[0]
	return nil
}

func setProxies(o *options, values []string) error {
	o.TrustedProxies = nil
	for _, v := range values {
		p, err := netip.ParsePrefix(v)
		if err != nil {
			a, err := netip.ParseAddr(v)
			if err != nil || a.Zone() != "" {
				return fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor an address", v)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		if p.Addr().Is4In6() { // addresses of peers are compared in their IPv4 form
			if p.Bits() < 96 {
				return fmt.Errorf("%q: write IPv4 networks as IPv4", v)
			}
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		o.TrustedProxies = append(o.TrustedProxies, p.Masked())
	}
	return nil
}

func setQuotas(o *options, values []string) error {
	for _, v := range values {
		name, number, _ := strings.Cut(v, "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("%q has not the form NAME=N", v)
		}
		if err := o.SetQuota(name, n); err != nil {
			return err
		}
	}
	return nil
}
