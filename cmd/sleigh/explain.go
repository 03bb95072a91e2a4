package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

func newExplain() *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use:   "explain [JOB]",
		Short: "Say why nothing moves in a team, or with one of its jobs",
		Example: `  sleigh explain
  sleigh explain nightly --team farm`,
		Args:              cli.Args,
		ValidArgsFunction: completeJobs(&team),
		RunE: cli.Look(func(ctx context.Context, r *cli.Run, args []string) error {
			return looking(ctx, r, team, func(s *sleigh.Sleigh, _ *redisx.Client) error {
				reasons, err := s.Explain(ctx)
				if err != nil {
					return err
				}
				if len(args) > 0 {
					job, err := findJob(ctx, s, args[0])
					if err != nil {
						return err
					}
					// What is of no job is in the way of each.
					reasons = slices.DeleteFunc(reasons, func(reason sleigh.Reason) bool { return reason.Job != "" && reason.Job != job.ID })
				}
				for _, reason := range reasons {
					if r.JSON {
						err = r.PrintJSON(forShell(s.Name(), reason))
					} else {
						_, err = fmt.Fprintln(r.Stdout, inWords(s.Name(), reason))
					}
					if err != nil {
						return err
					}
				}
				if len(reasons) == 0 {
					r.Notef("nothing is in the way")
				}
				return nil
			})
		}),
	}
	teamFlag(cmd, &team, onlyTeam)
	return cmd
}

// forShell is a reason for somebody who starts workers by this command.
func forShell(team string, reason sleigh.Reason) sleigh.Reason {
	if reason.Cause == sleigh.NoWorker && reason.Command != "" {
		reason.Command = fmt.Sprintf("sleigh worker --team %s --allow-commands", team)
	}
	return reason
}

// inWords is what a reason says.
func inWords(team string, reason sleigh.Reason) string {
	reason = forShell(team, reason)
	if reason.Cause == sleigh.NoWorker && reason.Command != "" {
		reason.Command = fmt.Sprintf("'%s' and the same REDIS_URL", reason.Command)
	}
	return reason.String()
}
