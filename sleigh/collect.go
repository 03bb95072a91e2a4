package sleigh

import (
	"context"
	"errors"

	"github.com/netspaces/netspaces/workspace"
)

// collect takes results until all are there.
func (j *job) collect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	x := j.results
	x.ctx, x.one, x.isOver = ctx, true, func(error) bool { return true }
	select {
	case e := <-j.ears:
		x.waiter, x.born = e.waiter, e.born
	case <-ctx.Done():
		cancel()
		return ctx.Err()
	}
	x.start()
	defer x.close()
	defer cancel()
	s, reported := newSlot(), 0
	s.n = 100
	for {
		claim, err := x.next(ctx, ctx, s)
		switch {
		case errors.Is(err, workspace.ErrVarDeleted):
			return ErrEnded
		case err != nil:
			return err
		case claim == nil:
			return ctx.Err()
		}
		told, size := &news{claim: claim.ID(), slot: s}, 1
		for _, value := range claim.Values {
			told.done = append(told.done, outcome{index: value.Index})
			size += len(value.Text)
			if err := j.take(value.Text); err != nil {
				j.sinkErr = err
				return err
			}
		}
		s.n = max(1, min(resultBatch, resultBytes*len(claim.Values)/size))
		j.nudge()
		done, err := j.progress()
		if j.o.OnDone != nil && done > reported {
			j.o.OnDone(done)
		}
		if reported = done; err != nil {
			return err
		}
		x.add(told)
	}
}

// ear is a waiter for results that the first submission has made wait, so that it need not be done by itself.
type ear struct {
	waiter *workspace.Waiter // nil if it does not wait
	born   string            // incarnation of the variable; empty if that is not known
}

// newEar is for the first submission; it returns nil for the others.
func (j *job) newEar() *workspace.Waiter {
	if j.hasEar || j.lasting != nil {
		return nil
	}
	j.hasEar = true
	w, err := j.s.own.NewWaiter(resultVarOf(j.id), j.s.lease, j.results.wake)
	if err != nil {
		j.ears <- ear{} // what comes next fails by the same
		return nil
	}
	return w
}

// submitted passes on whether it waits.
func (j *job) submitted(w *workspace.Waiter, born string) {
	if w == nil {
		return
	}
	if born == "" || !w.Waits(born) {
		w.Leave(false)
		w = nil
	}
	j.ears <- ear{w, born}
}

// dropEar is for a job that nobody listens for.
func (j *job) dropEar() {
	select {
	case e := <-j.ears:
		if e.waiter != nil {
			e.waiter.End()
		}
	default:
	}
}
