package sleigh

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
)

// Job is a call that goes on by itself.
type Job[R any] struct {
	j      *job
	elems  *results[R]
	cancel context.CancelCauseFunc
	over   chan struct{} // closed when it has ended
	err    error         // why, once it has; nil or TaskErrors if all elements are done
	all    []R           // the results, once Wait has them
}

// Submit is EachElem that does not wait: it returns as soon as the job has begun. The job ends with ctx (one that outlives its
// master is left then, and ended by Cancel), and so should the
// sequence where it may block; a sequence that fails can end the job by the cause of ctx (context.WithCancelCause). Results
// are kept until Wait or All asks for them; once All does, no more than some 10,000 or 64 MiB are, and the job waits.
func (f Func[A, R]) Submit(ctx context.Context, s *Sleigh, elems iter.Seq[A], opts *JobOptions) (*Job[R], error) {
	o, err := opts.resolve(f.name)
	if err != nil {
		return nil, err
	}
	results := newResults[R]()
	return submit(ctx, newJob(s, f.name, o, newSequence(elems), results), results)
}

func submit[R any](ctx context.Context, j *job, results *results[R]) (*Job[R], error) {
	job := &Job[R]{j: j, elems: results, over: make(chan struct{})}
	ctx, job.cancel = context.WithCancelCause(ctx)
	if err := job.j.begin(ctx); err != nil {
		job.cancel(nil)
		return nil, err
	}
	go func() {
		defer close(job.over)
		defer job.cancel(nil) // also if the sequence panics
		defer job.elems.end()
		defer func() {
			if p := recover(); p != nil { // the sequence of elements did
				job.err = fmt.Errorf("%w: %v", errSequence, p)
			}
		}()
		if job.err = job.j.run(ctx); job.err == nil && len(job.j.failed) > 0 {
			job.err = job.j.failed
		}
	}()
	return job, nil
}

// ID names the job in Redis.
func (job *Job[R]) ID() string { return job.j.id }

// Cancel ends the job: the contexts of its functions end within a second. It does not wait for that.
func (job *Job[R]) Cancel() { job.cancel(ErrEnded) }

// JobProgress is how far a job is, in elements.
type JobProgress struct {
	Submitted int  // handed out so far
	Done      int  // of these
	Failed    int  // of those that are done
	All       bool // whether no more will be submitted
}

// Check says how far the job is. It does not block.
func (job *Job[R]) Check() JobProgress { return job.j.check() }

// Wait blocks until the job has ended, and returns the results as EachElem does. If ctx ends first, that is its error, and
// Wait may be called again. It returns ErrGathered if somebody has had results, by Wait or All.
func (job *Job[R]) Wait(ctx context.Context) ([]R, error) {
	if !job.elems.gather(true) {
		return nil, job.j.of(ErrGathered)
	}
	select {
	case <-job.over:
	case <-ctx.Done():
		job.elems.gather(false)
		return nil, ctx.Err()
	}
	if err := job.broke(); err != nil {
		return nil, err
	}
	if job.j.lasting.usedBefore() {
		return nil, job.j.of(fmt.Errorf("%w, some of them by another master: ask for the others by All", ErrGathered))
	}
	job.all = slices.Grow(job.all, job.j.total())[:max(len(job.all), job.j.total())]
	job.elems.into(job.all)
	return job.all, job.err
}

// Result is what came of one element. Value is the zero value if it failed.
type Result[R any] struct {
	Index  int
	Value  R
	Worker int // rank; -1 if no worker had it
}

// Failed is the elements that have failed so far, in their order. It does not block.
func (job *Job[R]) Failed() TaskErrors { return job.j.failures() }

// All gives what came of the elements, as it comes, or with JobOptions.Ordered in their order; the error is a *TaskError for
// an element that failed. It waits for more, and ends when all are there. If the job ends otherwise, or ctx, the last error
// says why, and belongs to no element. What a loop that is left has not been given, the next All gives. Only one goroutine
// may use it.
func (job *Job[R]) All(ctx context.Context) iter.Seq2[Result[R], error] {
	return func(yield func(Result[R], error) bool) {
		if !job.elems.stream() {
			yield(Result[R]{}, job.j.of(ErrGathered))
			return
		}
		for {
			a, ok, err := job.elems.next(ctx, job.j.o.Ordered)
			if !ok && err == nil {
				err = job.broke()
			}
			switch {
			case !ok && err != nil:
				yield(Result[R]{}, err)
				return
			case !ok || !yield(a.Result, a.failure()):
				return
			}
		}
	}
}

// broke is why the job ended before all elements were done; nil if they are.
func (job *Job[R]) broke() error {
	<-job.over
	if _, failed := errors.AsType[TaskErrors](job.err); failed && !job.j.o.StopAtError {
		return nil
	}
	return job.err
}

// RetryFailed begins a job of the elements that failed, when this one has ended. Their indexes stay what they were. Its Wait
// gives the results of all elements, also of those that did not fail, if Wait has been called of this job. Elements that
// could not even be handed out are left out.
func (job *Job[R]) RetryFailed(ctx context.Context) (*Job[R], error) {
	select {
	case <-job.over:
	default:
		return nil, errors.New("sleigh: RetryFailed: the job has not ended")
	}
	results := newResults[R]()
	o := job.j.o
	o.named = false // the name is that of the job which has ended
	j := newJob(job.j.s, job.j.fn, o, newSequence(func(func(struct{}) bool) {}), results)
	j.repeat(job.j)
	results.order = slices.Sorted(maps.Keys(job.j.lost))
	again, err := submit(ctx, j, results)
	if err == nil {
		again.all = slices.Clone(job.all)
	}
	return again, err
}
