package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/offline"
	"github.com/gatehouse-iam/gatehouse/policy"
)

func (a *app) validateCommand() *cobra.Command {
	var kind, output string
	var strict bool
	var services []string
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Say what is wrong with policies in files",
		Long: `Say what is wrong with policies in files: what AWS would refuse, names of services, actions, condition keys and variables that there are
not, with the nearest one, and statements that cannot do anything. No server is asked. "-" reads standard input.

Without --kind a policy with principals is one of a resource, or where it names no resources a trust policy, and every other an identity
policy. docs/validate.md lists what is found.

Exit codes: 0 nothing, or warnings only; 1 errors, with --strict warnings too; 2 bad input.`,
		Example: `  gatehouse validate policies/*.json
  gatehouse validate --kind scp --strict --output sarif deny-regions.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageErrorf("which policies? Give their files, or - for standard input")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, names []string) error { return a.validate(names, kind, output, strict, services) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&kind, "kind", "", "`kind` of the policies: identity, managed, boundary, session, trust, resource, endpoint, scp or rcp")
	fl.BoolVar(&strict, "strict", false, "warnings are as bad as errors")
	fl.StringArrayVar(&services, "services", nil, "JSON `file` with services of your own, or what AWS's lack; may be repeated")
	fl.StringVar(&output, "output", "text", "`form` of the findings: text, json or sarif")
	complete(cmd, "kind", "identity", "managed", "boundary", "session", "trust", "resource", "endpoint", "scp", "rcp")
	complete(cmd, "output", "text", "json", "sarif")
	return cmd
}

func (a *app) validate(names []string, kindName, output string, strict bool, services []string) error {
	var kind policy.Kind
	if kindName != "" {
		var err error
		if kind, err = offline.ParseKind(kindName); err != nil {
			return usageErrorf("--kind: %w", err)
		}
	}
	if output != "text" && output != "json" && output != "sarif" {
		return usageErrorf("--output: %q is none of text, json, sarif", output)
	}
	files := a.files()
	c, err := readCatalog(files, services)
	if err != nil {
		return usageError{err}
	}
	var checked []*offline.Checked
	for _, name := range names {
		text, err := files(name, offline.MaxPolicyFile)
		if err != nil {
			return usageError{err}
		}
		if name == "-" {
			name = "stdin"
		}
		checked = append(checked, offline.Validate(name, text, kind, c))
	}
	switch output {
	case "json":
		err = offline.ValidateJSON(a.stdout, checked...)
	case "sarif":
		v, _ := build()
		err = offline.ValidateSARIF(a.stdout, v, checked...)
	default:
		err = offline.ValidateText(a.stdout, checked...)
	}
	if err != nil {
		return err
	}
	if errors, warnings, text := offline.Summary(checked...); errors > 0 || strict && warnings > 0 {
		return fmt.Errorf("%s", text)
	}
	return nil
}
