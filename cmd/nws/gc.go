package main

import (
	"context"
	"errors"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

func newGc() *cobra.Command {
	return &cobra.Command{
		Use:        "gc",
		SuggestFor: []string{"clean", "cleanup", "prune"},
		Short:      "Delete the workspaces whose owners have died",
		Example:    "  nws gc\n  nws gc --json | jq -r .name",
		Long: `Programs do this by the way, whenever they open a workspace, so that it is seldom needed. What goes is not
persistent, and the lease of its owner has ended. Each is printed by its name.`,
		Args:              cli.Args,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, _ []string) error {
			rdb, err := r.Connect(ctx)
			if err != nil {
				return err
			}
			defer rdb.Close()
			names, err := workspace.Sweep(ctx, rdb)
			if err == nil && len(names) == 0 {
				r.Notef("there is nothing to delete")
			}
			var deleted []leftover
			for _, name := range names {
				deleted = append(deleted, leftover{name})
			}
			return errors.Join(cli.PrintTable(r, deleted, []cli.Column[leftover]{
				{Title: "DELETED", Cell: func(l leftover) any { return l.Name }},
			}), err)
		}),
	}
}

type leftover struct {
	Name string `json:"name"`
}
