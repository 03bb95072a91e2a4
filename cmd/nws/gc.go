package main

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
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
			deleted, err := collect(ctx, rdb)
			if err == nil && len(deleted) == 0 {
				r.Notef("there is nothing to delete")
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

// collect has the library clean up, as it does whenever somebody opens a workspace, until nothing goes any more.
func collect(ctx context.Context, rdb *redisx.Client) ([]leftover, error) {
	var deleted []leftover
	before, err := ownerless(ctx, rdb)
	for err == nil && len(before) > 0 {
		ws, openErr := workspace.Use(ctx, rdb, workspace.Default, true)
		if openErr != nil {
			return deleted, openErr
		}
		var after map[string]bool
		after, err = ownerless(ctx, rdb)
		err = errors.Join(err, ws.Close())
		gone := 0
		for _, name := range slices.Sorted(maps.Keys(before)) {
			if !after[name] {
				gone++
				deleted = append(deleted, leftover{name})
			}
		}
		if gone == 0 {
			break
		}
		before = after
	}
	return deleted, err
}

// ownerless names the workspaces that are not persistent and have no owner who lives.
func ownerless(ctx context.Context, rdb *redisx.Client) (map[string]bool, error) {
	infos, err := workspace.List(ctx, rdb)
	names := map[string]bool{}
	for _, info := range infos {
		if !info.Persistent && info.Owner == (workspace.Owner{}) {
			names[info.Name] = true
		}
	}
	return names, err
}
