package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/server"
)

const defaultRotation = 90 * 24 * time.Hour

const bootstrapHelp = `
The first start makes the management account and its root user. These variables choose what it makes; what they leave out is made up:
GATEHOUSE_ACCOUNT_ID, GATEHOUSE_ACCOUNT_NAME, GATEHOUSE_ROOT_EMAIL, GATEHOUSE_ROOT_PASSWORD, GATEHOUSE_ROOT_ACCESS_KEY_ID,
GATEHOUSE_ROOT_SECRET_ACCESS_KEY. Secrets that are made up are shown if standard output is a terminal, and otherwise written to
--bootstrap-file, once; with neither, the root access key has to be chosen, and the root user gets no password unless one is chosen.`

func (a *app) serveCommand() *cobra.Command {
	names := slices.Concat(listenSettings, storeSettings, []string{"retention", "rotate-keys-every"}, logSettings, bootstrapSettings)
	cmd := &cobra.Command{
		Use:   "serve --data-dir DIR",
		Short: "Serve, with the embedded store in a directory",
		Long: "Serve, with the embedded store in a directory.\n" + bootstrapHelp + `

GATEHOUSE_MASTER_KEY gives the master key itself, in place of --master-key-file.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := &options{Config: server.Config{RotateKeys: defaultRotation}, logFormat: "json"}
			if err := a.resolve(cmd, o, names); err != nil {
				return err
			}
			if o.DataDir == "" {
				return usageErrorf("serve keeps its store in a directory: give --data-dir DIR (gatehouse dev keeps it in memory)")
			}
			return a.serve(cmd.Context(), o)
		},
	}
	addFlags(cmd, names...)
	return cmd
}

func (a *app) devCommand() *cobra.Command {
	names := slices.Concat(listenSettings, []string{"seed", "allow-remote-reset"}, logSettings, bootstrapSettings)
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Serve from memory, for development and tests",
		Long: `Serve from memory, for development and tests. Everything is lost at the end; enforcement is on as always.

POST /_dev/reset brings everything back to the state after the start, with the same account, root keys and seed. It asks for no
credentials, and is taken from the same machine only, unless --allow-remote-reset is given.
` + bootstrapHelp + `
A bootstrap file of an earlier start is read: the server then begins with the same account and keys.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := &options{Config: server.Config{Dev: true}, logFormat: "json"}
			if err := a.resolve(cmd, o, names); err != nil {
				return err
			}
			return a.serve(cmd.Context(), o)
		},
	}
	addFlags(cmd, names...)
	return cmd
}

func (a *app) serve(ctx context.Context, o *options) error {
	o.Logger = a.logger(o)
	o.Show = a.terminal
	if err := o.Check(); err != nil {
		return usageError{err}
	}
	for _, name := range a.unknownVariables() {
		o.Logger.Warn("an environment variable looks like a setting and is none", "variable", name)
	}
	v, c := build()
	s, err := server.Open(ctx, &o.Config, v)
	if err != nil {
		return err
	}
	o.Logger.Info("serving", "version", v, "commit", c, "url", s.URL(), "account", s.ManagementAccount(), "dev", o.Dev)
	for _, r := range relaxed(o) {
		o.Logger.Warn("relaxed", "what", r)
	}
	if err := a.banner(o, s, v); err != nil {
		o.Logger.Warn("the banner could not be written", "error", err)
	}
	err = s.Serve(ctx)
	if err == nil {
		o.Logger.Info("stopped")
	}
	return err
}

func (a *app) logger(o *options) *slog.Logger {
	opts := &slog.HandlerOptions{Level: o.logLevel}
	if o.logFormat == "text" {
		return slog.New(slog.NewTextHandler(a.stderr, opts))
	}
	return slog.New(slog.NewJSONHandler(a.stderr, opts))
}

// relaxed lists what is less strict than the default.
func relaxed(o *options) []string {
	var list []string
	if o.Dev {
		list = append(list, "dev server: everything is in memory and lost at the end")
		who := "any program on this machine"
		if o.RemoteReset {
			who = "anybody who reaches it"
		}
		list = append(list, "dev server: "+who+" can wipe it with POST /_dev/reset")
	}
	if o.InsecureHTTP && !o.TLS() {
		list = append(list, "plain HTTP on any address: signatures hold, but what is read and written, new secrets included, can be overheard")
	}
	for _, p := range o.TrustedProxies {
		if p.Bits() == 0 {
			list = append(list, "trusted proxies are everybody: any client can choose its address")
		}
	}
	return list
}

// banner says on standard output where the server is, what is relaxed, and what to do next.
func (a *app) banner(o *options, s *server.Server, version string) error {
	var b strings.Builder
	endpoint := reachable(s.URL())
	fmt.Fprintf(&b, "Gatehouse %s serves on %s\n", version, endpoint)
	fmt.Fprintf(&b, "  account  %s\n", s.ManagementAccount())
	if o.Dev {
		b.WriteString("  store    memory\n")
	} else {
		fmt.Fprintf(&b, "  store    %s\n", o.DataDir)
	}
	for _, r := range relaxed(o) {
		fmt.Fprintf(&b, "  RELAXED  %s\n", r)
	}
	made := s.Made()
	if made != nil {
		a.tellMade(&b, o, made)
	}
	b.WriteString("\nNext:\n")
	if made != nil && o.Show && o.Dev {
		fmt.Fprintf(&b, "  export AWS_ENDPOINT_URL=%s AWS_DEFAULT_REGION=us-east-1\n", endpoint)
		if made.KeyGenerated {
			fmt.Fprintf(&b, "  export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n", made.RootAccessKeyID, made.RootSecretAccessKey.Reveal())
		}
		b.WriteString("  aws sts get-caller-identity\n")
	}
	at := ""
	if endpoint != "http://"+server.DefaultListen {
		at = " --endpoint " + endpoint
	}
	switch {
	case inFile(o, made):
		fmt.Fprintf(&b, "  gatehouse init --admin NAME --bootstrap-file %s%s\n", o.BootstrapFile, at)
	default:
		fmt.Fprintf(&b, "  gatehouse init --admin NAME%s    (as the root user: GATEHOUSE_ROOT_ACCESS_KEY_ID, GATEHOUSE_ROOT_SECRET_ACCESS_KEY)\n", at)
	}
	_, err := a.stdout.Write([]byte(b.String()))
	return err
}

func (a *app) tellMade(b *strings.Builder, o *options, made *server.Made) {
	generated := made.KeyGenerated || made.PasswordGenerated
	switch {
	case generated && o.Show:
		b.WriteString("\nThe root user, shown only now:\n")
		if made.KeyGenerated {
			fmt.Fprintf(b, "  access key id      %s\n  secret access key  %s\n", made.RootAccessKeyID, made.RootSecretAccessKey.Reveal())
		}
		if made.PasswordGenerated {
			fmt.Fprintf(b, "  e-mail             %s\n  password           %s\n", made.RootEmail, made.RootPassword.Reveal())
		}
	case generated, inFile(o, made):
		fmt.Fprintf(b, "\nThe root user's credentials are in %s. Keep them in a safe place and remove the file.\n", o.BootstrapFile)
	}
	if made.RootPassword.Len() == 0 {
		b.WriteString("\nThe root user has no password: none was chosen, and one that is made up could not be told.\n")
	}
}

// inFile reports whether the root user's access key stands in the bootstrap file.
func inFile(o *options, made *server.Made) bool {
	if made == nil || o.BootstrapFile == "" {
		return false
	}
	f, err := server.ReadBootstrapFile(o.BootstrapFile)
	return err == nil && f.RootAccessKeyID == made.RootAccessKeyID
}

// reachable is the URL with an address that a client on this machine can connect to.
func reachable(u string) string {
	p, err := url.Parse(u)
	if err != nil {
		return u
	}
	if ip, err := netip.ParseAddr(p.Hostname()); err == nil && ip.IsUnspecified() {
		p.Host = net.JoinHostPort("127.0.0.1", p.Port())
	}
	return p.String()
}
