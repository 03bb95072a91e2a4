package each

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/netspaces/netspaces/sleigh"
)

// Run runs a command once for each item, on whichever worker is free, and writes what is printed as Options say. It blocks
// until all items have a result, or with Detach until Redis has them. Items are taken from the sequence as needed; one that
// fails ends it, and its error is returned when those before it are done.
//
// That a command failed is no error: Summary counts it. It returns a NotAllowedError if a worker may not run the command, the
// errors of writing, and those of sleigh.Func's Submit: among them sleigh.ErrFinished and sleigh.HeldError, for a job with a
// name. The summary is that of what was done before. Nil options are the defaults.
func Run(ctx context.Context, s *sleigh.Sleigh, items iter.Seq2[string, error], command Command, opts *Options) (Summary, error) {
	o, err := opts.resolve()
	if err == nil {
		err = command.check()
	}
	if err != nil {
		return Summary{}, err
	}
	return withWriter(s, &o, func(w *writer) error {
		if o.DryRun {
			return w.dryRun(ctx, items, command)
		}
		return run(ctx, s, items, command, w)
	})
}

// withWriter calls f with what writes results.
func withWriter(s *sleigh.Sleigh, o *Options, f func(w *writer) error) (Summary, error) {
	log, err := openJoblog(o)
	if err != nil {
		return Summary{}, err
	}
	w := &writer{s: s, o: o, log: log, stdout: printer{to: o.Stdout}, stderr: printer{to: o.Stderr}, began: time.Now(), total: -1}
	if o.Total > 0 {
		w.total = o.Total
	}
	err = f(w)
	w.summary.Elapsed = time.Since(w.began)
	return w.summary, errors.Join(err, log.close())
}

func run(ctx context.Context, s *sleigh.Sleigh, items iter.Seq2[string, error], command Command, w *writer) error {
	if w.o.Halt.Percent > 0 && w.total < 0 {
		all, err := gather(ctx, items)
		if err != nil {
			return err
		}
		w.total, items = len(all), Items(all...)
	}
	stopped, stop := context.WithCancel(context.Background())
	defer stop()
	f := &feed{command: command, o: w.o, done: maps.Clone(w.log.has), expected: map[int]element{}, stopped: stopped, total: -1}
	if w.o.CountAhead && w.total < 0 {
		f.counted = func() { w.report(0) }
	}
	if h := w.o.Halt; h.Why != "" && !h.Now {
		f.halt = haltPrefix + w.o.Name
		if w.o.Name == "" {
			f.halt += fmt.Sprintf("%016x", rand.Uint64()) //nolint:gosec // It need not be secret.
		}
		forget(ctx, s, f.halt) // of a run that was killed
		defer forget(ctx, s, f.halt)
	}
	w.feed, w.stopFeed = f, stop
	err := w.submit(ctx, func(ctx context.Context, o *sleigh.JobOptions) (*sleigh.Job[outcome], error) {
		return function.Submit(ctx, s, f.elements(ctx, items), o)
	})
	if err == nil {
		err = f.failure()
	}
	return err
}

// haltPrefix begins the names of variables in the user workspace that have a value when no command is to begin any more.
const haltPrefix = "each:halt:"

// cleanFor is how long it may take to tidy up when a run has ended.
const cleanFor = 5 * time.Second

// forget deletes a variable of the user workspace, if it is there.
func forget(ctx context.Context, s *sleigh.Sleigh, variable string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanFor)
	defer cancel()
	if known, err := s.User().Known(ctx, variable); known && err == nil {
		_ = s.User().DeleteVar(ctx, variable) // it ends with the team in any case
	}
}

// Attach takes over the job of a name, as one that Run has left by Detach, or whose program was killed, and writes its results
// as Run does. Of the options, those count that say what to do with results; Pipe, Retries and the like are the job's, and
// Halt is always at once. With Resume it passes over results that the joblog has. It returns the errors of sleigh.Func's Attach,
// and a NotAllowedError when all results are written, of which those that were refused have failed.
func Attach(ctx context.Context, s *sleigh.Sleigh, name string, opts *Options) (Summary, error) {
	o, err := opts.resolve()
	if err != nil {
		return Summary{}, err
	}
	if o.DryRun {
		return Summary{}, errors.New("each: DryRun: the commands of a job are with the workers")
	}
	o.Name, o.Detach, o.Halt.Now = name, false, true
	return withWriter(s, &o, func(w *writer) error {
		w.attached = true
		return w.submit(ctx, func(ctx context.Context, o *sleigh.JobOptions) (*sleigh.Job[outcome], error) {
			return function.Attach(ctx, s, name, o)
		})
	})
}

// Retry runs those items of a job with a name again that failed, when all of its results were written, by Run or Attach. Their
// numbers are what they were. What fails again, or is not done when ctx ends, may be tried once more. Retries and Timeout are
// those of the job, where they are not given. It is a job that ends with this program. If nothing has failed it does nothing. It
// returns sleigh.ErrNoJob if no job of that name has ended lately.
func Retry(ctx context.Context, s *sleigh.Sleigh, name string, opts *Options) (Summary, error) {
	o, err := opts.resolve()
	if err != nil {
		return Summary{}, err
	}
	given := Options{}
	if opts != nil {
		given = *opts
	}
	o.Name, o.Detach, o.Halt.Now = "", false, true
	o.ResumeFailed = o.ResumeFailed || o.Resume
	ledger := &failures{s: s, name: name}
	failed, err := ledger.read(ctx)
	if err != nil || len(failed) == 0 {
		return Summary{}, err
	}
	return withWriter(s, &o, func(w *writer) error {
		left := map[int]element{}
		for i := range failed {
			e := &failed[i]
			if given.Retries > 0 {
				e.Retries = given.Retries
			}
			if given.Timeout > 0 {
				e.Timeout = given.Timeout
			}
			e.Halt = ""
			left[e.Seq] = *e
		}
		if o.DryRun {
			for i := range failed {
				if err := w.tell(&failed[i]); err != nil {
					return err
				}
			}
			return nil
		}
		w.total, w.again = len(failed), left
		err := w.submit(ctx, func(ctx context.Context, o *sleigh.JobOptions) (*sleigh.Job[outcome], error) {
			return function.Submit(ctx, s, slices.Values(failed), o)
		})
		return errors.Join(err, ledger.replace(ctx, left))
	})
}
