package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

// teamFlag adds --team.
func teamFlag(cmd *cobra.Command, team *string, usage string) {
	cmd.Flags().StringVar(team, "team", "", usage)
	_ = cmd.RegisterFlagCompletionFunc("team", cli.Complete(teamNames)) // fails only without the flag
}

const onlyTeam = "`name` of the team; may be left out where there is one only"

// teamNames are those of the teams that there are.
func teamNames(ctx context.Context, rdb *redisx.Client, _ []string) ([]string, error) {
	teams, err := sleigh.Teams(ctx, rdb)
	var names []string
	for _, team := range teams {
		names = append(names, team.Name)
	}
	return names, err
}

// completeTeam completes an argument that names a team, where there is no other.
func completeTeam(ctx context.Context, rdb *redisx.Client, args []string) ([]string, error) {
	if len(args) > 0 {
		return nil, nil
	}
	return teamNames(ctx, rdb, args)
}

// looking opens the Redis and visits a team, or the only one where name is empty, for as long as use runs.
func looking(ctx context.Context, r *cli.Run, name string, use func(s *sleigh.Sleigh, rdb *redisx.Client) error) error {
	rdb, err := r.Connect(ctx)
	if err != nil {
		return err
	}
	defer rdb.Close()
	if name, err = chooseTeam(ctx, rdb, name); err != nil {
		return err
	}
	s, err := sleigh.Visit(ctx, rdb, name)
	if err != nil {
		return explainTeam(ctx, rdb, err)
	}
	err = use(s, rdb)
	return errors.Join(explainTeam(ctx, rdb, err), s.Stop(context.WithoutCancel(ctx)))
}

// chooseTeam gives the only team where none is named.
func chooseTeam(ctx context.Context, rdb *redisx.Client, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	names, err := teamNames(ctx, rdb, nil)
	switch {
	case err != nil && len(names) == 0:
		return "", err
	case len(names) == 0:
		return "", noTeam(fmt.Errorf("there is no team on %s", rdb), nil)
	case len(names) > 1:
		return "", cli.Usagef("there are several teams: name one of %s (as TEAM, or by --team)", strings.Join(names, ", "))
	}
	return names[0], nil
}

// explainTeam adds to an error that there is no such team which teams there are.
func explainTeam(ctx context.Context, rdb *redisx.Client, err error) error {
	if !errors.Is(err, sleigh.ErrNoTeam) {
		return err
	}
	names, _ := teamNames(ctx, rdb, nil)
	return noTeam(err, names)
}

func noTeam(err error, names []string) error {
	advice := "A team begins with 'sleigh each --team NAME', and with any program that starts or joins one."
	if len(names) > 0 {
		advice = "There is " + strings.Join(names, ", ") + "."
	}
	return &cli.Error{Code: cli.CodeNothing, Err: err, Advice: advice}
}
