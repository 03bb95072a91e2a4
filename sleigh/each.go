package sleigh

import (
	"context"
	"fmt"
	"iter"
)

// EachElem runs the function once for each element, on whichever worker is free, and returns the results in the order
// of the elements. It blocks until all are there. Elements are taken from elems as needed, in a goroutine of its own;
// and EachElem does not return before the sequence does, not even after Stop: where it may block, it should end with
// ctx. A sequence that fails can end the call by the cause of ctx (context.WithCancelCause). Nil options are the defaults.
//
// If the function failed for some elements, or they do not convert to JSON, their results are the zero value, all
// others are there, and the error is a TaskErrors; with JobOptions.StopAtError there are no results then. Any other error
// comes without results: ErrStopped, the context's, ErrNoWorkspace if the sleigh was deleted, or that of a team that cannot
// be launched.
func (f Func[A, R]) EachElem(ctx context.Context, s *Sleigh, elems iter.Seq[A], opts *JobOptions) ([]R, error) {
	o, err := opts.resolve(f.name)
	if err != nil {
		return nil, err
	}
	var results gathered[R]
	j := newJob(s, f.name, o, newSequence(elems), &results)
	return results.finish(j, j.runAtOnce(ctx))
}

// EachWorker runs the function exactly once on each worker, with the same argument, and returns the results by rank. These
// are the workers that the team was started with, or who has their ranks now: others that came in addition may leave for
// good, and have Initialise; but where one that is waited for has gone, they take its rank. In a team that was joined they are
// those that are there now, in the order of their ranks. It blocks until all are there: a worker that has not joined yet is
// waited for, and runs it when it does. Where a worker dies over it, the one that takes its rank runs it again. It runs
// beside the tasks of EachElem, and may block in find or fetch on the user workspace while other workers go on. Errors are
// those of EachElem, with ranks in place of indexes.
func (f Func[A, R]) EachWorker(ctx context.Context, s *Sleigh, arg A) ([]R, error) {
	j, results, err := f.eachWorker(ctx, s, arg)
	if err != nil {
		return nil, err
	}
	return results.finish(j, j.runAtOnce(ctx))
}

// eachWorker makes a job of one element for each rank.
func (f Func[A, R]) eachWorker(ctx context.Context, s *Sleigh, arg A) (*job, *gathered[R], error) {
	o, err := (&JobOptions{Chunk: 1}).resolve(f.name)
	if err != nil {
		return nil, nil, err
	}
	if s.visits {
		return nil, nil, ErrVisitor
	}
	ranks, err := s.members(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("sleigh: %s: %w", f.name, err)
	}
	same := func(yield func(A) bool) {
		for range ranks {
			if !yield(arg) {
				return
			}
		}
	}
	results := &gathered[R]{}
	j := newJob(s, f.name, o, newSequence(same), results)
	j.ranks = ranks
	return j, results, nil
}

// gathered is the results of a job in their order.
type gathered[R any] struct{ results []R }

func (g *gathered[R]) take(r *result, skip func(i int) bool) error {
	first := r.First
	for len(g.results) < first+r.N {
		var zero R
		g.results = append(g.results, zero)
	}
	results, errs := decodeAll[R](r.Values, r.N)
	for k := range r.N {
		if skip(first + k) {
			continue
		}
		if err := errs[k]; err != nil {
			return fmt.Errorf("the result of element %d does not convert: %w", first+k, err)
		}
		g.results[first+k] = results[k]
	}
	return nil
}

func (g *gathered[R]) fail(*TaskError) {}

func (g *gathered[R]) stop() {}

func (g *gathered[R]) last() error { return nil }

func (g *gathered[R]) report(func(i int), func() bool) {}

func (g *gathered[R]) wake() {}

func (g *gathered[R]) resume(func(i int) bool) {}

func (g *gathered[R]) gathers() bool { return true }

func (g *gathered[R]) finish(j *job, err error) ([]R, error) {
	if err != nil {
		return nil, err
	}
	for len(g.results) < j.total() { // the last ones failed
		var zero R
		g.results = append(g.results, zero)
	}
	if len(j.failed) > 0 {
		return g.results, j.failed
	}
	return g.results, nil
}
