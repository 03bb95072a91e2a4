package main

import (
	"context"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
	"github.com/spf13/cobra"
)

func newAttach() *cobra.Command {
	cmd := newCollecting(each.Attach, true)
	cmd.Use = "attach JOB"
	cmd.Short = "Collect the results of a job that 'sleigh each' left to its team, or that was interrupted"
	cmd.Example = `  sleigh attach nightly
  sleigh attach nightly --team farm --joblog log --bar`
	return cmd
}

func newRetry() *cobra.Command {
	cmd := newCollecting(each.Retry, false)
	cmd.Use = "retry JOB"
	cmd.Short = "Run those items again that failed, of a job with a name whose results were collected"
	cmd.Example = `  sleigh retry nightly
  sleigh retry nightly --team farm --bar`
	return cmd
}

// newCollecting makes a command that prints the results of a job by its name, which may go on without this program.
func newCollecting(
	use func(context.Context, *sleigh.Sleigh, string, *each.Options) (each.Summary, error), goesOn bool,
) *cobra.Command {
	var team string
	flags := &resultFlags{}
	cmd := &cobra.Command{
		Args:              cli.Args,
		ValidArgsFunction: completeJobs(&team),
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
			if flags.resume && flags.joblog == "" {
				return cli.Usagef("--resume needs --joblog, which says what is done")
			}
			r.MayLeave()
			c := &collector{r: r, flags: flags}
			if goesOn {
				c.job = args[0]
			} else {
				c.again = args[0]
			}
			return joining(ctx, r, team, false, c.line, func(s *sleigh.Sleigh) error {
				return c.collect(ctx, s, -1, func(opts *each.Options) (each.Summary, error) { return use(ctx, s, args[0], opts) })
			})
		}),
	}
	teamFlag(cmd, &team, onlyTeam)
	flags.define(cmd)
	return cmd
}
