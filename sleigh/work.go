package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const (
	batchTime   = 50 * time.Millisecond // of work, claimed at a time when tasks are short
	batchMax    = 100                   // tasks claimed at a time
	maxAttempts = 3                     // workers that may die over a task
	retryPause  = time.Second
)

// serve runs tasks until the sleigh is stopped, its workspace deleted, or ctx ends.
func (w *Worker) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var loops sync.WaitGroup
	loops.Go(func() { w.loop(ctx, cancel, taskVar) })
	loops.Go(func() { w.loop(ctx, cancel, taskVarOf(w.rank)) })
	for ctx.Err() == nil {
		if err := w.own.Find(ctx, stopVar, new(json.RawMessage)); err == nil || isOver(err) {
			cancel()
		} else {
			w.pause(ctx, err)
		}
	}
	loops.Wait()
}

// isOver reports whether there is nothing left to work for.
func isOver(err error) bool {
	return errors.Is(err, workspace.ErrNoWorkspace) || errors.Is(err, workspace.ErrClosed)
}

// pause waits after an error that may pass, such as Redis being away.
func (w *Worker) pause(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	w.log.Warn("worker waits", "error", err, "for", retryPause)
	select {
	case <-ctx.Done():
	case <-time.After(retryPause):
	}
}

// loop claims the tasks of one variable and runs them, one after the other.
func (w *Worker) loop(ctx context.Context, over func(), variable string) {
	batch := 1
	for ctx.Err() == nil {
		claim, err := w.own.Claim(ctx, variable, &workspace.ClaimOptions{Max: batch, Sharers: w.count, Lease: w.lease})
		switch {
		case err == nil:
			began := time.Now()
			w.work(ctx, claim)
			each := time.Since(began) / time.Duration(len(claim.Values))
			batch = int(min(batchMax, max(1, batchTime/max(each, time.Microsecond))))
		case isOver(err):
			over()
		case ctx.Err() == nil:
			w.pause(ctx, err)
		}
	}
}

// work runs the tasks of a claim and settles them with their results.
func (w *Worker) work(ctx context.Context, claim *workspace.Claim) {
	defer w.renew(claim)()

	var done []workspace.Outcome
	settled := time.Now()
	for i, value := range claim.Values {
		if i == 0 && claim.Attempt > maxAttempts {
			w.giveUp(claim)
			return
		}
		var t task
		if err := json.Unmarshal(value.Text, &t); err != nil {
			w.log.Error("a task is not readable, and is dropped", "error", err)
			done = append(done, workspace.Outcome{Index: value.Index})
			continue
		}
		done = append(done, workspace.Outcome{Index: value.Index, Into: resultVarOf(t.Job), Value: w.runTask(ctx, t, claim.Attempt)})
		// Once a worker has died over these tasks, each is settled by itself, so that the first one left is to blame.
		if claim.Attempt > 1 || time.Since(settled) > batchTime {
			w.settle(claim, done)
			done, settled = nil, time.Now()
		}
	}
	w.settle(claim, done)
}

// giveUp settles the first task of a claim, over which too many workers died, and hands the others out anew.
func (w *Worker) giveUp(claim *workspace.Claim) {
	var done []workspace.Outcome
	for i, value := range claim.Values {
		o := workspace.Outcome{Index: value.Index, Into: taskVar, Value: value.Text}
		if i == 0 {
			var t task
			if err := json.Unmarshal(value.Text, &t); err != nil {
				o.Into = ""
			} else {
				r := result{First: t.First, Worker: w.rank, Values: make([]json.RawMessage, len(t.Elems))}
				for k := range t.Elems {
					r.Failed = append(r.Failed, w.failure(t, t.First+k, claim.Attempt-1,
						fmt.Sprintf("%d workers died while they ran it", maxAttempts), ""))
				}
				o.Into, o.Value = resultVarOf(t.Job), r
			}
		}
		done = append(done, o)
	}
	w.settle(claim, done)
}

func (w *Worker) settle(claim *workspace.Claim, done []workspace.Outcome) {
	// Also when the worker has been told to stop: what is done is done.
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	err := claim.Settle(ctx, done...)
	if err != nil && !isOver(err) && !errors.Is(err, workspace.ErrClaimLost) {
		w.log.Warn("results were not settled; their tasks will run again", "error", err)
	}
}

// renew keeps a claim's lease up until the returned function is called.
func (w *Worker) renew(claim *workspace.Claim) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var renewing sync.WaitGroup
	renewing.Go(func() {
		tick := time.NewTicker(w.lease / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := claim.Renew(ctx, w.lease); err != nil && ctx.Err() == nil {
					w.log.Warn("lease not renewed", "error", err)
				}
			}
		}
	})
	return func() {
		cancel()
		renewing.Wait()
	}
}

// runTask runs a task's function for each of its elements.
func (w *Worker) runTask(ctx context.Context, t task, attempt int) result {
	r := result{First: t.First, Worker: w.rank, Values: make([]json.RawMessage, len(t.Elems))}
	f := registered(t.Func)
	for k, elem := range t.Elems {
		if f == nil {
			r.Failed = append(r.Failed, w.failure(t, t.First+k, attempt, "no function of this name is registered in the worker's program", ""))
			continue
		}
		value, stack, err := protect(context.WithValue(ctx, workerKey{}, w), f, elem)
		if err != nil {
			r.Failed = append(r.Failed, w.failure(t, t.First+k, attempt, err.Error(), stack))
			continue
		}
		r.Values[k] = value
	}
	return r
}

func (w *Worker) failure(t task, index, attempt int, message, stack string) *TaskError {
	return &TaskError{Func: t.Func, Index: index, Worker: w.rank, Host: w.host, Attempt: attempt, Message: message, Stack: stack}
}

// protect runs a function in a goroutine of its own, so that neither a panic nor runtime.Goexit ends the worker.
func protect(ctx context.Context, f run, arg json.RawMessage) (value json.RawMessage, stack string, err error) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		returned := false
		defer func() {
			if returned {
				return
			}
			if p := recover(); p != nil {
				err, stack = fmt.Errorf("panic: %v", p), string(debug.Stack())
			} else {
				err = errors.New("the function ended its goroutine (runtime.Goexit)")
			}
		}()
		value, err = f(ctx, arg)
		returned = true
	}()
	<-ended
	return value, stack, err
}
