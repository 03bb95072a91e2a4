package sleigh

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
)

// EachOptions are those of EachElem.
type EachOptions struct {
	// OnDone is called with the number of elements that are done, each time that some more are, by the goroutine that
	// called EachElem. Defaults to nothing.
	OnDone func(done int)
}

// EachElem runs the function once for each element, on whichever worker is free, and returns the results in the order of
// the elements. It blocks until all are there. Elements are taken from elems as needed. Nil options are the defaults.
//
// If the function failed for some elements, their results are the zero value, all others are there, and the error is a
// TaskErrors. Any other error comes without results: ErrStopped, the context's, ErrNoWorkspace if the sleigh was deleted,
// or that of a team that cannot be launched.
func (f Func[A, R]) EachElem(ctx context.Context, s *Sleigh, elems iter.Seq[A], opts *EachOptions) ([]R, error) {
	var o EachOptions
	if opts != nil {
		o = *opts
	}
	next, stop := iter.Pull(elems)
	defer stop()
	var results []R
	j := &job{
		s: s, fn: f.name, window: windowTasks, onDone: o.OnDone,
		next: func() (string, json.RawMessage, bool, error) {
			elem, ok := next()
			if !ok {
				return "", nil, false, nil
			}
			arg, err := json.Marshal(elem)
			return taskVar, arg, true, err
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
	text, err := json.Marshal(arg)
	if err != nil {
		return nil, fmt.Errorf("sleigh: %s: the argument does not convert to JSON: %w", f.name, err)
	}
	results := make([]R, 0, s.workers)
	rank := 0
	j := &job{
		s: s, fn: f.name, window: s.workers,
		next: func() (string, json.RawMessage, bool, error) {
			if rank == s.workers {
				return "", nil, false, nil
			}
			rank++
			return taskVarOf(rank - 1), text, true, nil
		},
		put: func(i int, value json.RawMessage) error { return put(&results, i, value) },
	}
	err = j.run(ctx)
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
	if len(j.failed) > 0 {
		return results, j.failed
	}
	return results, nil
}
