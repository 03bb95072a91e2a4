package main

import (
	"context"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

func newStop() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "stop TEAM",
		Short: "End a team for all: its workers leave, and its jobs and variables are deleted",
		Example: `  sleigh stop farm
  sleigh stop farm --force`,
		Args:              cli.Args,
		ValidArgsFunction: cli.Complete(completeTeam),
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
			return looking(ctx, r, args[0], func(s *sleigh.Sleigh, _ *redisx.Client) error {
				st, err := s.Status(ctx)
				if err != nil {
					return err
				}
				if !force {
					err = r.Confirm(ctx, "Stop team %s, with %s and %s?", s.Name(), count(len(st.Workers), "worker"), count(len(st.Jobs), "job"))
				}
				if err == nil {
					err = s.Disband(ctx)
				}
				if err == nil {
					r.Notef("team %s has ended", s.Name())
				}
				return err
			})
		}),
	}
	cmd.Flags().BoolVar(&force, "force", false, "do not ask")
	return cmd
}
