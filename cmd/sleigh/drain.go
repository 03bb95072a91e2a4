package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

func newDrain() *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use:   "drain WORKER",
		Short: "Have a worker leave: what it runs may end, the rest goes to others, and nobody replaces it",
		Example: `  sleigh status farm
  sleigh drain 3 --team farm`,
		Args: cli.Args,
		RunE: cli.Do(func(ctx context.Context, r *cli.Run, args []string) error {
			rank, err := strconv.Atoi(args[0])
			if err != nil || rank < 0 {
				return cli.Usagef("%q is not the number of a worker, as 'sleigh status' shows it", args[0])
			}
			return looking(ctx, r, team, func(s *sleigh.Sleigh, _ *redisx.Client) error {
				if err := s.DrainWorker(ctx, rank); err != nil {
					return explainWorker(ctx, s, err)
				}
				r.Notef("worker %d of team %s ends what it runs, and leaves", rank, s.Name())
				return nil
			})
		}),
	}
	teamFlag(cmd, &team, onlyTeam)
	return cmd
}

// explainWorker adds to an error that there is no such worker which there are.
func explainWorker(ctx context.Context, s *sleigh.Sleigh, err error) error {
	if !errors.Is(err, sleigh.ErrNoWorker) {
		return err
	}
	advice := fmt.Sprintf("Team %s has no workers.", s.Name())
	if st, err := s.Status(ctx); err == nil && len(st.Workers) > 0 {
		var ranks []string
		for _, w := range st.Workers {
			ranks = append(ranks, strconv.Itoa(w.Rank))
		}
		advice = fmt.Sprintf("The workers of team %s: %s.", s.Name(), strings.Join(ranks, ", "))
	}
	return &cli.Error{Code: cli.CodeNothing, Err: err, Advice: advice}
}
