package main

import (
	"context"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

func newDeclare() *cobra.Command {
	return &cobra.Command{
		Use:        "declare WS VAR MODE",
		SuggestFor: []string{"mode"},
		Short:      "Say which value of a variable is next: fifo, lifo, multi or single",
		Example:    "  nws declare weather temperature single\n  nws declare jobs urgent lifo",
		Long: `fifo is the oldest value, as where nothing is declared; lifo the youngest; multi any, at random; single the latest,
earlier ones are not kept. It may be repeated, but not with another mode.

A workspace that is missing is made, and stays until 'nws rm' deletes it.`,
		Args: cli.Args,
		ValidArgsFunction: completeNames(
			string(workspace.FIFO), string(workspace.LIFO), string(workspace.Multi), string(workspace.Single)),
		RunE: inWorkspace(true, nil, func(ctx context.Context, _ *cli.Run, ws *workspace.Workspace, args []string) error {
			return ws.Declare(ctx, args[0], workspace.Mode(args[1]))
		}),
	}
}
