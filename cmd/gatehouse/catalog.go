package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/offline"
)

func (a *app) catalogCommand() *cobra.Command {
	var search offline.Search
	var services []string
	var output string
	cmd := &cobra.Command{
		Use:   "catalog [PATTERN]",
		Short: "Search the actions, condition keys and resource types of all services",
		Long: `Search the actions, condition keys and resource types of all services that Gatehouse knows: AWS's, and its own (gatehouse). No server is
asked.

PATTERN is a name with * and ?: of actions as in policies (s3:Get*), of keys (aws:Principal*), of resource types (s3:*), of services (s3*).
Without a prefix it is looked for in all services. One action or resource type alone is shown with everything that is known of it.

Exit codes: 0 found, 1 nothing found, 2 bad input.`,
		Example: `  gatehouse catalog 's3:Get*' --level read
  gatehouse catalog iam:PassRole
  gatehouse catalog --service dynamodb --resource-type table --level write
  gatehouse catalog --key ec2:InstanceType
  gatehouse catalog --list keys 's3:*'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageErrorf("one pattern is looked for, got %d (quote it, so that the shell does not read it)", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 1 {
				search.Pattern = args[0]
			}
			return a.searchCatalog(&search, services, output)
		},
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.StringVar(&search.Of, "list", "actions", "`what` to look for: actions, keys, resource-types or services")
	fl.StringVar(&search.Service, "service", "", "`prefix` of the service")
	fl.StringVar(&search.Level, "level", "", "`level` of the actions: list, read, write, tagging or permissions-management")
	fl.StringVar(&search.Type, "resource-type", "", "`name` of the resource type that actions act on")
	fl.StringVar(&search.Key, "key", "", "condition `key` that actions have")
	fl.StringArrayVar(&services, "services", nil, "JSON `file` with services of your own, or what AWS's lack; may be repeated")
	fl.StringVar(&output, "output", "table", "`form` of the answer: table or json")
	complete(cmd, "list", "actions", "keys", "resource-types", "services")
	complete(cmd, "level", "list", "read", "write", "tagging", "permissions-management")
	complete(cmd, "output", "table", "json")
	return cmd
}

func (a *app) searchCatalog(search *offline.Search, services []string, output string) error {
	if output != "table" && output != "json" {
		return usageErrorf("--output: %q is neither table nor json", output)
	}
	var err error
	if search.Catalog, err = readCatalog(a.files(), services); err != nil {
		return usageError{err}
	}
	found, err := search.Run()
	if err != nil {
		return usageError{err}
	}
	if output == "json" {
		err = found.JSON(a.stdout)
	} else {
		err = found.Text(a.stdout)
	}
	if err != nil {
		return err
	}
	if found.Len() == 0 {
		return fmt.Errorf("nothing is found%s", search.Nearest())
	}
	return nil
}
