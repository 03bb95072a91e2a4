package sleigh

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/netspaces/netspaces/workspace"
)

// noteEvery is how long results may have been used without Redis knowing it: a master that takes over gives these again.
const noteEvery = 100 * time.Millisecond

// lasting is what the master knows of a job that outlives masters. Its results stay in the list in Redis until they were
// used; what is not in it, nor in a task, was. All but telling is guarded by the mu of the job, and methods that are called
// for any job do nothing where it is nil.
type lasting struct {
	gone    ranges       // elements whose results were used, or that have failed
	read    []part       // the results in Redis, from the head of the list on
	dropped int          // results that are not there any more
	failed  []*TaskError // that Redis has not been told of
	kept    int          // those that it was
	changed bool         // since Redis was told
	toSkip  int          // elements of the sequence that were handed out before
	audit   bool         // it is to be seen whether something was lost
	done    bool         // all results are there, and kept

	telling sync.Mutex
}

// state is what Redis knows of that.
type state struct {
	Dropped int    `json:"dropped"` // results ever; see note.lua
	Gone    ranges `json:"gone"`
	All     bool   `json:"all"`   // no more elements will be submitted
	Total   int    `json:"total"` // elements that were, or were about to be
}

func (l *lasting) fail(e *TaskError) {
	if l != nil {
		l.failed = append(l.failed, e)
		l.gone.add(e.Index)
		l.changed = true
	}
}

func (l *lasting) skips() bool { return l != nil && l.toSkip > 0 }

func (l *lasting) isToAudit() bool {
	if l == nil || l.toSkip > 0 {
		return false
	}
	audit := l.audit
	l.audit = false
	return audit
}

// used notes that the result of an element was used.
func (j *job) used(i int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lasting.gone.add(i)
	j.lasting.changed = true
}

// follow reads results until all are there.
func (j *job) follow(ctx, outer context.Context) error {
	reported := 0
	for text, err := range workspace.NewVar[[]byte](j.s.own, resultVarOf(j.id)).IFind().All(ctx) {
		if err != nil {
			return err
		}
		var p part
		if err := json.Unmarshal(text, &p); err != nil {
			return fmt.Errorf("a result is not readable: %w", err)
		}
		if err := j.take(text); err != nil {
			j.sinkErr = err
			return err
		}
		j.mu.Lock()
		j.lasting.read = append(j.lasting.read, p)
		j.mu.Unlock()
		j.nudge()
		done, over := j.progress()
		if j.o.OnDone != nil && done > reported {
			j.o.OnDone(done)
		}
		if reported = done; over != nil {
			return j.awaitUse(outer, over)
		}
	}
	if ctx.Err() == nil {
		return ErrEnded
	}
	return j.awaitUse(outer, context.Cause(ctx))
}

// awaitUse waits until all results were used, or may be kept until they are.
func (j *job) awaitUse(ctx context.Context, over error) error {
	if !errors.Is(over, errFinished) && !errors.Is(over, ErrIncomplete) {
		return over
	}
	if err := j.sink.last(); err != nil {
		j.sinkErr = err
		return err
	}
	look := time.NewTicker(noteEvery / 2)
	defer look.Stop()
	for !j.sink.gathers() && !j.isUsed() {
		select {
		case <-look.C:
			if j.isDetaching() {
				return ErrDetached
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-j.s.ctx.Done():
			return context.Cause(j.s.ctx)
		}
	}
	return over
}

func (j *job) isUsed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.lasting.gone.count() >= j.next-j.others-len(j.missing)
}

// noteAll has Redis know what was used, until ctx ends.
func (j *job) noteAll(ctx context.Context) error {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := j.note(ctx, false); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// note has Redis know what was used since the last time. A master that leaves the job has no more to do with it.
func (j *job) note(ctx context.Context, leaves bool) error {
	l := j.lasting
	l.telling.Lock()
	defer l.telling.Unlock()
	j.mu.Lock()
	if !l.changed && !leaves {
		j.mu.Unlock()
		return nil
	}
	n := 0
	for n < len(l.read) && l.gone.hasAll(l.read[n].First, l.read[n].N) {
		n++
	}
	leaving := 0
	if leaves {
		leaving = 1
	}
	args := []any{j.id, l.kept, asJSON(state{Dropped: l.dropped + n, Gone: l.gone, All: j.ended, Total: j.next}), leaving}
	for _, e := range l.failed {
		args = append(args, asJSON(e))
	}
	failed := len(l.failed)
	l.changed = false
	j.mu.Unlock()

	word, texts, err := j.s.own.Do(ctx, noteScript,
		[]string{resultVarOf(j.id), masterVarOf(j.id), stateVarOf(j.id), failedVarOf(j.id)}, args...)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // it is told once more when the master leaves
	case err != nil:
		return err
	case word == "ENDED":
		return ErrEnded
	case word == "TAKEN":
		return j.heldBy(texts[0])
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	l.read, l.failed = l.read[n:], l.failed[failed:]
	l.dropped, l.kept = l.dropped+n, l.kept+failed
	return nil
}

// conclude ends the job, or leaves it to the next master.
func (j *job) conclude(ctx context.Context, err error) {
	quick, cancel := context.WithTimeout(context.WithoutCancel(ctx), endFor)
	defer cancel()
	_, held := errors.AsType[*HeldError](err)
	_, failed := errors.AsType[TaskErrors](err)
	outcome := Outcome("")
	if !errors.Is(err, errFinished) {
		j.sink.stop()
	}
	switch {
	case held:
		return
	case errors.Is(err, errFinished) && !j.sink.gathers():
		outcome = Finished
	case failed:
		outcome = StoppedAtError
	case errors.Is(err, ErrEnded) || errors.Is(context.Cause(ctx), ErrEnded):
		outcome = Cancelled
	}
	var lost error
	p := j.check()
	last := FinishedJob{
		ID: j.id, Name: j.o.Name, Func: j.fn, Done: p.Done, Failed: p.Failed, Outcome: outcome, Ended: time.Now(),
		Until: time.Now().Add(j.o.Keep),
	}
	if outcome != "" {
		lost = j.s.endJob(quick, j.id, j.o.Name, &last, "")
	} else {
		if errors.Is(err, errFinished) { // its results are kept, but not for ever
			j.o.CancelAfter, j.lasting.done = j.o.Keep, true
			last.Outcome = Finished
			lost = j.s.own.Store(quick, finishedVar, last)
			_, err = j.master(quick)
			lost = errors.Join(lost, err)
		}
		lost = errors.Join(lost, j.note(quick, true))
	}
	if lost != nil {
		j.s.log.Warn("Redis does not know that the master has left the job", "job", j.o.Name, "error", lost)
	}
}
