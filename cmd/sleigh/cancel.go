package main

import (
	"context"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

func newCancel() *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use:   "cancel JOB",
		Short: "End a job, whoever began it; results that nobody has collected are lost",
		Example: `  sleigh cancel nightly
  sleigh cancel nightly --team farm`,
		Args:              cli.Args,
		ValidArgsFunction: completeJobs(&team),
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
			return looking(ctx, r, team, func(s *sleigh.Sleigh, _ *redisx.Client) error {
				if err := s.CancelJob(ctx, args[0]); err != nil {
					return explainJob(ctx, s, err)
				}
				r.Notef("job %s of team %s is cancelled", args[0], s.Name())
				return nil
			})
		}),
	}
	teamFlag(cmd, &team, onlyTeam)
	return cmd
}
