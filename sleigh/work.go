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
	settleBytes = 8 << 20               // of results settled at a time, but for at least one
	lookEvery   = time.Second           // at what a long task may need
	maxMessage  = 16 << 10              // bytes of an error's text
	retryPause  = time.Second
	aloneFor    = time.Second // a task that may kill its worker runs without others beginning
)

// serve runs tasks until the sleigh is stopped, its workspace deleted, or ctx ends.
func (w *Worker) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var loops sync.WaitGroup
	loops.Go(func() { w.serveAll(ctx, cancel) })
	loops.Go(func() { w.serveRank(ctx, cancel) })
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
	return errors.Is(err, workspace.ErrNoWorkspace) || errors.Is(err, workspace.ErrClosed) || errors.Is(err, workspace.ErrBuried)
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

// serveAll runs tasks that are for any worker, one after the other.
func (w *Worker) serveAll(ctx context.Context, over func()) {
	n := 1
	for ctx.Err() == nil {
		b := w.claim(ctx, over, taskVar, n)
		if b == nil {
			continue
		}
		began := time.Now()
		ran := b.run(ctx)
		each := time.Since(began) / time.Duration(max(ran, 1))
		n = int(min(batchMax, max(1, batchTime/max(each, time.Microsecond))))
	}
}

// serveRank runs tasks that are for this worker, each at once: they may wait for each other.
func (w *Worker) serveRank(ctx context.Context, over func()) {
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil {
		b := w.claim(ctx, over, taskVarOf(w.rank), 1)
		if b == nil {
			continue
		}
		if b.claim.Attempt == 1 && w.begun.seen(string(b.claim.Values[0].Text)) {
			// The master has sent it twice, over a connection that broke.
			b.drop()
			continue
		}
		ended := make(chan struct{})
		running.Go(func() {
			defer close(ended)
			b.run(ctx)
		})
		if b.claim.Attempt > 1 { // a worker has died over it: others are kept out of it, should it happen again
			select {
			case <-ended:
			case <-time.After(aloneFor):
			}
		}
	}
}

// claim claims up to n tasks; nil after an error.
func (w *Worker) claim(ctx context.Context, over func(), variable string, n int) *batch {
	c, err := w.own.Claim(ctx, variable, &workspace.ClaimOptions{Max: n, Sharers: w.count, Lease: w.lease})
	switch {
	case err == nil:
		return &batch{w: w, claim: c, end: len(c.Values), settled: time.Now()}
	case isOver(err):
		over()
	default:
		w.pause(ctx, err)
	}
	return nil
}

// batch is tasks that are claimed together. They run one after the other.
type batch struct {
	w     *Worker
	claim *workspace.Claim

	mu      sync.Mutex
	next    int                // the next to run
	end     int                // where to stop: what comes after has been released
	over    bool               // run has come there
	running string             // the job of the one that runs
	cancel  context.CancelFunc // ends the context of the one that runs
	done    []workspace.Outcome
	bytes   int       // of done
	settled time.Time // when done was settled the last time
}

// run runs the tasks and settles them with their results. It returns how many it ran.
func (b *batch) run(ctx context.Context) int {
	defer b.keep()()
	// Once a worker has died over these tasks, each is settled by itself, so that the first one left is to blame.
	careful := b.claim.Attempt > 1
	for {
		if ctx.Err() != nil {
			b.release()
		}
		i, ok := b.begin()
		if !ok {
			b.settle()
			return i
		}
		b.runOne(ctx, i)
		if careful || b.isDue() {
			b.settle()
		}
	}
}

// drop settles all without results.
func (b *batch) drop() {
	for _, value := range b.claim.Values {
		b.done = append(b.done, workspace.Outcome{Index: value.Index})
	}
	b.settle()
}

func (b *batch) begin() (i int, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next == b.end {
		b.over = true
		return b.next, false
	}
	b.next++
	return b.next - 1, true
}

// isDue reports whether what is done should not wait for more.
func (b *batch) isDue() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return time.Since(b.settled) > batchTime || b.bytes > settleBytes
}

// runOne runs a task, and keeps what came of it.
func (b *batch) runOne(ctx context.Context, i int) {
	value := b.claim.Values[i]
	o := workspace.Outcome{Index: value.Index}
	size := 0
	var t task
	if err := json.Unmarshal(value.Text, &t); err != nil {
		b.w.log.Error("a task is not readable, and is dropped", "error", err)
	} else if !b.w.dropped.has(resultVarOf(t.Job)) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		b.mu.Lock()
		b.running, b.cancel = t.Job, cancel
		b.mu.Unlock()
		var r result
		if i == 0 && b.claim.Attempt > maxAttempts {
			r = b.w.giveUp(t, b.claim.Attempt-1)
		} else {
			r = b.w.runTask(ctx, t, b.claim.Attempt)
		}
		o.Into, o.Value = resultVarOf(t.Job), r
		size = r.size()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.running, b.cancel = "", nil
	b.done = append(b.done, o)
	b.bytes += size
}

// settle settles what is done. Also when the worker has been told to stop: what is done is done.
func (b *batch) settle() {
	b.mu.Lock()
	done, bytes := b.done, b.bytes
	b.done, b.bytes, b.settled = nil, 0, time.Now()
	b.mu.Unlock()
	if len(done) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	err := b.claim.Settle(ctx, done...)
	if settled, ok := errors.AsType[*workspace.SettleError](err); ok {
		for _, variable := range settled.Missing {
			b.w.dropped.add(variable)
		}
	} else if err != nil && !isOver(err) {
		b.w.log.Warn("results were not settled", "error", err)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.done, b.bytes = append(done, b.done...), b.bytes+bytes // for the next time, if there is one before the lease ends
	}
}

// release gives back the tasks that have not begun.
func (b *batch) release() {
	b.mu.Lock()
	var left []int
	for _, value := range b.claim.Values[b.next:b.end] {
		left = append(left, value.Index)
	}
	end := b.end
	b.end = b.next
	b.mu.Unlock()

	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	if err := b.claim.Release(ctx, left...); err != nil && !isOver(err) {
		b.w.log.Warn("tasks were not given back", "error", err)
		b.mu.Lock()
		defer b.mu.Unlock()
		if !b.over {
			b.end = end // they run here, or are given back the next time
		}
	}
}

// dropIfUnwanted ends the context of the task that runs, if its master wants no more results.
func (b *batch) dropIfUnwanted(ctx context.Context) {
	b.mu.Lock()
	job := b.running
	b.mu.Unlock()
	if job == "" {
		return
	}
	wanted, err := b.w.own.Known(ctx, resultVarOf(job))
	if wanted || err != nil {
		return
	}
	b.w.dropped.add(resultVarOf(job))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running == job {
		b.cancel()
	}
}

// keep renews the lease until the returned function is called. If the batch takes longer than was thought, what is done
// does not wait for it, what has not begun goes to others, and a task that nobody waits for any more is told so.
func (b *batch) keep() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var keeping sync.WaitGroup
	keeping.Go(func() {
		late := time.NewTimer(3 * batchTime)
		defer late.Stop()
		renewed := time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-late.C:
			}
			late.Reset(min(lookEvery, b.w.lease/3))
			b.release()
			b.settle()
			b.dropIfUnwanted(ctx)
			if time.Since(renewed) > b.w.lease/4 {
				renewed = time.Now()
				if err := b.claim.Renew(ctx, b.w.lease); err != nil && ctx.Err() == nil {
					b.w.log.Warn("lease not renewed", "error", err)
				}
			}
		}
	})
	return func() {
		cancel()
		keeping.Wait()
	}
}

// runTask runs a task's function for each of its elements.
func (w *Worker) runTask(ctx context.Context, t task, attempt int) result {
	r := result{First: t.First, Worker: w.rank, Values: make([]json.RawMessage, len(t.Elems))}
	f := registered(t.Func)
	ctx = context.WithValue(ctx, workerKey{}, w)
	for k, elem := range t.Elems {
		var stack string
		value, message := json.RawMessage(nil), "no function of this name is registered in the worker's program"
		if f != nil {
			value, message, stack = protect(ctx, f, elem)
		}
		if message != "" {
			r.Failed = append(r.Failed, w.failure(t, t.First+k, attempt, message, stack))
			continue
		}
		r.Values[k] = value
	}
	return r
}

// giveUp is the result of a task over which too many workers died.
func (w *Worker) giveUp(t task, attempts int) result {
	r := result{First: t.First, Worker: w.rank, Values: make([]json.RawMessage, len(t.Elems))}
	for k := range t.Elems {
		message := fmt.Sprintf("%d workers died while they had it", attempts)
		r.Failed = append(r.Failed, w.failure(t, t.First+k, attempts, message, ""))
	}
	return r
}

func (w *Worker) failure(t task, index, attempt int, message, stack string) *TaskError {
	return &TaskError{Func: t.Func, Index: index, Worker: w.rank, Host: w.host, Attempt: attempt, Message: message, Stack: stack}
}

// protect runs a function in a goroutine of its own, so that neither a panic nor runtime.Goexit ends the worker. A message
// that is not empty says how it failed.
func protect(ctx context.Context, f run, arg json.RawMessage) (value json.RawMessage, message, stack string) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		returned := false
		defer func() {
			if returned {
				return
			}
			if p := recover(); p != nil {
				message, stack = fmt.Sprint("panic: ", p), string(debug.Stack())
			} else {
				message = "the function ended its goroutine (runtime.Goexit)"
			}
		}()
		var err error
		if value, err = f(ctx, arg); err != nil {
			if message = err.Error(); message == "" {
				message = "an error without text"
			}
		}
		returned = true
	}()
	<-ended
	return value, message[:min(len(message), maxMessage)], stack[:min(len(stack), maxMessage)]
}
