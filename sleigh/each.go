package sleigh

import (
	"context"
	"encoding/json"
	"iter"
	"math"
)

// EachOptions are those of EachElem.
type EachOptions struct {
	// OnDone is called with the number of elements that are done, each time that some more are, by the goroutine that
	// called EachElem. Defaults to nothing.
	OnDone func(done int)
}

// EachElem runs the function once for each element, on whichever worker is free, and returns the results in the order
// of the elements. It blocks until all are there. Elements are taken from elems as needed, in a goroutine of its own;
// and EachElem does not return before the sequence does, not even after Stop: where it may block, it should end with
// ctx. Nil options are the defaults.
//
// If the function failed for some elements, or they do not convert to JSON, their results are the zero value, all
// others are there, and the error is a TaskErrors. Any other error comes without results: ErrStopped, the context's,
// ErrNoWorkspace if the sleigh was deleted, or that of a team that cannot be launched.
func (f Func[A, R]) EachElem(ctx context.Context, s *Sleigh, elems iter.Seq[A], opts *EachOptions) ([]R, error) {
	var o EachOptions
	if opts != nil {
		o = *opts
	}
	var results []R
	j := &job{
		s: s, fn: f.name, window: windowTasks, windowBytes: windowBytes, onDone: o.OnDone,
		elems: func(yield func(string, any) bool) {
			for elem := range elems {
				if !yield(taskVar, elem) {
					return
				}
			}
		},
		put: func(i int, value json.RawMessage) error { return put(&results, i, value) },
	}
	err := j.run(ctx)
	return finish(results, j, err)
}

// EachWorker runs the function exactly once on each worker, with the same argument, and returns the results by rank. It
// blocks until all are there; a worker that has not joined yet runs it when it does. Where a worker dies over it, the one
// that takes its rank runs it again. It runs beside the tasks of EachElem, and may block in find or fetch on the user
// workspace while other workers go on. Errors are those of EachElem, with ranks in place of indexes.
func (f Func[A, R]) EachWorker(ctx context.Context, s *Sleigh, arg A) ([]R, error) {
	var results []R
	j := &job{
		s: s, fn: f.name, window: s.workers, windowBytes: math.MaxInt,
		elems: func(yield func(string, any) bool) {
			for rank := range s.workers {
				if !yield(taskVarOf(rank), arg) {
					return
				}
			}
		},
		put: func(i int, value json.RawMessage) error { return put(&results, i, value) },
	}
	err := j.run(ctx)
	return finish(results, j, err)
}

// put sets element i of the results; a nil value is that of a failed one.
func put[R any](results *[]R, i int, value json.RawMessage) error {
	for len(*results) <= i {
		var zero R
		*results = append(*results, zero)
	}
	if value == nil {
		return nil
	}
	return json.Unmarshal(value, &(*results)[i])
}

func finish[R any](results []R, j *job, err error) ([]R, error) {
	if err != nil {
		return nil, err
	}
	for len(results) < j.total() { // the last ones failed
		var zero R
		results = append(results, zero)
	}
	if len(j.failed) > 0 {
		return results, j.failed
	}
	return results, nil
}
