package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

const (
	retryPause = time.Second
	aloneFor   = time.Second // a task that may kill its worker runs without others beginning
)

// serve runs tasks until the sleigh is stopped, its workspace deleted, or ctx ends, which ends the contexts of functions
// too; or until the worker is to leave and what it runs has ended.
func (w *Worker) serve(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithValue(ctx, workerKey{}, w)) // of functions, too
	defer cancel()
	var loops, looking sync.WaitGroup
	looking.Go(func() {
		for ctx.Err() == nil {
			if err := w.own.Find(ctx, stopVar, new(json.RawMessage)); err == nil || isOver(err) {
				cancel()
			} else {
				w.pause(ctx, err)
			}
		}
	})
	looking.Go(func() { w.reportAll(ctx) })
	looking.Go(func() { w.hearDismissal(ctx) })
	w.initialise(ctx)
	for range w.slots {
		loops.Go(func() { w.serveAll(ctx, cancel) })
	}
	loops.Go(func() { w.serveRank(ctx, cancel) })
	loops.Wait()
	cancel()
	looking.Wait()
}

// isOver reports whether there is nothing left to work for.
func isOver(err error) bool {
	return errors.Is(err, workspace.ErrNoWorkspace) || errors.Is(err, workspace.ErrClosed) || errors.Is(err, workspace.ErrBuried)
}

// pause waits after an error that may pass, such as Redis being away.
func (w *Worker) pause(ctx context.Context, err error) {
	if ctx.Err() != nil || w.isLeaving() {
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
	s := newSlot()
	for {
		c, err := w.forAny.next(ctx, w.leaving, s)
		if err != nil {
			over()
		}
		if c == nil {
			return
		}
		w.batchOf(c, w.forAny).run(ctx, s)
	}
}

// serveRank runs tasks that are for this worker, each at once: they may wait for each other.
func (w *Worker) serveRank(ctx context.Context, over func()) {
	var running sync.WaitGroup
	defer running.Wait()
	for ctx.Err() == nil && !w.isLeaving() {
		b := w.claim(ctx, over, w.forRank)
		if b == nil {
			continue
		}
		ended := make(chan struct{})
		running.Go(func() {
			defer close(ended)
			b.run(ctx, nil)
		})
		if b.isCareful() { // a worker has died over it: others are kept out of it, should it happen again
			select {
			case <-ended:
			case <-time.After(aloneFor):
			}
		}
	}
}

// claim claims a task; nil after an error.
func (w *Worker) claim(ctx context.Context, over func(), x *exchange) *batch {
	claiming, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(w.leaving, cancel)()
	c, err := w.own.Claim(claiming, x.in, &workspace.ClaimOptions{Lease: w.lease})
	switch {
	case err == nil:
		return w.batchOf(c, x)
	case isOver(err):
		over()
	default:
		w.pause(ctx, err)
	}
	return nil
}

func (w *Worker) batchOf(c *workspace.Claim, x *exchange) *batch {
	return &batch{w: w, claim: c, in: x.in, exchange: x, telling: newBaton(), lease: w.lease, end: len(c.Values), settled: time.Now()}
}

// newExchange is for tasks in a variable.
func (w *Worker) newExchange(variable string) *exchange {
	x := newExchange(w.own, variable, taskVar, w.lease, w.log)
	x.sharers, x.isOver, x.dropped = w.sharers, isOver, w.dropped.add
	return x
}

// sharers is among how many the tasks that are there are shared.
func (w *Worker) sharers() int { return max(w.Count(), 1) * w.slots }

// leaveSoon has the worker claim no more; it leaves when what it runs has ended, and another one takes its rank.
func (w *Worker) leaveSoon(why string) {
	if !w.isLeaving() {
		w.log.Warn("worker leaves", "why", why)
	}
	w.replace.Store(true)
	w.leave()
}

func (w *Worker) isLeaving() bool { return w.leaving.Err() != nil }

// deathOf is what is known of a worker that died; nil if it did not die of what it ran.
func (w *Worker) deathOf(client string) *Death {
	ctx, cancel := context.WithTimeout(context.Background(), drainFor)
	defer cancel()
	death := &Death{Worker: -1, Host: "unknown"}
	if found, err := w.own.TryFind(ctx, deathVarOf(client), &death); found && err == nil {
		return death
	}
	for rank := range w.Count() {
		var info WorkerInfo
		if found, err := w.own.TryFind(ctx, workerVarOf(rank), &info); found && err == nil && info.Client == client {
			return &Death{Worker: rank, Host: info.Host, PID: info.PID, Cause: "it was not heard of any more"}
		}
	}
	return death
}
