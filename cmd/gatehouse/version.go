package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Set by the linker in releases; otherwise what the Go toolchain noted.
var version, commit string

// build is the version and the commit of this binary.
func build() (v, c string) {
	v, c = version, commit
	if info, ok := debug.ReadBuildInfo(); ok {
		if v == "" {
			v = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && c == "" {
				c = s.Value[:min(12, len(s.Value))]
			}
		}
	}
	if v == "" || v == "(devel)" {
		v = "unreleased"
	}
	if c == "" {
		c = "unknown"
	}
	return v, c
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Show version, commit, Go and platform", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			v, c := build()
			_, err := fmt.Fprintf(a.stdout, "gatehouse %s\ncommit    %s\ngo        %s\nplatform  %s/%s\n", v, c, runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
