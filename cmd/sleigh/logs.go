package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

func newLogs() *cobra.Command {
	var team string
	var follow bool
	cmd := &cobra.Command{
		Use:   "logs [TEAM]",
		Short: "Print what a team's workers printed and logged lately; what commands print goes to 'sleigh each'",
		Example: `  sleigh logs farm
  sleigh logs farm --follow
  sleigh logs farm --json | jq -r 'select(.worker == 3).text'`,
		Args:              cli.Args,
		ValidArgsFunction: cli.Complete(completeTeam),
		RunE: cli.Look(func(ctx context.Context, r *cli.Run, args []string) error {
			name := cmp.Or(strings.Join(args, ""), team)
			return looking(ctx, r, name, func(s *sleigh.Sleigh, _ *redisx.Client) error {
				for line, err := range s.Lines(ctx, follow) {
					switch {
					case err != nil:
					case r.JSON:
						err = r.PrintJSON(line)
					default:
						_, err = fmt.Fprint(r.Stdout, line)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		}),
	}
	teamFlag(cmd, &team, onlyTeam)
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with the lines to come, until Ctrl-C")
	return cmd
}
