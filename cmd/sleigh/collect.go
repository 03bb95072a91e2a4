package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/netspaces/netspaces/cmd/internal/cli"
	"github.com/netspaces/netspaces/sleigh"
	"github.com/netspaces/netspaces/sleigh/each"
	"github.com/spf13/cobra"
)

// resultFlags say what to do with results.
type resultFlags struct {
	keepOrder, tag, resume, bar bool
	results, joblog             string
}

func (f *resultFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVarP(&f.keepOrder, "keep-order", "k", false, "print in the order of the items, rather than as they are done")
	flags.BoolVar(&f.tag, "tag", false, "put the item and a TAB before each line")
	flags.StringVar(&f.results, "results", "", "keep stdout and stderr of each item in this `folder`")
	flags.StringVar(&f.joblog, "joblog", "", "write a line to this `file` for each item that is done, as GNU parallel does")
	flags.BoolVar(&f.resume, "resume", false, "pass over the items that the joblog has")
	flags.BoolVar(&f.bar, "bar", false, "show on stderr how far it is, if that is a terminal")
}

// collector prints the results of a job.
type collector struct {
	r       *cli.Run
	flags   *resultFlags
	options each.Options
	job     string // its name, if it goes on without this program
	again   string // the name of the job of which it runs again what failed; empty if it does not
	bar     *bar
}

// collecting is a call of package each.
type collecting = func(*each.Options) (each.Summary, error)

// collect has use collect results, of so many items, or -1 if that is not known.
func (c *collector) collect(ctx context.Context, s *sleigh.Sleigh, total int, use collecting) error {
	if c.flags.bar && !c.options.DryRun && !c.options.Detach {
		c.bar = newBar(c.r, total, "items")
		defer c.bar.end()
	}
	o := c.options
	o.KeepOrder, o.Tag, o.Results, o.Joblog = c.flags.keepOrder, c.flags.tag, c.flags.results, c.flags.joblog
	o.Resume = o.Resume || c.flags.resume
	o.Stdout, o.Stderr, o.Progress = c.r.Stdout, c.r.Stderr, c.progress
	o.Total, o.CountAhead = max(total, 0), c.bar != nil
	if c.r.JSON {
		o.Stdout, o.Stderr, o.OnResult = io.Discard, io.Discard, func(result each.Result) error { return c.r.PrintJSON(result) }
	}
	began := time.Now()
	summary, err := use(&o)
	c.bar.end()
	if err != nil {
		if c.job != "" && ctx.Err() != nil {
			c.r.Notef("job %s goes on without this program; 'sleigh attach %s --team %s' collects it, 'sleigh cancel %s' ends it",
				c.job, c.job, s.Name(), c.job)
		}
		return explain(ctx, s, err)
	}
	return c.conclude(s, summary, time.Since(began))
}

func (c *collector) progress(p each.Progress) {
	if c.bar == nil {
		return
	}
	if p.Total >= 0 {
		c.bar.setTotal(p.Total)
	}
	before := ""
	if p.Failed > 0 {
		before = fmt.Sprintf("%d failed", p.Failed)
	}
	c.bar.show(p.Done+p.Skipped, before)
}

// line prints a line of a worker, which is not one of a command.
func (c *collector) line(l sleigh.Line) { fmt.Fprint(c.r.Stderr, l) }

// conclude says how it went.
func (c *collector) conclude(s *sleigh.Sleigh, summary each.Summary, took time.Duration) error {
	if summary.Detached {
		if c.r.JSON {
			return c.r.PrintJSON(summary)
		}
		c.r.Notef("%s left to team %s; 'sleigh attach %s --team %s' collects the results",
			count(summary.Submitted, "item"), s.Name(), c.options.Name, s.Name())
		return nil
	}
	if c.again != "" && summary.Job == "" {
		c.r.Notef("nothing of job %s has failed, so nothing runs again", c.again)
	}
	c.r.Log.Info("done", "items", summary.Done, "failed", summary.Failed, "skipped", summary.Skipped, "took", span(took))
	if summary.Halted {
		c.r.Notef("stopped by --halt after %s", count(summary.Done, "item"))
	}
	if summary.Failed > 0 {
		return &cli.Error{Code: cli.CodeFailed, Err: fmt.Errorf("%d of %s failed", summary.Failed, count(summary.Done, "item"))}
	}
	return nil
}
