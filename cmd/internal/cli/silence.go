package cli

import (
	"context"
	"errors"
	"time"
)

// A command whose context has ended may wait for a Redis that does not answer: for as long as it takes, but for what is here.
const (
	askEvery   = time.Second // whether Redis answers
	tellAfter  = 2           // of these times in a row that it did not, the command says what it waits for
	leaveAfter = 8           // of these times, it ends if MayLeave was called
)

// MayLeave says that all that the command has in Redis goes away by itself, or is found by whoever goes on with it. So at
// Ctrl-C it waits for some seconds only where Redis does not answer, and then ends as at a second one.
func (r *Run) MayLeave() { r.mayLeave.Store(true) }

// call calls f. When ctx has ended and Redis does not answer, it may return before f does: soon if f only reads.
func (r *Run) call(ctx context.Context, f Action, args []string, reads bool) error {
	ended := make(chan error, 1)
	go func() { ended <- f(ctx, r, args) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	for silent := 1; ; silent++ {
		next := time.After(askEvery)
		select {
		case err := <-ended:
			return err
		case <-r.answer():
			silent = 0
			select {
			case err := <-ended:
				return err
			case <-next:
			}
		case <-next:
			if silent == tellAfter && !r.interrupts.hurried.Load() {
				r.tellSilence(ctx)
			}
			if reads || silent == leaveAfter && r.mayLeave.Load() {
				r.interrupts.atExit(nil)
				return ctx.Err()
			}
		}
	}
}

// tellSilence says what the command waits for.
func (r *Run) tellSilence(ctx context.Context) {
	advice := ""
	if _, ok := errors.AsType[*signalError](context.Cause(ctx)); ok {
		advice = "; a second Ctrl-C ends this at once"
	}
	r.Notef("waiting for Redis, which does not answer%s", advice)
}

// answer gives a channel that is closed if Redis answers, or there is none to wait for.
func (r *Run) answer() <-chan struct{} {
	answered := make(chan struct{})
	rdb := r.rdb.Load()
	if rdb == nil {
		close(answered)
		return answered
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), askEvery)
		defer cancel()
		err := rdb.Redis().Ping(ctx).Err()
		_, refused := errors.AsType[interface {
			error
			RedisError()
		}](err)
		if err == nil || refused {
			close(answered)
		}
	}()
	return answered
}
