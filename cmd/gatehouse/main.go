// Command gatehouse is the identity and access management server, and what is done to it from outside: gatehouse --help.
//
// It knows flags, environment, configuration files, terminals and exit codes, and hands everything else to package server, or, for questions
// about policies in files, to package offline. What happens in a store or in a request it does not know.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // it did not work
	exitUsage = 2 // it was asked for in a wrong way: flags, variables, configuration file
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	home, _ := os.UserHomeDir()  // without one, files under it have no default
	os.Exit((&app{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), home: home, terminal: term.IsTerminal(int(os.Stdout.Fd())),
	}).run(ctx, os.Args[1:]))
}

// app is the world a command runs in.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	home           string
	terminal       bool // stdout is one: secrets may be shown there
}

// run runs a command line and returns the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	root := a.command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	for line := range strings.Lines(err.Error()) { // joined errors stand on lines of their own
		fmt.Fprintf(a.stderr, "gatehouse: %s\n", strings.TrimRight(line, "\n"))
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	return exitError
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "Identity and access management that speaks the AWS IAM and STS APIs",
		Long: `Identity and access management that speaks the AWS IAM and STS APIs.

Every setting is a flag, an environment variable GATEHOUSE_… (the flag's name in capitals, with _ for -) or a line of the YAML file that
--config or GATEHOUSE_CONFIG names; the first of these that gives it counts. Secrets are never flags: they are variables, or files that
GATEHOUSE_…_FILE names.

Exit codes: 0 done, 1 it did not work, 2 wrong flags, variables or configuration. simulate, validate and catalog work on files alone, and
have exit codes for CI: see their --help.`,
		SilenceUsage: true, SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			return usageErrorf("a command is missing: try gatehouse dev, or gatehouse --help")
		},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageErrorf("there is no command %q: gatehouse --help lists them", args[0])
			}
			return nil
		},
	}
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(a.serveCommand(), a.devCommand(), a.initCommand(), a.adminCommand(), a.explainCommand(), a.whoCanCommand(),
		a.simulateCommand(), a.validateCommand(), a.catalogCommand(), a.versionCommand())
	return root
}

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usageErrorf(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// noArgs refuses arguments that are not flags.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageErrorf("%s takes no arguments, got %q", cmd.CommandPath(), args[0])
	}
	return nil
}
