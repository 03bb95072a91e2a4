package main

import (
	"context"
	"errors"
	"io"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/spf13/cobra"
)

func newDoctor() *cobra.Command {
	return &cobra.Command{
		Use:        "doctor",
		SuggestFor: []string{"check"},
		Short:      "Look whether this Redis serves workspaces well, and say what to do",
		Example: `  nws doctor
  nws doctor --json | jq -r '.checks[] | select(.state == "warning") | .advice'`,
		Long: `The exit code is 1 if a check has failed, so that workspaces do not work; a warning is none.
It changes nothing.`,
		Args:              cli.Args,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: cli.Look(func(ctx context.Context, r *cli.Run, _ []string) error {
			rdb, err := r.Connect(ctx)
			if err != nil {
				return err
			}
			defer rdb.Close()
			report := rdb.Doctor(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if r.JSON {
				err = r.PrintJSON(report)
			} else {
				_, err = io.WriteString(r.Stdout, report.String())
			}
			if err == nil && report.State() == redisx.CheckFailed {
				return &cli.Error{Err: errors.New("workspaces do not work with this Redis"), Advice: "See above for what to do."}
			}
			return err
		}),
	}
}
