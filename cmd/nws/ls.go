package main

import (
	"context"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

func newLs() *cobra.Command {
	return &cobra.Command{
		Use:     "ls [WS]",
		Short:   "List the workspaces, or the variables of one",
		Example: "  nws ls\n  nws ls weather",
		Args:    cli.Args,
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
			rdb, err := r.Connect(ctx)
			if err != nil {
				return err
			}
			defer rdb.Close()
			infos, err := workspace.List(ctx, rdb)
			if err != nil {
				return err
			}
			return cli.PrintTable(r, infos, []cli.Column[workspace.Info]{
				{Title: "NAME", Cell: func(i workspace.Info) any { return i.Name }},
				{Title: "VARIABLES", Cell: func(i workspace.Info) any { return i.Variables }},
				{Title: "OWNER", Cell: func(i workspace.Info) any { return i.Owner.Program }},
				{Title: "KEPT", Cell: func(i workspace.Info) any { return i.Persistent }},
			})
		}),
	}
}
