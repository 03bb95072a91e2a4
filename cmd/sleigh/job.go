package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
	"github.com/netspaces/netspaces/workspace"
	"github.com/spf13/cobra"
)

// findJob finds a job that has not ended by its name or id.
func findJob(ctx context.Context, s *sleigh.Sleigh, name string) (sleigh.JobStatus, error) {
	st, err := s.Status(ctx)
	if err != nil {
		return sleigh.JobStatus{}, err
	}
	for _, job := range st.Jobs {
		if job.Name == name || job.ID == name {
			return job, nil
		}
	}
	return sleigh.JobStatus{}, explainJob(ctx, s, fmt.Errorf("%w: %q", sleigh.ErrNoJob, name))
}

// explainJob adds to an error that there is no such job which jobs there are.
func explainJob(ctx context.Context, s *sleigh.Sleigh, err error) error {
	if !errors.Is(err, sleigh.ErrNoJob) {
		return err
	}
	advice := fmt.Sprintf("Team %s has no jobs.", s.Name())
	if names := jobNames(ctx, s); len(names) > 0 {
		advice = fmt.Sprintf("Team %s has %s.", s.Name(), strings.Join(names, ", "))
	}
	return &cli.Error{Code: cli.CodeNothing, Err: err, Advice: advice}
}

// jobNames names the jobs that have not ended.
func jobNames(ctx context.Context, s *sleigh.Sleigh) []string {
	var names []string
	if st, err := s.Status(ctx); err == nil {
		for _, job := range st.Jobs {
			names = append(names, cmp.Or(job.Name, job.ID))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// completeJobs completes the names of jobs.
func completeJobs(team *string) cobra.CompletionFunc {
	return cli.Complete(func(ctx context.Context, rdb *redisx.Client, args []string) ([]string, error) {
		if len(args) > 0 {
			return nil, nil
		}
		name, err := chooseTeam(ctx, rdb, *team)
		if err != nil {
			return nil, err
		}
		s, err := sleigh.Visit(ctx, rdb, name)
		if err != nil {
			return nil, err
		}
		names := jobNames(ctx, s)
		return names, s.Stop(ctx)
	})
}

// explain adds to an error of a run what there is and what to do.
func explain(ctx context.Context, s *sleigh.Sleigh, err error) error {
	if s == nil {
		return err
	}
	if errors.Is(err, workspace.ErrNoWorkspace) {
		return &cli.Error{
			Code: cli.CodeNothing, Err: fmt.Errorf("team %s has ended meanwhile: %w", s.Name(), err),
			Advice: "Somebody has stopped it, or emptied the Redis.",
		}
	}
	if _, held := errors.AsType[*sleigh.HeldError](err); held {
		return &cli.Error{Err: err, Advice: "Let that program go on, or end it: the job waits for the next one."}
	}
	if errors.Is(err, each.ErrNotAllowed) {
		return &cli.Error{Err: err, Advice: "Start all workers of team " + s.Name() + " with --allow-commands, or with a list that has the program."}
	}
	if errors.Is(err, sleigh.ErrFinished) {
		advice := "'sleigh retry' runs again what failed of it. Another run needs another name."
		return &cli.Error{Code: cli.CodeNothing, Err: err, Advice: advice}
	}
	if errors.Is(err, sleigh.ErrIncomplete) {
		return &cli.Error{Err: err, Advice: "Run the same 'sleigh each' again that began the job: it has the items."}
	}
	return explainJob(ctx, s, err)
}
