package main

import (
	"context"
	"fmt"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

func newRm() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:        "rm WS [VAR]",
		SuggestFor: []string{"delete", "remove", "del"},
		Short:      "Delete a workspace, or a variable of it, with all values",
		Example:    "  nws rm weather temperature\n  nws rm weather --force",
		Long: `It asks first, on the terminal. Whoever waits for what is deleted waits no longer, and is told; so programs use it
as a signal. There is no way back.`,
		Args:              cli.Args,
		ValidArgsFunction: completeNames(),
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
			rdb, err := r.Connect(ctx)
			if err != nil {
				return err
			}
			defer rdb.Close()
			ws, err := use(ctx, rdb, args[0])
			if err != nil {
				return err
			}
			defer ws.Close()
			if !force {
				question, err := ask(ctx, ws, args[1:])
				if err != nil {
					return err
				}
				if err := r.Confirm(ctx, "%s", question); err != nil {
					return err
				}
			}
			return remove(ctx, rdb, ws, args[1:])
		}),
	}
	cmd.Flags().BoolVarP(&force, "force", "f", false, "do not ask")
	return cmd
}

// ask is the question before a variable is deleted, or the workspace if none is named.
func ask(ctx context.Context, ws *workspace.Workspace, variable []string) (string, error) {
	if len(variable) == 0 {
		infos, err := ws.ListVars(ctx)
		return fmt.Sprintf("Delete workspace %q with %s?", ws.Name(), number(len(infos), "variable")), err
	}
	infos, err := ws.DescribeVars(ctx, variable...)
	if err != nil {
		return "", err
	}
	if len(infos) == 0 {
		return "", fmt.Errorf("workspace %q, variable %q: %w", ws.Name(), variable[0], workspace.ErrNoVar)
	}
	return fmt.Sprintf("Delete variable %q of workspace %q with %s?",
		variable[0], ws.Name(), number(infos[0].Values+infos[0].Claimed, "value")), nil
}

func remove(ctx context.Context, rdb *redisx.Client, ws *workspace.Workspace, variable []string) error {
	if len(variable) == 0 {
		return workspace.Delete(ctx, rdb, ws.Name())
	}
	return ws.DeleteVar(ctx, variable[0])
}

func number(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}
