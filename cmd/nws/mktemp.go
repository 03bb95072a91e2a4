package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

func newMktemp() *cobra.Command {
	return &cobra.Command{
		Use:        "mktemp [TEMPLATE]",
		SuggestFor: []string{"create", "new"},
		Short:      "Make a workspace of a name that nobody else has, and print the name",
		Example: `  ws=$(nws mktemp)
  trap 'nws rm --force "$ws"' EXIT
  nws mktemp 'ride_%04d'`,
		Long: `The template has one %d for a number, or one such as %04d; by default it is tmp_%06d. The workspace is persistent,
since its maker ends at once: it stays until 'nws rm' deletes it.`,
		Args:              cli.Args,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
			rdb, err := r.Connect(ctx)
			if err != nil {
				return err
			}
			defer rdb.Close()
			template := "tmp_%06d"
			if len(args) > 0 {
				template = args[0]
			}
			ws, err := workspace.OpenTemporary(ctx, rdb, template, &workspace.Options{Persistent: true})
			if err != nil {
				return err
			}
			if r.JSON {
				err = r.PrintJSON(map[string]string{"name": ws.Name()})
			} else {
				_, err = fmt.Fprintln(r.Stdout, ws.Name())
			}
			return errors.Join(err, ws.Close())
		}),
	}
}
