package each

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// exitLost is the exit code of a command that could not be run to its end.
const exitLost = 125

// writer takes the results of a job, and writes them.
type writer struct {
	s        *sleigh.Sleigh
	o        *Options
	log      *joblog
	feed     *feed // nil if the elements are not from Run
	stopFeed func()
	attached bool
	stdout   printer
	stderr   printer
	again    map[int]element // for Retry: by their numbers, those that have not succeeded
	failed   *failures       // gets those of a job with a name
	refused  error
	began    time.Time

	mu      sync.Mutex // for what Progress is told
	summary Summary
	done    int // elements
	total   int
	over    bool // the run is
}

// submit begins a job, and writes its results until it has ended.
func (w *writer) submit(ctx context.Context, begin func(context.Context, *sleigh.JobOptions) (*sleigh.Job[outcome], error)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	jo := w.o.job()
	if w.o.Progress != nil {
		jo.OnDone = w.report
	}
	job, err := begin(ctx, jo)
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.summary.Job = job.ID()
	if p := job.Check(); w.attached && p.All {
		w.total = p.Submitted
	}
	w.mu.Unlock()
	w.failed = &failures{s: w.s, name: w.o.Name, job: job.ID()}
	if w.o.Detach {
		err = job.Detach(ctx)
		w.summary.Detached = err == nil
	} else {
		err = w.collect(ctx, cancel, job)
	}
	w.count(job)
	w.mu.Lock()
	w.over = true // a sequence may end still
	w.mu.Unlock()
	if err == nil {
		err = w.refused
	}
	return err
}

// collect takes the results. It returns when the job has ended; but one with a name is only left when it cannot go on here.
func (w *writer) collect(ctx context.Context, cancel context.CancelCauseFunc, job *sleigh.Job[outcome]) error {
	over := false // what comes now is not wanted any more
	var why error
	for r, err := range job.All(context.WithoutCancel(ctx)) {
		lost, failed := errors.AsType[*sleigh.TaskError](err)
		switch {
		case err != nil && !failed && over:
			return why
		case err != nil && !failed:
			return err
		case over:
			continue
		}
		if over, why = w.take(ctx, r, lost); why != nil && w.o.Name != "" && !errors.Is(why, ErrNotAllowed) {
			cancel(why)
			return why // this result comes again, for whoever attaches to the job
		}
		if over {
			job.Cancel()
		}
	}
	return why
}

// take writes a result. The run is over then if it says so, or fails.
func (w *writer) take(ctx context.Context, r sleigh.Result[outcome], lost *sleigh.TaskError) (over bool, err error) {
	var e element
	if w.feed != nil {
		e = w.feed.expect(r.Index)
	}
	o := r.Value
	if lost != nil {
		o = w.lost(lost, e)
	}
	switch {
	case o.Skipped && w.summary.Halted:
		return false, nil
	case o.Skipped || w.o.Name != "" && w.log.has.has(o.Seq):
		w.mu.Lock()
		defer w.mu.Unlock()
		w.summary.Skipped++
		return false, nil
	case o.Refused != nil:
		err := &NotAllowedError{Host: o.Host, Worker: r.Worker, Program: string(o.Refused.Program), Listed: o.Refused.Listed}
		if !w.attached {
			return true, err
		}
		w.refused = err
	}
	result := o.result(r.Worker)
	if err := w.write(&result); err != nil {
		return true, err
	}
	if result.Failed() && w.o.Name != "" && o.Failed != nil {
		if err := w.failed.add(ctx, *o.Failed); err != nil {
			return true, err
		}
	}
	if !result.Failed() {
		delete(w.again, o.Seq)
	}
	return w.note(ctx, &result)
}

// lost is what came of an element that no worker could run to its end.
func (w *writer) lost(err *sleigh.TaskError, e element) outcome {
	o := outcome{Seq: e.Seq, Item: e.Item, Host: err.Host, Exit: exitLost, Started: time.Now().UnixMilli(), Runs: err.Attempt}
	if e.Args != nil {
		o.Command = text(quote(expand(e.Args, string(e.Item), e.Seq, e.Pipe)))
		o.Failed = &e
	}
	o.Error = text(err.Error())
	o.Stderr = o.Error + "\n"
	return o
}

func (o *outcome) result(worker int) Result {
	r := Result{
		Seq: o.Seq, Item: string(o.Item), Command: string(o.Command), Host: o.Host, Worker: worker, Started: time.UnixMilli(o.Started),
		Runtime: o.Runtime, Runs: o.Runs, Exit: o.Exit, Signal: o.Signal, Timeout: o.Timeout, Error: string(o.Error),
		StdoutDropped: o.StdoutDropped, StderrDropped: o.StderrDropped,
	}
	stderr := o.Stderr
	for name, n := range map[string]int64{"stdout": o.StdoutDropped, "stderr": o.StderrDropped} {
		if n > 0 {
			stderr = line(stderr) + text(fmt.Sprintf("%d bytes more that it wrote to %s were dropped\n", n, name))
		}
	}
	r.Stdout, r.Stderr = []byte(o.Stdout), []byte(stderr)
	return r
}

// write writes what a command has printed, and then that it is done.
func (w *writer) write(r *Result) error {
	err := w.print(r)
	if err == nil && w.o.OnResult != nil {
		err = w.o.OnResult(*r)
	}
	if err == nil {
		err = w.log.add(r)
	}
	return err
}

func (w *writer) print(r *Result) error {
	if w.o.Results != "" {
		return writeResult(w.o.Results, r)
	}
	stdout, stderr := r.Stdout, r.Stderr
	if w.o.Tag {
		stdout, stderr = tagged(r.Item, stdout), tagged(r.Item, stderr)
	}
	return errors.Join(w.stdout.write(stdout), w.stderr.write(stderr))
}

// note counts a result, and halts the run if it is time.
func (w *writer) note(ctx context.Context, r *Result) (over bool, err error) {
	w.mu.Lock()
	w.summary.Done++
	if r.Failed() {
		w.summary.Failed++
	}
	w.mu.Unlock()
	if r.Failed() && w.o.Progress != nil {
		w.report(0)
	}
	if w.summary.Halted || !w.o.Halt.isReached(w.summary.Done, w.summary.Failed, w.total) {
		return false, nil
	}
	w.summary.Halted = true
	if w.o.Halt.Now || w.feed == nil {
		return true, nil
	}
	w.stopFeed()
	return false, w.s.User().Store(ctx, w.feed.halt, true)
}

// report tells how far the run is, until it is over.
func (w *writer) report(done int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.done = max(w.done, done)
	p := Progress{Done: w.done, Failed: w.summary.Failed, Skipped: w.summary.Skipped, Total: w.total}
	if w.feed != nil {
		items, skipped := w.feed.items()
		p.Done += skipped
		p.Skipped += skipped
		if items >= 0 {
			p.Total = items
		}
	}
	w.o.Progress(p)
}

// count completes the summary.
func (w *writer) count(job *sleigh.Job[outcome]) {
	w.summary.Submitted = job.Check().Submitted
	if w.feed != nil {
		_, skipped := w.feed.items()
		w.summary.Skipped += skipped
	}
}
