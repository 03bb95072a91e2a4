package sleigh

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/netspaces/netspaces/redisx"
	"github.com/netspaces/netspaces/workspace"
)

const (
	windowTasks = 1000     // tasks of a job handed out and not done
	windowBytes = 64 << 20 // and their size, but for at least one
	resultBatch = 1000     // results read at a time
)

// job is one call of EachElem or EachWorker at the master.
type job struct {
	s      *Sleigh
	id     string
	fn     string
	window int
	onDone func(done int)
	// next gives the next element and the variable to hand it out in, or false at the end.
	next func() (into string, elem json.RawMessage, more bool, err error)
	// put takes a result, nil for that of an element that failed.
	put func(i int, value json.RawMessage) error

	handed int         // elements handed out
	bytes  map[int]int // of those not done
	total  int         // sum of bytes
	ended  bool        // next has no more
	done   []bool
	doneN  int
	failed TaskErrors
}

// run hands out the elements and collects the results, until all are done or ctx ends.
func (j *job) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	unwatch := context.AfterFunc(j.s.ctx, func() { cancel(context.Cause(j.s.ctx)) })
	defer unwatch()

	j.id = strings.ToLower(rand.Text()[:8])
	j.bytes = map[int]int{}
	err := j.collect(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // why, rather than that it ended
	}
	if err != nil {
		return fmt.Errorf("sleigh: %s: %w", j.fn, err)
	}
	slices.SortFunc(j.failed, func(a, b *TaskError) int { return cmp.Compare(a.Index, b.Index) })
	return nil
}

func (j *job) collect(ctx context.Context) error {
	own, results := j.s.own, resultVarOf(j.id)
	if err := own.Declare(ctx, results, workspace.FIFO); err != nil {
		return err
	}
	// Without its variable, results that come late go nowhere.
	defer func() { _ = own.DeleteVar(context.WithoutCancel(ctx), results) }()
	for {
		if err := j.handOut(ctx); err != nil {
			return err
		}
		if j.ended && j.doneN == j.handed {
			return nil
		}
		claim, err := own.Claim(ctx, results, &workspace.ClaimOptions{Max: resultBatch, Lease: j.s.lease})
		if err != nil {
			return err
		}
		outcomes := make([]workspace.Outcome, len(claim.Values))
		for i, value := range claim.Values {
			outcomes[i].Index = value.Index
			if err := j.take(value.Text); err != nil {
				return err
			}
		}
		if err := claim.Settle(ctx, outcomes...); err != nil && !errors.Is(err, workspace.ErrClaimLost) {
			return err
		}
		if j.onDone != nil {
			j.onDone(j.doneN)
		}
	}
}

// handOut fills the window.
func (j *job) handOut(ctx context.Context) error {
	batches := map[string][]any{}
	for !j.ended && j.handed-j.doneN < j.window && (j.total < windowBytes || j.handed == j.doneN) {
		into, elem, more, err := j.next()
		if err != nil {
			return fmt.Errorf("element %d does not convert to JSON: %w", j.handed, err)
		}
		if !more {
			j.ended = true
			break
		}
		text, err := json.Marshal(task{Job: j.id, Func: j.fn, First: j.handed, Elems: []json.RawMessage{elem}})
		if err != nil {
			return err
		}
		batches[into] = append(batches[into], text)
		j.bytes[j.handed] = len(text)
		j.total += len(text)
		j.handed++
		j.done = append(j.done, false)
	}
	for into, tasks := range batches {
		for {
			err := j.s.own.StoreAll(ctx, into, tasks...)
			if err == nil {
				break
			}
			if _, unclear := errors.AsType[*redisx.UnknownError](err); !unclear {
				return err
			}
			// Handed out twice does no harm: the second result is passed over.
		}
	}
	return nil
}

// take notes the results of one task.
func (j *job) take(text []byte) error {
	var r result
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("a result is not readable: %w", err)
	}
	failed := map[int]*TaskError{}
	for _, e := range r.Failed {
		failed[e.Index] = e
	}
	for k, value := range r.Values {
		i := r.First + k
		if i < 0 || i >= len(j.done) || j.done[i] {
			continue
		}
		e := failed[i]
		if e != nil {
			j.failed = append(j.failed, e)
			value = nil
		}
		if err := j.put(i, value); err != nil {
			return fmt.Errorf("the result of element %d does not convert: %w", i, err)
		}
		j.done[i] = true
		j.doneN++
		j.total -= j.bytes[i]
		delete(j.bytes, i)
	}
	return nil
}
