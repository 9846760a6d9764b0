package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/keyring"
	"github.com/gatehouse-iam/gatehouse/internal/server"
)

func (a *app) adminCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "Work on the data directory of a stopped server",
		Long: `Work on the data directory of a stopped server. While a server runs on it, these commands end with an error and change nothing.

New secrets are shown if standard output is a terminal, and otherwise written to --bootstrap-file.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageErrorf("there is no command %q below admin: gatehouse admin --help lists them", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return usageErrorf("a command is missing: gatehouse admin --help lists them")
		},
	}
	keys := &cobra.Command{
		Use: "root-keys", Short: "List and change the root user's access keys",
		Args: cmd.Args, RunE: cmd.RunE,
	}
	keys.AddCommand(
		a.onStore("list", "List the root user's access keys", 0, nil, a.listRootKeys),
		a.onStore("create", "Make one more access key for the root user", 0, []string{"bootstrap-file"}, a.createRootKey),
		a.onStore("activate ID", "Switch an access key on", 1, nil, func(ctx context.Context, s *server.Stopped, _ *options, args []string) error {
			return s.SetRootKeyActive(ctx, args[0], true)
		}),
		a.onStore("deactivate ID", "Switch an access key off", 1, nil, func(ctx context.Context, s *server.Stopped, _ *options, args []string) error {
			return s.SetRootKeyActive(ctx, args[0], false)
		}),
		a.onStore("delete ID", "Delete an access key", 1, nil, func(ctx context.Context, s *server.Stopped, _ *options, args []string) error {
			return s.DeleteRootKey(ctx, args[0])
		}),
	)
	cmd.AddCommand(
		a.onStore("reset-root-password", "Give the root user the password in GATEHOUSE_ROOT_PASSWORD, or a new one", 0,
			[]string{"bootstrap-file", "root-password"}, a.resetRootPassword),
		keys,
		a.onStore("rotate-keys", "Replace the store's keys and seal everything under the new ones", 0, nil, a.rotateKeys),
		a.rotateMasterCommand(),
	)
	return cmd
}

// onStore is a command on the store of a data directory.
func (a *app) onStore(use, short string, args int, more []string, do func(context.Context, *server.Stopped, *options, []string) error) *cobra.Command {
	names := slices.Concat(storeSettings, more, logSettings)
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, given []string) error {
			if len(given) != args {
				return usageErrorf("usage: gatehouse admin %s --data-dir DIR, got %d arguments", use, len(given))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, given []string) error {
			o := &options{Config: server.Config{}, logLevel: slog.LevelWarn, logFormat: "text"}
			if err := a.resolve(cmd, o, names); err != nil {
				return err
			}
			if o.DataDir == "" {
				return usageErrorf("which store? Give --data-dir DIR")
			}
			o.Logger = a.logger(o)
			if err := o.Check(); err != nil {
				return usageError{err}
			}
			s, err := server.OpenStopped(cmd.Context(), &o.Config)
			if err != nil {
				return err
			}
			return errors.Join(do(cmd.Context(), s, o, given), s.Close())
		},
	}
	addFlags(cmd, names...)
	return cmd
}

func (a *app) listRootKeys(_ context.Context, s *server.Stopped, _ *options, _ []string) error {
	w := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ACCESS KEY ID\tSTATUS\tCREATED\tLAST USED")
	for _, k := range s.RootKeys() {
		status, used := "Inactive", "never"
		if k.Active {
			status = "Active"
		}
		if !k.LastUsed.IsZero() {
			used = k.LastUsed.Format(time.RFC3339)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.ID, status, k.Created.Format(time.RFC3339), used)
	}
	return w.Flush()
}

func (a *app) createRootKey(ctx context.Context, s *server.Stopped, o *options, _ []string) error {
	if err := s.CanAddRootKey(); err != nil {
		return err
	}
	id, secret := s.NewRootKey()
	return a.tell(o, &server.Made{AccountID: s.Account(), RootAccessKeyID: id, RootSecretAccessKey: secret, KeyGenerated: true}, func() error {
		return s.AddRootKey(ctx, id, secret)
	})
}

func (a *app) resetRootPassword(ctx context.Context, s *server.Stopped, o *options, _ []string) error {
	if chosen := o.Bootstrap.RootPassword; chosen.Len() > 0 {
		if err := s.SetRootPassword(ctx, chosen); err != nil {
			return err
		}
		_, err := fmt.Fprintln(a.stdout, "The root user has the password that was given.")
		return err
	}
	password := keyring.Password()
	return a.tell(o, &server.Made{AccountID: s.Account(), RootPassword: password, PasswordGenerated: true}, func() error {
		return s.SetRootPassword(ctx, password)
	})
}

// tell makes a secret true that can be told: on a terminal after it is stored, in a file before.
func (a *app) tell(o *options, m *server.Made, store func() error) error {
	if a.terminal {
		if err := store(); err != nil {
			return err
		}
		if m.KeyGenerated {
			fmt.Fprintf(a.stdout, "access key id      %s\nsecret access key  %s\n", m.RootAccessKeyID, m.RootSecretAccessKey.Reveal())
		} else {
			fmt.Fprintf(a.stdout, "account   %s\npassword  %s\n", m.AccountID, m.RootPassword.Reveal())
		}
		return nil
	}
	if o.BootstrapFile == "" {
		return usageErrorf("there is nowhere to tell the new secret: standard output is not a terminal. Give --bootstrap-file FILE. Nothing was changed")
	}
	file, err := server.ClaimSecretFile(o.BootstrapFile)
	if err != nil {
		return err
	}
	if err := file.Write(m); err != nil {
		return err
	}
	if err := store(); err != nil {
		return fmt.Errorf("%w (what %s holds may not be in force)", err, o.BootstrapFile)
	}
	_, err = fmt.Fprintf(a.stdout, "The new secret is in %s.\n", o.BootstrapFile)
	return err
}

func (a *app) rotateKeys(ctx context.Context, s *server.Stopped, _ *options, _ []string) error {
	if err := s.RotateKeys(ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.stdout, "The keys of the store and of its accounts are new, and everything is sealed under them.\n"+
		"The store's key before is removed by the running server once no session can need it, after 36 hours.")
	return err
}

func (a *app) rotateMasterCommand() *cobra.Command {
	var to string
	cmd := a.onStore("rotate-master", "Put the store under another master key", 0, nil, func(ctx context.Context, s *server.Stopped, o *options, _ []string) error {
		if to == "" {
			return usageErrorf("which key? Give --new-master-key-file FILE, which is made if it is missing")
		}
		master, created, err := keyring.LoadOrCreateMaster(to)
		if err != nil {
			return err
		}
		if err := s.RotateMaster(ctx, master); err != nil {
			return err
		}
		what := "read"
		if created {
			what = "made"
		}
		_, err = fmt.Fprintf(a.stdout, "The store is under the master key in %s (%s). Start the server with --master-key-file %s, or put that file in the place of %s.\n"+
			"Keep a copy of it apart from the backups, and the key before as long as backups under it are kept.\n", to, what, to, o.MasterKeyFile)
		return err
	})
	cmd.Flags().StringVar(&to, "new-master-key-file", "", "`file` with the new master key; made if it is missing")
	return cmd
}
