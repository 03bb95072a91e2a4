package main

import (
	"context"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

func newWatch() *cobra.Command {
	return &cobra.Command{
		Use:        "watch WS [VAR...]",
		SuggestFor: []string{"top", "monitor"},
		Short:      "Show the variables of a workspace as they change",
		Example: `  nws watch weather
  nws watch jobs todo done
  nws watch jobs --json | jq -c '.variables[] | [.name, .values]'`,
		Long: `On a terminal the table is redrawn in place, until Ctrl-C; elsewhere it is printed anew with each change. With --json
each change is a line: {"time": …, "variables": […]}. Several changes may come as one.`,
		Args: cli.Args,
		ValidArgsFunction: cli.Complete(func(ctx context.Context, rdb *redisx.Client, args []string) ([]string, error) {
			if len(args) == 0 {
				return workspaceNames(ctx, rdb)
			}
			return variableNames(ctx, rdb, args[0])
		}),
		RunE: lookInto(nil, watch),
	}
}

// change is a line of watch --json.
type change struct {
	Time      time.Time  `json:"time"`
	Variables []variable `json:"variables"`
}

func watch(ctx context.Context, r *cli.Run, ws *workspace.Workspace, args []string) error {
	show := func(variables []variable) error {
		return r.PrintJSON(change{time.Now().UTC(), variables})
	}
	if !r.JSON {
		live := r.Live(ctx)
		defer live.Close()
		show = func(variables []variable) error {
			return live.Show(func(width int) string { return cli.Table(r.Stdout, variables, variableColumns, width) })
		}
	}
	if len(args) == 0 {
		args = nil // all variables; an empty list would be none of them
	}
	for infos, err := range ws.Watch(ctx, args...) {
		if err == nil {
			err = show(variablesOf(infos))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
