// Command gatehouse is the identity and access management server.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/gatehouse-iam/gatehouse/internal/server"
)

var version = "dev"

func main() {
	root := &cobra.Command{Use: "gatehouse", SilenceUsage: true, SilenceErrors: true}
	cfg := &server.Config{Dev: true}
	dev := &cobra.Command{Use: "dev", RunE: func(cmd *cobra.Command, _ []string) error {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		s, err := server.Open(ctx, cfg, version)
		if err != nil {
			return err
		}
		m := s.Made()
		fmt.Println(s.URL(), m.AccountID, m.RootAccessKeyID, m.RootSecretAccessKey.Reveal())
		return s.Serve(ctx)
	}}
	dev.Flags().StringVar(&cfg.Listen, "listen", server.DefaultListen, "address to listen on")
	root.AddCommand(dev)
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "gatehouse:", err)
		os.Exit(1)
	}
}
