package main

import (
	"cmp"
	"context"
	"strings"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

func newJobs() *cobra.Command {
	var team string
	cmd := &cobra.Command{
		Use:   "jobs [TEAM]",
		Short: "List a team's jobs, with those that have ended lately and had a name",
		Example: `  sleigh jobs
  sleigh jobs farm --json | jq -r 'select(.state == "running").name'`,
		Long: `The state of a job is running, or detached where nobody collects its results;
of one that has ended it is finished, stopped at an error, or cancelled.`,
		Args:              cli.Args,
		ValidArgsFunction: cli.Complete(completeTeam),
		RunE: cli.Look(func(ctx context.Context, r *cli.Run, args []string) error {
			name := cmp.Or(strings.Join(args, ""), team)
			return looking(ctx, r, name, func(s *sleigh.Sleigh, _ *redisx.Client) error {
				st, err := s.Status(ctx)
				if err != nil {
					return err
				}
				ended, err := s.Finished(ctx)
				if err != nil {
					return err
				}
				if len(st.Jobs)+len(ended) == 0 {
					r.Notef("team %s has no jobs", s.Name())
				}
				return printJobs(r, ended, st.Jobs)
			})
		}),
	}
	teamFlag(cmd, &team, onlyTeam)
	return cmd
}

// printJobs lists those that have ended, and below them the others.
func printJobs(r *cli.Run, ended []sleigh.FinishedJob, running []sleigh.JobStatus) error {
	if r.JSON {
		for _, job := range ended {
			if err := r.PrintJSON(endedJob{State: job.Outcome, FinishedJob: job}); err != nil {
				return err
			}
		}
		for _, job := range running {
			if err := r.PrintJSON(runningJob{stateOf(job), job}); err != nil {
				return err
			}
		}
		return nil
	}
	var rows []sleigh.JobStatus
	outcomes := map[string]sleigh.FinishedJob{}
	for _, job := range ended {
		outcomes[job.ID] = job
		rows = append(rows, sleigh.JobStatus{
			ID: job.ID, Name: job.Name, Func: job.Func, Since: job.Ended, Done: job.Done, Failed: job.Failed, Total: -1, Left: -1,
		})
	}
	state := cli.Column[sleigh.JobStatus]{Title: "STATE", Cell: func(j sleigh.JobStatus) any {
		if job, ok := outcomes[j.ID]; ok {
			return job.Outcome
		}
		return stateOf(j)
	}}
	columns := append([]cli.Column[sleigh.JobStatus]{jobColumns[0], state}, jobColumns[1:]...)
	return cli.PrintTable(r, append(rows, running...), columns)
}

// endedJob and runningJob are jobs as JSON.
type (
	endedJob struct {
		State sleigh.Outcome `json:"state"`
		sleigh.FinishedJob
		Outcome struct{} `json:"outcome,omitzero"` // is the state, and left out
	}
	runningJob struct {
		State string `json:"state"`
		sleigh.JobStatus
	}
)

// stateOf says of a job that has not ended whether anybody collects its results.
func stateOf(j sleigh.JobStatus) string {
	if j.Alone > 0 {
		return "detached"
	}
	return "running"
}

var jobColumns = []cli.Column[sleigh.JobStatus]{
	{Title: "JOB", Cell: func(j sleigh.JobStatus) any { return cmp.Or(j.Name, j.ID) }},
	{Title: "ID", Cell: func(j sleigh.JobStatus) any { return j.ID }},
	{Title: "DONE", Cell: func(j sleigh.JobStatus) any { return j.Done }},
	{Title: "FAILED", Cell: func(j sleigh.JobStatus) any { return j.Failed }},
	{Title: "WAIT", Cell: func(j sleigh.JobStatus) any { return j.Backlog + j.Queued }},
	{Title: "RUN", Cell: func(j sleigh.JobStatus) any { return j.Claimed }},
	{Title: "SINCE", Cell: func(j sleigh.JobStatus) any { return ago(j.Since) }},
	{Title: "MASTER", Cell: func(j sleigh.JobStatus) any { return master(j) }},
}

// master says who collects the results of a job.
func master(j sleigh.JobStatus) string {
	if j.Master.Client == "" {
		return ""
	}
	return j.Master.String()
}
