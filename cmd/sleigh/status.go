package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/spf13/cobra"
)

const watchEvery = time.Second

func newStatus() *cobra.Command {
	var team string
	var watch bool
	cmd := &cobra.Command{
		Use:   "status [TEAM]",
		Short: "Show what a team's workers do, and how far its jobs are",
		Example: `  sleigh status
  sleigh status farm --watch
  sleigh status farm --json | jq '.workers[].host'`,
		Args:              cli.Args,
		ValidArgsFunction: cli.Complete(completeTeam),
		RunE: cli.Look(func(ctx context.Context, r *cli.Run, args []string) error {
			name := cmp.Or(strings.Join(args, ""), team)
			return looking(ctx, r, name, func(s *sleigh.Sleigh, _ *redisx.Client) error {
				if watch {
					return watchStatus(ctx, r, s)
				}
				st, err := s.Status(ctx)
				if err != nil {
					return err
				}
				if r.JSON {
					return r.PrintJSON(teamStatus{s.Name(), st})
				}
				width, _ := r.Stdout.Size()
				_, err = fmt.Fprint(r.Stdout, drawStatus(r.Stdout, s.Name(), st, width))
				return err
			})
		}),
	}
	teamFlag(cmd, &team, onlyTeam)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it anew each second, until Ctrl-C")
	return cmd
}

// teamStatus is the status as JSON.
type teamStatus struct {
	Team string `json:"team"`
	*sleigh.Status
}

// watchStatus shows the status each second.
func watchStatus(ctx context.Context, r *cli.Run, s *sleigh.Sleigh) error {
	live := r.Live(ctx)
	defer live.Close()
	for tick := time.NewTicker(watchEvery); ; {
		st, err := s.Status(ctx)
		switch {
		case err != nil:
		case r.JSON:
			err = r.PrintJSON(teamStatus{s.Name(), st})
		default:
			err = live.Show(func(width int) string { return drawStatus(r.Stdout, s.Name(), st, width) })
		}
		if err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return ctx.Err()
		}
	}
}

// drawStatus is the status as text, for a screen of that many columns; 0 stands for any number.
func drawStatus(s *cli.Screen, name string, st *sleigh.Status, width int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Team %s: %s, %s\n", s.Bold(cli.Visible(name)), count(len(st.Workers), "worker"), count(len(st.Jobs), "job"))
	if len(st.Workers) > 0 {
		text.WriteString("\n" + cli.Table(s, st.Workers, workerColumns, width))
	}
	if len(st.Jobs) > 0 {
		text.WriteString("\n" + cli.Table(s, st.Jobs, jobColumns, width))
	}
	for _, refused := range st.Refused {
		fmt.Fprintf(&text, "\nA worker on %s was refused %s ago: %s\n", refused.Host, ago(refused.At), cli.Visible(refused.Reason))
	}
	for _, trouble := range st.Hosts {
		fmt.Fprintf(&text, "\n%s fails on %s and not elsewhere: %d of %d\n", trouble.Func, trouble.Host, trouble.Failed, trouble.Done)
	}
	return text.String()
}

var workerColumns = []cli.Column[sleigh.WorkerStatus]{
	{Title: "WORKER", Cell: func(w sleigh.WorkerStatus) any { return w.Rank }},
	{Title: "HOST", Cell: func(w sleigh.WorkerStatus) any { return w.Info.Host }},
	{Title: "STATE", Cell: func(w sleigh.WorkerStatus) any { return w.State }},
	{Title: "FOR", Cell: func(w sleigh.WorkerStatus) any { return ago(w.Since) }},
	{Title: "DONE", Cell: func(w sleigh.WorkerStatus) any { return w.Done }},
	{Title: "FAILED", Cell: func(w sleigh.WorkerStatus) any { return w.Failed }},
	{Title: "EACH TOOK", Cell: func(w sleigh.WorkerStatus) any {
		if w.Done == 0 {
			return ""
		}
		return span(w.Mean)
	}},
	{Title: "RUNS", Cell: func(w sleigh.WorkerStatus) any { return runs(w.Tasks) }},
}

// runs says what a worker runs: the number of the element that it has run longest, from 1, and how many others.
func runs(tasks []sleigh.Running) string {
	if len(tasks) == 0 {
		return ""
	}
	first := tasks[0]
	for _, task := range tasks {
		if task.For > first.For {
			first = task
		}
	}
	text := fmt.Sprintf("%s %d", first.Func, first.Index+1)
	if first.For >= time.Second {
		text += " for " + span(first.For)
	}
	if p := first.Progress; p.Total > 0 {
		text += fmt.Sprintf(", %d of %d", p.Done, p.Total)
	}
	if n := len(tasks) - 1; n > 0 {
		text += fmt.Sprintf(" +%d", n)
	}
	return text
}

func count(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
